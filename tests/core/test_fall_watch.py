"""A wristband without anything but an accelerometer, a button and a motor: it notices that its wearer has fallen."""

import pytest
from core.devices import Bench, records, silent_radio
from core.test_motion import recording
from groundcore import events, help_call, motion
from groundcore.tag import Tag, restore
from groundwire import beacon

FIFO = 32


class Band:
    """A tag whose accelerometer wakes it `late` samples after it felt no weight, with 32 samples in its FIFO."""

    def __init__(self, profile="wearable", **changed):
        self.bench = Bench(Tag(records(profile, **changed)))
        self.play(events.BOOT, events.BOOT_POWER_ON)
        self.bench.run_until(60_000, silent_radio)
        self.bench.log.clear()

    def play(self, *event):
        self.bench.play(self.bench.give(*event), silent_radio)

    def happens(self, seed, build, felt_at, late=15, what=events.FREE_FALL):
        """Play a recording from the moment in which it is felt; whether the tag stayed awake to its end."""
        samples = [axis for sample in recording(seed, build, 5, 10) for axis in sample]
        at = felt_at + late
        self.bench.now_ms += 40 * at
        self.play(what)
        first = max(0, at - FIFO)
        while first * 3 < len(samples) and not self.bench.core.idle:
            last = max(at, first + 8)
            piece = samples[3 * first : 3 * last]
            self.bench.now_ms += 40 * (last - at) if last > at else 0
            self.play(events.SAMPLES, piece, len(piece) // 3)
            at, first = max(at, last), last
        return not self.bench.core.idle

    def sleep(self):
        self.bench.core = restore(self.bench.core.snapshot())

    def flags(self):
        return [beacon.decode(action[1]).flags for _, action in self.bench.sent(events.RADIO_SEND)]

    def buzzes(self):
        return [action[1] for _, action in self.bench.sent(events.BUZZ)]


def falls(band, seed=1, late=15, what=events.FREE_FALL):
    """Walks for five seconds after five of stillness, then falls."""
    return band.happens(seed, lambda p: p.walk(5).collapse(), felt_at=255, late=late, what=what)


@pytest.mark.parametrize("late", [8, 15, 25])
def test_a_fall_is_asked_about_and_then_told(late):
    band = Band()
    assert not falls(band, late=late), "decided: it may sleep again"
    assert band.bench.sent(events.SAMPLE)[0][1] == (events.SAMPLE, motion.SAMPLE_PERIOD_MS)
    assert band.bench.sent(events.SAMPLE)[-1][1] == (events.SAMPLE, 0)
    asked_ms = band.bench.now_ms
    assert band.buzzes() == [8] and not any(flags & beacon.SOS_ACTIVE for flags in band.flags())
    band.sleep()
    assert band.bench.core.next_deadline() == asked_ms + 20_000
    band.bench.run_until(asked_ms + 25_000, silent_radio)
    assert band.flags()[-1] & beacon.SOS_ACTIVE and band.buzzes()[1] == 2
    sent_ms, (_, data, *_) = band.bench.sent(events.RADIO_SEND)[-1]
    assert sent_ms - asked_ms <= 26_000
    heard = beacon.decode(data)
    assert heard.type == beacon.SOS and heard.body[0] == help_call.FALL


def test_a_press_in_time_calls_nobody():
    band = Band()
    falls(band)
    band.sleep()
    band.bench.now_ms += 9_000
    band.play(events.INPUT, events.INPUT_BUTTON, 1)
    band.bench.now_ms += 1_000
    band.play(events.INPUT, events.INPUT_BUTTON, 0)
    band.bench.run_until(band.bench.now_ms + 300_000, silent_radio)
    assert not any(flags & beacon.SOS_ACTIVE for flags in band.flags())
    assert band.buzzes() == [8, 2]


def test_a_jump_is_looked_at_and_forgotten():
    band = Band()
    assert not band.happens(3, lambda p: p.jump(), felt_at=130)
    band.bench.run_until(band.bench.now_ms + 60_000, silent_radio)
    assert band.buzzes() == [] and not any(flags & beacon.SOS_ACTIVE for flags in band.flags())
    assert band.bench.sent(events.SAMPLE)[-1][1] == (events.SAMPLE, 0)


@pytest.mark.parametrize("what", [events.FREE_FALL, events.MOTION])
def test_most_falls_of_fifty_are_told_whatever_woke_it(what):
    told = 0
    for seed in range(50):
        band = Band()
        falls(band, seed, 12, what)
        told += band.buzzes() == [8]
    assert told >= 45


def test_a_movement_that_is_no_fall_is_seen_at_once():
    band = Band()
    band.play(events.MOTION)
    assert not band.bench.core.idle
    band.play(events.SAMPLES, [30, 0, 1010] * FIFO, FIFO)
    assert band.bench.core.idle, "32 samples out of the FIFO are enough"


def test_while_it_judges_it_must_not_sleep():
    band = Band()
    band.play(events.FREE_FALL)
    assert not band.bench.core.idle and band.bench.core.snapshot() == b""
    band.play(events.FREE_FALL)
    assert len(band.bench.sent(events.SAMPLE)) == 1


@pytest.mark.parametrize("changed", [{"profile": "vehicle"}, {"fall_alarm": 0}])
def test_who_does_not_watch_for_falls_ignores_them(changed):
    band = Band(**changed)
    assert not band.bench.core.watches_falls
    band.play(events.FREE_FALL)
    band.play(events.SAMPLES, [0, 0, 0] * 8, 8)
    assert band.bench.log == [] and band.bench.core.idle


def test_a_strap_that_opens_while_the_wearer_is_asked_calls_at_once():
    band = Band()
    falls(band)
    band.play(events.INPUT, events.INPUT_STRAP, 1)
    assert band.flags()[-1] & beacon.SOS_ACTIVE
