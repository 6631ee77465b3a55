"""Stations that misbehave are kept out with the right reason, for a while, and nobody else suffers."""

import json

import pytest
from groundnet.cli.main import app
from groundnet.collector.stations import quarantine, quarantine_store
from groundnet.collector.stations.quarantine import Bucket, Conduct
from groundnet.collector.stations.station_clock import retimed
from groundnet.collector.stations.station_door import StationDoor
from groundnet.sim import groundcore_runtime
from groundwire import beacon, messages
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from host.quarantine_county import County, Line, greeting, health, secret_of, station_id
from host.radio_senders import NOW_MS, frame_of, sighting, sightings

region = groundcore_runtime.load("region")
MINUTE_MS = 60_000
GOOD, BAD = 1, 2


@pytest.fixture
def county(store_at, tag):
    found = County(store_at("collector.db"), [tag], range(1, 12))
    yield found
    found.database.close()


def flood(county, line, tag, frames=400):
    """As fast as it goes: full frames within one millisecond, until it is refused."""
    data = [sighting(tag.beacon(7), NOW_MS)] * 64
    for number in range(frames):
        reply = line.tell(data, 64 * number)
        if reply is None or reply.name == "error":
            return reply
    raise AssertionError("never refused")


def test_who_tells_more_than_its_radio_can_hear_is_refused_and_told_to_wait(county, tag):
    refused = flood(county, Line(county, BAD), tag).values
    assert (refused["code"], refused["retry_after_ms"]) == ("busy", 10 * MINUTE_MS)
    assert "more than its radio can hear" in refused["detail"]
    assert county.held() == {BAD: "flood"}
    line = Line(county, GOOD)
    assert line.ask(greeting(GOOD)).name == "orders"
    assert line.tell([sighting(tag.beacon(8), NOW_MS)]).name == "sightings_ack"


