"""A station proves who it is before anything of it is taken: the device's own core against the collector's door."""

import json

import pytest
from groundnet.cli.main import app
from groundnet.cli.stations import health_text
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import CAPACITY, Inbox
from groundnet.collector.stations.station_door import UNANSWERED, StationDoor
from groundnet.collector.stations.station_list import stations
from groundnet.sim import groundcore_runtime
from groundwire import frame, keys, messages, session
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from host.radio_senders import NOW_MS, OTHER, STATION, frame_of, hello, reply_of, sighting, sightings

events, store, settings_of, base = (
    groundcore_runtime.load(name) for name in ("events", "store", "settings", "base")
)
SECRET, STRANGER = bytes(range(32)), bytes(32)


class County:
    """A collector with a door, which knows one station, and ways in."""

    def __init__(self, path, tag, is_open=False):
        self.path, self.tag, self.is_open = path, tag, is_open
        self.now_ms = NOW_MS
        self.start()

    def start(self):
        """A collector of its own on the same store, as after a restart or beside another."""
        self.database = Database(self.path)
        self.collector = Collector(self.database, [(self.tag.device_id, self.tag.secret)])
        self._nonces = iter(bytes([number]) * 16 for number in range(1, 200))
        self.door = StationDoor(self.database, self.is_open, lambda count: next(self._nonces))
        self.door.learn([(STATION, SECRET)])
        self.inbox = Inbox(self.collector, lambda: self.now_ms, door=self.door)

    def line(self, topic=False):
        peer = self.inbox.topic(STATION.hex()) if topic else self.inbox.connection("10.0.0.7")
        return Line(self.inbox, peer)

    def listed(self):
        self.door.refusals.write(self.now_ms)
        return {one.station_id: one for one in stations(self.database)}

    def reasons(self, station_id=STATION):
        return {refusal.reason for refusal in self.listed()[station_id].refusals}

    def kept(self):
        return self.database.row("SELECT count(*) AS n FROM sightings")["n"]


class Line:
    """One way in: raw bytes, one reply each."""

    def __init__(self, inbox, peer):
        self._inbox, self._peer = inbox, peer

    def ask(self, data):
        decoder = frame.Decoder(CAPACITY, frame.REQUESTS)
        (reply,) = self._inbox.receive(decoder, data, self._peer)
        return reply

    def close(self):
        self._inbox.closed(self._peer)

    def open(self, secret=SECRET, station_id=STATION, nonce=bytes(16)):
        """A session as a station opens it; the end that seals."""
        end = session.Initiator(station_id, keys.derive(secret, keys.UPLINK), nonce)
        step = end.open()
        while step is not None:
            step = end.receive(reply_of(self.ask(frame.encode(*step, 1))))
        return end


@pytest.fixture
def county(tmp_path, tag):
    return County(tmp_path / "collector.db", tag)


def sealed(end, line):
    """A plain request under the seal of a session."""
    plain = frame_of(line)
    return frame.encode(plain.kind, end.seal(plain.kind, plain.payload, 7), 7, sealed=True)


def opened(end, line):
    """The message in a sealed reply."""
    found = next(iter(_frames(line)))
    return messages.decode(found.kind, end.unseal(found))


def _frames(line):
    decoder = frame.Decoder(5000, frame.REPLIES)
    decoder.feed(line)
    while isinstance(answer := decoder.next(), frame.Frame):
        yield answer


def play(core, county, until_ms):
    """Run a station's core, which has heard one beacon, against the collector; what it logs."""
    said, now_ms = [], 0
    line = county.line()
    waiting = core.handle((events.BOOT, events.BOOT_POWER_ON), 0)
    waiting += core.handle((events.RADIO_RECEIVED, county.tag.beacon(5), -90, 500), 0)
    while now_ms <= until_ms:
        while waiting:
            action = waiting.pop(0)
            if action[0] == events.NET_OPEN:
                waiting += core.handle((events.NET_UP,), now_ms)
            elif action[0] == events.NET_SEND:
                county.now_ms = NOW_MS + now_ms
                waiting += core.handle((events.NET_BYTES, line.ask(action[1])), now_ms)
            elif action[0] == events.NET_CLOSE:
                line.close()
                line = county.line()
            elif action[0] == events.LOG:
                said.append(action[2:])
        now_ms = max(core.next_deadline(), now_ms)
        waiting = core.handle((events.TICK,), now_ms)
    return said


