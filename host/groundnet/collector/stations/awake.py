"""When each station was awake, as its own words prove: hello, health and sightings; and where it stood then.

A station that is awake says so each 30 s. Silence of a tag at an awake station says where the tag is not; the reach of
all awake stations is what was searched.
"""

from dataclasses import dataclass

from groundnet.collector.database import Database

PATIENCE_MS = 300_000  # a station that said nothing for longer was not awake in between


@dataclass(frozen=True)
class Awake:
    """A station from one word to another, Unix milliseconds, at WGS-84 degrees."""

    station_id: bytes
    lat: float
    lon: float
    since_ms: int
    until_ms: int


def note(database: Database, station_id: bytes, now_ms: int) -> None:
    """The station has just said something."""
    prolonged = database.run(
        "UPDATE station_spans SET until_ms = ? WHERE station_id = ? AND until_ms >= ? AND since_ms <= ?",
        now_ms,
        station_id,
        now_ms - PATIENCE_MS,
        now_ms,
    )
    if not prolonged:
        database.run(
            "INSERT INTO station_spans VALUES (?, ?, ?) "
            "ON CONFLICT (station_id, since_ms) DO UPDATE SET until_ms = excluded.until_ms",
            station_id,
            now_ms,
            now_ms,
        )


def awake(database: Database, since_ms: int, until_ms: int) -> list[Awake]:
    """Every span in a time, cut to it, of stations that have told where they stand, in the order of their beginning."""
    rows = database.rows(
        "SELECT p.station_id, t.lat, t.lon, p.since_ms, p.until_ms FROM station_spans p "
        "JOIN stations t ON t.station_id = p.station_id "
        "WHERE p.until_ms >= ? AND p.since_ms <= ? AND t.lat IS NOT NULL AND t.lon IS NOT NULL "
        "ORDER BY p.since_ms, p.station_id",
        since_ms,
        until_ms,
    )
    return [
        Awake(
            bytes(row["station_id"]),
            row["lat"],
            row["lon"],
            max(row["since_ms"], since_ms),
            min(row["until_ms"], until_ms),
        )
        for row in rows
    ]
