"""The finder: whom it follows and for how long, how near it says the tag is, where it points, what it orders."""

import math
import random

import pytest
from core.devices import SECRET, Bench, records
from groundcore import events, follow, nearness, orders, region, store, turn
from groundcore.finder import Finder
from groundcore.finder_orders import FinderOrders
from groundcore.finder_view import FOLLOW, SEARCH
from groundcore.follow_intake import Intake
from groundwire import beacon, downlink, keys
from hypothesis import given
from hypothesis import strategies as st

FIRST_EPOCH = 100
HOUR_S = 3600
UTC_S = 1_790_000_000
IDENTITY = keys.derive(SECRET, keys.IDENTITY)
DOWNLINK = keys.derive(SECRET, keys.DOWNLINK)
LOST = beacon.LISTENING | beacon.LOST
PURPOSES = ("lost", "hurry", "calm", "siren", "hurry", "calm", "siren")
ARGUMENTS = {"lost": (downlink.LOST_ON, 0), "hurry": (downlink.LOST_ON, 4), "calm": (downlink.LOST_ON, 0)}


def commands() -> list:
    made = []
    for counter, purpose in enumerate(PURPOSES, start=5):
        command, argument = ARGUMENTS.get(purpose, (downlink.SIREN_ON, 0))
        made.append((purpose, downlink.encode(command, counter, argument, DOWNLINK)))
    return made


def lent(count=20, budget_s=8 * HOUR_S, expires_s=UTC_S + 8 * HOUR_S) -> dict:
    """What flash of a finder holds that was lent a tag's ids."""
    eids = [keys.eid(IDENTITY, FIRST_EPOCH + number) for number in range(count)]
    record, use = follow.make("A7F3", FIRST_EPOCH, eids, expires_s, budget_s, commands())
    return records("none") | {follow.LOAN: record, follow.USE: use}


def bench_of(kept: dict, utc_s=None) -> Bench:
    bench = Bench(Finder(kept, utc_s))
    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), answers)
    return bench


def answers(bench, action):
    if action[0] == events.READ_BATTERY:
        return (events.BATTERY, 4000)
    if action[0] == events.RADIO_SEND:
        return (events.RADIO_SENT,)
    return None


def hear(bench, number, rssi_dbm=-60, flags=LOST, secret=SECRET):
    """The tag's beacon `number` since its first epoch."""
    data = make_beacon(FIRST_EPOCH * keys.EPOCH_BEACONS + number, flags, secret)
    bench.play(bench.give(events.RADIO_RECEIVED, data, rssi_dbm, 900), answers)


def press(bench, held_ms):
    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 1), answers)
    bench.run_until(bench.now_ms + held_ms, answers)
    bench.play(bench.give(events.INPUT, events.INPUT_BUTTON, 0), answers)


def make_beacon(counter, flags, secret) -> bytes:
    buffer = bytearray(beacon.MAX_SIZE)
    eid = keys.eid(keys.derive(secret, keys.IDENTITY), counter >> keys.EPOCH_BITS)
    size = beacon.encode_into(buffer, beacon.PLAIN, 1, flags, 10, counter, eid)
    return bytes(buffer[: beacon.protect(buffer, size, counter, keys.derive(secret, keys.BEACON))])


def restarted(bench, kept) -> dict:
    return kept | bench.stored


# --- whom it follows


def test_it_follows_the_tag_and_nobody_else():
    bench = bench_of(lent())
    hear(bench, 3, -71)
    view = bench.core.view
    assert (view.mode, view.code, view.level_dbm, view.band, view.lost) == (FOLLOW, "A7F3", -71, "30 m", True)
    hear(bench, 4, -40, secret=bytes(32))
    assert view.level_dbm == -71


def test_a_recorded_beacon_changes_nothing_once_a_newer_one_was_heard():
    bench = bench_of(lent())
    hear(bench, 20, -80)
    bench.now_ms += 30_000
    for number in (0, 19, 20):
        hear(bench, number, -30)
    assert bench.core.view.level_dbm == -80


