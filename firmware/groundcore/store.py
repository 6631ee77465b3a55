"""What a device keeps in flash: its identity, state, settings and wrong tries, as records of bytes.

How a record survives a power cut (two slots, CRC, sequence) is the flash driver's part; here is what it says.
A record that cannot be read counts as absent: the device falls back to blank or to defaults, it does not
stop.
"""

import struct
from collections import namedtuple

from groundwire.constant import const
from groundwire.errors import EncodeError

IDENTITY = "identity"
STATE = "state"
SETTINGS = "settings"
TRIES = "tries"  # one byte: wrong secrets since the last right one
NAMES = (IDENTITY, STATE, SETTINGS, TRIES)
HISTORY = "history"  # no record: (capacity in bytes, records) of the ring, for cores that keep one

PROFILES = ("none", "vehicle", "livestock", "wearable", "sentry")
SECRET_SIZE = 32
STATE_SIZE = 26
COUNTER_STRIDE = 1000  # beacons reserved by one write, so that flash wears a thousand times less

_VERSION = const(1)
_LOCKED = const(0x01)
_LOST = const(0x01)  # flags of a state; another firmware's record has none of the others
_ORDERED = const(0x02)
_ARMED = const(0x04)
_IDENTITY_HEAD = "<BBB32sBB"  # version, flags, profile, secret, sizes of the two texts
_IDENTITY_HEAD_SIZE = const(37)
_TEXT_MAX = const(32)
_STATE_FORMAT = "<BBIIIIII"

Identity = namedtuple("Identity", ("tag_id", "profile", "install_point", "secret", "locked"))


def encode_identity(identity: Identity) -> bytes:
    """The record of an identity. Raises EncodeError: size, range."""
    tag_id = identity.tag_id.encode()
    install_point = identity.install_point.encode()
    if len(identity.secret) != SECRET_SIZE or len(tag_id) > _TEXT_MAX or len(install_point) > _TEXT_MAX:
        raise EncodeError("size", "a secret is 32 bytes, the texts at most 32")
    if identity.profile not in PROFILES:
        raise EncodeError("range", "profile")
    head = struct.pack(
        _IDENTITY_HEAD,
        _VERSION,
        _LOCKED if identity.locked else 0,
        PROFILES.index(identity.profile),
        identity.secret,
        len(tag_id),
        len(install_point),
    )
    return head + tag_id + install_point


def decode_identity(record: bytes | None) -> Identity | None:
    """The identity in a record; None for a blank device."""
    if record is None or len(record) < _IDENTITY_HEAD_SIZE:
        return None
    version, flags, profile, secret, tag_size, point_size = struct.unpack_from(_IDENTITY_HEAD, record, 0)
    end = _IDENTITY_HEAD_SIZE + tag_size
    if version != _VERSION or profile >= len(PROFILES) or len(record) != end + point_size:
        return None
    try:
        tag_id = record[_IDENTITY_HEAD_SIZE:end].decode()
        install_point = record[end:].decode()
    except UnicodeError:
        return None
    return Identity(tag_id, PROFILES[profile], install_point, secret, bool(flags & _LOCKED))


class State:
    """Mode and counters that outlive a restart; all zero on a new device. Limits are reserved ahead."""

    def __init__(self, record: bytes | None = None):
        if record is None or len(record) != STATE_SIZE or record[0] != _VERSION:
            values = (_VERSION, 0, 0, 0, 0, 0, 0, 0)
        else:
            values = struct.unpack(_STATE_FORMAT, record)
        self.lost = bool(values[1] & _LOST)
        # None: nobody has ordered it, the setting stands
        self.armed_by_order = bool(values[1] & _ARMED) if values[1] & _ORDERED else None
        self.boot_count = values[2]
        self.beacon_limit = values[3]  # beacon counters below this may have been used
        self.downlink_counter = values[4]  # of the newest order taken
        self.lost_interval_s = values[5]  # as ordered; 0: as set
        self.parked_interval_s = values[6]  # as ordered; 0: as set
        self.challenge_counter = values[7]  # beacon counter of the challenge on offer, 0: none

    def encode(self) -> bytes:
        """The record, 26 bytes."""
        flags = _LOST if self.lost else 0
        if self.armed_by_order is not None:
            flags |= _ORDERED | (_ARMED if self.armed_by_order else 0)
        return struct.pack(
            _STATE_FORMAT,
            _VERSION,
            flags,
            self.boot_count,
            self.beacon_limit,
            self.downlink_counter,
            self.lost_interval_s,
            self.parked_interval_s,
            self.challenge_counter,
        )
