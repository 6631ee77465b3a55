"""The GNSS receiver between driver and core: bytes in, power states out."""

import time

from apps.run_loop import Part
from drivers.l76k import L76k, L76kError
from groundcore import events
from micropython import const

_SILENT_MS = const(10_000)  # a receiver at work says something each second
_HUNG_MS = const(5_000)  # so much silence ends in a reset, before anybody else need hear of it
_AWAKE_MS = const(2_000)  # who still speaks so long after it was put to rest did not obey, or woke by itself


class Gnss(Part):
    """Carries out GNSS_ON and GNSS_STANDBY."""

    actions = (
        (events.GNSS_ON, "run"),
        (events.GNSS_STANDBY, "rest"),
    )
    errors = (L76kError, OSError)

    def __init__(self, loop, hardware):
        entry = hardware.part("gnss")
        uart = hardware.uart(entry["uart"])
        self._receiver = L76k(uart, hardware.output(entry["wakeup"], 0), hardware.output(entry["reset"], 1))
        self._loop = loop
        self._buffer = bytearray(512)
        self._heard = 0
        self._rested_ticks = time.ticks_ms()
        self.run = self._receiver.run
        loop.watch(uart)

    def rest(self) -> None:
        self._rested_ticks = time.ticks_ms()
        self._receiver.standby()

    def poll(self) -> None:
        count = self._receiver.read_into(self._buffer)
        if count and not self._receiver.running:
            if time.ticks_diff(time.ticks_ms(), self._rested_ticks) >= _AWAKE_MS:
                self.rest()  # nobody wants it: it is never left on
        elif count:
            self._heard += count
            self._loop.post(events.GNSS_BYTES, bytes(self._buffer[:count]))
        elif self._receiver.silent_ms() >= _HUNG_MS:
            self._receiver.hardware_reset()

    def due_ms(self) -> int | None:
        return max(0, _HUNG_MS - self._receiver.silent_ms()) if self._receiver.running else None

    def expects_ms(self) -> int | None:
        return _SILENT_MS if self._receiver.running else None

    def busy(self) -> bool:
        return self._receiver.running

    def test(self) -> tuple:
        """Bytes heard since start; a receiver in standby says nothing, so none is no failure then."""
        return self._heard > 0 or not self._receiver.running, self._heard, "bytes"
