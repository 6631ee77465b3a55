"""A console with the speed of a line: bytes take their time, and a board that does not read loses them."""

import pytest
from groundnet.sim.board import VirtualBoard
from groundnet.sim.line_rate import USB, uart
from groundnet.sim.virtual_port import VirtualPort
from groundnet.sim.world import World
from serial import SerialException

# Repeats what it is sent, byte by byte; deaf for a second after an "s".
ECHO = b"""
import micropython, sys, time
micropython.kbd_intr(-1)
while True:
    byte = sys.stdin.buffer.read(1)
    sys.stdout.buffer.write(byte)
    if byte == b"s":
        time.sleep(1)
"""


@pytest.fixture
def started():
    boards = []

    def start(rate):
        board = VirtualBoard(World(1), "board", files={"/main.py": ECHO})
        boards.append(board)
        board.console.limit(board.world, rate)
        board.power_on()
        board.world.run_for(200_000)
        return board, VirtualPort(board, timeout=5.0)

    yield start
    for board in boards:
        board.close()


@pytest.mark.parametrize(("rate", "least_s", "most_s"), [(uart(9600), 1.04, 1.06), (USB, 0.02, 0.03)])
def test_bytes_take_the_time_of_their_line(started, rate, least_s, most_s):
    _, port = started(rate)
    began_s = port.monotonic()
    port.write(bytes(1000))
    assert port.read(1000) == bytes(1000)
    assert least_s <= port.monotonic() - began_s <= most_s


def test_the_same_talk_takes_the_same_time(started):
    def talk():
        board, port = started(uart(115_200))
        for size in (1, 7, 300):
            port.write(b"x" * size)
            port.read(size)
        return board.world.now_us

    assert talk() == talk()


def test_a_uart_loses_what_its_buffer_cannot_hold_and_usb_does_not(started):
    for rate, kept in ((uart(115_200), 1 + 260), (USB, 1 + 600)):
        board, port = started(rate)
        port.write(b"s" + b"x" * 600)
        assert len(port.read(601)) == kept
        assert board.console.lost == 601 - kept


def test_a_board_that_loses_power_falls_silent_in_the_middle_of_a_word(started):
    board, port = started(uart(9600))
    port.write(b"x" * 100)
    board.world.run_for(60_000)
    board.power_off()
    assert 0 < len(port.read(100)) < 60


@pytest.mark.parametrize("end", ["reset()", "deepsleep(1000)"])
def test_a_board_that_resets_itself_says_its_last_word(started, end):
    board, port = started(uart(9600))
    board.files["/main.py"] = f"import machine, sys; sys.stdout.write('last word'); machine.{end}".encode()
    board.power_off()
    board.power_on()
    assert port.read(9) == b"last word"


def test_a_pulled_cable_is_an_error_and_the_board_does_not_notice(started):
    board, port = started(None)
    port.unplug()
    for use in (lambda: port.read(1), lambda: port.write(b"x"), lambda: port.in_waiting):
        with pytest.raises(SerialException):
            use()
    assert board.awake
