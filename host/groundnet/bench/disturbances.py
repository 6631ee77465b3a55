"""What goes wrong on wires and in the air, drawn from a random stream: pure functions of what is sent.

``Spoiler`` is one source of errors. Rates are chances between 0 and 1: of a bit to be turned, of a piece (a burst of
a UART, a frame on the air) to be dropped, to come twice, to come late.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from groundnet.errors import GroundnetError
from groundnet.sim.signals import BusError, I2cDevice
from groundnet.sim.world import US_PER_S, World

_EIO, _ETIMEDOUT = 5, 110


@dataclass(frozen=True)
class Rates:
    """How bad it is. ``delay_s`` is the longest delay of a late piece."""

    bit_errors: float = 0.0
    drops: float = 0.0
    duplicates: float = 0.0
    delays: float = 0.0
    delay_s: float = 0.2

    def __post_init__(self) -> None:
        for name in ("bit_errors", "drops", "duplicates", "delays"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise GroundnetError(f"a rate of {getattr(self, name)} {name} is no chance", "give 0 to 1")


class Spoiler:
    """One source of errors; ``counts`` says what it did so far."""

    def __init__(self, world: World, name: str, rates: Rates) -> None:
        self._world, self._random, self.rates = world, world.random(f"faults/{name}"), rates
        self.counts = {"bits": 0, "drops": 0, "duplicates": 0, "delays": 0, "refused": 0}

    def flip(self, data: bytes) -> bytes:
        """``data`` with some of its bits turned."""
        if not self.rates.bit_errors:
            return data
        spoiled = bytearray(data)
        for index in range(len(spoiled)):
            for bit in range(8):
                if self._random.random() < self.rates.bit_errors:
                    spoiled[index] ^= 1 << bit
                    self.counts["bits"] += 1
        return bytes(spoiled)

    def carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """One piece: lost, late, twice, spoiled or whole."""
        if self._strikes("drops"):
            return
        for _ in range(2 if self._strikes("duplicates") else 1):
            spoiled = self.flip(data)
            if self._strikes("delays"):
                delay_us = round(self._random.uniform(0, self.rates.delay_s) * US_PER_S)
                self._world.after(delay_us, lambda spoiled=spoiled: deliver(spoiled))
            else:
                deliver(spoiled)

    def strikes(self, kind: str) -> bool:
        """Whether this kind of fault happens now."""
        return self._strikes(kind)

    def _strikes(self, kind: str) -> bool:
        rate = getattr(self.rates, kind)
        struck = bool(rate) and self._random.random() < rate
        self.counts[kind] += struck
        return struck


class NoisyI2c:
    """A chip behind bad wires: a dropped transaction is not acknowledged, a turned bit is read as it came."""

    def __init__(self, chip: I2cDevice, spoiler: Spoiler) -> None:
        self.chip, self._spoiler = chip, spoiler

    def i2c_write(self, data: bytes) -> None:
        self._acknowledge()
        self.chip.i2c_write(self._spoiler.flip(data))

    def i2c_read(self, count: int) -> bytes:
        self._acknowledge()
        return self._spoiler.flip(self.chip.i2c_read(count))

    def _acknowledge(self) -> None:
        if self._spoiler.strikes("drops"):
            raise BusError(_EIO, "not acknowledged")


class StuckI2c:
    """A bus that somebody holds down: every transaction times out."""

    def __init__(self, chip: I2cDevice) -> None:
        self.chip = chip

    def i2c_write(self, data: bytes) -> None:
        raise BusError(_ETIMEDOUT, "the bus is held down")

    def i2c_read(self, count: int) -> bytes:
        raise BusError(_ETIMEDOUT, "the bus is held down")


def modest(random: Random) -> dict[str, Rates]:
    """A bad day of a device in the field, by bus: nothing on it is wrong for good."""
    return {
        "uart": Rates(bit_errors=random.choice((0.0, 1e-5, 1e-4)), drops=random.choice((0.0, 0.005))),
        "i2c": Rates(drops=random.choice((0.0, 0.005, 0.01))),
        "radio": Rates(drops=random.uniform(0.0, 0.3), duplicates=random.choice((0.0, 0.05))),
    }