def test_an_id_is_found_at_its_own_place_only():
    eids = [bytes((1, 2, 3, 4, 5, 6)), bytes((3, 4, 5, 6, 1, 2))]
    loan = follow.restore(*follow.make("X", 7, eids, 0, 60, []))
    assert not loan.takes(bytes((2, 3, 4, 5, 6, 3)), 0)
    assert loan.takes(eids[1], 2)
    assert not loan.takes(eids[0], 15)
    assert loan.takes(eids[1], 3)


# --- for how long


def test_the_loan_ends_by_the_clock_and_leaves_nothing_in_flash():
    bench = bench_of(lent(), UTC_S)
    hear(bench, 1)
    bench.run_until(8 * HOUR_S * 1000 - 1, answers)
    assert bench.core.view.mode == FOLLOW
    bench.run_until(8 * HOUR_S * 1000 + 1000, answers)
    assert bench.core.view.mode == SEARCH
    assert bench.stored[follow.LOAN] == bench.stored[follow.USE] == b""


def test_a_loan_whose_time_has_passed_while_it_was_off_is_forgotten_at_the_start():
    bench = bench_of(lent(), UTC_S + 8 * HOUR_S)
    assert bench.core.view.mode == SEARCH
    assert bench.stored[follow.LOAN] == b""


@pytest.mark.parametrize("minutes", [1, 7, 60])
def test_without_a_clock_it_ends_by_its_budget_over_restarts(minutes):
    kept = lent(budget_s=2 * HOUR_S)
    worked_s = 0
    for _ in range(1000):
        bench = bench_of(kept)
        kept = restarted(bench, kept)
        if bench.core.view.mode == SEARCH:
            break
        bench.run_until(minutes * 60_000, answers)
        kept = restarted(bench, kept)
        worked_s += minutes * 60
    assert worked_s <= 2 * HOUR_S + minutes * 60  # the last stretch is cut by the next start
    assert kept[follow.LOAN] == b""


def test_a_loan_without_its_own_use_is_none():
    kept = lent()
    other = lent(count=3)
    assert follow.restore(kept[follow.LOAN], other[follow.USE]) is None
    assert follow.restore(kept[follow.LOAN], None) is None
    assert follow.restore(kept[follow.LOAN][:-1], kept[follow.USE]) is None
    bench = bench_of(kept | {follow.USE: other[follow.USE]})
    assert (bench.core.view.mode, bench.stored[follow.LOAN]) == (SEARCH, b"")


# --- how near


def near() -> nearness.Nearness:
    beacons = region.PLANS["eu868"].beacon
    return nearness.Nearness(beacons.power_dbm, beacons.frequency_hz)


def expected_dbm(distance_m: float) -> float:
    return -17.2 - 34 * math.log10(distance_m)


@pytest.mark.parametrize(
    ("distance_m", "band"), [(2, "near"), (10, "10 m"), (30, "30 m"), (100, "100 m"), (400, "far")]
)
def test_the_band_is_that_of_the_distance(distance_m, band):
    found = near()
    found.hear(round(expected_dbm(distance_m)), 0)
    assert nearness.BANDS[found.band] == band


def test_a_band_is_left_beyond_its_edge_only():
    found = near()
    edge_dbm = expected_dbm(17)
    changes = []
    for number in range(60):
        found.hear(round(edge_dbm) + (2 if number % 2 else -2), number * 20_000)
        changes.append(found.band)
    assert len(set(changes[1:])) == 1
    for number in range(60, 70):
        found.hear(round(edge_dbm) - 8, number * 20_000)
    assert nearness.BANDS[found.band] == "30 m"


def test_the_mean_is_as_quick_in_time_whatever_the_interval():
    levels = []
    for interval_ms in (4000, 30_000):
        found = near()
        for at_ms in range(0, 60_001, interval_ms):
            found.hear(-90 if at_ms == 0 else -60, at_ms)
        levels.append(found.level_dbm)
    assert levels == pytest.approx([-60, -60], abs=1.5)


