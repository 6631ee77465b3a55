"""The tag: deep sleep between events. RAM is lost each time; the core lives on in the memory of the RTC."""

import os
import struct
import time

import esp32
import machine
from apps import guard
from apps.battery import Battery
from apps.clock import Clock
from apps.hardware import Hardware, boot_cause, device_id
from apps.motion import Motion
from apps.radio import Radio
from apps.run_loop import RunLoop
from apps.storage import Storage
from board import BOARD
from groundcore import events
from groundcore.tag import Tag, restore
from micropython import const

_SAMPLE_RATE_MHZ = const(12_500)
_SERVICE_MS = const(5_000)  # after power-on: how long a host at the serial line may take to open a link
_BLANK_SERVICE_MS = const(600_000)  # the same for a tag without identity
_KEPT = "<4sqB56s"  # mark, origin of the clock, flags, the radio's ledger; the core's snapshot follows
_KEPT_BYTES = const(69)
_USUAL_PARTS = const(3)  # accelerometer, radio, battery
_MARK = b"GNT3"
_ARMED = const(0x01)  # flag: the wake-up interrupt; above it 1 << INPUT_... of every active input
_DEAF = const(0x80)  # flag: the accelerometer did not take its settings; the next wake-up sets it up anew


class TagApp:
    """Composition root of the tag."""

    def __init__(self):
        hardware = Hardware(BOARD)
        storage = Storage()
        core, origin_ms, flags, spent = _restore()
        armed = bool(flags & _ARMED)
        woke = core is not None
        set_up = woke and not flags & _DEAF
        self._core = core if core is not None else Tag(storage.load(), os.urandom)
        self._loop = loop = RunLoop(self._core, Clock(origin_ms))
        loop.rest = self._rest
        loop.add("storage", lambda: storage)
        make, rate_mhz = Motion, _SAMPLE_RATE_MHZ
        if self._core.watches_falls:
            from apps.fall_motion import RATE_MHZ, FallMotion  # the usual tag pays no heap for it

            make, rate_mhz = FallMotion, RATE_MHZ
        self._motion = loop.add(
            "accelerometer", lambda: make(loop, hardware, rate_mhz, set_up, armed), Motion.errors
        )
        plan = self._core.plan
        self._radio = loop.add(
            "radio", lambda: Radio(loop, hardware, woke, plan=plan, spent=spent), Radio.errors
        )
        loop.add("battery", lambda: Battery(loop, hardware))
        self._extra_parts = len(BOARD["parts"]) > _USUAL_PARTS
        if self._extra_parts:
            from apps.extras import add_extras  # the usual tag pays no heap for it

            add_extras(loop, hardware, flags)
        self._awake_until = time.ticks_ms()
        if woke:
            loop.post(events.BOOT, events.BOOT_WAKE)
        else:
            self._open_service_window(hardware, storage)
            loop.post(events.BOOT, boot_cause())

    def run(self) -> None:
        self._loop.run()

    def _open_service_window(self, hardware, storage) -> None:
        """After power-on or reset a host at the serial line has a while to open a link."""
        from apps.service import Link, describe

        loop = self._loop
        device = describe(hardware, "tag", device_id())
        link = loop.add("link", lambda: Link(loop, device, storage, machine.reset))
        service_ms = _SERVICE_MS if self._core.snapshot() else _BLANK_SERVICE_MS
        if link is not None:
            service_ms += link.shut_ms()  # the owner must be able to wait for the next try
        self._awake_until = time.ticks_add(time.ticks_ms(), service_ms)

    def _rest(self, duration_ms: int) -> None:
        """As deep a sleep as what is going on allows."""
        loop = self._loop
        service_ms = time.ticks_diff(self._awake_until, time.ticks_ms())
        if service_ms > 0 or (loop.busy() and not self._radio_alone()):
            loop.doze(duration_ms)
        elif loop.busy():
            loop.light_sleep(duration_ms)
        elif duration_ms:
            self._deep_sleep()

    def _radio_alone(self) -> bool:
        """Only the radio is at work, and its pin will tell when it is done."""
        radio = self._radio
        return (
            radio is not None
            and radio.waiting
            and not any(part.busy() for part in self._loop.parts.values() if part is not radio)
        )

    def _deep_sleep(self) -> None:
        loop = self._loop
        snapshot = self._core.snapshot()
        motion = self._motion
        flags = _ARMED if motion is not None and motion.armed else 0
        if motion is None or not motion.sound:
            flags |= _DEAF
        if self._extra_parts:
            from apps.inputs import active_inputs

            flags |= active_inputs(loop)
        spent = self._radio.ledger.pack() if self._radio is not None else b""
        machine.RTC().memory(struct.pack(_KEPT, _MARK, loop.clock.origin_ms, flags, spent) + snapshot)
        deadline_ms = self._core.next_deadline()
        if BOARD["chip"] == "esp32s3":  # its deep sleep hears the RTC's pads only
            loop.arm_wake_pins(esp32.wake_on_ext1)
        else:
            loop.arm_wake_pins()
        if deadline_ms is None:
            machine.deepsleep()
        else:
            machine.deepsleep(max(1, deadline_ms - loop.clock.now_ms()))


def _restore() -> tuple:
    """(core, origin of the clock, flags, ledger) after a deep sleep; core None: nothing whole to go on with."""
    kept = machine.RTC().memory()
    if machine.reset_cause() != machine.DEEPSLEEP_RESET or kept[:4] != _MARK:
        return None, 0, 0, b""
    _, origin_ms, flags, spent = struct.unpack_from(_KEPT, kept, 0)
    return restore(kept[_KEPT_BYTES:], os.urandom), origin_ms, flags, spent


def main() -> None:
    guard.run(TagApp)
