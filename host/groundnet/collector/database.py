"""The collector's store: one connection, with short names for what is done on it."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from groundnet.collector.schema import STEPS
from groundnet.database.address import Address
from groundnet.database.opening import open_store
from groundnet.database.store import Kind, Row, StoreError
from groundnet.errors import Text

KIND = Kind("stations", STEPS, "groundnet_collector")


class Database:
    """The collector's database, made when it is missing.

    Several processes may have the same one open: collectors write, `track` and `case` look and order.
    Raises StoreError when it cannot be opened, or when it must exist and does not; whatever is called, when it fails.
    """

    def __init__(self, address: Address, must_exist: bool = False) -> None:
        store = open_store(address, KIND, must_exist)
        if store is None:
            raise StoreError(
                Text(f"there is no database {address}", f"没有数据库 {address}"),
                Text(
                    "start `groundnet collect` or name it with --database",
                    "请启动 `groundnet collect`，或用 --database 指定",
                ),
            )
        self._store = store

    def close(self) -> None:
        self._store.close()

    def rows(self, statement: str, *values: object) -> list[Row]:
        """All rows of a query."""
        return self._store.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> Row | None:
        """The first row of a query, or None."""
        return self._store.execute(statement, values).fetchone()

    def run(self, statement: str, *values: object) -> int:
        """Run one statement; returns the number of rows it changed."""
        return self._store.execute(statement, values).rowcount

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """The same statement for each row of values; call it inside a transaction."""
        self._store.execute_many(statement, rows)

    def changes(self) -> int:
        """A number that is another one once another program has written something."""
        return self._store.changes()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; on disk when the block ends. One writer at a time."""
        return self._store.transaction()