def test_the_beep_quickens_and_stops_with_the_beacons():
    bench = bench_of(lent())
    rhythm = []
    for number, rssi_dbm in enumerate((-95, -75, -45, -30)):
        hear(bench, number, rssi_dbm)
        hear(bench, 20 + number, rssi_dbm)
        rhythm.append(bench.core._near.beep_ms())
        bench.now_ms += 200_000
    assert rhythm == sorted(rhythm, reverse=True) and rhythm[0] > 5 * rhythm[-1] == 1000
    bench = bench_of(lent())
    hear(bench, 1, -60)
    bench.run_until(200_000, answers)
    beeps = [at_ms for at_ms, action in bench.sent(events.CHIRP)]
    assert beeps and 30_000 < beeps[-1] < 45_000
    assert bench.core.view.band == ""


# --- where


def turned(peak_deg, swing_db=10, interval_ms=4000, noise_db=0.0, seed=1, until_deg=360) -> turn.Turn:
    draw, found = random.Random(seed), turn.Turn()
    found.press(0)
    at_ms = 30_000
    found.hear(-70, interval_ms, at_ms)
    began_ms = at_ms
    while found.state == turn.TURNING:
        at_ms += int(interval_ms * (1 + draw.random() / 8))
        found.tick(at_ms)
        angle_deg = found.hand_deg(at_ms)
        if found.state == turn.TURNING and angle_deg <= until_deg:
            level = (
                -70 + swing_db / 2 * math.cos(math.radians(angle_deg - peak_deg)) + draw.gauss(0, noise_db)
            )
            found.hear(round(level), interval_ms, at_ms)
    assert at_ms - began_ms < 60_000 or interval_ms > 4000
    return found


@given(st.integers(0, 359), st.integers(6, 15), st.integers(0, 1000))
def test_the_mark_is_within_45_degrees_whatever_the_fading(peak_deg, swing_db, seed):
    found = turned(peak_deg, swing_db, noise_db=1.5, seed=seed)
    if found.state == turn.MARKED:
        assert abs((found.angle_deg - peak_deg + 180) % 360 - 180) <= 45
    else:
        assert found.reason == 4 and swing_db < 8


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"swing_db": 0}, "no direction"),
        ({"until_deg": 150}, "too few beacons"),
        ({"until_deg": 220, "interval_ms": 3000}, "a part unheard"),
    ],
)
def test_a_turn_that_says_nothing_says_why(how, reason):
    found = turned(90, **how)
    assert (found.state, turn.REASONS[found.reason], found.angle_deg) == (turn.UNCLEAR, reason, None)


def test_beacons_too_rare_for_a_turn_are_told_and_forgotten():
    found = turn.Turn()
    found.press(0)
    for number in range(3):
        found.hear(-70, 30_000, 30_000 * number)
    found.tick(found.due_ms())
    assert turn.REASONS[found.reason] == "beacons too rare"
    found.tick(found.due_ms())
    assert found.state == turn.OFF


# --- what it orders


class Tag:
    """Takes downlinks as a tag does, and says which."""

    def __init__(self):
        self.state = store.State()
        self.orders = orders.Orders(DOWNLINK, self.state)
        self.taken = []

    def take(self, data):
        found = self.orders.take(data)
        if found is not None:
            self.taken.append((found[0], found[1], self.state.lost_interval_s))
        return found is not None


def sent(bench) -> list:
    return [action[1] for _, action in bench.sent(events.RADIO_SEND)]


def test_the_siren_goes_out_in_the_tags_window_until_it_obeys():
    bench, tag = bench_of(lent()), Tag()
    hear(bench, 1)
    assert not sent(bench)
    press(bench, 2000)
    for number in (2, 3):  # it did not hear the first
        bench.now_ms += 30_000
        hear(bench, number)
    first, second = bench.sent(events.RADIO_SEND)
    assert first[1][1:] == second[1][1:] == (first[1][1], region.PLANS["eu868"].downlink, 40)
    assert tag.take(sent(bench)[1])
    bench.now_ms += 1100
    hear(bench, 4, flags=LOST | beacon.SIREN)
    assert (bench.core.view.text, bench.core.view.siren) == ("siren obeyed", True)
    bench.now_ms += 10_000
    hear(bench, 5)
    assert len(sent(bench)) == 2
    assert tag.taken == [(orders.SOUND, 0, 0)]
    assert not tag.take(sent(bench)[0])  # once only


