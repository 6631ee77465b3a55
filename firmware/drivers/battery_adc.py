"""Battery voltage behind a resistor divider on an ADC pin."""

import time

from micropython import const

_SAMPLES = const(8)
_SETTLE_MS = const(2)  # divider and ADC sampling capacitor after the switch closes


class BatteryAdc:
    """Battery gauge.

    Args:
        adc: machine.ADC with read_uv() (calibrated microvolts at the pin).
        divider: battery voltage / pin voltage.
        enable: machine.Pin that connects the divider, or None when it is always connected.
        enable_level: level of ``enable`` that connects it.
    """

    def __init__(self, adc, divider: float, enable=None, enable_level: int = 1):
        self._adc = adc
        self._divider_milli = int(divider * 1000 + 0.5)
        self._enable = enable
        self._enable_level = enable_level
        if enable is not None:
            enable(1 - enable_level)

    def read_mv(self) -> int:
        """Mean battery voltage of eight samples, millivolts. Blocks 2 ms when the divider is switched."""
        if self._enable is not None:
            self._enable(self._enable_level)
            time.sleep_ms(_SETTLE_MS)
        total_uv = 0
        for _ in range(_SAMPLES):
            total_uv += self._adc.read_uv()
        if self._enable is not None:
            self._enable(1 - self._enable_level)
        return total_uv // _SAMPLES * self._divider_milli // 1_000_000
