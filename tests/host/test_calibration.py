"""What is learned of a station's ears, and when a station counts as awake."""

import json
import math
import random

import pytest
from groundnet.cli.calibrate import app
from groundnet.collector.database import Database
from groundnet.collector.intake.core import Collector
from groundnet.collector.places import calibration_service
from groundnet.collector.places.calibration import Sample, hearings, learn, learn_all
from groundnet.collector.places.hearing import USUAL, Hearing, signal_dbm
from groundnet.collector.stations import awake
from groundnet.geodesy import LocalFrame, distance_m
from groundwire import beacon
from typer.testing import CliRunner

from host.radio_senders import NOW_MS, OTHER, STATION, ask, hello, sighting, sightings

DEAF = Hearing(USUAL.level_dbm - 12.0, 4.0, 6.0, faintest_dbm=-122.0)  # in a cellar


def samples(seed, count, truth=DEAF, nearest_m=50, farthest_m=2000):
    """Beacons from all around, those below the faintest level missed."""
    draw = random.Random(seed)
    for _ in range(count):
        apart_m = math.exp(draw.uniform(math.log(nearest_m), math.log(farthest_m)))
        level = truth.expected_dbm(apart_m) + draw.gauss(0, truth.spread_db)
        yield Sample(apart_m, level if level >= truth.faintest_dbm else None)


def test_a_station_without_samples_is_the_usual_one_and_unsure():
    found = learn([], None)
    assert (found.hearing.level_dbm, found.hearing.exponent) == (USUAL.level_dbm, USUAL.exponent)
    assert (found.level_sd_db, found.exponent_sd, found.samples) == (
        pytest.approx(6.0),
        pytest.approx(0.4),
        0,
    )


@pytest.mark.parametrize("seed", range(5))
def test_level_and_exponent_are_learned_within_what_is_said_of_them(seed):
    found = learn(samples(seed, 200), DEAF.faintest_dbm)
    assert abs(found.hearing.level_dbm - DEAF.level_dbm) < 3.5 * found.level_sd_db
    assert abs(found.hearing.exponent - DEAF.exponent) < 3.5 * found.exponent_sd
    assert found.level_sd_db < 1.0 and found.exponent_sd < 0.25
    assert found.hearing.spread_db == pytest.approx(DEAF.spread_db, abs=1.5)


def test_few_samples_move_a_station_little():
    few, many = (learn(list(samples(3, 200))[:count], DEAF.faintest_dbm) for count in (2, 200))
    assert few.level_sd_db > 2 * many.level_sd_db
    assert USUAL.level_dbm > few.hearing.level_dbm > many.hearing.level_dbm - few.level_sd_db


def test_what_was_missed_counts_or_a_station_would_seem_to_hear_far():
    """Far away only what a lucky shadow lifted is heard: without the misses the level falls too slowly."""
    off_with = off_without = 0.0
    for seed in range(8):
        told = list(samples(seed, 150, farthest_m=4000))
        off_with += abs(learn(told, DEAF.faintest_dbm).hearing.expected_dbm(1500) - DEAF.expected_dbm(1500))
        only = [one for one in told if one.level_dbm is not None]
        off_without += abs(
            learn(only, DEAF.faintest_dbm).hearing.expected_dbm(1500) - DEAF.expected_dbm(1500)
        )
    assert off_with < 0.7 * off_without


def test_a_liar_among_the_samples_moves_little():
    honest = list(samples(1, 60))
    lies = [Sample(1500.0, -30.0)] * 4
    clean, spoiled = learn(honest, DEAF.faintest_dbm), learn([*honest, *lies], DEAF.faintest_dbm)
    assert abs(clean.hearing.level_dbm - spoiled.hearing.level_dbm) < 3.0


def test_the_level_of_a_frame_is_without_its_noise():
    assert signal_dbm(-90, 20.0) == pytest.approx(-90, abs=0.05)
    assert signal_dbm(-117, 0.0) == pytest.approx(-120, abs=0.02)
    assert signal_dbm(-116, -10.0) == pytest.approx(-126.4, abs=0.1)
    assert signal_dbm(-100, None) == -100


def test_a_station_learns_from_tags_that_say_where_they_are(collector, tag):
    """Two stations stand alike, one of them in a cellar that takes 12 dB; both are learned as they are."""
    frame = LocalFrame(45.0, 13.0)
    for station_id in (STATION, OTHER):
        ask(collector, hello(station_id), NOW_MS)
    batches = {STATION: [], OTHER: []}
    for index in range(40):
        x, y = 100 * (index % 8) - 350, 150 * (index // 8) + 50
        lat, lon = frame.to_degrees(x, y)
        at_ms = NOW_MS + 20_000 * index
        body = beacon.position_body(beacon.Position(round(lat * 1e7), round(lon * 1e7), 10, 0, None, None))
        data = tag.beacon(index + 1, kind=beacon.FIX, body=body)
        level = USUAL.expected_dbm(distance_m(45.0, 13.0, lat, lon))
        batches[STATION].append(sighting(data, at_ms, round(level)))
        if level - 12 > -122:
            batches[OTHER].append(sighting(data, at_ms, round(level - 12)))
    end_ms = NOW_MS + 800_000
    for station_id, batch in batches.items():
        ask(collector, sightings(batch, 0, station_id), end_ms)
    found = learn_all(collector.database, end_ms)
    kept = hearings(collector.database)
    assert found.keys() == kept.keys() == {STATION, OTHER}
    assert kept[STATION].level_dbm == pytest.approx(USUAL.level_dbm, abs=3)
    assert kept[OTHER].level_dbm == pytest.approx(USUAL.level_dbm - 12, abs=4)
    assert kept[OTHER].spread_db < USUAL.spread_db
    again = learn_all(collector.database, end_ms)
    assert again == found
    assert not calibration_service.one_round(collector.database, end_ms + 3_600_000)
    assert calibration_service.one_round(collector.database, end_ms + 25 * 3_600_000)


def test_a_station_that_keeps_talking_is_awake_in_one_span(collector):
    database = collector.database
    ask(collector, hello(), NOW_MS)
    for index in range(1, 5):
        awake.note(database, STATION, NOW_MS + 30_000 * index)
    awake.note(database, STATION, NOW_MS + 3_600_000)
    spans = [
        (one.since_ms - NOW_MS, one.until_ms - NOW_MS)
        for one in awake.awake(database, NOW_MS, NOW_MS + 10**8)
    ]
    assert spans == [(0, 120_000), (3_600_000, 3_600_000)]
    cut = awake.awake(database, NOW_MS + 50_000, NOW_MS + 60_000)
    assert [(one.since_ms - NOW_MS, one.until_ms - NOW_MS) for one in cut] == [(50_000, 60_000)]
    assert (cut[0].lat, cut[0].lon) == (45.0, 13.0)


def test_the_command_prints_what_it_learned(tmp_path, tag):
    path = tmp_path / "collector.db"
    database = Database(path)
    ask(Collector(database), hello(), NOW_MS)
    database.close()
    done = CliRunner().invoke(app, ["--database", str(path), "--json"])
    (row,) = json.loads(done.stdout)
    assert (row["station_id"], row["samples"], row["faintest_dbm"]) == (STATION.hex(), 0, None)
    assert row["exponent"] == USUAL.exponent
    table = CliRunner().invoke(app, ["--database", str(path)])
    assert STATION.hex() in table.stdout and "± 6.0" in table.stdout
