"""A tag whose firmware logic runs in this process, and a blow that falls at any one step of what is done to it.

Steps are: every request before the tag hears it and when its reply is lost, every record that the tag puts into flash,
every statement that changes the registry, and every commit once it is on disk.
"""

import contextlib
import itertools

from groundnet.link.serial_link import SerialLink
from groundnet.provision.registry import Registry
from groundnet.sim import groundcore_runtime
from groundwire import frame

events, service, store = (groundcore_runtime.load(name) for name in ("events", "service", "store"))

_CHANGES = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """The process is gone; nothing that follows may catch it and go on."""


class Blow:
    """Falls at step ``at``, and stays fallen. With None it only counts and names the steps.

    ``strike`` is what it does; it does not come back.
    """

    def __init__(self, at=None, strike=None):
        self._at = at
        self._strike = strike or self._raise
        self.steps = []
        self.fell = False

    def _raise(self):
        raise Killed(self.steps[-1])

    def step(self, name):
        if self.fell:
            raise Killed
        self.steps.append(name)
        if self._at is not None and len(self.steps) > self._at:
            self.fell = True
            self._strike()


class MemoryTag:
    """A tag's flash and, while a link is open, its service."""

    def __init__(self, number=1):
        self.device_id = number.to_bytes(8, "big")
        self.flash = dict.fromkeys(store.NAMES)
        self.tests = [{"part": "battery", "result": "passed", "measured": 3600, "text": ""}]
        self._numbers = itertools.count(1)

    def open(self):
        device = {
            "device_id": self.device_id,
            "role": "tag",
            "board": "xiao_c3_sx1262",
            "product": "groundnet tag",
            "firmware": "0.1.0",
            "hardware_revision": 1,
            "capabilities": ["accelerometer", "radio_lora"],
        }
        return service.Service(device, self.flash, lambda count: bytes([next(self._numbers) & 0xFF]) * count)

    @property
    def identity(self):
        """What flash holds of its identity, None when it is blank."""
        return store.decode_identity(self.flash[store.IDENTITY])

    @property
    def state(self):
        return "blank" if self.identity is None else "locked" if self.identity.locked else "provisioned"


class MemoryLink(SerialLink):
    """A link to a MemoryTag."""

    def __init__(self, tag, blow):
        self.port = "memory"
        self._timeout_s = 1.0
        self._entropy = _counting()
        self._decoder = frame.Decoder(capacity=4400, accept=frame.REPLIES)
        self._sequence = 0
        self._session = None
        self._tag = tag
        self._blow = blow
        self._service = tag.open()
        self._heard = b""

    def _write(self, data):
        self._blow.step("request")
        for action in self._service.receive(data, 1000):
            if action[0] == events.STORE:
                self._tag.flash[action[1]] = action[2]
                self._blow.step(f"flash {action[1]}")
            elif action[0] == events.LINK_SEND:
                self._heard += action[1]
            elif action[0] == events.SELF_TEST:
                self._heard += b"".join(told[1] for told in self._service.tested(self._tag.tests, 1000))
        self._blow.step("reply")

    def _read(self, most):
        heard, self._heard = self._heard[:most], self._heard[most:]
        return heard


def _counting():
    numbers = itertools.count(1)
    return lambda count: next(numbers).to_bytes(count, "big")


class CutDatabase:
    """A store on which the blow may fall."""

    def __init__(self, store, blow):
        self._store = store
        self._blow = blow

    def execute(self, statement, *values):
        word = statement.split(maxsplit=1)[0]
        if word in _CHANGES:
            self._blow.step(f"registry {word}")
        elif self._blow.fell:
            raise Killed
        return self._store.execute(statement, *values)

    @contextlib.contextmanager
    def transaction(self):
        self._blow.step("registry BEGIN")
        with self._store.transaction():
            yield
            self._blow.step("registry COMMIT")
        self._blow.step("registry committed")

    def __getattr__(self, name):
        return getattr(self._store, name)


class Point:
    """An install point's registry and one tag on its counter."""

    def __init__(self, path, passphrase=None):
        self.path = path
        self.passphrase = passphrase
        self.tag = MemoryTag()

    def begin_as(self, other):
        """Registry and tag are as at another point."""
        if other.path.exists():
            self.path.write_bytes(other.path.read_bytes())
        self.tag.flash = dict(other.tag.flash)

    @contextlib.contextmanager
    def open(self):
        registry = Registry(self.path, who="Li Na")
        try:
            if self.passphrase:
                registry.unlock(self.passphrase)
            yield registry
        finally:
            registry.close()

    def run(self, job, blow=None):
        """A program that does ``job(link, registry)`` and may be killed; whether it came to its end."""
        blow = blow or Blow()
        with self.open() as registry:
            real = registry.database
            registry.database = CutDatabase(real, blow)
            try:
                job(MemoryLink(self.tag, blow), registry)
            except Killed:
                return False
            finally:
                registry.database = real
        return True
