"""How a device itself is: parts that fail, why it started, what it had to throw away; whether a station is kept out."""

from dataclasses import dataclass

from groundnet.collector.database import Database
from groundnet.collector.stations import quarantine_store
from groundnet.collector.stations.quarantine_store import Hold


@dataclass(frozen=True)
class Fault:
    """A part of a device that fails: its name on the board, what it complains about, since when (Unix ms)."""

    part: str
    text: str
    since_ms: int


@dataclass(frozen=True)
class Condition:
    """One device. ``start`` is (cause, Unix ms) of the last one; the counts are of all time; ``hold`` of a station."""

    faults: tuple[Fault, ...] = ()
    start: tuple[str, int] | None = None
    brownouts: int = 0
    dropped: int = 0
    hold: Hold | None = None


def keep_fault(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    """The newest word of a part stands: alarms overtake history, so an older one may come later."""
    database.run(
        "INSERT INTO faults VALUES (?, ?, ?, ?) ON CONFLICT (device_id, part) DO UPDATE "
        "SET text = excluded.text, since_ms = excluded.since_ms WHERE excluded.since_ms >= faults.since_ms",
        device_id,
        _printable(item["part"]),
        _printable(item["text"]),
        time_ms,
    )


def keep_start(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    database.run(
        "INSERT INTO starts (device_id, time_ms, cause) VALUES (?, ?, ?)",
        device_id,
        time_ms,
        str(item["cause"]),
    )


def keep_dropped(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    database.run("INSERT INTO dropped VALUES (?, ?, ?)", device_id, time_ms, item["count"])


def keep_battery(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    database.run(
        "INSERT INTO batteries VALUES (?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET time_ms = excluded.time_ms, "
        "battery_mv = excluded.battery_mv, percent = excluded.percent WHERE excluded.time_ms >= batteries.time_ms",
        device_id,
        time_ms,
        item["battery_mv"],
        item["percent"],
    )


def _printable(text: str) -> str:
    """A device's words will stand on a terminal: nothing in them may steer it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def keep_heartbeat(database: Database, device_id: bytes, time_ms: int, item: dict) -> None:
    """When the next one is due, as the newest says; older firmware does not."""
    if item["interval_s"] is not None:
        database.run(
            "INSERT INTO heartbeats VALUES (?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET time_ms = excluded.time_ms, "
            "interval_s = excluded.interval_s WHERE excluded.time_ms >= heartbeats.time_ms",
            device_id,
            time_ms,
            item["interval_s"],
        )


def condition_of(database: Database, device_id: bytes) -> Condition:
    """What the device said of itself; nothing at all of a tag, whose beacons have no room for it."""
    faults = database.rows(
        "SELECT part, text, since_ms FROM faults WHERE device_id = ? AND text <> '' ORDER BY since_ms, part",
        device_id,
    )
    start = database.row(
        "SELECT cause, time_ms FROM starts WHERE device_id = ? ORDER BY time_ms DESC, start_id DESC LIMIT 1",
        device_id,
    )
    counts = database.row(
        "SELECT (SELECT count(*) FROM starts WHERE device_id = ? AND cause = 'brownout') AS brownouts, "
        "(SELECT coalesce(sum(count), 0) FROM dropped WHERE device_id = ?) AS dropped",
        device_id,
        device_id,
    )
    assert counts is not None  # a SELECT without FROM has one row
    return Condition(
        tuple(Fault(row["part"], row["text"], row["since_ms"]) for row in faults),
        (start["cause"], start["time_ms"]) if start else None,
        counts["brownouts"],
        counts["dropped"],
        quarantine_store.held(database).get(device_id),
    )
