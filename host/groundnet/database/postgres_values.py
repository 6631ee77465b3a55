"""Values between Python and PostgreSQL, so that both engines take and give the same ones."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from psycopg import Cursor
from psycopg.adapt import AdaptersMap, Buffer, Dumper, Loader
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumperUnknown


class _Truth(Int8Dumper):
    """False and True are 0 and 1, as SQLite keeps them."""

    def dump(self, obj: bool) -> Buffer | None:
        return b"1" if obj else b"0"


class _Words(StrDumperUnknown):
    """PostgreSQL has no NUL in a text, and a device may send one: refused it would be sent again for ever."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _Sum(Loader):
    """The sum of integers is an integer; PostgreSQL calls it numeric."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return float(text) if "." in text or "N" in text else int(text)


def adapt(adapters: AdaptersMap) -> None:
    """Set the conversions of one connection. Every integer is of 8 bytes: one prepared statement serves all sizes."""
    dumpers: tuple[tuple[type, type[Dumper]], ...] = ((int, Int8Dumper), (bool, _Truth), (str, _Words))
    for python, dumper in dumpers:
        adapters.register_dumper(python, dumper)
    adapters.register_loader("numeric", _Sum)


def rows_by_name(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
    """psycopg's row factory: rows like those of sqlite3."""
    return _row_class(tuple(column.name for column in cursor.description or ()))


@lru_cache(maxsize=256)
def _row_class(names: tuple[str, ...]) -> type:
    places = {name: number for number, name in enumerate(names)}

    class NamedRow(tuple):
        """One row: values by name or by number."""

        __slots__ = ()

        def __getitem__(self, key: Any) -> Any:
            return tuple.__getitem__(self, places[key] if isinstance(key, str) else key)

        def keys(self) -> tuple[str, ...]:
            return names

    return NamedRow
