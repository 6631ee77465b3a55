"""Messages between a device and its host."""

import hashlib

from hand import (
    DEVICE_ID,
    SECRET,
    TIME_MS,
    UNKNOWN_TIME,
    i32,
    message,
    rejected,
    sized,
    text,
    u8,
    u16,
    u32,
    u64,
)


def link_messages() -> list[dict]:
    nonce, proof = bytes(range(0x40, 0x50)), bytes(range(0x60, 0x70))
    identity = (
        DEVICE_ID
        + b"\x01\x01\x01\x01"
        + u16(512)
        + u32(17)
        + u8(2)
        + u32(0b100_0000_0011)
        + text("平安卡")
        + text("xiao_c3_sx1262")
        + text("0.1.0")
    )
    identity_values = {
        "device_id": DEVICE_ID.hex(), "role": "tag", "state": "provisioned", "protocol_min": 1,
        "protocol_max": 1,
        "max_payload": 512, "boot_count": 17, "hardware_revision": 2,
        "capabilities": ["accelerometer", "radio_lora", "battery"], "product": "平安卡",
        "board": "xiao_c3_sx1262", "firmware": "0.1.0",
    }  # fmt: skip
    settings = [{"name": "rest_interval_s", "value": "1800"}, {"name": "sms_to", "value": "+8613800000000"}]
    settings_raw = u8(2) + b"".join(sized(text(item["name"]) + text(item["value"])) for item in settings)
    log_raw = u32(40) + u32(17) + u64(86_400_000) + u8(2) + text("motion") + text("lifted, 21 degrees")
    test_raw = u8(2) + u8(0) + i32(51) + text("who_am_i 0x44")
    digest = hashlib.sha256(b"image").digest()
    return [
        message(0x01, "identity_get", b""),
        message(0x81, "identity", identity, **identity_values),
        message(0x81, "identity", identity + b"\x07new", "newer", **identity_values, extra=b"\x07new"),
        rejected(0x81, "identity", identity[:-1], "cut", "short"),
        rejected(0x81, "identity", identity[:23] + b"\x02\xc0\x80" + identity[33:], "overlong", "text"),
        message(0x02, "session_open", DEVICE_ID + nonce, device_id=DEVICE_ID, initiator_nonce=nonce),
        message(0x82, "session_challenge", nonce + proof, responder_nonce=nonce, responder_proof=proof),
        message(0x03, "session_prove", proof, initiator_proof=proof),
        message(0x83, "session_ready", b""),
        message(0x0F, "bye", b""),
        message(
            0x10, "provision_write", text("GN-000123") + u8(1) + text("XY-12") + SECRET, tag_id="GN-000123",
            profile="vehicle", install_point="XY-12", secret=SECRET,
        ),
        rejected(0x10, "provision_write", text("x" * 33) + u8(1) + text("") + SECRET, "long-id", "range"),
        message(0x11, "provision_read", b""),
        message(
            0x91, "provision", u8(1) + text("GN-000123") + u8(9) + text("") + proof[:8], "unknown-profile",
            state="provisioned", tag_id="GN-000123", profile=9, install_point="", check_value=proof[:8],
        ),
        message(0x12, "provision_prove", nonce, challenge=nonce),
        message(0x92, "provision_proof", proof, proof=proof),
        message(0x13, "provision_lock", proof[:8], check_value=proof[:8]),
        message(0x14, "provision_erase", proof[:8], check_value=proof[:8]),
        message(0x15, "factory_reset", proof[:8], check_value=proof[:8]),
        message(0x18, "settings_read", u8(3), first=3),
        message(0x98, "settings", u8(12) + settings_raw, total=12, settings=settings),
        message(0x19, "settings_write", settings_raw, settings=settings),
        message(0x19, "settings_write", b"\x00", "none", settings=[]),
        rejected(0x19, "settings_write", b"\x02" + settings_raw[1:20], "cut", "short"),
        rejected(0x19, "settings_write", u8(65) + sized(text("") + text("")) * 65, "too-many", "range"),
        message(0x1A, "time_read", b""),
        message(
            0x9A, "time", u64(TIME_MS) + u64(5000) + u8(2), time_ms=TIME_MS, uptime_ms=5000, source="gnss"
        ),
        message(
            0x9A, "time", u64(UNKNOWN_TIME) + u64(2**64 - 1) + u8(0), "unknown", time_ms=None,
            uptime_ms=2**64 - 1, source="none",
        ),
        rejected(0x9A, "time", u64(2**53 + 1) + u64(0) + u8(0), "out-of-range", "range"),
        message(0x1B, "time_write", u64(TIME_MS), time_ms=TIME_MS),
        message(0x1C, "log_read", u32(40) + u8(10), first_sequence=40, most=10),
        message(
            0x9C, "log", u32(12) + u32(41) + u8(1) + sized(log_raw), oldest_sequence=12, next_sequence=41,
            entries=[{
                "sequence": 40, "boot_count": 17, "uptime_ms": 86_400_000, "level": "warning",
                "event": "motion",
                "text": "lifted, 21 degrees",
            }],
        ),
        message(0x1D, "self_test", u32(0b1101), parts=["memory", "accelerometer", "radio"]),
        message(0x1D, "self_test", u32(1 << 31 | 1), "unknown-part", parts=["memory", "bit31"]),
        message(
            0x9D, "self_test_result", u8(1) + sized(test_raw), tests=[
                {"part": "accelerometer", "result": "passed", "measured": 51, "text": "who_am_i 0x44"}
            ],
        ),
        message(
            0x9D, "self_test_result", u8(1) + sized(test_raw + b"\xaa"), "newer", tests=[
                {"part": "accelerometer", "result": "passed", "measured": 51, "text": "who_am_i 0x44",
                 "extra": "aa"}
            ],
        ),
        message(0x1E, "service_open", u16(600), duration_s=600),
        rejected(0x1E, "service_open", u16(7201), "too-long", "range"),
        message(
            0x20, "update_begin", text("tag") + text("0.2.0") + u8(2) + u32(5) + u32(61_440) + digest,
            product="tag",
            version="0.2.0", hardware_revision=2, security_counter=5, size_bytes=61_440, sha256=digest,
        ),
        message(0x21, "update_block", u32(4096) + sized(b"\x00\xff\x10"), offset_bytes=4096,
            data=b"\x00\xff\x10"),
        rejected(0x21, "update_block", u32(4096) + b"\x00", "empty", "range"),
        message(0x22, "update_finish", u16(2500), signature_bytes=2500),
        message(0x23, "update_confirm", b""),
        message(0x24, "update_abort", b""),
        message(0x25, "update_read", b""),
        message(
            0xA5, "update_state", u8(1) + u32(8192) + text("0.2.0") + text(""), state="receiving",
            next_offset_bytes=8192, version="0.2.0", detail="",
        ),
        message(0xFE, "ack", u8(0x1B), request=0x1B),
        message(
            0xFF, "error", u8(0x03) + u8(5) + text("wrong secret") + u32(2000), request=3, code="refused",
            detail="wrong secret", retry_after_ms=2000,
        ),
        message(
            0xFF, "error", u8(0x7E) + u8(200) + text("") + u32(2**32 - 1), "new-code", request=0x7E, code=200,
            detail="", retry_after_ms=None,
        ),
        {
            **message(
                0xFF, "error", u8(0x03) + u8(5) + text("wrong secret"), "older", request=3, code="refused",
                detail="wrong secret", retry_after_ms=None,
            ),
            "older": True,
        },
        message(0x7E, None, b"\x01\x02", "unknown-kind", extra=b"\x01\x02"),
        message(0x3F, None, b"", "unknown-kind", extra=b""),
        message(0xDD, None, b"\x00", "unknown-kind", extra=b"\x00"),
    ]  # fmt: skip
