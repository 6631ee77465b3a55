"""The serial link of every role: the console driver here, the logic in groundcore.service."""

import os
import time

import esp32
from apps import guard
from apps.run_loop import Part
from apps.version import VERSION
from drivers.console import Console
from groundcore import events, store
from micropython import const

import __main__

_BASE_ENTRY_BYTES = const(72)  # of NVS, see base_image.py


class Link(Part):
    """Carries out LINK_SEND, LINK_CLOSE, SELF_TEST, OPEN_CONSOLE, UPDATE and RESTART for the host at the serial line.

    Where the identity is locked the console is closed: it takes link frames and nothing else, until a host that
    has proved the secret asks for OPEN_CONSOLE. What opened it is forgotten by a restart.

    Args:
        loop: of this device.
        device: what the device says of itself, see groundcore/README.md.
        storage: where the records are.
        restart: resets the board.
    """

    actions = (
        (events.LINK_SEND, "send"),
        (events.LINK_CLOSE, "close"),
        (events.SELF_TEST, "test_parts"),
        (events.OPEN_CONSOLE, "open_console"),
        (events.RESTART, "restart"),
        (events.UPDATE, "update"),
    )

    def __init__(self, loop, device: dict, storage, restart):
        records = storage.load()
        identity = store.decode_identity(records[store.IDENTITY])
        self._locked = identity is not None and identity.locked
        self._console = Console(closed=self._locked)
        self._loop = loop
        self._device = device
        self._storage = storage
        self._tries = None  # made when a link opens, or now if there were wrong secrets
        if records[store.TRIES] not in (None, b"\x00"):
            self._count_tries(records)
        self._service = None  # made, and its code loaded, when a link opens
        self._stored = False  # something is new in flash: the core must start anew
        self._updates = None  # the same, when a host asks for an update
        self._buffer = bytearray(256)
        self.send = self._console.write
        self.restart = restart
        loop.say = self._say
        loop.watch(self._console.stream)
        subject = _on_trial(device)
        if subject is not None:
            from apps.trial import Trial
            from groundcore.settings import Settings

            current = Settings(records[store.SETTINGS], "none")
            loop.add("trial", lambda: Trial(loop, storage, current["trial_s"], restart, subject))

    @property
    def open(self) -> bool:
        return self._console.open

    def shut_ms(self) -> int:
        """How long no session opens because of wrong secrets."""
        return self._tries.left_ms(self._loop.clock.now_ms()) if self._tries else 0

    def open_console(self, duration_s: int) -> None:
        """Take text and Ctrl-C as soon as the link closes; a prompt is ended by the watchdog in time."""
        if self._locked:
            guard.prompt_end_ticks = time.ticks_add(time.ticks_ms(), duration_s * 1000)
            self._console.let_in(True)

    def close(self) -> None:
        self._console.close()
        self._forget()

    def _forget(self) -> None:
        self._service = None
        if self._updates is not None:
            self._updates.close()
            self._updates = None

    def update(self, request: str, values: dict) -> None:
        """What a host asks of an update."""
        from groundcore.bundle import Refused

        if self._updates is None:
            from apps.update import Updates  # a device at work pays nothing for it

            self._updates = Updates(self._device)
        updates = self._updates
        try:
            reply = updates.handle(request, values)
        except Refused as refusal:
            reply = {"code": refusal.args[0], "detail": refusal.args[1]}
        self._stored = self._stored or updates.restart
        if self._service is not None:
            self._loop.carry_out(self._service.updated(reply, updates.restart))

    def test_parts(self, names: list) -> None:
        """Run the self-test of each part in ``names``, of all when it is empty."""
        if self._service is None:
            return
        from apps import self_test

        results = self_test.run(self._loop, self._storage.load(), names)
        self._loop.carry_out(self._service.tested(results, self._loop.clock.now_ms()))

    def poll(self) -> None:
        if self._prompt_ms() == 0:
            guard.prompt_end_ticks = None
            self._console.let_in(False)
        count = self._console.read_into(self._buffer)
        if not self._console.open:
            if self._stored:
                self.restart()  # the host fell silent without a bye; what it wrote counts all the same
            self._forget()
            return
        if self._console.anew:
            self._console.anew = False
            self._forget()  # what the last host was allowed to, this one is not
        if self._service is None:
            from groundcore.service import Service  # a device at work pays nothing for it

            records = self._storage.load()
            if self._tries is None:
                self._count_tries(records)
            self._service = Service(self._device, records, os.urandom, self._tries)
        if count:
            actions = self._service.receive(bytes(self._buffer[:count]), self._loop.clock.now_ms())
            self._stored = self._stored or any(
                action[0] == events.STORE and action[1] != store.TRIES for action in actions
            )
            self._loop.carry_out(actions)

    def due_ms(self) -> int | None:
        due_ms = self._console.due_ms()
        return self._prompt_ms() if due_ms is None else due_ms

    def busy(self) -> bool:
        return self._console.open or guard.prompt_end_ticks is not None

    def _prompt_ms(self) -> int | None:
        """Milliseconds until a console that a host opened closes again; None: none is open."""
        if guard.prompt_end_ticks is None:
            return None
        return max(0, time.ticks_diff(guard.prompt_end_ticks, time.ticks_ms()))

    def _count_tries(self, records: dict) -> None:
        from groundwire.session import Tries

        record = records[store.TRIES]
        self._tries = Tries(record[0] if record else 0, self._loop.clock.now_ms())

    def _say(self, line: str) -> None:
        """A line of log text would tear the frames of an open link."""
        if not self._console.open:
            print(line)


def _on_trial(device: dict):
    """What is on trial at this start: the application, the base image, or None."""
    if getattr(__main__, "trial", False):  # set by main.py
        from apps.trial import Application

        return Application()
    try:
        esp32.NVS("groundnet").get_blob("base_trial", bytearray(_BASE_ENTRY_BYTES))
    except OSError:
        return None
    from apps import trial
    from apps.base_image import BaseShelf

    shelf = BaseShelf(dict(device, self_test=lambda: trial.passed), ())
    return shelf if shelf.pending() else None


# Of parts that the wire names otherwise than the board does.
_CAPABILITIES_OF = {"radio": ("radio_lora", "radio_gfsk"), "supply": ("external_power",)}


def describe(hardware, role: str, device_id: bytes) -> dict:
    """What a device says of itself."""
    parts = hardware.board["parts"]
    capabilities = []
    for name in parts:
        capabilities += _CAPABILITIES_OF.get(name, (name,))
    if role == "base":
        capabilities.append("wifi")
    return {
        "device_id": device_id,
        "role": role,
        "board": hardware.board["name"],
        "product": "groundnet " + role,
        "firmware": VERSION,
        "hardware_revision": 1,
        "capabilities": capabilities,
    }
