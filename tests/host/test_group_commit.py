"""Many stations share a commit; nobody hears that something is kept before it is; one fault hurts one peer."""

import asyncio

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.group_commit import AT_ONCE, GroupCommit
from groundnet.collector.intake.inbox import CAPACITY, Inbox, arrived
from groundnet.database.store import StoreError
from groundwire import frame, messages

from host.radio_senders import NOW_MS, count, hello, reply_of, sighting, sightings

STATIONS = [(0xB000 + number).to_bytes(8, "big") for number in range(AT_ONCE + 6)]


class Counting(Collector):
    """Counts its units of work; fails as it is told."""

    def __init__(self, *args):
        self.units = 0
        super().__init__(*args)

    def unit_of_work(self, now_ms):
        self.units += 1
        return super().unit_of_work(now_ms)

    def receive(self, request, now_ms):
        if messages.name_of(request.kind) == "station_health":
            raise ZeroDivisionError("a fault of ours")
        return super().receive(request, now_ms)


@pytest.fixture
def counting(store_at, tag):
    database = Database(store_at("collector.db"))
    yield Counting(database, [(tag.device_id, tag.secret)])
    database.close()


def arrival(line):
    return arrived(frame.Decoder(CAPACITY, frame.REQUESTS), line), None


def together(collector, lines):
    """The replies to lines of as many peers, or what each was told instead."""

    async def work():
        group = GroupCommit(Inbox(collector, lambda: NOW_MS))
        going = [group.replies(arrival(line)) for line in lines]
        return await asyncio.gather(*going, return_exceptions=True)

    return asyncio.run(work())


def told(tag, counters=range(1, 4)):
    return [
        sightings([sighting(tag.beacon(counter), NOW_MS) for counter in counters], station_id=station_id)
        for station_id in STATIONS
    ]


def test_stations_that_speak_at_once_share_a_commit(counting, tag):
    replies = together(counting, told(tag))
    assert [reply_of(reply).values["next_sequence"] for (reply,) in replies] == [3] * len(STATIONS)
    assert (count(counting, "beacons"), count(counting, "sightings")) == (3, 3 * len(STATIONS))
    assert counting.units == 2


def test_nobody_is_answered_when_the_store_fails_and_everything_comes_again(counting, tag, monkeypatch):
    def full(*_):
        raise StoreError("disk full", "make room")

    with monkeypatch.context() as broken:
        broken.setattr(counting.database, "run_many", full)
        answers = together(counting, told(tag))
    assert all(isinstance(answer, ConnectionAbortedError) for answer in answers)
    assert count(counting, "sightings") == 0
    together(counting, told(tag))
    assert (count(counting, "beacons"), count(counting, "sightings")) == (3, 3 * len(STATIONS))


def test_a_fault_of_ours_hurts_only_the_peer_whose_frame_shows_it(counting, tag):
    health = frame.encode(messages.kind_of("station_health"), bytes(60), 1)
    lines = [*told(tag)[:3], health, hello(STATIONS[9])]
    answers = together(counting, lines)
    assert isinstance(answers[3], ZeroDivisionError)
    assert [reply_of(answers[at][0]).name for at in (0, 1, 2, 4)] == ["sightings_ack"] * 3 + ["orders"]
    assert (count(counting, "sightings"), count(counting, "stations")) == (9, 1)


def test_a_unit_of_work_writes_nothing_before_it_ends_and_nothing_when_it_fails(store_at):
    database, other = Database(store_at("collector.db")), Database(store_at("collector.db"))

    def rejects():
        return {row["reason"]: row["count"] for row in other.rows("SELECT * FROM rejects")}

    with database.unit_of_work():
        database.run("INSERT INTO rejects VALUES ('one', 1)")
        with pytest.raises(ValueError, match="inner"), database.transaction():
            database.run("INSERT INTO rejects VALUES ('inner', 1)")
            raise ValueError("inner")
        with database.transaction():
            database.run("INSERT INTO rejects VALUES ('two', 1)")
        assert rejects() == {}
    assert rejects() == {"one": 1, "two": 1}
    with pytest.raises(ValueError, match="outer"), database.unit_of_work():
        database.run("INSERT INTO rejects VALUES ('three', 1)")
        raise ValueError("outer")
    assert rejects() == {"one": 1, "two": 1}
    other.run("UPDATE rejects SET count = 5")  # nobody holds the store
    database.close()
    other.close()
