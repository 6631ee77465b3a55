"""Whatever happens, in any order: a device keeps its rules, never spins, and calls for help at once."""

import pytest
from core.devices import DEVICE_ID, Bench, records, silent_radio
from groundcore import events, region, store
from groundcore.tag import Tag
from groundcore.tracker import Tracker
from groundwire import beacon
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HOUR_MS = 3_600_000
TICKS_AT_ONE_TIME = 20  # more at the same millisecond: the core spins

STILL = [0, 0, 1000] * 16
SHAKEN = [0, 0, 1000, 700, -600, 300] * 8

HAPPENINGS = st.one_of(
    st.sampled_from(
        (
            (events.MOTION,),
            (events.SAMPLES, STILL, 16),
            (events.SAMPLES, SHAKEN, 16),
            (events.MODEM_READY,),
            (events.MODEM_LOST,),
            (events.NET_UP,),
            (events.NET_DOWN,),
            (events.CELLS, ()),
            (events.CELLS, ((219, 1, 30001, 12345678, -91, "gsm"),)),
            (events.SMS_DONE, True),
            (events.SMS_DONE, False),
            (events.SIREN_DONE,),
            (events.FAULT, "gnss", "silent"),
            (events.FAULT, "gnss", ""),
            (events.RADIO_SENT,),
            (events.RADIO_SILENT,),
            (events.RADIO_FAILED, events.FAILED_HARDWARE),
            (events.RADIO_RECEIVED, b"noise", -100, 0),
            (events.TICK,),
        )
    ),
    st.tuples(st.just(events.INPUT), st.integers(1, 4), st.integers(0, 1)),
    st.tuples(st.just(events.SUPPLY), st.sampled_from((0, 12_400))),
    st.tuples(st.just(events.BATTERY), st.integers(2800, 4200)),
    st.tuples(st.just(events.GNSS_BYTES), st.binary(max_size=40)),
    st.tuples(st.just(events.NET_BYTES), st.binary(max_size=40)),
)
PAUSES_MS = st.sampled_from((0, 1, 40, 640, 5_000, 60_000, 1_000_000))
STORIES = st.lists(st.tuples(PAUSES_MS, HAPPENINGS), max_size=40)
MOST_STORIES = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

CORES = {
    "tag": lambda flash: Tag(flash),
    "tracker": lambda flash: Tracker(DEVICE_ID, flash),
}
profiles = pytest.mark.parametrize("profile", store.PROFILES)
roles = pytest.mark.parametrize("role", CORES)


class Watched(Bench):
    """A bench that refuses a core whose deadlines do not let time pass."""

    def __init__(self, role, profile, start_ms=0, **changed):
        flash = records(profile, owner_phone="+385", collector_host="collector", **changed)
        super().__init__(CORES[role](flash))
        self.now_ms = start_ms
        self.play(self.give(events.BOOT, events.BOOT_POWER_ON), silent_radio)

    def wait(self, duration_ms):
        """Give TICKs when they are due."""
        end_ms = self.now_ms + duration_ms
        ticks = 0
        while (due_ms := self.core.next_deadline()) is not None and due_ms <= end_ms:
            ticks = 0 if due_ms > self.now_ms else ticks + 1
            assert ticks < TICKS_AT_ONE_TIME, "the core wants ticks without end"
            self.now_ms = max(self.now_ms, due_ms)
            self.play(self.give(events.TICK), silent_radio)
        self.now_ms = max(self.now_ms, end_ms)

    def live(self, story):
        for pause_ms, happening in story:
            self.wait(pause_ms)
            self.play(self.give(*happening), silent_radio)

    def beacons(self):
        return [(now_ms, action[1], action[2]) for now_ms, action in self.sent(events.RADIO_SEND)]


def worst_hour_us(beacons) -> int:
    """The longest time on air in any hour, microseconds."""
    spent = [(now_ms, region.airtime_us(channel, len(data))) for now_ms, data, channel in beacons]
    return max(
        (sum(us for other_ms, us in spent if now_ms - HOUR_MS < other_ms <= now_ms) for now_ms, _ in spent),
        default=0,
    )


@roles
@profiles
@MOST_STORIES
@given(story=STORIES, start_ms=st.sampled_from((0, 10**12)))
def test_it_never_spins_and_transmits_only_as_its_plan_allows(role, profile, story, start_ms):
    bench = Watched(role, profile, start_ms, moving_interval_s=5)
    bench.live(story)
    bench.wait(HOUR_MS // 2)
    plan = region.plan("eu868")
    assert all(region.permits(plan, channel) for _, _, channel in bench.beacons())
    assert worst_hour_us(bench.beacons()) <= 36_000_000
    due_ms = bench.core.next_deadline()
    assert due_ms is not None and due_ms > bench.now_ms - 1


@roles
@MOST_STORIES
@given(story=STORIES)
def test_a_call_for_help_is_on_air_within_one_call(role, story):
    """Or as soon as the beacon under way is over."""
    bench = Watched(role, "wearable", moving_interval_s=5)
    bench.live(story)
    bench.give(events.INPUT, events.INPUT_BUTTON, 0)
    bench.wait(6_000)  # any beacon under way is over
    bench.log.clear()
    bench.give(events.INPUT, events.INPUT_BUTTON, 1)
    (sent,) = bench.beacons()
    assert beacon.decode(sent[1]).flags & beacon.SOS_ACTIVE
    assert bench.sent(events.BUZZ)


@roles
def test_help_is_called_even_when_the_hour_is_spent(role):
    bench = Watched(role, "wearable", moving_interval_s=5)
    for _ in range(500):
        bench.play(bench.give(events.MOTION), silent_radio)
        bench.play(bench.give(events.SAMPLES, SHAKEN, 16), silent_radio)
        bench.wait(4_000)
    bench.log.clear()
    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 1), silent_radio)
    bench.wait(60_000)
    called = [data for _, data, _ in bench.beacons() if beacon.decode(data).flags & beacon.SOS_ACTIVE]
    assert len(called) >= 8
