"""The rows of a checked file, given to tags as they are connected: one port or many, interrupted and gone on with.

Before the first write each row is compared with registry and journal, too. A row is begun in the journal before its tag
is written; whatever is unplugged or killed, that tag completes that row, and no row is ever given to two tags.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from groundnet.errors import GroundnetError, Text
from groundnet.link.device import Device
from groundnet.link.errors import NoAnswer, PortGone, PortMissing
from groundnet.link.serial_link import Entropy, SerialLink
from groundnet.provision.batch_file import Problem, Row
from groundnet.provision.batch_journal import BatchJournal, Entry
from groundnet.provision.counter import Tag
from groundnet.provision.operation import provision
from groundnet.provision.refusal import REASONS, reason_of
from groundnet.provision.registry import Record, Registry, RegistryError
from groundnet.provision.subject import NEEDS, order_of
from groundnet.provision.tag_check import BOUND, examine
from groundnet.provision.vault import VaultError

NOTHING_WRITTEN = ("reserved", "undone")
_CUT = (NoAnswer, PortGone, PortMissing)


class NoRowLeft(GroundnetError):
    """A good tag, and no row that it could take."""

    def __init__(self) -> None:
        super().__init__(
            Text("no row of the file is left for this tag", "文件里没有适合这个标签的行了"),
            Text("put it back: it stays new", "放回去，它仍是新的"),
        )


@dataclass(frozen=True)
class Settings:
    """What one run is set to. ``answer_s``: longest wait for one answer of a tag."""

    install_point: str = ""
    answer_s: float = 5.0
    entropy: Entropy = secrets.token_bytes
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Line:
    """One line of the report: a row, or (``line`` 0) a tag that took none.

    ``result`` is done, waiting (for any tag), held (for the tag it was begun with), refused (nothing was written), cut
    (plug it in again) or failed. ``seconds`` are from the tag's first answer to its lock.
    """

    line: int
    subject: str
    result: str
    tag_id: str = ""
    device_id: str = ""
    operation: str = ""
    seconds: float | None = None
    reason: str = ""
    cause: str = ""
    action: str = ""


def compare(rows: Sequence[Row], registry: Registry, journal: BatchJournal, now_ms: int) -> Iterator[Problem]:
    """Settle what an interrupted call left open, and name rows that the registry speaks against. Writes no tag."""
    entries = journal.entries()
    for row in rows:
        entry = entries.get(row.key)
        if entry is not None:
            _settle(entry, row, registry.by_device(entry.device_id), journal, now_ms)
            continue
        for record in _bound(registry, row):
            yield Problem(
                row.line,
                "",
                row.subject,
                Text(f"it is bound already, as {record.tag_id}", f"已经绑定为 {record.tag_id}"),
                Text(
                    "remove the row, or give the second device its role (tag, tracker)",
                    "删掉这一行；第二个设备请注明“设备类型”（标签、定位器）",
                ),
            )


def _bound(registry: Registry, row: Row) -> Iterator[Record]:
    """Devices that the registry has for this row's subject, or its device for another one."""
    try:
        records = registry.find(row.subject)
    except RegistryError:
        records = []
    named = registry.by_device(row.device_id) if row.device_id else None
    for record in [*records, *([named] if named else [])]:
        of_row = record.plate == row.subject and row.role in ("", record.role)
        if record.state not in (*NOTHING_WRITTEN, "writing") and (of_row or record is named):
            yield record
            return


def _settle(entry: Entry, row: Row, record: Record | None, journal: BatchJournal, now_ms: int) -> bool:
    """True when the row was handed over after all; free again when nothing was written to its tag."""
    if entry.done:
        return True
    if record is None or record.state in NOTHING_WRITTEN:
        journal.release(entry.key)
    elif record.state in BOUND and record.plate == row.subject:
        journal.finish(entry.key, record.tag_id, record.operation, now_ms)
        return True
    return False


