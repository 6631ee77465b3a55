"""SSD1306 OLED, 128 x 64 pixels, on I2C (Solomon Systech SSD1306 rev 1.1).

Draw into ``buffer`` with ``framebuf.FrameBuffer(display.buffer, WIDTH, HEIGHT, framebuf.MONO_VLSB)``: its byte
order is that of the display's memory. `show` sends only the pages that differ from what the display has.
"""

import time

from micropython import const

WIDTH = const(128)
HEIGHT = const(64)

# Commands: section 9, table 9-1. In front of a transfer stands the control byte of section 8.1.5.2.
_COMMANDS = const(0x00)
_DATA = const(0x40)
_ADDRESSING = const(0x20)  # 10.1.3: 0 = horizontal: the column counts on, then the page
_COLUMNS = const(0x21)  # 10.1.4: first, last
_PAGES = const(0x22)  # 10.1.5: first, last
_START_LINE = const(0x40)  # 10.1.6
_CONTRAST = const(0x81)  # 10.1.7: 0..255
_CHARGE_PUMP = const(0x8D)  # application note 2.1: 0x14 = on
_SEGMENTS_MIRRORED = const(0xA1)  # 10.1.8
_FROM_MEMORY = const(0xA4)  # 10.1.9
_NORMAL = const(0xA6)  # 10.1.10; 0xA7 inverts
_MULTIPLEX = const(0xA8)  # 10.1.11: lines - 1
_OFF = const(0xAE)  # 10.1.12
_ON = const(0xAF)
_ROWS_MIRRORED = const(0xC8)  # 10.1.14
_OFFSET = const(0xD3)  # 10.1.15
_CLOCK = const(0xD5)  # 10.1.16
_PRECHARGE = const(0xD9)  # 10.1.17
_COM_PINS = const(0xDA)  # 10.1.18: 0x12 = alternative, for 64 lines
_DESELECT_LEVEL = const(0xDB)  # 10.1.19

# fmt: off
_SET_UP = bytes((
    _OFF, _CLOCK, 0x80, _MULTIPLEX, HEIGHT - 1, _OFFSET, 0, _START_LINE, _CHARGE_PUMP, 0x14, _ADDRESSING, 0,
    _SEGMENTS_MIRRORED, _ROWS_MIRRORED, _COM_PINS, 0x12, _CONTRAST, 0xCF, _PRECHARGE, 0xF1,
    _DESELECT_LEVEL, 0x40, _FROM_MEMORY, _NORMAL,
))
# fmt: on
_PAGE_COUNT = const(8)
_POWER_MS = const(20)  # the supply behind its switch
_RESET_MS = const(1)  # 8.9: low for at least 3 us


class Ssd1306Error(Exception):
    """The display does not answer."""


class Ssd1306:
    """One display.

    Args:
        i2c: a machine.I2C (at most 400 kHz).
        address: 0x3C or 0x3D (SA0).
        reset: machine.Pin (output) on RES#; None when not wired.
        power: machine.Pin (output) of the supply switch; None when always on.
        power_level: level of ``power`` that switches it on.
    """

    def __init__(self, i2c, address: int = 0x3C, reset=None, power=None, power_level: int = 1):
        self._i2c = i2c
        self._address = address
        self._reset = reset
        self._power = power
        self._power_level = power_level
        self.buffer = bytearray(WIDTH * _PAGE_COUNT)
        self._shown = bytearray(WIDTH * _PAGE_COUNT)
        self._known = False  # the display holds ``_shown``
        self._range = bytearray((_COLUMNS, 0, WIDTH - 1, _PAGES, 0, _PAGE_COUNT - 1))
        self._pair = bytearray(2)
        self.on = False

    def wake(self) -> None:
        """Power, reset, set-up, light. Blocks 22 ms. Raises Ssd1306Error."""
        if self._power is not None:
            self._power(self._power_level)
            time.sleep_ms(_POWER_MS)
        if self._reset is not None:
            self._reset(0)
            time.sleep_ms(_RESET_MS)
            self._reset(1)
            time.sleep_ms(_RESET_MS)
        self._known = False
        self._send(_COMMANDS, _SET_UP)
        self.show()
        self._command(_ON)
        self.on = True

    def show(self) -> int:
        """Send the pages of ``buffer`` that are new. Returns their number (0..8); each takes 3 ms at 400 kHz."""
        sent = 0
        new, old = memoryview(self.buffer), memoryview(self._shown)
        for page in range(_PAGE_COUNT):
            begin = page * WIDTH
            if self._known and new[begin : begin + WIDTH] == old[begin : begin + WIDTH]:
                continue
            self._range[4] = page
            self._send(_COMMANDS, self._range)
            self._send(_DATA, new[begin : begin + WIDTH])
            old[begin : begin + WIDTH] = new[begin : begin + WIDTH]
            sent += 1
        self._known = True
        return sent

    def contrast(self, level: int) -> None:
        """Brightness 0..255; the current follows it."""
        self._pair[0] = _CONTRAST
        self._pair[1] = level & 0xFF
        self._send(_COMMANDS, self._pair)

    def invert(self, inverted: bool) -> None:
        """Light becomes dark."""
        self._command(_NORMAL | (1 if inverted else 0))

    def sleep(self) -> None:
        """Dark (10 uA), and without supply when there is a switch."""
        self._command(_OFF)
        self.on = False
        if self._power is not None:
            self._power(1 - self._power_level)

    def _command(self, command: int) -> None:
        self._send(_COMMANDS, bytes((command,)))

    def _send(self, control: int, data) -> None:
        try:
            self._i2c.writeto_mem(self._address, control, data)
        except OSError:
            raise Ssd1306Error("no answer on I2C")
