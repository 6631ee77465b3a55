"""How far each LMS key of this user has come: the second record that a key file is held against.

A key file that was copied back from a backup would sign with leaves that are used already, and two signatures by one
leaf give a forger what he needs. So the next leaf is also kept here, outside of the key file, by the key's
identifier; a file that is behind is refused. The file is a database because its transaction is the lock as well:
of all processes of the user, one reserves a leaf at a time, also when they hold different copies of the key file.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_state_path

from groundnet.errors import GroundnetError
from groundnet.sqlite_file import open_file, transaction

_SCHEMA = (
    "CREATE TABLE lms_mark (identifier TEXT PRIMARY KEY, next_leaf INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)


class Marks:
    """The marks while this process alone may change them. Made by ``locked``."""

    def __init__(self, rows: sqlite3.Connection) -> None:
        self._rows = rows

    def next_leaf(self, identifier: bytes) -> int | None:
        """The least leaf that may still sign; None for a key that was never used on this computer."""
        row = self._rows.execute(
            "SELECT next_leaf FROM lms_mark WHERE identifier = ?", (identifier.hex(),)
        ).fetchone()
        return None if row is None else row["next_leaf"]

    def raise_to(self, identifier: bytes, next_leaf: int) -> None:
        """On disk when the lock ends. A mark never goes down."""
        self._rows.execute(
            "INSERT INTO lms_mark VALUES (?, ?) ON CONFLICT (identifier)"
            " DO UPDATE SET next_leaf = max(next_leaf, excluded.next_leaf)",
            (identifier.hex(), next_leaf),
        )


def path() -> Path:
    """The user's file of marks."""
    return user_state_path("groundnet") / "lms_marks.db"


@contextmanager
def locked() -> Iterator[Marks]:
    """The marks for one step of one process; the step is on disk when the block ends.

    Raises StoreError for a file that is none, GroundnetError when another process holds it for half a minute.
    """
    rows = open_file(path(), _SCHEMA, "lms_mark")
    try:
        with transaction(rows):
            yield Marks(rows)
    except sqlite3.Error as error:
        raise GroundnetError(
            f"{path()} cannot be written ({error})", "free the disk or end the other program, then repeat"
        ) from error
    finally:
        rows.close()
