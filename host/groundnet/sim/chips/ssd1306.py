"""SSD1306 OLED 128 x 64 at command level on I2C (Solomon Systech SSD1306 rev 1.1).

Modelled: the display memory with its three addressing modes and their windows (10.1.1-10.1.5), start line,
mirroring in both directions, inversion, "entire display on", contrast, charge pump, reset line and supply switch,
and the current of what is lit. Not modelled: scrolling, the wrong wiring of COM pins, wear. Only hardware can tell:
brightness in the sun, burn-in, and which of the pin-compatible controllers is on a module.
"""

import struct
import zlib
from collections.abc import Callable

from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BusError, Line

WIDTH, HEIGHT, PAGES = 128, 64, 8
SLEEP_UA = 10.0  # table 12-1, I_SLEEP
DARK_UA = 430.0  # table 12-1, I_DD of a lit display without a lit pixel, with its charge pump
PIXEL_UA = 2.4  # a typical 0.96 inch panel: 20 mA at full contrast with every pixel lit
_NO_DEVICE = 19  # errno of a chip that does not acknowledge

# Bytes of arguments behind each command of table 9-1 that has any.
_ARGUMENTS = {
    0x20: 1,
    0x21: 2,
    0x22: 2,
    0x81: 1,
    0x8D: 1,
    0xA8: 1,
    0xD3: 1,
    0xD5: 1,
    0xD9: 1,
    0xDA: 1,
    0xDB: 1,
}
_HORIZONTAL, _VERTICAL, _PAGE = 0, 1, 2


