"""Learns how each station hears, from devices that said where they were when it heard them or did not.

A regression of the level on the logarithm of the distance, shrunk to the usual station's figures: a station with few
samples is believed little. Samples of one square of ground are one, as they share their shadow. A beacon that an awake
station missed was below its faintest level, how far is unknown: it counts with the level that is expected of one
(expectation maximisation for censored samples, Aitkin 1981), else a station would seem to hear better the further away.
Outliers weigh less (Huber 1964).
"""

import bisect
import math
from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.collector.places.hearing import (
    LEVEL_SD_DB,
    REFERENCE_M,
    SHADOWING_DB,
    USUAL,
    Hearing,
    signal_dbm,
)
from groundnet.collector.stations.awake import Awake, awake
from groundnet.geodesy import distance_m

LEARN_SPAN_MS = 30 * 24 * 3_600_000  # from the newest weeks: leaves, antennas and houses change
TOGETHER_MS = 5_000  # a fix so close in time is where the beacon was sent
BETWEEN_MS = 60_000  # between two fixes so close to each other it is interpolated
SQUARE_M = 60.0  # samples from one square share their shadow
NEAREST_M, FARTHEST_M = 20.0, 8_000.0
EXPONENT_SD = 0.4  # how stations differ from the usual one
HUBER_SIGMAS = 1.5
HUBER_SHRINKS = 0.942  # the spread of a Gaussian whose outliers weigh less, against its own
FAINTEST_SHARE = 0.05  # of what a station hears is fainter than what it hears surely
FAINTEST_SAMPLES = 20
MOST_FIXES = 50_000  # the newest ones are enough, and a round takes seconds
ROUNDS = 20
ROOT_2PI = math.sqrt(2 * math.pi)

Fix = tuple[int, float, float]  # Unix ms, WGS-84 degrees
Sent = tuple[int, dict[bytes, float]]  # Unix ms of a beacon, and the level at each station that heard it


@dataclass(frozen=True)
class Sample:
    """A beacon from a known distance in metres; level in dBm, None: missed."""

    distance_m: float
    level_dbm: float | None


@dataclass(frozen=True)
class Calibration:
    """A station's ears with the uncertainty (standard deviation) of what was learned, from how many squares."""

    hearing: Hearing
    level_sd_db: float
    exponent_sd: float
    samples: int


def learn(samples: Iterable[Sample], faintest_dbm: float | None) -> Calibration:
    """The ears that explain samples best, starting from the usual station."""
    known = [one for one in samples if one.level_dbm is not None or faintest_dbm is not None]
    level, exponent, spread = USUAL.level_dbm, USUAL.exponent, SHADOWING_DB
    cov = (LEVEL_SD_DB**2, 0.0, EXPONENT_SD**2)
    for _ in range(ROUNDS if known else 0):
        hearing = Hearing(level, exponent, spread)
        level, exponent, cov, spread = _fit(known, hearing, faintest_dbm)
    hearing = Hearing(level, exponent, spread / HUBER_SHRINKS, faintest_dbm)
    return Calibration(hearing, math.sqrt(cov[0]), math.sqrt(cov[2]), len(known))


def _fit(
    samples: list[Sample], hearing: Hearing, faintest_dbm: float | None
) -> tuple[float, float, tuple[float, float, float], float]:
    """One round: level, exponent, their covariance and the spread, with the last round's ears to weigh by."""
    precision = 1 / hearing.spread_db**2
    # normal equations for (level, exponent), begun with the prior
    a, b, c = 1 / LEVEL_SD_DB**2, 0.0, 1 / EXPONENT_SD**2
    u, v = USUAL.level_dbm / LEVEL_SD_DB**2, USUAL.exponent / EXPONENT_SD**2
    misfits, weights = 4 * SHADOWING_DB**2, 4.0
    for one in samples:
        expected = hearing.expected_dbm(one.distance_m)
        level, variance = _level_of(one, expected, hearing.spread_db, faintest_dbm)
        off = abs(level - expected) / hearing.spread_db
        weight = min(1.0, HUBER_SIGMAS / off) if off else 1.0
        slope = -10 * math.log10(one.distance_m / REFERENCE_M)
        a, b, c = a + weight * precision, b + weight * precision * slope, c + weight * precision * slope**2
        u, v = u + weight * precision * level, v + weight * precision * slope * level
        misfits += weight * ((level - expected) ** 2 + variance)
        weights += weight
    determinant = a * c - b * b
    covariance = (c / determinant, -b / determinant, a / determinant)
    level, exponent = covariance[0] * u + covariance[1] * v, covariance[1] * u + covariance[2] * v
    return level, min(max(exponent, 1.8), 6.0), covariance, min(max(math.sqrt(misfits / weights), 3.0), 12.0)


