"""A device's track and last place, from its own fixes, its cells and the sightings of stations."""

from collections.abc import Iterable
from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.collector.places.cell_table import CellTable
from groundnet.collector.places.observations import observations
from groundnet.collector.places.smoothing import Smoothed, smooth

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
    """Where the devices that are fixed to one thing were at each observation that is believed, oldest first.

    All of them together give one track: filtered and smoothed over time (see smoothing.py).
    """
    span = (since_ms or 0, until_ms if until_ms is not None else 1 << 62)
    seen = observations(database, device_ids, *span, cells or CellTable())
    return [_point(one) for one in smooth(seen)]


def track(
    database: Database,
    device_id: bytes,
    since_ms: int | None = None,
    until_ms: int | None = None,
    cells: CellTable | None = None,
) -> list[TrackPoint]:
    """The track of one device."""
    return track_of(database, [device_id], since_ms, until_ms, cells)


def last_place(points: list[TrackPoint]) -> TrackPoint | None:
    """The answer to "where is it?": the filter's last state, at its time; the source that told most of it."""
    if not points:
        return None
    last = points[-1]
    recent = [point for point in points if last.time_ms - point.time_ms <= LAST_WINDOW_MS]
    sharpest = min(
        recent, key=lambda point: point.radius_m + DRIFT_MPS * (last.time_ms - point.time_ms) / 1000
    )
    return TrackPoint(last.time_ms, last.lat, last.lon, last.radius_m, sharpest.source)


def _point(one: Smoothed) -> TrackPoint:
    seen = one.seen
    where = (one.place.lat, one.place.lon, one.place.radius_m)
    return TrackPoint(seen.time_ms, *where, seen.source, seen.speed_mps, seen.course_deg, len(seen.ears))


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