class Ssd1306:
    """One display. Attach it to an I2C bus.

    Args:
        power: account of the board.
        part: name in that account.
        reset: line on RES#, None when it is pulled up.
        supply: tells whether the display has its supply.
    """

    def __init__(
        self,
        power: PowerAccount,
        part: str = "display",
        reset: Line | None = None,
        supply: Callable[[], bool] = lambda: True,
    ) -> None:
        self._power = power
        self._part = part
        self._reset = reset
        self._supply = supply
        self.ram = bytearray(WIDTH * PAGES)
        self.unknown: list[int] = []  # commands that are not in the table
        self._waiting: list[int] = []  # a command whose arguments are still to come
        self.power_cycle()
        if reset is not None:
            reset.listen(lambda level: None if level else self.restart())

    def power_cycle(self) -> None:
        """New supply: the memory holds what it happens to hold."""
        self.ram[:] = bytes((index * 73 ^ index >> 3) & 0xFF for index in range(len(self.ram)))
        self.restart()

    def restart(self) -> None:
        """RES# (8.9): settings as listed there; the memory keeps its content."""
        self.on = False
        self.pump = False
        self.inverted = False
        self.all_on = False
        self.contrast = 0x7F
        self.start_line = 0
        self.mirrored = False
        self.flipped = False
        self._mode = _PAGE
        self._columns, self._pages = (0, WIDTH - 1), (0, PAGES - 1)
        self._column, self._page = 0, 0
        self._waiting.clear()
        self._account()

    # --- bus

    def i2c_write(self, data: bytes) -> None:
        """Control byte (8.1.5.2), then commands or data."""
        if not self._supply() or (self._reset is not None and self._reset.level == 0):
            raise BusError(_NO_DEVICE, "the display has no supply or is held in reset")
        if not data:
            return
        if data[0] & 0x40:
            for value in data[1:]:
                self._store(value)
        else:
            for value in data[1:]:
                self._take(value)
        self._account()

    def i2c_read(self, count: int) -> bytes:
        """The status byte: bit 6 is set while the display is off."""
        if not self._supply():
            raise BusError(_NO_DEVICE, "the display has no supply")
        return bytes((0 if self.on else 0x40,)) * count

    # --- memory

    def _store(self, value: int) -> None:
        self.ram[self._page * WIDTH + self._column] = value
        if self._mode == _VERTICAL:
            self._page, wrapped = _next(self._page, self._pages)
            if wrapped:
                self._column, _ = _next(self._column, self._columns)
            return
        columns = self._columns if self._mode == _HORIZONTAL else (0, WIDTH - 1)
        self._column, wrapped = _next(self._column, columns)
        if wrapped and self._mode == _HORIZONTAL:
            self._page, _ = _next(self._page, self._pages)

    # --- commands

    def _take(self, value: int) -> None:
        self._waiting.append(value)
        command, *arguments = self._waiting
        if len(arguments) == _ARGUMENTS.get(command, 0):
            self._waiting = []
            self._execute(command, arguments)

    def _execute(self, command: int, arguments: list[int]) -> None:
        if command < 0x10:
            self._column = self._column & 0x70 | command
        elif command < 0x20:
            self._column = (command & 0x07) << 4 | self._column & 0x0F
        elif command == 0x20:
            self._mode = arguments[0] & 3
        elif command == 0x21:
            self._columns = arguments[0] & 0x7F, arguments[1] & 0x7F
            self._column = self._columns[0]
        elif command == 0x22:
            self._pages = arguments[0] & 7, arguments[1] & 7
            self._page = self._pages[0]
        elif 0x40 <= command < 0x80:
            self.start_line = command & 0x3F
        elif 0xB0 <= command < 0xB8:
            self._page = command & 7
        elif not self._switch(command, arguments) and command not in _ARGUMENTS and command != 0xE3:
            self.unknown.append(command)

    def _switch(self, command: int, arguments: list[int]) -> bool:
        """The commands that set one thing each; False for others."""
        match command:
            case 0x81:
                self.contrast = arguments[0]
            case 0x8D:
                self.pump = bool(arguments[0] & 4)
            case 0xA0 | 0xA1:
                self.mirrored = command == 0xA1
            case 0xA4 | 0xA5:
                self.all_on = command == 0xA5
            case 0xA6 | 0xA7:
                self.inverted = command == 0xA7
            case 0xAE | 0xAF:
                self.on = command == 0xAF
            case 0xC0 | 0xC8:
                self.flipped = command == 0xC8
            case _:
                return False
        return True

    # --- what a person sees

    @property
    def visible(self) -> bool:
        """The panel gets its voltage: supply, switched on, charge pump at work."""
        return self._supply() and self.on and self.pump

    def pixel(self, x: int, y: int) -> bool:
        """A pixel as seen with the connector on top, where both directions are mirrored; (0, 0) is top left."""
        if not self.visible:
            return False
        column = x if self.mirrored else WIDTH - 1 - x
        line = y if self.flipped else HEIGHT - 1 - y
        line = (line + self.start_line) % HEIGHT
        lit = self.all_on or bool(self.ram[line // 8 * WIDTH + column] >> line % 8 & 1)
        return lit != self.inverted

    def rows(self) -> list[str]:
        """The picture as 64 lines of 128 characters, ``#`` is lit."""
        return ["".join(".#"[self.pixel(x, y)] for x in range(WIDTH)) for y in range(HEIGHT)]

    def png(self, scale: int = 4) -> bytes:
        """The picture as a PNG file in the panel's blue on black."""
        lines = bytearray()
        for row in self.rows():
            line = b"\0" + bytes(char == "#" for char in row for _ in range(scale))
            lines += line * scale
        header = struct.pack(">IIBBBBB", WIDTH * scale, HEIGHT * scale, 8, 3, 0, 0, 0)
        chunks = (
            (b"IHDR", header),
            (b"PLTE", bytes.fromhex("05070d7fd4ff")),
            (b"IDAT", zlib.compress(bytes(lines), 9)),
            (b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)

    def _account(self) -> None:
        if not self.visible:
            self._power.set_state(self._part, "dark", SLEEP_UA if self._supply() else 0.0)
            return
        lit = sum(value.bit_count() for value in self.ram)
        if self.all_on:
            lit = WIDTH * HEIGHT
        elif self.inverted:
            lit = WIDTH * HEIGHT - lit
        current_ua = DARK_UA + PIXEL_UA * lit * (self.contrast + 1) / 256
        self._power.set_state(self._part, "lit", current_ua)


def _next(value: int, window: tuple[int, int]) -> tuple[int, bool]:
    """The next column or page of a window, and whether it began anew."""
    return (window[0], True) if value == window[1] else (value + 1, False)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
