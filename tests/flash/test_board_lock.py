"""One owner per board and a time that runs out, also between processes."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from groundnet.flash.board_lock import BoardLocks, BoardTaken, LockLost


class Clock:
    def __init__(self):
        self.now_s = 1_000_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def locks(tmp_path, clock):
    with BoardLocks(tmp_path / "boards.db", clock) as locks:
        yield locks


def test_a_board_has_one_owner_and_the_other_is_told_who(locks):
    locks.take("A", 60)
    with pytest.raises(BoardTaken) as caught:
        locks.take("A")
    assert (
        "process" in caught.value.cause and "60 s" in caught.value.cause and "--steal" in caught.value.action
    )
    locks.take("B")


def test_a_lock_that_is_given_back_is_free(locks):
    locks.give_back("A", locks.take("A"))
    assert locks.owner("A") is None
    locks.take("A")


def test_a_lock_runs_out_unless_it_is_renewed(locks, clock):
    token = locks.take("A", 60)
    clock.now_s += 59
    locks.renew("A", token, 60)
    clock.now_s += 59
    assert locks.owner("A") is not None
    clock.now_s += 1
    assert locks.owner("A") is None
    locks.take("A")


def test_whose_lock_was_stolen_finds_out_and_frees_nobody_elses(locks):
    first = locks.take("A")
    second = locks.take("A", steal=True)
    with pytest.raises(LockLost):
        locks.renew("A", first)
    locks.give_back("A", first)
    locks.renew("A", second)


def test_a_whole_tray_may_make_the_file_at_once(tmp_path):
    together = threading.Barrier(16)

    def take(number):
        together.wait(20)
        with BoardLocks(tmp_path / "boards.db") as locks:
            locks.take(f"board {number}")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(take, range(16)))
    with BoardLocks(tmp_path / "boards.db") as locks:
        assert all(locks.owner(f"board {number}") for number in range(16))


def other_process(path, end):
    """Takes board A and then ends, or stays until it is told."""
    program = f"""
        import sys
        from pathlib import Path
        from groundnet.flash.board_lock import BoardLocks
        BoardLocks(Path({str(path)!r})).take("A")
        print("taken", flush=True)
        {end}
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_another_process_is_kept_out_until_it_ends(tmp_path):
    path = tmp_path / "boards.db"
    with other_process(path, "sys.stdin.read()") as other, BoardLocks(path) as locks:
        assert other.stdout.readline() == "taken\n"
        with pytest.raises(BoardTaken) as caught:
            locks.take("A")
        assert f"process {other.pid}" in caught.value.cause
        other.stdin.close()
        other.wait(20)
        locks.take("A")
