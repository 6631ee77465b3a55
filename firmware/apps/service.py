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
        self._stored = False  # something is new in flash: the core must start anew
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
        parts = self._loop.parts
        results = [_test(name, parts.get(name)) for name in names or parts]
        results = [result for result in results if names or result["result"] != "skipped"]
        self._loop.carry_out(self._service.tested(results, now_ms))

    def poll(self) -> None:
        count = self._console.read_into(self._buffer)
        if not self._console.open:
            if self._stored:
                self.restart()  # the host fell silent without a bye; what it wrote counts all the same
            self._service = None
            return
        if self._service is None:
            from groundcore.service import Service  # a device at work pays nothing for it

            self._service = Service(self._device, self._storage.load(), os.urandom)
        if count:
            actions = self._service.receive(bytes(self._buffer[:count]), self._loop.clock.now_ms())
            self._stored = self._stored or any(action[0] == events.STORE for action in actions)
            self._loop.carry_out(actions)

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
    if role == "base":
        capabilities.append("wifi")
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
    found = None
    if part is not None:
        try:
            found = part.test()
        except part.errors as error:
            found = False, 0, str(error)
    if found is None:
        return {"part": name, "result": "skipped", "measured": 0, "text": "not fitted"}
    passed, measured, text = found
    return {"part": name, "result": "passed" if passed else "failed", "measured": measured, "text": text}
