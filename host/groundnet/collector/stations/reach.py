"""Which area the stations have searched: circles in which a lost tag would surely have been heard, and since when.

A station covers the circle within which its mean level is so far above the faintest one it hears that a tag in nine of
ten places is heard; that is an estimate from its calibration, no promise for a cellar. It covers it while it is awake.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.collector.places.calibration import hearings
from groundnet.collector.places.circle import ring
from groundnet.collector.places.geojson import position
from groundnet.collector.places.hearing import USUAL, Hearing
from groundnet.collector.places.times import iso_time
from groundnet.collector.stations.awake import awake
from groundnet.geodesy import distance_m

SURE_SIGMAS = 1.28  # nine of ten places
USUAL_FAINTEST_DBM = -115.0  # of a station that nobody has calibrated: rather too little than too much
MOST_M = 3000.0
GRID_M = 100.0


@dataclass(frozen=True)
class Covered:
    """A station's circle, WGS-84 degrees and metres; from when it was awake (Unix ms), and how long in all."""

    station_id: bytes
    lat: float
    lon: float
    radius_m: float
    since_ms: int
    awake_ms: int


def reach_m(hearing: Hearing) -> float:
    """How far a station surely hears."""
    faintest = USUAL_FAINTEST_DBM if hearing.faintest_dbm is None else hearing.faintest_dbm
    return min(hearing.distance_m(faintest + SURE_SIGMAS * hearing.spread_db), MOST_M)


def covered(database: Database, since_ms: int, until_ms: int) -> list[Covered]:
    """What each station has covered in a time, in the order in which they began."""
    ears = hearings(database)
    found: dict[bytes, Covered] = {}
    for span in awake(database, since_ms, until_ms):
        known = found.get(span.station_id)
        first_ms = span.since_ms if known is None else known.since_ms
        long_ms = span.until_ms - span.since_ms + (0 if known is None else known.awake_ms)
        radius_m = reach_m(ears.get(span.station_id, USUAL))
        found[span.station_id] = Covered(span.station_id, span.lat, span.lon, radius_m, first_ms, long_ms)
    return list(found.values())


def covers(circles: Iterable[Covered], lat: float, lon: float) -> int | None:
    """Since when a place is covered, Unix ms; None: it is not."""
    times = [one.since_ms for one in circles if distance_m(one.lat, one.lon, lat, lon) <= one.radius_m]
    return min(times, default=None)


def area_km2(circles: list[Covered]) -> float:
    """The area of all circles together, counted in squares of 100 m."""
    squares = set()
    for one in circles:
        steps = math.floor(one.radius_m / GRID_M)
        per_degree = math.radians(1) * 6_371_008.8
        row = round(one.lat * per_degree / GRID_M)
        for north in range(row - steps, row + steps + 1):
            narrow = math.cos(math.radians(north * GRID_M / per_degree))
            half_m = math.sqrt(max(one.radius_m**2 - ((north - row) * GRID_M) ** 2, 0.0))
            middle = one.lon * per_degree * narrow
            for east in range(
                math.ceil((middle - half_m) / GRID_M), math.floor((middle + half_m) / GRID_M) + 1
            ):
                squares.add((north, east))
    return len(squares) * (GRID_M / 1000) ** 2


def to_geojson(circles: list[Covered]) -> str:
    """A FeatureCollection with a polygon for each station."""
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[position(*corner) for corner in ring(one.lat, one.lon, one.radius_m)]],
            },
            "properties": {
                "station": one.station_id.hex(),
                "since": iso_time(one.since_ms),
                "awake_h": round(one.awake_ms / 3_600_000, 2),
                "radius_m": round(one.radius_m),
            },
        }
        for one in circles
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1) + "\n"