class Bench:
    """One place where tags of a batch are written, one after the other. Belongs to one thread.

    Args:
        rows: of a file without problems, compared with registry and journal.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        registry: Registry,
        journal: BatchJournal,
        settings: Settings | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = {row.key: row for row in rows}
        self._registry = registry
        self._journal = journal
        self._settings = settings or Settings()
        self._clock_s = clock_s
        self._over: bytes | None = None  # the tag at this place, when there is nothing more to do with it
        self._told: tuple[object, ...] = ()  # what was told last

    def forget(self) -> None:
        """The place is empty: whatever comes is asked and told of again."""
        self._over, self._told = None, ()

    def serve(self, port: str) -> Line | None:
        """Give the tag at a port its row; None when there is nothing new to tell.

        Raises RegistryError, VaultError, StoreError: then nobody should go on.
        """
        device_id: bytes | None = None
        row: Row | None = None
        try:
            with SerialLink(port, self._settings.answer_s, self._settings.entropy) as link:
                device_id = Device(link).identity().device_id
                if device_id == self._over:
                    return None
                began_s = self._clock_s()
                row, record = self._write(link, device_id)
        except (RegistryError, VaultError):
            raise
        except GroundnetError as error:
            if device_id is None and isinstance(error, NoAnswer) and self._over is not None:
                return None  # the tag that was handed over sleeps by now
            return self._once(device_id, self._refusal(device_id, error))
        if record is None:
            self._over = device_id
            return None
        self._journal.finish(row.key, record.tag_id, record.operation, self._settings.now_ms())
        seconds = round(self._clock_s() - began_s, 2)
        done = Line(row.line, row.subject, "done", record.tag_id, device_id.hex(), record.operation, seconds)
        return self._once(device_id, done)

    def _write(self, link: SerialLink, device_id: bytes) -> tuple[Row, Record | None]:
        """The row that the tag has now; no record when it had it before."""
        entry = self._journal.of_device(device_id)
        if entry is not None and entry.key in self._rows:
            row = self._rows[entry.key]
            record = self._registry.by_device(device_id)
            if _settle(entry, row, record, self._journal, self._settings.now_ms()):
                return row, None
        tag = examine(link, self._registry)
        chosen = self._journal.begin(
            list(self._rows.values()), device_id, lambda row: _fits(row, tag), self._settings.now_ms()
        )
        if chosen is None:
            raise NoRowLeft
        order = order_of(chosen.draft, self._settings.install_point, tag.capabilities)
        record = provision(
            link, self._registry, order, entropy=self._settings.entropy, now_ms=self._settings.now_ms
        )
        return chosen, record

    def _refusal(self, device_id: bytes | None, error: GroundnetError) -> Line:
        """What is told of a tag that did not get there; its row is free again if it will never get there."""
        entry = self._journal.of_device(device_id) if device_id else None
        row = self._rows.get(entry.key) if entry else None
        cut = isinstance(error, _CUT)
        if entry is not None and device_id is not None and not cut:
            record = self._registry.by_device(device_id)
            if record is None or record.state in (*NOTHING_WRITTEN, "writing"):
                self._journal.release(entry.key)
        reason = REASONS["cut_off"] if cut and row else reason_of(error)
        no_row = isinstance(error, NoRowLeft)
        return Line(
            row.line if row else 0,
            row.subject if row else "",
            ("cut" if cut else "failed") if row else "refused",
            device_id=device_id.hex() if device_id else "",
            reason="no_row" if no_row else reason.name,
            cause=error.cause if no_row else reason.cause,
            action=error.action if no_row else reason.action,
        )

    def _once(self, device_id: bytes | None, line: Line) -> Line | None:
        """The line, unless it was the last one told here. What may still come about is tried again."""
        if line.result != "cut" and line.reason != "no_row":
            self._over = device_id
        told = (device_id, line.result, line.reason)
        if told == self._told:
            return None
        self._told = told
        return line


def _fits(row: Row, tag: Tag) -> bool:
    """Whether a tag can do what a row asks for."""
    has = set(tag.capabilities)
    return row.role in ("", tag.role) and all(set(any_of) & has for any_of in NEEDS[row.draft.profile])


def report(rows: Sequence[Row], journal: BatchJournal, told: Sequence[Line]) -> list[Line]:
    """One line for each row as things are now, in the file's order; then the tags that took none."""
    entries = journal.entries()
    last = {line.line: line for line in told if line.line}
    lines = []
    for row in rows:
        entry = entries.get(row.key)
        state = "waiting" if entry is None else "done" if entry.done else "held"
        now = last.get(row.line)
        if now is not None and (now.result == "done") == (state == "done"):
            lines.append(now)
            continue
        plain = Line(row.line, row.subject, state)
        if entry is not None:
            plain = replace(
                plain, tag_id=entry.tag_id, device_id=entry.device_id.hex(), operation=entry.operation
            )
        lines.append(plain)
    return lines + [line for line in told if not line.line]
