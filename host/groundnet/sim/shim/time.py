"""time: the clocks of the world. The epoch is 2000-01-01, as on the ESP32."""

import _host
from _board import wait_us
from utime import gmtime as _gmtime
from utime import mktime as _mktime
from utime import ticks_add as ticks_add
from utime import ticks_diff as ticks_diff
from utime import ticks_ms as ticks_ms

_EPOCH_S = 946_684_800  # 2000-01-01 in Unix time

ticks_us = ticks_cpu = _host.ticks_us
_clock_s = _host.clock_s
_clock_us = _host.clock_us


def sleep(seconds) -> None:
    wait_us(int(seconds * 1_000_000))


def sleep_ms(duration_ms: int) -> None:
    wait_us(duration_ms * 1000)


def sleep_us(duration_us: int) -> None:
    wait_us(duration_us)


def time() -> int:
    return _clock_s() - _EPOCH_S


def time_ns() -> int:
    return (time() * 1_000_000 + _clock_us()) * 1000


def gmtime(seconds: int | None = None) -> tuple:
    return _gmtime((time() if seconds is None else seconds) + _EPOCH_S)


localtime = gmtime


def mktime(local: tuple) -> int:
    return _mktime(local) - _EPOCH_S
