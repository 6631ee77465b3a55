"""Beacons: 15 to 24 bytes that a tag says on air, the same over LoRa, GFSK or a BLE advertisement.

    0     version (bits 7-6) | type (bits 5-3) | profile (bits 2-0)
    1     flags
    2     battery level (bits 7-4) | beacon counter, low 4 bits (bits 3-0)
    3-8   EID of epoch = counter >> 4
    9-..  body of the type: nothing, position (9), SOS (2) or challenge (8)
    last  MAC, 6 bytes, over the full 32-bit counter and everything before

Sending is two steps: `encode_into` writes fields and body and allocates nothing; `protect` hides a position
and appends the MAC. Receiving: `decode`, find the key by EID, `expand` the counter, `verify`, and for a fix
`reveal` the position.
"""

from collections import namedtuple
from struct import pack, unpack

from groundwire.constant import const
from groundwire.errors import AuthenticationError, DecodeError, EncodeError
from groundwire.keys import EPOCH_BITS, Key, same

_VERSION = const(1)
_EID_AT = const(3)
_BODY_AT = const(9)
_MAC_SIZE = const(6)
_MAC_AT = const(-6)
_LOW_MASK = const(15)
_SMALLEST = const(15)
_SIGN_24 = const(0x800000)

PLAIN = 0
FIX = 1
SOS = 2
CHALLENGE = 3
TYPES = ("plain", "fix", "sos", "challenge")
BODY_SIZES = (0, 9, 2, 8)  # bytes between EID and MAC, by type
# Bytes of the whole beacon -> its version and type; how head, flags, level, EID, body and MAC lie in it.
_ON_AIR = {
    15: (0x40, ">BBB6s0s6s"),
    24: (0x48, ">BBB6s9s6s"),
    17: (0x50, ">BBB6s2s6s"),
    23: (0x58, ">BBB6s8s6s"),
}

MOTION = 0x01
LOST = 0x02
TAMPER = 0x04
SOS_ACTIVE = 0x08
LOW_BATTERY = 0x10
SIREN = 0x20
LISTENING = 0x40  # a receive window opens behind this beacon
EXTERNAL_POWER = 0x80
FLAGS = ("motion", "lost", "tamper", "sos", "low_battery", "siren", "listening", "external_power")

PROFILES = ("none", "vehicle", "livestock", "wearable", "sentry")
SOS_CAUSES = ("none", "button", "fall", "strap", "still", "test")

BATTERY_UNKNOWN = 15  # battery levels 0..14: empty..full
MAX_SIZE = 24  # bytes
MAX_COUNTER = 0xFFFFFFFF
RECEIVE_WINDOW_MS = 200  # from the end of the beacon to the start of a downlink, at most

Beacon = namedtuple("Beacon", ("type", "profile", "flags", "battery", "low", "eid", "body", "mac"))
Position = namedtuple("Position", ("lat_e7", "lon_e7", "accuracy_m", "age_s", "speed_kmh", "course_deg"))

# Rising steps for accuracy and age in a fix beacon: step n stands for "at most this much"; 15 is "unknown".
STEPS_M = (3, 5, 10, 20, 30, 50, 75, 100, 200, 500, 1000, 2000, 5000, 10000, 30000)
STEPS_S = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400, 604800)
_UNKNOWN_STEP = const(15)
_COURSE_STEP = const(2)  # degrees


def encode_into(
    buffer: bytearray,
    beacon_type: int,
    profile: int,
    flags: int,
    battery: int,
    counter: int,
    eid: bytes,
    body: bytes = b"",
) -> int:
    """Write head, EID and body at buffer[0:]; give their size. `protect` adds the MAC. Allocates nothing.

    `battery` is a level 0..14 or BATTERY_UNKNOWN, `counter` the full 32-bit beacon counter.
    Raises EncodeError: range, size.
    """
    if not 0 <= beacon_type < 4 or not 0 <= profile <= 7 or not 0 <= flags <= 0xFF or not 0 <= battery <= 15:
        raise EncodeError("range", "type 0..3, profile 0..7, flags 0..255, battery 0..15")
    if not 0 <= counter <= MAX_COUNTER:
        raise EncodeError("range", "counter is 0..2**32 - 1")
    size = _BODY_AT + BODY_SIZES[beacon_type]
    if len(eid) != _BODY_AT - _EID_AT or len(body) != size - _BODY_AT or len(buffer) < size + _MAC_SIZE:
        raise EncodeError("size", "eid is 6 bytes, the body as its type says, the buffer body + 15")
    buffer[0] = (_VERSION << 6) | (beacon_type << 3) | profile
    buffer[1] = flags
    buffer[2] = (battery << 4) | (counter & _LOW_MASK)
    buffer[_EID_AT:_BODY_AT] = eid
    buffer[_BODY_AT:size] = body
    return size