def test_a_full_ring_after_a_long_silence_is_no_flood(county, tag):
    line = Line(county, GOOD)
    batch = [sighting(tag.beacon(7), NOW_MS)] * 64
    for number in range(quarantine.BURST // 64):
        assert line.tell(batch, 64 * number).name == "sightings_ack"
    assert county.held() == {}


def test_a_held_station_that_goes_on_costs_nothing_and_its_connection_is_closed(county, tag):
    line = Line(county, BAD)
    flood(county, line, tag)
    answered = sum(line.ask(greeting(BAD)) is not None for _ in range(1000))
    assert answered <= 8 and line.peer.is_tiresome(county.now_ms)
    with pytest.raises(Exception, match="refused"):
        Line(county, BAD)
    county.now_ms += 10 * MINUTE_MS
    assert Line(county, BAD).ask(greeting(BAD)).name == "orders", "after its time it may come again"


def test_it_is_let_in_after_its_time_and_held_for_longer_each_time(county, tag):
    waits = []
    for _ in range(6):
        quarantine_store.hold(county.database, station_id(BAD), "flood", "", county.now_ms)
        county.now_ms += 1000
        assert Line(county, BAD).ask(greeting(BAD)).values["code"] == "busy"
        hold = quarantine_store.held(county.database)[station_id(BAD)]
        waits.append((hold.until_ms - hold.since_ms) // MINUTE_MS)
        county.now_ms = hold.until_ms
        assert Line(county, BAD).ask(greeting(BAD)).name == "orders"
    assert waits == [10, 30, 90, 270, 360, 360]
    acts = [one.act for one in quarantine_store.acts(county.database, station_id(BAD))]
    assert acts == ["held", "expired"] * 6


def test_what_a_held_station_keeps_is_delivered_after_its_release(county, tag):
    quarantine_store.hold(county.database, station_id(GOOD), "by_hand", "moved", NOW_MS, "li", for_ever=True)
    line = Line(county, GOOD)
    heard = [sighting(tag.beacon(7), NOW_MS)]
    waiting = line.tell(heard).values
    assert (waiting["code"], waiting["retry_after_ms"]) == ("busy", 15 * MINUTE_MS)
    assert county.kept() == []
    assert quarantine_store.release(county.database, station_id(GOOD), NOW_MS + 1, "li")
    county.now_ms += 15 * MINUTE_MS
    assert line.tell(heard).name == "sightings_ack" and county.kept() == [(GOOD, 7)]


def test_a_station_whose_starts_go_back_is_held_and_comes_back_when_it_was_flashed_anew(county):
    Line(county, BAD).ask(greeting(BAD, 9))
    assert Line(county, BAD).ask(greeting(BAD, 1)).values["code"] == "busy"
    assert county.held() == {BAD: "starts_went_back"}
    county.now_ms += 10 * MINUTE_MS
    for boot_count in (1, 2, 3):
        assert Line(county, BAD).ask(greeting(BAD, boot_count)).name == "orders"


def test_a_station_that_is_provisioned_anew_is_let_in_at_once_unless_it_is_held_by_hand(county):
    for number in (GOOD, BAD):
        rule = "by_hand" if number == GOOD else "flood"
        quarantine_store.hold(county.database, station_id(number), rule, "", NOW_MS, for_ever=number == GOOD)
    county.door.learn([(station_id(number), secret_of(number)) for number in (GOOD, BAD)])
    assert county.door.watch.held(station_id(BAD), NOW_MS).rule == "flood", "the same secret changes nothing"
    county.door.learn([(station_id(number), bytes([number]) * 32) for number in (GOOD, BAD)])
    assert county.door.watch.held(station_id(BAD), NOW_MS) is None
    assert county.door.watch.held(station_id(GOOD), NOW_MS).rule == "by_hand"
    assert quarantine_store.acts(county.database)[-1].detail == "provisioned anew"


def test_of_two_with_one_id_each_return_holds_both_for_longer(county):
    for boot_count in (9, 1):
        Line(county, BAD).ask(greeting(BAD, boot_count))
    county.now_ms += 10 * MINUTE_MS
    for boot_count in (1, 9, 2):
        Line(county, BAD).ask(greeting(BAD, boot_count))
    hold = quarantine_store.held(county.database)[station_id(BAD)]
    assert hold.times == 2 and hold.left_ms(county.now_ms) == 30 * MINUTE_MS


def test_a_station_that_is_connected_twice_is_held_and_one_that_changes_its_way_is_not(county):
    first, second = Line(county, BAD, "10.0.0.1"), Line(county, BAD, "10.9.9.9")
    changing = [Line(county, GOOD, f"10.1.0.{number}") for number in range(12)]
    for turn in range(12):
        county.now_ms += 30_000
        for line in (first, second):
            line.ask(health(BAD, county.now_ms))
        assert changing[turn].ask(health(GOOD, county.now_ms)).name == "orders"
    assert county.held() == {BAD: "connected_twice"}


def test_a_wrong_clock_is_put_right_at_once_and_held_when_it_stays(county, tag):
    line, off_ms = Line(county, BAD), -3_600_000
    line.ask(greeting(BAD))
    line.ask(health(BAD, county.now_ms + off_ms))
    line.tell([sighting(tag.beacon(7), county.now_ms - 2000 + off_ms)])
    row = county.database.row("SELECT time_ms FROM sightings")
    assert row["time_ms"] == NOW_MS - 2000
    for _ in range(20):
        assert county.held() == {}
        county.now_ms += 30_000
        line.ask(health(BAD, county.now_ms + off_ms))
    assert county.held() == {BAD: "wrong_clock"}


@pytest.mark.parametrize("off_ms", [-3_600_000, 86_400_000])
def test_a_clock_that_was_put_right_since_its_last_word_of_health_is_believed(county, tag, off_ms):
    line = Line(county, GOOD)
    line.ask(greeting(GOOD))
    line.ask(health(GOOD, county.now_ms + off_ms))
    line.tell([sighting(tag.beacon(7), NOW_MS - 5000)])
    assert county.database.row("SELECT time_ms FROM sightings")["time_ms"] == NOW_MS - 5000


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.integers(0, 2**53)), st.binary(min_size=1, max_size=24)), max_size=9
    ),
    st.integers(-(2**54), 2**54),
)
def test_a_patched_batch_differs_in_its_times_only(heard, off_ms):
    payload = frame_of(sightings([sighting(data, time_ms) for time_ms, data in heard])).payload
    before, after = (messages.decode(0x31, one).values for one in (payload, retimed(payload, off_ms, 0)))
    for was, now in zip(before.pop("sightings"), after.pop("sightings"), strict=True):
        told, put_right = was.pop("time_ms"), now.pop("time_ms")
        kept = told is None or told <= quarantine.WRONG_CLOCK_MS
        right = told if kept else told - off_ms if 0 <= told - off_ms <= 2**53 else None
        assert (was, put_right) == (now, right)
    assert before == after


