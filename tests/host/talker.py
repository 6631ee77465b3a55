"""A device on a PTY that talks and never listens."""

import contextlib
import os
import pty
import threading
import tty


class Talker:
    """A device that says its text until the test is over, and keeps what was written to it."""

    def __init__(self, text):
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._say, args=(text,), daemon=True)
        self._thread.start()

    def _say(self, text):
        while not self._over.wait(0.02):
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, text)

    def heard(self):
        try:
            return os.read(self._master, 4096)
        except BlockingIOError:
            return b""

    def close(self):
        self._over.set()
        self._thread.join(5)
        os.close(self._master)
        os.close(self._slave)
