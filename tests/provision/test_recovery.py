"""Killed or unplugged at every single step: the next start completes or undoes, and nothing is lost or doubled."""

import contextlib
import itertools
import os
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from groundnet.link.device import Device
from groundnet.provision import blocks, people, point, signing
from groundnet.provision.approval import ApprovalMissing, approve
from groundnet.provision.audit import Audit
from groundnet.provision.operation import Order, provision
from groundnet.provision.people import NotAllowed, People
from groundnet.provision.recovery import resume, undo, unfinished
from groundnet.provision.refusal import NotProven, ProvisionError, Refusal
from groundnet.provision.registry import Registry, RegistryError
from groundnet.provision.vault import Cost

from provision.crash_bench import Blow, MemoryTag, Point

PASSPHRASE = "seven tired horses"
CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
ORDER = Order("vehicle", "云A12345", "+8613800000000", "dealer 12", {"language": "zh"})
MANY = 1000  # more steps than any operation has


def now_ms():
    return 1_700_000_000_000


def write(link, registry):
    provision(link, registry, ORDER, now_ms=now_ms)


def complete(link, registry):
    """What a program does that was started again: go on with what was begun, or begin."""
    if unfinished(registry):
        resume(link, registry, now_ms=now_ms)
    else:
        write(link, registry)


