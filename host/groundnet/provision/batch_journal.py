"""Which row of a batch went to which tag: what a second call goes on from.

It holds no personal data: a row is known by its key (`batch_file.Row.key`). A row is begun before anything is written
to its tag, so that after a crash the same tag gets the same row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from groundnet.database.address import Address
from groundnet.database.opening import open_store
from groundnet.database.store import Kind
from groundnet.database.store import Row as StoredRow
from groundnet.provision.batch_file import Row

_STEPS = (
    """CREATE TABLE batch_rows (
        batch      TEXT NOT NULL,
        key        TEXT NOT NULL,
        device_id  BLOB NOT NULL CHECK (length(device_id) = 8),
        tag_id     TEXT NOT NULL DEFAULT '',
        operation  TEXT NOT NULL DEFAULT '',
        state      TEXT NOT NULL CHECK (state IN ('begun', 'done')),
        changed_ms INTEGER NOT NULL,
        PRIMARY KEY (batch, key), UNIQUE (batch, device_id))""",
)
KIND = Kind("batch_rows", _STEPS, "groundnet_registry_batches")


@dataclass(frozen=True)
class Entry:
    """What became of one row so far; ``state`` is begun or done, ``tag_id`` and ``operation`` are of done ones."""

    key: str
    device_id: bytes
    tag_id: str
    operation: str
    state: str

    @property
    def done(self) -> bool:
        return self.state == "done"


class BatchJournal:
    """The journal of one batch; several threads and processes may each have it open. Raises StoreError."""

    def __init__(self, address: Address, batch: str) -> None:
        self._batch = batch
        store = open_store(address, KIND)
        assert store is not None  # it is made
        self._database = store

    def close(self) -> None:
        self._database.close()

    def entries(self) -> dict[str, Entry]:
        """What is known of the batch's rows, by key."""
        rows = self._database.execute("SELECT * FROM batch_rows WHERE batch = ?", (self._batch,))
        return {row["key"]: _entry(row) for row in rows}

    def of_device(self, device_id: bytes) -> Entry | None:
        found = self._database.execute(
            "SELECT * FROM batch_rows WHERE batch = ? AND device_id = ?", (self._batch, device_id)
        ).fetchone()
        return _entry(found) if found else None

    def begin(
        self, rows: Sequence[Row], device_id: bytes, fits: Callable[[Row], bool], now_ms: int
    ) -> Row | None:
        """The row for a tag, on disk as begun: the one it had, else the one that names it, else the first that fits.

        None when no row is left for it.
        """
        with self._database.transaction():
            entries = self.entries()
            mine = next((entry.key for entry in entries.values() if entry.device_id == device_id), None)
            if mine is not None:
                return next((row for row in rows if row.key == mine), None)
            free = [row for row in rows if row.key not in entries and fits(row)]
            named = [row for row in free if row.device_id == device_id]
            chosen = next(iter(named or [row for row in free if row.device_id is None]), None)
            if chosen is not None:
                self._database.execute(
                    "INSERT INTO batch_rows (batch, key, device_id, state, changed_ms) VALUES (?, ?, ?, 'begun', ?)",
                    (self._batch, chosen.key, device_id, now_ms),
                )
        return chosen

    def finish(self, key: str, tag_id: str, operation: str, now_ms: int) -> None:
        """The row's tag is handed over."""
        self._database.execute(
            "UPDATE batch_rows SET state = 'done', tag_id = ?, operation = ?, changed_ms = ? "
            "WHERE batch = ? AND key = ?",
            (tag_id, operation, now_ms, self._batch, key),
        )

    def release(self, key: str) -> None:
        """The row is free for another tag; a finished one stays finished."""
        self._database.execute(
            "DELETE FROM batch_rows WHERE batch = ? AND key = ? AND state = 'begun'", (self._batch, key)
        )


def _entry(row: StoredRow) -> Entry:
    return Entry(row["key"], row["device_id"], row["tag_id"], row["operation"], row["state"])
