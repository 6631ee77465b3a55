"""Theft cases: opening one puts the device into lost mode, closing it ends that; look-ups are written down."""

import sqlite3
from dataclasses import dataclass

from groundwire import downlink

from groundnet.collector import orders
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError


class CaseError(GroundnetError):
    """A case that cannot be opened or closed."""


@dataclass(frozen=True)
class Case:
    """A reported theft; ``closed_ms`` is None while it is open."""

    case_id: int
    device_id: bytes
    reporter: str
    document: str
    reason: str
    opened_ms: int
    closed_ms: int | None
    outcome: str | None


def open_case(
    database: Database, device_id: bytes, reporter: str, document: str, reason: str, now_ms: int
) -> Case:
    """Open a case and queue lost mode for the device. Raises CaseError when one is open already."""
    with database.transaction():
        if _open_row(database, device_id) is not None:
            raise CaseError("there is an open case for this device", "close it first, or go on with it")
        database.run(
            "INSERT INTO cases VALUES (NULL, ?, ?, ?, ?, ?, NULL, NULL)",
            device_id,
            reporter,
            document,
            reason,
            now_ms,
        )
        orders.queue(database, device_id, downlink.LOST_ON, 0, now_ms)
        row = _open_row(database, device_id)
    assert row is not None
    return _case(row)


def close_case(database: Database, device_id: bytes, outcome: str, now_ms: int) -> Case:
    """Close the open case and queue the end of lost mode. Raises CaseError when none is open."""
    with database.transaction():
        row = _open_row(database, device_id)
        if row is None:
            raise CaseError("there is no open case for this device", "list cases with `groundnet case list`")
        database.run(
            "UPDATE cases SET closed_ms = ?, outcome = ? WHERE case_id = ?", now_ms, outcome, row["case_id"]
        )
        orders.queue(database, device_id, downlink.LOST_OFF, 0, now_ms)
        closed = database.row("SELECT * FROM cases WHERE case_id = ?", row["case_id"])
    assert closed is not None
    return _case(closed)


def list_cases(database: Database) -> list[Case]:
    """All cases, newest first."""
    return [_case(row) for row in database.rows("SELECT * FROM cases ORDER BY case_id DESC")]


def write_lookup(database: Database, device_id: bytes, who: str, what: str, now_ms: int) -> None:
    """Write down that somebody looked a device up; looking without this line is not possible."""
    database.run("INSERT INTO lookups VALUES (NULL, ?, ?, ?, ?)", now_ms, who, device_id, what)


def _open_row(database: Database, device_id: bytes) -> sqlite3.Row | None:
    return database.row("SELECT * FROM cases WHERE device_id = ? AND closed_ms IS NULL", device_id)


def _case(row: sqlite3.Row) -> Case:
    return Case(**{name: row[name] for name in Case.__dataclass_fields__})
