"""SX1262: listen before talk in LoRa, by channel-activity detection (DS_SX1261-2_V2.1 13.1.9, 13.4.7)."""

import time

from drivers.sx1262 import Sx1262Error
from micropython import const

_SET_CAD = const(0xC5)  # 13.1.9
_SET_CAD_PARAMS = const(0x88)  # 13.4.7: symbols, peak, min, exit, timeout[3]
_CAD_DONE = const(0x0080)
_CAD_DETECTED = const(0x0100)
_DETECT_MIN = const(10)  # AN1200.48: the same for all
_TO_STANDBY = const(0)
# AN1200.48: symbols (as 2 ** n) and detection peak by spreading factor 7..12, at 125 and at 500 kHz. Below SF7
# Semtech measured nothing: as SF7.
_AT_125_KHZ = ((1, 22), (1, 22), (2, 23), (2, 24), (2, 25), (2, 28))
_AT_500_KHZ = ((2, 21), (2, 22), (2, 22), (2, 23), (2, 25), (3, 29))


def parameters(spreading_factor: int, wide: bool) -> tuple:
    """(symbols as 2 ** n, detection peak) for a spreading factor, ``wide`` at 500 kHz."""
    return (_AT_500_KHZ if wide else _AT_125_KHZ)[max(0, spreading_factor - 7)]


def channel_busy(chip) -> bool:
    """Whether a LoRa frame of the configured kind is on the air: preamble or payload.

    Blocks a few symbols (20 ms at SF9/125 kHz). Raises Sx1262Error when the detection does not end.
    """
    factor = chip.spreading_factor
    symbols, peak = parameters(factor, chip.symbol_us * 250_000 < 1_000_000 << factor)
    chip.standby()
    chip.expect(_CAD_DONE | _CAD_DETECTED)
    chip.command(_SET_CAD_PARAMS, symbols, peak, _DETECT_MIN, _TO_STANDBY, 0, 0, 0)
    chip.command(_SET_CAD)
    limit_ms = (chip.symbol_us * (3 << symbols)) // 1000 + 20
    deadline_ms = time.ticks_add(time.ticks_ms(), limit_ms)
    while not chip.dio1():
        if time.ticks_diff(deadline_ms, time.ticks_ms()) <= 0:
            raise Sx1262Error("channel-activity detection did not end")
        time.sleep_ms(1)
    return bool(chip.take_interrupts() & _CAD_DETECTED)
