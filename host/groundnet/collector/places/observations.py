"""What the store knows of where devices were: their own fixes, their cells, and who heard them."""

from collections import Counter
from collections.abc import Iterable
from functools import partial

from groundwire import beacon

from groundnet.collector.database import Database
from groundnet.collector.places.calibration import hearings
from groundnet.collector.places.cell_table import CellSeen, CellTable
from groundnet.collector.places.hearing import USUAL, Hearing, signal_dbm
from groundnet.collector.places.observation import Observation
from groundnet.collector.places.position import Ear, Estimate
from groundnet.collector.stations.contradictions import agreeing, fixes_near
from groundnet.database.store import Row

GROUP_MS = 10_000  # beacons so close in time were sent at one place
CELL_GROUP_MS = 5_000  # cells of one observation

Span = tuple[bytes, int, int]


def observations(
    database: Database, device_ids: Iterable[bytes], since_ms: int, until_ms: int, cells: CellTable
) -> list[Observation]:
    """All observations of the devices in a time (Unix ms), oldest first."""
    ears = hearings(database)
    found = []
    for device_id in device_ids:
        span = (device_id, since_ms, until_ms)
        found += [*_fixes(database, span), *_cells(database, span, cells), *_heard(database, span, ears)]
    return sorted(found, key=lambda seen: seen.time_ms)


def left_out(
    database: Database, device_ids: Iterable[bytes], since_ms: int, until_ms: int
) -> dict[bytes, int]:
    """How many sightings of each station no position is made from: others contradict them (contradictions.py)."""
    found: Counter[bytes] = Counter()
    for device_id in device_ids:
        heard = _sightings(database, (device_id, since_ms, until_ms))
        _, out = agreeing(heard, partial(fixes_near, database, device_id))
        found.update(bytes(row["station_id"]) for row in out)
    return dict(found)


def _fixes(database: Database, span: Span) -> Iterable[Observation]:
    rows = database.rows(
        "SELECT * FROM fixes WHERE device_id = ? AND time_ms BETWEEN ? AND ? ORDER BY time_ms", *span
    )
    for row in rows:
        place = Estimate(row["lat"], row["lon"], row["radius_m"])
        yield Observation(
            row["time_ms"], row["source"], place, speed_mps=row["speed_mps"], course_deg=row["course_deg"]
        )


def _cells(database: Database, span: Span, table: CellTable) -> Iterable[Observation]:
    rows = database.rows(
        "SELECT * FROM cells WHERE device_id = ? AND time_ms BETWEEN ? AND ? ORDER BY time_ms", *span
    )
    for group in _grouped(rows, CELL_GROUP_MS):
        seen = [
            CellSeen(row["mcc"], row["mnc"], row["area"], row["cell"], bool(row["serving"])) for row in group
        ]
        place = table.locate(seen)
        if place is not None:
            yield Observation(group[0]["time_ms"], "cell", place)


def _sightings(database: Database, span: Span) -> list[Row]:
    return database.rows(
        "SELECT s.time_ms, s.station_id, s.rssi_dbm, s.snr_db, s.counter, b.flags, t.lat, t.lon FROM sightings s "
        "JOIN stations t ON t.station_id = s.station_id "
        "LEFT JOIN beacons b ON b.device_id = s.device_id AND b.counter = s.counter "
        "WHERE s.device_id = ? AND s.time_ms BETWEEN ? AND ? "
        "AND t.lat IS NOT NULL AND t.lon IS NOT NULL AND s.rssi_dbm IS NOT NULL ORDER BY s.time_ms, s.station_id",
        *span,
    )


def _heard(database: Database, span: Span, ears: dict[bytes, Hearing]) -> Iterable[Observation]:
    rows, _ = agreeing(_sightings(database, span), partial(fixes_near, database, span[0]))
    for group in _grouped(rows, GROUP_MS):
        middle_ms = (group[0]["time_ms"] + group[-1]["time_ms"]) // 2
        told = [row["flags"] for row in group if row["flags"] is not None]
        yield Observation(
            middle_ms,
            "sightings",
            ears=tuple(_ears(group, ears)),
            moving=bool(told[-1] & beacon.MOTION) if told else None,
        )


def _ears(group: list, ears: dict[bytes, Hearing]) -> Iterable[Ear]:
    levels: dict[tuple[bytes, float, float], list[float]] = {}
    for row in group:
        key = (bytes(row["station_id"]), row["lat"], row["lon"])
        levels.setdefault(key, []).append(signal_dbm(row["rssi_dbm"], row["snr_db"]))
    for (station_id, lat, lon), heard in levels.items():
        yield Ear(lat, lon, sum(heard) / len(heard), ears.get(station_id, USUAL))


def _grouped(rows: list, span_ms: int) -> list[list]:
    """Rows in time order cut into groups that begin anew after ``span_ms``."""
    groups: list[list] = []
    for row in rows:
        if not groups or row["time_ms"] - groups[-1][0]["time_ms"] > span_ms:
            groups.append([])
        groups[-1].append(row)
    return groups
