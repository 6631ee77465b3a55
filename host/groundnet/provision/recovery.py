"""After a crash, a pulled cable or a change of mind: ask the tag what it holds, then complete or undo the attempt."""

import secrets
import time
from collections.abc import Callable

from groundnet.errors import Text
from groundnet.link.device import Device, Identity
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision.approval import Approval
from groundnet.provision.operation import Order, provision, take_back
from groundnet.provision.refusal import ProvisionError
from groundnet.provision.registry import BOUND, Record, Registry, RegistryError

OPEN = ("reserved", "writing", "verified")  # states of an attempt that did not end


def unfinished(registry: Registry) -> list[Record]:
    """Devices whose last attempt was cut off, in the order of their tag ids."""
    return [record for record in registry.devices() if record.state in OPEN]


def resume(
    link: SerialLink,
    registry: Registry,
    progress: Callable[[str], None] = lambda step: None,
    entropy: Entropy = secrets.token_bytes,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> Record:
    """Complete what was ordered for the device at the link and cut off; a device that is bound already stays so.

    Raises RegistryError when nothing was begun, and what ``provision`` raises.
    """
    device = Device(link)
    identity = device.identity()
    record = _known(registry, identity)
    if record.state not in OPEN:
        if record.state in BOUND and identity.state == "locked":
            return record
        raise ProvisionError(
            Text(f"nothing is unfinished for {record.tag_id}", f"{record.tag_id} 没有未完成的操作"),
            Text("provision the device anew", "请重新写入该设备"),
        )
    return provision(link, registry, _ordered(registry, record, device), progress, entropy, now_ms)


def undo(
    link: SerialLink,
    registry: Registry,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    approval: Approval | None = None,
) -> Record:
    """Make the device at the link blank again and its row undone; owner and order are forgotten.

    The device first, the row after it: cut off between them, the next call finds a blank device and ends it. A device
    that was handed over belongs to somebody: it takes the approval of a second person (`approval`).

    Raises RegistryError, ProvisionError, ApprovalMissing and the errors of the link.
    """
    device = Device(link)
    identity = device.identity()
    record = _known(registry, identity)
    if record.state == "undone" and identity.state == "blank":
        return record
    bound = record.state in BOUND
    if bound:
        Approval.need(approval, record, now_ms())
    person = approval.supervisor if bound and approval is not None else ""
    return take_back(link, registry, record, now_ms, "release" if bound else "undo", person)


def _known(registry: Registry, identity: Identity) -> Record:
    record = registry.by_device(identity.device_id)
    if record is None:
        raise RegistryError(
            Text(f"device {identity.device_id.hex()} is not in the registry", "登记簿里没有该设备"),
            Text("provision it first", "请先写入该设备"),
        )
    return record


def _ordered(registry: Registry, record: Record, device: Device) -> Order:
    """What staff wanted when the attempt began; of older files the install point is the one that the device has."""
    pending = registry.pending(record.device_id) or {"install_point": device.provision().install_point}
    return Order(
        record.profile,
        record.plate,
        record.owner_phone,
        pending["install_point"],
        pending.get("settings", {}),
        record.consent,
    )
