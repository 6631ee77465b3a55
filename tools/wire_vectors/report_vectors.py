"""A tracker's signed reports."""

import struct

from hand import (
    DEVICE_ID,
    ORACLES,
    SECRET,
    TIME_MS,
    UNKNOWN_TIME,
    derived,
    i16,
    i32,
    mac,
    message,
    rejected,
    sized,
    u8,
    u16,
    u32,
    u64,
    vector,
)

REPORT_ITEMS = [
    (1, u64(TIME_MS) + u8(2) + u8(3) + u8(1),
     {"type": "alarm", "time_ms": TIME_MS, "cause": "lifted", "level": 3, "siren_on": 1}),
    (2, u64(TIME_MS) + i32(451_234_567) + i32(136_543_210) + u16(8) + u16(2) + u16(1250) + u16(9050) + i16(12)
     + u8(9) + u16(110) + u8(0),
     {"type": "fix", "time_ms": TIME_MS, "lat_e7": 451_234_567, "lon_e7": 136_543_210, "accuracy_m": 8,
      "age_s": 2, "speed_cmps": 1250, "course_cdeg": 9050, "altitude_m": 12, "satellites": 9, "hdop_c": 110,
      "source": "gnss"}),
    (2, u64(UNKNOWN_TIME) + i32(-900_000_000) + i32(1_800_000_000) + b"\xff" * 8 + i16(-32768)
     + b"\xff\xff\xff\x01",
     {"type": "fix", "time_ms": None, "lat_e7": -900_000_000, "lon_e7": 1_800_000_000, "accuracy_m": None,
      "age_s": None, "speed_cmps": None, "course_cdeg": None, "altitude_m": None, "satellites": None,
      "hdop_c": None, "source": "cell"}),
    (3, u64(TIME_MS) + u8(2) + u16(460) + u16(0) + u32(0x1A2B) + u64(0x0ABCDEF1) + i16(-97) + u8(1) + u16(240),
     {"type": "cell", "time_ms": TIME_MS, "radio": "lte", "mcc": 460, "mnc": 0, "area": 0x1A2B,
      "cell": 0x0ABCDEF1, "signal_dbm": -97, "serving": 1, "age_s": 240}),
    (4, u64(TIME_MS) + u16(3712) + u8(64) + u8(1) + u16(65535),
     {"type": "battery", "time_ms": TIME_MS, "battery_mv": 3712, "percent": 64, "supply": "battery",
      "external_mv": None}),
    (5, u64(TIME_MS) + u8(3) + u32(600) + u32(0x12345) + struct.pack(">b", 21) + u32(21_600),
     {"type": "heartbeat", "time_ms": TIME_MS, "mode": "alarm", "uptime_s": 600, "beacon_counter": 0x12345,
      "temperature_c": 21, "interval_s": 21_600}),
    (6, u64(TIME_MS) + u32(9), {"type": "downlink_done", "time_ms": TIME_MS, "counter": 9}),
    (7, u64(TIME_MS) + bytes(range(8)),
     {"type": "challenge", "time_ms": TIME_MS, "challenge": bytes(range(8)).hex()}),
    (8, u64(TIME_MS) + sized(b"modem") + sized("不回应".encode()),
     {"type": "fault", "time_ms": TIME_MS, "part": "modem", "text": "不回应"}),
    (8, u64(UNKNOWN_TIME) + sized(b"gnss") + sized(b""),
     {"type": "fault", "time_ms": None, "part": "gnss", "text": ""}),
    (9, u64(TIME_MS) + u8(4), {"type": "start", "time_ms": TIME_MS, "cause": "brownout"}),
    (9, u64(TIME_MS) + u8(200), {"type": "start", "time_ms": TIME_MS, "cause": 200}),
    (10, u64(TIME_MS) + u32(70_000), {"type": "dropped", "time_ms": TIME_MS, "count": 70_000}),
    (99, b"\x01\x02\x03", {"type": 99, "extra": "010203"}),
]  # fmt: skip


def report_messages() -> list[dict]:
    items = u8(len(REPORT_ITEMS)) + b"".join(u8(kind) + sized(body) for kind, body, _ in REPORT_ITEMS)
    body = DEVICE_ID + u32(17) + u32(5) + items
    signature = mac(derived("report"), b"\x40" + body)[:8]
    values = {
        "device_id": DEVICE_ID.hex(),
        "boot_count": 17,
        "sequence": 5,
        "items": [v for _, _, v in REPORT_ITEMS],
    }
    answer = u32(17) + u32(5) + u64(TIME_MS) + u8(1) + sized(sized(bytes(range(18))))
    answer_signature = mac(derived("report"), b"\xc0" + answer)[:8]
    forged = bytes((signature[0] ^ 1,)) + signature[1:]
    course = u64(TIME_MS) + i32(0) + i32(0) + b"\x00" * 6 + u16(36_000) + bytes(6)
    cell = u64(TIME_MS) + u8(0) + u16(460) + u16(0) + u32(1) + u64(2) + i16(-97) + u8(1)
    no_age = {"type": "cell", "time_ms": TIME_MS, "radio": "gsm", "mcc": 460, "mnc": 0, "area": 1, "cell": 2,
              "signal_dbm": -97, "serving": 1, "age_s": None}  # fmt: skip
    bad_item = bytes(8) + DEVICE_ID + u32(17) + u32(5) + u8(1) + u8(2) + sized(course)
    return [
        message(0x40, "report", signature + body, **values, mac=signature),
        message(
            0xC0, "report_ack", answer_signature + answer, mac=answer_signature, boot_count=17, sequence=5,
            time_ms=TIME_MS, downlinks=[{"downlink": bytes(range(18)).hex()}],
        ),
        {
            **message(
                0x40, "report", bytes(8) + DEVICE_ID + u32(17) + u32(5) + u8(1) + u8(3) + sized(cell), "older",
                mac=bytes(8), device_id=DEVICE_ID.hex(), boot_count=17, sequence=5, items=[no_age],
            ),
            "older": True,
        },
        rejected(0x40, "report", bad_item[:-1], "half-item", "short"),
        rejected(0x40, "report", signature + body[:-1], "cut", "short"),
        rejected(0x40, "report", bad_item, "course-360", "range"),
        *[
            vector(f"report-{name}", "report", ORACLES, kind=kind, secret=SECRET, payload=payload, **rest)
            for name, kind, payload, rest in (
                ("signed", 0x40, signature + body, {}),
                ("ack-signed", 0xC0, answer_signature + answer, {}),
                ("forged", 0x40, forged + body, {"error": "mac"}),
                ("wrong-kind", 0xC0, signature + body, {"error": "mac"}),
            )
        ],
    ]  # fmt: skip
