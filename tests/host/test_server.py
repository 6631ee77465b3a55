"""The collector's real TCP server, spoken to with raw sockets: rubbish is counted, the next good frame is read."""

import asyncio
import random
import socket
import threading

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.intake.inbox import Inbox
from groundnet.collector.intake.server import Server, ServerError
from groundnet.database.store import StoreError
from groundwire import frame

from host.radio_senders import NOW_MS, STATION, hello, sighting, sightings


class CountingCollector(Collector):
    """Knows how many units of work it did, each of them a commit at most."""

    commits = 0

    def unit_of_work(self, now_ms):
        self.commits += 1
        return super().unit_of_work(now_ms)


class RunningServer:
    """A server in a thread with its own event loop, on a free port of the loopback."""

    def __init__(self, path, devices):
        self._path, self._devices = path, devices
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self.database = Database(self._path)
        self.collector = CountingCollector(self.database, self._devices)
        self._server = Server(Inbox(self.collector, lambda: NOW_MS))
        self.port = self._loop.run_until_complete(self._server.listen("127.0.0.1", 0))
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._server.close())
        self.database.close()
        self._loop.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def rejects(self):
        reader = Database(self._path)
        found = {row["reason"]: row["count"] for row in reader.rows("SELECT * FROM rejects")}
        reader.close()
        return found


@pytest.fixture
def server(tmp_path, tag):
    running = RunningServer(tmp_path / "collector.db", [(tag.device_id, tag.secret)])
    yield running
    running.close()


class Peer:
    """A raw client."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._decoder = frame.Decoder(5000, frame.REPLIES)

    def send(self, data):
        self._socket.sendall(data)

    def reply(self):
        while (answer := self._decoder.next()) is frame.NEED_MORE:
            data = self._socket.recv(4096)
            assert data, "the server closed"
            self._decoder.feed(data)
        assert isinstance(answer, frame.Frame), answer
        return answer

    def closed_by_server(self):
        try:
            return self._socket.recv(4096) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self._socket.close()


def test_damaged_frames_are_dropped_and_the_next_good_one_is_answered(server, tag):
    good = sightings([sighting(tag.beacon(1), NOW_MS)])
    source = random.Random(11)
    peer = Peer(server.port)
    for index in range(1, len(good) - 1):
        flipped = bytearray(good)
        flipped[index] ^= source.randrange(1, 256)
        peer.send(bytes(flipped) + good)
        assert peer.reply().kind == 0xB1
    for cut in range(1, len(good) - 1):
        peer.send(good[:cut] + good)
        assert peer.reply().kind == 0xB1
    peer.send(source.randbytes(9000) + good)
    assert peer.reply().kind == 0xB1
    peer.send(good + good)
    assert [peer.reply().kind, peer.reply().kind] == [0xB1, 0xB1]
    peer.close()
    assert server.rejects()["frame_corrupt"] > len(good)


def test_one_bad_peer_does_not_stop_the_others(server):
    bad, good = Peer(server.port), Peer(server.port)
    bad.send(b"\x01" * 200_000)
    good.send(hello())
    assert good.reply().kind == 0xB3
    bad.send(b"\x00" + hello())
    assert bad.reply().kind == 0xB3


def test_a_flood_of_rubbish_is_counted_whole_and_costs_few_commits(server):
    flood = Peer(server.port)
    flood.send(b"\x01\x02\x00" * 20_000 + hello())
    assert flood.reply().kind == 0xB3
    assert sum(server.rejects().values()) >= 20_000
    assert server.collector.commits < 200


def test_a_store_that_fails_acknowledges_nothing(server, tag):
    """A full disk: the station is cut off without an answer, keeps its sightings and asks again."""

    def full(request, now_ms):
        raise StoreError("database or disk is full", "make room")

    server.collector.receive = full
    peer = Peer(server.port)
    peer.send(sightings([sighting(tag.beacon(1), NOW_MS)]))
    assert peer.closed_by_server()
    del server.collector.receive
    again = Peer(server.port)
    again.send(sightings([sighting(tag.beacon(1), NOW_MS)]))
    assert again.reply().kind == 0xB1


def test_bytes_that_come_one_at_a_time_make_the_same_frame(server):
    peer = Peer(server.port)
    for byte in hello():
        peer.send(bytes([byte]))
    assert peer.reply().kind == 0xB3
    peer.close()


def test_a_station_may_leave_in_the_middle_of_a_frame(server):
    leaving = Peer(server.port)
    leaving.send(hello()[:20])
    leaving.close()
    staying = Peer(server.port)
    staying.send(hello(STATION))
    assert staying.reply().kind == 0xB3


def test_a_taken_port_is_named(server, tmp_path):
    async def listen_twice():
        database = Database(tmp_path / "other.db")
        await Server(Inbox(Collector(database), lambda: NOW_MS)).listen("127.0.0.1", server.port)

    with pytest.raises(ServerError) as caught:
        asyncio.run(listen_twice())
    assert str(server.port) in caught.value.cause
