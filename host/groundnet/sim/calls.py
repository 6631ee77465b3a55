"""A board's calls to its world: asked by the interpreter in its process, answered by events.

A call that takes no time is answered at once; any other is parked, and an event answers it later. So exactly one board
computes at any moment, and a run repeats to the microsecond.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from groundnet.sim.boardfs import PowerCut
from groundnet.sim.process import BoardProcess, Request
from groundnet.sim.services import PARKED, Answer, Handler, Parked, Result
from groundnet.sim.world import Event, World

_EIO = 5


class _Wait:
    """A call that waits for its answer."""

    def __init__(self, interrupted: Callable[[], Answer] | None) -> None:
        self.interrupted = interrupted
        self.timeout: Event | None = None


class Calls(ABC):
    """One interpreter between its calls."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._handlers: dict[int, Handler] = {}
        self._process: BoardProcess | None = None
        self._request: Request | None = None  # the call that waits for an answer
        self._parked: _Wait | None = None
        self._event: Event | None = None  # what goes on with the board
        self._interrupts: list[int] = []
        self._ctrl_c = False
        self._cost_us = 0
        self._local_us = 0  # the board's own time: up to here its calls have taken it

    # --- what the board does

    @property
    @abstractmethod
    def awake(self) -> bool:
        """Python runs."""

    @abstractmethod
    def power_off(self) -> None: ...

    @abstractmethod
    def _show(self, output: bytes) -> None:
        """The program printed something."""

    @abstractmethod
    def _compute(self) -> None:
        """A wait has ended."""

    @abstractmethod
    def _hang(self) -> None:
        """No call for two seconds of computing."""

    # --- what services use

    def spend(self, duration_us: int) -> None:
        """The call in hand takes this long."""
        self._cost_us += duration_us

    def park(
        self,
        timeout_us: int | None = None,
        timed_out: Callable[[], Answer] = lambda: (0, b""),
        interrupted: Callable[[], Answer] | None = None,
    ) -> Result:
        """Answer the call in hand later.

        Args:
            timeout_us: after so long with what ``timed_out`` returns; None waits for ``unpark``.
            interrupted: gives the answer at an interrupt; None lets interrupts wait.
        """
        parked = self._parked = _Wait(interrupted)
        if timeout_us is not None:
            parked.timeout = self.world.after(timeout_us, lambda: self._time_out(timed_out))
        if interrupted is not None and (self._interrupts or self._ctrl_c):
            self.unpark(interrupted())
        return PARKED

    def unpark(self, answer: Answer) -> None:
        """Answer the parked call, as an event of its own: somebody else may be computing right now."""
        parked = self._parked
        if parked is None:
            return
        self._parked = None
        if parked.timeout is not None:
            parked.timeout.cancel()
        self._event = self.world.after(0, lambda: self._answer(answer))

    def interrupt(self, kind: int, number: int) -> None:
        """Raise an interrupt; its handler runs when the board next gets an answer."""
        source = kind * 256 + number
        if not self.awake or source in self._interrupts:
            return
        self._interrupts.append(source)
        if self._parked is not None and self._parked.interrupted is not None:
            self.unpark(self._parked.interrupted())

    # --- calls

    def _serve(self) -> None:
        """Let the board compute until a call of it has to wait."""
        assert self._process is not None
        while True:
            output, self._request = self._process.receive()
            if output:
                self._show(output)
            if self._request is None:
                self._hang()
                return
            at_us = self._local_us + self._request.spent_us
            if at_us > self.world.now_us:
                self._event = self.world.at(at_us, self._perform_and_serve)
                return
            if not self._perform():
                return

    def _perform_and_serve(self) -> None:
        if self._perform():
            self._serve()

    def _perform(self) -> bool:
        """Carry out the call in hand; True when it was answered."""
        assert self._request is not None
        self._cost_us = 0
        result: Result = PARKED
        try:
            result = self._handlers[self._request.operation](self._request)
        except OSError as error:
            result = -(error.errno or _EIO)
        except PowerCut:
            self.power_off()
        if not self.awake or isinstance(result, Parked):
            return False
        self._reply((result, b"") if isinstance(result, int) else result)
        return True

    def _time_out(self, timed_out: Callable[[], Answer]) -> None:
        self._parked = None
        self._answer(timed_out())

    def _answer(self, answer: Answer) -> None:
        self._cost_us = 0
        self._compute()
        self._reply(answer)
        self._serve()

    def _reply(self, answer: Answer) -> None:
        assert self._process is not None
        self._local_us = self.world.now_us + self._cost_us
        interrupts, self._interrupts = self._interrupts, []
        ctrl_c, self._ctrl_c = self._ctrl_c, False
        self._process.reply(*answer, self._local_us, interrupts, ctrl_c=ctrl_c)

    def _drop_calls(self) -> None:
        """Whatever is under way is never answered."""
        for event in (self._event, self._parked.timeout if self._parked else None):
            if event is not None:
                event.cancel()
        self._parked = self._event = None
        self._interrupts.clear()
        self._ctrl_c = False

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = self._request = None
