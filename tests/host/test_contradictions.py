"""One beacon at two distant stations: told, and who is wrong when others say so."""

import json
import math

import pytest
from groundnet.cli.main import app
from groundnet.collector.database import Database
from groundnet.collector.places.observations import left_out
from groundnet.collector.places.track import track
from groundnet.collector.stations import quarantine_store
from groundnet.collector.stations.contradictions import contradictions
from groundnet.collector.stations.suspicion_service import one_round
from groundnet.geodesy import distance_m
from hypothesis import given, settings
from hypothesis import strategies as st
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


def test_the_suspects_sightings_make_no_position_and_the_others_do(database):
    for counter in range(5):
        hear(database, HERE, NEAR, FAR, counter=counter, at_ms=NOW_MS + 30_000 * counter)
    with_liar = track(database, TAG)
    assert left_out(database, [TAG], 0, 1 << 62) == {FAR: 5}
    database.run("DELETE FROM sightings WHERE station_id = ?", FAR)
    assert track(database, TAG) == with_liar and left_out(database, [TAG], 0, 1 << 62) == {}


def test_without_a_witness_neither_is_used_unless_the_tag_itself_speaks(database):
    hear(database, HERE, FAR)
    assert track(database, TAG) == [] and left_out(database, [TAG], 0, 1 << 62) == {HERE: 1, FAR: 1}
    database.run(
        "INSERT INTO fixes VALUES (?, ?, 25.01, 103.0, 20.0, 'gnss', NULL, NULL)", TAG, NOW_MS - 60_000
    )
    assert left_out(database, [TAG], 0, 1 << 62) == {FAR: 1}


PLACES = st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))


@settings(max_examples=25, deadline=None)
@given(
    honest=st.lists(PLACES, min_size=2, max_size=6),
    bearing=st.floats(0, 6.28),
    away=st.floats(0.6, 3.0),
    lies=st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True),
)
def test_one_liar_far_away_makes_no_track_worse(tmp_path_factory, honest, bearing, away, lies):
    """Honest stations within 3 km of the tag; the liar says that it hears it, at 65 km or more."""
    tracks = []
    for is_lying in (False, True):
        store = Database(tmp_path_factory.mktemp("county") / "collector.db")
        lat, lon = 25 + away * math.cos(bearing), 103 + away * math.sin(bearing)
        places = [(25 + north, 103 + east) for north, east in honest] + [(lat, lon)]
        for number, place in enumerate(places):
            values = (bytes([number]) * 8, *place, NOW_MS)
            store.run(
                "INSERT INTO stations (station_id, lat, lon, boot_count, seen_ms) VALUES (?, ?, ?, 1, ?)",
                *values,
            )
        for counter in range(8):
            heard = range(len(honest) + (is_lying and counter in lies))
            hear(store, *(bytes([n]) * 8 for n in heard), counter=counter, at_ms=NOW_MS + 30_000 * counter)
        tracks.append(track(store, TAG))
        store.close()
    without, with_liar = tracks
    # The filter may leave out honest beacons, too, whose levels do not fit their stations' places: then in both.
    assert without and [one.time_ms for one in with_liar] == [one.time_ms for one in without]
    for one, other in zip(without, with_liar, strict=True):
        error_m, error_with_m = (distance_m(at.lat, at.lon, 25, 103) for at in (one, other))
        assert error_with_m <= error_m + one.radius_m


def test_who_is_contradicted_often_and_for_several_tags_is_held_once_for_it(store_at):
    store = Database(store_at("collector.db"))
    for station_id, lat in ((HERE, 25.00), (NEAR, 25.05), (FAR, 25.60)):
        values = (station_id, lat, NOW_MS)
        store.run(
            "INSERT INTO stations (station_id, lat, lon, boot_count, seen_ms) VALUES (?, ?, 103.0, 1, ?)",
            *values,
        )
    for device_id in (TAG, OTHER):
        for counter in range(6):
            hear(store, HERE, NEAR, FAR, counter=counter, device_id=device_id, at_ms=NOW_MS + 1000 * counter)
        store.run(
            "INSERT INTO epochs (device_id, epoch, counter, time_ms) VALUES (?, 0, 5, ?)", device_id, NOW_MS
        )
        assert one_round(store, NOW_MS + 60_000) == ([] if device_id == TAG else [FAR])
    hold = quarantine_store.held(store)[FAR]
    assert (hold.rule, hold.detail) == ("contradicts", "12 beacons within the hour")
    assert quarantine_store.expire(store, hold.until_ms) == [FAR]
    assert one_round(store, hold.until_ms + 1) == [], "what was seen before counts no more"
    store.close()
