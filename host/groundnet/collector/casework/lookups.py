"""Who may see where a device is, and the book of everybody who asked.

A position is shown while a case is open for the device, or to the owner, whom a token of their own proves (see
provision/owner_token.py). The book is lookup_audit.py.
"""

from groundnet.collector.casework import lookup_audit
from groundnet.collector.casework.cases import open_case_of
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError


class LookupRefused(GroundnetError):
    """Positions that nobody may see now."""


def permit(
    database: Database,
    device_ids: list[bytes],
    who: str,
    what: str,
    why: str,
    is_owner: bool,
    now_ms: int,
) -> list[bytes]:
    """The devices whose positions may be shown; every device that was asked for is written down, refused ones too.

    Args:
        who: the account that asks.
        what: the question, for example the command; no plate, no name: the book is never made shorter.
        is_owner: whether the owner's token for all these devices was shown.
        why: the reason that was given, may be empty.

    Raises LookupRefused when not one of them may be shown.
    """
    granted = written_down(database, device_ids, who, what, why, is_owner, now_ms)
    if not granted:
        raise LookupRefused(
            "positions are shown while a case is open only",
            "open one with `groundnet case open`, or let the owner ask with their token (--owner)",
        )
    return granted


def note(
    database: Database, device_ids: list[bytes], who: str, what: str, why: str, granted: bool, now_ms: int
) -> None:
    """Write down a question that was answered or refused on other grounds than a case that is open."""
    with database.transaction():
        for device_id in device_ids:
            lookup_audit.append(database, now_ms, who, device_id, what, why, granted)


def written_down(
    database: Database,
    device_ids: list[bytes],
    who: str,
    what: str,
    why: str,
    is_owner: bool,
    now_ms: int,
) -> list[bytes]:
    """Those of the devices that have an open case, all for the owner; the question is in the book for every one."""
    granted = []
    with database.transaction():
        for device_id in device_ids:
            case = open_case_of(database, device_id)
            grounds = "owner" if is_owner else f"case {case.case_id}" if case else "no open case"
            allowed = is_owner or case is not None
            lookup_audit.append(
                database, now_ms, who, device_id, what, f"{grounds}: {why}" if why else grounds, allowed
            )
            if allowed:
                granted.append(device_id)
    return granted
