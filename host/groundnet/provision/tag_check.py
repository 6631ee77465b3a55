"""Whether a connected device can be bound here: asked before anything is written to it."""

from collections.abc import Sequence

from groundnet.link.device import Device, Identity
from groundnet.link.serial_link import SerialLink
from groundnet.provision.counter import Tag
from groundnet.provision.refusal import Refusal
from groundnet.provision.registry import BOUND, Record, Registry

ROLES = ("tag", "tracker")
# Below it an ER14505 and a lithium-polymer cell have a few percent left (curves in groundnet.sim.chips.battery).
LEAST_BATTERY_MV = 3300
# What these find depends on the room: there need be no network and no sky at a counter.
_OF_THE_PLACE = ("modem", "gnss", "network")


def examine(link: SerialLink, registry: Registry) -> Tag:
    """Ask the device who it is and how it is. Raises Refusal and the errors of the link."""
    device = Device(link)
    identity = device.identity()
    record = registry.by_device(identity.device_id)
    try:
        judge_identity(identity, record)
    except Refusal as refusal:
        refusal.device_id = identity.device_id
        raise
    tests = [] if identity.state == "locked" else device.self_test()
    judge_parts(tests)
    battery_mv = next((test["measured"] for test in tests if test["part"] == "battery"), None)
    return Tag(
        identity.device_id,
        identity.role,
        identity.board,
        identity.firmware,
        identity.capabilities,
        record.tag_id if record else "",
        battery_mv,
        tuple(test["part"] for test in tests if test["result"] == "passed"),
    )


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


def judge_parts(tests: Sequence[dict]) -> None:
    """What its self-test found. Raises Refusal: an empty battery, or a part that does not work."""
    for test in tests:
        if test["part"] == "battery" and test["measured"] < LEAST_BATTERY_MV:
            raise Refusal("battery_dead", f"{test['measured']} mV")
    for test in tests:
        if test["result"] == "failed" and test["part"] not in _OF_THE_PLACE:
            raise Refusal("part_failed", test["part"])
