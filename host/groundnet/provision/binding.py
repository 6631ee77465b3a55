"""The three things a counter does to a connected tag: write it, hand it over, take it back."""

import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from groundnet.link.device import Device
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision.operation import Order, provision
from groundnet.provision.registry import Record, Registry


class _BeforeLock(Exception):
    """Everything is written and proved; what follows can no longer be undone."""


@dataclass(frozen=True)
class Binding:
    """One owner's order for one device, on an open link."""

    link: SerialLink
    registry: Registry
    entropy: Entropy = secrets.token_bytes
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def write(self, device_id: bytes, order: Order) -> Record | None:
        """Write, read back, prove; the device stays open. Raises ProvisionError and the errors of the link."""
        with contextlib.suppress(_BeforeLock):
            provision(self.link, self.registry, order, _stop_before_lock, self.entropy, self.now_ms)
        return self.registry.by_device(device_id)

    def hand_over(self, order: Order) -> Record:
        """Lock it: from now on it belongs to its owner."""
        return provision(self.link, self.registry, order, entropy=self.entropy, now_ms=self.now_ms)

    def undo(self, device_id: bytes) -> None:
        """Make the device blank again, inside a session; the row is free for the next order."""
        record = self.registry.by_device(device_id)
        device = Device(self.link)
        if record is None or device.identity().state == "blank":
            return
        secret = record.secret.reveal()
        self.link.authenticate(device_id, secret)
        device.erase(secret)
        self.registry.advance(device_id, "undone", record.operation, self.now_ms())


def _stop_before_lock(step: str) -> None:
    if step == "lock":
        raise _BeforeLock
