"""What a tracker tells of its own condition: parts that fail, why it started, what it had to throw away."""

import pytest
from core.devices import DEVICE_ID, Bench, records
from core.tables import assert_every_row_is_visited
from core.test_tracker import World
from groundcore import events, faults
from groundcore.faults import Faults
from groundcore.journal import unpack_item
from groundcore.tracker import Tracker
from groundwire import report_table
from hypothesis import given
from hypothesis import strategies as st

HOUR_MS = 3_600_000


def faults_in(state):
    found = Faults()
    found._parts["modem"] = [state, "no answer", 0]
    return found


def test_every_row_of_a_failing_part(monkeypatch):
    def play(state, what):
        watched = faults_in(state)
        after, out = faults.TRANSITIONS[state, what]
        if what == faults.HOUR:
            assert watched.check(HOUR_MS - 1) == []
            told = watched.check(HOUR_MS)
        else:
            told = watched.take("modem", "mute" if what == faults.FAIL else "", 5)
        assert watched._parts["modem"][0] == after
        assert len(told) == out

    assert_every_row_is_visited(faults, monkeypatch, play)


def test_a_part_that_comes_and_goes_is_told_once_an_hour():
    watched, told = Faults(), []
    for second in range(2 * 3600):
        now_ms = 1000 * second
        told += watched.check(now_ms) + watched.take("radio", "busy" if second % 2 == 0 else "", now_ms)
    assert 2 <= len(told) <= 6
    assert watched.next_deadline() is not None


@given(st.lists(st.tuples(st.sampled_from(("modem", "gnss")), st.booleans(), st.integers(0, 2 * HOUR_MS))))
def test_an_hour_after_the_last_news_the_last_word_is_the_truth(news):
    watched, now_ms, told = Faults(), 0, {}
    truth = {}
    for part, fails, passed_ms in news:
        now_ms += passed_ms
        for item in watched.check(now_ms) + watched.take(part, "mute" if fails else "", now_ms):
            told[item["part"]] = item["text"]
        truth[part] = "mute" if fails else ""
    for item in watched.check(now_ms + HOUR_MS):
        told[item["part"]] = item["text"]
    assert all(told.get(part, "") == text for part, text in truth.items())
    assert watched.check(now_ms + 2 * HOUR_MS) == []


@pytest.mark.parametrize("text", ["no answer", "没有回应" * 20, "x" * 200])
def test_a_fault_names_the_part_and_its_end_is_told(text):
    world = World()
    world.run(30)
    world.reports.clear()
    world.play(world.bench.give(events.FAULT, "accelerometer", text))
    world.run(5)
    items = world.reports[0][1]
    assert [item["type"] for item in items[:2]] == ["alarm", "fault"]
    assert items[0]["cause"] == "fault"
    assert items[1]["part"] == "accelerometer" and text.startswith(items[1]["text"])
    assert 9 <= len(items[1]["text"].encode()) <= 40
    world.play(world.bench.give(events.FAULT, "accelerometer", ""))
    world.run(5)
    assert [item["text"] for item in world.items("fault")][1:] == [""]
    assert len(world.items("alarm")) == 1, "that it works again is no alarm"


@pytest.mark.parametrize("cause", range(len(report_table.STARTS)))
def test_a_tracker_says_why_it_started(cause):
    bench = Bench(Tracker(DEVICE_ID, records(collector_host="collector")))
    bench.give(events.BOOT, cause)
    reporter = bench.core._reporter
    queued = reporter.queue._urgent + reporter.queue._history
    waiting = [unpack_item(entry[1]) for entry in queued]
    starts = [item for item in waiting if item["type"] == "start"]
    assert [item["cause"] for item in starts] == [report_table.STARTS[cause]]
    assert reporter.queue.urgent == (cause == events.BOOT_BROWNOUT)


def test_the_causes_of_a_start_are_those_of_the_boot_event():
    names = {name[5:].lower(): number for name, number in vars(events).items() if name.startswith("BOOT_")}
    assert {name: number for number, name in enumerate(report_table.STARTS)} == names


def test_what_was_dropped_is_told_once_as_soon_as_somebody_listens():
    world = World()
    world.run(30)
    world.network = False
    battery = {"battery_mv": 3600, "percent": 90, "supply": "unknown", "external_mv": None}
    for number in range(400):
        world.bench.core._reporter.put("battery", battery, world.bench.now_ms + number)
    lost = world.bench.core._reporter.queue.lost
    assert lost > 100
    world.reports.clear()
    world.network = True
    world.run(120)
    assert [item["count"] for item in world.items("dropped")] == [lost]
    assert world.reports[0][1][-1]["type"] == "dropped"
    assert len(world.items("battery")) + lost >= 400


def test_a_heartbeat_says_when_the_next_one_is_due():
    world = World(heartbeat_s=300)
    world.run(620)
    heartbeats = world.items("heartbeat")
    assert len(heartbeats) == 3 and {item["interval_s"] for item in heartbeats} == {300}
