"""What a store offers, whichever engine is behind it. SQL is written once, in the words that both engines take."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from groundnet.errors import GroundnetError


class StoreError(GroundnetError):
    """A store that cannot be opened, is of another kind or was made by a newer groundnet, or that fails at work.

    What was being written is not kept, or, when a commit was under way, may be: nothing of it was acknowledged.
    """


@dataclass(frozen=True)
class Kind:
    """What a store is for.

    Args:
        table: what a store of this kind has and no other kind.
        steps: the statements that make its tables, oldest first; a store remembers how many it has seen.
        schema: of a PostgreSQL database, when its URL names none.
        secure_delete: whether what is deleted must be overwritten in the file, too.
    """

    table: str
    steps: Sequence[str]
    schema: str
    secure_delete: bool = False


class Row(Protocol):
    """One row of a query: values by name, or by number from 0."""

    def __getitem__(self, key: str | int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def keys(self) -> Iterable[str]: ...


class Result(Protocol):
    """What a statement answered; ``rowcount`` is the number of rows that it changed."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Store(Protocol):
    """One open store, used by one thread. Everything it does raises StoreError when the engine fails.

    Placeholders are ``?``, or ``?1`` where one value stands twice. A statement outside a transaction is one of its
    own.
    """

    def execute(self, statement: str, values: Sequence[object] = ()) -> Result: ...

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """The same statement for each row of values; within a transaction."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and durable when the block ends. One writer at a time, whatever it reads first."""
        ...

    @property
    def in_transaction(self) -> bool: ...

    def changes(self) -> int:
        """A number that is another one once somebody else has committed something."""
        ...

    def forget_deleted(self, *tables: str) -> None:
        """What was overwritten or deleted in these tables is in no file of theirs any more."""
        ...

    def close(self) -> None: ...
