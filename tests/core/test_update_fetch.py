"""An update over the uplink: a station and a tracker, a collector that offers one, and flash as a list of bytes."""

from itertools import pairwise

import pytest
from core.devices import DEVICE_ID, SECRET, Bench, records, silent_radio
from core.tables import assert_every_row_is_visited
from groundcore import events, store, update_fetch
from groundcore.base import Base
from groundcore.tracker import Tracker
from groundwire import frame, keys, messages, report

BUNDLE = bytes(range(256)) * 4
OFFER = {"size_bytes": len(BUNDLE), "sha256": bytes(32), "version": "0.2.0", "security_counter": 1}
NOTHING = {"size_bytes": 0, "sha256": bytes(32), "version": "", "security_counter": 0}
REPORT_KEY = keys.derive(SECRET, keys.REPORT)
HOUR_MS = 3_600_000


class Surroundings:
    """Collector and flash. ``refuse`` answers a request of the app by an error; ``lose`` cuts the line at an offset."""

    def __init__(self, core, **otherwise):
        self.bench = Bench(core)
        self.offer = OFFER
        self.checks = []
        self.steps = []
        self.fetched = []
        self.flash = b""
        self.state = "idle"
        self.refuse = {}
        self.lose = set()
        self.error = set()
        self.opened = self.reports = 0
        self.ends_it = ("failed", "trial")
        self.__dict__.update(otherwise)
        self.bench.play(self.bench.give(events.BOOT, events.BOOT_POWER_ON), self.answer)
        self.bench.play(self.bench.give(events.MODEM_READY), self.answer)

    def run(self, seconds):
        self.bench.run_until(self.bench.now_ms + 1000 * seconds, self.answer)

    def answer(self, bench, action):
        if action[0] == events.UPDATE_STEP:
            return (events.UPDATE_TOLD, self.step(*action[1:]))
        if action[0] == events.NET_OPEN:
            self.opened += 1
            return (events.NET_UP,)
        if action[0] == events.NET_SEND:
            reply = self.reply(action[1])
            return (events.NET_DOWN,) if reply is None else (events.NET_BYTES, reply)
        return silent_radio(bench, action)

    def step(self, request, values):
        self.steps.append(request)
        if request in self.refuse:
            return {"code": self.refuse[request], "detail": "because"}
        if request == "update_block" and values["offset_bytes"] == len(self.flash):
            self.flash += values["data"]
        if request == "update_begin":
            self.state = "receiving"
        if request == "update_finish":
            self.state = "verified"
        told = {"state": self.state, "next_offset_bytes": len(self.flash), "version": "", "detail": ""}
        return told | {"firmware": "0.1.0"}

    def reply(self, data):
        decoder = frame.Decoder(4096, frame.REQUESTS)
        decoder.feed(data)
        request = decoder.next()
        message = messages.decode(request.kind, request.payload)
        found = self.values(message)
        if found is None:
            return None
        name, values = found
        if name == "report_ack":
            kind, payload = report.encode(name, values, REPORT_KEY)
        else:
            kind, payload = messages.encode(name, values)
        return frame.encode(kind, payload, request.sequence)

    def values(self, message):
        asked = message.values
        if message.name in self.error:
            code = {"request": message.kind, "code": "refused", "detail": "", "retry_after_ms": None}
            return "error", code
        if message.name == "update_check":
            self.checks.append((self.bench.now_ms, asked["state"], asked["version"], asked["detail"]))
            return "update_offer", NOTHING if asked["state"] in self.ends_it else self.offer
        if message.name == "update_fetch":
            at = asked["offset_bytes"]
            if at in self.lose:
                self.lose.remove(at)
                return None
            self.fetched.append(at)
            return "update_piece", {"offset_bytes": at, "data": BUNDLE[at : at + 240]}
        if message.name == "report":
            self.reports += 1
            named = {name: asked[name] for name in ("boot_count", "sequence")}
            return "report_ack", named | {"time_ms": 1_790_000_000_000, "downlinks": []}
        return "orders", {"time_ms": 1_790_000_000_000 + self.bench.now_ms, "orders": []}