def test_a_clock_that_follows_what_it_is_told_is_believed_again(county, tag):
    line = Line(county, GOOD)
    line.ask(greeting(GOOD))
    line.ask(health(GOOD, 1000))
    line.ask(health(GOOD, county.now_ms))
    line.tell([sighting(tag.beacon(7), NOW_MS - 5000)])
    assert county.database.row("SELECT time_ms FROM sightings")["time_ms"] == NOW_MS - 5000


@pytest.mark.parametrize(("forged", "rule"), [(400, "forged_beacons"), (90, None)])
def test_who_tells_mostly_forged_beacons_is_held(county, tag, forged, rule):
    line, spoilt = Line(county, BAD), bytearray(tag.beacon(7))
    spoilt[-1] ^= 1
    for number in range(forged):
        if line.tell([sighting(bytes(spoilt), NOW_MS)], number).name == "error":
            break
    assert county.held().get(BAD) == rule


def test_a_neighbours_tags_are_no_offence_and_only_strangers_without_end_are():
    border = Conduct(0)
    for number in range(3600):
        assert border.told(1, 1000 * number) is None and border.misheard("unknown_eid", 1) is None
    mill = Conduct(0)
    judged = []
    for number in range(6000):
        mill.told(1, 100 * number)
        judged.append(mill.misheard("unknown_eid", 1))
    assert judged[4000] is None and judged[-1] == "unknown_beacons"


def test_nobody_brings_anothers_station_into_quarantine(county, tag):
    """Without its secret whatever is said in its name counts for nothing."""
    stranger = county.inbox.connection("10.6.6.6")
    line = Line(county, GOOD)
    line.peer, honest = stranger, line.peer
    for _ in range(300):
        line.raw(line.seal(greeting(GOOD, 0)))
        line.raw(greeting(GOOD, 0))
    assert county.held() == {} and stranger.is_tiresome(county.now_ms)
    again = Line(county, GOOD)
    assert again.ask(greeting(GOOD)).name == "orders" and not honest.is_tiresome(county.now_ms)


def test_what_a_radio_can_hear_is_what_the_region_plans_say():
    """The device's own arithmetic of the least beacon: 9 bytes, and 6 of MAC."""
    size = beacon.BODY_SIZES[0] + 15
    for name, plan in region.PLANS.items():
        own = 1e6 / region.airtime_us(plan.beacon, size)
        assert quarantine.HEARS_PER_S[name] >= own, name
        partner = {"eu868": "eu868-gfsk", "cn470": "cn470-gfsk"}.get(name.removesuffix("-gfsk"))
        both = (
            own
            if partner is None
            else sum(
                1e6 / region.airtime_us(region.PLANS[one].beacon, size)
                for one in (partner, name.removesuffix("-gfsk"))
            )
        )
        assert quarantine.HEARS_PER_S[name] == pytest.approx(both, rel=0.01)


