"""One beacon heard by two stations too far apart: one of them says a wrong place, or repeats what it caught.

A tag sends each counter once, and a MAC proves the counter; radio does not reach from one such station to the other.
Who is wrong is said only when others tell: a third station near one of them, or the tag's own fix.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, groupby

from groundnet.collector.database import Database
from groundnet.database.store import Row
from groundnet.geodesy import distance_m

REACH_M = 30_000.0  # between two stations that hear one tag near the ground; 15 km each is a record there
FIX_SPAN_MS = 10 * 60_000  # a fix so close in time says where the tag was


@dataclass(frozen=True)
class Contradiction:
    """Two stations and a device. ``suspect`` is one of the two; None: nobody else tells.

    ``count`` of beacons; times are Unix milliseconds.
    """

    device_id: bytes
    stations: tuple[bytes, bytes]
    apart_m: float
    count: int
    first_ms: int
    last_ms: int
    suspect: bytes | None


def contradictions(database: Database, since_ms: int) -> list[Contradiction]:
    """All since ``since_ms`` (Unix ms), the newest first."""
    rows = database.rows(
        "SELECT s.device_id, s.counter, s.time_ms, s.station_id, t.lat, t.lon FROM sightings s "
        "JOIN stations t ON t.station_id = s.station_id WHERE s.time_ms >= ? AND t.lat IS NOT NULL "
        "ORDER BY s.device_id, s.counter, s.station_id",
        since_ms,
    )
    found: dict[tuple, Contradiction] = {}
    for _, heard in groupby(rows, key=lambda row: (row["device_id"], row["counter"])):
        for one in _of_one_beacon(database, list(heard)):
            key = one.device_id, one.stations
            found[key] = _joined(found[key], one) if key in found else one
    return sorted(found.values(), key=lambda one: -one.last_ms)


def _of_one_beacon(database: Database, heard: list[Row]) -> Iterator[Contradiction]:
    for first, second in combinations(heard, 2):
        apart_m = _apart_m(first, second)
        if apart_m <= REACH_M:
            continue
        yield Contradiction(
            first["device_id"],
            (first["station_id"], second["station_id"]),
            apart_m,
            1,
            min(first["time_ms"], second["time_ms"]),
            max(first["time_ms"], second["time_ms"]),
            _suspect(database, first, second, heard),
        )


def _suspect(database: Database, first: Row, second: Row, heard: list[Row]) -> bytes | None:
    """Who is alone, where the other has company: stations that heard it, too, or the tag's own fix."""
    for witnesses in (heard, _fixes(database, first)):
        company = [_near(one, witnesses) for one in (first, second)]
        if company[0] != company[1]:
            return (first if company[0] < company[1] else second)["station_id"]
    return None


def _near(station: Row, witnesses: Iterable[Row]) -> int:
    return sum(_apart_m(station, witness) <= REACH_M for witness in witnesses)


def _fixes(database: Database, beacon: Row) -> list[Row]:
    return database.rows(
        "SELECT lat, lon FROM fixes WHERE device_id = ? AND time_ms BETWEEN ? AND ?",
        beacon["device_id"],
        beacon["time_ms"] - FIX_SPAN_MS,
        beacon["time_ms"] + FIX_SPAN_MS,
    )


def _apart_m(first: Row, second: Row) -> float:
    return distance_m(first["lat"], first["lon"], second["lat"], second["lon"])


def _joined(before: Contradiction, new: Contradiction) -> Contradiction:
    """The newest word on who is wrong stands, unless it says nothing."""
    return replace(
        before,
        count=before.count + 1,
        first_ms=min(before.first_ms, new.first_ms),
        last_ms=max(before.last_ms, new.last_ms),
        suspect=new.suspect or before.suspect,
    )
