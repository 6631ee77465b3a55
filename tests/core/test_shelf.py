"""Sightings outlive a collector that is away, in flash: each is delivered once, through cuts of power at any time."""

from core.devices import DEVICE_ID, Bench, records
from core.test_base import START_UTC_MS, Collector, make_beacon
from groundcore import events
from groundcore.base import Base
from hypothesis import given, settings
from hypothesis import strategies as st

SEGMENT = 5  # records of a segment here


class Ring:
    """The ring of the app, in memory; outlives the station."""

    def __init__(self, segments=10_000):
        self.segments = {}
        self.newest = 0
        self.room = segments

    def shelve(self, new) -> int:
        """Append; how many old ones were given up."""
        lost = 0
        for record in new:
            if len(self.segments.get(self.newest, ())) >= SEGMENT or self.newest not in self.segments:
                self.newest += 1
                self.segments[self.newest] = []
                if len(self.segments) > self.room:
                    lost += len(self.segments.pop(min(self.segments)))
            self.segments[self.newest].append(record)
        return lost

    def oldest(self):
        if not self.segments:
            return None, []
        number = min(self.segments)
        if number == self.newest:
            self.newest += 1  # sealed
        return number, list(self.segments[number])


class Station:
    """A station with its ring, and a collector that may be away."""

    def __init__(self, room=10_000):
        self.ring = Ring(room)
        self.away = False
        self.stored = []
        self.state = None
        self.now_ms = 0
        self.start()

    def start(self):
        """Power comes: RAM is empty, flash is as it was."""
        kept = records(collector_host="collector")
        if self.state is not None:
            kept["state"] = self.state
        self.bench = Bench(Base(DEVICE_ID, kept, "1.0", has_shelf=True))
        self.bench.now_ms = self.now_ms
        self.collector = Collector(self.bench)
        self.play(self.bench.give(events.BOOT, events.BOOT_POWER_ON))

    def play(self, actions):
        self.bench.play(actions, self.answer)

    def answer(self, bench, action):
        if action[0] == events.STORE:
            self.state = action[2]
        if action[0] == events.SHELVE:
            lost = self.ring.shelve(action[1])
            return (events.SHELF_LOST, lost) if lost else None
        if action[0] == events.TAKE_SHELF:
            return (events.SHELF, *self.ring.oldest())
        if action[0] == events.DROP_SHELF:
            self.ring.segments.pop(action[1], None)
        if self.away and action[0] in (events.NET_OPEN, events.NET_SEND):
            return (events.NET_DOWN,)
        return self.collector.answer(bench, action)

    def hear(self, data):
        self.play(self.bench.give(events.RADIO_RECEIVED, data, -100, 350))

    def wait(self, duration_ms):
        """Let time pass, with every deadline on the way."""
        end_ms = self.bench.now_ms + duration_ms
        while (due_ms := self.bench.core.next_deadline()) is not None and due_ms <= end_ms:
            self.bench.now_ms = max(self.bench.now_ms + 1, due_ms)
            self.play(self.bench.give(events.TICK))
        self.bench.now_ms = self.now_ms = end_ms

    def seen(self):
        return [one["beacon"] for one in self.collector.seen.values()]


def test_a_long_outage_loses_nothing_and_tells_each_once_with_its_time():
    station = Station()
    station.wait(60_000)
    station.away = True
    sent = [make_beacon(counter) for counter in range(1000)]
    for data in sent:
        station.wait(1000)
        station.hear(data)
    assert sum(map(len, station.ring.segments.values())) >= 700
    station.away = False
    station.wait(3_600_000)
    assert sorted(station.seen()) == sorted(sent)
    assert not station.ring.segments
    times = [
        one["time_ms"]
        for one in sorted(station.collector.seen.values(), key=lambda one: sent.index(one["beacon"]))
    ]
    assert times == sorted(times) and times[0] == START_UTC_MS + 61_000


def test_what_is_new_goes_before_what_waited():
    station = Station()
    station.away = True
    for counter in range(300):
        station.hear(make_beacon(counter))
    station.away = False
    station.wait(200_000)
    names = [values["beacon"] for values in station.collector.seen.values()]
    assert len(names) == 300
    assert names.index(make_beacon(299)) < names.index(make_beacon(0))


def test_a_station_that_never_knew_the_time_says_so_after_a_restart_and_knows_it_before():
    station = Station()
    station.away = True
    station.start()
    for counter in range(200):
        station.wait(1000)
        station.hear(make_beacon(counter))
    station.start()
    station.away = False
    station.wait(600_000)
    times = {one["time_ms"] for one in station.collector.seen.values()}
    assert None in times, "its clock of before the restart means nothing any more"
    fresh = Station()
    fresh.away = True
    fresh.start()
    for counter in range(200):
        fresh.wait(1000)
        fresh.hear(make_beacon(counter))
    fresh.away = False
    fresh.wait(600_000)
    assert None not in {one["time_ms"] for one in fresh.collector.seen.values()}


def test_a_full_ring_gives_up_the_oldest_and_counts_them():
    station = Station(room=20)
    station.wait(1000)
    station.away = True
    for counter in range(400):
        station.hear(make_beacon(counter))
    station.away = False
    station.wait(3_600_000)
    assert len(station.seen()) + station.bench.core.lost == 400
    assert make_beacon(0) not in station.seen() and make_beacon(399) in station.seen()


def test_a_ring_that_fails_leaves_the_memory():
    station = Station()
    station.play(station.bench.give(events.FAULT, "history", "flash is full"))
    station.away = True
    for counter in range(300):
        station.hear(make_beacon(counter))
    assert not station.ring.segments and station.bench.core.lost == 300 - 256
    station.play(station.bench.give(events.FAULT, "history", ""))
    for counter in range(300, 400):
        station.hear(make_beacon(counter))
    assert station.ring.segments


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(("hear", "hear", "hear", "away", "back", "lose a reply", "wait", "cut")),
        min_size=5,
        max_size=60,
    )
)
def test_whatever_happens_what_was_shelved_arrives(steps):
    station = Station()
    counter, shelved, delivered = 0, set(), set()
    for step in steps:
        if step == "hear":
            for _ in range(40):
                station.hear(make_beacon(counter))
                counter += 1
        elif step == "cut":
            delivered |= set(station.seen())
            station.start()
        elif step == "lose a reply":
            station.collector.deaf = 1
        elif step == "wait":
            station.wait(200_000)
        else:
            station.away = step == "away"
        for segment in station.ring.segments.values():
            shelved |= {record[20:] for record in segment}
    station.away = False
    station.wait(3 * 3_600_000)
    delivered |= set(station.seen())
    assert shelved <= delivered
    assert not station.ring.segments
