"""A rig's own collector: a station in the place of a real one proves its secret over TCP and tells of a tag."""

import socket
import time

import pytest
from groundnet.bench.interface import Lacking
from groundnet.bench.rig_bench import RigBench
from groundnet.bench.rig_file import RigFileError, read
from groundnet.errors import GroundnetError
from groundnet.provision.registry import Record, Registry, Secret
from groundwire import frame, keys, messages, session
from host.radio_senders import STATION, TagSender, frame_of, hello, sighting, sightings

TAG_ID, TAG_SECRET, STATION_SECRET = bytes.fromhex("3c71bf0000a00001"), bytes(range(32)), bytes(32)
RIG = """
name = "test"
[collector]
listen = "127.0.0.1:0"
registry = "rig.db"
[devices.tag]
role = "tag"
board = "xiao_c3_sx1262"
serial = "/dev/null"
tag = "{tag}"
[devices.base]
role = "base"
board = "heltec_v3"
serial = "/dev/zero"
"""


class StationOnTcp:
    """A station's end of a session over a socket."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._decoder = frame.Decoder(5000, frame.REPLIES)
        self._end = session.Initiator(STATION, keys.derive(STATION_SECRET, keys.UPLINK), bytes(16))
        step = self._end.open()
        while step is not None:
            step = self._end.receive(self._plain(frame.encode(*step, 1)))

    def tell(self, request):
        plain = frame_of(request)
        sealed = self._end.seal(plain.kind, plain.payload, plain.sequence)
        reply = self._answer(frame.encode(plain.kind, sealed, plain.sequence, sealed=True))
        assert self._end.unseal(reply) is not None

    def close(self):
        self._socket.close()

    def _plain(self, data):
        reply = self._answer(data)
        return messages.decode(reply.kind, reply.payload)

    def _answer(self, data):
        self._socket.sendall(data)
        while (found := self._decoder.next()) is frame.NEED_MORE:
            self._decoder.feed(self._socket.recv(4096))
        assert isinstance(found, frame.Frame), found
        return found


@pytest.fixture
def rig(tmp_path):
    registry = Registry(tmp_path / "rig.db")
    tag = registry.reserve(
        Record(TAG_ID, "", "tag", "b", "vehicle", None, None, "", "", 1, Secret(TAG_SECRET))
    )
    registry.reserve(Record(STATION, "", "base", "b", "none", None, None, "", "", 1, Secret(STATION_SECRET)))
    registry.close()
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(tag=tag.tag_id))
    bench = RigBench.open(path)
    yield bench
    bench.close()


def test_what_a_real_station_tells_is_seen_on_the_bench(rig):
    tag = rig.device("tag")
    sender = TagSender(TAG_ID, TAG_SECRET)
    station = StationOnTcp(rig.headquarters.port)
    station.tell(hello())
    now_ms = time.time_ns() // 1_000_000
    station.tell(sightings([sighting(sender.beacon(1), now_ms, -87), sighting(bytes(12), now_ms)]))
    station.close()
    heard = rig.heard(tag)
    assert [(one.sender, one.payload, one.power_dbm) for one in heard] == [("tag", sender.beacon(1), -87.0)]
    assert 0 <= heard[0].at_s <= rig.now_s + 1
    assert len(rig.heard()) == 2, "the air has others, too"


def test_a_theft_is_reported_and_the_order_waits_for_the_station(rig):
    tag = rig.device("tag")
    rig.headquarters.report_theft(tag)
    rows = rig.headquarters.database.rows("SELECT device_id, state FROM orders")
    assert [(row["device_id"], row["state"]) for row in rows] == [(TAG_ID, "queued")]


def test_a_device_without_a_tag_is_nobody_at_the_collector(rig):
    base = rig.device("base")
    assert rig.heard(base) == [] and base.fitted.registered_id is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"127.0.0.1:0"', '"nowhere"'), "is not HOST:PORT"),
        (('registry = "rig.db"\n', ""), "collector.registry: is missing"),
        (("[collector]", '[collector]\ncolour = "red"'), "'colour' means nothing"),
    ],
)
def test_a_mistake_in_the_collectors_entry_is_named(tmp_path, change, said):
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(tag="GN-00005").replace(*change))
    with pytest.raises(RigFileError, match=said):
        read(path)


def test_a_tag_that_the_registry_does_not_know_and_a_missing_registry_are_named(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(RIG.format(tag="GN-00005"))
    bench = RigBench.open(path)
    with pytest.raises(GroundnetError, match="no registry"):
        bench.device("tag")
    Registry(tmp_path / "rig.db").close()
    with pytest.raises(GroundnetError, match="no device is known"):
        bench.device("tag")
    bench.close()


def test_without_a_collector_the_rig_says_what_it_lacks(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(RIG[RIG.index("[devices.tag]") :].format(tag="GN-00005").replace("", 'name = "x"\n', 1))
    bench = RigBench.open(path)
    for ask in (lambda: bench.headquarters, bench.heard):
        with pytest.raises(Lacking):
            ask()
    bench.close()
