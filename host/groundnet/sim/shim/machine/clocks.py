"""machine.RTC, machine.Timer and machine.WDT."""

import struct

import operations as op
from _board import call, on_interrupt

_MEMORY_BYTES = 2048  # MICROPY_HW_RTC_USER_MEM_MAX of the ESP32 port


class RTC:
    """The real-time clock; it and its memory run on through every reset but a loss of power."""

    def __init__(self, number=0, *, datetime=None):
        if datetime is not None:
            self.init(datetime)

    def datetime(self, moment=None):
        """(year, month, day, weekday, hours, minutes, seconds, microseconds)."""
        import time

        if moment is None:
            microseconds = time.time_ns() // 1000
            year, month, day, hour, minute, second, weekday, _ = time.gmtime(microseconds // 1_000_000)
            return year, month, day, weekday, hour, minute, second, microseconds % 1_000_000
        year, month, day, _, hour, minute, second, microsecond = moment
        seconds = time.mktime((year, month, day, hour, minute, second, 0, 0)) + time._EPOCH_S
        call(op.RTC_SET, 0, struct.pack("<II", seconds, microsecond), bytearray(8))

    def init(self, moment=None) -> None:
        if moment is not None:
            self.datetime(moment)

    def memory(self, data=None):
        if data is None:
            buffer = bytearray(_MEMORY_BYTES)
            return bytes(buffer[: call(op.RTC_MEMORY_READ, 0, b"", buffer)])
        if len(data) > _MEMORY_BYTES:
            raise ValueError("buffer too long")
        call(op.RTC_MEMORY_WRITE, 0, data)


class Timer:
    """A hardware timer; -1 asks for a free one."""

    ONE_SHOT = 0
    PERIODIC = 1

    _next_free = 16

    def __init__(self, number: int = -1, **options):
        if number < 0:
            number = Timer._next_free
            Timer._next_free += 1
        self._number = number
        if options:
            self.init(**options)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None, hard=False) -> None:
        period_us = int(1_000_000 / freq) if freq > 0 else period * 1000
        if period_us <= 0:
            raise ValueError("period")
        on_interrupt(op.INTERRUPT_TIMER, self._number, callback, self)
        call(op.TIMER_START, self._number, struct.pack("<IB", period_us, mode))

    def deinit(self) -> None:
        on_interrupt(op.INTERRUPT_TIMER, self._number, None, None)
        call(op.TIMER_STOP, self._number)


class WDT:
    """The watchdog; it cannot be stopped, only be given another timeout."""

    def __init__(self, id=0, timeout=5000):
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        call(op.WATCHDOG_START, timeout)

    def feed(self) -> None:
        call(op.WATCHDOG_FEED)
