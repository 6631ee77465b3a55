"""Reports over losses of power: the real reporter on the real ring, and a collector that counts.

Whatever is cut, an alarm that was in flash reaches the collector, and nothing is stored there twice.
"""

import pytest
from drivers.flaky_flash import FAT, LITTLEFS, FlakyFlash, PowerCut
from groundcore import events, store
from groundcore.reporter import Reporter
from groundcore.settings import Settings, encode
from groundwire import frame, keys, messages, report
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = bytes(range(32))
DEVICE_ID = b"tracker1"
KEY = keys.derive(SECRET, keys.REPORT)
SETTINGS = encode({"collector_host": "collector"})


class Collector:
    """Stores items of reports by (boot, sequence), once each; loses answers when told to."""

    def __init__(self):
        self.reports = {}
        self.deaf = False  # it takes reports, its answers are lost
        self.gone = False  # what is sent to it is lost
        self.refused = 0

    def receive(self, data: bytes) -> bytes | None:
        if self.gone:
            return None
        decoder = frame.Decoder(4096, frame.REQUESTS)
        decoder.feed(data)
        request = decoder.next()
        assert isinstance(request, frame.Frame)
        report.verify(request.kind, request.payload, KEY)
        values = messages.decode(request.kind, request.payload).values
        name = (values["boot_count"], values["sequence"])
        if name in self.reports:
            self.refused += 1
        self.reports.setdefault(name, values["items"])
        if self.deaf:
            return None
        answer = {"boot_count": name[0], "sequence": name[1], "time_ms": 1_790_000_000_000, "downlinks": []}
        return frame.encode(*report.encode("report_ack", answer, KEY), request.sequence)

    def stored(self, kind: str) -> list:
        """What was stored of a kind, by the number that each item carries, in no order."""
        field = {"heartbeat": "uptime_s", "alarm": "time_ms"}[kind]
        return [item[field] for items in self.reports.values() for item in items if item["type"] == kind]


class Tracker:
    """A reporter with its ring on a flash that may lose power, and a network that may be away."""

    def __init__(self, modules, flash, collector, segments=6, segment_bytes=512):
        self.modules, self.flash, self.collector = modules, flash, collector
        self.shape = segments, segment_bytes
        self.boots = 0
        self.now_ms = 0
        self.connected = True
        self.start()

    def start(self):
        self.boots += 1
        state = store.State()
        state.boot_count = self.boots
        self.ring = self.modules[0].FlashRing("/history", *self.shape)
        history = (self.ring.capacity_bytes, self.ring.records())
        self.reporter = Reporter(DEVICE_ID, SECRET, state, Settings(SETTINGS, "vehicle"), history)
        self.give(events.MODEM_READY)

    def alarm(self, number: int):
        values = {"cause": "lifted", "level": 1, "siren_on": 0, "time_ms": number}
        self.reporter.put("alarm", values, self.now_ms, True)
        self.give(events.TICK)

    def heartbeat(self, number: int):
        values = {"mode": "armed", "uptime_s": number, "beacon_counter": 0}
        values |= {"temperature_c": None, "interval_s": None}
        self.reporter.put("heartbeat", values, self.now_ms)
        self.give(events.TICK)

    def give(self, *event):
        self.now_ms += 10
        actions = []
        self.reporter.handle(event, self.now_ms, actions)
        self.reporter.step(self.now_ms, actions)
        self.carry_out(actions)

    def carry_out(self, actions):
        for action in actions:
            if action[0] == events.KEEP_HISTORY:
                self.ring.append(action[1])
            elif action[0] == events.NET_OPEN:
                self.give(events.NET_UP if self.connected else events.NET_DOWN)
            elif action[0] == events.NET_SEND:
                answer = self.collector.receive(action[1])
                if answer is not None:
                    self.give(events.NET_BYTES, answer)

    def pass_time(self, duration_ms: int):
        end_ms = self.now_ms + duration_ms
        while (due_ms := self.reporter.next_deadline()) is not None and due_ms < end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.give(events.TICK)
        self.now_ms = end_ms

    def restart(self, steps=None):
        self.flash.restart(steps)
        self.start()


@pytest.fixture
def rig(bench, monkeypatch):
    modules = bench.driver("flash_ring"), bench.driver("flash_records")

    def make(kind=LITTLEFS, steps=None, **shape):
        flash = FlakyFlash(kind, steps).mount(monkeypatch, *modules)
        return Tracker(modules, flash, Collector(), **shape)

    return make


def test_what_waited_is_reported_after_a_loss_of_power(rig):
    tracker = rig()
    tracker.connected = False
    tracker.give(events.MODEM_LOST)
    for number in range(20):
        tracker.heartbeat(number)
    tracker.alarm(99)
    tracker.connected = True
    tracker.restart()
    tracker.pass_time(200_000)
    assert tracker.collector.stored("alarm") == [99]
    assert sorted(tracker.collector.stored("heartbeat")) == list(range(20))
    assert next(iter(tracker.collector.reports.values()))[0]["type"] == "alarm"


def test_a_report_whose_answer_was_lost_with_the_power_is_stored_once(rig):
    tracker = rig()
    tracker.collector.deaf = True
    tracker.alarm(1)
    assert tracker.collector.stored("alarm") == [1]
    for _ in range(3):
        tracker.restart()
        tracker.pass_time(200_000)
    tracker.collector.deaf = False
    tracker.restart()
    tracker.pass_time(200_000)
    assert tracker.collector.stored("alarm") == [1] and tracker.collector.refused >= 4
    assert tracker.reporter.waiting == 0


