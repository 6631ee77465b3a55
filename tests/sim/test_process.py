"""The process behind a board: it must be there, say why it died, and end with the board."""

import os

import pytest
from groundnet.errors import GroundnetError
from groundnet.link.errors import PortMissing
from groundnet.link.serial_link import SerialLink
from groundnet.sim import runtime
from groundnet.sim.process import BoardProcess
from sim.boards import board, run


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_board_without_interpreter_says_make_setup(monkeypatch, tmp_path):
    monkeypatch.setattr(runtime, "INTERPRETER", tmp_path)
    with (
        board() as device,
        pytest.raises(GroundnetError, match="interpreter is not installed; run `make setup`"),
    ):
        run(device)


def test_death_of_the_process_is_told_in_one_line():
    process = BoardProcess("lonely")
    _, request = process.receive()
    assert request is not None
    os.kill(process.pid, 9)
    with pytest.raises(GroundnetError, match=r"^the interpreter of board lonely died: exit code -9; [^\n]*$"):
        process.receive()
    process.kill()


def test_closing_a_board_ends_its_process():
    with board("print(1)") as device:
        run(device)
        pid = device._process.pid
        assert alive(pid)
        assert 20e6 < device.memory_bytes() < 200e6
    assert not alive(pid)


def test_board_can_be_closed_before_it_ever_had_power():
    with board() as device:
        assert device.memory_bytes() == 0


def test_unknown_pty_is_named():
    with pytest.raises(PortMissing, match="/dev/pts/no-such-board"):
        SerialLink("/dev/pts/no-such-board")
