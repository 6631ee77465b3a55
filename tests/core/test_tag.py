"""The tag: when it beacons, what it does with orders, and that it outlives deep sleep and power cuts."""

from itertools import pairwise

import pytest
from core.devices import SECRET, Bench, records, silent_radio
from groundcore import beacon_cycle, events, region, store
from groundcore.tag import SNAPSHOT_MAX, Tag, restore
from groundwire import beacon, downlink, keys
from hypothesis import given
from hypothesis import strategies as st

BEACON_KEY = keys.derive(SECRET, keys.BEACON)
DOWNLINK_KEY = keys.derive(SECRET, keys.DOWNLINK)
IDENTITY_KEY = keys.derive(SECRET, keys.IDENTITY)
HOUR_MS = 3_600_000


def booted(**settings) -> Bench:
    bench = Bench(Tag(records(**settings)))
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), silent_radio)
    return bench


def beacons(bench) -> list[tuple[int, beacon.Beacon, int]]:
    """(time, beacon, full counter) of all that was sent, each with a right MAC and id."""
    found = []
    for now_ms, action in bench.sent(events.RADIO_SEND):
        one = beacon.decode(action[1])
        epoch = next(epoch for epoch in range(500) if keys.eid(IDENTITY_KEY, epoch) == one.eid)
        counter = beacon.expand(epoch, one.low)
        beacon.verify(action[1], counter, BEACON_KEY)
        found.append((now_ms, one, counter))
    return found


def answering(*commands):
    """A radio that answers the next beacon with one of the commands after the other."""
    waiting = list(commands)

    def answer(bench, action):
        if action[0] == events.RADIO_LISTEN and waiting:
            bench.now_ms += 150
            command = waiting.pop(0)
            data = command if isinstance(command, bytes) else command(bench)
            return (events.RADIO_RECEIVED, data, -90, 500)
        return silent_radio(bench, action)

    return answer


