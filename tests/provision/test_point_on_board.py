"""An install point and a tag on real MicroPython: cut off, completed, taken back by two people, bound anew."""

import pytest
from groundnet.image.firmware_image import default_board
from groundnet.link.device import Device
from groundnet.link.serial_link import SerialLink
from groundnet.provision import blocks, people, point, signing
from groundnet.provision.approval import ApprovalMissing, approve
from groundnet.provision.audit import Audit
from groundnet.provision.operation import Order, provision
from groundnet.provision.people import People
from groundnet.provision.recovery import resume, undo
from groundnet.provision.registry import Registry
from groundnet.provision.vault import Cost
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import hold_while

PASSPHRASE = "seven tired horses"
ORDER = Order("vehicle", "云A12345", "+8613800000000", "dealer 12", {"language": "en"})
NOW_MS = 1_700_000_000_000


class CableIsPulled(Exception):
    """By the test."""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The unlocked registry of a point with five identities and two people."""
    monkeypatch.setitem(people._SCRYPT, "n", 16)
    central, mine = Registry(tmp_path / "central.db"), Registry(tmp_path / "point.db", who="Li Na")
    made = point.init(mine, "dealer 12", PASSPHRASE, 1, cost=Cost(8, 1, 1))
    signing.trust(mine, signing.own(central), 1)
    blocks.load(mine, blocks.issue(central, made, 5, 1), 1)
    central.close()
    staff = People(mine)
    staff.add("Wang", "4711", "supervisor", 1)
    staff.add("Li Na", "1234", "staff", 1, staff.sign_in("Wang", "4711", 1))
    mine.close()
    return mine.address


def test_a_tag_is_cut_off_completed_released_and_bound_anew(here):
    with device_on(Desk("tag", default_board("tag"))) as device:

        def talk(job):
            device.power_off()
            device.power_on()

            def work():
                registry = Registry(here, who="Li Na")
                try:
                    registry.unlock(PASSPHRASE)
                    with SerialLink(device.board.pty_path, 20.0) as link:
                        return job(link, registry)
                finally:
                    registry.close()

            return hold_while(device.board.world, [device.board], work)

        def begin(link, registry):
            def progress(step):
                if step == "prove":
                    raise CableIsPulled

            provision(link, registry, ORDER, progress, now_ms=lambda: NOW_MS)

        def release(link, registry):
            (record,) = registry.devices()
            with pytest.raises(ApprovalMissing):
                undo(link, registry, lambda: NOW_MS)
            leave = approve(registry, People(registry), "Li Na", "Wang", "4711", record, NOW_MS)
            return undo(link, registry, lambda: NOW_MS, leave)

        def look(link, registry):
            return Device(link).identity().state, Device(link).settings()["owner_phone"]

        with pytest.raises(CableIsPulled):
            talk(begin)
        bound = talk(lambda link, registry: resume(link, registry, now_ms=lambda: NOW_MS))
        assert (bound.state, bound.plate) == ("handed_over", "云A12345")
        assert talk(release).state == "undone"
        assert talk(look) == ("blank", ""), "nothing of the owner stays on the tag"
        again = talk(lambda link, registry: provision(link, registry, ORDER, now_ms=lambda: NOW_MS))
        assert (again.tag_id, again.state) == (bound.tag_id, "handed_over")

    registry = Registry(here)
    registry.unlock(PASSPHRASE)
    done = [entry.action for entry in Audit(registry).entries(bound.tag_id)]
    assert done == [
        *("reserve", "writing", "writing", "verified", "handed_over"),
        *("approve", "release", "writing", "verified", "handed_over"),
    ]
    assert Audit(registry).verify().keyed == Audit(registry).verify().length
    registry.close()
