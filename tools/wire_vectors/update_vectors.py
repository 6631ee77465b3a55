"""Messages by which a device gets an update from the collector."""

from hand import DEVICE_ID, message, rejected, sized, text, u8, u32

SHA256 = bytes(range(100, 132))


def update_messages() -> list[dict]:
    check = DEVICE_ID + text("0.1.0") + u8(6) + text("0.2.0") + text("self-test: radio")
    check_values = {
        "device_id": DEVICE_ID, "firmware": "0.1.0", "state": "failed", "version": "0.2.0",
        "detail": "self-test: radio",
    }  # fmt: skip
    offer = u32(91_004) + SHA256 + text("0.2.0") + u32(7)
    fetch = DEVICE_ID + SHA256 + u32(4080)
    return [
        message(0x50, "update_check", check, **check_values),
        message(
            0x50, "update_check", DEVICE_ID + text("0.1.0") + u8(0) + text("") + text(""), "nothing-to-tell",
            device_id=DEVICE_ID, firmware="0.1.0", state="idle", version="", detail="",
        ),
        message(0x50, "update_check", check + b"\x05", "newer", **check_values, extra="05"),
        rejected(0x50, "update_check", check[:-1], "cut", "short"),
        message(
            0xD0, "update_offer", offer, size_bytes=91_004, sha256=SHA256, version="0.2.0",
            security_counter=7,
        ),
        message(
            0xD0, "update_offer", u32(0) + bytes(32) + text("") + u32(0), "nothing", size_bytes=0,
            sha256=bytes(32), version="", security_counter=0,
        ),
        message(0x51, "update_fetch", fetch, device_id=DEVICE_ID, sha256=SHA256, offset_bytes=4080),
        message(
            0xD1, "update_piece", u32(4080) + sized(bytes(range(240))), offset_bytes=4080,
            data=bytes(range(240)),
        ),
        rejected(0xD1, "update_piece", u32(0) + sized(b""), "empty", "range"),
        rejected(0xD1, "update_piece", u32(0) + sized(bytes(241)), "too-long", "range"),
    ]  # fmt: skip
