"""kill -9 of the collector and of the database under load: nothing acknowledged is lost, nothing is stored twice."""

import math
import random
import threading

import pytest
from groundnet.collector.database import Database
from groundnet.provision.registry import Record, Registry, Secret
from host.radio_senders import OTHER, STATION, TagSender

from database.collect_process import CollectProcess
from database.postgres_server import PostgresServer, why_not
from database.senders import Station, Tracker

TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
TRACKER_ID, TRACKER_SECRET = bytes.fromhex("0000aabbccddee02"), bytes(range(32, 64))
BEACONS, REPORTS = 200, 60
KILLS = {CollectProcess: 2, PostgresServer: 5}
LONGEST_S = 120.0


class Load:
    """Counts the requests that were sent, and stops at the n-th: a kill then falls before, in or after its commit.

    Nobody sends a further one while something is down, or a fast sender would be done before the last kill.
    """

    def __init__(self) -> None:
        self._asked = self._goal = 0
        self._changed = threading.Condition()

    def asked(self) -> None:
        with self._changed:
            self._asked += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._asked < self._goal, LONGEST_S)

    def go_on(self, count: float) -> None:
        """Let them send as many more."""
        with self._changed:
            self._goal = self._asked + count
            self._changed.notify_all()

    def await_goal(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._asked >= self._goal, LONGEST_S), (
                "nobody sends any more"
            )


def known_devices(address) -> None:
    registry = Registry(address)
    for device_id, secret, role in (
        (TAG.device_id, TAG.secret, "tag"),
        (TRACKER_ID, TRACKER_SECRET, "tracker"),
    ):
        registry.reserve(Record(device_id, "", role, "b", "vehicle", None, None, "", "", 1, Secret(secret)))
    registry.close()


def play(ports, seed, victims):
    """Send everything while the victims are killed and started again at random points; returns the senders."""
    load, source = Load(), random.Random(seed)
    first, last = ports[0], ports[-1]
    senders = [
        Station(first, load.asked, STATION, TAG, range(BEACONS)),
        Station(last, load.asked, OTHER, TAG, range(BEACONS)),
        Tracker(last, load.asked, TRACKER_ID, TRACKER_SECRET, REPORTS),
    ]
    load.go_on(source.randrange(2, 12))
    for sender in senders:
        sender.start()
    planned = [victim for victim in victims for _ in range(KILLS[type(victim)])]
    source.shuffle(planned)
    for victim in planned:
        load.await_goal()
        for _ in range(source.randrange(20_000)):  # some point within the next millisecond
            pass
        victim.kill()
        victim.start()
        load.go_on(source.randrange(2, 12))
    load.go_on(math.inf)
    for sender in senders:
        sender.join(LONGEST_S)
        assert sender.error is None and not sender.is_alive(), sender.error
    return senders


def check(database) -> None:
    """Everything was acknowledged in the end, so everything is there, once; fixes have no key that could help."""
    stored = [
        (row["station_id"], row["counter"])
        for row in database.rows("SELECT station_id, counter FROM sightings ORDER BY station_id, counter")
    ]
    assert stored == [(name, counter) for name in sorted((STATION, OTHER)) for counter in range(BEACONS)]
    assert [row["counter"] for row in database.rows("SELECT counter FROM beacons ORDER BY counter")] == list(
        range(BEACONS)
    )
    for table in ("reports", "fixes"):
        assert database.row(f"SELECT count(*) AS n FROM {table}")["n"] == REPORTS
    assert database.rows("SELECT * FROM rejects") == []


@pytest.fixture(scope="module")
def server():
    if reason := why_not():
        pytest.skip(reason)
    running = PostgresServer()
    yield running
    running.close()


def test_the_collector_is_killed_over_its_file(tmp_path):
    known_devices(tmp_path / "registry.db")
    collector = CollectProcess(tmp_path / "collector.db", tmp_path / "registry.db")
    try:
        play([collector.port], 1, [collector])
    finally:
        collector.close()
    database = Database(tmp_path / "collector.db")
    check(database)
    database.close()


def test_collector_and_server_are_killed_in_turn(server):
    """Registry and sightings are on the server: the collector itself is never started anew for the server's sake."""
    places = [server.url(f"killed_{name}") for name in ("sightings", "registry")]
    known_devices(places[1])
    collector = CollectProcess(*places)
    try:
        play([collector.port], 3, [server, collector])
        assert collector.running
    finally:
        collector.close()
    database = Database(places[0])
    check(database)
    database.close()


def test_two_collectors_share_one_database_while_all_are_killed(server):
    """Two stations on two collectors hear the same tag; nobody counts twice, nobody is refused."""
    places = [server.url(f"shared_{name}") for name in ("sightings", "registry")]
    known_devices(places[1])
    collectors = [CollectProcess(*places), CollectProcess(*places)]
    try:
        play([collector.port for collector in collectors], 5, [collectors[0], server, collectors[1]])
    finally:
        for collector in collectors:
            collector.close()
    database = Database(places[0])
    check(database)
    database.close()
