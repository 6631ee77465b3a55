"""A second person's leave to take a bound tag from its owner: that is how stolen goods would be laundered."""

from dataclasses import dataclass

from groundnet.errors import GroundnetError, Text
from groundnet.provision.audit import Audit
from groundnet.provision.people import NotAllowed, People
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry

VALID_MS = 5 * 60_000


class ApprovalMissing(GroundnetError):
    """The device is bound, and no second person has agreed."""

    def __init__(self, record: Record) -> None:
        super().__init__(
            Text(f"{record.tag_id} is bound to its owner", f"{record.tag_id} 已绑定给用户"),
            Text(
                "have a supervisor who is not the operator approve it",
                "请由另一位主管批准（不能是操作员本人）",
            ),
        )


@dataclass(frozen=True)
class Approval:
    """A supervisor's leave for one device and one attempt, for VALID_MS. Made by ``approve`` alone."""

    device_id: bytes
    operation: str
    operator: str
    supervisor: str
    granted_ms: int

    @staticmethod
    def need(approval: "Approval | None", record: Record, now_ms: int) -> None:
        """Raises ApprovalMissing unless it is for this device as it is bound now, by two people, and fresh."""
        if (
            approval is None
            or (approval.device_id, approval.operation) != (record.device_id, record.operation)
            or approval.operator == approval.supervisor
            or not 0 <= now_ms - approval.granted_ms <= VALID_MS
        ):
            raise ApprovalMissing(record)


def approve(
    registry: Registry, people: People, operator: str, supervisor: str, pin: str, record: Record, now_ms: int
) -> Approval:
    """A supervisor, another one than the operator, agrees with a PIN of his own.

    Raises NotAllowed, WrongPin, LockedOut, VaultLocked.
    """
    person = people.prove(supervisor, pin, now_ms)
    if person.role != "supervisor" or person.name == operator:
        Audit(registry).append(
            now_ms, "approve", "refused", record.tag_id, record.operation, operator, person=person.name
        )
        raise NotAllowed
    Audit(registry).append(
        now_ms, "approve", "done", record.tag_id, record.operation, operator, person=person.name
    )
    return Approval(record.device_id, record.operation, operator, person.name, now_ms)
