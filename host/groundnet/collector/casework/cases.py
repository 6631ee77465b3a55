"""Theft cases: opening one puts the device into lost mode, closing it ends that; the look-up audit has both."""

from dataclasses import dataclass, replace

from groundwire import downlink

from groundnet.collector.casework import lookup_audit
from groundnet.collector.database import Database
from groundnet.collector.outbound import orders
from groundnet.database.store import Row
from groundnet.errors import GroundnetError


class CaseError(GroundnetError):
    """A case that cannot be opened or closed."""


@dataclass(frozen=True)
class Case:
    """A reported theft. Times are Unix milliseconds; ``closed_ms`` is None while it is open.

    ``stolen_ms``: when it was stolen, as far as the reporter knows; None: not said.
    """

    case_id: int
    device_id: bytes
    reporter: str
    document: str
    reason: str
    opened_ms: int
    closed_ms: int | None
    outcome: str | None
    stolen_ms: int | None = None


def open_case(
    database: Database, device_id: bytes, reporter: str, document: str, reason: str, now_ms: int
) -> Case:
    """Open a case and queue lost mode for the device. Raises CaseError when one is open already."""
    return open_cases(database, [device_id], reporter, document, reason, now_ms)[0]


def open_cases(
    database: Database,
    device_ids: list[bytes],
    reporter: str,
    document: str,
    reason: str,
    now_ms: int,
    stolen_ms: int | None = None,
    who: str = "",
) -> list[Case]:
    """Open a case for every device on one vehicle, for all of them or for none.

    Args:
        document: number of the theft report.
        stolen_ms: when it was stolen, Unix milliseconds; None: not said.
        who: the account that opens it, for the audit; default: the reporter.

    A device whose case is open already keeps it. Raises CaseError when that is so for every one, and for a theft
    that is still to come.
    """
    if stolen_ms is not None and stolen_ms > now_ms:
        raise CaseError("the theft lies in the future", "give the time when it was stolen, or leave it out")
    with database.transaction():
        new = [device_id for device_id in device_ids if open_case_of(database, device_id) is None]
        if not new:
            raise CaseError("there is an open case for this device", "close it first, or go on with it")
        return [
            _open(database, device_id, (reporter, document, reason, now_ms, stolen_ms), who or reporter)
            for device_id in new
        ]


def close_case(database: Database, device_id: bytes, outcome: str, now_ms: int) -> Case:
    """Close the open case and queue the end of lost mode. Raises CaseError when none is open."""
    return close_cases(database, [device_id], outcome, now_ms)[0]


def close_cases(
    database: Database, device_ids: list[bytes], outcome: str, now_ms: int, who: str = ""
) -> list[Case]:
    """Close the open cases of the devices on one vehicle. Raises CaseError when none of them has one.

    ``who`` is the account that closes them, for the audit; default: who reported the theft.
    """
    with database.transaction():
        found = [open_case_of(database, device_id) for device_id in device_ids]
        closed = [
            _close(database, case, outcome, now_ms, who or case.reporter)
            for case in found
            if case is not None
        ]
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
    database: Database, device_id: bytes, told: tuple[str, str, str, int, int | None], who: str
) -> Case:
    row = database.row(
        "INSERT INTO cases (device_id, reporter, document, reason, opened_ms, stolen_ms) "
        "VALUES (?, ?, ?, ?, ?, ?) RETURNING *",
        device_id,
        *told,
    )
    assert row is not None
    case = _case(row)
    orders.queue(database, device_id, downlink.LOST_ON, 0, case.opened_ms)
    lookup_audit.append(database, case.opened_ms, who, device_id, "case open", f"case {case.case_id}", True)
    return case


def _close(database: Database, case: Case, outcome: str, now_ms: int, who: str) -> Case:
    database.run(
        "UPDATE cases SET closed_ms = ?, outcome = ? WHERE case_id = ?", now_ms, outcome, case.case_id
    )
    orders.queue(database, case.device_id, downlink.LOST_OFF, 0, now_ms)
    lookup_audit.append(database, now_ms, who, case.device_id, "case close", f"case {case.case_id}", True)
    return replace(case, closed_ms=now_ms, outcome=outcome)


def _case(row: Row) -> Case:
    return Case(**{name: row[name] for name in Case.__dataclass_fields__})
