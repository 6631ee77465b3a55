"""The finder: listens for one tag, shows and beeps how near it is; dark and in light sleep when left alone."""

import time

import machine
from apps import guard
from apps.alarm import Light, Siren
from apps.battery import Battery
from apps.clock import Clock, unix_s
from apps.finder_link import FinderLink
from apps.hardware import Hardware, boot_cause, device_id
from apps.inputs import add_inputs
from apps.radio import Radio
from apps.screen import Screen
from apps.service import describe
from apps.storage import Storage
from apps.supervisor import Supervisor
from board import BOARD
from groundcore import events, follow, follow_intake, store
from groundcore.finder import Finder
from micropython import const

_SERVICE_MS = const(60_000)  # after power-on and after it went dark: UARTs hear nothing in light sleep
_CLOCK_SET_S = const(1_700_000_000)  # a clock before that was never set


class FinderApp:
    """Composition root of the finder."""

    def __init__(self):
        cause = boot_cause()
        hardware = Hardware(BOARD)
        storage = Storage()
        records = storage.load(store.NAMES + follow.NAMES)
        now_s = unix_s()
        self._core = core = Finder(records, now_s if now_s >= _CLOCK_SET_S else None)
        self._loop = loop = Supervisor(core, Clock())
        loop.rest = self._rest
        loop.add("storage", lambda: storage)
        loop.add("display", lambda: Screen(hardware), Screen.errors)
        loop.add("radio", lambda: Radio(loop, hardware, boosted_gain=True, plan=core.plan), Radio.errors)
        loop.add("buzzer", lambda: Siren(loop, hardware, "buzzer"))
        loop.add("battery", lambda: Battery(loop, hardware))
        loop.add("led", lambda: Light(hardware))
        add_inputs(loop, hardware)
        device = dict(describe(hardware, "finder", device_id()), requests=follow_intake.REQUESTS)
        loop.add("link", lambda: FinderLink(loop, device, storage, machine.reset))
        loop.post(events.BOOT, cause)
        self._awake_until = time.ticks_add(time.ticks_ms(), _SERVICE_MS)

    def run(self) -> None:
        self._loop.run()

    def _rest(self, duration_ms: int) -> None:
        """Dark: the processor sleeps lightly; DIO1 and the button wake it. The radio goes on listening."""
        loop = self._loop
        if not self._core.dark:
            self._awake_until = time.ticks_add(time.ticks_ms(), _SERVICE_MS)
        elif time.ticks_diff(self._awake_until, time.ticks_ms()) <= 0 and self._only_radio():
            loop.light_sleep(duration_ms)
            return
        loop.doze(duration_ms)

    def _only_radio(self) -> bool:
        radio = self._loop.parts.get("radio")  # the supervisor may have made it anew
        others = [part for part in self._loop.parts.values() if part is not radio]
        return (radio is None or radio.waiting) and not any(part.busy() for part in others)


def main() -> None:
    guard.run(FinderApp)
