"""What must not be written to is not: foreign devices, running programs, held ports, locked devices, others' boards."""

import threading
from dataclasses import dataclass, replace

import pytest
import serial
from groundnet.flash import one_board
from groundnet.flash.base_image import BYTECODE
from groundnet.flash.board_lock import BoardLocks
from groundnet.flash.one_board import Plan
from groundnet.flash.tray import flash
from groundnet.link.ports import SerialPort
from groundnet.link.probe import GROUNDNET, MICROPYTHON, SILENT, Finding
from groundnet.link.probe import probe as real_probe
from host.talker import Talker

NMEA = b"$GNRMC,120000.00,A,3015.1234,N,10401.5678,E,0.02,,231126,,,A*6C\r\n"


@pytest.fixture
def device():
    made = []

    def make(text=b""):
        made.append(Talker(text))
        return made[-1]

    yield make
    for one in made:
        one.close()


@dataclass(frozen=True)
class Forbidden:
    """An application that no board here may get."""

    role: str = "tag"
    board: str = "xiao_c3_sx1262"
    chip: str = "esp32c3"
    version: str = "0.1.0"

    def lay_down(self, port, progress):
        raise AssertionError(f"{port} was written to")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setattr(one_board, "probe", lambda port, listen_s: real_probe(port, 0.3, listen_s))
    return Plan(
        Forbidden(), listen_s=0.1, boot_button_s=0.2, retries=1, replug_s=0.2, locks=tmp_path / "boards.db"
    )


@pytest.mark.parametrize(
    ("text", "written", "action"),
    [
        (NMEA, set(), "doctor"),
        (b"temperature 21.5\r\n", {0}, "Ctrl-C"),
        (b"", {0, 13}, "reset"),
    ],
)
def test_what_is_not_ours_is_refused_with_its_own_next_action(device, plan, text, written, action):
    one = device(text)
    (result,) = flash([one.path], plan).boards
    assert (result.verdict, result.tries) == ("refused", 1)
    assert action in result.action and set(one.heard()) == written


def test_a_held_port_is_refused(device, plan):
    one = device()
    with serial.Serial(one.path, exclusive=True):
        (result,) = flash([one.path], plan).boards
    assert result.verdict == "refused" and "held by" in result.cause and one.heard() == b""


def test_a_board_that_somebody_works_on_is_not_even_opened(device, plan):
    one = device()
    with BoardLocks(plan.locks) as locks:
        token = locks.take(SerialPort(one.path).board_key)
        (result,) = flash([one.path], plan).boards
        assert (result.verdict, result.tries) == ("refused", 0) and "--steal" in result.action
        assert one.heard() == b""
        locks.give_back(SerialPort(one.path).board_key, token)


def finding(port, kind, **values):
    return Finding(port, "what", "action", kind, **values)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"kind": GROUNDNET, "role": "tag", "state": "locked"}, "groundnet update"),
        ({"kind": MICROPYTHON, "bytecode": BYTECODE, "rom": True, "chip": "esp32s3"}, "--board"),
        ({"kind": MICROPYTHON, "bytecode": BYTECODE, "rom": False}, "build one (hardware/"),
        (
            {"kind": MICROPYTHON, "bytecode": 5, "rom": True},
            "groundnet-esp32c3-v1.29.0.bin",
        ),
    ],
)
def test_a_device_that_may_not_or_cannot_be_flashed_says_what_to_do(
    plan, monkeypatch, tmp_path, found, words
):
    monkeypatch.setattr(one_board, "probe", lambda port, listen_s: finding(port, **found))
    monkeypatch.setattr("groundnet.flash.base_image.user_cache_path", lambda name: tmp_path)
    (result,) = flash(["/dev/ttyACM0"], plan).boards
    assert result.verdict == "refused" and words in result.action


def test_the_other_port_of_a_chip_that_is_worked_on_is_the_same_board(plan, monkeypatch):
    monkeypatch.setattr(
        one_board, "probe", lambda port, listen_s: finding(port, GROUNDNET, mac="348518abcdef")
    )
    with BoardLocks(plan.locks) as locks:
        token = locks.take("348518abcdef")
        (result,) = flash(["/dev/ttyUSB0"], plan).boards
        assert result.verdict == "refused" and "--steal" in result.action
        locks.give_back("348518abcdef", token)


def test_a_board_that_was_swapped_while_the_cable_was_out_is_refused(plan, monkeypatch, tmp_path):
    (tmp_path / "board").touch()
    looks = iter(["348518000001", "348518000002"])

    def look(port, listen_s):
        return finding(port, GROUNDNET, mac=next(looks), role="tag", state="blank")

    class Pulled(Forbidden):
        def lay_down(self, port, progress):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(one_board, "probe", look)
    (result,) = flash([str(tmp_path / "board")], replace(plan, application=Pulled())).boards
    assert result.tries == 2 and "348518000002" in result.cause and result.mac == "348518000001"


def test_a_tray_that_is_stopped_says_that_it_goes_on(plan, monkeypatch):
    stop = threading.Event()
    stop.set()
    result = one_board.OneBoard(SerialPort("/dev/ttyACM0"), plan, lambda *told: None, stop).run()
    assert result.verdict == "refused" and "stopped" in result.cause


def test_the_locks_are_given_back_whatever_happened(plan, monkeypatch):
    monkeypatch.setattr(one_board, "probe", lambda port, listen_s: finding(port, SILENT))
    flash(["/dev/ttyACM0"], plan)
    with BoardLocks(plan.locks) as locks:
        assert locks.owner(SerialPort("/dev/ttyACM0").board_key) is None
