"""Messages between a base station and the collector: sightings up, downlink orders down.

The station asks, the collector answers: each request has exactly one reply, and any reply may carry orders.
"""

from groundwire.messages import PEER

CHANNEL_UNKNOWN = 255
RECEIPT_RESULTS = ("sent", "expired", "no_airtime", "busy", "malformed", "replaced")

_SIGHTING = (
    ("time_ms", "Q", 0, 2**53, 2**64 - 1),
    ("rssi_dbm", "h", -200, 50, -32768),
    ("snr_cdb", "h", -10000, 10000, -32768),
    ("channel", "B", 0, 254, CHANNEL_UNKNOWN),
    ("beacon", "blob", 1, 24),
)
_ORDER = (
    ("order_id", "I"),
    ("expires_ms", "Q", 0, 2**53),
    ("eids", "fixeds", 6, 32),
    ("downlink", "blob", 1, 24),
)
_RECEIPT = (
    ("order_id", "I"),
    ("result", "enum", RECEIPT_RESULTS),
    ("time_ms", "Q", 0, 2**53, 2**64 - 1),
    ("eid", "6s"),
)

_FAULT = (
    ("part", "text", 24),
    ("text", "text", 40),
)

MESSAGES = (
    (0x30, "station_hello", PEER, (
        ("station_id", "8s"),
        ("boot_count", "I"),
        ("protocol_min", "B"),
        ("protocol_max", "B"),
        ("region", "text", 16),
        ("firmware", "text", 24),
        ("lat_e7", "i", -900000000, 900000000, -(2**31)),
        ("lon_e7", "i", -1800000000, 1800000000, -(2**31)),
    )),
    (0x31, "sightings", PEER, (
        ("station_id", "8s"),
        ("boot_count", "I"),
        ("first_sequence", "I"),
        ("sightings", "records", _SIGHTING, 64),
    )),
    (0xB1, "sightings_ack", PEER, (
        ("boot_count", "I"),
        ("next_sequence", "I"),
        ("time_ms", "Q", 0, 2**53),
        ("orders", "records", _ORDER, 16),
    )),
    (0x32, "downlink_receipt", PEER, (
        ("station_id", "8s"),
        ("receipts", "records", _RECEIPT, 16),
    )),
    (0x33, "station_health", PEER, (
        ("station_id", "8s"),
        ("boot_count", "I"),
        ("time_ms", "Q", 0, 2**53, 2**64 - 1),
        ("uptime_s", "I"),
        ("heard", "I"),
        ("bad_frames", "I"),
        ("queued", "H"),
        ("lost", "I"),
        ("orders_waiting", "B"),
        ("noise_dbm", "h", -200, 50, -32768),
        ("supply_mv", "H", 0, 65534, 65535),
        ("temperature_c", "b", -60, 120, -128),
    ), (
        ("load_permille", "H", 0, 1000, 65535),
        ("ring_permille", "H", 0, 1000, 65535),
        ("faults", "records", _FAULT, 8),
    )),
    (0xB3, "orders", PEER, (
        ("time_ms", "Q", 0, 2**53),
        ("orders", "records", _ORDER, 16),
    )),
)  # fmt: skip
