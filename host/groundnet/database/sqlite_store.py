"""A store in a SQLite file: WAL, synchronous=FULL, writers one after the other."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from groundnet.database.store import Kind, StoreError
from groundnet.errors import Text
from groundnet.sqlite_file import open_file


class SqliteStore:
    """See Store. The file is made when it is missing, readable by its owner alone. Raises StoreError."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self._path = path
        self._connection = open_file(path, kind.steps, kind.table)
        if kind.secure_delete:
            self.execute("PRAGMA secure_delete=ON")  # what is forgotten leaves no copy in free pages
            path.chmod(0o600)  # also when somebody copied it with other permissions

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")  # within: a commit that a full disk refuses is rolled back, too
        except BaseException:
            if self._connection.in_transaction:  # some failures, such as a full disk, have ended it already
                self._connection.execute("ROLLBACK")
            raise

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def changes(self) -> int:
        return self.execute("PRAGMA data_version").fetchone()[0]

    def forget_deleted(self, *tables: str) -> None:
        """The whole file is written anew, and the log emptied."""
        self.execute("VACUUM")
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()

    def _failed(self, error: sqlite3.Error) -> StoreError:
        return StoreError(
            Text(f"{self._path} failed ({error})", f"{self._path} 出错（{error}）"),
            Text(
                "see that its disk has room and works, then try again",
                "请检查磁盘空间和磁盘状态，然后重试",
            ),
        )
