"""What a finder is lent for a search: a tag's coming ids and commands signed in advance, while a case is open.

A tag has no clock: its ids follow its beacons. So the ids reach from the last one heard over all that the tag may have
sent since and may send until the loan ends, at most a beacon each 20 s, and past one restart of the tag.
"""

import hashlib
from dataclasses import dataclass

from groundwire import downlink, keys
from groundwire.finder_table import MOST_COMMANDS, MOST_IDS

from groundnet.collector.casework.lookups import permit
from groundnet.collector.database import Database
from groundnet.collector.senders.id_windows import LARGEST_EPOCH
from groundnet.collector.senders.known_devices import KnownDevice
from groundnet.errors import GroundnetError, Text

MOST_HOURS = 72
HURRY_S = 4  # beacon interval while the operator turns round
QUICKEST_S = 20  # of beacons over hours: moving; hurry and siren last for minutes
RESTART_EPOCHS = 63 + 16  # a restart skips up to a thousand beacons; and some more for hurry and siren
EPOCH_S = keys.EPOCH_BEACONS * QUICKEST_S
_ROUND = (
    ("hurry", downlink.LOST_ON, HURRY_S),
    ("calm", downlink.LOST_ON, 0),
    ("siren", downlink.SIREN_ON, 0),
)
_FIRST = ("lost", downlink.LOST_ON, 0)


class NotLent(GroundnetError):
    """A loan that nobody gets."""


@dataclass(frozen=True)
class Loan:
    """What goes to the finder. ``lasts_h``: so many hours the ids last even if the tag moves all the time."""

    code: str
    first_epoch: int
    eids: list[bytes]
    expires_ms: int
    budget_s: int
    commands: list[tuple[str, bytes]]
    lasts_h: float


def lend(
    database: Database, device_id: bytes, secret: bytes, hours: int, who: str, why: str, now_ms: int
) -> Loan:
    """The loan for one tag with an open case; the look-up is written down, a refused one too.

    Args:
        hours: how long the finder keeps it, 1..72.
        who: the account that asks; `why`: goes into the audit.

    Raises NotLent, LookupRefused.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise NotLent(
            Text(f"{hours} hours is out of range", f"{hours} 小时超出范围"),
            Text(f"give 1 to {MOST_HOURS}", f"请给出 1 至 {MOST_HOURS}"),
        )
    permit(database, [device_id], who, f"finder load {hours} h", why, False, now_ms)
    device = KnownDevice.from_secret(device_id, secret)
    first, silent_s = _last_heard(database, device_id, now_ms)
    wanted = (silent_s + 3600 * hours) // EPOCH_S + 1 + RESTART_EPOCHS
    count = min(wanted, MOST_IDS, LARGEST_EPOCH + 1 - first)
    eids = [keys.eid(device.identity_key, first + number) for number in range(count)]
    mark = hashlib.sha256(device_id + first.to_bytes(4, "big") + now_ms.to_bytes(8, "big")).hexdigest()
    lasts_s = (count - RESTART_EPOCHS) * EPOCH_S - silent_s
    return Loan(
        code=mark[:4].upper(),
        first_epoch=first,
        eids=eids,
        expires_ms=now_ms + hours * 3_600_000,
        budget_s=hours * 3600,
        commands=_commands(database, device),
        lasts_h=round(min(hours, lasts_s / 3600), 1),
    )


def _last_heard(database: Database, device_id: bytes, now_ms: int) -> tuple[int, int]:
    """(the last epoch heard, seconds since); (0, 0) for a tag that nobody has heard yet."""
    row = database.row("SELECT epoch FROM epochs WHERE device_id = ?", device_id)
    last = database.row("SELECT MAX(time_ms) AS time_ms FROM beacons WHERE device_id = ?", device_id)
    if row is None:
        return 0, 0
    heard_ms = last["time_ms"] if last is not None and last["time_ms"] is not None else now_ms
    return row["epoch"], max(0, now_ms - heard_ms) // 1000


def _commands(database: Database, device: KnownDevice) -> list[tuple[str, bytes]]:
    """As many rounds as a finder holds, each command with a counter of its own that is taken here for good."""
    rounds = (MOST_COMMANDS - 1) // len(_ROUND)
    wanted = [_FIRST, *(_ROUND * rounds)]
    with database.transaction():
        row = database.row(
            "INSERT INTO downlink_counters VALUES (?, ?) ON CONFLICT (device_id) "
            "DO UPDATE SET last = downlink_counters.last + ? RETURNING last",
            device.device_id,
            len(wanted),
            len(wanted),
        )
    assert row is not None
    first = row["last"] - len(wanted) + 1
    return [
        (purpose, downlink.encode(command, first + number, argument, device.downlink_key))
        for number, (purpose, command, argument) in enumerate(wanted)
    ]
