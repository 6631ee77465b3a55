"""Reads the text on a virtual display: each cell of eight by eight pixels against the interpreter's own font."""

import functools

from groundnet.sim.chips.ssd1306 import HEIGHT, WIDTH
from groundnet.sim.runtime import run_script

CELL = 8  # pixels of one character, wide and high
NO_CHARACTER = "\N{REPLACEMENT CHARACTER}"  # part of a drawing
_FIRST, _LAST = 32, 126
_FONT = f"""
import framebuf
cell = bytearray({CELL})
page = framebuf.FrameBuffer(cell, {CELL}, {CELL}, framebuf.MONO_VLSB)
for code in range({_FIRST}, {_LAST + 1}):
    page.fill(0)
    page.text(chr(code), 0, 0)
    print(bytes(cell).hex())
"""


def read_text(rows: list[str]) -> list[str]:
    """The lines of a page whose text stands on multiples of eight pixels; ``rows`` are those of ``Ssd1306.rows``."""
    lines = []
    for top in range(0, HEIGHT, CELL):
        cells = [_cell(rows, left, top) for left in range(0, WIDTH, CELL)]
        lines.append("".join(_font().get(cell, NO_CHARACTER) for cell in cells).rstrip())
    return lines


def _cell(rows: list[str], left: int, top: int) -> str:
    """One byte for each column, its lowest bit at the top, in hex."""
    columns = range(left, left + CELL)
    return bytes(
        sum((rows[top + bit][column] == "#") << bit for bit in range(CELL)) for column in columns
    ).hex()


@functools.cache
def _font() -> dict[str, str]:
    """Pixels of a character -> the character, as MicroPython draws them."""
    drawn = run_script(_FONT).stdout.decode().split()
    return dict(zip(drawn, map(chr, range(_FIRST, _LAST + 1)), strict=True))