@given(
    st.floats(0.1, 500),
    st.integers(1, 1000),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 100)), max_size=60),
)
def test_a_bucket_never_gives_more_than_its_size_and_what_came_with_time(per_s, size, asked):
    bucket, now_ms, given_out = Bucket(per_s, size, 0), 0, 0
    for later_ms, count in asked:
        now_ms += later_ms
        given_out += count if bucket.take(count, now_ms) else 0
    assert given_out <= size + per_s * now_ms / 1000 + 1e-6


def test_the_commands_list_hold_and_release_and_say_who_did_it(tmp_path, tag, monkeypatch):
    county = County(tmp_path / "collector.db", [tag], [GOOD, BAD])
    Line(county, GOOD).ask(greeting(GOOD))
    monkeypatch.setenv("LOGNAME", "li")
    path, name = ["--database", str(tmp_path / "collector.db")], station_id(BAD).hex()

    def run(*words, code=0, columns=250, **extra):
        found = CliRunner().invoke(app, [*words, *path], env={"COLUMNS": str(columns)}, **extra)
        assert found.exit_code == code, found.output
        return found.stdout

    run("stations", "quarantine", "hold", name, "--reason", "stolen")
    (held,) = json.loads(run("stations", "quarantine", "list", "--json"))
    assert (held["station_id"], held["rule"], held["detail"]) == (name, "by_hand", "stolen")
    assert (held["until"], held["held_by"]) == (None, "li")
    shown = json.loads(run("stations", "--json"))
    assert [one["quarantine"] and one["quarantine"]["rule"] for one in shown] == [None, "by_hand"]
    assert "人工隔离" in run("--lang", "zh", "stations", "quarantine", "list")
    for words in (("quarantine", "list"), ("quarantine", "list", "--audit"), ()):
        assert name in run("stations", *words, columns=70), "an id is copied: it is never cut"
    assert "QUARANTINE" in run("--lang", "en", "stations")
    run("stations", "quarantine", "release", name, "--reason", "found")
    run("stations", "quarantine", "release", name, code=1)
    run("stations", "quarantine", "hold", "xyz", "--reason", "x", code=2)
    audit = json.loads(run("stations", "quarantine", "list", "--audit", "--json"))
    assert [(one["act"], one["who"], one["detail"]) for one in audit] == [
        ("held", "li", "stolen"),
        ("released", "li", "found"),
    ]
    county.database.close()


def test_behind_a_broker_a_held_station_is_answered_and_then_heard_no_more(county):
    """A message is a peer of its own there; what is kept about it is kept by station."""
    line = Line(county, BAD)
    line.peer = county.inbox.topic(station_id(BAD).hex())
    line.open()
    assert line.ask(greeting(BAD, 9)).name == "orders"
    answered = 0
    for _ in range(200):
        line.peer = county.inbox.topic(station_id(BAD).hex())
        answered += line.ask(greeting(BAD, 1)) is not None
    assert answered <= 9 and county.held() == {BAD: "starts_went_back"}


def test_another_collector_on_the_same_store_knows_who_is_held(county, tag):
    second = StationDoor(county.database, draw=lambda count: bytes(count))
    assert second.watch.held(station_id(BAD), NOW_MS) is None
    flood(county, Line(county, BAD), tag)
    assert second.watch.held(station_id(BAD), NOW_MS + 1000).rule == "flood"
    quarantine_store.release(county.database, station_id(BAD), NOW_MS + 2000, "li")
    assert second.watch.held(station_id(BAD), NOW_MS + 2000) is None


def test_a_unit_of_work_that_fails_leaves_nobody_held(county, tag):
    """The store says who is held; memory follows it."""
    Line(county, BAD).ask(greeting(BAD, 9))
    with pytest.raises(ZeroDivisionError), county.database.unit_of_work():
        county.door.watch.saw(station_id(BAD), 1, 0x30, frame_of(greeting(BAD, 1)).payload, county.now_ms)
        raise ZeroDivisionError
    assert county.door.watch.held(station_id(BAD), county.now_ms + 1000) is None
