"""The console stream, shared by REPL text and link frames.

The host opens a link with one zero byte; the driver answers with one and switches Ctrl-C off, because frames
may contain 0x03. A zero byte never occurs in text. Ten seconds without a byte close the link. Three zero bytes in a
row, which no frame and no two frames have, open it anew: a host that was killed left it open, and the next one asks.

A closed console takes link frames only: Ctrl-C is never switched on, so nothing that is typed ends the program
and there is no way to a prompt, to raw mode or to the files.
"""

import select
import sys
import time

import micropython
from micropython import const

_SILENCE_MS = const(10_000)
_CTRL_C = const(3)
_OPEN = b"\x00"
_ANEW = const(3)  # zero bytes in a row


class Console:
    """The standard streams as a link.

    Args:
        stdin, stdout: binary streams; the console's own when None.
        closed: take no Ctrl-C outside links either.
    """

    def __init__(self, stdin=None, stdout=None, closed: bool = False):
        self.stream = sys.stdin if stdin is None else stdin
        self._stdin = sys.stdin.buffer if stdin is None else stdin
        self._stdout = sys.stdout.buffer if stdout is None else stdout
        self._poller = select.poll()
        self._poller.register(self.stream, select.POLLIN)
        self._byte = bytearray(1)
        self._heard_ms = 0
        self._zeros = 0  # in a row, since the link is open
        self.anew = False  # another host has opened an open link; whoever looks takes it back
        self.open = False
        self._closed = closed
        self.close()

    def read_into(self, into) -> int:
        """Move waiting link bytes into ``into``. Never blocks.

        Returns:
            The count; 0 while no link is open (what is typed at a running app is dropped, except Ctrl-C).

        Raises:
            KeyboardInterrupt: for a Ctrl-C that was typed before it was switched on.
        """
        count = 0
        while count < len(into) and self._poller.poll(0):
            # A read of n bytes blocks until n are there, so one at a time.
            if not self._stdin.readinto(self._byte):
                break
            if self.open:
                self._heard_ms = time.ticks_ms()
                into[count] = self._byte[0]
                count += 1
                self._zeros = 0 if self._byte[0] else self._zeros + 1
                if self._zeros == _ANEW:
                    self._zeros = 0
                    self.anew = True
                    self._stdout.write(_OPEN)
            elif self._byte[0] == 0:
                self._open()
            elif self._byte[0] == _CTRL_C and not self._closed:
                raise KeyboardInterrupt
        if self.open and self.due_ms() == 0:
            self.close()
        return count

    def write(self, data: bytes) -> None:
        """Send link bytes."""
        self._stdout.write(data)

    def close(self) -> None:
        """Back to text: Ctrl-C interrupts again, unless the console is closed."""
        self.open = False
        micropython.kbd_intr(-1 if self._closed else _CTRL_C)

    def let_in(self, allowed: bool) -> None:
        """Take Ctrl-C from now on, or no more; while a link is open, as soon as it closes."""
        self._closed = not allowed
        if not self.open:
            self.close()

    def due_ms(self) -> int | None:
        """Milliseconds until silence closes the link; None when it is closed."""
        if not self.open:
            return None
        return max(0, _SILENCE_MS - time.ticks_diff(time.ticks_ms(), self._heard_ms))

    def _open(self) -> None:
        self.open = True
        self._zeros = 0
        self._heard_ms = time.ticks_ms()
        micropython.kbd_intr(-1)
        self._stdout.write(_OPEN)
