"""SQLite files opened the careful way: what a commit acknowledged is on the disk."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from groundnet.database.store import StoreError

BUSY_TIMEOUT_S = 30.0
_AGAIN_S = 0.01


def open_file(path: Path, steps: Sequence[str], table: str) -> sqlite3.Connection:
    """Open or make a file with WAL and synchronous=FULL, its schema brought up to date.

    Args:
        path: a new file is readable by its owner alone, whatever the umask.
        steps: the statements that make the schema; ``user_version`` counts how many of them a file has seen.
        table: what a file of this kind has and no other kind; a file of another kind is left as it was.

    Several processes may open the same file, also a new one, at once. Raises StoreError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
        try:
            connection.row_factory = sqlite3.Row
            _check_kind(connection, path, table)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=FULL")
            _migrate(connection, path, steps)
        except BaseException:
            connection.close()  # nobody else can: an open one keeps its -wal file
            raise
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"{path} cannot be opened ({error})", "name the right file, or one that does not exist yet"
        ) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; on disk when the block ends."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_kind(connection: sqlite3.Connection, path: Path, table: str) -> None:
    """Empty, or of this kind. One statement, because another process may be making the file right now."""
    used, ours = connection.execute(
        "SELECT count(*), coalesce(sum(type = 'table' AND name = ?), 0) FROM sqlite_master", (table,)
    ).fetchone()
    if used and not ours:
        raise StoreError(
            f"{path} is a file of another kind", "name registry and database each with its own option"
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Another process that does the same to a new file is an error at once, whatever the busy timeout: try again."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(_AGAIN_S)


def _migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str]) -> None:
    if _seen_steps(connection) == len(steps):
        return
    with transaction(connection):  # another process may have brought it up to date meanwhile: look again
        seen = _seen_steps(connection)
        if seen > len(steps):
            raise StoreError(f"{path} was made by a newer groundnet", "update groundnet on this computer")
        for step in steps[seen:]:
            connection.execute(step)
        connection.execute(f"PRAGMA user_version = {len(steps)}")


def _seen_steps(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]
