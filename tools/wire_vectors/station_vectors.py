"""Messages between base station and collector."""

import struct

from hand import (
    STATION_ID,
    TIME_MS,
    UNKNOWN_TIME,
    i16,
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


def station_messages() -> list[dict]:
    air = bytes.fromhex("41430c0102030405060708090a0b0c")
    sighting = u64(TIME_MS) + i16(-117) + i16(-725) + u8(2) + sized(air)
    unknown = u64(UNKNOWN_TIME) + i16(-32768) + i16(-32768) + u8(255) + sized(air[:1])
    eids = [bytes.fromhex("000102030405"), bytes.fromhex("a0a1a2a3a4a5")]
    order = u32(77) + u64(TIME_MS + 600_000) + u8(2) + b"".join(eids) + sized(bytes(range(18)))
    order_values = {
        "order_id": 77, "expires_ms": TIME_MS + 600_000, "eids": [eid.hex() for eid in eids],
        "downlink": bytes(range(18)).hex(),
    }  # fmt: skip
    receipt = u32(77) + u8(0) + u64(TIME_MS + 5000) + eids[1]
    hello = STATION_ID + u32(3) + u8(1) + u8(1) + text("eu868") + text("0.1.0")
    health = STATION_ID + u32(3) + u64(TIME_MS) + u32(3600) + u32(9000) + u32(4) + u16(12) + u32(0) + u8(1)
    health_values = {
        "station_id": STATION_ID.hex(), "boot_count": 3, "time_ms": TIME_MS, "uptime_s": 3600, "heard": 9000,
        "bad_frames": 4, "queued": 12, "lost": 0, "orders_waiting": 1,
    }  # fmt: skip
    measured = health + i16(-104) + u16(5021) + struct.pack(">b", -7)
    nothing = u16(65535) + u16(65535) + u8(0)
    fault = text("network") + text("\u8bc1\u4e66")
    heard = {"time_ms": TIME_MS, "rssi_dbm": -117, "snr_cdb": -725, "channel": 2, "beacon": air.hex()}
    head = STATION_ID + u32(3) + u32(1000)
    batch = head + u8(2) + sized(sighting) + sized(unknown)
    return [
        message(
            0x30, "station_hello", hello + i32(452_712_345) + i32(-137_654_321), station_id=STATION_ID,
            boot_count=3,
            protocol_min=1, protocol_max=1, region="eu868", firmware="0.1.0", lat_e7=452_712_345,
            lon_e7=-137_654_321,
        ),
        message(
            0x30, "station_hello", hello + i32(-(2**31)) + i32(-(2**31)), "nowhere", station_id=STATION_ID,
            boot_count=3, protocol_min=1, protocol_max=1, region="eu868", firmware="0.1.0", lat_e7=None,
            lon_e7=None,
        ),
        rejected(0x30, "station_hello", hello + i32(900_000_001) + i32(0), "beyond-the-pole", "range"),
        message(
            0x31, "sightings", head + u8(1) + sized(sighting), "single", station_id=STATION_ID, boot_count=3,
            first_sequence=1000, sightings=[heard],
        ),
        message(
            0x31, "sightings", batch, station_id=STATION_ID, boot_count=3, first_sequence=1000, sightings=[
                heard,
                {"time_ms": None, "rssi_dbm": None, "snr_cdb": None, "channel": None, "beacon": "41"},
            ],
        ),
        message(
            0x31, "sightings", head + u8(1) + sized(sighting + b"\x01\x02"), "newer", station_id=STATION_ID,
            boot_count=3, first_sequence=1000, sightings=[{**heard, "extra": "0102"}],
        ),
        rejected(0x31, "sightings", batch[:-1], "cut", "short"),
        rejected(
            0x31, "sightings", head + u8(1) + sized(sighting[:13] + sized(bytes(25))), "beacon-too-long",
            "range"
        ),
        message(
            0xB1, "sightings_ack", u32(3) + u32(1002) + u64(TIME_MS) + u8(1) + sized(order), boot_count=3,
            next_sequence=1002, time_ms=TIME_MS, orders=[order_values],
        ),
        message(
            0x32, "downlink_receipt", STATION_ID + u8(1) + sized(receipt), station_id=STATION_ID, receipts=[
                {"order_id": 77, "result": "sent", "time_ms": TIME_MS + 5000, "eid": eids[1].hex()}
            ],
        ),
        message(
            0x33, "station_health", measured, "older", **health_values,
            noise_dbm=-104, supply_mv=5021, temperature_c=-7, load_permille=None, ring_permille=None, faults=[],
        ) | {"older": True},
        message(
            0x33, "station_health", measured + u16(37) + u16(1000) + u8(1) + sized(fault), "loaded",
            **health_values, noise_dbm=-104, supply_mv=5021, temperature_c=-7, load_permille=37,
            ring_permille=1000, faults=[{"part": "network", "text": "\u8bc1\u4e66"}],
        ),
        message(
            0x33, "station_health", measured + u16(65535) + u16(65535) + u8(0), "well", **health_values,
            noise_dbm=-104, supply_mv=5021, temperature_c=-7, load_permille=None, ring_permille=None, faults=[],
        ),
        rejected(
            0x33, "station_health", measured + u16(0) + u16(0) + u8(9) + 9 * sized(fault), "many", "range"
        ),
        message(
            0x33, "station_health", health + i16(-32768) + u16(65535) + struct.pack(">b", -128) + nothing,
            "unknowns", **health_values, noise_dbm=None, supply_mv=None, temperature_c=None, load_permille=None,
            ring_permille=None, faults=[],
        ),
        message(0xB3, "orders", u64(TIME_MS) + b"\x00", time_ms=TIME_MS, orders=[]),
    ]  # fmt: skip
