"""Settings: one table of what can be set, with the defaults of each profile; the rest is reading and writing
it.

Values are ints or text. On the link and in flash every value is text; only what differs from the default is
kept.
"""

from groundwire.constant import const

_INT = const(0)
_TEXT = const(1)
_SHOWN_MAX = const(64)  # bytes of a value on the link

# name: (kind, default, low, high) of an int, or (kind, default, longest in bytes, write-only) of a text
TABLE = {
    "region": (_TEXT, "eu868", 16, False),
    "parked_interval_s": (_INT, 0, 10, 86400),  # 0: as the region plan says
    "moving_interval_s": (_INT, 20, 5, 600),
    "lost_interval_s": (_INT, 30, 5, 3600),
    "still_after_s": (_INT, 120, 10, 3600),  # without movement for so long: parked
    "wake_threshold_mg": (_INT, 94, 32, 1000),  # of a tag, which beacons each time
    "guard_threshold_mg": (_INT, 63, 32, 1000),  # of a tracker, which judges before it does anything
    "armed": (_INT, 1, 0, 1),
    "siren_s": (_INT, 20, 0, 30),
    "report_interval_s": (_INT, 15, 5, 3600),  # while moving; lost or astray: at most lost_interval_s
    "heartbeat_s": (_INT, 21600, 300, 604800),
    "owner_phone": (_TEXT, "", 20, False),
    "language": (_TEXT, "en", 2, False),
    "collector_host": (_TEXT, "", 64, False),
    "collector_ca": (
        _TEXT,
        "",
        1400,
        False,
    ),  # base64 of a certificate; by a bundle, see groundcore/README.md
    "collector_port": (_INT, 4710, 1, 65535),
    "broker_user": (_TEXT, "", 32, False),  # where collector_host is mqtt://BROKER
    "broker_key": (_TEXT, "", 63, True),
    "battery_empty_mv": (_INT, 3000, 500, 60000),
    "battery_full_mv": (_INT, 3650, 500, 60000),
    "wifi_name": (_TEXT, "", 32, False),
    "wifi_key": (_TEXT, "", 63, True),
    "sos_button": (_INT, 0, 0, 1),
    "strap_alarm": (_INT, 0, 0, 1),
    "fall_alarm": (_INT, 0, 0, 1),
    "fall_cancel_s": (
        _INT,
        20,
        0,
        120,
    ),  # so long a press says after a fall that all is well; 0: it calls at once
    "still_alarm_s": (_INT, 0, 0, 604800),  # without movement for so long: an alarm; 0: never
    "fence_lat_e7": (_INT, -(2**31), -(2**31), 900000000),
    "fence_lon_e7": (_INT, -(2**31), -(2**31), 1800000000),
    "fence_radius_m": (_INT, 0, 0, 100000),  # 0: no fence
    "fob_key": (_TEXT, "", 64, True),  # identity key of the paired fob or herd leader, 64 hex digits
    "fob_epoch": (_INT, 0, 0, 2**28 - 1),  # of its id when it was paired
    "fob_window_s": (_INT, 90, 10, 3600),  # heard so recently: near
    "fob_long_preamble": (_INT, 0, 0, 1),  # it has `long_preamble`: listen for it in turns with sleep
    "long_preamble": (_INT, 0, 0, 1),  # beacons that a receiver hears which sleeps in between; LoRa only
    "herd_lost_s": (_INT, 0, 0, 86400),  # the paired leader was not heard for so long: an alarm; 0: never
    "guard_room": (_INT, 0, 0, 1),  # the infrared sensor guards a room
    "exit_delay_s": (_INT, 45, 0, 255),
    "entry_delay_s": (_INT, 30, 0, 255),
    "arm_from_min": (_INT, 0, 0, 1439),  # minute of the local day; both equal: all day
    "arm_until_min": (_INT, 0, 0, 1439),
    "utc_offset_min": (_INT, 0, -720, 840),
    "trial_s": (_INT, 600, 60, 86400),  # so long a new version has until it must be confirmed
    "ble_scan": (_INT, 0, 0, 1),  # of a station: hear advertisements, too
    "both_radios": (_INT, 0, 0, 1),  # of a station: hear LoRa and GFSK, see groundcore/listening.py
    "lat_e7": (_INT, -(2**31), -(2**31), 900000000),  # of a fixed station; -2**31: not known
    "lon_e7": (_INT, -(2**31), -(2**31), 1800000000),
}

# What a profile changes; a settings table, not a fork of the code.
PROFILES = {
    "livestock": {
        "moving_interval_s": 120,
        "report_interval_s": 300,
        "still_after_s": 600,
        "armed": 0,
        "still_alarm_s": 43200,
        "herd_lost_s": 3600,
    },
    "wearable": {"moving_interval_s": 60, "armed": 0, "sos_button": 1, "strap_alarm": 1, "fall_alarm": 1},
    "sentry": {"parked_interval_s": 600, "guard_room": 1},
}

# Defaults of the bundle that this came with; the builder fills them in (`bundle build --set`).
BUNDLED = {}

# Defaults of the board's literal, such as the voltages of its cell; the app fills them in before it makes a core.
BOARD = {}


def default(name: str, profile: str):
    """The value of a setting that was never written: the bundle's, the profile's, the board's, the table's."""
    value = BUNDLED.get(name)
    return PROFILES.get(profile, {}).get(name, BOARD.get(name, TABLE[name][1])) if value is None else value


def parse(name: str, text: str):
    """The value that a text stands for, or None when the name is unknown or the value out of its range."""
    entry = TABLE.get(name)
    if entry is None:
        return None
    if entry[0] == _TEXT:
        return text if len(text.encode()) <= entry[2] and "\n" not in text else None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if entry[2] <= value <= entry[3] or value == entry[1] else None


def shown(name: str, value) -> str:
    """A value as the link tells it: what is secret stays in the device, of a long text it tells the end."""
    return "" if TABLE[name][0] == _TEXT and TABLE[name][3] else str(value)[-_SHOWN_MAX:]


def encode(changed: dict) -> bytes:
    """A record of the settings that differ from the default."""
    return "\n".join([name + "=" + str(changed[name]) for name in sorted(changed)]).encode()


def decode(record: bytes | None) -> dict:
    """The settings in a record. What this firmware does not know, or finds out of range, is left out."""
    changed = {}
    for line in (record or b"").decode().split("\n"):
        name, separator, text = line.partition("=")
        value = parse(name, text) if separator else None
        if value is not None:
            changed[name] = value
    return changed


class Settings:
    """All settings of a device: `settings["siren_s"]` is a number, `settings.text("region")` a text."""

    def __init__(self, record: bytes | None, profile: str):
        self.changed = decode(record)
        self.ordered = {}  # name -> what the newest order says; None: the setting stands
        self._profile = profile

    def __getitem__(self, name: str) -> int:
        return int(self.value(name))

    def text(self, name: str) -> str:
        """A setting that is a text."""
        return str(self.value(name))

    def value(self, name: str):
        """A setting of either kind."""
        value = self.ordered.get(name)
        if value is None:
            value = self.changed.get(name)
        return default(name, self._profile) if value is None else value
