"""What a tag's clock does is learned from its beacons: against the firmware's own core on clocks that are off."""

import math
import random
from dataclasses import replace

import pytest
from groundnet.collector.senders.clock_drift import (
    STUBBORN,
    Clock,
    Heard,
    expected_beacons,
    learn,
    next_window,
    spread_sum,
)
from groundnet.sim import groundcore_runtime
from groundwire import beacon, keys
from hypothesis import given, settings
from hypothesis import strategies as st

groundcore_runtime.load("tag")

from core.devices import SECRET, Bench, records, silent_radio  # noqa: E402 - the firmware's core is loaded by now
from groundcore import beaconing, events, store  # noqa: E402
from groundcore.tag import Tag  # noqa: E402

IDENTITY_KEY = keys.derive(SECRET, keys.IDENTITY)
BEGIN_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


class Drifting:
    """The core of a tag on a clock of its own; ``slow(true_ms)``: relative error of that clock at a time."""

    def __init__(self, slow, **changed) -> None:
        self.bench = Bench(Tag(records(**changed)))
        self._slow = slow
        self._true_ms, self._tag_ms = 0.0, 0
        self.heard: list[Heard] = []
        self._play((events.BOOT, events.BOOT_POWER_ON))

    def run(self, hours: float, moving=lambda true_ms: False) -> None:
        end_ms = self._true_ms + hours * HOUR_MS
        while self._true_ms < end_ms:
            self.bench.now_ms = max(self.bench.now_ms, self.bench.core.next_deadline())
            self._follow()
            if moving(self._true_ms):
                self._play((events.MOTION, 500))
            self._play((events.TICK,))

    def restart(self) -> None:
        """Without memory, as after a new battery."""
        state = self.bench.stored.get(store.STATE)
        self.bench = Bench(Tag({**records(), store.STATE: state}))
        self._tag_ms = 0
        self._play((events.BOOT, events.BOOT_POWER_ON))

    def _play(self, event) -> None:
        before = len(self.bench.log)
        self.bench.play(self.bench.give(*event), silent_radio)
        for _, action in self.bench.log[before:]:
            if action[0] == events.RADIO_SEND:
                one = beacon.decode(action[1])
                counter = self.bench.core._cycle.beacons.counter - 1
                self.heard.append(Heard(counter, BEGIN_MS + round(self._true_ms), one.flags))
        self._follow()

    def _follow(self) -> None:
        passed_ms = self.bench.now_ms - self._tag_ms
        self._tag_ms = self.bench.now_ms
        self._true_ms += passed_ms * (1 + self._slow(self._true_ms))


def learned(heard, known_s=()) -> Clock:
    clock = learn(None, heard, IDENTITY_KEY, known_s)
    assert clock is not None
    return clock


def test_the_stretch_is_the_firmwares_own():
    beacons = beaconing.Beacons(SECRET, "vehicle", store.State(None), counter=0)
    for counter in (0, 1, 15, 16, 700, 12345):
        beacons.counter = counter
        nominal_ms = 1 << 20
        stretched_ms = nominal_ms + (nominal_ms * spread_sum(IDENTITY_KEY, counter, counter) >> 11)
        assert beacons.stretched_ms(nominal_ms) == stretched_ms
    total = sum(spread_sum(IDENTITY_KEY, counter, counter) for counter in range(5, 60))
    assert spread_sum(IDENTITY_KEY, 5, 59) == total


@settings(max_examples=12, deadline=None)
@given(st.floats(-0.05, 0.05), st.sampled_from([120, 600, 1800]), st.floats(0, 0.6), st.integers(0, 999))
def test_a_constant_drift_is_found_within_what_is_said_of_it(slow, interval_s, lost, seed):
    tag = Drifting(lambda _: slow, parked_interval_s=interval_s)
    tag.run(60 * interval_s / 3600)
    draw = random.Random(seed)
    heard = [one for one in tag.heard if draw.random() >= lost]
    clock = learned([one._replace(time_ms=one.time_ms + round(draw.gauss(0, 200))) for one in heard])
    assert clock.rest_ms == 1000 * interval_s
    assert abs(clock.rate - slow) < 4 * clock.rate_sd
    assert clock.rate_sd < 0.004
    assert clock.refused <= 2


