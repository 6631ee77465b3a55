"""AT commands one at a time, each with its deadline; the rest waits in a queue.

A command is a tuple: text, the lines that end it well, the lines that end it ill beside the general errors, and
its timeout in milliseconds, or a pair of them: until OK, and from there until the end of what takes long.
Lines are compared by how they begin. A modem that sleeps loses the bytes that wake it: before the first command
after a pause goes an AT whose answer nobody needs. A modem that lost a byte of a payload waits for it, deaf to
commands: behind a payload without an answer go ESC and as many zeros as can be missing.
"""

import time

from drivers.at_reader import AtReader
from micropython import const

OK = (b"OK",)
TIMEOUT = b"timeout"  # the answer of a command that got none

_ERRORS = (b"ERROR", b"+CME ERROR", b"+CMS ERROR")
_AWAKE_MS = const(800)  # after a byte it surely listens for so long; some wait no longer than a second
_LATE_MS = const(
    500
)  # after a timeout: time for a late answer, so that no other command takes it for its own
_ESCAPE = b"\x1b"  # V.250 has none, but every prompt for a text takes it as the end
_WAKE = const(-1)
_WAKE_COMMAND = (b"AT", OK, (), 300)


class AtPort:
    """The command line of one modem.

    Args:
        uart: machine.UART.
        heard: called with each line first; True when the line needs no further reading.
        ended: called with (kind, well, answer) when a command ended.

    ``sleeps``: the modem may fall asleep, so wake it before it is asked.
    """

    def __init__(self, uart, heard, ended):
        self._uart = uart
        self._heard = heard
        self._ended = ended
        self._queue = []
        self._current = None  # (kind, command)
        self._deadline_ms = 0
        self._written_ms = self._hold_until_ms = time.ticks_ms()
        self._owed = 0  # bytes of the payload that the command in flight asks for
        self._roused = False  # the last command was the one that wakes
        self.reader = AtReader(uart, self._take_line)
        self.sleeps = False

    @property
    def idle(self) -> bool:
        return self._current is None and not self._queue

    @property
    def asking(self) -> bytes | None:
        """Text of the command in flight."""
        return None if self._current is None else self._current[1][0]

    def push(self, kind: int, command: tuple, payload=None) -> None:
        """Queue a command; ``payload`` is what its prompt asks for."""
        self._queue.append((kind, command, payload))

    def waiting(self, kind: int) -> int:
        """How many commands of a kind wait."""
        return sum(1 for job in self._queue if job[0] == kind)

    def drop(self, kinds: tuple) -> None:
        """Forget the waiting commands of these kinds."""
        self._queue = [job for job in self._queue if job[0] not in kinds]

    def clear(self) -> None:
        """Forget all commands and everything half read."""
        self._queue = []
        self._current = None
        self.reader.clear()

    def write(self, text: bytes) -> None:
        """Say something without waiting for an answer."""
        self._written_ms = time.ticks_ms()
        self._uart.write(text + b"\r\n")

    def poll(self) -> None:
        """Read what arrived; end what took too long; begin what waits."""
        self.reader.poll()
        now_ms = time.ticks_ms()
        if self._current is not None:
            if time.ticks_diff(self._deadline_ms, now_ms) <= 0:
                self._hold_until_ms = time.ticks_add(now_ms, _LATE_MS)
                if self._owed:
                    self._uart.write(_ESCAPE + bytes(self._owed))
                self._end(False, TIMEOUT)
        elif self._queue and time.ticks_diff(self._hold_until_ms, now_ms) <= 0:
            if self.sleeps and not self._roused and not self._awake(now_ms):
                self._issue(_WAKE, _WAKE_COMMAND, None, now_ms)
            else:
                kind, command, payload = self._queue.pop(0)
                self._issue(kind, command, payload, now_ms)

    def due_ms(self, now_ms) -> int | None:
        """Milliseconds until ``poll`` must run even if nothing arrives."""
        if self._current is not None:
            return max(0, time.ticks_diff(self._deadline_ms, now_ms))
        if self._queue:
            return max(0, time.ticks_diff(self._hold_until_ms, now_ms))
        return None

    def _awake(self, now_ms) -> bool:
        return (
            time.ticks_diff(now_ms, self._written_ms) < _AWAKE_MS
            or time.ticks_diff(now_ms, self.reader.heard_ms) < _AWAKE_MS
        )

    def _issue(self, kind: int, command: tuple, payload, now_ms) -> None:
        self._current = (kind, command)
        self._owed = 0 if payload is None else len(payload)
        self._roused = kind == _WAKE
        timeout_ms = command[3]
        self._deadline_ms = time.ticks_add(
            now_ms, timeout_ms if isinstance(timeout_ms, int) else timeout_ms[0]
        )
        self.reader.answer_prompt(payload)
        self.write(command[0])

    def _take_line(self, line: bytes) -> None:
        if self._heard(line) or self._current is None:
            return
        _, well, ill, timeout_ms = self._current[1]
        if _begins(line, well):
            self._end(True, line)
        elif _begins(line, ill) or _begins(line, _ERRORS):
            self._end(False, line)
        elif line == OK[0] and not isinstance(timeout_ms, int):
            self._deadline_ms = time.ticks_add(time.ticks_ms(), timeout_ms[1])

    def _end(self, well: bool, answer: bytes) -> None:
        if self._current is None:
            return
        kind = self._current[0]
        self.reader.answer_prompt(None)
        self._current = None
        if kind != _WAKE:
            self._ended(kind, well, answer)


def _begins(line: bytes, beginnings: tuple) -> bool:
    return any(line.startswith(beginning) for beginning in beginnings)
