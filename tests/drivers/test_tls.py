"""A station inside TLS: its own link on a virtual board, a real handshake at the edge, the real collector."""

import asyncio
import threading

import pytest
from drivers.authority import NAME, Authority
from drivers.test_apps import SECRET, UNIQUE_ID, Rig
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.server import Server
from groundnet.collector.stations.station_door import StationDoor
from groundnet.collector.stations.station_list import stations
from groundnet.sim import network

STATION = UNIQUE_ID.rjust(8, b"\x00")
START_MS = 1_790_000_000_000


class TlsCollector:
    """The collector behind TLS, in a thread of its own."""

    def __init__(self, path, context):
        self._path, self._context = path, context
        self._loop, self._ready = asyncio.new_event_loop(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def _run(self):
        database = Database(self._path)
        door = StationDoor(database)
        door.learn([(STATION, SECRET)])
        server = Server(Inbox(Collector(database), lambda: START_MS, door=door))
        self.port = self._loop.run_until_complete(server.listen("127.0.0.1", 0, self._context))
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(server.close())
        database.close()
        self._loop.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A server that was spoken to in the wrong way says nothing: the world need not wait for long."""
    monkeypatch.setattr(network, "REPLY_TIMEOUT_S", 5.0)


@pytest.fixture
def county(tmp_path):
    """Makes a station whose collector shows what a context says; ``.move(context)`` puts another one in its place."""
    opened = []

    class County:
        def __init__(self, settings, context):
            self.rig = Rig("base", changed=settings)
            self.move(context)
            opened.append(self.rig.board)

        def move(self, context):
            collector = TlsCollector(tmp_path / "collector.db", context)
            opened.append(collector)
            self.rig.network.route_to_tcp(NAME, 4710, "127.0.0.1", collector.port)

        def listed(self):
            database = Database(tmp_path / "collector.db")
            found = stations(database)
            database.close()
            return found

    yield County
    for one in reversed(opened):
        one.close()


def test_a_station_reaches_a_collector_whose_certificate_is_of_its_authority(county, tmp_path):
    authority = Authority(tmp_path)
    made = county(authority.settings, authority.context())
    made.rig.run(90)
    (station,) = made.listed()
    assert station.proved_ms and station.health["faults"] == []
    assert "certificate" not in made.rig.board.log


@pytest.mark.parametrize(
    ("name", "stranger", "reason"),
    [("collector.thief", False, "does not match"), (NAME, True, "not correctly signed")],
)
def test_another_name_or_authority_is_refused_and_told_once_a_good_one_is_there(
    county, tmp_path, name, stranger, reason
):
    authority = Authority(tmp_path)
    signer = Authority(tmp_path) if stranger else authority
    made = county(authority.settings, signer.context(name))
    made.rig.run(90)
    assert made.listed() == []
    assert "network: certificate refused: " in made.rig.board.log and reason in made.rig.board.log
    made.move(authority.context())
    made.rig.run(240)
    (station,) = made.listed()
    assert "network: works again" in made.rig.board.log
    assert made.rig.board.boots == 1 and "Traceback" not in made.rig.board.log
    assert station.refusals == ()


def test_a_certificate_that_is_over_is_taken_for_the_station_knows_no_time_yet(county, tmp_path):
    authority = Authority(tmp_path)
    made = county(authority.settings, authority.context(over=True))
    made.rig.run(60)
    assert made.listed()[0].proved_ms


@pytest.mark.parametrize("ca", ["", "AAAA", "no base64!"])
def test_without_an_authority_nothing_is_sent(county, tmp_path, ca):
    authority = Authority(tmp_path)
    made = county(authority.settings | {"collector_ca": ca}, authority.context())
    made.rig.run(60)
    assert made.listed() == [] and "network: collector_ca" in made.rig.board.log


def test_a_server_without_tls_hears_nothing_readable(county, tmp_path):
    authority = Authority(tmp_path)
    made = county(authority.settings, authority.context())
    heard = []

    class Plain:
        def receive(self, data):
            heard.append(data)
            return b""

        def close(self):
            pass

    made.rig.network.serve(NAME, 4710, Plain)
    made.rig.run(60)
    assert heard == [] and "no TLS there" in made.rig.board.log
