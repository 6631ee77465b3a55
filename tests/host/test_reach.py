"""The area that awake stations have searched."""

import itertools
import json
import math

import pytest
from groundnet.collector.places.hearing import USUAL, Hearing
from groundnet.collector.stations import awake
from groundnet.collector.stations.reach import Covered, area_km2, covered, covers, reach_m, to_geojson

from host.radio_senders import NOW_MS, OTHER, STATION, ask, hello

HOUR_MS = 3_600_000


def circle(lat, lon, radius_m, since_ms=0):
    return Covered(STATION, lat, lon, radius_m, since_ms, 0)


def test_a_station_that_hears_fainter_reaches_further():
    near, far = (Hearing(USUAL.level_dbm, 3.4, 7.0, faintest) for faintest in (-110.0, -120.0))
    assert reach_m(near) < reach_m(far)
    assert far.expected_dbm(reach_m(far)) == pytest.approx(-120 + 1.28 * 7)


def test_a_place_is_covered_since_the_first_station_that_reaches_it(collector):
    ask(collector, hello(STATION, 45.0, 13.0), NOW_MS)
    ask(collector, hello(OTHER, 45.001, 13.0), NOW_MS + HOUR_MS)
    awake.note(collector.database, STATION, NOW_MS + 60_000)
    found = covered(collector.database, NOW_MS, NOW_MS + 2 * HOUR_MS)
    assert [(one.station_id, one.since_ms, one.awake_ms) for one in found] == [
        (STATION, NOW_MS, 60_000),
        (OTHER, NOW_MS + HOUR_MS, 0),
    ]
    assert covers(found, 45.0, 13.0) == NOW_MS
    assert covers(found[1:], 45.001, 13.0) == NOW_MS + HOUR_MS
    assert covers(found, 46.0, 13.0) is None
    assert covered(collector.database, NOW_MS + 3 * HOUR_MS, NOW_MS + 4 * HOUR_MS) == []


@pytest.mark.parametrize("lat", [0.0, 25.0, -60.0])
def test_the_area_of_one_circle_and_of_two(lat):
    one = circle(lat, 102.7, 1500.0)
    assert area_km2([one]) == pytest.approx(math.pi * 1.5**2, rel=0.02)
    assert area_km2([one, one]) == area_km2([one])
    assert area_km2([one, circle(lat + 1, 102.7, 1500.0)]) == pytest.approx(2 * math.pi * 1.5**2, rel=0.02)
    assert area_km2([]) == 0


def test_the_circles_as_geojson_are_closed_and_counterclockwise():
    (feature,) = json.loads(to_geojson([circle(25.0, 102.7, 1000.0, NOW_MS)]))["features"]
    assert feature["properties"]["since"] == "2023-11-14T22:13:20.000Z"
    (corners,) = feature["geometry"]["coordinates"]
    assert corners[0] == corners[-1]
    pairs = itertools.pairwise(corners)
    area = sum((a[0] - 102.7) * (b[1] - 25.0) - (b[0] - 102.7) * (a[1] - 25.0) for a, b in pairs)
    assert area > 0  # RFC 7946 section 3.1.6
