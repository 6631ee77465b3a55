"""The console driver on real pipes: text, link, Ctrl-C and silence."""

import io
import os
import sys

import pytest


class Terminal:
    """The host's end of the console, and the driver on the other end."""

    def __init__(self, bench, monkeypatch, closed=False):
        self.interrupt_chars = []
        monkeypatch.setattr(sys.modules["micropython"], "kbd_intr", self.interrupt_chars.append)
        to_board, self._in = os.pipe()
        self._out, from_board = os.pipe()
        self._files = [io.FileIO(to_board, "rb"), io.FileIO(from_board, "wb")]
        self.console = bench.driver("console").Console(*self._files, closed=closed)

    def type(self, data: bytes) -> bytes:
        """What the app sees of ``data``."""
        os.write(self._in, data)
        into = bytearray(256)
        return bytes(into[: self.console.read_into(into)])

    def seen(self, count: int) -> bytes:
        return os.read(self._out, count)

    def close(self):
        for file in self._files:
            file.close()
        os.close(self._in)
        os.close(self._out)


@pytest.fixture
def terminal(bench, monkeypatch):
    terminal = Terminal(bench, monkeypatch)
    yield terminal
    terminal.close()


@pytest.fixture
def closed_terminal(bench, monkeypatch):
    terminal = Terminal(bench, monkeypatch, closed=True)
    yield terminal
    terminal.close()


def test_text_typed_at_a_running_app_is_dropped(terminal):
    assert terminal.type(b"print(1)\r\n") == b""
    assert not terminal.console.open and terminal.interrupt_chars == [3]


def test_ctrl_c_typed_before_it_was_switched_on_counts_all_the_same(terminal):
    with pytest.raises(KeyboardInterrupt):
        terminal.type(b"\r\x03")


def test_a_closed_console_never_switches_ctrl_c_on(bench, closed_terminal):
    assert closed_terminal.type(b"\r\x03\x03\r\x01\x05\x04print(1)\r") == b""
    closed_terminal.type(b"\x00")
    assert closed_terminal.seen(10) == b"\x00"
    assert closed_terminal.type(b"frame\x03") == b"frame\x03"
    closed_terminal.console.close()
    assert closed_terminal.type(b"\x03") == b""
    assert set(closed_terminal.interrupt_chars) == {-1}


def test_a_closed_console_lets_in_as_soon_as_the_link_closes_and_out_again(closed_terminal):
    closed_terminal.type(b"\x00")
    closed_terminal.console.let_in(True)
    assert closed_terminal.interrupt_chars[-1] == -1, "frames may contain 0x03"
    closed_terminal.console.close()
    assert closed_terminal.interrupt_chars[-1] == 3
    closed_terminal.console.let_in(False)
    assert closed_terminal.interrupt_chars[-1] == -1


def test_zero_byte_opens_the_link_and_frees_ctrl_c(terminal):
    assert terminal.type(b"\r\nnoise\x00") == b""
    assert terminal.console.open
    assert terminal.seen(10) == b"\x00"
    assert terminal.interrupt_chars == [3, -1]
    assert terminal.type(b"\x03\x00frame\x04") == b"\x03\x00frame\x04"
    terminal.console.write(b"answer\x00")
    assert terminal.seen(10) == b"answer\x00"


def test_bytes_behind_the_opening_zero_belong_to_the_link(terminal):
    assert terminal.type(b"\x00\x00first frame\x00") == b"\x00first frame\x00"


def test_three_zeros_open_an_open_link_anew(terminal):
    terminal.type(b"\x00")
    assert terminal.seen(8) == b"\x00"
    terminal.type(b"\x00frame\x00\x00another\x00")
    assert not terminal.console.anew, "between two frames there are two"
    terminal.type(b"\x00fra")  # the host is killed, another one comes
    terminal.type(b"\x00")
    terminal.type(b"\x00")
    assert not terminal.console.anew
    terminal.type(b"\x00")
    assert terminal.console.anew and terminal.seen(8) == b"\x00"


def test_ten_seconds_of_silence_close_the_link(bench, terminal):
    terminal.type(b"\x00")
    bench.seconds(9)
    assert terminal.type(b"x") == b"x"
    bench.seconds(9.9)
    assert terminal.console.read_into(bytearray(8)) == 0 and terminal.console.open
    assert 0 < terminal.console.due_ms() <= 100
    bench.seconds(0.2)
    assert terminal.console.read_into(bytearray(8)) == 0
    assert not terminal.console.open and terminal.interrupt_chars == [3, -1, 3]
    assert terminal.console.due_ms() is None


def test_a_small_buffer_takes_the_stream_in_pieces(terminal):
    os.write(terminal._in, b"\x00abcdef")
    into = bytearray(4)
    assert terminal.console.read_into(into) == 4 and bytes(into) == b"abcd"
    assert terminal.console.read_into(into) == 2 and bytes(into[:2]) == b"ef"
