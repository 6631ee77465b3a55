"""Updates that devices fetch from the collector: what is offered, what becomes of it, and the commands."""

import hashlib
import json

import pytest
from groundnet.bundle import container
from groundnet.bundle.container import BundleError
from groundnet.cli import update as update_command
from groundnet.cli import updates as updates_command
from groundnet.collector.database import Database
from groundnet.collector.outbound.updates import UpdateRefused, list_updates, queue, withdraw
from groundnet.provision.registry import Record, Registry, Secret
from typer.testing import CliRunner

from host.radio_senders import NOW_MS, STATION, ask, request


def bundle(version="0.2.0", signed=True) -> bytes:
    image = bytes(range(256)) * 3
    manifest = {
        "format": 1, "role": "base", "board": "heltec_v3", "product": "groundnet base", "hardware_revisions": [0],
        "version": version, "mpy": "6.3", "security_counter": 4, "least_version": "0.1.0", "not_after": None,
        "image_sha256": hashlib.sha256(image).hexdigest(), "files": {}, "settings": {},
    }  # fmt: skip
    return container.pack(manifest, image) + (bytes(2969) if signed else b"")


def put(collector, version="0.2.0"):
    return queue(collector.database, STATION, bundle(version), "op", NOW_MS)


def check(collector, state="idle", firmware="0.1.0", version="", detail="", station=STATION):
    asked = {"device_id": station, "firmware": firmware, "state": state, "version": version, "detail": detail}
    return ask(collector, request("update_check", **asked)).values


def fetch(collector, offset, data, station=STATION):
    sha256 = hashlib.sha256(data).digest()
    return ask(collector, request("update_fetch", device_id=station, sha256=sha256, offset_bytes=offset))


def state(collector):
    return list_updates(collector.database)[0].state


def test_a_device_is_offered_its_own_update_and_gets_every_byte_of_it(collector):
    assert check(collector)["size_bytes"] == 0
    put(collector)
    data = bundle()
    offer = check(collector)
    assert (offer["size_bytes"], offer["version"], offer["security_counter"]) == (len(data), "0.2.0", 4)
    assert offer["sha256"] == hashlib.sha256(data).digest()
    assert check(collector, station=bytes(8))["size_bytes"] == 0
    got = b""
    while len(got) < len(data):
        got += fetch(collector, len(got), data).values["data"]
    assert got == data and state(collector) == "sending"
    assert list_updates(collector.database)[0].offset_bytes == len(data)


@pytest.mark.parametrize(
    ("offset", "data", "station"),
    [(len(bundle()), bundle(), STATION), (0, b"another", STATION), (0, bundle(), bytes(8))],
    ids=["behind its end", "another bundle", "another device"],
)
def test_nothing_else_is_handed_out(collector, offset, data, station):
    put(collector)
    assert fetch(collector, offset, data, station).name == "error"
    assert state(collector) == "queued"


@pytest.mark.parametrize(
    ("says", "becomes"),
    [
        ({"state": "receiving", "version": "0.2.0"}, "sending"),
        ({"state": "trial", "version": "0.2.0", "firmware": "0.2.0"}, "trial"),
        ({"firmware": "0.2.0"}, "done"),
        ({"state": "failed", "version": "0.2.0", "detail": "self-test: radio"}, "failed"),
        ({"state": "failed", "version": "0.1.5"}, "sending"),
    ],
    ids=["on its way", "on trial", "done", "failed", "another one failed"],
)
def test_what_becomes_of_it_is_what_the_device_says(collector, says, becomes):
    put(collector)
    fetch(collector, 0, bundle())
    offer = check(collector, **says)
    found = list_updates(collector.database)[0]
    assert found.state == becomes and found.detail == says.get("detail", "")
    assert bool(offer["size_bytes"]) == (becomes == "sending")


def test_a_version_that_failed_once_is_tried_when_it_is_ordered_again(collector):
    put(collector)
    assert check(collector, "failed", version="0.2.0")["size_bytes"]
    fetch(collector, 0, bundle())
    assert not check(collector, "failed", version="0.2.0")["size_bytes"]
    put(collector)
    assert check(collector, "failed", version="0.2.0")["size_bytes"]


def test_a_newer_order_takes_the_place_of_an_older_one(collector):
    put(collector)
    put(collector, "0.3.0")
    assert [one.state for one in list_updates(collector.database)] == ["queued", "withdrawn"]
    assert check(collector)["version"] == "0.3.0"


def test_one_that_is_withdrawn_is_offered_no_more_and_ends_once(collector):
    waiting = put(collector)
    assert withdraw(collector.database, waiting.update_id, NOW_MS).state == "withdrawn"
    assert check(collector)["size_bytes"] == 0 and fetch(collector, 0, bundle()).name == "error"
    with pytest.raises(UpdateRefused, match="waiting"):
        withdraw(collector.database, waiting.update_id, NOW_MS)


def test_what_no_device_would_take_is_not_queued(collector):
    with pytest.raises(UpdateRefused, match="not signed"):
        queue(collector.database, STATION, bundle(signed=False), "op", NOW_MS)
    with pytest.raises(BundleError):
        queue(collector.database, STATION, b"hello", "op", NOW_MS)
    assert list_updates(collector.database) == []


# --- the commands


@pytest.fixture
def place(tmp_path):
    """A collector's database, a registry with a tracker and a tag, and a bundle."""
    Database(tmp_path / "collector.db").close()
    registry = Registry(tmp_path / "registry.db")
    for number, role in ((1, "tracker"), (2, "tag")):
        device_id = bytes(7) + bytes((number,))
        plate = f"云A0000{number}"
        record = Record(device_id, "", role, "b", "vehicle", plate, None, "", "", 1, Secret(bytes(32)))
        registry.reserve(record)
    registry.close()
    (tmp_path / "new.gnb").write_bytes(bundle())
    return tmp_path


def run(app, *arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def order(place, device):
    collector = ("--collector", place / "collector.db", "--registry", place / "registry.db")
    return run(update_command.app, device, place / "new.gnb", *collector, "--json")


@pytest.mark.parametrize("device", [STATION.hex(), "云A00001"])
def test_an_update_is_queued_listed_and_withdrawn(place, device):
    (queued,) = json.loads(order(place, device).stdout)
    assert (queued["state"], queued["version"], queued["offset_bytes"]) == ("queued", "0.2.0", 0)
    database = ("--database", place / "collector.db")
    assert json.loads(run(updates_command.app, "list", *database, "--json").stdout) == [queued]
    assert "queued" in run(updates_command.app, "list", *database).stdout
    taken = run(updates_command.app, "withdraw", queued["update_id"], *database, "--json")
    assert json.loads(taken.stdout)[0]["state"] == "withdrawn"


@pytest.mark.parametrize("collector", [True, False])
def test_an_unsigned_bundle_is_refused_before_anything_is_asked(place, collector):
    (place / "new.gnb").write_bytes(bundle(signed=False))
    where = ("--collector", place / "collector.db") if collector else ()
    refused = run(update_command.app, STATION.hex(), place / "new.gnb", *where)
    assert "not signed" in str(refused.exception) and "bundle sign" in refused.exception.action.zh


def test_a_tag_has_no_way_to_the_collector(place):
    refused = order(place, "云A00002")
    assert isinstance(refused.exception, UpdateRefused) and "by cable" in refused.exception.action
    assert refused.exception.cause.zh != refused.exception.cause
