"""Blank boards become devices: real MicroPython behind PTYs, all at once, with cables that come and go."""

import random
import shutil

import pytest
from flash.tray_rig import Tray
from groundnet.flash import application
from groundnet.flash.board_lock import BoardLocks
from groundnet.flash.one_board import Plan
from groundnet.flash.tray import flash
from groundnet.link.ports import SerialPort

BOARDS = 4


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(scope="module")
def tag():
    return application.load("tag")


def test_blank_boards_become_tags_all_at_once(folder, tag):
    heard = {}
    with Tray(folder, BOARDS) as tray:
        done = flash(
            tray.ports,
            Plan(tag, listen_s=0.1, locks=folder / "boards.db"),
            lambda port, step, share: heard.setdefault(port.path, []).append((step, share)),
        )
        again = flash(tray.ports, Plan(tag, listen_s=0.1, locks=folder / "boards.db"))
    assert [one.verdict for one in done.boards] == ["passed"] * BOARDS, [one.cause for one in done.boards]
    assert [one.mac for one in done.boards] == [f"34851800000{number}" for number in range(BOARDS)]
    assert {(one.role, one.firmware, one.tries) for one in done.boards} == {("tag", tag.version, 1)}
    assert set(heard) == set(tray.ports)
    assert {step for step, _ in heard[tray.ports[0]]} == {"look", "application", "start"}
    assert again.passed
    with BoardLocks(folder / "boards.db") as locks:
        assert [locks.owner(SerialPort(port).board_key) for port in tray.ports] == [None] * BOARDS


def test_a_pulled_cable_is_a_replug_and_the_board_is_a_device_in_the_end(folder, tag):
    moments = random.Random(1)

    def pull_each_once(world, tray):
        for socket in tray.sockets:
            tray.pull(socket, moments.randrange(300_000, 3_000_000), 300_000)

    with Tray(folder, BOARDS, plan=pull_each_once) as tray:
        done = flash(tray.ports, Plan(tag, retries=3, listen_s=0.1, locks=folder / "boards.db"))
    assert [one.verdict for one in done.boards] == ["passed"] * BOARDS, [one.cause for one in done.boards]
    assert sum(one.tries > 1 for one in done.boards) >= BOARDS // 2
    assert any(name == "replug" for one in done.boards for name, _ in one.steps)
