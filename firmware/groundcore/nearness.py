"""How near a tag is, from how strongly its beacons come in: smoothed level, distance band, rhythm of the beep.

The filter is an exponential mean over time, not over beacons: a beacon counts the more, the longer none came before it
(weight = gap / (gap + 8 s)), so it is as quick with a beacon each 4 s as with one each 30 s. Single readings scatter by
some 6 dB (fading, the hand); a median of three would be steadier, but 30 s beacons make it a minute late.

The band comes from the collector's path-loss model (exponent 3.4, log-normal shadowing of 7 dB). That is a factor of
1.6 in distance: "30 m" is something between 19 and 48 m for two out of three readings. A band is left only when the
level is 3 dB beyond its edge. The wall that the tag is behind looks like distance: at 15 dB 30 m look like 80.
"""

import math

from groundwire.constant import const

BANDS = ("near", "10 m", "30 m", "100 m", "far")
_EDGES_M = (5, 17, 55, 170)  # geometric means between the bands' distances
_EXPONENT_10 = const(34)  # ten times the exponent: dB for each decade of distance
_HYSTERESIS_DB = const(3)
_TAU_MS = const(8000)
_ANEW_MS = const(120000)  # what was heard longer ago says nothing any more
_QUICKEST_MS = const(200)
_SLOWEST_MS = const(2500)
_FRESH_MS = const(40000)  # a lost tag beacons each 30 s, and an eighth


class Nearness:
    """What is known of one beacon's source.

    Args:
        power_dbm: what it transmits.
        frequency_hz: of its channel.
    """

    def __init__(self, power_dbm: int, frequency_hz: int):
        metre_dbm = power_dbm - (20 * math.log10(frequency_hz / 1000000) - 27.55)  # free space, 1 m
        self._edges_dbm = [metre_dbm - _EXPONENT_10 * math.log10(metres) for metres in _EDGES_M]
        self.forget()

    def forget(self):
        """Begin with another source."""
        self.level_dbm = None  # smoothed
        self.band = None  # index of BANDS
        self.heard_ms = None
        self.interval_ms = None  # between the last two beacons

    def hear(self, rssi_dbm: int, now_ms: int):
        """A beacon of the source came in."""
        gap_ms = None if self.heard_ms is None else now_ms - self.heard_ms
        self.heard_ms = now_ms
        if gap_ms is None or gap_ms >= _ANEW_MS or self.level_dbm is None:
            self.level_dbm = float(rssi_dbm)
            self.band = None
        else:
            self.level_dbm += (rssi_dbm - self.level_dbm) * gap_ms / (gap_ms + _TAU_MS)
        if gap_ms is not None:
            self.interval_ms = gap_ms
        self.band = self._band_of(self.level_dbm)

    def age_ms(self, now_ms: int) -> int | None:
        """Since the last beacon; None: there was none."""
        return None if self.heard_ms is None else now_ms - self.heard_ms

    def fresh(self, now_ms: int) -> bool:
        """Whether the level still means something: one beacon may be missed, or 40 s."""
        if self.heard_ms is None:
            return False
        patience_ms = max(_FRESH_MS, (self.interval_ms or 0) * 5 // 2)
        return now_ms - self.heard_ms < min(patience_ms, _ANEW_MS)

    def beep_ms(self) -> int:
        """From one beep to the next: 200 ms where it is near, 2.5 s where it is far, or nothing was heard."""
        if self.level_dbm is None:
            return _SLOWEST_MS
        near_dbm, far_dbm = self._edges_dbm[0], self._edges_dbm[-1]
        share = min(1.0, max(0.0, (near_dbm - self.level_dbm) / (near_dbm - far_dbm)))
        return int(_QUICKEST_MS + share * (_SLOWEST_MS - _QUICKEST_MS))

    def _band_of(self, level_dbm):
        """The band of a level; the band so far reaches 3 dB beyond its edges."""
        plain = 0
        while plain < len(self._edges_dbm) and level_dbm < self._edges_dbm[plain]:
            plain += 1
        band = self.band
        if band is None or plain == band:
            return plain
        if plain > band:
            return plain if level_dbm < self._edges_dbm[band] - _HYSTERESIS_DB else band
        return plain if level_dbm >= self._edges_dbm[band - 1] + _HYSTERESIS_DB else band
