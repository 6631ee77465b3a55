"""The serial link of every role: the console driver here, the logic in groundcore.service."""

import os

from apps.run_loop import Part
from drivers.console import Console
from groundcore import events

FIRMWARE = "0.1.0"


class Link(Part):
    """Carries out LINK_SEND, LINK_CLOSE, SELF_TEST and RESTART for the host at the serial line.

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
        (events.RESTART, "restart"),
    )

    def __init__(self, loop, device: dict, storage, restart):
        self._console = Console()
        self._loop = loop
        self._device = device
        self._storage = storage
        self._service = None  # made, and its code loaded, when a link opens
        self._buffer = bytearray(256)
        self.send = self._console.write
        self.restart = restart
        loop.say = self._say
        loop.watch(self._console.stream)

    @property
    def open(self) -> bool:
        return self._console.open

    def close(self) -> None:
        self._console.close()
        self._service = None

    def test_parts(self, names: list) -> None:
        """Run the self-test of each part in ``names``, of all when it is empty."""
        if self._service is None:
            return
        now_ms = self._loop.clock.now_ms()
        results = []
        for name in names or self._loop.parts:
            results.append(_test(name, self._loop.parts.get(name)))
        self._loop.carry_out(self._service.tested(results, now_ms))

    def poll(self) -> None:
        count = self._console.read_into(self._buffer)
        if not self._console.open:
            self._service = None
            return
        if self._service is None:
            from groundcore.service import Service  # a device at work pays nothing for it

            self._service = Service(self._device, self._storage.load(), os.urandom)
        if count:
            data = bytes(self._buffer[:count])
            self._loop.carry_out(self._service.receive(data, self._loop.clock.now_ms()))

    def due_ms(self) -> int | None:
        return self._console.due_ms()

    def busy(self) -> bool:
        return self._console.open

    def _say(self, line: str) -> None:
        """A line of log text would tear the frames of an open link."""
        if not self._console.open:
            print(line)


def describe(hardware, role: str, device_id: bytes) -> dict:
    """What a device says of itself."""
    parts = hardware.board["parts"]
    capabilities = ["radio_lora" if name == "radio" else name for name in parts if name != "led"]
    return {
        "device_id": device_id,
        "role": role,
        "board": hardware.board["name"],
        "product": "groundnet " + role,
        "firmware": FIRMWARE,
        "hardware_revision": 1,
        "capabilities": capabilities,
    }


def _test(name: str, part) -> dict:
    if part is None:
        return {"part": name, "result": "skipped", "measured": 0, "text": "not fitted"}
    try:
        passed, measured, text = part.test()
    except part.errors as error:
        passed, measured, text = False, 0, str(error)
    return {"part": name, "result": "passed" if passed else "failed", "measured": measured, "text": text}
