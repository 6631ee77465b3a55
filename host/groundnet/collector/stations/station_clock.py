"""The times of a station whose clock is wrong: put right by what it is off, before anything is made of them."""

import struct

from groundwire.errors import DecodeError

from groundnet.collector.stations.quarantine import WRONG_CLOCK_MS

_FIRST_RECORD = 17  # station, boot count, first sequence, count
_TIME = struct.Struct(">Q")
_UNKNOWN = 2**64 - 1


def retimed(payload: bytes, off_ms: int, now_ms: int) -> bytes:
    """The payload of a `sightings` message with each time less ``off_ms``; the collector's own stands for one that
    then cannot be. A time that is about now is left as it is: the clock was put right since it was last told of.

    Raises DecodeError("size") for a payload that is cut off.
    """
    patched = bytearray(payload)
    at = _FIRST_RECORD
    for _ in range(payload[_FIRST_RECORD - 1] if len(payload) >= _FIRST_RECORD else 0):
        if at + 1 + _TIME.size > len(patched):
            raise DecodeError("size", "cut off in a sighting")
        (time_ms,) = _TIME.unpack_from(patched, at + 1)
        if time_ms != _UNKNOWN and abs(time_ms - now_ms) > WRONG_CLOCK_MS:
            _TIME.pack_into(patched, at + 1, _right(time_ms - off_ms))
        at += 1 + patched[at]
    return bytes(patched)


def _right(time_ms: int) -> int:
    return time_ms if 0 <= time_ms <= 2**53 else _UNKNOWN
