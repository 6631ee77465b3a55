"""What the store holds of the newest beacon of each of some devices."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TypeVar

from groundnet.collector.database import Database
from groundnet.database.store import Row

CHUNK = 500  # values in one statement

_Value = TypeVar("_Value")


class Newest(NamedTuple):
    """A device's newest beacon: when it was sent, when it came in (Unix ms)."""

    counter: int
    time_ms: int
    received_ms: int


def newest_of(database: Database, device_ids: Iterable[bytes]) -> dict[bytes, Newest]:
    """By device; who was never heard is left out."""
    statement = "SELECT device_id, counter, time_ms, received_ms FROM epochs WHERE device_id IN ({})"
    return {
        bytes(row[0]): Newest(row[1], row[2], row[3]) for row in in_chunks(database, statement, device_ids)
    }


def in_chunks(database: Database, statement: str, values: Iterable[object]) -> Iterator[Row]:
    """The rows of a query for many values, which stand in its ``{}``."""
    for chunk in chunked(values, CHUNK):
        yield from database.rows(statement.format(",".join("?" * len(chunk))), *chunk)


def chunked(values: Iterable[_Value], size: int) -> Iterator[list[_Value]]:
    """Lists of at most ``size``."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk
