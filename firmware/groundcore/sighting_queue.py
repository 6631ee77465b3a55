"""A base station's sightings in memory: numbered as they come, kept until the collector has them, or flash."""

from groundwire.constant import const

from groundcore.shelf import pack

_BATCH = const(16)  # sightings of one message
_CAPACITY = const(256)
_SHELVED_FROM = const(128)  # so many wait: the older ones go into flash...
_SHELVED_AT_ONCE = const(64)  # ...that many at a time


class SightingQueue:
    """The oldest is number `first_sequence` of this boot; `lost` counts what had to be thrown away."""

    def __init__(self, utc):
        self._utc = utc
        self._waiting = []  # (heard_ms, rssi_dbm, snr_cdb, beacon, channel)
        self._batch_size = 0  # under way to the collector
        self.first_sequence = 0
        self.lost = 0

    def __len__(self):
        return len(self._waiting)

    def add(self, now_ms: int, rssi_dbm: int, snr_cdb: int | None, data: bytes, channel: int):
        """One more; the oldest that is not under way makes room for it."""
        if len(self._waiting) >= _CAPACITY:
            self._waiting.pop(self._batch_size)
            self.lost += 1
            if not self._batch_size:
                self.first_sequence += 1
        rssi_dbm = max(-200, min(rssi_dbm, 50))
        if snr_cdb is not None:
            snr_cdb = max(-10000, min(snr_cdb, 10000))
        self._waiting.append((now_ms, rssi_dbm, snr_cdb, bytes(data), channel))

    def for_shelf(self, boot_count: int, is_connected: bool) -> list:
        """Records of the older ones while many wait: they belong to flash now. What is under way comes back first."""
        if len(self._waiting) < _SHELVED_FROM or (self._batch_size and is_connected):
            return []
        records = []
        for index in range(_SHELVED_AT_ONCE):
            sighting = self._waiting[index]
            utc_ms = self._utc(sighting[0])
            records.append(pack(boot_count, self.first_sequence + index, utc_ms, sighting[0], sighting[:4]))
        self._waiting = self._waiting[_SHELVED_AT_ONCE:]
        self.first_sequence += _SHELVED_AT_ONCE
        return records

    def batch(self, station_id: bytes, boot_count: int) -> dict:
        """The values of the next message."""
        self._batch_size = min(_BATCH, len(self._waiting))
        sightings = []
        for index in range(self._batch_size):
            heard_ms, rssi_dbm, snr_cdb, data, channel = self._waiting[index]
            sightings.append(
                {
                    "time_ms": self._utc(heard_ms),
                    "rssi_dbm": rssi_dbm,
                    "snr_cdb": snr_cdb,
                    "channel": channel,
                    "beacon": data,
                }
            )
        return {
            "station_id": station_id,
            "boot_count": boot_count,
            "first_sequence": self.first_sequence,
            "sightings": sightings,
        }

    def acknowledged(self, next_sequence: int):
        """The collector has those below it."""
        done = next_sequence - self.first_sequence
        if 0 < done <= len(self._waiting):
            self._waiting = self._waiting[done:]
            self.first_sequence += done

    def came_back(self):
        """Nothing is under way any more."""
        self._batch_size = 0
