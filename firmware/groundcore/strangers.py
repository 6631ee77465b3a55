"""Beacons of which nobody knows whose they are: the strongest one is shown while a finder searches."""

from groundwire.constant import const

_PLACES = const(8)
_STALE_MS = const(90000)  # two beacons of a lost tag, and some
_STRONGER_DB = const(6)  # so much more takes the screen from the one that is shown


class Strangers:
    """The last few ids heard. A tag takes a new id with every sixteenth beacon: it is a new stranger then."""

    def __init__(self):
        self.shown = None  # EID
        self._eids = [b""] * _PLACES
        self._levels = [0] * _PLACES
        self._heard_ms = [-_STALE_MS] * _PLACES

    def hear(self, eid: bytes, rssi_dbm: int, now_ms: int) -> bool:
        """Note a beacon: True when it is of the one to show; `shown` may be another one than before."""
        place = self._place(eid, now_ms)
        self._eids[place] = eid
        self._levels[place] = rssi_dbm
        self._heard_ms[place] = now_ms
        if eid != self.shown:
            rival = self._level(self.shown, now_ms)
            if rival is None or rssi_dbm >= rival + _STRONGER_DB:
                self.shown = eid
        return eid == self.shown

    def _place(self, eid, now_ms):
        """Where it is, else where the one is that was not heard for longest."""
        oldest = 0
        for place in range(_PLACES):
            if self._eids[place] == eid:
                return place
            if self._heard_ms[place] < self._heard_ms[oldest]:
                oldest = place
        return oldest

    def _level(self, eid, now_ms):
        for place in range(_PLACES):
            if eid is not None and self._eids[place] == eid:
                return self._levels[place] if now_ms - self._heard_ms[place] < _STALE_MS else None
        return None
