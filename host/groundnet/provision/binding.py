"""The three things a counter does to a connected tag: write it, hand it over, take it back."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from groundnet.link.device import Device
from groundnet.link.errors import PortGone
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision import recovery, self_test
from groundnet.provision.approval import Approval
from groundnet.provision.counter import Action, Counter, Event, News, Tag
from groundnet.provision.operation import Order, provision
from groundnet.provision.registry import BOUND, Registry
from groundnet.provision.subject import order_of


class _BeforeLock(Exception):
    """Everything is written and proved; what follows can no longer be undone."""


@dataclass(frozen=True)
class Binding:
    """What an open link and a registry are used for at one counter."""

    link: SerialLink
    registry: Registry
    install_point: str
    entropy: Entropy
    now_ms: Callable[[], int]

    def carry_out(self, action: Action, counter: Counter, approval: Approval | None) -> News:
        """Do it to the tag of the screen; returns what to tell the screen.

        Args:
            approval: of a second person, to take back a tag that is bound.

        Raises PortGone when another tag is connected by now, and what provisioning raises.
        """
        tag = counter.tag
        assert tag is not None  # the table asks for work on a tag only
        if Device(self.link).identity().device_id != tag.device_id:
            raise PortGone(self.link.port)
        if action is Action.UNDO:
            recovery.undo(self.link, self.registry, self.now_ms, approval)
            return News(Event.UNDONE)
        order = order_of(counter.draft, self.install_point, tag.capabilities)
        if action is Action.WRITE:
            return self._write(tag, order)
        record = provision(self.link, self.registry, order, entropy=self.entropy, now_ms=self.now_ms)
        return News(Event.LOCKED, tag_id=record.tag_id)

    def _write(self, tag: Tag, order: Order) -> News:
        """Write, read back, prove, test; the tag stays open, unless an attempt was cut off after it was locked."""
        works: list[str] = []
        with contextlib.suppress(_BeforeLock):
            provision(
                self.link,
                self.registry,
                order,
                _stop_before_lock,
                self.entropy,
                self.now_ms,
                lambda tests: works.extend(self_test.passed(tests)),
            )
        record = self.registry.by_device(tag.device_id)
        assert record is not None
        event = Event.LOCKED if record.state in BOUND else Event.WRITTEN
        return News(event, tag_id=record.tag_id, parts=tuple(works))


def _stop_before_lock(step: str) -> None:
    if step == "lock":
        raise _BeforeLock