def test_what_was_signed_for_is_not_sent_for_ever(rig):
    tracker = rig()
    for number in range(60):
        tracker.heartbeat(number)
    tracker.pass_time(100_000)
    before = len(tracker.collector.reports)
    tracker.restart()
    tracker.pass_time(100_000)
    assert tracker.collector.refused <= 4, "only what the last few answers were about"
    assert len(tracker.collector.reports) == before


def test_the_ring_ages_out_history_and_keeps_alarms(rig):
    tracker = rig()
    tracker.connected = False
    tracker.give(events.MODEM_LOST)
    for number in range(5):
        tracker.alarm(number)
    for number in range(2000):
        tracker.heartbeat(number)
    tracker.connected = True
    tracker.restart()
    tracker.pass_time(3_600_000)
    assert sorted(tracker.collector.stored("alarm")) == list(range(5))
    heartbeats = sorted(tracker.collector.stored("heartbeat"))
    assert heartbeats[-1] == 1999 and 20 < len(heartbeats) < 240
    assert len(set(heartbeats)) == len(heartbeats)


def test_a_sealed_report_outlives_the_ring(rig):
    """It was sent, nobody knows whether it arrived, and much is written before the network is back."""
    tracker = rig()
    tracker.collector.gone = True
    tracker.alarm(1)
    tracker.connected = False
    tracker.give(events.MODEM_LOST)
    for number in range(1000):
        tracker.heartbeat(number)
    tracker.collector.gone, tracker.connected = False, True
    tracker.restart()
    tracker.pass_time(3_600_000)
    assert tracker.collector.stored("alarm") == [1]


def test_what_is_sent_is_in_flash_even_where_the_ring_had_given_it_up(rig):
    tracker = rig()
    tracker.connected = False
    tracker.give(events.MODEM_LOST)
    for number in range(220):
        tracker.heartbeat(number)
    tracker.connected, tracker.collector.gone = True, True
    tracker.give(events.MODEM_READY)
    tracker.pass_time(200_000)
    (sealed,) = tracker.reporter._unsigned
    tracker.collector.gone = False
    tracker.restart()
    tracker.pass_time(3_600_000)
    assert set(range(12)) <= set(tracker.collector.stored("heartbeat"))
    assert (sealed[0], sealed[1]) in tracker.collector.reports


@pytest.mark.parametrize("kind", [LITTLEFS, FAT])
def test_power_cut_at_every_step_loses_no_alarm_and_doubles_nothing(rig, kind):
    """Two nights with alarms, answers that get lost, a full ring; the power goes at every step in turn."""
    for steps in range(0, 1_000_000, 1 if kind == LITTLEFS else 3):
        tracker = rig(kind, None, segments=4, segment_bytes=256)
        tracker.flash.restart(steps)
        safe = []
        cut = False
        try:
            for number in range(3):
                tracker.alarm(number)
                safe.append(number)
            tracker.collector.deaf = True
            tracker.alarm(3)
            safe.append(3)
            tracker.give(events.MODEM_LOST)
            for number in range(8):
                tracker.heartbeat(number)
            tracker.alarm(4)
            safe.append(4)
        except PowerCut:
            cut = True
        tracker.collector.deaf = False
        tracker.restart()
        tracker.pass_time(600_000)
        alarms = sorted(tracker.collector.stored("alarm"))
        assert len(set(alarms)) == len(alarms), "doubled"
        assert set(safe) <= set(alarms), "lost"
        heartbeats = tracker.collector.stored("heartbeat")
        assert len(set(heartbeats)) == len(heartbeats)
        if not cut:
            break
    assert steps > 300


WHAT_HAPPENS = st.lists(
    st.sampled_from(("alarm", "heartbeat", "up", "down", "deaf", "gone", "good", "cut", "wait")), max_size=40
)


@settings(max_examples=80)
@given(WHAT_HAPPENS, st.sampled_from([LITTLEFS, FAT]))
def test_whatever_happens_every_alarm_arrives_once(story, kind):
    with pytest.MonkeyPatch.context() as patch:
        from drivers import flash_records, flash_ring

        flash = FlakyFlash(kind).mount(patch, flash_ring, flash_records)
        tracker = Tracker((flash_ring, flash_records), flash, Collector(), 4, 512)
        raised = 0
        for number, what in enumerate([*story, "good", "up"]):
            if what == "alarm":
                tracker.alarm(number)
                raised += 1
            elif what == "heartbeat":
                tracker.heartbeat(number)
            elif what in ("up", "down"):
                tracker.connected = what == "up"
                tracker.give(events.MODEM_READY if tracker.connected else events.MODEM_LOST)
            elif what == "cut":
                tracker.restart()
            elif what == "wait":
                tracker.pass_time(60_000)
            else:
                tracker.collector.deaf, tracker.collector.gone = what == "deaf", what == "gone"
        tracker.pass_time(3_600_000)
        alarms = tracker.collector.stored("alarm")
        assert len(alarms) == len(set(alarms)) == raised
        heartbeats = tracker.collector.stored("heartbeat")
        assert len(heartbeats) == len(set(heartbeats)) == story.count("heartbeat")
        assert tracker.reporter.waiting == 0
