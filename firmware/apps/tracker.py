"""The tracker: powered by the vehicle, light sleep while parked and quiet."""

import os
import time

import machine
from apps import guard
from apps.battery import Battery
from apps.clock import Clock
from apps.extras import add_extras
from apps.hardware import Hardware, boot_cause, device_id
from apps.motion import Motion
from apps.radio import Radio
from apps.service import Link, describe
from apps.storage import Storage
from apps.supervisor import Supervisor
from apps.update_fetch import UpdateFetch
from board import BOARD
from groundcore import events, region, store
from groundcore.settings import Settings
from groundcore.tracker import Tracker
from micropython import const

_SAMPLE_RATE_MHZ = const(25_000)  # groundcore.motion.SAMPLE_HZ
_SERVICE_MS = const(10_000)  # after power-on: how long a host at the serial line may take to open a link


class TrackerApp:
    """Composition root of the tracker."""

    def __init__(self):
        cause = boot_cause()
        hardware = Hardware(BOARD)
        storage = Storage()
        records = storage.load()
        history = _history(hardware, records)
        plan = region.plan(Settings(records[store.SETTINGS], "none").text("region"))
        self._loop = loop = Supervisor(Tracker(device_id(), records, os.urandom), Clock())
        loop.rest = self._rest
        loop.add("storage", lambda: storage)
        if history is not None:
            loop.add("history", lambda: history)
        loop.add("accelerometer", lambda: Motion(loop, hardware, _SAMPLE_RATE_MHZ), Motion.errors)
        loop.add("radio", lambda: Radio(loop, hardware, plan=plan), Radio.errors)
        if hardware.part("gnss"):
            from apps.gnss import Gnss

            loop.add("gnss", lambda: Gnss(loop, hardware), Gnss.errors)
        if hardware.part("modem"):
            from apps.modem import Modem

            loop.add("modem", lambda: Modem(loop, hardware), Modem.errors)
        loop.add("battery", lambda: Battery(loop, hardware))
        add_extras(loop, hardware)
        device = describe(hardware, "tracker", device_id())
        loop.add("link", lambda: Link(loop, device, storage, machine.reset))
        loop.add("update", lambda: UpdateFetch(loop, device, machine.reset))
        loop.post(events.BOOT, cause)
        self._awake_until = time.ticks_add(time.ticks_ms(), _SERVICE_MS)

    def run(self) -> None:
        self._loop.run()

    def _rest(self, duration_ms: int) -> None:
        """UARTs hear nothing in light sleep, so it needs modem and receiver at rest."""
        if self._loop.busy() or time.ticks_diff(self._awake_until, time.ticks_ms()) > 0:
            self._loop.doze(duration_ms)
        else:
            self._loop.light_sleep(duration_ms)


def _history(hardware, records: dict):
    """What waits for the collector, into the records of the core; None on a board without a way there."""
    if not hardware.part("modem"):
        return None
    from apps.history import History

    history = History()
    records[store.HISTORY] = history.load()
    return history


def main() -> None:
    guard.run(TrackerApp)
