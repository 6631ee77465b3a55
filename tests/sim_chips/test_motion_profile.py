"""The motion profile: its bounds hold, and it can be cut and gone on with."""

import pytest
from groundnet.sim.motion_profile import MotionProfile
from groundnet.sim.motion_segment import Tilt
from groundnet.sim.world import World
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = ("truck", "bump", "lift", "set_down", "fall")
TIMED = ("still", "wind", "walk", "ride", "van")


def build(seed: int, steps: list[str]) -> MotionProfile:
    profile = MotionProfile(World(seed).random("motion"), Tilt(3, -8))
    for step in steps:
        getattr(profile, step)(*((20,) if step in TIMED else ()))
    return profile


@given(
    seed=st.integers(0, 1000),
    steps=st.lists(st.sampled_from(KINDS + TIMED), min_size=1, max_size=4),
    step_us=st.sampled_from([5_000, 40_000, 80_000, 625_000]),
    place=st.floats(0, 1),
)
@settings(max_examples=150, deadline=None)
def test_bounds_hold_between_any_two_instants(seed, steps, step_us, place):
    profile = build(seed, steps)
    time_us = int(place * profile.end_us)
    segment = profile.segment_at(time_us)
    low, high = segment.range_g()
    before = segment.acceleration_g(time_us)
    assert all(low[axis] - 1e-9 <= before[axis] <= high[axis] + 1e-9 for axis in range(3))
    if time_us + step_us < segment.end_us:
        after = segment.acceleration_g(time_us + step_us)
        change = max(abs(after[axis] - before[axis]) for axis in range(3))
        assert change <= segment.change_bound_g(step_us) + 1e-9


def test_a_lift_leaves_the_bike_tilted():
    profile = build(1, ["still", "lift"])
    x, _, z = profile.acceleration_g(profile.end_us + 1_000_000)
    assert profile.tilt == Tilt(3, 17)
    assert x == pytest.approx(-0.292, abs=0.001) and z == pytest.approx(0.955, abs=0.001)


def test_start_cuts_what_was_to_come_and_tells_the_listeners():
    profile = build(1, ["ride"])
    told = []
    profile.listen(told.append)
    before = profile.acceleration_g(4_900_000)
    profile.start(5_000_000).bump()
    assert profile.acceleration_g(4_900_000) == before, "the past stays as it was"
    assert [segment.kind for segment in profile.segments_from(0)] == ["ride", "bump", "still"]
    assert told == [5_000_000, 5_000_000]


def test_the_same_seed_gives_the_same_movement():
    first, second, other = (build(seed, ["wind", "truck"]) for seed in (7, 7, 8))
    times = range(0, 28_000_000, 100_000)
    assert [first.acceleration_g(t) for t in times] == [second.acceleration_g(t) for t in times]
    assert [first.acceleration_g(t) for t in times] != [other.acceleration_g(t) for t in times]
