"""External supply (vehicle battery, mains adapter) behind a resistor divider, with a line that tells a cut."""

import time

from micropython import const

_SAMPLES = const(4)
_POLL_MS = const(500)  # without a line of its own a cut is seen after at most two polls
_REST_MS = const(10_000)  # how often it is looked whether a cut supply has come back
_RETURN_PERCENT = const(110)  # back is more than that share of ``cut_mv``


class SupplyAdc:
    """Supply sense.

    Args:
        adc: machine.ADC with read_uv() (calibrated microvolts at the pin).
        divider: supply voltage / pin voltage.
        cut_mv: a supply below this is cut.
        lost: machine.Pin that is high while there is no supply (a transistor inverts it), or None. With it a cut
            is an interrupt and no voltage is measured while all is well.
    """

    def __init__(self, adc, divider: float, cut_mv: int, lost=None):
        self._adc = adc
        self._divider_milli = int(divider * 1000 + 0.5)
        self._cut_mv = cut_mv
        self._lost = lost
        self._next_ticks = time.ticks_ms()
        self.present = None  # True, False; None before the first poll

    def read_mv(self) -> int:
        """Mean supply voltage of four samples, millivolts; 0 when it is cut."""
        if self._lost is not None and self._lost():
            return 0
        total_uv = 0
        for _ in range(_SAMPLES):
            total_uv += self._adc.read_uv()
        supply_mv = total_uv // _SAMPLES * self._divider_milli // 1_000_000
        limit_mv = self._cut_mv if self.present is not False else self._cut_mv * _RETURN_PERCENT // 100
        return supply_mv if supply_mv >= limit_mv else 0

    def poll(self) -> int | None:
        """The voltage in millivolts (0 = cut) when the supply came or went, or at the first call; else None."""
        if self.due_ms() != 0:
            return None
        supply_mv = self.read_mv()
        present = supply_mv > 0
        self._next_ticks = time.ticks_add(time.ticks_ms(), _POLL_MS if present else _REST_MS)
        if present == self.present:
            return None
        self.present = present
        return supply_mv

    def due_ms(self) -> int | None:
        """Milliseconds until `poll` must look; None: the line will tell."""
        if self.present and self._lost is not None:
            return 0 if self._lost() else None
        if self.present is None:
            return 0
        return max(0, time.ticks_diff(self._next_ticks, time.ticks_ms()))