def station(secret):
    identity = store.Identity("GN-000007", "none", "network", secret, True)
    records = {
        store.IDENTITY: store.encode_identity(identity) if secret else None,
        store.SETTINGS: settings_of.encode({"collector_host": "c"}),
    }
    return base.Base(STATION, records, "1.0", lambda count: bytes(count))


def test_a_provisioned_station_is_taken_and_listed_as_proved(county):
    core = station(SECRET)
    assert play(core, county, 100_000) == []
    assert core.answered and county.kept() == 1
    listed = county.listed()[STATION]
    assert listed.proved_ms == NOW_MS and listed.refusals == ()
    assert listed.health["uptime_s"] == 90


@pytest.mark.parametrize(
    ("secret", "reason", "said"),
    [(None, "no proof", "not_authenticated"), (STRANGER, UNANSWERED, "another secret")],
)
def test_without_the_right_secret_nothing_is_taken_and_the_station_says_so(county, secret, reason, said):
    core = station(secret)
    complaints = play(core, county, 300_000)
    assert county.kept() == 0 and county.listed()[STATION].seen_ms is None
    assert all(said in text for _, text in complaints) and 3 <= len(complaints) <= 9
    assert county.reasons() == {reason}


def test_a_false_station_that_knows_the_protocol_is_named_as_such(county):
    """It takes whatever proof the collector gives and sends one of its own."""
    line = county.line()
    opening = messages.encode("session_open", {"device_id": STATION, "initiator_nonce": bytes(16)})
    proof = messages.encode("session_prove", {"initiator_proof": bytes(16)})
    assert reply_of(line.ask(frame.encode(*opening, 1))).name == "session_challenge"
    refused = reply_of(line.ask(frame.encode(*proof, 2))).values
    assert refused["code"] == "refused" and refused["retry_after_ms"] == 1000
    assert reply_of(line.ask(frame.encode(*opening, 3))).values["retry_after_ms"] == 1000
    assert county.reasons() == {"wrong key"}
    assert county.listed()[STATION].refusals[0].place == "10.0.0.7"
    assert county.line().open().ready(), "and the true one does not have to wait for it"


@pytest.mark.parametrize("topic", [False, True])
def test_inside_a_session_each_frame_counts_once_and_unchanged(county, topic):
    line = county.line(topic)
    end = line.open()
    good = sealed(end, sightings([sighting(county.tag.beacon(1), NOW_MS)]))
    assert opened(end, line.ask(good)).name == "sightings_ack"
    again = reply_of(line.ask(good))
    assert (again.name, again.values["code"]) == ("error", "not_authenticated")
    found = frame_of(sealed(end, sightings([sighting(county.tag.beacon(2), NOW_MS)], 1)))
    spoilt = found.payload[:-1] + bytes((found.payload[-1] ^ 1,))
    assert reply_of(line.ask(frame.encode(found.kind, spoilt, 7, sealed=True))).name == "error"
    assert county.kept() == 1
    assert county.reasons() == {"seal: replay", "seal: mac"}


@pytest.mark.parametrize("topic", [False, True])
def test_a_station_cannot_speak_for_another(county, topic):
    line = county.line(topic)
    end = line.open()
    reply = opened(end, line.ask(sealed(end, hello(OTHER))))
    assert (reply.name, reply.values["code"]) == ("error", "refused")
    assert county.database.rows("SELECT * FROM stations") == []
    assert county.reasons() == {"speaks for another"}


def test_an_open_collector_takes_whoever_comes_but_not_who_once_proved_itself(tmp_path, tag):
    county = County(tmp_path / "collector.db", tag, is_open=True)
    line = county.line()
    assert reply_of(line.ask(hello(OTHER))).name == "orders"
    assert reply_of(line.ask(hello(STATION))).name == "orders", "its firmware may be from before"
    proved = county.line()
    end = proved.open()
    assert opened(end, proved.ask(sealed(end, hello(STATION)))).name == "orders"
    county.start()
    assert reply_of(county.line().ask(hello(STATION))).values["code"] == "not_authenticated"
    assert county.listed()[OTHER].proved_ms is None and "no proof" in county.reasons()


def test_a_closed_collector_takes_no_stranger_and_tells_what_to_do(county):
    refused = reply_of(county.line().ask(hello(OTHER))).values
    assert refused["detail"] == "provision the station at this registry"
    assert county.reasons(OTHER) == {"unknown station"}


