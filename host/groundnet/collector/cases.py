"""Theft cases: opening one puts the device into lost mode, closing it ends that."""

import sqlite3
from dataclasses import dataclass, replace

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
    return open_cases(database, [device_id], reporter, document, reason, now_ms)[0]


def open_cases(
    database: Database, device_ids: list[bytes], reporter: str, document: str, reason: str, now_ms: int
) -> list[Case]:
    """Open a case for every device on one vehicle, for all of them or for none.

    A device whose case is open already keeps it. Raises CaseError when that is so for every one.
    """
    with database.transaction():
        new = [device_id for device_id in device_ids if open_case_of(database, device_id) is None]
        if not new:
            raise CaseError("there is an open case for this device", "close it first, or go on with it")
        return [_open(database, device_id, reporter, document, reason, now_ms) for device_id in new]


def close_case(database: Database, device_id: bytes, outcome: str, now_ms: int) -> Case:
    """Close the open case and queue the end of lost mode. Raises CaseError when none is open."""
    return close_cases(database, [device_id], outcome, now_ms)[0]


def close_cases(database: Database, device_ids: list[bytes], outcome: str, now_ms: int) -> list[Case]:
    """Close the open cases of the devices on one vehicle. Raises CaseError when none of them has one."""
    with database.transaction():
        found = [open_case_of(database, device_id) for device_id in device_ids]
        closed = [_close(database, case, outcome, now_ms) for case in found if case is not None]
        if not closed:
            raise CaseError("there is no open case for this device", "list cases with `groundnet case list`")
        return closed


def open_case_of(database: Database, device_id: bytes) -> Case | None:
    """The device's open case, if there is one."""
    row = database.row("SELECT * FROM cases WHERE device_id = ? AND closed_ms IS NULL", device_id)
    return None if row is None else _case(row)


def list_cases(database: Database) -> list[Case]:
    """All cases, newest first."""
    return [_case(row) for row in database.rows("SELECT * FROM cases ORDER BY case_id DESC")]


def _open(
    database: Database, device_id: bytes, reporter: str, document: str, reason: str, now_ms: int
) -> Case:
    row = database.row(
        "INSERT INTO cases (device_id, reporter, document, reason, opened_ms) VALUES (?, ?, ?, ?, ?) RETURNING *",
        device_id,
        reporter,
        document,
        reason,
        now_ms,
    )
    orders.queue(database, device_id, downlink.LOST_ON, 0, now_ms)
    assert row is not None
    return _case(row)


def _close(database: Database, case: Case, outcome: str, now_ms: int) -> Case:
    database.run(
        "UPDATE cases SET closed_ms = ?, outcome = ? WHERE case_id = ?", now_ms, outcome, case.case_id
    )
    orders.queue(database, case.device_id, downlink.LOST_OFF, 0, now_ms)
    return replace(case, closed_ms=now_ms, outcome=outcome)


def _case(row: sqlite3.Row) -> Case:
    return Case(**{name: row[name] for name in Case.__dataclass_fields__})
