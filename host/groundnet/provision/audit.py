"""What was done at an install point, by whom, in rows that nobody can change unseen.

The rows are a chain (see groundnet.hash_chain). The head says which row is the last one; where a vault is unlocked it
is keyed, so that rows cannot be cut off either. Rows name a tag and an operation, never a key, a plate or a phone:
forgetting an owner leaves the chain as it is.
"""

import hmac
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Protocol

from groundnet import __version__
from groundnet.database.store import Row, Store
from groundnet.errors import GroundnetError, Text
from groundnet.hash_chain import FIRST, chained
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.vault import Vault

_WORD = re.compile(r"[a-z][a-z0-9_ -]{0,40}")  # lower case and short: no plate, name or key looks like it
_SUPPORT = re.compile(r"(\d{2}-[0-9A-Z]{4})?")
_OPERATION = re.compile(r"[0-9a-z]{0,32}")
_LONGEST_NAME = 64


class AuditBroken(GroundnetError):
    """The audit is not what was written. ``sequence`` is the first row that is wrong."""

    def __init__(self, sequence: int, what: str, what_zh: str) -> None:
        self.sequence = sequence
        super().__init__(
            Text(
                f"the audit is broken at row {sequence}: {what}", f"审计记录第 {sequence} 行有问题：{what_zh}"
            ),
            Text(
                "keep the file as it is and call who answers for the point", "保留原文件，并联系安装点负责人"
            ),
        )


@dataclass(frozen=True)
class Entry:
    """One row."""

    sequence: int
    time_ms: int
    who: str
    person: str  # of the staff, whom it was done to or who approved it
    point: str
    tag_id: str
    operation: str
    action: str
    result: str
    support: str
    versions: str  # JSON object: program -> version


@dataclass(frozen=True)
class Verdict:
    """A whole audit. Up to row ``keyed`` the vault vouches that nothing was cut off; None: it is locked."""

    length: int
    keyed: int | None


class Audited(Protocol):
    """What the audit needs of a registry."""

    who: str

    @property
    def database(self) -> Store: ...
    @property
    def vault(self) -> Vault | None: ...
    @property
    def point_name(self) -> str: ...
    def transaction(self) -> AbstractContextManager[None]: ...


class Audit:
    """The audit of one registry."""

    def __init__(self, registry: Audited) -> None:
        self._registry = registry

    def append(
        self,
        now_ms: int,
        action: str,
        result: str = "done",
        tag_id: str = "",
        operation: str = "",
        who: str | None = None,
        support: str = "",
        firmware: str = "",
        person: str = "",
    ) -> Entry:
        """Add a row, in the transaction under way if there is one.

        Args:
            action, result: words in lower case; anything else is refused, because a plate or a key might be in it.
            who: default: who is signed in at the registry; ``person`` is whom of the staff it is about.
            support: the support code that staff read out.

        Raises ValueError for what does not belong into the audit.
        """
        named = self._registry.who if who is None else who
        _check(action, result, tag_id, operation, support)
        if max(len(named), len(person)) > _LONGEST_NAME:
            raise ValueError(f"a name has at most {_LONGEST_NAME} characters")
        versions = {"groundnet": __version__, **({"firmware": firmware} if firmware else {})}
        with self._registry.transaction():
            sequence, before = self._last()
            entry = Entry(
                sequence + 1,
                now_ms,
                named,
                person,
                self._registry.point_name,
                tag_id,
                operation,
                str(action),
                str(result),
                support,
                json.dumps(versions, sort_keys=True),
            )
            digest = chained(before, asdict(entry))
            self._registry.database.execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*asdict(entry).values(), digest),
            )
            self._keep_head(entry.sequence, digest)
        return entry

    def entries(self, tag_id: str = "") -> Iterator[Entry]:
        """Every row, or those of one tag, oldest first."""
        clause, values = ("WHERE tag_id = ?", (tag_id,)) if tag_id else ("", ())
        rows = self._registry.database.execute(f"SELECT * FROM audit {clause} ORDER BY sequence", values)
        return (_entry(row) for row in rows.fetchall())

    def verify(self) -> Verdict:
        """Look at every row. Raises AuditBroken with the first one that is wrong."""
        database = self._registry.database
        digest, sequence = FIRST, 0
        hashes = {0: digest}
        for row in database.execute("SELECT * FROM audit ORDER BY sequence"):
            if row["sequence"] != sequence + 1:
                raise AuditBroken(sequence + 1, "it is missing", "该行缺失")
            sequence += 1
            digest = chained(digest, asdict(_entry(row)))
            if not hmac.compare_digest(digest, row["hash"]):
                raise AuditBroken(sequence, "it was changed", "该行被改动")
            hashes[sequence] = digest
        return self._check_head(sequence, digest, hashes)

    def _check_head(self, sequence: int, digest: bytes, hashes: dict[int, bytes]) -> Verdict:
        head = self._registry.database.execute("SELECT * FROM audit_head").fetchone()
        if head is None:
            if sequence or self._registry.vault is not None:
                raise AuditBroken(sequence + 1, "the head is missing", "缺少末尾标记")
            return Verdict(0, None)
        if head["sequence"] != sequence or head["hash"] != digest:
            raise AuditBroken(min(sequence, head["sequence"]) + 1, "rows were cut off", "后面的行被截掉")
        vault = self._registry.vault
        if vault is None or not vault.unlocked:
            return Verdict(sequence, None)
        keyed = head["keyed_sequence"]
        if keyed > sequence:
            raise AuditBroken(sequence + 1, "rows were cut off", "后面的行被截掉")
        if not hmac.compare_digest(_keyed(vault, keyed, hashes[keyed]), head["keyed_mac"]):
            raise AuditBroken(keyed, "the keyed head does not vouch for it", "末尾标记与该行不符")
        return Verdict(sequence, keyed)

    def _last(self) -> tuple[int, bytes]:
        head = self._registry.database.execute("SELECT sequence, hash FROM audit_head").fetchone()
        return (head["sequence"], head["hash"]) if head else (0, FIRST)

    def _keep_head(self, sequence: int, digest: bytes) -> None:
        vault = self._registry.vault
        keyed = vault is not None and vault.unlocked
        mac = _keyed(vault, sequence, digest) if vault is not None and keyed else b""
        self._registry.database.execute(
            """INSERT INTO audit_head VALUES (1, ?, ?, ?, ?) ON CONFLICT (only_one) DO UPDATE SET
                sequence = excluded.sequence, hash = excluded.hash"""
            + (", keyed_sequence = excluded.keyed_sequence, keyed_mac = excluded.keyed_mac" if keyed else ""),
            (sequence, digest, sequence if keyed else 0, mac),
        )


def _check(action: str, result: str, tag_id: str, operation: str, support: str) -> None:
    if not _WORD.fullmatch(action) or not _WORD.fullmatch(result):
        raise ValueError("action and result are words in lower case")
    if tag_id and tag_ids.parse(tag_id) != tag_id:
        raise ValueError("a tag is named by its tag id")
    if not _OPERATION.fullmatch(operation) or not _SUPPORT.fullmatch(support):
        raise ValueError("operation or support code has another form")


def _keyed(vault: Vault, sequence: int, digest: bytes) -> bytes:
    return vault.mac("audit", sequence.to_bytes(8, "big") + digest)


def _entry(row: Row) -> Entry:
    return Entry(*(row[name] for name in Entry.__dataclass_fields__))
