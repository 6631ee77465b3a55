"""Tag, base station and tracker against the real collector core, without radio or sockets between them."""

import pytest
from core.devices import SECRET, Bench, records
from groundcore import events
from groundcore.base import Base
from groundcore.tag import Tag
from groundcore.tracker import Tracker
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.outbound import orders
from groundwire import beacon, downlink, frame

UTC_MS = 1_790_000_000_000
TAG_ID = bytes.fromhex("0000aabbccddee01")
STATION_ID = bytes.fromhex("3c71bf0000b00001")


class Air:
    """One tag beside one station, and the collector behind it, on one clock."""

    def __init__(self, collector):
        self.collector = collector
        self.tag = Bench(Tag(records()))
        self.base = Bench(Base(STATION_ID, records(collector_host="c")))
        self.on_air = None
        self.base.play(self.base.give(events.BOOT, events.BOOT_POWER_ON), self.at_base)
        self.tag.play(self.tag.give(events.BOOT, events.BOOT_POWER_ON), self.at_tag)

    def at_base(self, bench, action):
        if action[0] == events.NET_OPEN:
            return (events.NET_UP,)
        if action[0] == events.NET_SEND:
            return (events.NET_BYTES, ask(self.collector, action[1], bench.now_ms))
        if action[0] == events.RADIO_SEND:
            self.on_air = action[1]
            return (events.RADIO_SENT,)
        return None

    def at_tag(self, bench, action):
        if action[0] == events.RADIO_SEND:
            self.base.now_ms = max(self.base.now_ms, bench.now_ms)
            self.base.play(self.base.give(events.RADIO_RECEIVED, action[1], -101, 400), self.at_base)
            return (events.RADIO_SENT,)
        if action[0] == events.RADIO_LISTEN:
            heard, self.on_air = self.on_air, None
            return (events.RADIO_SILENT,) if heard is None else (events.RADIO_RECEIVED, heard, -90, 500)
        return None

    def run(self, seconds):
        for _ in range(round(seconds)):
            self.base.run_until(self.base.now_ms + 1000, self.at_base)
            self.tag.run_until(self.base.now_ms, self.at_tag)

    def flags(self) -> int:
        return beacon.decode(self.tag.sent(events.RADIO_SEND)[-1][1][1]).flags


def ask(collector, data, now_ms) -> bytes:
    decoder = frame.Decoder(4096, frame.REQUESTS)
    decoder.feed(data)
    while not isinstance(found := decoder.next(), frame.Frame):
        assert found is not frame.NEED_MORE
    return collector.receive(found, UTC_MS + now_ms)


@pytest.fixture
def collector(tmp_path):
    database = Database(tmp_path / "collector.db")
    yield Collector(database, [(TAG_ID, SECRET)])
    database.close()


def count(collector, table):
    return collector.database.row(f"SELECT count(*) AS n FROM {table}")["n"]


def test_every_beacon_is_a_sighting_in_the_store(collector):
    air = Air(collector)
    air.run(2 * 3600)
    assert count(collector, "sightings") == len(air.tag.sent(events.RADIO_SEND)) >= 4


def test_a_reported_theft_reaches_the_tag_and_is_taken_back(collector):
    air = Air(collector)
    air.run(120)
    orders.queue(collector.database, TAG_ID, downlink.LOST_ON, 0, UTC_MS + air.base.now_ms)
    air.run(2000)
    assert air.flags() & beacon.LOST
    before = count(collector, "sightings")
    air.run(300)
    assert count(collector, "sightings") - before >= 8
    orders.queue(collector.database, TAG_ID, downlink.LOST_OFF, 0, UTC_MS + air.base.now_ms)
    air.run(400)
    assert not air.flags() & beacon.LOST
    assert air.tag.core.refused == [0, 0, 0, 0]


def test_a_tracker_reports_and_takes_its_orders(collector):
    bench = Bench(Tracker(TAG_ID, records(collector_host="c", heartbeat_s=300)))

    def answer(bench, action):
        if action[0] == events.NET_OPEN:
            return (events.NET_UP,)
        if action[0] == events.NET_SEND:
            return (events.NET_BYTES, ask(collector, action[1], bench.now_ms))
        if action[0] == events.READ_BATTERY:
            return (events.BATTERY, 3600)
        return None

    bench.play(bench.give(events.BOOT, events.BOOT_POWER_ON), answer)
    bench.play(bench.give(events.MODEM_READY), answer)
    bench.run_until(60_000, answer)
    orders.queue(collector.database, TAG_ID, downlink.LOST_ON, 0, UTC_MS + bench.now_ms)
    bench.run_until(700_000, answer)
    assert bench.core.mode == "lost"
    orders.queue(collector.database, TAG_ID, downlink.LOST_OFF, 0, UTC_MS + bench.now_ms)
    bench.run_until(1_400_000, answer)
    assert bench.core.mode == "armed"
