"""Every board that is plugged in: what a probe finds, with what this computer knows beside it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from groundnet.errors import GroundnetError, Text
from groundnet.flash.board_lock import BoardLocks
from groundnet.image.boards import board_literal
from groundnet.link.probe import Finding, probe_all


def survey(names: Sequence[str] = (), locks: Path | None = None) -> list[Finding]:
    """The named ports (paths or USB serial numbers), or every USB serial port; who works on a board is told."""
    with BoardLocks(locks) as owners:
        return [_completed(finding, owners) for finding in probe_all(names)]


def _completed(finding: Finding, owners: BoardLocks) -> Finding:
    finding = replace(finding, chip=finding.chip or _chip_of(finding.board))
    keys = [key for key in (finding.port.board_key, finding.mac) if key]
    owner = next((owner for key in keys if (owner := owners.owner(key)) is not None), None)
    if owner is None:
        return finding
    action = Text(f"wait until {owner.name} has finished with it", f"等待 {owner.name} 完成操作")
    return replace(finding, locked_by=owner.name, action=action)


def _chip_of(board: str) -> str:
    """Empty for a board that these sources do not know."""
    try:
        return board_literal(board)["chip"] if board else ""
    except (GroundnetError, OSError):
        return ""
