"""What a station knows of UTC: from its own receiver while that has sky, else from the collector's replies.

A fix is told when the next one begins, so the receiver's time is up to a second late; what uses it needs no better.
"""

from groundwire.constant import const

_FRESH_MS = const(600000)  # so long a time from the receiver stands before the network's


class StationTime:
    """`offset_ms`: UTC in Unix milliseconds less the station's clock, None while nobody has told it."""

    def __init__(self):
        self.offset_ms = None
        self.place = None  # (lat_e7, lon_e7) of the newest good fix
        self._reader = None
        self._fix_ms = None  # when the last fix came

    def utc_ms(self, clock_ms: int) -> int | None:
        """UTC at a time of the station's clock."""
        return None if self.offset_ms is None else clock_ms + self.offset_ms

    def network(self, unix_ms: int, now_ms: int) -> bool:
        """The collector says what time it is. Whether that is the first word of it."""
        if self._fix_ms is not None and now_ms - self._fix_ms < _FRESH_MS:
            return False
        return self._set(unix_ms, now_ms)

    def receiver(self, data: bytes, now_ms: int) -> bool:
        """Bytes of the receiver. Whether they held the first word of the time."""
        if self._reader is None:
            from groundcore.gnss import GnssReader  # a station without a receiver pays nothing for it

            self._reader = GnssReader()
        is_first = False
        for fix in self._reader.feed(data):
            if fix.active:
                self._fix_ms = now_ms
                self.place = (fix.lat_e7, fix.lon_e7)
                is_first = self._set(fix.utc_s * 1000 + fix.utc_ms, now_ms) or is_first
        return is_first

    def _set(self, unix_ms, now_ms):
        is_first = self.offset_ms is None
        self.offset_ms = unix_ms - now_ms
        return is_first
