"""The collector's file: one connection, with short names for what is done on it."""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from groundnet.collector.schema import STEPS
from groundnet.sqlite_file import StoreError, open_file, transaction


class Database:
    """The collector's database, made when it is missing.

    Several processes may have the same file open: the collector writes, `track` and `case` look and order.
    Raises StoreError when it cannot be opened, or when it must exist and does not.
    """

    def __init__(self, path: Path, must_exist: bool = False) -> None:
        if must_exist and not path.exists():
            raise StoreError(
                f"there is no database {path}", "start `groundnet collect` or name it with --database"
            )
        self._connection = open_file(path, STEPS, "stations")

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

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; on disk when the block ends."""
        return transaction(self._connection)
