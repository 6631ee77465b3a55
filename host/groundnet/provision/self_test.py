"""What a device's own test of its parts means for whoever is to be given it."""

from collections.abc import Sequence

from groundnet.link.device import Device
from groundnet.provision.refusal import Refusal

# Below it an ER14505 and a lithium-polymer cell have a few percent left (curves in groundnet.sim.chips.battery).
LEAST_BATTERY_MV = 3300
# What these find depends on the room: there need be no network and no sky at a counter.
_OF_THE_PLACE = ("modem", "gnss", "network")


def battery_mv(device: Device) -> int | None:
    """What the battery has, None where there is none to measure; takes a few milliseconds.

    Raises Refusal for one that is empty, and the errors of the link.
    """
    tests = device.self_test(("battery",))
    judge(tests)
    return next((test["measured"] for test in tests if test["result"] != "skipped"), None)


def passed(tests: Sequence[dict]) -> tuple[str, ...]:
    """The parts that work."""
    return tuple(test["part"] for test in tests if test["result"] == "passed")


def judge(tests: Sequence[dict]) -> None:
    """What a self-test found. Raises Refusal: an empty battery, or a part that does not work."""
    for test in tests:
        if test["part"] == "battery" and test["result"] != "skipped" and test["measured"] < LEAST_BATTERY_MV:
            raise Refusal("battery_dead", f"{test['measured']} mV")
    for test in tests:
        if test["result"] == "failed" and test["part"] not in _OF_THE_PLACE:
            raise Refusal("part_failed", test["part"])
