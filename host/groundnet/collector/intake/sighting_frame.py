"""The payload of a `sightings` frame, taken apart at once: of all that comes in, nine in ten bytes are these.

`groundwire.messages.decode` says the same, field by field, in three times the time; whatever is not plain (more
fields than we know, a value out of range, a wrong size) is left to it.
"""

import struct
from typing import NamedTuple

from groundwire import messages

KIND = messages.kind_of("sightings")
_HEAD = struct.Struct(">8sIIB")
_RECORD = struct.Struct(">QhhBB")
_BEHIND_SIZE = 1 + _RECORD.size
_TIME_MOST, _TIME_UNKNOWN = 2**53, 2**64 - 1
_LEAST_DBM, _MOST_DBM, _MOST_CDB, _UNKNOWN = -200, 50, 10_000, -32768
_SMALLEST, _LARGEST = 1, 24  # bytes of a beacon
_MOST = 64  # sightings in a frame


# One reception: the beacon's bytes; Unix ms; dBm; hundredths of a dB. None: the station does not know.
Heard = tuple[bytes, int | None, int | None, int | None]


class SightingBatch(NamedTuple):
    """What one frame tells; the sightings are numbered from ``first_sequence``."""

    station_id: bytes
    boot_count: int
    first_sequence: int
    heard: list[Heard]

    @classmethod
    def of(cls, values: dict) -> "SightingBatch":
        """From the values of a decoded message."""
        heard: list[Heard] = [
            (one["beacon"], one["time_ms"], one["rssi_dbm"], one["snr_cdb"]) for one in values["sightings"]
        ]
        return cls(values["station_id"], values["boot_count"], values["first_sequence"], heard)


def taken_apart(payload: bytes) -> SightingBatch:
    """The batch in a payload. Raises DecodeError as groundwire.messages.decode does."""
    return _plain(payload) or SightingBatch.of(messages.decode(KIND, payload).values)


def _plain(payload: bytes) -> SightingBatch | None:
    """None when anything is unusual."""
    if len(payload) < _HEAD.size:
        return None
    station_id, boot_count, first_sequence, count = _HEAD.unpack_from(payload)
    if count > _MOST:
        return None
    at, end, heard, unpack = _HEAD.size, len(payload), [], _RECORD.unpack_from
    for _ in range(count):
        if at + _BEHIND_SIZE > end:
            return None
        time_ms, rssi_dbm, snr_cdb, _channel, size = unpack(payload, at + 1)
        stop = at + _BEHIND_SIZE + size
        if payload[at] != size + _RECORD.size or not _SMALLEST <= size <= _LARGEST or stop > end:
            return None
        if time_ms > _TIME_MOST:
            if time_ms != _TIME_UNKNOWN:
                return None
            time_ms = None
        if not _LEAST_DBM <= rssi_dbm <= _MOST_DBM:
            if rssi_dbm != _UNKNOWN:
                return None
            rssi_dbm = None
        if not -_MOST_CDB <= snr_cdb <= _MOST_CDB:
            if snr_cdb != _UNKNOWN:
                return None
            snr_cdb = None
        heard.append((payload[at + _BEHIND_SIZE : stop], time_ms, rssi_dbm, snr_cdb))
        at = stop
    return SightingBatch(station_id, boot_count, first_sequence, heard) if at == end else None
