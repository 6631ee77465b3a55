"""Drivers from firmware/ on CPython against the chip models.

``machine`` and ``time`` are thin: every call reaches the chips through signals and takes virtual time, so
that busy lines, self-tests and timeouts pass as on a board.
"""

import importlib
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BoardIo
from groundnet.sim.world import World

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
sys.path.append(str(FIRMWARE))
if "micropython" not in sys.modules:
    sys.modules["micropython"] = types.ModuleType("micropython")
    sys.modules["micropython"].const = lambda value: value
    sys.modules["micropython"].kbd_intr = lambda char: None

CALL_US = 5  # a pin access or a look at the clock
TICKS_PERIOD = 1 << 30


class Clock:
    """The part of MicroPython's ``time`` that drivers use, on the world's clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def sleep_ms(self, duration_ms: int) -> None:
        self._world.run_for(duration_ms * 1000)

    def sleep_us(self, duration_us: int) -> None:
        self._world.run_for(duration_us)

    def ticks_ms(self) -> int:
        self._world.run_for(CALL_US)
        return self._world.now_us // 1000 % TICKS_PERIOD

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) % TICKS_PERIOD

    def ticks_diff(self, later: int, earlier: int) -> int:
        half = TICKS_PERIOD // 2
        return (later - earlier + half) % TICKS_PERIOD - half


class Pin:
    """One GPIO: called without argument it reads, with one it drives."""

    def __init__(self, world: World, io: BoardIo, gpio: int, initial: int | None = None) -> None:
        self._world = world
        self._line = io.line(gpio)
        if initial is not None:
            self._line.drive(initial)

    def __call__(self, level: int | None = None) -> int | None:
        self._world.run_for(CALL_US)
        if level is None:
            return self._line.level
        self._line.drive(level)
        return None


class I2C:
    """The memory transfers of machine.I2C."""

    def __init__(self, world: World, io: BoardIo, bus: int, freq_hz: int) -> None:
        self._world = world
        self._bus = io.i2c(bus)
        self._byte_us = 9_000_000 / freq_hz

    def _spend(self, size: int) -> None:
        self._world.run_for(int(size * self._byte_us))

    def readfrom_mem_into(self, address: int, register: int, into) -> None:
        device = self._bus.device(address)
        self._spend(3 + len(into))
        device.i2c_write(bytes((register,)))
        into[:] = device.i2c_read(len(into))

    def writeto_mem(self, address: int, register: int, data) -> None:
        device = self._bus.device(address)
        self._spend(2 + len(data))
        device.i2c_write(bytes((register,)) + bytes(data))


class SPI:
    """The transfers of machine.SPI; reading clocks zeros out."""

    def __init__(self, world: World, io: BoardIo, bus: int, baudrate: int) -> None:
        self._world = world
        self._bus = io.spi(bus)
        self._byte_us = 8_000_000 / baudrate

    def _transfer(self, data: bytes) -> bytes:
        self._world.run_for(int(len(data) * self._byte_us) + 1)
        return self._bus.transfer(data)

    def write(self, data) -> None:
        self._transfer(bytes(data))

    def readinto(self, into) -> None:
        into[:] = self._transfer(bytes(len(into)))


class UART:
    """machine.UART: sending is immediate, received bytes wait in the signal's buffer."""

    def __init__(self, world: World, io: BoardIo, bus: int) -> None:
        self._world = world
        self._uart = io.uart(bus)

    def any(self) -> int:
        self._world.run_for(CALL_US)
        return len(self._uart.received)

    def readinto(self, into) -> int | None:
        count = min(len(into), len(self._uart.received))
        into[:count] = self._uart.received[:count]
        del self._uart.received[:count]
        return count or None

    def write(self, data) -> int:
        self._world.run_for(CALL_US)
        self._uart.transmit(bytes(data))
        return len(data)


class ADC:
    """machine.ADC: calibrated microvolts."""

    def __init__(self, io: BoardIo, gpio: int) -> None:
        self._line = io.adc(gpio)

    def read_uv(self) -> int:
        return round(self._line.volts * 1_000_000)


class Bench:
    """One microcontroller's terminals, a world and the drivers, which see the world's clock as ``time``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int = 7) -> None:
        self._monkeypatch = monkeypatch
        self.world = World(seed=seed)
        self.clock = Clock(self.world)
        self.io = BoardIo("bench")
        self.power = PowerAccount(self.world)

    def driver(self, name: str) -> ModuleType:
        module = importlib.import_module(f"drivers.{name}")
        if hasattr(module, "time"):
            self._monkeypatch.setattr(module, "time", self.clock)
        return module

    def pin(self, gpio: int, initial: int | None = None) -> Pin:
        return Pin(self.world, self.io, gpio, initial)

    def i2c(self, bus: int = 0) -> I2C:
        return I2C(self.world, self.io, bus, 400_000)

    def spi(self, bus: int = 1) -> SPI:
        return SPI(self.world, self.io, bus, 8_000_000)

    def uart(self, bus: int = 1) -> UART:
        return UART(self.world, self.io, bus)

    def adc(self, gpio: int) -> ADC:
        return ADC(self.io, gpio)

    def seconds(self, duration_s: float) -> None:
        self.world.run_for(int(duration_s * 1_000_000))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


@pytest.fixture
def bench_of_seed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Bench]:
    return lambda seed: Bench(monkeypatch, seed)
