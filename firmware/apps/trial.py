"""The trial of a new version: it must pass its self-test and be confirmed in time, or it is taken back.

Loaded by a version on trial alone, of the application or of the base image. Every other end of a trial (crash, hang,
power cut) is seen by the boot loader at the next start; an application's watchdog runs since that started it.
"""

import time

from apps import self_test
from apps.boot_state import BootState
from apps.run_loop import Part
from micropython import const

import __main__

_SETTLE_MS = const(1_000)  # until the parts have begun
_TESTED = (
    "memory",
    "storage",
    "accelerometer",
    "radio",
    "battery",
    "clock",
    "key",
)  # makes no noise, needs no sky

passed = False  # the self-test


class Trial(Part):
    """Keeps the device awake until the trial is over.

    Args:
        limit_s: so long the version has for its confirmation.
        restart: resets the board; what is not confirmed is taken back then.
        subject: what is on trial: an Application, or a base_image.BaseShelf.
    """

    def __init__(self, loop, storage, limit_s: int, restart, subject):
        self._subject = subject
        self._pending = True
        self._loop = loop
        self._storage = storage
        self._limit_s = limit_s
        self._restart = restart
        self._began_ticks = time.ticks_ms()

    def poll(self) -> None:
        self._pending = self._subject.pending()
        if not self._pending:
            return
        ran_ms = time.ticks_diff(time.ticks_ms(), self._began_ticks)
        if not passed:
            if ran_ms >= _SETTLE_MS:
                self._test()
        elif getattr(self._loop.core, "answered", False):
            self._subject.confirm()  # the collector has answered: the way for the next update is open
        elif ran_ms >= self._limit_s * 1000:
            self._end("nobody confirmed it within %d s" % self._limit_s)

    def due_ms(self) -> int | None:
        return _SETTLE_MS if self._pending else None

    def busy(self) -> bool:
        return self._pending

    def _test(self) -> None:
        global passed
        fitted = [name for name in _TESTED if name in self._loop.parts or name in self._loop.missing]
        fitted += ("memory", "clock", "key")
        results = self_test.run(self._loop, self._storage.load(), fitted)
        for result in results:
            if result["result"] == "failed":
                self._end("self-test: %s: %s" % (result["part"], result["text"]))
                return
        passed = True

    def _end(self, reason) -> None:
        self._subject.condemn(reason)
        self._restart()


class Application:
    """The application that runs, while main.py says that it is on trial."""

    def pending(self) -> bool:
        return __main__.trial

    def confirm(self) -> None:
        """It is what runs from now on. Raises OSError."""
        from apps.update import manifest_of
        from groundcore.bundle import version

        state = BootState()
        manifest = manifest_of(state.trial)
        state.confirm(manifest["security_counter"], version(manifest["least_version"]))
        __main__.trial = False

    def condemn(self, reason: str) -> None:
        BootState().condemn(reason)
