"""Messages between a tracker and the collector: reports up, signed answers down. `report` makes the MACs."""

from groundwire.messages import PEER

ALARMS = (
    "motion", "tilt", "lifted", "rolling", "transported", "tamper", "power_cut", "low_battery",
    "sos", "fall", "fence", "intruder", "strap", "test", "still", "herd", "fence_back", "fault",
)  # fmt: skip
RADIOS = ("gsm", "umts", "lte", "nr", "nbiot")
SUPPLIES = ("unknown", "battery", "external", "charging")
MODES = ("parked", "armed", "moving", "alarm", "lost", "disarmed")
FIX_SOURCES = ("gnss", "cell", "fixed")
STARTS = ("power_on", "reset", "watchdog", "wake", "brownout")

_TIME = ("time_ms", "Q", 0, 2**53, 2**64 - 1)
_ITEMS = (
    (1, "alarm", (
        _TIME,
        ("cause", "enum", ALARMS),
        ("level", "B", 0, 3),
        ("siren_on", "B", 0, 1),
    )),
    (2, "fix", (
        _TIME,
        ("lat_e7", "i", -900000000, 900000000),
        ("lon_e7", "i", -1800000000, 1800000000),
        ("accuracy_m", "H", 0, 65534, 65535),
        ("age_s", "H", 0, 65534, 65535),
        ("speed_cmps", "H", 0, 65534, 65535),
        ("course_cdeg", "H", 0, 35999, 65535),
        ("altitude_m", "h", -1000, 20000, -32768),
        ("satellites", "B", 0, 254, 255),
        ("hdop_c", "H", 0, 65534, 65535),
        ("source", "enum", FIX_SOURCES),
    )),
    (3, "cell", (
        _TIME,
        ("radio", "enum", RADIOS),
        ("mcc", "H", 0, 999),
        ("mnc", "H", 0, 999),
        ("area", "I", 0, 2**24 - 1, 2**32 - 1),
        ("cell", "Q", 0, 2**36 - 1, 2**64 - 1),
        ("signal_dbm", "h", -200, 0, -32768),
        ("serving", "B", 0, 1),
    ), (
        ("age_s", "H", 0, 65534, 65535),
    )),
    (4, "battery", (
        _TIME,
        ("battery_mv", "H", 0, 65534, 65535),
        ("percent", "B", 0, 100, 255),
        ("supply", "enum", SUPPLIES),
        ("external_mv", "H", 0, 65534, 65535),
    )),
    (5, "heartbeat", (
        _TIME,
        ("mode", "enum", MODES),
        ("uptime_s", "I"),
        ("beacon_counter", "I"),
        ("temperature_c", "b", -60, 120, -128),
    ), (
        ("interval_s", "I", 1, 604800, 2**32 - 1),
    )),
    (6, "downlink_done", (
        _TIME,
        ("counter", "I"),
    )),
    (7, "challenge", (
        _TIME,
        ("challenge", "8s"),
    )),
    (8, "fault", (
        _TIME,
        ("part", "text", 24),
        ("text", "text", 40),
    )),
    (9, "start", (
        _TIME,
        ("cause", "enum", STARTS),
    )),
    (10, "dropped", (
        _TIME,
        ("count", "I"),
    )),
)  # fmt: skip

MESSAGES = (
    (0x40, "report", PEER, (
        ("mac", "8s"),
        ("device_id", "8s"),
        ("boot_count", "I"),
        ("sequence", "I"),
        ("items", "items", _ITEMS, 64),
    )),
    (0xC0, "report_ack", PEER, (
        ("mac", "8s"),
        ("boot_count", "I"),
        ("sequence", "I"),
        ("time_ms", "Q", 0, 2**53),
        ("downlinks", "records", (("downlink", "blob", 1, 24),), 8),
    )),
)  # fmt: skip
