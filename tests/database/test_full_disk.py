"""A collector on a real disk that runs full: it stops acknowledging, says so once, loses nothing, and goes on."""

import json
import shutil
import subprocess
import threading

import pytest
from groundnet.collector.database import Database
from host.radio_senders import OTHER, STATION

from database.collect_process import GROUNDNET
from database.senders import Station
from database.small_disk import SmallDisk, why_not
from database.test_killed import TAG, known_devices

MIB = 1 << 20
BEACONS = 400
WAIT_S = 60.0
pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")


class Collecting:
    """`groundnet collect` with its store on a small disk; the registry is elsewhere."""

    def __init__(self, tmp_path):
        (tmp_path / "disk").mkdir()
        self.disk = SmallDisk(tmp_path / "disk", 24 * MIB)
        self.registry = tmp_path / "registry.db"
        known_devices(self.registry)
        stores = ("--database", str(tmp_path / "disk" / "collector.db"), "--registry", str(self.registry))
        listen = ("--listen", "127.0.0.1:0", "--json", "--open-stations")
        self._process = subprocess.Popen(
            self.disk.command([*GROUNDNET, "collect", *listen, *stores]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        self.port = int(json.loads(line)["listening"].rpartition(":")[2])
        self.disk.reach_by(self._process.pid)
        self.said = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self.told = threading.Condition()
        self._reading.start()

    def _read(self):
        for line in self._process.stderr:
            with self.told:
                self.said.append(line.strip())
                self.told.notify_all()

    def await_said(self, word):
        with self.told:
            assert self.told.wait_for(lambda: any(word in line for line in self.said), WAIT_S), self.said

    def rows(self, question):
        """Of a copy, made while nobody writes."""
        copy = self.registry.parent / "copy"
        copy.mkdir(exist_ok=True)
        for name in ("collector.db", "collector.db-wal"):
            shutil.copy(self.disk.inside / name, copy / name)
        database = Database(copy / "collector.db")
        found = [tuple(row) for row in database.rows(question)]
        database.close()
        return found

    def close(self):
        self._process.terminate()
        self._process.wait(WAIT_S)
        self._reading.join(WAIT_S)


@pytest.fixture
def collecting(tmp_path):
    running = Collecting(tmp_path)
    yield running
    running.close()


def test_a_full_disk_stops_the_acknowledging_is_told_once_and_loses_nothing(collecting):
    disk, full = collecting.disk, threading.Event()
    counts = {STATION: 0, OTHER: 0}

    def on_asked():
        if sum(sender.acknowledged for sender in senders) > 40 and not full.is_set():
            disk.fill()
            full.set()

    senders = [Station(collecting.port, on_asked, name, TAG, range(BEACONS)) for name in counts]
    for sender in senders:
        sender.start()
    assert full.wait(WAIT_S)
    collecting.await_said("full")
    held = [sender.acknowledged for sender in senders]
    assert [line for line in collecting.said if "full" in line] == [collecting.said[-1]]
    disk.make_room()
    for sender in senders:
        sender.join(WAIT_S)
        assert not sender.is_alive() and sender.error is None
    assert [sender.acknowledged for sender in senders] > held
    stored = collecting.rows("SELECT station_id, counter FROM sightings ORDER BY station_id, counter")
    assert stored == [(name, counter) for name in sorted(counts) for counter in range(BEACONS)]
    assert [line.split(";")[0] for line in collecting.said][-1:] == ["store: works again"]
    assert sum("full" in line for line in collecting.said) == 1
    assert not any("Traceback" in line for line in collecting.said)


@pytest.mark.parametrize(
    ("words", "does_write"),
    [
        (("case", "open", TAG.device_id.hex(), "--reason", "stolen", "--document", "A-1"), True),
        (("track", TAG.device_id.hex()), True),  # refused or not, a look-up is written down
        (("stations",), False),
        (("condition", TAG.device_id.hex()), False),
    ],
)
def test_a_command_on_a_full_disk_says_one_line_and_what_only_reads_works(collecting, words, does_write):
    collecting.disk.fill()
    stores = ("--database", str(collecting.disk.folder / "collector.db"))
    if words[0] != "stations":
        stores += ("--registry", str(collecting.registry))
    command = collecting.disk.beside([*GROUNDNET, *words, *stores])
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S)
    assert "Traceback" not in done.stderr
    assert done.returncode == int(does_write), done.stderr
    if does_write:
        assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("error: "), done.stderr
