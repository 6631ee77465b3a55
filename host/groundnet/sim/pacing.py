"""How fast virtual time runs while somebody outside takes part over a PTY.

Without anybody outside, ``World.run_until`` is all that is needed. Otherwise one of these drives the world:

- ``run_paced``: virtual time follows the wall clock, for a person or any program at the PTY.
- ``run_held``: virtual time stands still while a board waits for the host's next bytes, and jumps otherwise.
  A host program gets the same answers at the same virtual times however slow the machine is.
"""

import select
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from groundnet.sim.board import VirtualBoard
from groundnet.sim.world import World

_SLICE_S = 0.005  # longest computation between two looks at the PTYs
_LOOK_S = 0.05  # longest wait between two looks at ``stop``
_DRAIN_US = 2_000  # between two looks whether the host has read on
_LAG_US = 500_000  # a world that is this far behind the wall clock lets the difference go
_PATIENCE_S = 0.3  # a host whose turn it is and that is silent for so long waits for the board after all
_PIECES_S = 0.02  # the pieces of one write of the host arrive within this
_START_S = 10.0  # a host program has to start and open the port before it can say its first word

T = TypeVar("T")


class _Doors:
    """The PTYs of the boards, waited on together."""

    def __init__(self, boards: Sequence[VirtualBoard]) -> None:
        self._boards = boards
        self._poll = select.poll()
        for board in boards:
            self._poll.register(board.console.open_pty().fileno(), select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Take in what hosts wrote, waiting for it at most so long; True when there was something."""
        self._poll.poll(max(0, round(timeout_s * 1000)))
        heard = [board.console.service() for board in self._boards]
        return any(heard)

    def congested(self) -> bool:
        """True while a host has still to read what a board sent; the board's own transmitter would be full."""
        return any(board.console.open_pty().congested for board in self._boards)

    def waits(self) -> int:
        """How many waits the boards have begun so far."""
        return sum(board.streams.waits for board in self._boards)

    def board_is_asked(self) -> bool:
        """True when the host spoke last: it waits for an answer."""
        return any(board.console.host_spoke_last for board in self._boards)

    def host_in_mid_word(self) -> bool:
        """True when a host has begun something that has no end yet."""
        return any(board.console.host_in_mid_word for board in self._boards)

    def board_listens(self) -> bool:
        """True when a board can do nothing before the host's next bytes or a timeout of its own."""
        return any(board.streams.wants_console for board in self._boards)


def run_paced(world: World, boards: Sequence[VirtualBoard], stop: Callable[[], bool]) -> None:
    """Follow the wall clock until ``stop()``; boards that need more than real time slow the world down."""
    doors = _Doors(boards)
    offset_us = world.now_us - _wall_us()
    while not stop():
        target_us = _wall_us() + offset_us
        if not doors.congested():
            _catch_up(world, target_us)
        if target_us - world.now_us > _LAG_US:
            offset_us = world.now_us - _wall_us()
        next_us = world.next_event_us()
        wait_us = _LOOK_S * 1e6 if next_us is None else next_us - (_wall_us() + offset_us)
        if doors.congested():
            wait_us = _DRAIN_US
        if doors.wait(min(_LOOK_S, max(0.0, wait_us / 1e6))):
            # What was just heard happened now, not when the world last looked.
            now_us = _wall_us() + offset_us
            if (world.next_event_us() or 0) > world.now_us:
                _catch_up(world, now_us)


def run_held(
    world: World,
    boards: Sequence[VirtualBoard],
    stop: Callable[[], bool],
    start_s: float = _START_S,
    patience_s: float = _PATIENCE_S,
) -> None:
    """Serve host programs that talk to ``boards`` until ``stop()``, moving time only as boards need it.

    A board that does not listen gets the host's bytes once it does. ``start_s`` is how long the host's first
    word is waited for, ``patience_s`` how long each later one is, before the host is taken to wait for the board.
    """
    doors = _Doors(boards)
    looked_s = time.monotonic()
    heard = False
    while not stop():
        next_us = world.next_event_us()
        if doors.board_listens() and (next_us is None or next_us > world.now_us):
            turn_s = patience_s if heard else start_s
            board_is_asked = doors.board_is_asked() and not doors.host_in_mid_word()
            if _host_speaks(doors, stop, _PIECES_S if board_is_asked else turn_s):
                heard = True
            else:
                _run_until_board_moves(world, doors)
        elif not world.step():
            doors.wait(_LOOK_S)
        elif time.monotonic() - looked_s > _LOOK_S:
            heard = doors.wait(0) or heard  # perhaps a Ctrl-C for a board that does not listen
            looked_s = time.monotonic()


def hold_while(
    world: World,
    boards: Sequence[VirtualBoard],
    job: Callable[[], T],
    start_s: float = _START_S,
    patience_s: float = _PATIENCE_S,
) -> T:
    """Run a host program's blocking ``job`` in a thread, and the world here with ``run_held`` until it is done.

    A job that asks and is answered by turns gives a long ``patience_s``: a busy machine or a slow disk may hold it
    up between an answer and its next question, and a board that sees time pass meanwhile closes its link.
    Returns what the job returns, or raises what it raises.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(job())
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=work, name="host program", daemon=True)
    thread.start()
    run_held(world, boards, lambda: not thread.is_alive(), start_s, patience_s)
    if failure:
        raise failure[0]
    return outcome[0]


def _host_speaks(doors: _Doors, stop: Callable[[], bool], patience_s: float) -> bool:
    """Wait for bytes of the host; True when they came or nobody is there any more."""
    deadline_s = time.monotonic() + patience_s
    while time.monotonic() < deadline_s:
        if doors.wait(0.002) or stop():
            return True
    return False


def _run_until_board_moves(world: World, doors: _Doors) -> None:
    """The host waits for the board: let time pass until the board's own wait ends."""
    waits = doors.waits()
    while doors.waits() == waits and not doors.wait(0):
        if not world.step():
            return


def _catch_up(world: World, target_us: int) -> None:
    """Run events up to ``target_us``, but not longer than a slice."""
    deadline_s = time.monotonic() + _SLICE_S
    while (next_us := world.next_event_us()) is not None and next_us <= target_us:
        world.step()
        if time.monotonic() > deadline_s:
            return
    world.run_until(target_us)


def _wall_us() -> int:
    return time.monotonic_ns() // 1000