def test_behind_a_broker_another_collector_goes_on_with_the_session(store_at, tag):
    county = County(store_at("collector.db"), tag)
    end = county.line(topic=True).open()
    for number in range(3):
        line = county.line(topic=True)
        request = sealed(end, sightings([sighting(county.tag.beacon(number), NOW_MS)], number))
        assert opened(end, line.ask(request)).values["next_sequence"] == number + 1
        county.start()
    assert county.kept() == 3
    county.line(topic=True).ask(hello(OTHER))
    assert county.reasons(OTHER) == {"unknown station"}


def test_a_topic_is_its_own_station_s(county):
    peer = Line(county.inbox, county.inbox.topic(OTHER.hex()))
    opening = messages.encode("session_open", {"device_id": STATION, "initiator_nonce": bytes(16)})
    county.door.learn([(OTHER, STRANGER)])
    assert reply_of(peer.ask(frame.encode(*opening, 1))).values["code"] == "refused"
    assert county.reasons(OTHER) == {"speaks for another"}


def test_a_copy_of_a_station_and_a_wrong_clock_are_told(county):
    line = county.line()
    end = line.open()
    line.ask(sealed(end, hello()))
    county.database.run("UPDATE stations SET boot_count = 9")
    line.ask(sealed(end, hello()))
    zeros = dict.fromkeys(("uptime_s", "heard", "bad_frames", "queued", "lost", "orders_waiting"), 0)
    unknown = dict.fromkeys(("noise_dbm", "supply_mv", "temperature_c", "load_permille", "ring_permille"))
    kind, payload = messages.encode(
        "station_health",
        {
            "station_id": STATION,
            "boot_count": 1,
            "time_ms": NOW_MS - 3_600_000,
            **zeros,
            **unknown,
            "faults": [],
        },
    )
    line.ask(sealed(end, frame.encode(kind, payload, 1)))
    assert county.reasons() == {"starts went back: a copy?", "wrong clock", "in quarantine"}


def test_a_flood_of_refusals_is_few_writes_and_few_rows(county):
    line = county.line()
    for number in range(7000):
        county.now_ms += 1
        line.ask(hello(number.to_bytes(8, "big")))
    refusals = county.database.rows("SELECT * FROM station_refusals")
    assert sum(row["count"] for row in refusals) >= 6000 and len(refusals) <= 5001


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((0x02, 0x03, 0x30, 0x31, 0x33, 0x7F)), st.binary(max_size=60), st.booleans()
        )
    )
)
def test_no_bytes_without_the_secret_reach_the_collector(tmp_path_factory, frames):
    database = Database(tmp_path_factory.mktemp("door") / "collector.db")
    county = StationDoor(database, draw=lambda count: b"n" * count)
    county.learn([(STATION, SECRET)])
    for peer in (county.connection("x"), county.topic(STATION.hex())):
        for kind, payload, is_sealed in frames:
            request = frame.Frame(kind, 1, payload, is_sealed)
            reply = peer.answer(request, NOW_MS, lambda inner, now_ms: frame.encode(0xFE, b"\x00", 1))
            reached = reply_of(reply).kind == 0xFE
            assert reached == (kind == 0x7F and not is_sealed)
    database.close()


def test_the_command_lists_health_and_refusals_and_forgets_what_was_seen_to(county, monkeypatch):
    play(station(SECRET), county, 40_000)
    county.line().ask(hello(OTHER))
    county.door.refusals.write(county.now_ms)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    run = CliRunner().invoke(app, ["stations", "--database", str(county.path), "--json"])
    taken, refused = json.loads(run.output)
    assert taken["station_id"] == STATION.hex() and taken["proved"] and taken["health"]["faults"] == []
    assert (refused["seen"], refused["refusals"][0]["reason"]) == (None, "unknown station")
    shown = CliRunner().invoke(
        app, ["--lang", "zh", "stations", "--database", str(county.path)], env={"COLUMNS": "200"}
    )
    assert "未登记的基站 ×1" in shown.output and "已证明" in shown.output
    CliRunner().invoke(app, ["stations", "--database", str(county.path), "--forget", OTHER.hex()])
    assert [one.station_id for one in stations(county.database)] == [STATION]
    wrong = CliRunner().invoke(app, ["stations", "--database", str(county.path), "--forget", "xyz"])
    assert wrong.exit_code == 2


def test_what_a_station_says_cannot_steer_a_terminal():
    said = health_text({"noise_dbm": -112, "faults": [{"part": "network", "text": "\x1b[2Jgone"}]})
    assert "\x1b" not in said and "-112 dBm" in said
