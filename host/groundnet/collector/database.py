"""The collector's store: one connection, with short names for what is done on it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

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
        self._unit: ExitStack | None = None  # what is written goes into one transaction until it is closed

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
        self._begin_unit()
        return self._store.execute(statement, values).rowcount

    def run_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """The same statement for each row of values; call it inside a transaction."""
        self._store.execute_many(statement, rows)

    def changes(self) -> int:
        """A number that is another one once another program has written something."""
        return self._store.changes()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on disk when the block ends, or the unit of work around it. One writer at a time."""
        self._begin_unit()
        if not self._store.in_transaction:
            with self._store.transaction():
                yield
            return
        self._store.execute("SAVEPOINT inner_part")
        try:
            yield
        except StoreError:
            raise  # the engine failed: the whole is rolled back
        except BaseException:
            self._store.execute("ROLLBACK TO SAVEPOINT inner_part")
            self._store.execute("RELEASE SAVEPOINT inner_part")
            raise
        self._store.execute("RELEASE SAVEPOINT inner_part")

    @contextmanager
    def unit_of_work(self) -> Iterator[None]:
        """One commit for all that is written in this block; it begins with the first write, so thinking locks nobody.

        Not within another one, nor within a transaction.
        """
        with ExitStack() as stack:
            self._unit = stack
            stack.callback(self._end_unit)
            yield

    def _begin_unit(self) -> None:
        if self._unit is not None and not self._store.in_transaction:
            self._unit.enter_context(self._store.transaction())

    def _end_unit(self) -> None:
        self._unit = None