def _level_of(
    sample: Sample, expected_dbm: float, spread_db: float, faintest_dbm: float | None
) -> tuple[float, float]:
    """The level and its variance: as heard, or of a Gaussian that is cut off above the faintest level."""
    if sample.level_dbm is not None or faintest_dbm is None:
        return sample.level_dbm or 0.0, 0.0
    deviate = (faintest_dbm - expected_dbm) / spread_db
    below = max(0.5 * math.erfc(-deviate / math.sqrt(2)), 1e-6)
    ratio = math.exp(-deviate * deviate / 2) / ROOT_2PI / below
    variance = spread_db**2 * max(1 - deviate * ratio - ratio * ratio, 0.0)
    return expected_dbm - spread_db * ratio, variance


def learn_all(database: Database, now_ms: int) -> dict[bytes, Calibration]:
    """Learn every station that has told where it stands, and keep what was learned in the store."""
    since_ms = now_ms - LEARN_SPAN_MS
    spans = awake(database, since_ms, now_ms)
    fixes = _fixes(database, since_ms)
    beacons = {device_id: list(_beacons(database, device_id, since_ms)) for device_id in fixes}
    faintest = _faintest(heard for sent in beacons.values() for _, heard in sent)
    samples = _samples(fixes, beacons, spans)
    stations = database.rows("SELECT station_id FROM stations WHERE lat IS NOT NULL AND lon IS NOT NULL")
    found = {
        station: learn(samples.get(station, ()), faintest.get(station))
        for station in sorted(bytes(row["station_id"]) for row in stations)
    }
    with database.transaction():
        for station_id, one in found.items():
            _keep(database, station_id, one, now_ms)
    return found


def hearings(database: Database) -> dict[bytes, Hearing]:
    """What was learned last of each station."""
    return {
        bytes(row["station_id"]): Hearing(
            row["level_dbm"],
            row["exponent"],
            math.hypot(
                row["spread_db"], row["level_sd_db"], 3.0 * row["exponent_sd"]
            ),  # 3 dB: twice the distance
            row["faintest_dbm"],
        )
        for row in database.rows("SELECT * FROM station_ears")
    }


def _keep(database: Database, station_id: bytes, one: Calibration, now_ms: int) -> None:
    hearing = one.hearing
    database.run("DELETE FROM station_ears WHERE station_id = ?", station_id)
    database.run(
        "INSERT INTO station_ears (station_id, level_dbm, exponent, spread_db, faintest_dbm, level_sd_db, "
        "exponent_sd, samples, learned_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        station_id,
        hearing.level_dbm,
        hearing.exponent,
        hearing.spread_db,
        hearing.faintest_dbm,
        one.level_sd_db,
        one.exponent_sd,
        one.samples,
        now_ms,
    )


def _faintest(beacons: Iterable[dict[bytes, float]]) -> dict[bytes, float]:
    """For each station that heard enough, the level below which it hears little."""
    levels: dict[bytes, list[float]] = {}
    for heard in beacons:
        for station_id, level in heard.items():
            levels.setdefault(station_id, []).append(level)
    return {
        station: sorted(found)[int(FAINTEST_SHARE * len(found))]
        for station, found in levels.items()
        if len(found) >= FAINTEST_SAMPLES
    }