def protect(
    buffer: bytearray, size: int, counter: int, beacon_key: Key, position_key: Key | None = None
) -> int:
    """Hide a fix body with `position_key`, append the MAC; give the size on air."""
    if buffer[0] >> 3 & 7 == FIX:
        if position_key is None:
            raise EncodeError("missing", "a fix beacon needs the position key")
        buffer[_BODY_AT:size] = _mask(bytes(buffer[_BODY_AT:size]), counter, position_key)
    end = size + _MAC_SIZE
    buffer[size:end] = beacon_key.mac(pack(">I", counter) + buffer[:size])[:_MAC_SIZE]
    return end


def decode(data: bytes) -> Beacon:
    """Split one beacon. Raises DecodeError: short, version, type, size. Checks no MAC."""
    if type(data) is not bytes:
        data = bytes(data)
    head_and_form = _ON_AIR.get(len(data))
    if head_and_form is None or data[0] & 0xF8 != head_and_form[0]:
        raise _refusal(data)
    head, flags, level, eid, body, mac = unpack(head_and_form[1], data)
    return Beacon(head >> 3 & 7, head & 7, flags, level >> 4, level & _LOW_MASK, eid, body, mac)


def _refusal(data):
    if len(data) < _SMALLEST:
        return DecodeError("short", "a beacon has at least 15 bytes")
    head = data[0]
    if head >> 6 != _VERSION:
        return DecodeError("version", "not a beacon of version 1")
    if head >> 3 & 7 > CHALLENGE:
        return DecodeError("type", "unknown beacon type")
    return DecodeError("size", "wrong size for this beacon type")


def expand(epoch: int, low: int) -> int:
    """The full beacon counter from the epoch that the EID stands for and the low 4 bits on air."""
    return (epoch << EPOCH_BITS) | low


def verify(data: bytes, counter: int, beacon_key: Key) -> None:
    """Raises AuthenticationError("mac") unless the MAC is right for this full counter."""
    if type(data) is not bytes:
        data = bytes(data)
    mac = beacon_key.mac(pack(">I", counter) + data[:_MAC_AT])
    if not same(mac[:_MAC_SIZE], data[_MAC_AT:]):
        raise AuthenticationError("mac", "the beacon is not from the holder of this key")


def reveal(body: bytes, counter: int, position_key: Key) -> Position:
    """Read the hidden body of a verified fix beacon. Raises DecodeError: size."""
    if len(body) != BODY_SIZES[FIX]:
        raise DecodeError("size", "the body of a fix beacon is 9 bytes")
    plain = _mask(body, counter, position_key)
    lat = _signed_24(plain, 0)
    lon = _signed_24(plain, 3)
    accuracy = plain[6] >> 4
    age = plain[6] & 15
    speed = plain[7]
    return Position(
        (lat * 1800000000) // 16777216,
        (lon * 3600000000) // 16777216,
        None if accuracy == _UNKNOWN_STEP else STEPS_M[accuracy],
        None if age == _UNKNOWN_STEP else STEPS_S[age],
        None if speed == 0xFF else speed,
        None if plain[8] >= 180 else plain[8] * _COURSE_STEP,
    )


def position_body(position: Position) -> bytes:
    """The plain 9-byte body of a fix beacon. Raises EncodeError: range.

    Latitude comes in steps of 1.2 m, longitude of at most 2.4 m. Accuracy and age go up to the next step,
    course goes down to even degrees, speed ends at 254 km/h.
    """
    if not -900000000 <= position.lat_e7 < 900000000 or not -1800000000 <= position.lon_e7 < 1800000000:
        raise EncodeError("range", "latitude or longitude out of range")
    lat = (position.lat_e7 * 16777216 + 900000000) // 1800000000
    lon = (position.lon_e7 * 16777216 + 1800000000) // 3600000000
    lat = min(lat, _SIGN_24 - 1)
    lon = min(lon, _SIGN_24 - 1)
    speed = 0xFF if position.speed_kmh is None else min(max(position.speed_kmh, 0), 0xFE)
    course = 0xFF if position.course_deg is None else position.course_deg % 360 // _COURSE_STEP
    steps = _step(position.accuracy_m, STEPS_M) << 4 | _step(position.age_s, STEPS_S)
    return pack(
        ">BHBHBBB", lat >> 16 & 0xFF, lat & 0xFFFF, lon >> 16 & 0xFF, lon & 0xFFFF, steps, speed, course
    )


def sos_body(cause: int, age_s: int) -> bytes:
    """The body of an SOS beacon: cause (an index of SOS_CAUSES) and seconds since, at most 255."""
    if not 0 <= cause <= 0xFF:
        raise EncodeError("range", "cause is 0..255")
    return bytes((cause, min(max(age_s, 0), 0xFF)))


def _mask(body, counter, key):
    stream = key.mac(pack(">I", counter))
    return bytes([body[index] ^ stream[index] for index in range(len(body))])


def _signed_24(data, at):
    value = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
    return value - 0x1000000 if value & _SIGN_24 else value


def _step(value, steps):
    if value is not None:
        for index, limit in enumerate(steps):
            if value <= limit:
                return index
    return _UNKNOWN_STEP
