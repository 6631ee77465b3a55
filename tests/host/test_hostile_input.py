"""What nobody should type, and terminals that cannot show it: one line, and nothing of the user's is lost."""

import os
import sqlite3
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from groundnet.cli import options
from groundnet.collector.database import Database
from groundnet.database.store import StoreError
from groundnet.provision.registry import Record, Registry, Secret

from host.radio_senders import NOW_MS, frame_of, reply_of, sighting, sightings

DEVICE_ID = bytes.fromhex("a0764e0000000042")


def groundnet(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "groundnet.cli.main", *arguments],
        capture_output=True,
        timeout=120,
        env=dict(os.environ, **environment),
    )


def registry_with_a_device(path):
    registry = Registry(path)
    registry.reserve(
        Record(DEVICE_ID, "", "tag", "b", "vehicle", "云A12345", None, "reserved", "op", 1, Secret(bytes(32)))
    )
    registry.close()


def assert_one_line(done, word):
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.decode(errors="replace").strip().splitlines()
    assert line.startswith("error: ") and word in line


def test_the_theft_never_overwrites_the_registry_of_an_install_point(tmp_path):
    registry_with_a_device(tmp_path / "registry.db")
    assert_one_line(groundnet("sim", "theft", "--out", str(tmp_path)), "--out")
    registry = Registry(tmp_path / "registry.db")
    assert [record.device_id for record in registry.devices()] == [DEVICE_ID]
    registry.close()


def test_the_theft_never_overwrites_a_collectors_database_that_stands_alone(tmp_path):
    (tmp_path / "collector.db").write_bytes(b"kept")
    assert_one_line(groundnet("sim", "theft", "--out", str(tmp_path)), "--out")
    assert (tmp_path / "collector.db").read_bytes() == b"kept"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_a_terminal_that_cannot_show_a_plate_gets_an_escape(tmp_path, encoding):
    registry_with_a_device(tmp_path / "registry.db")
    done = groundnet(
        "provision", "list", "--registry", str(tmp_path / "registry.db"), PYTHONIOENCODING=encoding
    )
    assert done.returncode == 0, done.stderr
    assert b"A12345" in done.stdout


def test_a_port_of_digits_that_are_no_decimal_ones():
    assert_one_line(groundnet("sim", "board", "--role", "tag", "--collector", "host:²"), "HOST:PORT")


def test_an_empty_role_is_no_role():
    assert groundnet("sim", "board", "--role", "").returncode == 2


def test_a_key_file_that_is_no_text(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(bytes(range(128, 160)))
    assert_one_line(groundnet("wire", "decode", "00", "--key", f"@{path}"), "hex")


def test_an_account_without_a_name_is_written_down_by_its_number(monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(options.getpass, "getuser", nameless)
    assert options.operator() == f"uid {os.getuid()}"


def test_a_registry_is_never_made_into_a_collectors_database(tmp_path):
    path = tmp_path / "registry.db"
    registry_with_a_device(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another kind"):
        Database(path)
    assert path.read_bytes() == before
    Registry(path).close()


def test_a_collectors_database_is_no_registry(tmp_path):
    path = tmp_path / "collector.db"
    Database(path).close()
    with pytest.raises(StoreError, match="another kind"):
        Registry(path)


def test_a_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "photos.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    before = path.read_bytes()
    for kind in (Database, Registry):
        with pytest.raises(StoreError, match="another kind"):
            kind(path)
    assert path.read_bytes() == before


def test_a_sequence_that_would_run_over_is_refused_and_nothing_is_kept(collector, tag):
    batch = [sighting(tag.beacon(5), NOW_MS)]
    reply = reply_of(collector.receive(frame_of(sightings(batch, first_sequence=2**32 - 1)), NOW_MS))
    assert (reply.name, reply.values["code"]) == ("error", "malformed")
    assert collector.database.rows("SELECT * FROM sightings") == []


@pytest.mark.parametrize("host", ["a" * 70, ".."])
def test_a_host_that_is_no_name(tmp_path, host):
    files = ["--database", str(tmp_path / "c.db"), "--registry", str(tmp_path / "r.db")]
    assert_one_line(groundnet("collect", "--listen", f"{host}:7400", *files), "--listen")


def test_a_listening_port_of_digits_that_are_no_decimal_ones():
    assert groundnet("collect", "--listen", "127.0.0.1:²").returncode == 2


def test_a_track_is_utf8_whatever_the_terminal(tmp_path):
    registry_with_a_device(tmp_path / "registry.db")
    database = Database(tmp_path / "collector.db")
    database.run("INSERT INTO fixes VALUES (?, 1, 45.0, 13.0, 10.0, 'gnss', NULL, NULL)", DEVICE_ID)
    database.close()
    files = ["--database", str(tmp_path / "collector.db"), "--registry", str(tmp_path / "registry.db")]
    opened = groundnet("case", "open", "云A12345", "--reason", "stolen", "--document", "2026-1", *files)
    assert opened.returncode == 0
    done = groundnet("track", "云A12345", *files, PYTHONIOENCODING="gbk")
    assert "云A12345" in "".join(ElementTree.fromstring(done.stdout).itertext())
