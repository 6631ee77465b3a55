"""Sightings that wait in flash while the collector is away: how they are packed, and which are sent next.

They lie in a ring of segments (drivers/flash_ring.py). A segment is read as a whole, sent in batches, and removed when
the collector has all of it; a cut before that repeats them, and the collector drops what it has.
"""

import struct

from groundwire.constant import const

_HEAD = "<IIqhh"  # boot count, sequence, time, RSSI in dBm, SNR in 0.01 dB; the beacon follows
_HEAD_BYTES = const(20)
_NO_SNR = const(-32768)  # of a BLE advertisement
_BATCH = const(16)  # sightings of one message


def pack(boot_count: int, sequence: int, utc_ms: int | None, heard_ms: int, sighting: tuple) -> bytes:
    """One sighting as a record. A station that knows no UTC yet keeps its own clock, as a negative number."""
    time = -1 - heard_ms if utc_ms is None else utc_ms
    _, rssi_dbm, snr_cdb, data = sighting
    snr_cdb = _NO_SNR if snr_cdb is None else snr_cdb
    return struct.pack(_HEAD, boot_count, sequence, time, rssi_dbm, snr_cdb) + data


class Shelf:
    """What of the ring is being sent. `wants` is true while the next segment should be taken in."""

    def __init__(self):
        self.works = True  # the ring takes what it is given
        self.may_hold = True  # until the ring says that it is empty
        self.count = 0  # sightings in the segment at hand
        self._number = None
        self._records = []
        self._asked = False
        self._batch = 0

    @property
    def wants(self) -> bool:
        return self.may_hold and self._number is None and not self._asked

    @property
    def ready(self) -> bool:
        """There is something to send."""
        return self._number is not None and bool(self._records)

    def ask(self):
        """The next segment is on its way."""
        self._asked = True

    def take(self, number: int | None, records: list):
        """A segment of the ring, or None: the ring is empty."""
        self._asked = False
        self._number = number
        self._records = [record for record in records if len(record) > _HEAD_BYTES]
        self.count = len(self._records)
        self.may_hold = number is not None

    def batch(self, station_id: bytes, boot_count: int, offset_ms: int | None) -> dict:
        """The values of the next message, while `ready`: sightings of one boot with sequences in a row."""
        first_boot, first_sequence = struct.unpack_from(_HEAD, self._records[0], 0)[:2]
        sightings = []
        for record in self._records[:_BATCH]:
            boot, sequence, time, rssi_dbm, snr_cdb = struct.unpack_from(_HEAD, record, 0)
            if boot != first_boot or sequence != first_sequence + len(sightings):
                break
            if time < 0:  # by the clock of that boot, which only that boot can tell
                time = -1 - time + offset_ms if boot == boot_count and offset_ms is not None else None
            sightings.append(
                {
                    "time_ms": time,
                    "rssi_dbm": rssi_dbm,
                    "snr_cdb": None if snr_cdb == _NO_SNR else snr_cdb,
                    "channel": None,  # a record has no room for it
                    "beacon": record[_HEAD_BYTES:],
                }
            )
        self._batch = len(sightings)
        return {
            "station_id": station_id,
            "boot_count": first_boot,
            "first_sequence": first_sequence,
            "sightings": sightings,
        }

    def sent(self):
        """The collector has the last batch. The number of the segment when that was the end of it, else None."""
        self._records = self._records[self._batch :]
        self.count = len(self._records)
        self._batch = 0
        if self._records:
            return None
        number, self._number = self._number, None
        return number
