"""What joins a virtual microcontroller to its chips: lines, analogue inputs and buses."""

from collections.abc import Callable
from typing import Protocol

Disturbance = Callable[
    [bytes, Callable[[bytes], None]], None
]  # what was sent, and where what is left of it goes


def undisturbed(data: bytes, deliver: Callable[[bytes], None]) -> None:
    """A good wire."""
    deliver(data)


class BusError(OSError):
    """A bus transaction that the silicon would not answer; ``errno`` is what the board sees."""


class Line:
    """One net. The level is what was driven last; a pull gives the level while nobody drives."""

    def __init__(self, name: str, level: int = 0) -> None:
        self.name = name
        self.level = level
        self.driven = False  # True once anybody drove it: a weak pull then no longer counts
        self._stuck_over: int | None = None  # what the drivers want while a fault holds the net
        self._listeners: list[Callable[[int], None]] = []

    def drive(self, level: int) -> None:
        """Set the level (0 or 1) and tell the listeners when it changed."""
        self.driven = True
        if self._stuck_over is not None:
            self._stuck_over = level
            return
        self._change(level)

    def stick(self, level: int) -> None:
        """A short to ground or supply: the net stays there, whatever drives it."""
        wanted = self.level if self._stuck_over is None else self._stuck_over
        self._stuck_over = None
        self._change(level)
        self._stuck_over = wanted

    def free(self) -> None:
        """The short is gone; the drivers have their way again."""
        wanted, self._stuck_over = self._stuck_over, None
        if wanted is not None:
            self._change(wanted)

    def _change(self, level: int) -> None:
        if level == self.level:
            return
        self.level = level
        for listener in list(self._listeners):
            listener(level)

    def listen(self, listener: Callable[[int], None]) -> None:
        """Call ``listener(level)`` at every change."""
        self._listeners.append(listener)


class AnalogLine:
    """A voltage at a converter input; ``source`` returns volts."""

    def __init__(self, source: Callable[[], float] = lambda: 0.0) -> None:
        self.source = source

    @property
    def volts(self) -> float:
        return self.source()


class I2cDevice(Protocol):
    """A chip on I2C. Either method raises BusError when the chip does not answer."""

    def i2c_write(self, data: bytes) -> None: ...
    def i2c_read(self, count: int) -> bytes: ...


class SpiDevice(Protocol):
    """A chip on SPI; select/deselect follow its chip-select line."""

    def select(self) -> None: ...
    def deselect(self) -> None: ...
    def spi_transfer(self, data: bytes) -> bytes: ...


class UartDevice(Protocol):
    """A chip on a UART; ``receive`` gets what the microcontroller sent."""

    def receive(self, data: bytes) -> None: ...


class I2cBus:
    """Chips by 7-bit address."""

    def __init__(self) -> None:
        self.devices: dict[int, I2cDevice] = {}

    def attach(self, address: int, device: I2cDevice) -> None:
        self.devices[address] = device

    def device(self, address: int) -> I2cDevice:
        """The chip at ``address``. Raises BusError(ENODEV) when none answers, as a real bus does."""
        if address not in self.devices:
            raise BusError(19, "no device acknowledges this I2C address")
        return self.devices[address]


class SpiBus:
    """Chips by chip-select line (active low). ``spoil`` is what the wires make of bytes, in either direction."""

    def __init__(self) -> None:
        self._devices: list[tuple[Line, SpiDevice]] = []
        self.spoil: Callable[[bytes], bytes] = bytes

    def attach(self, chip_select: Line, device: SpiDevice) -> None:
        self._devices.append((chip_select, device))
        chip_select.listen(lambda level: device.deselect() if level else device.select())

    def transfer(self, data: bytes) -> bytes:
        """Clock ``data`` out; an undriven bus reads as zeros."""
        for chip_select, device in self._devices:
            if chip_select.level == 0:
                return self.spoil(device.spi_transfer(self.spoil(data)))
        return bytes(len(data))


class Uart:
    """One serial port: ``to_device`` and ``to_board`` carry bytes; the board's side buffers what it gets."""

    def __init__(self, buffer_bytes: int = 4096) -> None:
        self.baudrate = 115200
        self.device: UartDevice | None = None
        self.received = bytearray()
        self.overrun_bytes = 0
        self.unheard_bytes = 0
        self.listens: Callable[[], bool] = lambda: True  # False: the receiver has no power or no clock
        self.on_receive: Callable[[], None] = lambda: None
        self.buffer_bytes = buffer_bytes
        self.to_chip: Disturbance = undisturbed
        self.to_board: Disturbance = undisturbed

    def attach(self, device: UartDevice) -> None:
        self.device = device

    def transmit(self, data: bytes) -> None:
        """Board to chip."""
        if self.device is not None:
            self.to_chip(data, self.device.receive)

    def send(self, data: bytes) -> None:
        """Chip to board; bytes beyond the receive buffer or for a deaf receiver are lost and counted."""
        self.to_board(data, self._take)

    def _take(self, data: bytes) -> None:
        if not self.listens():
            self.unheard_bytes += len(data)
            return
        room = self.buffer_bytes - len(self.received)
        self.overrun_bytes += max(0, len(data) - room)
        self.received += data[:room]
        self.on_receive()


class BoardIo:
    """All terminals of one microcontroller, made on first use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lines: dict[int, Line] = {}
        self._i2c: dict[int, I2cBus] = {}
        self._spi: dict[int, SpiBus] = {}
        self._uart: dict[int, Uart] = {}
        self._adc: dict[int, AnalogLine] = {}

    def line(self, gpio: int) -> Line:
        return self._lines.setdefault(gpio, Line(f"{self.name}.gpio{gpio}"))

    def i2c(self, bus: int) -> I2cBus:
        return self._i2c.setdefault(bus, I2cBus())

    def spi(self, bus: int) -> SpiBus:
        return self._spi.setdefault(bus, SpiBus())

    def uart(self, bus: int) -> Uart:
        return self._uart.setdefault(bus, Uart())

    def adc(self, gpio: int) -> AnalogLine:
        return self._adc.setdefault(gpio, AnalogLine())
