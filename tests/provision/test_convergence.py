"""Points and centre end equal, whatever was offline, killed, doubled, late or in another order."""

import contextlib
import random
import tempfile
from pathlib import Path

import pytest
from groundnet.provision import arrivals, calls, outbox
from groundnet.provision.audit import Audit
from groundnet.provision.uplink import CentralError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provision.county import POINTS, County, found, set_up
from provision.crash_bench import Blow, CutDatabase, Killed


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return found(tmp_path_factory.mktemp("county"))


@contextlib.contextmanager
def county_of(files):
    with tempfile.TemporaryDirectory() as folder:
        county = County.in_folder(Path(folder), files)
        yield county
        county.close()


def deliver(county, name, **options):
    return outbox.deliver(county.points[name], county.lines[name], county.tick, **options)


NUMBERS = st.integers(1, 3)
STEPS = st.one_of(
    st.tuples(st.just("bind"), st.sampled_from(POINTS), NUMBERS, st.sampled_from(("云A11111", "云A22222"))),
    st.tuples(st.just("release"), NUMBERS),
    st.tuples(st.just("forget"), NUMBERS),
    st.tuples(st.just("set"), NUMBERS, st.sampled_from(("cn-lora", "cn-gfsk"))),
    st.tuples(st.just("clock"), st.sampled_from((-3_600_000, 7 * 86_400_000))),
    st.tuples(
        st.just("sync"),
        st.sampled_from(POINTS),
        st.lists(st.sampled_from(("lost", "unanswered", "twice", "held", "whole")), max_size=2),
    ),
)


def carry_out(county, step):
    match step:
        case ("bind", name, number, plate):
            if county.owner_of(number) is None:
                county.bind(name, number, plate)
        case ("release", number):
            if name := county.owner_of(number):
                county.release(name, number)
        case ("forget", number):
            if name := county.owner_of(number):
                county.forget(name, number)
        case ("set", number, region):
            if name := county.owner_of(number):
                county.points[name].keep_settings(number.to_bytes(8, "big"), {"region": region})
        case ("clock", step_ms):
            county.now_ms += step_ms
        case ("sync", name, fate):
            county.lines[name].fate = list(fate)
            with contextlib.suppress(CentralError):
                deliver(county, name, personal=True)


# The clock of the second point is an hour behind the first one's.
BEHIND = [
    ("bind", "north", 1, "云A11111"),
    ("release", 1),
    ("clock", -3_600_000),
    ("bind", "south", 1, "云A22222"),
]


@settings(max_examples=150, deadline=None)
@example(BEHIND, random.Random(1))
@given(st.lists(STEPS, max_size=14), st.randoms(use_true_random=False))
def test_points_and_centre_end_equal(files, steps, draw):
    with county_of(files) as county:
        for step in steps:
            carry_out(county, step)
        late = [(line, body) for line in county.lines.values() for body in line.held]
        draw.shuffle(late)
        for line, body in late:
            line.arrive(body)
        for name in draw.sample(POINTS, len(POINTS)):
            county.lines[name].fate = []
            assert deliver(county, name, personal=True).refused == {}
            assert outbox.waiting(county.points[name]) == []
        assert county.known() == county.expected()
        assert all(
            record.state != "handed_over" for one in county.points.values() for record in one.devices()
        )
        everything = [(line, body) for line in county.lines.values() for body in line.carried]
        draw.shuffle(everything)
        for line, body in everything:
            line.arrive(body)
        assert county.known() == county.expected(), "nothing that comes late changes anything"
        Audit(county.centre).verify()


def told(county):
    """A point whose next call has something of every kind to tell."""
    county.bind("north", 1, settings={"region": "cn-gfsk"})
    county.bind("north", 2)
    county.bind("north", 3)
    deliver(county, "north", personal=True)
    county.release("north", 1)
    county.forget("north", 2)
    county.points["north"].keep_settings((3).to_bytes(8, "big"), {"heartbeat_s": "600"})
    county.bind("south", 1, "云A99999")
    deliver(county, "south", personal=True)
    county.bind("north", 4)


def killed_at(files, side, at):
    """One call with the blow at a step of the point or the centre; then a whole one. The names of the steps."""
    with county_of(files) as county:
        told(county)
        blow = Blow(at)
        registry = county.centre if side == "centre" else county.points["north"]
        registry.database, real = CutDatabase(registry.database, blow), registry.database
        with contextlib.suppress(Killed):
            deliver(county, "north", personal=True)
        registry.database = real
        delivery = deliver(county, "north", personal=True)
        assert delivery.refused == {} and outbox.waiting(county.points["north"]) == []
        assert county.known() == county.expected()
        assert len(county.known()) == 4
        plates = [one.plate for one in county.centre.devices()]
        assert plates == [None, "云A12345", "云A12345", "云A99999"], "in the order of ids"
        for one in (county.centre, county.points["north"]):
            Audit(one).verify()
        return blow.steps


@pytest.mark.parametrize("side", ["point", "centre"])
def test_a_call_that_is_killed_at_any_step_is_completed_by_the_next_one(files, side):
    steps = killed_at(files, side, None)
    assert {"registry BEGIN", "registry COMMIT", "registry committed"} <= set(steps) and len(steps) > 15
    for at in range(len(steps)):
        killed_at(files, side, at)


def test_the_same_on_both_engines(store_at):
    set_up(store_at)
    county = County(store_at)
    told(county)
    county.lines["north"].fate = ["twice"]
    assert deliver(county, "north", personal=True).refused == {}
    assert county.known() == county.expected() and len(county.known()) == 4
    told_of = [(one.point, one.document.bound, one.secret_known) for one in arrivals.arrivals(county.centre)]
    assert told_of == [("north", False, True), *[("north", True, True)] * 3, ("south", True, True)]
    (shown,) = arrivals.of_device(county.centre, "云A99999")[1:]
    assert shown.point == "south"
    states = [
        (state.point, state.devices, state.left, state.waiting) for state in calls.points(county.centre)
    ]
    assert states == [("north", 3, 4, 0), ("south", 1, 7, 0)]
    Audit(county.centre).verify()
    county.close()
