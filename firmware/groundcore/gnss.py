"""Fixes from a GNSS receiver: the sentences of one UTC time put together.

A receiver spreads one fix over RMC (status, speed, date), GGA (quality, satellites, HDOP), GLL and GNS in an
order of its own. `GnssReader` collects what belongs to one time and answers with a `Fix` when a sentence of
another time begins, or when the caller says by `flush()` that the line has gone quiet.
"""

from collections import namedtuple

from groundwire.constant import const

from groundcore.nmea import NmeaReader
from groundcore.nmea_fields import (
    angle_e7,
    days_since_1970,
    digits,
    fixed_point,
    knots_to_mm_s,
    time_of_day_ms,
)

_A = const(0x41)
_N = const(0x4E)
_S = const(0x53)
_E = const(0x45)
_W = const(0x57)
_U = const(0x55)
_V = const(0x56)
_MS_PER_DAY = const(86400000)
_HALF_DAY_MS = const(43200000)

# FAA mode letter of RMC, GLL and GNS -> the GGA quality number that says the same (NMEA 0183 4.11).
_QUALITY_OF_MODE = {0x41: 1, 0x44: 2, 0x50: 3, 0x52: 4, 0x46: 5, 0x45: 6, 0x4D: 7, 0x53: 8}
_QUALITY_PLAIN = const(1)

Fix = namedtuple(
    "Fix",
    (
        "utc_s",  # seconds since 1970-01-01T00:00:00Z, without leap seconds
        "utc_ms",  # 0-999 within that second
        "lat_e7",  # 1e-7 degrees, north positive, WGS-84
        "lon_e7",  # 1e-7 degrees, east positive
        "speed_mm_s",  # over ground, None when not stated
        "course_cdeg",  # true course in 0.01 degrees, None when not stated (standing still)
        "quality",  # GGA: 1 GNSS, 2 differential, 3 precise, 4-5 RTK, 6 dead reckoning, 7 manual, 8 simulator
        "sats",  # satellites used, None when not stated
        "hdop_c",  # horizontal dilution times 100, None when not stated
        "active",  # an RMC of this time said A: the receiver stands by the fix
    ),
)


