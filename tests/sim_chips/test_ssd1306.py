"""The OLED model by the command table of its datasheet."""

import struct
import zlib

import pytest
from groundnet.sim.chips.ssd1306 import Ssd1306
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BusError, Line
from groundnet.sim.world import World


@pytest.fixture
def panel():
    panel = Ssd1306(PowerAccount(World()))
    panel.i2c_write(b"\x40" + bytes(1024))
    return panel


def command(panel, *values):
    panel.i2c_write(bytes((0, *values)))


def test_it_starts_in_page_mode_and_stays_in_its_page(panel):
    panel.ram[:] = bytes(1024)
    command(panel, 0xB2, 0x05, 0x17)  # page 2, column 0x75
    panel.i2c_write(b"\x40" + bytes(range(1, 21)))
    assert panel.ram[2 * 128 + 0x75 : 3 * 128] == bytes(range(1, 12))
    assert panel.ram[2 * 128 : 2 * 128 + 9] == bytes(range(12, 21)), "the column wraps within the page"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0, [(2, 10), (2, 11), (3, 10), (3, 11), (2, 10)]), (1, [(2, 10), (3, 10), (2, 11), (3, 11), (2, 10)])],
)
def test_windows_are_filled_in_the_order_of_the_mode(panel, mode, expected):
    command(panel, 0x20, mode, 0x21, 10, 11, 0x22, 2, 3)
    for number, (page, column) in enumerate(expected, 1):
        panel.i2c_write(bytes((0x40, number)))
        assert panel.ram[page * 128 + column] == number


def test_a_command_may_be_cut_between_transfers(panel):
    command(panel, 0x81)
    command(panel, 0x33)
    assert panel.contrast == 0x33 and panel.unknown == []
    command(panel, 0xF7)
    assert panel.unknown == [0xF7]


def test_it_is_dark_without_its_charge_pump(panel):
    command(panel, 0xAF, 0xA5)
    assert not panel.visible and "#" not in "".join(panel.rows())
    command(panel, 0x8D, 0x14)
    assert panel.visible and all(row == "#" * 128 for row in panel.rows())


def test_directions_and_start_line_turn_the_picture(panel):
    command(panel, 0xAF, 0x8D, 0x14, 0xA1, 0xC8, 0x20, 0)
    command(panel, 0x21, 0, 127, 0x22, 0, 7)
    panel.i2c_write(b"\x40\x01")
    assert panel.pixel(0, 0)
    command(panel, 0xA0)
    assert panel.pixel(127, 0)
    command(panel, 0xC0)
    assert panel.pixel(127, 63)
    command(panel, 0xA1, 0xC8, 0x48)
    assert panel.pixel(0, 56), "line 8 of the memory is at the top"


def test_no_answer_in_reset_or_without_supply():
    reset, on = Line("reset", 1), [True]
    panel = Ssd1306(PowerAccount(World()), reset=reset, supply=lambda: on[0])
    command(panel, 0xAF)
    reset.drive(0)
    assert not panel.on
    with pytest.raises(BusError):
        command(panel, 0xAF)
    reset.drive(1)
    on[0] = False
    with pytest.raises(BusError):
        panel.i2c_read(1)


def test_the_png_is_the_picture(panel):
    command(panel, 0xAF, 0x8D, 0x14, 0xA1, 0xC8, 0xA5)
    data = panel.png(scale=1)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (128, 64)
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    assert zlib.decompress(data[start : start + length]) == (b"\0" + b"\1" * 128) * 64
