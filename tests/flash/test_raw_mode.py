"""The raw mode of boards of every age: raw paste with its credit, without it, and before there was any."""

import pytest
from groundnet.flash.raw_mode import RawMode
from groundnet.link.errors import CodeFailed, NoAnswer

READY = b"raw REPL; CTRL-B to exit\r\n>"


class Prompt:
    """A MicroPython prompt that keeps the code it is given, and answers with ``said``.

    Args:
        paste: what it answers to a request for raw paste; a window of 8 bytes follows R and 1.
    """

    port, timeout = "port", None

    def __init__(self, paste, said=b"\x04\x04>"):
        self._paste, self._said = paste, said
        self._out = b""
        self._mode = "friendly"
        self.code = b""
        self._credit = 0

    @property
    def in_waiting(self):
        return len(self._out)

    def read(self, size=1):
        data, self._out = self._out[:size], self._out[size:]
        return data

    def write(self, data):
        for byte in data:
            self._hear(bytes([byte]))

    def _hear(self, byte):
        if self._mode == "friendly":
            if byte == b"\x01":
                self._mode, self._out = "raw", self._out + READY
        elif self._mode == "paste":
            self._credit -= 1
            assert self._credit >= 0 or byte == b"\x04", "more than the window"
            if byte == b"\x04":
                self._mode, self._out = "raw", self._out + b"\x04" + self._said
            elif self._credit == 0:
                self._credit, self._out = 8, self._out + b"\x01"
            self.code += byte.strip(b"\x04")
        elif byte == b"\x02":
            self._mode = "friendly"
        elif byte == b"\x01" and self.code.endswith(b"\x05A"):
            self.code = b""
            self._out += self._paste
            if self._paste == b"R\x01":
                self._mode, self._credit, self._out = "paste", 8, self._out + b"\x08\x00\x01"
                self._credit = 16  # the window, and one more by the byte behind it
        elif byte == b"\x04":
            self._out += b"OK" + self._said
        elif byte not in b"\r\x03":
            self.code += byte


@pytest.mark.parametrize("paste", [b"R\x01", b"R\x00", READY])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 700])
def test_code_arrives_on_boards_of_every_age(paste, size):
    board = Prompt(paste, b"done\x04\x04>")
    raw = RawMode(board)
    raw.enter()
    raw.start(b"c" * size)
    assert raw.ended() == b"done" and board.code == b"c" * size
    raw.start(b"again")
    assert raw.ended() == b"done"


def test_what_code_raises_is_told_by_its_last_line():
    raw = RawMode(Prompt(b"R\x01", b"\x04Traceback\r\n  File\r\nOSError: 5\r\n\x04>"))
    raw.enter()
    raw.start(b"code")
    with pytest.raises(CodeFailed, match="OSError: 5"):
        raw.ended()


def test_a_board_that_gives_up_in_the_middle_is_no_answer():
    board = Prompt(b"R\x01\x08\x00\x04")
    raw = RawMode(board)
    raw.enter()
    with pytest.raises(NoAnswer):
        raw.start(b"c" * 100)