def take_back(link, registry):
    undo(link, registry, now_ms)


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch):
    monkeypatch.setitem(people._SCRYPT, "n", 16)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A central registry and the empty registry of a point with a block of three identities, as bytes."""
    folder = tmp_path_factory.mktemp("made")
    central = Registry(folder / "central.db")
    here = Registry(folder / "point.db")
    mine = point.init(here, "dealer 12", PASSPHRASE, 1, cost=CHEAP)
    signing.trust(here, signing.own(central), 1)
    blocks.load(here, blocks.issue(central, mine, 3, 1), 1)
    central.close()
    here.close()
    return (folder / "point.db").read_bytes()


@pytest.fixture(params=["engineer", "point"])
def fresh(request, made, tmp_path):
    """Makes a new registry, and a blank tag beside it."""
    numbers = itertools.count()

    def make():
        path = tmp_path / f"{next(numbers)}.db"
        if request.param == "engineer":
            return Point(path)
        path.write_bytes(made)
        return Point(path, PASSPHRASE)

    return make


def cut_everywhere(fresh, prepare, job):
    """A point for every step of ``job``, cut off at that step; the last one is the whole job."""
    pattern = fresh()
    for earlier in prepare:
        assert pattern.run(earlier)
    for at in range(MANY):
        here = fresh()
        here.begin_as(pattern)
        blow = Blow(at)
        ended = here.run(job, blow)
        yield here, f"step {at}, {blow.steps[-1]}"
        if ended:
            assert at >= 20
            return
    raise AssertionError("it never ends")


def record_of(here):
    """The one row; its audit is whole, and the tag is as the row says."""
    with here.open() as registry:
        Audit(registry).verify()
        rows = list(registry.devices())
        assert len(rows) <= 1
        if not rows:
            assert here.tag.state == "blank"
            return None
        (record,) = rows
        if here.tag.identity is not None:
            assert (here.tag.identity.tag_id, here.tag.identity.secret) == (
                record.tag_id,
                record.secret.reveal(),
            )
        if here.tag.state == "locked":
            assert record.state in ("verified", "handed_over")
        return record


def test_whatever_step_is_cut_off_the_next_start_completes_it(fresh):
    for here, where in cut_everywhere(fresh, [], write):
        before = record_of(here)
        assert here.run(complete), where
        after = record_of(here)
        assert (after.state, here.tag.state) == ("handed_over", "locked"), where
        assert (after.plate, after.owner_phone) == ("云A12345", "+8613800000000"), where
        assert here.tag.identity.install_point == "dealer 12", where
        assert before is None or before.tag_id == after.tag_id, where


def killed_at(here, at, flash_file):
    """A process of its own that is killed with SIGKILL at this step; whether it came to its end."""

    def strike():
        flash_file.write_bytes(pickle.dumps(here.tag.flash))
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            here.run(write, Blow(at, strike))
            flash_file.write_bytes(pickle.dumps(here.tag.flash))
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    here.tag.flash = pickle.loads(flash_file.read_bytes())
    return not os.WIFSIGNALED(status)


@pytest.mark.parametrize("fresh", ["point"], indirect=True)
def test_a_program_that_is_killed_for_real_is_completed_by_the_next_one(fresh, tmp_path):
    for at in range(MANY):
        here = fresh()
        ended = killed_at(here, at, tmp_path / "flash")
        record_of(here)
        assert here.run(complete), f"step {at}"
        assert (record_of(here).state, here.tag.state) == ("handed_over", "locked"), f"step {at}"
        if ended:
            assert at >= 20
            return
    raise AssertionError("it never ends")


def test_whatever_step_is_cut_off_it_can_be_undone_until_it_is_handed_over(fresh):
    for here, where in cut_everywhere(fresh, [], write):
        before = record_of(here)
        if before is None:
            with pytest.raises(RegistryError, match="not in the registry"):
                here.run(take_back)
        elif before.state == "handed_over":
            with pytest.raises(ApprovalMissing):
                here.run(take_back)
            assert here.tag.state == "locked"
        else:
            assert here.run(take_back), where
            after = record_of(here)
            assert (after.state, here.tag.state) == ("undone", "blank"), where
            assert (after.plate, after.owner_phone) == (None, None), where


def fails_its_test(job):
    """The job with a tag whose radio does not work."""

    def attempt(link, registry):
        link._tag.tests = [{"part": "radio", "result": "failed", "measured": 0, "text": ""}]
        with pytest.raises(Refusal) as caught:
            job(link, registry)
        assert (caught.value.reason.name, caught.value.detail) == ("part_failed", "radio")

    return attempt


def test_a_tag_with_a_broken_part_is_blank_again_whatever_step_is_cut_off(fresh):
    for here, where in cut_everywhere(fresh, [], fails_its_test(write)):
        before = record_of(here)
        if before is None or before.state != "undone":
            assert here.run(fails_its_test(complete)), where
        after = record_of(here)
        assert (after.state, here.tag.state, after.plate) == ("undone", "blank", None), where
    with here.open() as registry:
        done = [(entry.action, entry.result) for entry in Audit(registry).entries()]
    assert done[-2:] == [("self-test", "part_failed"), ("undo", "done")]


def test_the_parts_are_tested_once_where_a_tag_was_written_and_waits_to_be_handed_over(fresh):
    found = []
    here = fresh()
    here.run(stop_before_lock)
    here.run(lambda link, registry: provision(link, registry, ORDER, now_ms=now_ms, tested=found.append))
    assert found == [] and record_of(here).state == "handed_over"


def test_a_tag_that_does_not_prove_its_secret_is_not_handed_over_and_can_be_completed(fresh, monkeypatch):
    here = fresh()
    with monkeypatch.context() as patch:
        patch.setattr(Device, "proves", lambda *arguments: False)
        with pytest.raises(NotProven):
            here.run(write)
    assert (record_of(here).state, here.tag.state) == ("writing", "provisioned")
    assert here.run(complete) and record_of(here).state == "handed_over"


def stop_before_lock(link, registry):
    def progress(step):
        if step == "lock":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        provision(link, registry, ORDER, progress, now_ms=now_ms)


def test_whatever_step_of_an_undo_is_cut_off_it_is_completed_or_undone(fresh):
    for finish in (take_back, complete):
        for here, where in cut_everywhere(fresh, [stop_before_lock], take_back):
            assert record_of(here).state in ("verified", "undone"), where
            assert here.run(finish), where
            done = (record_of(here).state, here.tag.state)
            assert done == (("undone", "blank") if finish is take_back else ("handed_over", "locked")), where


def test_a_tag_whose_attempt_was_undone_keeps_its_id_and_can_be_bound(fresh):
    here = fresh()
    assert here.run(stop_before_lock) and here.run(take_back)
    undone = record_of(here)
    assert here.run(write)
    bound = record_of(here)
    assert (undone.tag_id, bound.state) == (bound.tag_id, "handed_over")
    assert here.run(complete), "what is bound already stays so"


def test_what_was_undone_or_never_begun_is_not_resumed(fresh):
    here = fresh()
    with pytest.raises(RegistryError):
        here.run(lambda link, registry: resume(link, registry))
    here.run(stop_before_lock)
    here.run(take_back)
    with pytest.raises(ProvisionError, match="nothing is unfinished"):
        here.run(lambda link, registry: resume(link, registry))


def hire(link, registry):
    here = People(registry)
    here.add("Wang", "4711", "supervisor", 1)
    here.add("Li Na", "1234", "staff", 1, here.sign_in("Wang", "4711", 1))


def released(operator="Li Na", supervisor="Wang", pin="4711", later_ms=0):
    def job(link, registry):
        (record,) = registry.devices()
        leave = approve(registry, People(registry), operator, supervisor, pin, record, now_ms())
        undo(link, registry, lambda: now_ms() + later_ms, leave)

    return job


def test_a_bound_tag_is_taken_from_its_owner_by_two_people(fresh):
    for here, where in cut_everywhere(fresh, [write, hire], released()):
        if record_of(here).state == "handed_over":
            assert here.run(released()), where  # the tag may be blank already
        assert (record_of(here).state, here.tag.state) == ("undone", "blank"), where
    with here.open() as registry:
        (last,) = [entry for entry in Audit(registry).entries() if entry.action == "release"]
        assert (last.who, last.person, last.result) == ("Li Na", "Wang", "done")


@pytest.mark.parametrize(
    "attempt, error",
    [
        (released(operator="Wang"), NotAllowed),
        (released(supervisor="Li Na", pin="1234"), NotAllowed),
        (released(later_ms=300_001), ApprovalMissing),
    ],
)
def test_one_person_alone_cannot_take_it(fresh, attempt, error):
    here = fresh()
    here.run(write)
    here.run(hire)
    with pytest.raises(error):
        here.run(attempt)
    assert (record_of(here).state, here.tag.state) == ("handed_over", "locked")


def test_an_approval_does_not_serve_a_second_time(fresh):
    here = fresh()
    here.run(write)
    here.run(hire)
    kept = []

    def twice(link, registry):
        (record,) = registry.devices()
        kept.append(approve(registry, People(registry), "Li Na", "Wang", "4711", record, now_ms()))
        undo(link, registry, now_ms, kept[0])

    assert here.run(twice) and here.run(write)
    with pytest.raises(ApprovalMissing):
        here.run(lambda link, registry: undo(link, registry, now_ms, kept[0]))
    assert here.tag.state == "locked"


def test_two_points_side_by_side_never_collide(tmp_path):
    central = Registry(tmp_path / "central.db")
    own = Point(tmp_path / "central.db")
    points = []
    for name in ("north", "south"):
        here = Point(tmp_path / f"{name}.db", PASSPHRASE)
        registry = Registry(here.path)
        mine = point.init(registry, name, PASSPHRASE, 1, cost=CHEAP)
        signing.trust(registry, signing.own(central), 1)
        for _ in range(2):
            blocks.load(registry, blocks.issue(central, mine, 5, 1), 1)
        registry.close()
        points.append(here)
    central.close()

    def fit(here, first):
        for number in range(first, first + 10):
            here.tag = MemoryTag(number)
            here.run(write)
        with here.open() as registry:
            return [(record.tag_id, record.secret.reveal()) for record in registry.devices()]

    with ThreadPoolExecutor(3) as pool:
        given = list(itertools.chain(*pool.map(fit, (*points, own), (100, 200, 300))))
    for kind in zip(*given, strict=True):
        assert len(set(kind)) == 30
    points[0].tag = MemoryTag(999)
    with pytest.raises(RegistryError, match="no free identity left"):
        points[0].run(write)
