"""Where the device is: which fixes are believed, which one is best, and how old it is.

A fix is believed when the receiver stands by it (RMC says A, GGA quality at least 1, not dead reckoned), when
enough satellites and a horizontal dilution in (0, 2.5] carry it, and when a vehicle can have got there. The
first fixes of a session are dropped, the best of several is kept, and parked drift is not movement.
A position is always told with its age and a radius.
"""

import math
from collections import namedtuple

from groundwire.constant import const

from groundcore.gnss import GnssReader

_SKIPPED_FIXES = const(2)  # the first ones after switching on are the worst
_BEST_OF = const(5)
_SATS_MIN = const(4)
_HDOP_MAX_C = const(250)
_QUALITIES = (1, 2, 3, 4, 5)  # 6 is dead reckoning, 7 typed in, 8 simulated
_METRES_PER_HDOP = const(5)  # one sigma of a single-frequency receiver under open sky
_ACCURACY_MIN_M = const(3)
_SPEED_MAX_M_S = const(70)
_JUMPS_BELIEVED = const(3)  # as many unlikely fixes that agree with each other are the truth
_FIX_AGE_MAX_MS = const(5000)
_CLOCK_OFF_S = const(
    10
)  # UTC and the device's clock may differ by so much, and by 1000 ppm, between two fixes
_STANDING_MM_S = const(800)
_DRIFT_M = const(25)
_GPS_WEEKS_S = const(619315200)  # 1024 weeks: what an old receiver may be wrong by
_FLOOR_UTC_S = 1735689600  # 2025-01-01: no fix of this firmware is older
_METRES_PER_E7 = 0.0111319  # along a meridian

Position = namedtuple(
    "Position",
    (
        "utc_s",
        "utc_ms",
        "lat_e7",
        "lon_e7",
        "accuracy_m",
        "speed_mm_s",
        "course_cdeg",
        "sats",
        "hdop_c",
        "taken_ms",  # on the device's clock, from which the age follows
    ),
)


def distance_m(lat_e7: int, lon_e7: int, other_lat_e7: int, other_lon_e7: int) -> float:
    """Distance on the plane that touches the earth there; good to 1 % over 100 km.

    The differences are made of integers, so single-precision floats do no harm.
    """
    east_e7 = (lon_e7 - other_lon_e7 + 1800000000) % 3600000000 - 1800000000
    north_m = (lat_e7 - other_lat_e7) * _METRES_PER_E7
    east_m = east_e7 * _METRES_PER_E7 * math.cos(math.radians(lat_e7 / 1e7))
    return math.sqrt(north_m * north_m + east_m * east_m)


def unrolled(utc_s: int, near_s: int | None = None) -> int:
    """UTC without the error of a receiver whose ten-bit week number rolled over, forwards or back.

    Of all times that lie 1024 weeks apart: the nearest to `near_s`, or the first one since 2025.
    """
    floor_s = _FLOOR_UTC_S if near_s is None else near_s - _GPS_WEEKS_S // 2
    return floor_s + (utc_s - floor_s) % _GPS_WEEKS_S


