"""The Node process behind one virtual board, and the pipe on which it calls the world.

The frame layout stands in interpreter/channel.mjs.
"""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from groundnet.errors import GroundnetError
from groundnet.sim.runtime import interpreter_command
from groundnet.sim.shim.operations import BOOT, OUTPUT

_LENGTH = struct.Struct("<I")
_REQUEST = struct.Struct("<BbHIiI")
_REPLY = struct.Struct("<IBxHid")
_FLAG_RESET = 1
_FLAG_CTRL_C = 2
_READ_BYTES = 1 << 16
_all_cores: set[int] = set()
_shared_core: int | None = None  # see share_one_core
_CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Smaller heaps keep a board near 50 MB; one thread, because boards take turns anyway.
_NODE_OPTIONS = ("--max-semi-space-size=1", "--single-threaded-gc", "--no-warnings")


@dataclass(slots=True)
class Request:
    """One call of the board.

    ``wanted`` is the size of the caller's buffer, ``interrupt_key`` the code that interrupts (-1: none),
    ``spent_us`` the time the board used since the last reply.
    """

    operation: int
    interrupt_key: int
    spent_us: int
    argument: int
    wanted: int
    data: bytes


class BoardProcess:
    """Starts the process, reads requests, sends replies.

    Args:
        name: of the board, for messages.
        answer_limit_s: processor time that the board may compute between two calls.
    """

    def __init__(self, name: str, answer_limit_s: float = 2.0) -> None:
        self._name = name
        self._answer_limit_s = answer_limit_s
        self._received = bytearray()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        reply_end, self._reply_file = os.pipe()
        self._request_file, request_end = os.pipe()
        life_end, self._life_file = os.pipe()
        node, program = interpreter_command("board.mjs")
        with _every_core():
            self._process = subprocess.Popen(
                [node, *_NODE_OPTIONS, program, str(reply_end), str(request_end)],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                pass_fds=(reply_end, request_end, life_end),
            )
        _kill_with_parent(life_end, self._process.pid)
        for file in (reply_end, request_end, life_end):
            os.close(file)
        self._poll = select.poll()
        self._poll.register(self._request_file, select.POLLIN)

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory_bytes(self) -> int:
        """Resident memory of the process now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def receive(self) -> tuple[bytes, Request | None]:
        """Wait for the board's next call.

        Returns console output sent before it, and the call; None when the board computes without end.
        Raises GroundnetError when the process died.
        """
        output = b""
        while True:
            request = self._next_frame()
            if request is None:
                if not self._fill():
                    return output, None
            elif request.operation == OUTPUT:
                output += request.data
            elif request.operation == BOOT and _shared_core is not None:
                os.sched_setaffinity(self.pid, {_shared_core})
                return output, request
            else:
                return output, request

    def reply(
        self,
        result: int,
        data: bytes,
        now_us: int,
        interrupts: list[int],
        *,
        reset: bool = False,
        ctrl_c: bool = False,
    ) -> None:
        """Answer the call that waits."""
        flags = (_FLAG_RESET if reset else 0) | (_FLAG_CTRL_C if ctrl_c else 0)
        sources = struct.pack(f"<{len(interrupts)}H", *interrupts)
        size = _REPLY.size - 4 + len(sources) + len(data)
        frame = _REPLY.pack(size, flags, len(interrupts), result, now_us) + sources + data
        view = memoryview(frame)
        try:
            while view:
                view = view[os.write(self._reply_file, view) :]
        except BrokenPipeError:
            raise self._died() from None

    def kill(self) -> None:
        """End the process and free its files."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for file in (self._reply_file, self._request_file, self._life_file):
            with contextlib.suppress(OSError):
                os.close(file)
        self._errors.close()

    def _next_frame(self) -> Request | None:
        received = self._received
        if len(received) < 4:
            return None
        (size,) = _LENGTH.unpack_from(received)
        if len(received) < 4 + size:
            return None
        operation, key, _, spent_us, argument, wanted = _REQUEST.unpack_from(received, 4)
        data = bytes(received[4 + _REQUEST.size : 4 + size])
        del received[: 4 + size]
        return Request(operation, key, spent_us, argument, wanted, data)

    def _fill(self) -> bool:
        """Read what the board sent; False when it used up its time without sending."""
        began_s = None
        while not self._poll.poll(250):
            used_s = self._processor_s()
            if began_s is None:
                began_s = used_s
            elif used_s - began_s > self._answer_limit_s:
                return False
        data = os.read(self._request_file, _READ_BYTES)
        if not data:
            raise self._died()
        self._received += data
        return True

    def _processor_s(self) -> float:
        """Processor time the board used; a busy machine must not make a board seem dead."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # no /proc on this system, or the process just ended
            return time.monotonic()
        return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS_PER_S

    def _died(self) -> GroundnetError:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        said = lines[0][:300] if lines else f"exit code {code}"
        return GroundnetError(f"the interpreter of board {self._name} died: {said}", "report this as a bug")


def share_one_core() -> None:
    """Keep this process and the boards it starts on the processor core it runs on now (Linux).

    World and boards take turns anyway, and handing a call over on one core takes a quarter of the time:
    waking an idle core costs more than the call.
    """
    global _all_cores, _shared_core
    if hasattr(os, "sched_setaffinity") and _shared_core is None:
        _all_cores = os.sched_getaffinity(0)
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        _shared_core = int(fields[36])
        os.sched_setaffinity(0, {_shared_core})


@contextlib.contextmanager
def _every_core() -> Iterator[None]:
    """A board starts on all cores: its compiler has threads of its own."""
    if _shared_core is not None:
        os.sched_setaffinity(0, _all_cores)
    yield
    if _shared_core is not None:
        os.sched_setaffinity(0, {_shared_core})


def _kill_with_parent(life_end: int, pid: int) -> None:
    """Have the kernel kill ``pid`` when this process ends, however it ends and whatever the child computes.

    The child holds the reading end of a pipe, this process alone its writing end: the end of this process
    closes the pipe, and that raises the signal (Linux; elsewhere the child ends at its next call).
    """
    if not hasattr(fcntl, "F_SETSIG"):
        return
    fcntl.fcntl(life_end, fcntl.F_SETOWN, pid)
    fcntl.fcntl(life_end, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(life_end, fcntl.F_SETFL, fcntl.fcntl(life_end, fcntl.F_GETFL) | os.O_ASYNC)
