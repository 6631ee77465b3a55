"""Who works is asked at the commands, too: name, PIN and role as at the counter's page; consent for what is worn."""

import json
import re

import pytest
from groundnet.cli import staff_door
from groundnet.cli.batch_report import BatchStopped
from groundnet.cli.provision import app
from groundnet.cli.registry_door import NotTold
from groundnet.errors import GroundnetError
from groundnet.provision import people
from groundnet.provision.approval import ApprovalMissing
from groundnet.provision.audit import Audit
from groundnet.provision.people import (
    IDLE_MS,
    MOST_WRONG,
    LockedOut,
    NotAllowed,
    People,
    PeopleError,
    SessionOver,
    WrongPin,
)
from groundnet.provision.refusal import Refusal
from groundnet.provision.registry import Registry
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import hold_while
from typer.testing import CliRunner

LI_NA = {"GROUNDNET_STAFF": "Li Na", "GROUNDNET_PIN": "1234"}
WANG = {"GROUNDNET_SUPERVISOR_PIN": "4711"}
WORN = ("--profile", "wearable", "--plate", "Wang Xiaoming", "--consent", "guardian")


class Point:
    """A registry with two people, and the commands on it."""

    def __init__(self, path):
        self.path = path
        registry = Registry(path)
        here = People(registry)
        here.add("Wang", "4711", "supervisor", 1)
        here.add("Li Na", "1234", "staff", 1, here.sign_in("Wang", "4711", 1))
        registry.close()

    def call(self, *words, **environment):
        done = CliRunner().invoke(app, [*words, "--registry", str(self.path)], env=environment)
        if isinstance(done.exception, GroundnetError):
            raise done.exception
        return done

    def audit(self):
        """Action, result, who and the second person of every row since the people came."""
        registry = Registry(self.path)
        try:
            return [(row.action, row.result, row.who, row.person) for row in Audit(registry).entries()][3:]
        finally:
            registry.close()


@pytest.fixture
def point(tmp_path, monkeypatch):
    monkeypatch.setitem(people._SCRYPT, "n", 16)
    return Point(tmp_path / "registry.db")


@pytest.fixture
def tag():
    """A worn tag, and a way to run a command at its port."""
    with device_on(Desk("tag", "wsl3_wearable")) as device:
        device.power_on()

        def at(job):
            return hold_while(device.board.world, [device.board], lambda: job(device.board.pty_path), 60, 60)

        yield at


def test_a_worn_tag_is_bound_with_consent_and_let_go_by_two_each_under_a_name_of_their_own(point, tag):
    done = tag(lambda port: point.call("one", port, *WORN, "--json", **LI_NA))
    assert json.loads(done.output)["state"] == "handed_over"
    registry = Registry(point.path)
    (record,) = registry.devices()
    registry.close()
    assert (record.plate, record.consent) == ("Wang Xiaoming", "guardian")
    with pytest.raises(ApprovalMissing):
        tag(lambda port: point.call("undo", port, **LI_NA))
    with pytest.raises(NotTold, match="GROUNDNET_SUPERVISOR_PIN"):
        tag(lambda port: point.call("undo", port, "--supervisor", "Wang", **LI_NA))
    with pytest.raises(NotAllowed):  # alone, with both PINs
        alone = {"GROUNDNET_STAFF": "Wang", "GROUNDNET_PIN": "4711", **WANG}
        tag(lambda port: point.call("undo", port, "--supervisor", "Wang", **alone))
    tag(lambda port: point.call("undo", port, "--supervisor", "Wang", **LI_NA, **WANG))
    rows = point.audit()
    assert ("handed_over", "done", "Li Na", "") in rows and rows[-1] == ("release", "done", "Li Na", "Wang")
    assert {who for action, _, who, _ in rows if action != "sign in"} == {"Li Na", "Wang"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--profile", "wearable", "--plate", "Wang Xiaoming"), "no_consent"),
        (("--profile", "sentry", "--plate", "Shop 12"), "unfit"),
        (("--profile", "livestock", "--plate", "12345"), "no_ear_tag"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(point, tag, words, reason):
    with pytest.raises(Refusal) as caught:
        tag(lambda port: point.call("one", port, *words, **LI_NA))
    assert caught.value.reason.name == reason
    assert {action for action, *_ in point.audit()} <= {"sign in"}


@pytest.mark.parametrize(
    "words", [("one", "/dev/null"), ("undo", "/dev/null"), ("resume", "/dev/null"), ("forget", "x")]
)
def test_nobody_works_without_a_name_and_the_right_pin(point, words):
    with pytest.raises(NotTold, match="GROUNDNET_STAFF"):
        point.call(*words)
    with pytest.raises(NotTold, match="GROUNDNET_PIN"):
        point.call(*words, "--staff", "Li Na")
    for _ in range(MOST_WRONG):
        with pytest.raises(WrongPin):
            point.call(*words, "--staff", "Li Na", GROUNDNET_PIN="1111")
    with pytest.raises(LockedOut):
        point.call(*words, **LI_NA)
    assert point.audit()[-1] == ("sign in", "wrong pin", "Li Na", "")


def test_a_name_where_nobody_is_known_is_named(point, tmp_path):
    with pytest.raises(PeopleError, match="knows no people"):
        point.path = tmp_path / "engineer.db"
        Registry(point.path).close()
        point.call("forget", "x", "--staff", "Li Na", GROUNDNET_PIN="1234")


def test_a_batch_at_which_nobody_works_any_more_ends(point, tmp_path, monkeypatch):
    (tmp_path / "herd.csv").write_text("plate\n云A00001\n", encoding="utf-8")
    words = ("batch", str(tmp_path / "herd.csv"), "--port", str(tmp_path))
    with pytest.raises(NotTold, match="GROUNDNET_STAFF"):
        point.call(*words)
    clock_ms = iter(range(1_000_000, 1 << 60, IDLE_MS + 1))
    monkeypatch.setattr(staff_door, "now_ms", lambda: next(clock_ms))
    with pytest.raises(BatchStopped):
        point.call(*words, **LI_NA)
    dry = re.sub(r"\s+", " ", point.call(*words, "--dry-run").output)
    assert "0 done, 1 left" in dry or "剩余 1" in dry  # looking is free


def test_who_works_stays_signed_in(point, monkeypatch):
    clock_ms = [1_000_000]
    monkeypatch.setattr(staff_door, "now_ms", lambda: clock_ms[0])
    monkeypatch.setenv("GROUNDNET_PIN", "1234")
    registry = Registry(point.path)
    staff = staff_door.sign_in(registry, "Li Na")
    for _ in range(3):
        clock_ms[0] += IDLE_MS - 1
        staff.stay(worked=True)
    clock_ms[0] += IDLE_MS - 1
    staff.stay(worked=False)
    clock_ms[0] += 2
    with pytest.raises(SessionOver):
        staff.stay(worked=False)
    registry.close()
