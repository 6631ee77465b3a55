"""machine.ADC."""

import operations as op
from _board import call

from machine.pin import Pin

# Upper end of the calibrated range by attenuation, microvolts (ESP32-C3 datasheet, table ADC characteristics).
_FULL_SCALE_UV = (750_000, 1_050_000, 1_300_000, 2_500_000)


class ADC:
    """A converter input with 12 bits."""

    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_12BIT = 12

    def __init__(self, pin, *, sample_ns=0, atten=ATTN_0DB):
        self._gpio = pin.gpio if isinstance(pin, Pin) else pin
        self._full_uv = _FULL_SCALE_UV[atten]

    def init(self, *, sample_ns=0, atten=ATTN_0DB) -> None:
        self.atten(atten)

    def atten(self, atten: int) -> None:
        self._full_uv = _FULL_SCALE_UV[atten]

    def width(self, bits: int) -> None:
        pass

    def read(self) -> int:
        """0..4095."""
        return min(4095, call(op.ADC_READ, self._gpio) * 4095 // self._full_uv)

    def read_u16(self) -> int:
        raw = self.read()
        return raw << 4 | raw >> 8

    def read_uv(self) -> int:
        return self.read() * self._full_uv // 4095