def test_a_clock_that_follows_the_days_temperature_is_followed():
    def slow(true_ms):
        return 0.02 + 0.005 * math.sin(2 * math.pi * true_ms / (24 * HOUR_MS))

    tag = Drifting(slow)
    tag.run(96)
    inside, count = 0, 0
    clock = None
    for one in tag.heard:
        if clock is not None and clock.pairs > 4:
            window = next(expected_beacons(clock, IDENTITY_KEY))
            assert window.counter == one.counter
            assert window.last_ms - window.first_ms < 60_000
            inside += window.first_ms <= one.time_ms <= window.last_ms
            count += 1
        clock = learn(clock, [one], IDENTITY_KEY)
    assert count > 150
    assert inside / count > 0.93


def test_rides_restarts_and_loss_leave_the_clock_as_it_is():
    """Half an hour of riding every six hours, two new batteries, a third of all beacons lost."""
    tag, draw = Drifting(lambda _: 0.03), random.Random(2)
    for _ in range(2):
        tag.run(30, moving=lambda true_ms: true_ms % (6 * HOUR_MS) < HOUR_MS / 2)
        tag.restart()
    tag.run(20)
    assert tag.heard[-1].counter >= 2000
    clock = learned([one for one in tag.heard if draw.random() > 0.33])
    assert clock.rate == pytest.approx(0.03, abs=0.003)
    assert clock.rest_ms == 1_800_000
    assert clock.moving_ms == 20_000
    assert clock.pairs > 50


def test_late_and_doubled_deliveries_change_nothing():
    tag = Drifting(lambda _: -0.01)
    tag.run(20)
    clock = learned(tag.heard)
    assert learn(clock, tag.heard[:-1], IDENTITY_KEY) is clock
    half = learned(tag.heard[:20])
    assert learn(half, tag.heard, IDENTITY_KEY) == clock


def test_one_wrong_station_clock_is_refused_and_a_new_oscillator_is_learned():
    tag = Drifting(lambda true_ms: 0.01 if true_ms < 20 * HOUR_MS else 0.05)
    tag.run(20)
    clock = learned(tag.heard)
    wrong = replace(clock, last=clock.last._replace(time_ms=clock.last.time_ms))
    late = tag.heard[-1]._replace(
        counter=clock.last.counter + 1, time_ms=clock.last.time_ms + 1_900_000 + 60_000
    )
    after = learn(wrong, [late], IDENTITY_KEY)
    assert after.refused == clock.refused + 1
    assert after.rate == clock.rate
    begun = len(tag.heard)
    tag.run(20)
    assert len(tag.heard) > begun + 2 * STUBBORN
    assert learned(tag.heard).rate == pytest.approx(0.05, abs=0.004)


def test_an_ordered_interval_is_known_by_its_order():
    tag = Drifting(lambda _: 0.02, parked_interval_s=300)
    tag.run(10)
    assert learned(tag.heard).pairs == 0
    clock = learned(tag.heard, [300])
    assert clock.rest_ms == 300_000
    assert clock.rate == pytest.approx(0.02, abs=0.003)


def test_the_next_window_is_the_one_that_is_not_over():
    tag = Drifting(lambda _: 0.04)
    tag.run(30)
    clock = learned(tag.heard[:-3])
    for at in (-2, -1):
        window = next_window(clock, IDENTITY_KEY, tag.heard[at].time_ms - 300_000)
        assert window.counter == tag.heard[at].counter
        assert window.first_ms <= tag.heard[at].time_ms <= window.last_ms
    assert next_window(clock, IDENTITY_KEY, clock.last.time_ms + 13 * HOUR_MS) is None
    assert next_window(Clock(tag.heard[0]), IDENTITY_KEY, tag.heard[0].time_ms) is None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**42), st.integers(0, 255)), max_size=30
    ).map(sorted)
)
def test_whatever_is_heard_the_clock_stays_one(heard):
    clock = learn(None, [Heard(*one) for one in heard], IDENTITY_KEY)
    assert (clock is None) == (not heard)
    if clock is not None:
        assert -0.1 < clock.rate < 0.1
        assert 0 < clock.rr <= 0.03**2 + 1e-12
        assert clock.rr * clock.oo >= clock.ro**2 * (1 - 1e-9)