def station(**otherwise):
    return Surroundings(Base(DEVICE_ID, records(collector_host="c"), "0.1.0"), **otherwise)


def tracker(**otherwise):
    return Surroundings(Tracker(DEVICE_ID, records(collector_host="c")), **otherwise)


both = pytest.mark.parametrize("make", [station, tracker])


@both
def test_an_update_is_fetched_in_pieces_and_installed(make):
    around = make()
    around.run(30)
    assert around.flash == BUNDLE and around.steps.count("update_finish") == 1
    assert around.fetched == list(range(0, len(BUNDLE), 240))
    assert around.steps[:2] == ["update_read", "update_begin"]


@both
def test_what_is_in_flash_is_not_asked_for_again(make):
    around = make(flash=BUNDLE[:480])
    around.run(30)
    assert around.flash == BUNDLE and around.fetched[0] == 480


@both
def test_a_lost_connection_is_opened_again_and_the_piece_asked_for_again(make):
    around = make(lose={240, 720})
    around.run(60)
    assert around.flash == BUNDLE and around.opened == 3
    assert around.fetched == list(range(0, len(BUNDLE), 240))


@both
@pytest.mark.parametrize("request_name", ["update_begin", "update_block", "update_finish"])
def test_a_refusal_is_told_to_the_collector_at_once(make, request_name):
    around = make(refuse={request_name: "bad_signature"})
    around.run(600)
    assert [check[1:] for check in around.checks] == [("idle", "", ""), ("failed", "0.2.0", "because")]
    assert around.checks[1][0] < 60_000


@both
def test_a_collector_that_offers_what_was_refused_is_not_obeyed_again_and_again(make):
    around = make(refuse={"update_begin": "refused"}, ends_it=())
    around.run(1800)
    assert around.steps.count("update_begin") == 1 and len(around.checks) == 2


@both
def test_a_host_at_the_cable_goes_first(make):
    around = make(refuse={"update_block": "busy"})
    around.run(10)
    assert around.flash == b"" and around.steps.count("update_begin") == 1
    around.refuse = {}
    around.run(120 if make is station else 7 * 3600)
    assert around.flash == BUNDLE


def test_a_station_asks_each_hour_and_soon_after_a_trial():
    around = station(offer=NOTHING)
    around.run(4 * 3600)
    times = [check[0] for check in around.checks]
    assert 4 <= len(times) <= 5 and all(later - earlier >= HOUR_MS for earlier, later in pairwise(times))
    around = station(offer=NOTHING, state="trial")
    around.run(45)
    assert [check[1] for check in around.checks] == ["trial", "trial"]


def test_a_tracker_opens_no_connection_to_ask():
    around = tracker(offer=NOTHING)
    around.run(24 * 3600)
    assert 1 <= len(around.checks) <= around.opened <= around.reports


def test_a_tracker_that_is_lost_is_not_disturbed():
    stored = store.State()
    stored.lost = True
    kept = records(collector_host="c") | {store.STATE: stored.encode()}
    around = Surroundings(Tracker(DEVICE_ID, kept))
    around.run(1800)
    assert around.opened and around.checks == [] and around.steps == []


@both
@pytest.mark.parametrize("kind", ["update_check", "update_fetch"])
def test_a_collector_that_knows_no_updates_is_left_alone(make, kind):
    around = make(error={kind})
    around.run(600)
    assert around.flash == b"" and len(around.checks) + len(around.steps) <= 40


def test_every_row_of_the_table_is_visited(monkeypatch):
    def play(state, what):
        at = {"looking": "update_read", "beginning": "update_begin", "writing": "update_block"}
        if what == update_fetch.REFUSED:
            station(refuse={at.get(state, "update_finish"): "busy"}).run(30)
        elif what == update_fetch.ERROR:
            station(error={"update_check" if state == "checking" else "update_fetch"}).run(30)
        else:
            station().run(30)

    assert_every_row_is_visited(update_fetch, monkeypatch, play)