def test_a_parked_tag_beacons_every_half_hour_and_listens():
    bench = booted()
    bench.run_until(6 * HOUR_MS, silent_radio)
    times = [now_ms for now_ms, _, _ in beacons(bench)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert 10 <= len(times) <= 13
    assert all(1_800_000 <= gap <= 1_800_000 * 9 / 8 + 1000 for gap in gaps)
    assert len(set(gaps)) > 5  # jitter
    assert [counter for _, _, counter in beacons(bench)] == list(range(len(times)))
    assert all(one.flags == beacon.LISTENING for _, one, _ in beacons(bench))
    assert len(bench.sent(events.RADIO_LISTEN)) == len(bench.sent(events.RADIO_SLEEP)) == len(times)


def test_movement_is_told_at_once_then_every_twenty_seconds_until_still():
    bench = booted()
    bench.run_until(HOUR_MS, silent_radio)
    bench.log.clear()
    for _ in range(10):  # a ride: it moves whenever somebody looks
        bench.play(bench.give(events.MOTION), silent_radio)
        bench.run_until(bench.now_ms + 30_000, silent_radio)
    sent = beacons(bench)
    assert sent[0][0] == HOUR_MS
    assert all(one.flags & beacon.MOTION for _, one, _ in sent)
    assert 11 <= len(sent) <= 16
    bench.log.clear()
    bench.run_until(bench.now_ms + HOUR_MS, silent_radio)
    moving = [one for _, one, _ in beacons(bench) if one.flags & beacon.MOTION]
    assert 3 <= len(moving) <= 7  # two minutes more
    assert not beacons(bench)[-1][1].flags & beacon.MOTION


def test_the_interrupt_is_off_until_behind_the_next_beacon():
    bench = booted()
    bench.run_until(HOUR_MS, silent_radio)
    bench.play(bench.give(events.MOTION), silent_radio)
    bench.log.clear()
    bench.play(bench.give(events.MOTION), silent_radio)
    assert [action for _, action in bench.log] == [(events.WATCH_MOTION, 0)]
    bench.run_until(bench.now_ms + 23_000, silent_radio)
    assert bench.log[-1][1] == (events.WATCH_MOTION, 94)


def test_movement_while_a_beacon_is_under_way_is_told_behind_it():
    bench = booted()
    bench.now_ms = bench.core.next_deadline()
    bench.give(events.TICK)
    bench.give(events.MOTION)
    bench.give(events.RADIO_SENT)
    bench.play(bench.give(events.RADIO_SILENT), silent_radio)
    assert bench.core.next_deadline() == bench.now_ms
    bench.run_until(bench.now_ms + 1000, silent_radio)
    assert [bool(one.flags & beacon.MOTION) for _, one, _ in beacons(bench)] == [False, True]


def test_lost_mode_by_order_and_off_by_challenge_only():
    bench = booted()
    lost_on = downlink.encode(downlink.LOST_ON, 1, 60, DOWNLINK_KEY)
    bench.run_until(2000, answering(lost_on))
    assert store.State(bench.stored[store.STATE]).lost
    bench.run_until(10 * 60_000, silent_radio)
    sent = beacons(bench)
    assert 9 <= len(sent) <= 12
    assert sent[1][0] - sent[0][0] < 2500  # the receipt
    assert all(one.flags & beacon.LOST for _, one, _ in sent[1:])
    challenges = {one.body for _, one, _ in sent if one.type == beacon.CHALLENGE}
    assert len(challenges) == 1
    forged = downlink.encode(downlink.LOST_OFF, 2, 0, DOWNLINK_KEY, bytes(8))
    bench.run_until(bench.now_ms + 70_000, answering(forged))
    assert store.State(bench.stored[store.STATE]).lost
    right = downlink.encode(downlink.LOST_OFF, 3, 0, DOWNLINK_KEY, challenges.pop())
    bench.run_until(bench.now_ms + 70_000, answering(right))
    state = store.State(bench.stored[store.STATE])
    assert (state.lost, state.downlink_counter, state.challenge_counter) == (False, 3, 0)
    bench.run_until(bench.now_ms + 5000, silent_radio)
    assert not beacons(bench)[-1][1].flags & beacon.LOST
    assert bench.core.refused == [0, 1, 0, 0]


def test_an_order_is_stored_before_it_is_carried_out():
    bench = booted()
    bench.run_until(2000, answering(downlink.encode(downlink.SIREN_ON, 1, 7, DOWNLINK_KEY)))
    kinds = [action[0] for _, action in bench.log]
    assert kinds.index(events.SIREN) > max(i for i, kind in enumerate(kinds) if kind == events.STORE)
    assert bench.sent(events.SIREN)[0][1] == (events.SIREN, 7000)
    bench.run_until(bench.now_ms + 3000, silent_radio)
    assert beacons(bench)[-1][1].flags & beacon.SIREN


@pytest.mark.parametrize(("asked", "seconds"), [(0, 20), (5, 5)])
def test_siren_length(asked, seconds):
    bench = booted()
    bench.run_until(2000, answering(downlink.encode(downlink.SIREN_ON, 1, asked, DOWNLINK_KEY)))
    assert (events.SIREN, seconds * 1000) in [action for _, action in bench.log]


def test_time_order_sets_the_clock():
    bench = booted()
    bench.run_until(2000, answering(downlink.encode(downlink.TIME, 1, 1_800_000_000, DOWNLINK_KEY)))
    assert (events.SET_CLOCK, 1_800_000_000_000) in [action for _, action in bench.log]


def test_a_foreign_frame_does_not_shut_the_window():
    bench = booted()
    order = downlink.encode(downlink.INTERVAL, 1, 600, DOWNLINK_KEY)
    bench.run_until(2500, answering(b"noise", order))
    assert store.State(bench.stored[store.STATE]).parked_interval_s == 600
    windows = [action[2] for _, action in bench.sent(events.RADIO_LISTEN)]
    assert windows[:2] == [region.WINDOW_MS, region.WINDOW_MS - 150]


def test_a_busy_channel_and_a_dead_radio_cost_one_beacon():
    bench = booted(region="cn470")
    bench.now_ms = bench.core.next_deadline()
    assert bench.give(events.TICK)[-1][2].listen_first
    bench.give(events.RADIO_FAILED, events.FAILED_CHANNEL_BUSY)
    assert 2000 <= bench.core.next_deadline() - bench.now_ms <= 5000
    bench.now_ms = bench.core.next_deadline()
    bench.give(events.TICK)
    bench.give(events.RADIO_FAILED, events.FAILED_HARDWARE)
    assert bench.sent(events.LOG)
    assert bench.core.next_deadline() - bench.now_ms >= 1_800_000
    bench.now_ms = bench.core.next_deadline()
    bench.give(events.TICK)
    assert not bench.core.idle
    bench.now_ms = bench.core.next_deadline()  # no answer at all
    bench.give(events.TICK)
    assert bench.core.idle


def test_the_duty_limit_holds_whatever_happens():
    bench = booted(moving_interval_s=5)
    for _ in range(1000):
        bench.play(bench.give(events.MOTION), silent_radio)
        bench.run_until(bench.now_ms + 5000, silent_radio)
    on_air_us = 0
    for now_ms, action in bench.sent(events.RADIO_SEND):
        if now_ms <= HOUR_MS:
            on_air_us += region.airtime_us(action[2], len(action[1]))
    assert 30_000_000 < on_air_us <= 36_000_000


def test_battery_is_read_now_and_then_and_low_is_told():
    bench = booted()
    bench.run_until(3 * HOUR_MS, lambda b, a: silent_radio(b, a) if a[0] != events.READ_BATTERY else None)
    assert 4 <= len(bench.sent(events.READ_BATTERY)) <= 7
    assert beacons(bench)[-1][1].battery == beacon.BATTERY_UNKNOWN
    bench.give(events.BATTERY, 3040)
    bench.run_until(bench.now_ms + HOUR_MS, lambda b, a: silent_radio(b, a) if a[0] != 38 else None)
    assert beacons(bench)[-1][1].battery == 0
    assert beacons(bench)[-1][1].flags & beacon.LOW_BATTERY


def test_a_blank_tag_and_one_without_a_plan_say_nothing():
    for blank in (Tag({}), Tag(records(region="atlantis"))):
        bench = Bench(blank)
        assert bench.give(events.BOOT, events.BOOT_POWER_ON) == []
        assert bench.give(events.MOTION) == []
        assert blank.next_deadline() is None
        assert blank.snapshot() == b""


def asleep(bench):
    """Deep sleep: RAM is lost, the snapshot stays."""
    snapshot = bench.core.snapshot()
    assert 0 < len(snapshot) <= SNAPSHOT_MAX
    bench.core = restore(snapshot)


def test_deep_sleep_between_all_events_changes_nothing():
    awake, sleepy = booted(parked_interval_s=600), booted(parked_interval_s=600)
    for bench, sleep in ((awake, False), (sleepy, True)):
        for step in range(60):
            if sleep:
                asleep(bench)
                assert bench.give(events.BOOT, events.BOOT_WAKE) == []
            if step % 7 == 3:
                bench.play(bench.give(events.MOTION), silent_radio)
            bench.run_until(bench.now_ms + 60_000, silent_radio)
    strip = [entry for entry in sleepy.log if entry[1][0] != events.LOG]
    assert strip == awake.log
    assert len(beacons(awake)) > 20


def test_after_a_power_cut_counting_goes_on_behind_the_block():
    bench = booted(parked_interval_s=10)
    bench.run_until(200_000, silent_radio)
    used = [counter for _, _, counter in beacons(bench)]
    again = Bench(Tag({**records(), store.STATE: bench.stored[store.STATE]}))
    again.play(again.give(events.BOOT, events.BOOT_BROWNOUT), silent_radio)
    again.run_until(5000, silent_radio)
    assert beacons(again)[0][2] == store.COUNTER_STRIDE > max(used)
    assert store.State(again.stored[store.STATE]).boot_count == 2


def test_a_new_block_is_stored_before_its_first_beacon():
    state = store.State()
    state.beacon_limit = 100
    bench = Bench(Tag({**records(parked_interval_s=10), store.STATE: state.encode()}))
    bench.core._cycle.beacons.counter = 99
    bench.now_ms = 0
    for _ in range(3):
        bench.play(bench.give(events.TICK), silent_radio)
        bench.now_ms = bench.core.next_deadline()
    kinds = [action[0] for _, action in bench.log if action[0] in (events.STORE, events.RADIO_SEND)]
    assert kinds == [events.RADIO_SEND, events.STORE, events.RADIO_SEND, events.RADIO_SEND]
    assert store.State(bench.stored[store.STATE]).beacon_limit == 100 + store.COUNTER_STRIDE


def test_a_damaged_snapshot_is_not_restored():
    bench = booted()
    snapshot = bench.core.snapshot()
    for index in range(len(snapshot)):
        assert restore(snapshot[:index]) is None
        assert restore(snapshot[:index] + bytes([snapshot[index] ^ 0x10]) + snapshot[index + 1 :]) is None
    assert restore(snapshot).snapshot() == snapshot


@given(st.binary(max_size=300))
def test_any_memory_is_a_tag_or_none(memory):
    assert restore(memory) is None


@pytest.mark.parametrize("row", beacon_cycle.TRANSITIONS, ids=str)
def test_every_row_of_the_cycle_is_carried_out(row):
    phase, kind = row
    bench = booted()
    cycle = bench.core._cycle
    cycle.phase = phase
    bench.now_ms = 10_000_000
    values = {
        events.BOOT: (events.BOOT_RESET,),
        events.RADIO_FAILED: (events.FAILED_CHANNEL_BUSY,),
        events.RADIO_RECEIVED: (b"", 0, 0),
    }
    assert bench.give(kind, *values.get(kind, ())) != []


def test_events_out_of_place_change_nothing():
    bench = booted()
    for event in ((events.RADIO_SENT,), (events.RADIO_SILENT,), (events.RADIO_RECEIVED, b"x", 0, 0), (99,)):
        before = bench.core.snapshot()
        assert bench.give(*event) == []
        assert bench.core.snapshot() == before
