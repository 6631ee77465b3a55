"""The book of everybody who asked where a device is, ordered it about, or opened or closed a case.

Hash-chained: see groundnet.hash_chain. A row names a device, never a plate, so that forgetting an owner leaves the
chain as it is.
"""

import hmac
from dataclasses import asdict, dataclass

from groundnet.collector.database import Database
from groundnet.errors import GroundnetError, Text
from groundnet.hash_chain import FIRST, chained


class LookupAuditBroken(GroundnetError):
    """The book is not what was written. ``row`` is the number of the first row that is wrong."""

    def __init__(self, row: int, what: str, what_zh: str) -> None:
        self.row = row
        super().__init__(
            Text(f"the audit is broken at row {row}: {what}", f"审计记录第 {row} 行有问题：{what_zh}"),
            Text("keep the database as it is and call who answers for it", "保留原数据库，并联系负责人"),
        )


@dataclass(frozen=True)
class Entry:
    """One row. ``time_ms`` in Unix milliseconds, ``device_id`` in hex; ``granted`` is 1 or 0."""

    lookup_id: int
    time_ms: int
    who: str
    device_id: str
    what: str
    why: str
    granted: int


@dataclass(frozen=True)
class Head:
    """The last row and its hash: whoever noted one earlier can tell later that nothing up to it is missing."""

    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.digest.hex()}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """The head that was printed. Raises GroundnetError for anything else."""
        row, _, digest = text.strip().partition(":")
        try:
            found = cls(int(row), bytes.fromhex(digest))
        except ValueError:
            found = cls(-1, b"")
        if found.number < 0 or len(found.digest) != len(FIRST):
            raise GroundnetError(
                Text(f"'{text}' is no head of an audit", f"“{text}”不是审计末尾标记"),
                Text(
                    "give the line that `groundnet case audit --verify` printed: NUMBER:64 HEX DIGITS",
                    "请填 `groundnet case audit --verify` 打印的一行：行号:64 位十六进制",
                ),
            )
        return found


def append(
    database: Database, now_ms: int, who: str, device_id: bytes, what: str, why: str, granted: bool
) -> None:
    """Add a row. To be called within a transaction of the database: the row and what it tells of are one."""
    head = head_of(database)
    entry = Entry(head.number + 1, now_ms, who, device_id.hex(), what, why, int(granted))
    digest = chained(head.digest, asdict(entry))
    database.run(
        "INSERT INTO lookups (lookup_id, time_ms, who, device_id, what, why, granted, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        entry.lookup_id,
        now_ms,
        who,
        device_id,
        what,
        why,
        entry.granted,
        digest,
    )
    _keep_head(database, Head(entry.lookup_id, digest))


def head_of(database: Database) -> Head:
    """The last row; rows of an older groundnet, which had no chain, are chained at the first call."""
    row = database.row("SELECT lookup_id, hash FROM lookup_head")
    if row is not None:
        return Head(row["lookup_id"], row["hash"])
    head = Head(0, FIRST)
    for old in database.rows("SELECT * FROM lookups ORDER BY lookup_id"):
        head = Head(old["lookup_id"], chained(head.digest, asdict(_entry(old))))
        database.run("UPDATE lookups SET hash = ? WHERE lookup_id = ?", head.digest, head.number)
    _keep_head(database, head)
    return head


def entries(database: Database, device_ids: list[bytes] | None = None) -> list[Entry]:
    """Every row, or those about the named devices, oldest first."""
    wanted = None if device_ids is None else {device_id.hex() for device_id in device_ids}
    found = (_entry(row) for row in database.rows("SELECT * FROM lookups ORDER BY lookup_id"))
    return [entry for entry in found if wanted is None or entry.device_id in wanted]


def verify(database: Database, noted: Head | None = None) -> Head:
    """Look at every row; ``noted`` is a head from earlier. Raises LookupAuditBroken with the first wrong row."""
    with database.transaction():
        head = head_of(database)
    at, digest = 0, FIRST
    if noted is not None and noted.number == 0 and noted.digest != FIRST:
        raise LookupAuditBroken(1, "it is not the one that was noted", "与记下的末尾标记不符")
    for row in database.rows("SELECT * FROM lookups ORDER BY lookup_id"):
        if row["lookup_id"] != at + 1 and at:
            raise LookupAuditBroken(at + 1, "it is missing", "该行缺失")
        at, digest = row["lookup_id"], chained(digest, asdict(_entry(row)))
        if row["hash"] is None or not hmac.compare_digest(digest, row["hash"]):
            raise LookupAuditBroken(at, "it was changed", "该行被改动")
        if noted is not None and noted.number == at and not hmac.compare_digest(digest, noted.digest):
            raise LookupAuditBroken(at, "it is not the one that was noted", "与记下的末尾标记不符")
    if (head.number, head.digest) != (at, digest):
        raise LookupAuditBroken(min(at, head.number) + 1, "rows were cut off", "后面的行被截掉")
    if noted is not None and noted.number > at:
        raise LookupAuditBroken(at + 1, "rows were cut off since the head was noted", "记下标记后有行被截掉")
    return head


def _keep_head(database: Database, head: Head) -> None:
    database.run(
        "INSERT INTO lookup_head VALUES (1, ?, ?) ON CONFLICT (only_one) DO UPDATE SET "
        "lookup_id = excluded.lookup_id, hash = excluded.hash",
        head.number,
        head.digest,
    )


def _entry(row) -> Entry:
    values = {name: row[name] for name in Entry.__dataclass_fields__}
    return Entry(**{**values, "device_id": values["device_id"].hex()})
