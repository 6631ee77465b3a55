"""machine: the chip's own modules, thin over calls to the world. Interface of MicroPython 1.29 on the ESP32."""

import operations as op
from _board import call, wait_us

from machine.analog import ADC as ADC
from machine.buses import I2C as I2C
from machine.buses import SPI as SPI
from machine.clocks import RTC as RTC
from machine.clocks import WDT as WDT
from machine.clocks import Timer as Timer
from machine.pin import Pin as Pin
from machine.serial import UART as UART

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

PIN_WAKE = EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6

SLEEP = 2
DEEPSLEEP = 4

_frequency_hz = 160_000_000


def reset() -> None:
    call(op.RESET)


def soft_reset() -> None:
    raise SystemExit


def reset_cause() -> int:
    return call(op.RESET_CAUSE)


def wake_reason() -> int:
    return call(op.WAKE_REASON)


def unique_id() -> bytes:
    number = bytearray(8)
    return bytes(number[: call(op.UNIQUE_ID, 0, b"", number)])


def freq(hertz: int | None = None) -> int | None:
    global _frequency_hz
    if hertz is None:
        return _frequency_hz
    _frequency_hz = hertz


def idle() -> None:
    """Until the next interrupt, at most one tick of the system (1 ms)."""
    call(op.SLEEP, 1000)


def lightsleep(duration_ms: int = -1) -> None:
    call(op.LIGHT_SLEEP, duration_ms)


def deepsleep(duration_ms: int = -1) -> None:
    call(op.DEEP_SLEEP, duration_ms)


def disable_irq() -> int:
    """Interrupt handlers are soft and run between bytecodes: nothing to hold off here."""
    return 0


def enable_irq(state: int) -> None:
    pass


def time_pulse_us(pin: Pin, level: int, timeout_us: int = 1_000_000) -> int:
    """Length of a pulse as seen by polling every 10 us; -2 no start, -1 no end."""
    for wanted, late in ((level, -2), (1 - level, -1)):
        waited_us = 0
        while pin.value() != wanted:
            if waited_us >= timeout_us:
                return late
            wait_us(10)
            waited_us += 10
    return waited_us
