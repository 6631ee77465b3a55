"""One beacon heard by two stations too far apart: one of them says a wrong place, or repeats what it caught.

A tag sends each counter once, and a MAC proves the counter; radio does not reach from one such station to the other.
Who is wrong is said only when others tell: a third station near one of them, or the tag's own fix. No position is
made from what contradicts itself: the suspect's sighting is left out, and both where nobody is the suspect.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, groupby

from groundnet.collector.database import Database
from groundnet.collector.stations.quarantine import SUSPECT_DEVICES, SUSPECT_LEAST
from groundnet.database.store import Row
from groundnet.geodesy import distance_m

REACH_M = 30_000.0  # between two stations that hear one tag near the ground; 15 km each is a record there
FIX_SPAN_MS = 10 * 60_000  # a fix so close in time says where the tag was
RECENT_COUNTERS = 120  # an hour of a moving tag's beacons, one each 30 s

Fixes = Callable[[int], Iterable[Row]]  # near a time; asked for only where two stations contradict each other


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
    return _all(database, "", since_ms)


def suspects(database: Database, since_ms: int) -> dict[bytes, int]:
    """Stations that others contradict often enough to be kept out, with the number of beacons since ``since_ms``.

    Looks at each tag's newest beacons only, which the store finds at once.
    """
    newest = f"JOIN epochs e ON e.device_id = s.device_id AND s.counter > e.counter - {RECENT_COUNTERS} "
    found: dict[bytes, Counter[bytes]] = {}
    for one in _all(database, newest, since_ms):
        if one.suspect is not None:  # several neighbours may contradict the same beacon
            beacons = found.setdefault(one.suspect, Counter())
            beacons[bytes(one.device_id)] = max(beacons[bytes(one.device_id)], one.count)
    return {
        station_id: beacons.total()
        for station_id, beacons in found.items()
        if beacons.total() >= SUSPECT_LEAST and len(beacons) >= SUSPECT_DEVICES
    }


def agreeing(heard: Sequence[Row], fixes: Fixes) -> tuple[list[Row], list[Row]]:
    """One device's sightings (counter, station_id, lat, lon, time_ms) as (those that may be used, those left out)."""
    beacons: dict[int, list[Row]] = {}
    for row in heard:
        beacons.setdefault(row["counter"], []).append(row)
    out: set[tuple[int, bytes]] = set()
    for counter, together in beacons.items():
        for pair in combinations(together, 2):
            if _apart_m(*pair) > REACH_M:
                suspect = _suspect(*pair, together, fixes)
                names = [bytes(row["station_id"]) for row in pair]
                out |= {(counter, name) for name in names if suspect in (None, name)}
    kept = [row for row in heard if (row["counter"], bytes(row["station_id"])) not in out]
    return kept, [row for row in heard if (row["counter"], bytes(row["station_id"])) in out]


def _all(database: Database, joined: str, since_ms: int) -> list[Contradiction]:
    rows = database.rows(
        "SELECT s.device_id, s.counter, s.time_ms, s.station_id, t.lat, t.lon FROM sightings s "
        f"JOIN stations t ON t.station_id = s.station_id {joined}WHERE s.time_ms >= ? AND t.lat IS NOT NULL "
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
            _suspect(first, second, heard, partial(fixes_near, database, first["device_id"])),
        )


def _suspect(first: Row, second: Row, heard: list[Row], fixes: Fixes) -> bytes | None:
    """Who is alone, where the other has company: stations that heard it, too, or the tag's own fix."""
    for witnesses in (lambda _: heard, fixes):
        found = list(witnesses(first["time_ms"]))
        company = [_near(one, found) for one in (first, second)]
        if company[0] != company[1]:
            return bytes((first if company[0] < company[1] else second)["station_id"])
    return None


def _near(station: Row, witnesses: Iterable[Row]) -> int:
    return sum(_apart_m(station, witness) <= REACH_M for witness in witnesses)


def fixes_near(database: Database, device_id: bytes, time_ms: int) -> list[Row]:
    """Where a device itself said that it was, about then."""
    return database.rows(
        "SELECT lat, lon FROM fixes WHERE device_id = ? AND time_ms BETWEEN ? AND ?",
        device_id,
        time_ms - FIX_SPAN_MS,
        time_ms + FIX_SPAN_MS,
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