@pytest.mark.parametrize(("purpose", "flag"), [("siren", beacon.SIREN), ("lost", beacon.LOST)])
def test_a_flag_that_comes_up_stands_for_a_receipt_that_was_lost(purpose, flag):
    loan = follow.restore(lent()[follow.LOAN], lent()[follow.USE])
    asked, actions = FinderOrders(loan, region.PLANS["eu868"]), []
    assert asked.receipt(flag, 0) is None  # it was up before anything was sent
    assert asked.receipt(0, 30_000) is None
    assert asked.want(purpose)
    asked.answer(30_000, actions)
    asked.sent(True, 30_200)
    assert asked.receipt(0, 60_000) is None
    assert asked.receipt(flag, 90_000) == purpose
    assert asked.purpose is None


def test_a_tag_that_beacons_rarely_again_is_calm():
    loan = follow.restore(lent()[follow.LOAN], lent()[follow.USE])
    asked, actions = FinderOrders(loan, region.PLANS["eu868"]), []
    assert asked.want("calm")
    for at_ms, calm in ((4000, None), (8000, None), (38_000, "calm")):
        assert asked.receipt(0, at_ms) == calm
        asked.answer(at_ms, actions)
        asked.sent(True, at_ms)
    assert len(actions) == 4


def test_the_siren_goes_before_what_was_not_sent_yet():
    loan = follow.restore(lent()[follow.LOAN], lent()[follow.USE])
    asked, actions = FinderOrders(loan, region.PLANS["eu868"]), []
    assert asked.want("calm") and asked.want("siren")
    assert asked.purpose == "siren"
    asked.answer(0, actions)
    assert actions[-1][1] == commands()[3][1]
    assert asked.want("hurry") and asked.purpose == "siren"


def test_a_tag_that_does_not_answer_is_given_up():
    bench = bench_of(lent())
    press(bench, 2000)
    told = []
    for number in range(6):
        bench.now_ms += 30_000
        hear(bench, number)
        told.append(bench.core.view.text)
    assert len(sent(bench)) == 3
    assert told[3] == "siren: no answer"


def test_a_tag_that_was_not_told_of_its_theft_is_told():
    bench, tag = bench_of(lent()), Tag()
    hear(bench, 1, flags=beacon.LISTENING)
    assert tag.take(sent(bench)[0]) and tag.state.lost


def test_a_turn_hurries_the_tag_and_calms_it_again():
    bench, tag = bench_of(lent()), Tag()
    hear(bench, 1)
    press(bench, 300)
    interval_ms, number, seen = 30_000, 1, 0
    for _ in range(30):
        bench.run_until(bench.now_ms + interval_ms, answers)
        number += 1
        hear(bench, number, -60)
        for data in sent(bench)[seen:]:
            seen += 1
            if tag.take(data):
                bench.run_until(bench.now_ms + 1000, answers)
                number += 1
                hear(bench, number, -60)
        interval_ms = (tag.state.lost_interval_s or 30) * 1000
    assert [taken[2] for taken in tag.taken] == [4, 0]
    assert tag.state.lost


def test_no_more_orders_than_it_was_lent():
    bench = bench_of(lent())
    told = []
    for number in range(1, 5):
        press(bench, 2000)
        told.append(bench.core.view.text)
        bench.now_ms += 30_000
        hear(bench, 2 * number)
        bench.now_ms += 1000
        hear(bench, 2 * number + 1)
    assert len(sent(bench)) == 2
    kept = restarted(bench, lent())
    assert follow.restore(kept[follow.LOAN], kept[follow.USE]).commands_left() == 0
    assert told == ["siren: at next beacon"] * 2 + ["no orders left"] * 2


def test_no_order_goes_out_without_a_window():
    bench = bench_of(lent())
    press(bench, 2000)
    hear(bench, 1, flags=beacon.LOST)
    assert not sent(bench)


# --- the rest


