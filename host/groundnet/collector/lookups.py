"""Who may see where a device is, and the book of everybody who asked.

A position is shown while a case is open for the device, or to the owner. That somebody is the owner is taken on
their word and written down; nothing proves it yet, and the book's rows are not chained.
"""

from groundnet.collector.cases import open_case_of
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
        what: the question, for example the command.
        why: the reason that was given, may be empty.

    Raises LookupRefused when not one of them may be shown.
    """
    granted = written_down(database, device_ids, who, what, why, is_owner, now_ms)
    if not granted:
        raise LookupRefused(
            "positions are shown while a case is open only",
            "open one with `groundnet case open`, or give --owner when the owner asks",
        )
    return granted


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
            database.run(
                "INSERT INTO lookups (time_ms, who, device_id, what, why, granted) VALUES (?, ?, ?, ?, ?, ?)",
                now_ms,
                who,
                device_id,
                what,
                f"{grounds}: {why}" if why else grounds,
                int(allowed),
            )
            if allowed:
                granted.append(device_id)
    return granted