class Locator:
    """Bytes of the GNSS receiver in, positions out. `refused` counts fixes that were not believed."""

    def __init__(self):
        self._reader = GnssReader()
        self.refused = 0
        self.last = None  # the position believed last, of any age
        self.start()

    def start(self):
        """The receiver is switched on: what comes first is not believed."""
        self._skip = _SKIPPED_FIXES
        self._recent = []
        self._jumps = []

    def feed(self, data, now_ms: int) -> tuple | None:
        """Take bytes; (unix_s, unix_ms) of the newest fix believed among them, else None."""
        newest = None
        for fix in self._reader.feed(data):
            if self._believe(fix, now_ms) and self.last is not None:
                newest = (self.last.utc_s, self.last.utc_ms)
        return newest

    def settled(self) -> bool:
        """Enough fixes to choose a good one from."""
        return len(self._recent) >= _BEST_OF

    def best(self, now_ms: int) -> Position | None:
        """Of the fixes of the last five seconds: while standing the best one, while moving the newest."""
        self._recent = [kept for kept in self._recent if now_ms - kept.taken_ms <= _FIX_AGE_MAX_MS]
        if not self._recent:
            return None
        newest = self._recent[-1]
        if newest.speed_mm_s is None or newest.speed_mm_s >= _STANDING_MM_S:
            return newest
        best = newest
        for kept in self._recent:
            if kept.hdop_c < best.hdop_c:
                best = kept
        return best

    def _believe(self, fix, now_ms) -> bool:
        if not self._is_sound(fix):
            self.refused += 1
            return False
        if self._skip:
            self._skip -= 1
            return False
        accuracy_m = max(_ACCURACY_MIN_M, fix.hdop_c * _METRES_PER_HDOP // 100)
        position = Position(
            unrolled(fix.utc_s, self._expected_s(now_ms)),
            fix.utc_ms,
            fix.lat_e7,
            fix.lon_e7,
            accuracy_m,
            fix.speed_mm_s,
            fix.course_cdeg,
            fix.sats,
            fix.hdop_c,
            now_ms,
        )
        if self._is_jump(position):
            self.refused += 1
            return False
        self._recent.append(position)
        if len(self._recent) > _BEST_OF:
            self._recent.pop(0)
        self.last = position
        return True

    def _expected_s(self, now_ms) -> int | None:
        """UTC as the device's own clock carries it on from the last position."""
        last = self.last
        return None if last is None else last.utc_s + (now_ms - last.taken_ms) // 1000

    def _is_sound(self, fix) -> bool:
        return (
            fix.active
            and fix.quality in _QUALITIES
            and fix.sats is not None
            and fix.sats >= _SATS_MIN
            and fix.hdop_c is not None
            and 0 < fix.hdop_c <= _HDOP_MAX_C
        )

    def _is_jump(self, position) -> bool:
        """Farther from the last position than a vehicle gets, or at another time, until several such agree."""
        if self.last is None or _reachable(self.last, position):
            self._jumps = []
            return False
        if self._jumps and not _reachable(self._jumps[-1], position):
            self._jumps = []
        self._jumps.append(position)
        if len(self._jumps) < _JUMPS_BELIEVED:
            return True
        self._jumps = []
        return False


def _reachable(start: Position, end: Position) -> bool:
    passed_s = (
        max(0, end.taken_ms - start.taken_ms) // 1000 + 1
    )  # a receiver's time may jump, our own does not
    if abs(end.utc_s - start.utc_s - passed_s) > _CLOCK_OFF_S + passed_s // 1000:
        return False
    way_m = distance_m(start.lat_e7, start.lon_e7, end.lat_e7, end.lon_e7)
    return way_m <= passed_s * _SPEED_MAX_M_S + start.accuracy_m + end.accuracy_m


class Anchor:
    """The place where the device stands. Drift around it is not movement."""

    def __init__(self):
        self.place = None

    def hold(self, position: Position) -> Position:
        """The position to be told: the anchored one while the new one is mere drift around it."""
        place = self.place
        if place is None or self.has_left(position):
            self.place = position
            return position
        if position.accuracy_m < place.accuracy_m:
            self.place = position
            return position
        return Position(*position[:2], *place[2:5], 0, None, *position[7:])

    def has_left(self, position: Position) -> bool:
        """Whether this is away from the anchor: by speed, or by more than drift explains."""
        place = self.place
        if place is None:
            return False
        if position.speed_mm_s is not None and position.speed_mm_s >= 2 * _STANDING_MM_S:
            return True
        way_m = distance_m(place.lat_e7, place.lon_e7, position.lat_e7, position.lon_e7)
        return way_m > max(_DRIFT_M, 2 * (place.accuracy_m + position.accuracy_m))
