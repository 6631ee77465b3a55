"""Files onto a board, whole or not at all, and not twice."""

from random import Random

import pytest
from groundnet.flash.laying import lay
from groundnet.link.errors import CodeFailed
from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.pacing import hold_while
from groundnet.sim.world import World

FILES = {"/slots/a.gnb": bytes(range(256)) * 20, "/main.py": b"print('started')\n"}


def laid(store, files, told=lambda share: None):
    with VirtualBoard(World(1), "board", files=store) as board:
        board.power_on()
        board.world.run_for(500_000)  # it has booted: before that it hears nothing
        return hold_while(board.world, [board], lambda: lay(board.pty_path, files, told))


def test_files_arrive_whole_and_are_not_sent_twice():
    store = BoardFs({})
    shares = []
    assert laid(store, FILES, shares.append) == sum(map(len, FILES.values()))
    assert {path: store[path] for path in store.paths()} == FILES
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert laid(store, FILES) == 0
    assert laid(store, FILES | {"/main.py": b"print('again')\n"}) == len(b"print('again')\n")


def test_a_full_flash_is_told_and_leaves_the_old_file():
    store = BoardFs({"/main.py": b"old"}, capacity_bytes=32 * 1024)
    with pytest.raises((CodeFailed, OSError)):
        laid(store, {"/main.py": bytes(64 * 1024)})
    assert store["/main.py"] == b"old"


def test_a_pulled_cable_leaves_the_old_file():
    store = BoardFs({"/main.py": b"old"})

    def pull(share):
        if share > 0.5:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        laid(store, {"/main.py": Random(1).randbytes(20_000)}, pull)
    assert store["/main.py"] == b"old"
