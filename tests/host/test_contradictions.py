"""One beacon at two distant stations: told, and who is wrong when others say so."""

import json

import pytest
from groundnet.cli.main import app
from groundnet.collector.contradictions import contradictions
from groundnet.collector.database import Database
from typer.testing import CliRunner

TAG, OTHER = bytes(7) + b"\1", bytes(7) + b"\2"
HERE, NEAR, FAR = (bytes(7) + bytes([number]) for number in (11, 12, 13))
NOW_MS = 1_800_000_000_000


@pytest.fixture
def database(tmp_path):
    store = Database(tmp_path / "collector.db")
    for station_id, lat in ((HERE, 25.00), (NEAR, 25.05), (FAR, 25.60)):
        store.run(
            "INSERT INTO stations (station_id, lat, lon, boot_count, seen_ms) VALUES (?, ?, 103.0, 1, ?)",
            station_id,
            lat,
            NOW_MS,
        )
    yield store
    store.close()


def hear(database, *stations, counter=1, device_id=TAG, at_ms=NOW_MS):
    for station_id in stations:
        database.run(
            "INSERT INTO sightings VALUES (?, 1, ?, ?, ?, ?, -100, 5.0)",
            station_id,
            counter,
            device_id,
            counter,
            at_ms,
        )


def test_neighbours_and_different_beacons_are_no_contradiction(database):
    hear(database, HERE, NEAR)
    hear(database, FAR, counter=2)
    hear(database, FAR, device_id=OTHER)
    assert contradictions(database, 0) == []


def test_two_distant_stations_are_told_and_nobody_is_suspected_without_a_witness(database):
    hear(database, HERE, FAR)
    hear(database, HERE, FAR, counter=2, at_ms=NOW_MS + 5000)
    (found,) = contradictions(database, 0)
    assert found.stations == (HERE, FAR) and found.suspect is None
    assert (found.count, found.first_ms, found.last_ms) == (2, NOW_MS, NOW_MS + 5000)
    assert found.apart_m == pytest.approx(66_700, rel=0.01)


def test_who_is_alone_is_suspected(database):
    hear(database, HERE, NEAR, FAR)
    found = contradictions(database, 0)
    assert {one.stations for one in found} == {(HERE, FAR), (NEAR, FAR)}
    assert {one.suspect for one in found} == {FAR}


def test_the_tags_own_fix_tells_too(database):
    hear(database, HERE, FAR)
    database.run(
        "INSERT INTO fixes VALUES (?, ?, 25.61, 103.0, 20.0, 'gnss', NULL, NULL)", TAG, NOW_MS - 60_000
    )
    (found,) = contradictions(database, 0)
    assert found.suspect == HERE


def test_what_is_past_is_left_out(database):
    hear(database, HERE, FAR)
    assert contradictions(database, NOW_MS + 1) == []


def test_the_command_tells_them(database, tmp_path):
    hear(database, HERE, NEAR, FAR)
    path = str(tmp_path / "collector.db")
    asked = ["stations", "--contradictions", "2026-01-01T00:00:00Z", "--database", path]
    told = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert {one["suspect"] for one in told} == {FAR.hex()} and told[0]["apart_m"] > 60_000
    assert FAR.hex() in CliRunner().invoke(app, asked, env={"COLUMNS": "200"}).stdout
