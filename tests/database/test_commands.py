"""The commands take a URL wherever they take a file, and say in one line what is wrong with it."""

import json
import subprocess
import sys

import pytest
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.provision.record import Record, Secret
from groundnet.provision.registry import Registry
from host.radio_senders import NOW_MS, TagSender, ask, fix_item, signed_report

GROUNDNET = (sys.executable, "-m", "groundnet.cli.main")
TAG = TagSender(bytes.fromhex("0000aabbccddee01"), bytes(range(32)))
PLATE = "云A12345"


def run(*arguments, code=0):
    done = subprocess.run([*GROUNDNET, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def places(postgres):
    """Options that name one database for both: each has a schema of its own there."""
    url = postgres.url("").text
    registry, database = (
        Registry(postgres.url("groundnet_registry")),
        Database(postgres.url("groundnet_collector")),
    )
    if not list(registry.devices()):
        registry.reserve(
            Record(TAG.device_id, "", "tracker", "b", "vehicle", PLATE, None, "", "", 1, Secret(TAG.secret))
        )
        collector = Collector(database, [(TAG.device_id, TAG.secret)])
        ask(collector, signed_report(TAG.device_id, TAG.secret, 1, [fix_item(NOW_MS, 45.1, 13.1)]))
    registry.close()
    database.close()
    return ["--database", url, "--registry", url]


def test_an_operators_day_on_a_server(places):
    (listed,) = json.loads(run("provision", "list", *places[2:], "--json").stdout)
    assert listed["plate"] == PLATE
    about = ("--reporter", "Wang", "--document", "2026-1", "--reason", "stolen")
    opened = json.loads(run("case", "open", PLATE, *about, *places, "--json").stdout)
    assert opened
    track = json.loads(run("track", PLATE, "--format", "geojson", *places).stdout)
    assert "13.1" in json.dumps(track)
    run("case", "close", PLATE, "--reason", "found", *places)
    run("case", "audit", "--verify", places[0], places[1])


@pytest.mark.parametrize(
    ("command", "url", "said"),
    [
        (("case", "list", "--database"), "postgresql://li:hunter2@db/bikes", ".pgpass"),
        (("provision", "list", "--registry"), "postgresql://li@127.0.0.1:1/bikes", "cannot be reached"),
        (("collect", "--database"), "mysql://db/bikes", "postgresql://"),
    ],
)
def test_a_url_that_cannot_be_used_is_one_line(command, url, said):
    (line,) = run(*command, url, code=1).stderr.strip().splitlines()
    assert said in line and "hunter2" not in line
