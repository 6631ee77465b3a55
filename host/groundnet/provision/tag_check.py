"""Whether a connected device can be bound here: asked before anything is written to it."""

from groundnet.link.device import Device, Identity
from groundnet.link.serial_link import SerialLink
from groundnet.provision.counter import Tag
from groundnet.provision.refusal import Refusal
from groundnet.provision.registry import BOUND, Record, Registry
from groundnet.provision.self_test import battery_mv
from groundnet.provision.subject import fits

ROLES = ("tag", "tracker")


def examine(link: SerialLink, registry: Registry) -> Tag:
    """Ask the device who it is and what its battery has; `operation` tests its other parts once it is written.

    Raises Refusal and the errors of the link.
    """
    device = Device(link)
    identity = device.identity()
    record = registry.by_device(identity.device_id)
    try:
        judge_identity(identity, record)
    except Refusal as refusal:
        refusal.device_id = identity.device_id
        raise
    return Tag(
        identity.device_id,
        identity.role,
        identity.board,
        identity.firmware,
        identity.capabilities,
        record.tag_id if record else "",
        None if identity.state == "locked" else battery_mv(device),
    )


def check_for(link: SerialLink, profile: str) -> None:
    """Whether the device can do what it is meant for and has the battery for it: asked before anything is written.

    Raises Refusal and the errors of the link.
    """
    device = Device(link)
    identity = device.identity()
    fits(profile, identity.capabilities)
    if identity.state != "locked":
        battery_mv(device)


def judge_identity(identity: Identity, record: Record | None) -> None:
    """What it says of itself against what the registry says. Raises Refusal."""
    if identity.role not in ROLES:
        raise Refusal("not_a_tag", identity.role)
    if record is None:
        if identity.state != "blank":
            raise Refusal("other_point")
        return
    if record.state not in BOUND:
        if identity.state == "locked" and record.state != "verified":
            raise Refusal("history", record.tag_id)
        return
    raise Refusal("already_bound" if identity.state == "locked" else "history", record.tag_id)
