"""MAX17048 fuel gauge for one lithium-ion cell on I2C (Maxim 19-6171 rev 7).

The chip models the cell by itself: it needs no current shunt and no learning. It hibernates alone when little
is drawn (3 uA, a measurement each 45 s).
"""

from micropython import const

# Registers, two bytes each, most significant first: datasheet table 2.
_VCELL = const(0x02)  # "VCELL Register": 78.125 uV a step
_SOC = const(0x04)  # "SOC Register": 1/256 % a step
_MODE = const(0x06)  # "MODE Register": QuickStart b14, EnSleep b13, HibStat b12
_VERSION = const(0x08)  # "VERSION Register": production version, 0x001x
_CONFIG = const(0x0C)  # "CONFIG Register": RCOMP [15:8], SLEEP b7, ALSC b6, ALRT b5, ATHD [4:0]
_CRATE = const(0x16)  # "CRATE Register": signed, 0.208 % an hour a step
_STATUS = const(0x1A)  # "STATUS Register": SC b13, HD b12, VR b11, VL b10, VH b9, RI b8
_CMD = const(0xFE)  # "CMD Register": 0x5400 is a power-on reset

_VERSION_MASK = const(0xFFF0)
_VERSION_MAX17048 = const(0x0010)
_QUICK_START = const(0x4000)
_RESET_INDICATOR = const(0x0100)
_ALERT = const(0x20)
_POWER_ON_RESET = const(0x5400)
_RCOMP_MASK = const(0xFF00)
_VCELL_NV = const(78_125)  # nanovolts a step


class Max17048Error(Exception):
    """The gauge is missing, is another chip, or a parameter is outside its range."""


class Max17048:
    """One gauge. Its address is always 0x36.

    Args:
        i2c: a machine.I2C (at most 400 kHz).
    """

    def __init__(self, i2c, address: int = 0x36):
        self._i2c = i2c
        self._address = address
        self._word = bytearray(2)

    def check(self) -> None:
        """Raise Max17048Error unless a MAX17048 answers."""
        version = self._read(_VERSION)
        if version & _VERSION_MASK != _VERSION_MAX17048:
            raise Max17048Error("version is 0x%04x, not 0x001x" % version)

    def read_mv(self) -> int:
        """Cell voltage in millivolts."""
        return self._read(_VCELL) * _VCELL_NV // 1_000_000

    def read_charge_permille(self) -> int:
        """State of charge, 0..1000; the chip may report a little more than full."""
        return min(1000, self._read(_SOC) * 10 // 256)

    def read_rate_permille_h(self) -> int:
        """Change of the charge in permille an hour; negative while it is drawn from."""
        rate = self._read(_CRATE)
        return (rate - 0x10000 if rate & 0x8000 else rate) * 208 // 100

    def was_reset(self) -> bool:
        """True once after the gauge lost its supply: the cell was taken out or fully flat."""
        status = self._read(_STATUS)
        if not status & _RESET_INDICATOR:
            return False
        self._write(_STATUS, status & ~_RESET_INDICATOR)
        return True

    def alert_below(self, percent: int) -> None:
        """Pull ALRT low when the charge falls below ``percent`` (1..32); also takes an old alert back."""
        if not 1 <= percent <= 32:
            raise Max17048Error("the alert takes 1..32 %")
        self._write(_CONFIG, self._read(_CONFIG) & _RCOMP_MASK | 32 - percent)

    def alerted(self) -> bool:
        """The charge fell below the limit of `alert_below`."""
        return bool(self._read(_CONFIG) & _ALERT)

    def quick_start(self) -> None:
        """Take the voltage of this instant for the cell at rest: only after a disturbed insertion."""
        self._write(_MODE, _QUICK_START)

    def reset(self) -> None:
        """As after power-on. The chip does not acknowledge the end of this transfer."""
        try:
            self._write(_CMD, _POWER_ON_RESET)
        except Max17048Error:
            pass

    def _read(self, register: int) -> int:
        try:
            self._i2c.readfrom_mem_into(self._address, register, self._word)
        except OSError:
            raise Max17048Error("no answer on I2C")
        return self._word[0] << 8 | self._word[1]

    def _write(self, register: int, value: int) -> None:
        self._word[0] = value >> 8
        self._word[1] = value & 0xFF
        try:
            self._i2c.writeto_mem(self._address, register, self._word)
        except OSError:
            raise Max17048Error("no answer on I2C")
