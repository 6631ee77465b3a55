"""What was handed over here goes to a central registry, exactly once, however long the line is away.

The registry itself is the outbox: what is `handed_over` waits, what the central registry has acknowledged is `synced`.
So there is no second place that could miss a row or keep one too many. Each record travels under the id of the
operation that bound it; the central side keeps one record for each such id, whatever is sent again.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from groundnet.errors import GroundnetError, Text
from groundnet.provision.record import Record, RegistryError
from groundnet.provision.registry import Registry
from groundnet.provision.uplink import Answer, CentralError, Uplink

BATCH_RECORDS = 100
LONGEST_WAIT_S = 900.0
_FIRST_WAIT_S = 1.0
_REFUSED = Text("the central registry refuses records", "中心登记处拒绝了记录")


class RecordsRefused(GroundnetError):
    """Records that the central registry keeps otherwise, or cannot read."""


@dataclass
class Delivery:
    """What one call of ``deliver`` brought about; ``refused`` is why, by operation."""

    sent: int = 0
    known: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def waiting(registry: Registry) -> list[Record]:
    """What is to be sent, the oldest first."""
    records = [record for record in registry.devices() if record.state == "handed_over"]
    return sorted(records, key=lambda record: (record.changed_ms, record.tag_id))


def document(record: Record, personal: bool) -> dict[str, object]:
    """What the central registry gets of a record: never the secret; owner data only with ``personal``.

    It stays the same for an operation, whenever it is sent.
    """
    said: dict[str, object] = {
        "operation": record.operation,
        "tag_id": record.tag_id,
        "device_id": record.device_id.hex(),
        "role": record.role,
        "board": record.board,
        "profile": record.profile,
        "handed_over_ms": record.changed_ms,
    }
    if personal:
        said |= {"subject": record.plate, "owner_phone": record.owner_phone, "consent": record.consent}
    return said


def deliver(
    registry: Registry, uplink: Uplink, now_ms: Callable[[], int], personal: bool = False
) -> Delivery:
    """Send what waits, batch by batch; what is acknowledged is `synced` before the next batch goes.

    Raises CentralError where it stops; what was acknowledged until then stays so.
    """
    if personal and registry.locked:
        raise RegistryError(
            Text("what leads to a person is sealed", "个人信息已上锁"),
            Text("unlock the registry, or leave --personal out", "请先解锁登记簿，或不用 --personal"),
        )
    delivery = Delivery()
    records = waiting(registry)
    size = BATCH_RECORDS
    while records:
        batch = records[:size]
        try:
            answer = uplink.send([document(record, personal) for record in batch])
        except CentralError as error:
            if error.too_large and size > 1:
                size //= 2
                continue
            raise
        _keep(registry, batch, answer, delivery, now_ms())
        records = records[len(batch) :]
    return delivery


def _keep(
    registry: Registry, batch: Sequence[Record], answer: Answer, delivery: Delivery, now_ms: int
) -> None:
    delivery.refused |= answer.refused
    with registry.transaction():
        for record in batch:
            if record.operation in answer.accepted or record.operation in answer.known:
                registry.advance(record.device_id, "synced", record.operation, now_ms)
                delivery.sent += record.operation in answer.accepted
                delivery.known += record.operation in answer.known


def pause_s(failures: int, asked_s: float | None, draw: random.Random) -> float:
    """How long to wait after so many failures in a row: doubling, never in step with others, as the server asks."""
    grown = min(LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures - 1, 20))
    return max(asked_s or 0.0, grown * (0.5 + draw.random() / 2))


def refused(delivery: Delivery) -> RecordsRefused:
    """The error that names the first refused record."""
    operation, why = next(iter(delivery.refused.items()))
    return RecordsRefused(
        Text(f"{_REFUSED}: {len(delivery.refused)}, first {operation}: {why}",
             f"{_REFUSED.zh}：{len(delivery.refused)} 条，第一条 {operation}：{why}"),
        Text("tell the central registry's operator the operation", "请把操作号告诉中心管理员"),
    )  # fmt: skip
