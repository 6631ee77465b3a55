"""The GNSS receiver is on while it finds a position that somebody wants, and not longer."""

import random

import pytest
from core.test_tracker import World, theft
from groundcore import events
from groundcore.whereabouts import Whereabouts
from groundnet.sim.motion_profile import MotionProfile

TRACKING_MA = 29.0
STANDBY_MA = 0.02


class Receiver:
    """Counts how long it was on."""

    def __init__(self, world):
        self.on_ms, self.since_ms, self.starts = 0, None, 0
        usual = world.answer

        def answer(bench, action):
            if action[0] == events.GNSS_ON:
                assert self.since_ms is None, "switched on twice"
                self.since_ms = bench.now_ms
                self.starts += 1
            elif action[0] == events.GNSS_STANDBY:
                self.on_ms += bench.now_ms - self.since_ms
                self.since_ms = None
            return usual(bench, action)

        world.answer = answer
        if world.gnss_on:
            self.since_ms = world.bench.now_ms

    def share(self, world, duration_s):
        """Of the next so many seconds, how much of them it is on."""
        began_ms, self.on_ms = world.bench.now_ms, 0
        if self.since_ms is not None:
            self.since_ms = began_ms
        world.run(duration_s)
        running_ms = 0 if self.since_ms is None else world.bench.now_ms - self.since_ms
        return (self.on_ms + running_ms) / (world.bench.now_ms - began_ms)


def grazing(**changed):
    return World(MotionProfile(random.Random(3)).still(60).walk(4000), fixed_to="livestock", **changed)


def milliamperes(share):
    return share * TRACKING_MA + (1 - share) * STANDBY_MA


def test_a_grazing_animal_is_told_as_often_and_the_receiver_rests_in_between():
    """Before: on for as long as the animal moves, 29 mA. After: 2.5 mA, a position each five minutes."""
    world = grazing()
    receiver = Receiver(world)
    world.run(100)
    world.speed_mm_s = 500
    fixes = len(world.items("fix"))
    share = receiver.share(world, 3000)
    assert len(world.items("fix")) - fixes == 10
    assert share < 0.1 and milliamperes(share) < 2.6
    assert all(fix["age_s"] <= 5 for fix in world.items("fix"))


def test_under_no_sky_the_receiver_searches_a_minute_of_each_interval():
    world = grazing()
    receiver = Receiver(world)
    world.run(100)
    world.sky = False
    world.run(400)
    assert receiver.share(world, 3000) < 0.35
    assert world.items("cell"), "cells tell meanwhile"


def test_short_intervals_leave_it_on():
    world = grazing(report_interval_s=15)
    receiver = Receiver(world)
    world.run(200)
    assert receiver.share(world, 600) == 1


def test_a_parked_vehicle_rests_as_soon_as_it_is_told_where():
    world = World()
    receiver = Receiver(world)
    assert receiver.share(world, 600) < 25 / 600
    assert world.items("fix") and not world.gnss_on


def test_a_lost_one_that_stands_still_looks_each_ten_minutes():
    world = World()
    receiver = Receiver(world)
    world.run(100)
    world.bench.core._state.lost = True
    share = receiver.share(world, 3600)
    assert 6 <= len(world.items("fix")) - 1 <= 8
    assert share < 0.03, "before: 180 s of each 600"


def test_a_theft_is_followed_without_a_pause():
    world = World(theft(MotionProfile(random.Random(1)).still(300)), report_interval_s=3600)
    world.run(330)
    world.speed_mm_s = 6000
    fixes = len(world.items("fix"))
    world.run(120)
    assert len(world.items("fix")) - fixes >= 3, "an alarm is told each lost_interval_s at least"


def test_an_order_wakes_a_resting_receiver():
    where, actions = Whereabouts(), []
    where.want(0, actions)
    where._first_ms = 5000
    where.rest(300_000, 10_000, actions)
    where.rest(300_000, 11_000, actions)
    assert actions == [(events.GNSS_ON,), (events.GNSS_STANDBY,)]
    assert where.next_deadline() == 180_000, "the session's end comes before the nap's"
    where.locate(12_000, actions)
    assert actions[2:] == [(events.GNSS_ON,)]
    where.awaited = False
    where._first_ms = 13_000
    where.rest(100_000, 14_000, actions)
    where.check(80_000, actions)
    assert actions[3:] == [(events.GNSS_STANDBY,), (events.GNSS_ON,)]


@pytest.mark.parametrize("due_ms", [30_000, 59_000])
def test_a_pause_too_short_to_save_anything_is_none(due_ms):
    where, actions = Whereabouts(), []
    where.want(0, actions)
    where._first_ms = 5000
    where.rest(due_ms, 10_000, actions)
    assert actions == [(events.GNSS_ON,)]


def test_the_end_of_a_session_ends_a_rest_without_a_second_command():
    where, actions = Whereabouts(), []
    where.want(0, actions)
    where._first_ms = 5000
    where.rest(900_000, 10_000, actions)
    where.check(180_000, actions)
    assert not where.on and where.next_deadline() is None
    assert actions == [(events.GNSS_ON,), (events.GNSS_STANDBY,)]