def _samples(
    fixes_of: dict[bytes, list[Fix]], beacons: dict[bytes, list[Sent]], spans: list[Awake]
) -> dict[bytes, list[Sample]]:
    """For each station: beacons from known places, heard or missed, one sample a square."""
    squares: dict[tuple[bytes, int, int], list[tuple[float, float | None]]] = {}
    stations = {span.station_id: span for span in spans}
    for device_id, fixes in fixes_of.items():
        times = [fix[0] for fix in fixes]
        for counter_ms, heard in beacons[device_id]:
            place = _place_at(fixes, times, counter_ms)
            if place is None:
                continue
            awake_then = {s.station_id for s in spans if s.since_ms <= counter_ms <= s.until_ms}
            for station_id in awake_then | (heard.keys() & stations.keys()):
                at = stations[station_id]
                apart_m = distance_m(at.lat, at.lon, *place)
                if NEAREST_M <= apart_m <= FARTHEST_M:
                    key = (station_id, *_square(*place))
                    squares.setdefault(key, []).append((apart_m, heard.get(station_id)))
    samples: dict[bytes, list[Sample]] = {}
    for (station_id, _, _), found in squares.items():
        levels = [level for _, level in found if level is not None]
        middle_m = math.exp(sum(math.log(apart_m) for apart_m, _ in found) / len(found))
        level = sum(levels) / len(levels) if levels else None
        samples.setdefault(station_id, []).append(Sample(middle_m, level))
    return samples


def _fixes(database: Database, since_ms: int) -> dict[bytes, list[Fix]]:
    rows = database.rows(
        "SELECT device_id, time_ms, lat, lon FROM fixes WHERE time_ms >= ? AND source = 'gnss' AND radius_m <= 50 "
        "ORDER BY time_ms DESC LIMIT ?",
        since_ms,
        MOST_FIXES,
    )
    found: dict[bytes, list[Fix]] = {}
    for row in reversed(rows):
        found.setdefault(bytes(row["device_id"]), []).append((row["time_ms"], row["lat"], row["lon"]))
    return found


def _beacons(database: Database, device_id: bytes, since_ms: int) -> Iterable[Sent]:
    """(Unix ms, level at each station that heard it) of each beacon that anybody heard."""
    rows = database.rows(
        "SELECT counter, time_ms, station_id, rssi_dbm, snr_db FROM sightings WHERE device_id = ? AND time_ms >= ? "
        "AND rssi_dbm IS NOT NULL ORDER BY counter, station_id",
        device_id,
        since_ms,
    )
    found: dict[int, Sent] = {}
    for row in rows:
        _, heard = found.setdefault(row["counter"], (row["time_ms"], {}))
        heard[bytes(row["station_id"])] = signal_dbm(row["rssi_dbm"], row["snr_db"])
    return found.values()


def _place_at(fixes: list[Fix], times: list[int], at_ms: int) -> tuple[float, float] | None:
    """Where a device was by its own fixes; None when none is close enough in time."""
    after = bisect.bisect_left(times, at_ms)
    near = [fixes[index] for index in (after - 1, after) if 0 <= index < len(fixes)]
    if len(near) == 2 and near[1][0] - near[0][0] <= BETWEEN_MS:
        (t0, lat0, lon0), (t1, lat1, lon1) = near
        share = (at_ms - t0) / max(t1 - t0, 1)
        east = math.remainder(lon1 - lon0, 360.0)
        return lat0 + share * (lat1 - lat0), math.remainder(lon0 + share * east, 360.0)
    best = min(near, key=lambda fix: abs(fix[0] - at_ms))
    return best[1:] if abs(best[0] - at_ms) <= TOGETHER_MS else None


def _square(lat: float, lon: float) -> tuple[int, int]:
    metres = 111_195.0
    return round(lat * metres / SQUARE_M), round(lon * metres * math.cos(math.radians(lat)) / SQUARE_M)
