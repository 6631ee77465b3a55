"""Waiting for streams: the console of a virtual board, and ``select.poll`` over everything it can read."""

from typing import TYPE_CHECKING

from groundnet.sim.process import Request
from groundnet.sim.services import Handler, Result, Service
from groundnet.sim.shim import operations as op

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

_POLLIN, _POLLOUT, _POLLERR, _POLLHUP = 1, 4, 8, 16
_INTERRUPTED = (-4, b"")  # EINTR


class Streams(Service):
    """Console reads and waits of one board."""

    def __init__(self, board: "VirtualBoard") -> None:
        self._board = board
        self._reading: Request | None = None
        self._waiting: list[tuple[int, int, int]] | None = None
        self.waits = 0  # begun so far

    def handlers(self) -> dict[int, Handler]:
        return {
            op.CONSOLE_READ: self._read_console,
            op.CONSOLE_READY: lambda request: int(bool(self._board.console.received)),
            op.WAIT: self._wait,
        }

    def reset(self) -> None:
        self._reading = self._waiting = None

    @property
    def wants_console(self) -> bool:
        """True while the board waits for what the host sends next."""
        if self._board.console.under_way:
            return False  # one of the two has still to hear what the other said
        if self._board.loader is not None:
            return not self._board.loader.busy
        if self._waiting is not None:
            return any(kind == op.STREAM_CONSOLE for kind, _, _ in self._waiting)
        return self._reading is not None

    def something_changed(self) -> None:
        """A stream may have become ready: answer whoever waits for it."""
        if self._reading is not None and self._board.console.received:
            self._end(self._take(self._reading))
        elif self._waiting is not None:
            count, ready = self._ask(self._waiting)
            if count:
                self._end((count, ready))

    def terminal_changed(self) -> None:
        """A pin changed: streams written in Python may look at it."""
        if self._waiting is not None and any(kind == op.STREAM_FOREIGN for kind, _, _ in self._waiting):
            self._end(_INTERRUPTED)

    def _end(self, answer: tuple[int, bytes]) -> None:
        self._reading = self._waiting = None
        self._board.unpark(answer)

    def _interrupted(self) -> tuple[int, bytes]:
        self._reading = self._waiting = None
        return _INTERRUPTED

    # --- console

    def _read_console(self, request: Request) -> Result:
        """Data: bytes after which the read ends early."""
        if self._board.console.received:
            return self._take(request)
        self._reading = request
        self.waits += 1
        self._board.draw("idle", self._board.chip.idle_ua)
        return self._board.park(interrupted=self._interrupted)

    def _take(self, request: Request) -> tuple[int, bytes]:
        received = self._board.console.received
        count = min(request.wanted, len(received))
        for end in request.data:
            found = received.find(end, 0, count)
            if found >= 0:
                count = found + 1
        data = bytes(received[:count])
        del received[:count]
        return len(data), data

    # --- select.poll

    def _wait(self, request: Request) -> Result:
        """Data: (kind, number, events) for each stream. Reply: the events that are there, for each."""
        data = request.data
        wanted = [(data[at], data[at + 1], data[at + 2]) for at in range(0, len(data), 3)]
        count, ready = self._ask(wanted)
        if count or request.argument == 0:
            return count, ready
        self._waiting = wanted
        self.waits += 1
        self._board.draw("idle", self._board.chip.idle_ua)
        timeout_us = None if request.argument < 0 else request.argument * 1000
        return self._board.park(timeout_us, self._timed_out, self._interrupted)

    def _timed_out(self) -> tuple[int, bytes]:
        assert self._waiting is not None
        answer = 0, bytes(len(self._waiting))
        self._waiting = None
        return answer

    def _ask(self, wanted: list[tuple[int, int, int]]) -> tuple[int, bytes]:
        ready = bytes(self._events(*entry) for entry in wanted)
        return sum(1 for events in ready if events), ready

    def _events(self, kind: int, number: int, wanted: int) -> int:
        if kind == op.STREAM_CONSOLE:
            there = _POLLOUT | (_POLLIN if self._board.console.received and number == 0 else 0)
        elif kind == op.STREAM_UART:
            there = _POLLOUT | (_POLLIN if self._board.terminals.uart_ready(number) else 0)
        elif kind == op.STREAM_SOCKET:
            there = self._board.sockets.events(number)
        else:
            there = 0
        return there & (wanted | _POLLERR | _POLLHUP)