class GnssReader:
    """Bytes of a receiver in, `Fix`es out; positions without a known date are not reported."""

    def __init__(self):
        self.sentences = NmeaReader(self._on_sentence)
        self._ready = []
        self._date = None  # days since 1970 of the newest dated time...
        self._date_ms = 0  # ...and its time of day, from which undated times are told
        self._tod_ms = None  # time of day of the epoch being collected
        self._clear()

    def feed(self, data) -> tuple:
        """Take the next bytes; the fixes completed by them, oldest first."""
        self.sentences.feed(data)
        return self._take()

    def flush(self) -> tuple:
        """The line is quiet: what was collected is a whole epoch."""
        self._close()
        return self._take()

    def _take(self) -> tuple:
        if not self._ready:
            return ()  # the usual case, without an allocation
        ready = tuple(self._ready)
        self._ready = []
        return ready

    def _clear(self):
        self._day = None
        self._lat_e7 = None
        self._lon_e7 = None
        self._speed_mm_s = None
        self._course_cdeg = None
        self._quality = None
        self._mode_quality = None
        self._sats = None
        self._hdop_c = None
        self._active = False
        self._decided = False  # a GLL has said where

    def _close(self):
        """End the epoch: report it if it has a position and a date."""
        tod_ms = self._tod_ms
        date = self._date
        if tod_ms is not None and self._lat_e7 is not None and date is not None:
            day = date + self._days_off(tod_ms) if self._day is None else self._day
            self._date = day
            self._date_ms = tod_ms
            quality = self._quality or self._mode_quality or _QUALITY_PLAIN
            self._ready.append(
                Fix(
                    day * 86400 + tod_ms // 1000,
                    tod_ms % 1000,
                    self._lat_e7,
                    self._lon_e7,
                    self._speed_mm_s,
                    self._course_cdeg,
                    quality,
                    self._sats,
                    self._hdop_c,
                    self._active,
                )
            )
        self._tod_ms = None
        self._clear()

    def _days_off(self, tod_ms: int) -> int:
        """Days from the last dated time to an undated one: it is within half a day of it."""
        ahead_ms = tod_ms - self._date_ms
        if ahead_ms < -_HALF_DAY_MS:
            return 1
        return -1 if ahead_ms > _HALF_DAY_MS else 0

    def _on_sentence(self, sentence):
        if sentence.type_is(b"RMC"):
            self._rmc(sentence)
        elif sentence.type_is(b"GGA"):
            self._gga(sentence)
        elif sentence.type_is(b"GLL"):
            self._gll(sentence)
        elif sentence.type_is(b"GNS"):
            self._gns(sentence)
        elif sentence.type_is(b"ZDA"):
            self._zda(sentence)
        elif sentence.type_is(b"VTG"):
            self._vtg(sentence)

    def _enter(self, sentence, time_field: int) -> int | None:
        """Open the epoch this sentence belongs to; its time of day, None when it states none."""
        tod_ms = time_of_day_ms(sentence.buffer, sentence.start(time_field), sentence.end(time_field))
        if tod_ms is not None and tod_ms != self._tod_ms:
            self._close()
            self._tod_ms = tod_ms
        return tod_ms

    def _rmc(self, s):
        """RMC: time, status, lat, N/S, lon, E/W, knots, course, ddmmyy, variation, E/W, mode."""
        tod_ms = self._enter(s, 1)
        if tod_ms is None or s.letter(2) != _A:
            return
        ddmmyy = digits(s.buffer, s.start(9), s.end(9))
        if ddmmyy is not None and s.end(9) - s.start(9) == 6:
            year = ddmmyy % 100
            # Two digits: 69-99 are of the last century, before GPS sent dates at all.
            year += 1900 if year >= 69 else 2000
            self._set_date(year, ddmmyy // 100 % 100, ddmmyy // 10000, tod_ms)
        self._active = self._position(s, 3)
        self._mode_quality = _QUALITY_OF_MODE.get(s.letter(12))
        knots_e3 = fixed_point(s.buffer, s.start(7), s.end(7), 3)
        if knots_e3 is not None and knots_e3 >= 0:
            self._speed_mm_s = knots_to_mm_s(knots_e3)
        self._course(s, 8)

    def _gga(self, s):
        """GGA: time, lat, N/S, lon, E/W, quality, satellites, HDOP."""
        tod_ms = self._enter(s, 1)
        quality = digits(s.buffer, s.start(6), s.end(6))
        if tod_ms is not None and quality and self._position(s, 2):
            self._quality = quality
            self._dilution(s)

    def _gll(self, s):
        """GLL: lat, N/S, lon, E/W, time, status, mode.

        Chart plotters that talk for a receiver repeat an older position under a newer time. When the sentences
        of one time disagree, GLL counts, which says nothing but where and when; gpsd comes out there as well.
        """
        if self._enter(s, 5) is not None and s.letter(6) == _A and s.letter(7) != _N:
            self._decided = False
            self._decided = self._position(s, 1)

    def _gns(self, s):
        """GNS: time, lat, N/S, lon, E/W, modes (one letter a system), satellites, HDOP, ..., 13 safety."""
        tod_ms = self._enter(s, 1)
        void = s.letter(6) in (0, _N) or s.letter(13) in (_U, _V)
        if tod_ms is not None and not void and self._position(s, 2):
            self._mode_quality = self._mode_quality or _QUALITY_OF_MODE.get(s.letter(6))
            self._dilution(s)

    def _zda(self, s):
        """ZDA: time, day, month, four-digit year. It dates its own time and opens no epoch."""
        buffer = s.buffer
        tod_ms = time_of_day_ms(buffer, s.start(1), s.end(1))
        day = digits(buffer, s.start(2), s.end(2))
        month = digits(buffer, s.start(3), s.end(3))
        year = digits(buffer, s.start(4), s.end(4))
        if tod_ms is None or day is None or month is None or year is None or not 1900 <= year <= 2200:
            return
        if tod_ms == self._tod_ms:
            self._set_date(year, month, day, tod_ms)
        else:
            days = days_since_1970(year, month, day)
            if days is not None:
                self._date = days
                self._date_ms = tod_ms

    def _vtg(self, s):
        """VTG: true course, T, magnetic, M, knots, N, km/h, K. Without a time: it is of the open epoch."""
        if self._tod_ms is None or s.letter(9) == _N:
            return
        if self._speed_mm_s is None:
            knots_e3 = fixed_point(s.buffer, s.start(5), s.end(5), 3)
            if knots_e3 is not None and knots_e3 >= 0:
                self._speed_mm_s = knots_to_mm_s(knots_e3)
        if self._course_cdeg is None:
            self._course(s, 1)

    def _set_date(self, year: int, month: int, day: int, tod_ms: int):
        days = days_since_1970(year, month, day)
        if days is not None:
            self._day = self._date = days
            self._date_ms = tod_ms

    def _position(self, s, first: int) -> bool:
        """Read lat, N/S, lon, E/W from four fields; False, and nothing changed, when they are no position."""
        lat_e7 = angle_e7(s.buffer, s.start(first), s.end(first), 90)
        lon_e7 = angle_e7(s.buffer, s.start(first + 2), s.end(first + 2), 180)
        north = s.letter(first + 1)
        east = s.letter(first + 3)
        if lat_e7 is None or lon_e7 is None or north not in (_N, _S) or east not in (_E, _W):
            return False
        if not self._decided:
            self._lat_e7 = -lat_e7 if north == _S else lat_e7
            self._lon_e7 = -lon_e7 if east == _W else lon_e7
        return True

    def _course(self, s, field: int):
        course_cdeg = fixed_point(s.buffer, s.start(field), s.end(field), 2)
        if course_cdeg is not None and 0 <= course_cdeg <= 36000:
            self._course_cdeg = course_cdeg

    def _dilution(self, s):
        """Satellites and HDOP, at the same places in GGA and GNS. 99.99, 99.0 and 0.0 mean "not known"."""
        sats = digits(s.buffer, s.start(7), s.end(7))
        if sats is not None:
            self._sats = sats
        hdop_c = fixed_point(s.buffer, s.start(8), s.end(8), 2)
        if hdop_c is not None and 0 < hdop_c < 9000:
            self._hdop_c = hdop_c
