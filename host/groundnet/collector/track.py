"""A device's track and last place, from its own fixes, its cells and the sightings of stations."""

from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.cell_table import CellSeen, CellTable
from groundnet.collector.database import Database
from groundnet.collector.position import Ear, Estimate, fuse, locate

GROUP_MS = 60_000  # sightings so close in time make one position together
CELL_GROUP_MS = 5_000  # cells of one observation
LAST_WINDOW_MS = 300_000  # what the answer to "where is it?" is fused from
DRIFT_MPS = 1.5  # a thing that was still seen moving lately may go on at a walker's pace


@dataclass(frozen=True)
class TrackPoint:
    """One position: Unix milliseconds, WGS-84 degrees, radius of 68 % confidence in metres.

    ``source`` is gnss, cell or sightings; ``heard_by`` counts the stations behind a position from sightings.
    """

    time_ms: int
    lat: float
    lon: float
    radius_m: float
    source: str
    speed_mps: float | None = None
    course_deg: float | None = None
    heard_by: int = 0


def track_of(
    database: Database,
    device_ids: Iterable[bytes],
    since_ms: int | None = None,
    until_ms: int | None = None,
    cells: CellTable | None = None,
) -> list[TrackPoint]:
    """All positions of the devices that are fixed to one thing, in time order, oldest first."""
    tracks = (track(database, device_id, since_ms, until_ms, cells) for device_id in device_ids)
    return sorted((point for points in tracks for point in points), key=lambda point: point.time_ms)


def track(
    database: Database,
    device_id: bytes,
    since_ms: int | None = None,
    until_ms: int | None = None,
    cells: CellTable | None = None,
) -> list[TrackPoint]:
    """All positions of a device in time order, oldest first."""
    span = (device_id, since_ms or 0, until_ms if until_ms is not None else 1 << 62)
    points = [
        *_fixes(database, span),
        *_from_cells(database, span, cells or CellTable()),
        *_from_sightings(database, span),
    ]
    return sorted(points, key=lambda point: point.time_ms)


def last_place(points: list[TrackPoint]) -> TrackPoint | None:
    """The answer to "where is it?": what is known at the newest position's time, newest and sharpest first."""
    if not points:
        return None
    now_ms = points[-1].time_ms
    recent = [point for point in points if now_ms - point.time_ms <= LAST_WINDOW_MS]
    newest = {point.source: point for point in recent}  # later ones of a source replace earlier ones
    weighed = [
        (Estimate(point.lat, point.lon, point.radius_m), (now_ms - point.time_ms) / 1000)
        for point in newest.values()
    ]
    answer = fuse(weighed, DRIFT_MPS)
    assert answer is not None
    sharpest = min(
        newest.values(), key=lambda point: point.radius_m + DRIFT_MPS * (now_ms - point.time_ms) / 1000
    )
    return TrackPoint(now_ms, answer.lat, answer.lon, answer.radius_m, sharpest.source)


def last_cell(database: Database, device_ids: Iterable[bytes]) -> tuple[str, int] | None:
    """The serving cell that one of the devices reported last, as "mcc-mnc-area-cell", and when; None: never one."""
    found = [
        row
        for device_id in device_ids
        for row in database.rows(
            "SELECT * FROM cells WHERE device_id = ? AND area IS NOT NULL AND cell IS NOT NULL "
            "ORDER BY time_ms DESC, serving DESC LIMIT 1",
            device_id,
        )
    ]
    if not found:
        return None
    row = max(found, key=lambda row: row["time_ms"])
    return f"{row['mcc']}-{row['mnc']:02d}-{row['area']}-{row['cell']}", row["time_ms"]


Span = tuple[bytes, int, int]


def _fixes(database: Database, span: Span) -> list[TrackPoint]:
    rows = database.rows(
        "SELECT * FROM fixes WHERE device_id = ? AND time_ms BETWEEN ? AND ? ORDER BY time_ms", *span
    )
    return [
        TrackPoint(
            row["time_ms"],
            row["lat"],
            row["lon"],
            row["radius_m"],
            row["source"],
            row["speed_mps"],
            row["course_deg"],
        )
        for row in rows
    ]


def _from_cells(database: Database, span: Span, table: CellTable) -> list[TrackPoint]:
    rows = database.rows(
        "SELECT * FROM cells WHERE device_id = ? AND time_ms BETWEEN ? AND ? ORDER BY time_ms", *span
    )
    points = []
    for group in _grouped(rows, CELL_GROUP_MS):
        seen = [
            CellSeen(row["mcc"], row["mnc"], row["area"], row["cell"], bool(row["serving"])) for row in group
        ]
        place = table.locate(seen)
        if place is not None:
            points.append(TrackPoint(group[0]["time_ms"], place.lat, place.lon, place.radius_m, "cell"))
    return points


def _from_sightings(database: Database, span: Span) -> list[TrackPoint]:
    rows = database.rows(
        "SELECT s.time_ms, s.station_id, s.rssi_dbm, t.lat, t.lon FROM sightings s "
        "JOIN stations t ON t.station_id = s.station_id WHERE s.device_id = ? AND s.time_ms BETWEEN ? AND ? "
        "AND t.lat IS NOT NULL AND s.rssi_dbm IS NOT NULL ORDER BY s.time_ms",
        *span,
    )
    points = []
    for group in _grouped(rows, GROUP_MS):
        levels: dict[tuple[float, float], list[int]] = {}
        for row in group:
            levels.setdefault((row["lat"], row["lon"]), []).append(row["rssi_dbm"])
        ears = [Ear(lat, lon, sum(heard) / len(heard)) for (lat, lon), heard in levels.items()]
        place = locate(ears)
        if place is not None:
            middle_ms = (group[0]["time_ms"] + group[-1]["time_ms"]) // 2
            points.append(
                TrackPoint(middle_ms, place.lat, place.lon, place.radius_m, "sightings", heard_by=len(ears))
            )
    return points


def _grouped(rows: list, span_ms: int) -> list[list]:
    """Rows in time order cut into groups that begin anew after ``span_ms``."""
    groups: list[list] = []
    for row in rows:
        if not groups or row["time_ms"] - groups[-1][0]["time_ms"] > span_ms:
            groups.append([])
        groups[-1].append(row)
    return groups
