"""What a central registry has to know of the devices bound here gets there, however long the line is away.

The registry itself is the outbox: each device that was ever bound has a revision, which grows with whatever happens to
it (handed over, new settings, forgotten, released), in the transaction in which it happens. What the central registry
has acknowledged is noted beside it. So there is no second place that could miss a row or keep one too many, and after
weeks offline each device is told once, as it is by then.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from groundnet.errors import GroundnetError, Text
from groundnet.provision import calls, document, identities, revisions
from groundnet.provision.audit import Audit
from groundnet.provision.record import Record, RegistryError
from groundnet.provision.registry import Registry
from groundnet.provision.revisions import Revision
from groundnet.provision.uplink import Answer, CentralError, Uplink

BATCH_RECORDS = 100
LONGEST_WAIT_S = 900.0
_FIRST_WAIT_S = 1.0
_REFUSED = Text("the central registry refuses records", "中心登记处拒绝了记录")


class RecordsRefused(GroundnetError):
    """Records that the central registry keeps otherwise, or cannot read."""


@dataclass
class Delivery:
    """What one call of ``deliver`` brought about.

    Args:
        refused: why, by operation.
        free: identities that are left here; None where the registry makes its own.
    """

    sent: int = 0
    known: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    free: int | None = None


@dataclass(frozen=True)
class Tidings:
    """A device of which something is to be told."""

    record: Record
    revision: Revision
    settings: dict[str, str]

    def document(self, personal: bool = False) -> dict[str, object]:
        """See document.write."""
        return document.write(self.record, self.revision, self.settings, personal)


def waiting(registry: Registry, everything: bool = False) -> list[Tidings]:
    """What is to be told, the oldest change first; with ``everything`` also what the centre has acknowledged."""
    with registry.transaction():  # nothing changes between revision and record
        found = [
            Tidings(record, number, registry.settings_of(device_id))
            for device_id, number in revisions.every(registry.database).items()
            if (everything or number.waits) and (record := registry.by_device(device_id)) is not None
        ]
    return sorted(found, key=lambda one: (one.revision.number, one.record.tag_id))


def deliver(
    registry: Registry,
    uplink: Uplink,
    now_ms: Callable[[], int],
    personal: bool = False,
    everything: bool = False,
) -> Delivery:
    """Tell what waits, batch by batch; what is acknowledged is noted before the next batch goes.

    Also without anything to tell it calls once, so that the centre knows that the point is well.

    Args:
        personal: tell plates, names and phones, too; the registry must be unlocked.
        everything: also what was acknowledged before, for a centre that was brought back from an old copy.

    Raises CentralError where it stops; what was acknowledged until then stays so.
    """
    if personal and registry.locked:
        raise RegistryError(
            Text("what leads to a person is sealed", "个人信息已上锁"),
            Text("unlock the registry, or leave --personal out", "请先解锁登记簿，或不用 --personal"),
        )
    delivery = Delivery(free=identities.free(registry))
    tidings = waiting(registry, everything)
    size = BATCH_RECORDS
    while True:
        batch = tidings[:size]
        status = calls.status_of(registry, delivery.free, len(tidings) - len(batch))
        try:
            answer = uplink.send([one.document(personal) for one in batch], status)
        except CentralError as error:
            if error.too_large and size > 1:
                size //= 2
                continue
            raise
        _keep(registry, batch, answer, delivery, now_ms())
        tidings = tidings[len(batch) :]
        if not tidings:
            return delivery


def _keep(
    registry: Registry, batch: Sequence[Tidings], answer: Answer, delivery: Delivery, now_ms: int
) -> None:
    delivery.refused |= answer.refused
    with registry.transaction():
        for one in batch:
            operation = one.record.operation
            if operation in answer.accepted or operation in answer.known:
                _acknowledged(registry, one, now_ms)
                delivery.sent += operation in answer.accepted
                delivery.known += operation in answer.known


def _acknowledged(registry: Registry, one: Tidings, now_ms: int) -> None:
    """Another program may have changed the device while it was told: then the next call tells that."""
    device_id = one.record.device_id
    unchanged = revisions.known(registry.database, device_id, one.revision.number)
    if unchanged and one.record.state == "handed_over":
        registry.advance(device_id, "synced", one.record.operation, now_ms)
    elif one.revision.waits:
        Audit(registry).append(
            now_ms, "told centre", tag_id=one.record.tag_id, operation=one.record.operation
        )


def pause_s(failures: int, asked_s: float | None, draw: random.Random) -> float:
    """How long to wait after so many failures in a row: doubling, never in step with others, as the server asks."""
    grown = min(LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures - 1, 20))
    return max(asked_s or 0.0, grown * (0.5 + draw.random() / 2))


def refused(delivery: Delivery) -> RecordsRefused:
    """The error that names the first refused record."""
    operation, told = next(iter(delivery.refused.items()))
    why = document.reason(told)
    return RecordsRefused(
        Text(f"{_REFUSED}: {len(delivery.refused)}, first {operation}: {why}",
             f"{_REFUSED.zh}：{len(delivery.refused)} 条，第一条 {operation}：{why.zh}"),
        Text("tell the central registry's operator the operation", "请把操作号告诉中心管理员"),
    )  # fmt: skip
