"""The raw mode of a MicroPython prompt, over any line that reads with a timeout; raw paste where the board has it.

A line and a clock that live in virtual time do as well.
Protocol: MicroPython's documentation, "The MicroPython interactive interpreter mode".
"""

import contextlib
import struct
import time
from collections.abc import Callable
from typing import Any, Protocol

import serial

from groundnet.link.errors import CodeFailed, NoAnswer, PortGone

ANSWER_S = 4.0  # a busy board, or a virtual one on a busy computer
_INTERRUPT, _RAW, _FRIENDLY, _END = b"\r\x03", b"\r\x01", b"\r\x02", b"\x04"
_READY = b"raw REPL; CTRL-B to exit\r\n>"
_PASTE = b"\x05A\x01"
_MORE = b"\x01"
_PLAIN_PIECE_BYTES = 128  # without credits: half of the receive buffer of an ESP32's UART
_ENTER_TRIES = 2


class Line(Protocol):
    """What is used of a serial port; `serial.Serial` is one. ``timeout`` in seconds."""

    port: Any  # its name
    timeout: Any  # float, or None for ever

    @property
    def in_waiting(self) -> int: ...
    def read(self, size: int = 1, /) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...


class RawMode:
    """A prompt in raw mode; ``clock`` counts the seconds that the line's timeouts are meant in."""

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self.line = line
        self.port = str(line.port)
        self.clock = clock
        self.heard = b""
        self.wire_bytes = 0  # both ways

    def enter(self) -> None:
        """Interrupt what runs and ask for raw mode; nothing is restarted. Raises NoAnswer."""
        for _ in range(_ENTER_TRIES):
            self.heard = b""
            self.write(_INTERRUPT)
            self.write(_RAW)
            with contextlib.suppress(NoAnswer):
                self.read_until(_READY)
                return
        raise NoAnswer(self.port)

    def leave(self) -> None:
        self.write(_FRIENDLY)

    def start(self, code: bytes) -> None:
        """Hand over code; it runs when this returns. Raises NoAnswer."""
        self.write(_PASTE)
        answer = self.read(2)
        if answer == b"R\x01":
            self._paste(code)
            return
        if answer != b"R\x00":  # an older board takes this for Ctrl-A
            self.read_until(b"\r\n>")
        for at in range(0, len(code), _PLAIN_PIECE_BYTES):
            self.write(code[at : at + _PLAIN_PIECE_BYTES])
        self.write(_END)
        self.read_until(b"OK")

    def ended(self, timeout_s: float = ANSWER_S) -> bytes:
        """Wait until the code ended; what it printed. Raises CodeFailed with what it raised, NoAnswer."""
        printed = self.read_until(_END, timeout_s)
        raised = self.read_until(_END + b">", timeout_s)
        if raised.strip():
            raise CodeFailed(self.port, raised.decode(errors="replace").strip().splitlines()[-1])
        return printed

    def read(self, count: int, timeout_s: float = ANSWER_S) -> bytes:
        """Exactly so many bytes. Raises NoAnswer."""
        while len(self.heard) < count:
            self._hear(timeout_s)
        data, self.heard = self.heard[:count], self.heard[count:]
        return data

    def read_until(self, end: bytes, timeout_s: float = ANSWER_S) -> bytes:
        """What comes before ``end``. Raises NoAnswer when it does not come in time, whatever else does."""
        deadline_s = self.clock() + timeout_s
        while end not in self.heard:
            if self.clock() > deadline_s:
                raise NoAnswer(self.port)
            self._hear(timeout_s)
        before, _, self.heard = self.heard.partition(end)
        return before

    def peek(self, count: int, timeout_s: float) -> bytes:
        """The next bytes, which stay. Raises NoAnswer."""
        while len(self.heard) < count:
            self._hear(timeout_s)
        return self.heard[:count]

    def hear(self, timeout_s: float) -> bool:
        """Add what comes to ``heard``; False after so long a silence. Raises PortGone."""
        try:
            if self.line.timeout != timeout_s:  # a system call, in real ports
                self.line.timeout = timeout_s
            data = self.line.read(max(1, self.line.in_waiting))
        except (serial.SerialException, OSError) as error:
            raise PortGone(self.port) from error
        self.heard += data
        self.wire_bytes += len(data)
        return bool(data)

    def write(self, data: bytes) -> None:
        """Raises PortGone, and NoAnswer when nobody takes it."""
        if not data:
            return
        try:
            self.line.write(data)
        except serial.SerialTimeoutException as error:
            raise NoAnswer(self.port) from error
        except (serial.SerialException, OSError) as error:
            raise PortGone(self.port) from error
        self.wire_bytes += len(data)

    def _hear(self, timeout_s: float) -> None:
        if not self.hear(timeout_s):
            raise NoAnswer(self.port)

    def _paste(self, code: bytes) -> None:
        (window,) = struct.unpack("<H", self.read(2))
        credit = window
        while code:
            while not credit or self.heard or self.line.in_waiting:
                if self.read(1) != _MORE:
                    raise NoAnswer(self.port)  # it gave up
                credit += window
            self.write(code[:credit])
            code, credit = code[credit:], max(0, credit - len(code))
        self.write(_END)
        self.read_until(_END)
