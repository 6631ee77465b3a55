"""A fob or herd leader beacons with a long preamble, and who listens for it sleeps in between."""

from itertools import pairwise

import pytest
from core.devices import Bench, records, silent_radio
from core.test_tracker import World
from core.test_watches import KEY_TEXT
from groundcore import events, region
from groundcore.tag import Tag, restore
from groundwire import downlink, keys

SECRET = bytes(range(32))
PLAN = region.plan("eu868")


def resting(world):
    """The radio actions that hold while nothing is sent."""
    world.run(120)
    watched = [action[1] for _, action in world.bench.sent(events.RADIO_WATCH)]
    listening = [action[1] for _, action in world.bench.sent(events.RADIO_LISTEN) if action[2] == 0]
    return watched, listening


@pytest.mark.parametrize("fixed_to", ["vehicle", "livestock"])
def test_whoever_listens_for_long_preambles_sleeps_in_between(fixed_to):
    watched, listening = resting(World(fixed_to=fixed_to, fob_key=KEY_TEXT, fob_long_preamble=1))
    assert watched and set(watched) == {region.watch_channel(PLAN.beacon)}
    assert listening == []


@pytest.mark.parametrize("changed", [{}, {"fob_long_preamble": 1, "region": "eu868-gfsk"}])
def test_short_preambles_need_a_receiver_that_is_on(changed):
    watched, listening = resting(World(fob_key=KEY_TEXT, **changed))
    assert watched == [] and listening


def test_a_long_preamble_without_a_paired_device_listens_to_nobody():
    assert resting(World(fob_long_preamble=1)) == ([], [])


def preambles(bench):
    return [action[2].preamble for _, action in bench.sent(events.RADIO_SEND)]


def test_a_fob_that_is_carried_keeps_within_its_hour_and_is_never_silent_for_a_minute():
    bench = Bench(Tag(records(long_preamble=1)))
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), silent_radio)
    for _ in range(2 * 360):  # two hours of steps
        bench.play(bench.give(events.MOTION), silent_radio)
        bench.run_until(bench.now_ms + 10_000, silent_radio)
    sent_ms = [now_ms for now_ms, _ in bench.sent(events.RADIO_SEND)]
    assert set(preambles(bench)) == {region.WATCH_PREAMBLE}
    assert 39_000 <= max(later - earlier for earlier, later in pairwise(sent_ms[2:])) <= 49_500
    airtime_ms = region.airtime_us(region.watch_channel(PLAN.beacon), 15) / 1000
    assert len(sent_ms) / 2 * airtime_ms <= 36_000


def test_a_fob_keeps_its_preamble_over_a_deep_sleep_and_gives_it_up_when_it_is_lost():
    bench = Bench(Tag(records(long_preamble=1)))
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), silent_radio)
    bench.run_until(5_000, silent_radio)
    bench.core = restore(bench.core.snapshot())
    bench.run_until(3_600_000, silent_radio)
    assert len(preambles(bench)) >= 2 and set(preambles(bench)) == {64}
    order = downlink.encode(downlink.LOST_ON, 1, 0, keys.derive(SECRET, keys.DOWNLINK))

    orders = [order]

    def ordered(bench, action):
        if action[0] == events.RADIO_LISTEN and orders:
            orders.pop()
            return (events.RADIO_RECEIVED, order, -90, 500)
        return silent_radio(bench, action)

    bench.run_until(7_200_000, ordered)
    bench.log.clear()
    bench.run_until(7_260_000, silent_radio)
    assert set(preambles(bench)) == {8}


def test_a_call_for_help_goes_out_short_and_often():
    bench = Bench(Tag(records("wearable", long_preamble=1)))
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), silent_radio)
    bench.run_until(60_000, silent_radio)
    bench.log.clear()
    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 1), silent_radio)
    bench.run_until(120_000, silent_radio)
    assert len(preambles(bench)) >= 10 and set(preambles(bench)) == {8}


@pytest.mark.parametrize("size", [15, 24])
@pytest.mark.parametrize("name", region.PLANS)
def test_a_plan_bears_beacons_at_their_least_interval_for_ever(name, size):
    channel = region.watch_channel(region.plan(name).beacon)
    ledger, now_ms = region.DutyLedger(), 0
    step_ms = region.least_interval_ms(channel, size)
    for _ in range(200):
        assert ledger.may_send(channel, size, now_ms)
        ledger.sent(channel, size, now_ms)
        now_ms += step_ms
