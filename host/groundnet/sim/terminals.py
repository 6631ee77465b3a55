"""Pins, converters and buses of a virtual board, as its ``machine`` module reaches them."""

import struct
from typing import TYPE_CHECKING

from groundnet.sim.process import Request
from groundnet.sim.services import Handler, Result, Service
from groundnet.sim.shim import operations as op
from groundnet.sim.signals import Line, Uart

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

_OUT, _OPEN_DRAIN = 3, 7  # Pin modes
_PULL_DOWN, _PULL_UP = 1, 2
_RISING, _FALLING = 1, 2
_LEAVE = 255
_UART_IRQ_RX, _UART_IRQ_RXIDLE = 1, 4096

_PIN_US = 1  # one access of a register
_ADC_US = 40
_BUS_OVERHEAD_US = 10  # the port's driver around one transaction
_UART_BITS = 10  # start, 8 data, stop


class Terminals(Service):
    """All that is soldered to the microcontroller."""

    def __init__(self, board: "VirtualBoard") -> None:
        self._board = board
        self._io = board.io
        self._resting: dict[int, int] = {}  # level of each net while the chip lets go of it
        self._outputs: dict[int, int] = {}  # gpio -> level in the output latch
        self._triggers: dict[int, int] = {}
        self._heard: set[int] = set()
        self._i2c_hz: dict[int, int] = {}
        self._spi_hz: dict[int, int] = {}
        self._uart_triggers: dict[int, int] = {}
        self._uart_busy_us: dict[int, int] = {}  # until when each transmitter shifts out
        self._uarts: dict[int, Uart] = {}
        self.transactions = 0  # on I2C and SPI so far

    def handlers(self) -> dict[int, Handler]:
        return {
            op.PIN_SETUP: self._setup_pin,
            op.PIN_READ: self._read_pin,
            op.PIN_WRITE: self._write_pin,
            op.PIN_INTERRUPT: self._arm_pin,
            op.ADC_READ: self._read_adc,
            op.I2C_SETUP: lambda request: self._set_rate(self._i2c_hz, request),
            op.I2C_WRITE: self._write_i2c,
            op.I2C_READ: self._read_i2c,
            op.I2C_SCAN: self._scan_i2c,
            op.SPI_SETUP: lambda request: self._set_rate(self._spi_hz, request),
            op.SPI_TRANSFER: self._transfer_spi,
            op.UART_SETUP: self._setup_uart,
            op.UART_WRITE: self._write_uart,
            op.UART_READ: self._read_uart,
            op.UART_ANY: lambda request: len(self._io.uart(request.argument).received),
            op.UART_INTERRUPT: self._arm_uart,
        }

    def reset(self) -> None:
        """Pins become inputs: every net goes back to what else hangs on it."""
        self._triggers.clear()
        for gpio in list(self._outputs):
            self._release(gpio)
        self.soft_reset()
        for uart in self._uarts.values():
            uart.received.clear()

    def soft_reset(self) -> None:
        self._triggers.clear()
        self._uart_triggers.clear()

    def watch(self, gpio: int) -> Line:
        """The net at ``gpio``, whose changes from now on reach the board."""
        line = self._io.line(gpio)
        if gpio not in self._heard:
            self._heard.add(gpio)
            line.listen(lambda level: self._pin_changed(gpio, level))
        return line

    def uart_ready(self, number: int) -> bool:
        """True when bytes wait in the receive buffer."""
        return bool(self._io.uart(number).received)

    # --- pins

    def _setup_pin(self, request: Request) -> Result:
        gpio = request.argument
        mode, pull, value = request.data
        self._board.spend(_PIN_US)
        line = self.watch(gpio)
        if mode in (_OUT, _OPEN_DRAIN) or (mode == _LEAVE and gpio in self._outputs):
            self._resting.setdefault(gpio, line.level)
            level = self._outputs.get(gpio, 0) if value == _LEAVE else value
            self._drive(gpio, level)
        elif mode != _LEAVE:
            self._release(gpio)
            if pull in (_PULL_UP, _PULL_DOWN) and not line.driven:
                line.level = int(pull == _PULL_UP)
        return 0

    def _read_pin(self, request: Request) -> Result:
        self._board.spend(_PIN_US)
        return self._io.line(request.argument).level

    def _write_pin(self, request: Request) -> Result:
        self._board.spend(_PIN_US)
        gpio, level = divmod(request.argument, 2)
        if gpio in self._outputs:
            self._drive(gpio, level)
        return 0

    def _arm_pin(self, request: Request) -> Result:
        trigger, wakes = request.data
        self.watch(request.argument)
        self._triggers[request.argument] = trigger
        self._board.sleeping.set_pin_wake(request.argument, wakes)
        return 0

    def _drive(self, gpio: int, level: int) -> None:
        self._outputs[gpio] = level
        self._io.line(gpio).drive(level)

    def _release(self, gpio: int) -> None:
        if self._outputs.pop(gpio, None) is not None:
            self._io.line(gpio).drive(self._resting[gpio])

    def _pin_changed(self, gpio: int, level: int) -> None:
        if gpio not in self._outputs:
            if self._triggers.get(gpio, 0) & (_RISING if level else _FALLING):
                self._board.interrupt(op.INTERRUPT_PIN, gpio)
            self._board.sleeping.pin_changed()
            self._board.streams.terminal_changed()

    def _read_adc(self, request: Request) -> Result:
        self._board.spend(_ADC_US)
        return round(max(0.0, self._io.adc(request.argument).volts) * 1e6)

    # --- buses

    def _set_rate(self, rates: dict[int, int], request: Request) -> Result:
        (rates[request.argument],) = struct.unpack("<I", request.data)
        return 0

    def _write_i2c(self, request: Request) -> Result:
        self.transactions += 1
        bus, address = divmod(request.argument, 128)
        self._spend_i2c(bus, 1 + len(request.data))
        self._io.i2c(bus).device(address).i2c_write(request.data)
        return len(request.data)

    def _read_i2c(self, request: Request) -> Result:
        self.transactions += 1
        bus, address = divmod(request.argument, 128)
        self._spend_i2c(bus, 2 + len(request.data) + request.wanted)
        device = self._io.i2c(bus).device(address)
        if request.data:
            device.i2c_write(request.data)
        data = device.i2c_read(request.wanted)
        return len(data), data

    def _scan_i2c(self, request: Request) -> Result:
        self._spend_i2c(request.argument, 112)
        found = bytes(sorted(self._io.i2c(request.argument).devices))
        return len(found), found

    def _spend_i2c(self, bus: int, count: int) -> None:
        self._board.spend(_BUS_OVERHEAD_US + count * 9 * 1_000_000 // self._i2c_hz.get(bus, 400_000))

    def _transfer_spi(self, request: Request) -> Result:
        self.transactions += 1
        rate_hz = self._spi_hz.get(request.argument, 1_000_000)
        self._board.spend(_BUS_OVERHEAD_US + len(request.data) * 8 * 1_000_000 // rate_hz)
        data = self._io.spi(request.argument).transfer(request.data)
        return len(data), data if request.wanted else b""

    # --- serial ports

    def _setup_uart(self, request: Request) -> Result:
        number = request.argument
        uart = self._uarts[number] = self._io.uart(number)
        uart.baudrate, uart.buffer_bytes = struct.unpack("<IH", request.data)
        uart.received.clear()
        uart.listens = lambda: self._board.awake and not self._board.sleeping.light
        uart.on_receive = lambda: self._uart_received(number)
        return 0

    def _write_uart(self, request: Request) -> Result:
        """Bytes reach the chip one after the other; the call itself only fills the transmit buffer."""
        world = self._board.world
        uart = self._io.uart(request.argument)
        data = request.data
        begin_us = max(world.now_us, self._uart_busy_us.get(request.argument, 0))
        end_us = begin_us + len(data) * _UART_BITS * 1_000_000 // uart.baudrate
        self._uart_busy_us[request.argument] = end_us
        world.at(end_us, lambda: uart.transmit(data))
        self._board.spend(_BUS_OVERHEAD_US)
        return len(data)

    def _read_uart(self, request: Request) -> Result:
        received = self._io.uart(request.argument).received
        data = bytes(received[: request.wanted])
        del received[: request.wanted]
        return len(data), data

    def _arm_uart(self, request: Request) -> Result:
        (self._uart_triggers[request.argument],) = struct.unpack("<H", request.data)
        return 0

    def _uart_received(self, number: int) -> None:
        if self._uart_triggers.get(number, 0) & (_UART_IRQ_RX | _UART_IRQ_RXIDLE):
            self._board.interrupt(op.INTERRUPT_UART, number)
        self._board.streams.something_changed()
