"""Serial console of a virtual board: its receive buffer, its log, and a PTY for host programs."""

import contextlib
import os
import pty
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from groundnet.sim.line_rate import LineRate, Pipe
from groundnet.sim.world import World

_LOG_BYTES = 1 << 20
_BACKLOG_BYTES = 1 << 16
_DEAF_S = 0.5  # a host that reads nothing for so long is not there
_READ_BYTES = 4096
_ENDS = b"\x00\x01\x02\x03\x04\x05\r\n"  # of what a host says at once: a frame, a line, a key of the REPL


class Console:
    """Bytes to and from the board.

    ``listeners`` hear every piece of output. ``on_input`` tells the board that something arrived.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.listeners: list[Callable[[bytes], None]] = []
        self.on_input: Callable[[bytes], None] = lambda data: None
        self.host_spoke_last = False
        self._heard_last = 0
        self._log = bytearray()
        self._pty: Pty | None = None
        self._opening = threading.Lock()  # the world's thread and a host program's may both be the first
        self._in: Pipe | None = None  # both None: bytes take no time
        self._out: Pipe | None = None
        self._buffer_bytes: int | None = None
        self.lost = 0  # bytes that found the receive buffer full

    def limit(self, world: World, rate: LineRate | None) -> None:
        """Bytes take their time from now on, both ways."""
        self._in = rate and Pipe(world, rate, self._arrive)
        self._out = rate and Pipe(world, rate, self._deliver)
        self._buffer_bytes = rate and rate.buffer_bytes

    @property
    def under_way(self) -> bool:
        """True while bytes are on the line, either way."""
        return any(pipe is not None and pipe.under_way for pipe in (self._in, self._out))

    @property
    def busy_us(self) -> float:
        """How long the line has been in use; what passes both ways at once counts twice."""
        return sum(pipe.busy_us for pipe in (self._in, self._out) if pipe is not None)

    @property
    def log(self) -> str:
        """The last MiB of output, as text."""
        return self._log.decode(errors="replace")

    @property
    def pty_path(self) -> str:
        """Path of the serial device for host programs; opened on first use."""
        return self._open_pty().path

    def open_pty(self) -> "Pty":
        """The PTY, opened on first use."""
        return self._open_pty()

    @property
    def host_in_mid_word(self) -> bool:
        """True while the host spoke last and what it said has no end yet: the rest is still on its way."""
        return self.host_spoke_last and self._heard_last not in _ENDS

    def feed(self, data: bytes) -> None:
        """The host sends bytes."""
        self.host_spoke_last = True
        self._heard_last = data[-1]
        self._arrive(data) if self._in is None else self._in.put(data)

    def keep(self, byte: int) -> None:
        """A byte goes into the receive buffer, if there is room."""
        if self._buffer_bytes is not None and len(self.received) >= self._buffer_bytes:
            self.lost += 1
        else:
            self.received.append(byte)

    def reset(self, speaks_out: bool = False) -> None:
        """The chip is off or starts anew: what it had heard and not yet said is gone.

        Args:
            speaks_out: what it has said still goes out: ``esp_restart`` and deep sleep wait for the transmitter
                (ESP-IDF, ``esp_rom_uart_tx_wait_idle``).
        """
        self.received.clear()
        if self._out is not None and not speaks_out:
            self._out.stop()

    def show(self, data: bytes) -> None:
        """Bytes from the board go out."""
        self.host_spoke_last = False
        self._log += data
        del self._log[:-_LOG_BYTES]
        self._deliver(data) if self._out is None else self._out.put(data)

    def service(self) -> bool:
        """Take what host programs wrote to the PTY; True when there was something."""
        if self._pty is None:
            return False
        data = self._pty.read()
        if data:
            self.feed(data)
        return bool(data)

    def holders(self) -> frozenset[tuple[int, int]]:
        """(process, descriptor) of every host program that has the port open; none before it was opened."""
        return self._pty.holders() if self._pty is not None else frozenset()

    def close(self) -> None:
        if self._pty is not None:
            self._pty.close()
            self._pty = None

    def _arrive(self, data: bytes) -> None:
        self.on_input(data)

    def _deliver(self, data: bytes) -> None:
        if self._pty is not None:
            self._pty.write(data)
        for listener in self.listeners:
            listener(data)

    def _open_pty(self) -> "Pty":
        with self._opening:
            if self._pty is None:
                self._pty = Pty()
            return self._pty


class Pty:
    """The two ends of a pseudo-terminal in raw mode; host programs open ``path``."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        # The slave stays open here: host programs may come and go without a hang-up.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._backlog = bytearray()
        self._stuck_since_s: float | None = None

    def fileno(self) -> int:
        return self._master

    @property
    def congested(self) -> bool:
        """True while output waits for a host program that reads, only slowly: the board has to wait too."""
        self._flush()
        return self._stuck_since_s is not None and time.monotonic() - self._stuck_since_s < _DEAF_S

    def read(self) -> bytes:
        self._flush()
        try:
            return os.read(self._master, _READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Nobody may be reading: the oldest output is dropped then, as USB serial does."""
        self._backlog += data
        del self._backlog[:-_BACKLOG_BYTES]
        self._flush()

    def holders(self) -> frozenset[tuple[int, int]]:
        """(process, descriptor) of every one that has the slave open, but for this end's own; Linux only."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
                for descriptor in (process / "fd").iterdir():
                    if os.readlink(descriptor) == self.path:
                        found.add((int(process.name), int(descriptor.name)))
        return frozenset(found - {(os.getpid(), self._slave)})

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)

    def _flush(self) -> None:
        try:
            while self._backlog:
                del self._backlog[: os.write(self._master, self._backlog)]
                self._stuck_since_s = None
        except BlockingIOError:
            if self._stuck_since_s is None:
                self._stuck_since_s = time.monotonic()
