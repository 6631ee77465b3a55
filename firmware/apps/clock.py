"""The time that cores see: milliseconds that run through deep sleep, never go back and never wrap."""

import time

import machine

_UNIX_EPOCH_YEAR = 1970
_SECONDS_1970_TO_2000 = 946_684_800


class Clock:
    """Monotonic milliseconds on the real-time clock.

    Args:
        origin_ms: what the real-time clock showed at time zero; kept over a deep sleep by the caller.
    """

    def __init__(self, origin_ms: int = 0):
        self.origin_ms = origin_ms

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 - self.origin_ms

    def set_unix_ms(self, unix_ms: int) -> None:
        """Set the real-time clock to UTC; ``now_ms`` goes on without a step."""
        before_ms = self.now_ms()
        seconds = unix_ms // 1000 - _epoch_s()
        year, month, day, hour, minute, second, weekday, _ = time.gmtime(seconds)
        microseconds = unix_ms % 1000 * 1000
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, microseconds))
        self.origin_ms += self.now_ms() - before_ms


def unix_s() -> int:
    """UTC in seconds since 1970, as the real-time clock shows it; years ago while nobody has set it."""
    return time.time_ns() // 1_000_000_000 + _epoch_s()


def _epoch_s() -> int:
    """Where this port's time begins, in seconds since 1970."""
    return 0 if time.gmtime(0)[0] == _UNIX_EPOCH_YEAR else _SECONDS_1970_TO_2000
