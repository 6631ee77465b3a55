"""Stations, a tracker and a collector over a line that loses, doubles and damages: nothing lost, nothing twice."""

import tempfile
from pathlib import Path

from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundwire import frame
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from host.radio_senders import (
    NOW_MS,
    OTHER,
    STATION,
    TagSender,
    fix_item,
    frame_of,
    hello,
    reply_of,
    sighting,
    sightings,
    signed_report,
)

TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
LOST, UNANSWERED, DOUBLED, DAMAGED, DELIVERED = "lost", "unanswered", "doubled", "damaged", "delivered"
fates = st.sampled_from((LOST, UNANSWERED, DOUBLED, DAMAGED, DELIVERED))
stations = st.sampled_from((STATION, OTHER))


class StationModel:
    """Keeps what was not acknowledged, as a base station does."""

    def __init__(self, station_id):
        self.station_id = station_id
        self.boot_count = 1
        self.first_sequence = 0
        self.waiting = []  # (beacon counter, sighting)

    def request(self, most):
        batch = [heard for _, heard in self.waiting[:most]]
        return sightings(batch, self.first_sequence, self.station_id, self.boot_count)

    def acknowledged(self, next_sequence):
        del self.waiting[: next_sequence - self.first_sequence]
        self.first_sequence = max(next_sequence, self.first_sequence)

    def reboot(self):
        """Its queue is in flash; the numbers begin anew."""
        self.boot_count += 1
        self.first_sequence = 0


class ExactlyOnce(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = None
        self.now_ms = NOW_MS
        self.counter = 0
        self.power_losses = 0
        self.reports = 0
        self.stations = {name: StationModel(name) for name in (STATION, OTHER)}
        self.heard = set()  # (station, counter)
        self.acknowledged = set()
        self.sent_before = [hello()]
        self.restart()

    @rule()
    def restart(self):
        """The collector is killed and started again: only its file is left."""
        if self.database is not None:
            self.database.close()
        self.database = Database(Path(self.folder.name) / "collector.db")
        self.collector = Collector(self.database, [(TAG.device_id, TAG.secret)])

    @rule(ears=st.sets(stations, min_size=1))
    def tag_beacons(self, ears):
        self.counter += 1
        self.power_losses = 0
        self.now_ms += 30_000
        data = TAG.beacon(self.counter)
        for name in ears:
            self.stations[name].waiting.append((self.counter, sighting(data, self.now_ms)))
            self.heard.add((name, self.counter))

    @precondition(lambda self: self.power_losses < 2 and not any(s.waiting for s in self.stations.values()))
    @rule()
    def tag_loses_power(self):
        """It goes on behind its reserved block; a third time without being heard is beyond the window of ids."""
        self.counter += 1000
        self.power_losses += 1

    @rule(name=stations, most=st.integers(1, 4), fate=fates)
    def station_sends(self, name, most, fate):
        station = self.stations[name]
        self.now_ms += 100
        reply = self.exchange(station.request(most), fate)
        if reply is not None:
            station.acknowledged(reply.values["next_sequence"])

    @rule(name=stations)
    def station_reboots(self, name):
        """Only after it was acknowledged everything: numbers that begin anew make repeats look new."""
        if not self.stations[name].waiting:
            self.stations[name].reboot()

    @rule(fate=fates)
    def tracker_reports(self, fate):
        self.now_ms += 1000
        item = fix_item(self.now_ms, 45.0, 13.0)
        request = signed_report(TAG.device_id, TAG.secret, self.reports, [item])
        if self.exchange(request, fate) is not None:
            self.acknowledged.add(self.reports)
            self.reports += 1

    @rule(data=st.data())
    def somebody_replays(self, data):
        """Bytes that were once on the line come again, as they were."""
        self.exchange(data.draw(st.sampled_from(self.sent_before)), DELIVERED)

    def exchange(self, request, fate):
        self.sent_before.append(request)
        if fate == LOST:
            return None
        if fate == DAMAGED:
            line = request[:-3] + bytes([request[-3] ^ 0x55]) + request[-2:]
            assert self.deliver(line) == []
            return None
        replies = self.deliver(request * (2 if fate == DOUBLED else 1))
        return None if fate == UNANSWERED else reply_of(replies[-1])

    def deliver(self, line):
        decoder = frame.Decoder(5000)
        decoder.feed(line)
        replies = []
        while (found := decoder.next()) is not frame.NEED_MORE:
            if isinstance(found, frame.Frame):
                replies.append(self.collector.receive(found, self.now_ms))
        return replies

    @invariant()
    def stored_is_heard_and_once(self):
        stored = [
            (row["station_id"], row["counter"]) for row in self.database.rows("SELECT * FROM sightings")
        ]
        waiting = {(name, counter) for name, model in self.stations.items() for counter, _ in model.waiting}
        assert len(stored) == len(set(stored))
        assert set(stored) <= self.heard
        assert self.heard - waiting <= set(stored), "acknowledged, but not stored"
        assert self.database.rows("SELECT * FROM rejects") == []

    @invariant()
    def reports_are_kept_once(self):
        kept = [row["sequence"] for row in self.database.rows("SELECT sequence FROM reports")]
        fixes = len(self.database.rows("SELECT 1 FROM fixes"))
        assert self.acknowledged <= set(kept) and len(kept) == len(set(kept)) == fixes

    def teardown(self):
        for station in self.stations.values():
            while station.waiting:
                station.acknowledged(self.exchange(station.request(8), DELIVERED).values["next_sequence"])
        beacons = {row["counter"] for row in self.database.rows("SELECT counter FROM beacons")}
        assert beacons == {counter for _, counter in self.heard}
        self.stored_is_heard_and_once()
        self.database.close()
        self.folder.cleanup()


ExactlyOnce.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestExactlyOnce = ExactlyOnce.TestCase

GOOD = [
    frame_of(line)
    for line in (
        hello(),
        sightings([sighting(TAG.beacon(3), NOW_MS)]),
        signed_report(TAG.device_id, TAG.secret, 1, [fix_item(NOW_MS, 45, 13)]),
    )
]


@settings(deadline=None)
@given(st.sampled_from(GOOD), st.integers(0, 127), st.booleans(), st.data())
def test_whatever_a_peer_sends_gets_one_reply(good, kind, keep_kind, data):
    payload = bytearray(good.payload)
    for _ in range(data.draw(st.integers(0, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    payload += data.draw(st.binary(max_size=8))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "collector.db")
        collector = Collector(database, [(TAG.device_id, TAG.secret)])
        request = good._replace(kind=good.kind if keep_kind else kind, payload=bytes(payload))
        assert reply_of(collector.receive(request, NOW_MS)).name is not None
        database.close()
