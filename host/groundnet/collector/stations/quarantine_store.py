"""Stations in quarantine, in the store: for all collectors on it and the command line; and who did what, in order."""

from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.collector.stations.quarantine import ASK_AGAIN_MS, COPY, FORGOTTEN_MS, hold_ms
from groundnet.database.store import Row

COLLECTOR = "collector"  # who acts when nobody does


@dataclass(frozen=True)
class Hold:
    """A station that is kept out. ``rule`` names one of quarantine.RULES; ``until_ms`` None: until it is released.

    ``detail`` is what was seen, or the reason that somebody gave; ``times`` it was held lately, this time included.
    """

    station_id: bytes
    rule: str
    detail: str
    since_ms: int
    until_ms: int | None
    times: int
    held_by: str

    def left_ms(self, now_ms: int) -> int | None:
        """How long it still holds; 0: no longer; None: until somebody releases it."""
        return None if self.until_ms is None else max(0, self.until_ms - now_ms)

    def ask_again_ms(self, now_ms: int) -> int:
        """What the station is told to wait: never for so long that a release by hand would not reach it soon."""
        left_ms = self.left_ms(now_ms)
        return ASK_AGAIN_MS if left_ms is None else max(1000, min(left_ms, ASK_AGAIN_MS))


@dataclass(frozen=True)
class Act:
    """One line of the audit: ``act`` is held, released or expired."""

    time_ms: int
    station_id: bytes
    act: str
    rule: str
    detail: str
    who: str


def hold(
    database: Database,
    station_id: bytes,
    rule: str,
    detail: str,
    now_ms: int,
    who: str = COLLECTOR,
    for_ever: bool = False,
) -> Hold:
    """Keep a station out, longer each time; one that somebody holds until its release stays held. Raises StoreError."""
    with database.transaction():
        row = database.row("SELECT * FROM station_quarantine WHERE station_id = ?", station_id)
        if row is not None and row["released_ms"] is None and not for_ever:
            before = _hold(row)
            if before.left_ms(now_ms) != 0:
                return before
        lately = row is not None and now_ms - row["since_ms"] < FORGOTTEN_MS
        times = row["times"] + 1 if row is not None and lately else 1
        until_ms = None if for_ever else now_ms + hold_ms(times)
        database.run(
            "INSERT INTO station_quarantine VALUES (?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (station_id) DO UPDATE SET "
            "rule = excluded.rule, detail = excluded.detail, since_ms = excluded.since_ms, "
            "until_ms = excluded.until_ms, times = excluded.times, held_by = excluded.held_by, released_ms = NULL",
            *(station_id, rule, detail, now_ms, until_ms, times, who),
        )
        _write(database, Act(now_ms, station_id, "held", rule, detail, who))
    return Hold(station_id, rule, detail, now_ms, until_ms, times, who)


def release(database: Database, station_id: bytes, now_ms: int, who: str, detail: str = "") -> bool:
    """Let a station in again at once, and count from the beginning; whether it was held. Raises StoreError."""
    with database.transaction():
        row = database.row(
            "SELECT * FROM station_quarantine WHERE station_id = ? AND released_ms IS NULL", station_id
        )
        if row is None:
            return False
        database.run(
            "UPDATE station_quarantine SET released_ms = ?, times = 0 WHERE station_id = ?",
            now_ms,
            station_id,
        )
        _let_in(database, Act(now_ms, station_id, "released", row["rule"], detail, who))
    return True


def expire(database: Database, now_ms: int) -> list[bytes]:
    """End every hold whose time is over; returns whose. Raises StoreError."""
    over = "released_ms IS NULL AND until_ms IS NOT NULL AND until_ms <= ?"
    if database.row(f"SELECT 1 AS n FROM station_quarantine WHERE {over}", now_ms) is None:
        return []
    with database.transaction():
        rows = database.rows(f"SELECT * FROM station_quarantine WHERE {over}", now_ms)
        for row in rows:
            station_id = bytes(row["station_id"])
            database.run(
                "UPDATE station_quarantine SET released_ms = ? WHERE station_id = ?", now_ms, station_id
            )
            _let_in(database, Act(now_ms, station_id, "expired", row["rule"], "", COLLECTOR))
    return [bytes(row["station_id"]) for row in rows]


def held(database: Database) -> dict[bytes, Hold]:
    """Every station that is kept out, as the store says it; see `expire`."""
    rows = database.rows("SELECT * FROM station_quarantine WHERE released_ms IS NULL ORDER BY station_id")
    return {bytes(row["station_id"]): _hold(row) for row in rows}


def acts(database: Database, station_id: bytes | None = None) -> list[Act]:
    """The audit, oldest first, of one station or of all."""
    rows = database.rows("SELECT * FROM station_quarantine_acts ORDER BY act_id")
    found = [
        Act(row["time_ms"], bytes(row["station_id"]), row["act"], row["rule"], row["detail"], row["who"])
        for row in rows
    ]
    return [one for one in found if station_id in (None, one.station_id)]


def _let_in(database: Database, act: Act) -> None:
    """Whoever is let in after its starts went back begins to count anew: it may have been flashed anew.

    Of two that share an id the other one then goes back, and both are held for longer.
    """
    if act.rule == COPY:
        database.run("UPDATE stations SET boot_count = 0 WHERE station_id = ?", act.station_id)
    _write(database, act)


def _write(database: Database, act: Act) -> None:
    database.run(
        "INSERT INTO station_quarantine_acts (time_ms, station_id, act, rule, detail, who) VALUES (?, ?, ?, ?, ?, ?)",
        *(act.time_ms, act.station_id, act.act, act.rule, act.detail, act.who),
    )


def _hold(row: Row) -> Hold:
    named = (row["rule"], row["detail"], row["since_ms"], row["until_ms"], row["times"], row["held_by"])
    return Hold(bytes(row["station_id"]), *named)
