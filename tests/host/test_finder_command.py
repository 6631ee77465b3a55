"""``groundnet finder`` at the cable of a virtual finder: provisioned, refused, lent, shown, cleared."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from groundnet.collector.casework.cases import open_case
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.provision.registry import Record, Registry, Secret
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import hold_while

from host.radio_senders import NOW_MS, TagSender, ask, hello, sighting, sightings

GROUNDNET = (sys.executable, "-m", "groundnet.cli.main", "--lang", "en")
TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
SECOND = bytes.fromhex("0000aabbccddee02")
PLATE = "云A12345"


def run(*arguments, code=0) -> str:
    """What a command printed; of one that fails its error line."""
    done = subprocess.run([*GROUNDNET, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture
def files(tmp_path):
    """Options for a registry with the tag, and a collector that has heard its beacon 167."""
    registry = Registry(tmp_path / "registry.db")
    registry.reserve(
        Record(TAG.device_id, "", "tag", "b", "vehicle", PLATE, None, "", "", 1, Secret(TAG.secret))
    )
    registry.close()
    database = Database(tmp_path / "collector.db")
    collector = Collector(database, [(TAG.device_id, TAG.secret)])
    ask(collector, hello())
    ask(collector, sightings([sighting(TAG.beacon(167), NOW_MS)]))
    database.close()
    return ["--database", str(tmp_path / "collector.db"), "--registry", str(tmp_path / "registry.db")]


def report_stolen(files) -> None:
    database = Database(Path(files[1]))
    open_case(database, TAG.device_id, "owner", "", "stolen", NOW_MS)
    database.close()


def fix_a_second_device(files) -> None:
    registry = Registry(Path(files[3]))
    registry.reserve(Record(SECOND, "", "tracker", "b", "vehicle", PLATE, None, "", "", 1, Secret(bytes(32))))
    registry.close()


def test_a_finder_is_lent_a_tag_with_a_case_only_and_gives_it_back(files):
    with device_on(Desk("finder", "heltec_v3_finder")) as device:
        board = device.board
        port = board.console.open_pty().path
        device.power_on()
        board.world.run_for(2_000_000)

        def at_cable(*arguments, code=0):
            return hold_while(board.world, [board], lambda: run(*arguments, code=code), patience_s=60)

        registry = files[2:]
        assert "is blank; provision it" in at_cable("finder", "show", port, *registry, code=1)
        at_cable("provision", "one", port, "--profile", "none", *registry)
        assert "case is open" in at_cable("finder", "load", port, PLATE, *files, code=1)
        report_stolen(files)

        lent = json.loads(at_cable("finder", "load", port, PLATE, "--hours", "2", *files, "--json"))
        assert (lent["hours"], lent["commands"], lent["tag"][:3]) == (2, 16, "GN-")
        shown = json.loads(at_cable("finder", "show", port, *registry, "--json"))
        assert (shown["code"], shown["count"], shown["commands"]) == (lent["code"], lent["ids"], 16)
        assert 2 * 3600 - 300 < shown["left_s"] <= 2 * 3600
        assert shown["first_epoch"] == 167 // 16
        fix_a_second_device(files)
        assert "name one of: GN-" in at_cable("finder", "load", port, PLATE, *files, code=1)
        at_cable("finder", "clear", port, *registry)
        assert at_cable("finder", "show", port, *registry) == "follows nobody\n"
        assert "Traceback" not in board.log

    database = Database(Path(files[1]))
    book = [row["granted"] for row in database.rows("SELECT * FROM lookups WHERE what LIKE 'finder%'")]
    database.close()
    assert book == [0, 1]


def test_what_is_no_finder_is_named(files):
    with device_on(Desk("tag", "xiao_c3_sx1262")) as device:
        port = device.board.console.open_pty().path
        device.power_on()
        line = hold_while(
            device.board.world,
            [device.board],
            lambda: run("finder", "show", port, *files[2:], code=1),
            patience_s=60,
        )
    assert f"the device at {port} is a tag; name the port of a finder" in line
