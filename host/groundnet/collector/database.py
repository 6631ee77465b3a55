"""One SQLite file, opened the careful way: what a commit acknowledged is on the disk."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundnet.collector.schema import STEPS
from groundnet.errors import GroundnetError


class DatabaseError(GroundnetError):
    """The database cannot be opened, or was made by a newer groundnet."""


class Database:
    """Connection with WAL, synchronous=FULL and the schema brought up to date.

    Several processes may have the same file open: the collector writes, `track` and `case` look and order.
    """

    def __init__(self, path: Path, must_exist: bool = False) -> None:
        if must_exist and not path.exists():
            raise DatabaseError(
                f"there is no database {path}", "start `groundnet collect` or name it with --database"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._migrate(path)
        except (OSError, sqlite3.Error) as error:
            raise DatabaseError(
                f"the database {path} cannot be opened ({error})", "name it with --database"
            ) from error

    def close(self) -> None:
        self._connection.close()

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        return self._connection.execute(statement, values).fetchone()

    def run(self, statement: str, *values: object) -> int:
        """Run one statement; returns the number of rows it changed."""
        return self._connection.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on disk when the block ends."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _migrate(self, path: Path) -> None:
        done = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if done > len(STEPS):
            raise DatabaseError(f"{path} was made by a newer groundnet", "update groundnet on this computer")
        if done == len(STEPS):
            return
        with self.transaction():
            for step in STEPS[done:]:
                self._connection.execute(step)
            self._connection.execute(f"PRAGMA user_version = {len(STEPS)}")