def test_the_strongest_stranger_is_shown_and_keeps_the_screen():
    bench = bench_of(records("none"))
    assert bench.core.view.mode == SEARCH
    for second, (secret, rssi_dbm) in enumerate([(1, -80), (2, -60), (1, -57), (1, -50)]):
        bench.now_ms += 1000
        hear(bench, second, rssi_dbm, secret=bytes((secret,)) * 32)
    stranger = keys.eid(keys.derive(bytes((1,)) * 32, keys.IDENTITY), FIRST_EPOCH)
    assert bench.core.view.code == f"?{stranger[0]:02X}{stranger[1]:02X}"
    assert bench.core.view.level_dbm == -50


def test_a_very_long_press_changes_the_mode_and_is_felt():
    bench = bench_of(lent())
    press(bench, 4500)
    assert bench.core.view.mode == SEARCH
    assert [action[1] for _, action in bench.sent(events.CHIRP)] == [1, 2]
    press(bench, 4500)
    assert bench.core.view.mode == FOLLOW


def test_left_alone_it_goes_dark_and_the_first_press_only_wakes_it():
    bench = bench_of(lent())
    bench.run_until(301_000, answers)
    assert bench.core.dark and bench.sent(events.SCREEN)[-1][1][1] is None
    shown = len(bench.sent(events.SCREEN))
    bench.run_until(900_000, answers)
    assert len(bench.sent(events.SCREEN)) == shown
    press(bench, 2000)
    assert not bench.core.dark and bench.core.view.text == ""
    bench.run_until(1_300_000, answers)
    hear(bench, 1)
    assert not bench.core.dark


def test_a_finder_without_a_plan_neither_listens_nor_fails():
    bench = bench_of(lent() | {store.SETTINGS: b"region=atlantis"})
    press(bench, 300)
    press(bench, 2000)
    bench.run_until(10_000, answers)
    assert not bench.sent(events.RADIO_LISTEN)


# --- loading


BEGIN = {"code": "B001", "first_epoch": 9, "count": 3, "expires_ms": UTC_S * 1000, "budget_s": 600}
EIDS = [bytes((number,)) * 6 for number in range(3)]


def test_a_loan_is_stored_whole_with_its_use_first():
    intake, actions = Intake(lent()), []
    assert intake.handle("follow_read", {}, actions)[1]["code"] == "A7F3"
    for request, values in (
        ("follow_begin", BEGIN),
        ("follow_ids", {"first": 0, "eids": EIDS[:2]}),
        ("follow_ids", {"first": 0, "eids": EIDS[:2]}),  # repeated
        ("follow_ids", {"first": 2, "eids": EIDS[2:]}),
        ("follow_commands", {"commands": [{"purpose": "siren", "downlink": commands()[3][1]}]}),
    ):
        assert intake.handle(request, values, actions) == ("ack", {})
    assert not actions
    assert intake.handle("follow_finish", {}, actions)[0] == "ack"
    assert [action[1] for action in actions] == [follow.USE, follow.LOAN]
    assert follow.restore(lent()[follow.LOAN], actions[0][2]) is None  # cut off in between
    told = intake.handle("follow_read", {}, actions)[1]
    assert told == {"code": "B001", "first_epoch": 9, "count": 3, "left_s": 600, "commands": 1}
    assert intake.handle("follow_clear", {}, actions)[0] == "ack"
    assert intake.handle("follow_read", {}, actions)[1]["count"] == 0


@pytest.mark.parametrize(
    ("steps", "detail"),
    [
        ([("follow_ids", {"first": 0, "eids": EIDS})], "follow_begin first"),
        ([("follow_finish", {})], "follow_begin first"),
        ([("follow_begin", BEGIN), ("follow_finish", {})], "0 of 3"),
        ([("follow_begin", BEGIN), ("follow_ids", {"first": 1, "eids": EIDS})], "in order"),
        ([("follow_begin", BEGIN), ("follow_ids", {"first": 0, "eids": [*EIDS, EIDS[0]]})], "more ids"),
        ([("follow_commands", {"commands": []})], "follow_begin first"),
    ],
)
def test_a_loading_out_of_step_is_refused_and_stores_nothing(steps, detail):
    intake, actions = Intake(lent()), []
    for request, values in steps:
        name, told = intake.handle(request, values, actions)
    assert name == "error" and detail in told["detail"] and not actions
