"""From the board's literal to pins and buses. Each bus is made once, when its first part asks for it."""

import io
import select

import machine
from groundcore import events, settings
from machine import ADC, I2C, SPI, UART, Pin
from micropython import const

_RECEIVE_BUFFER_BYTES = const(2048)
_IOCTL_POLL = const(3)


class Hardware:
    """The terminals of one board.

    Args:
        board: the literal of board.py.
    """

    def __init__(self, board: dict):
        self.board = board
        settings.BOARD.update(board.get("settings", {}))
        self._buses = {}

    def part(self, name: str) -> dict | None:
        """The entry of a part, or None when the board has none of that name."""
        return self.board["parts"].get(name)

    def input(self, gpio: int, pull: str | None = None):
        """An input; ``pull`` is "up", "down" or None when something outside pulls."""
        if pull is None:
            return Pin(gpio, Pin.IN)
        return Pin(gpio, Pin.IN, Pin.PULL_UP if pull == "up" else Pin.PULL_DOWN)

    def output(self, gpio: int, level: int):
        return Pin(gpio, Pin.OUT, value=level)

    def open_drain(self, gpio: int):
        """An output that pulls low or lets go; it starts released."""
        return Pin(gpio, Pin.OPEN_DRAIN, value=1)

    def adc(self, gpio: int):
        return ADC(Pin(gpio), atten=ADC.ATTN_11DB)

    def i2c(self, number: int):
        wires = self.board["i2c"][number]
        return self._once(
            ("i2c", number),
            lambda: I2C(number, sda=Pin(wires["sda"]), scl=Pin(wires["scl"]), freq=wires["freq_hz"]),
        )

    def spi(self, number: int):
        wires = self.board["spi"][number]
        return self._once(
            ("spi", number),
            lambda: SPI(
                number,
                baudrate=wires["baudrate"],
                sck=Pin(wires["sck"]),
                mosi=Pin(wires["mosi"]),
                miso=Pin(wires["miso"]),
            ),
        )

    def uart(self, number: int):
        wires = self.board["uart"][number]
        return self._once(
            ("uart", number),
            lambda: UART(
                number,
                baudrate=wires["baudrate"],
                tx=wires["tx"],
                rx=wires["rx"],
                rxbuf=_RECEIVE_BUFFER_BYTES,
            ),
        )

    def _once(self, key: tuple, make):
        if key not in self._buses:
            self._buses[key] = make()
        return self._buses[key]


class PinStream(io.IOBase):
    """A pin as something that ``select.poll`` can wait on: readable while ``enabled`` and at ``level``.

    No interrupt is armed: waking from light sleep turns an edge interrupt of the ESP32 into a level interrupt,
    which would fire without end; and ``poll`` asks streams written in Python at every tick anyway.
    """

    def __init__(self, pin, level: int = 1):
        super().__init__()
        self._pin = pin
        self.level = level
        self.enabled = True

    def ioctl(self, request: int, argument: int) -> int:
        if request == _IOCTL_POLL:
            return select.POLLIN & argument if self.enabled and self._pin() == self.level else 0
        return -1


def boot_cause() -> int:
    """Why the core starts anew; ask before anything is written to the RTC's memory.

    The chip calls a brown-out a power-on. But a short dip leaves the memory of the RTC as it was, and a device at
    work has its mark there.
    """
    cause = machine.reset_cause()
    if cause == machine.PWRON_RESET:
        return events.BOOT_BROWNOUT if machine.RTC().memory()[:2] == b"GN" else events.BOOT_POWER_ON
    return events.BOOT_WATCHDOG if cause == machine.WDT_RESET else events.BOOT_RESET


def device_id() -> bytes:
    """The chip's own id, left-padded to the eight bytes of the wire."""
    unique = machine.unique_id()[-8:]
    return bytes(8 - len(unique)) + unique
