"""The stations as those who look after them see them: place, health, proof, what was refused."""

import json
from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.collector.stations import quarantine_store
from groundnet.collector.stations.quarantine_store import Hold


@dataclass(frozen=True)
class Refusal:
    """Something that was refused or is odd: how often, when first and last (Unix ms), and where it came from last."""

    reason: str
    count: int
    first_ms: int
    last_ms: int
    place: str


@dataclass(frozen=True)
class StationState:
    """One station, or an id that somebody claimed. ``seen_ms`` None: it was never taken; ``hold``: its quarantine."""

    station_id: bytes
    lat: float | None
    lon: float | None
    boot_count: int
    seen_ms: int | None
    proved_ms: int | None
    health: dict
    refusals: tuple[Refusal, ...]
    hold: Hold | None = None


def stations(database: Database) -> list[StationState]:
    """Every station and every id that was refused, in the order of their ids."""
    known = {bytes(row["station_id"]): row for row in database.rows("SELECT * FROM stations")}
    proved = {
        bytes(row["station_id"]): row["last_ms"] for row in database.rows("SELECT * FROM station_proofs")
    }
    refusals: dict[bytes, list[Refusal]] = {}
    for row in database.rows("SELECT * FROM station_refusals ORDER BY last_ms DESC, reason"):
        refusals.setdefault(bytes(row["station_id"]), []).append(
            Refusal(row["reason"], row["count"], row["first_ms"], row["last_ms"], row["place"])
        )
    held = quarantine_store.held(database)
    found = []
    for station_id in sorted(known.keys() | refusals.keys() | held.keys()):
        row = known.get(station_id)
        found.append(
            StationState(
                station_id,
                row["lat"] if row else None,
                row["lon"] if row else None,
                row["boot_count"] if row else 0,
                row["seen_ms"] if row else None,
                proved.get(station_id),
                json.loads(row["health"]) if row and row["health"] else {},
                tuple(refusals.get(station_id, ())),
                held.get(station_id),
            )
        )
    return found


def forget_refusals(database: Database, station_id: bytes | None) -> None:
    """Begin to count anew for one station, or for all (None)."""
    if station_id is None:
        database.run("DELETE FROM station_refusals")
    else:
        database.run("DELETE FROM station_refusals WHERE station_id = ?", station_id)
