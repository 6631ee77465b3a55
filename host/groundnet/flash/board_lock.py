"""Who works on which board: one owner at a time, for a limited time, taken away only on request.

The locks of all programs of a user are rows of one small file. A lock ends when its owner gives it back, when it
runs out, and when the owner's process is gone; a tool that crashed holds nobody up.
"""

import getpass
import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from groundnet.errors import GroundnetError, Text
from groundnet.sqlite_file import open_file, transaction

LEASE_S = 300.0  # longer than the longest single step, the base image at 115200 baud with its retries
_SCHEMA = (
    """CREATE TABLE board_lock (
        board TEXT PRIMARY KEY, owner TEXT NOT NULL, host TEXT NOT NULL, process INTEGER NOT NULL,
        token TEXT NOT NULL, expires_s REAL NOT NULL) STRICT""",
)


class BoardTaken(GroundnetError):
    """Somebody else works on the board."""

    def __init__(self, board: str, owner: str, left_s: float) -> None:
        super().__init__(
            Text(
                f"{owner} works on board {board}, for {left_s:.0f} s more at most",
                f"{owner} 正在操作板 {board}，最多还有 {left_s:.0f} 秒",
            ),
            Text("wait, or take it over with --steal", "请等待，或用 --steal 强制接管"),
        )


class LockLost(GroundnetError):
    """The lock was taken away, or ran out, in the middle of the work."""

    def __init__(self, board: str) -> None:
        super().__init__(
            Text(f"board {board} was taken over by somebody else", f"板 {board} 已被他人接管"),
            Text("agree who works on it, then repeat the command", "确认由谁操作后再运行该命令"),
        )


@dataclass(frozen=True)
class Owner:
    """Who holds a board, and until when (Unix seconds)."""

    name: str
    host: str
    process: int
    expires_s: float


class BoardLocks:
    """The locks of this computer's user.

    Args:
        path: the file that holds them; default: in the user's folder for state.
        clock: Unix time in seconds.

    Not to be shared between threads. Raises StoreError for a file that is none.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._rows = open_file(path or user_state_path("groundnet") / "boards.db", _SCHEMA, "board_lock")

    def close(self) -> None:
        self._rows.close()

    def __enter__(self) -> "BoardLocks":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def take(self, board: str, lease_s: float = LEASE_S, steal: bool = False) -> str:
        """The token of a lock on the board. Raises BoardTaken, unless ``steal``."""
        token = secrets.token_hex(8)
        with transaction(self._rows):
            owner = self.owner(board)
            if owner is not None and not steal:
                raise BoardTaken(board, owner.name, owner.expires_s - self._clock())
            values = (board, _my_name(), socket.gethostname(), os.getpid(), token, self._clock() + lease_s)
            self._rows.execute("INSERT OR REPLACE INTO board_lock VALUES (?, ?, ?, ?, ?, ?)", values)
        return token

    def renew(self, board: str, token: str, lease_s: float = LEASE_S) -> None:
        """Hold it for ``lease_s`` from now. Raises LockLost when somebody else has it."""
        done = self._rows.execute(
            "UPDATE board_lock SET expires_s = ? WHERE board = ? AND token = ?",
            (self._clock() + lease_s, board, token),
        )
        if done.rowcount == 0:
            raise LockLost(board)

    def give_back(self, board: str, token: str) -> None:
        """Free the board; nothing happens when somebody else has it by now."""
        self._rows.execute("DELETE FROM board_lock WHERE board = ? AND token = ?", (board, token))

    def owner(self, board: str) -> Owner | None:
        """Who holds the board now."""
        row = self._rows.execute("SELECT * FROM board_lock WHERE board = ?", (board,)).fetchone()
        if row is None or row["expires_s"] <= self._clock() or _ended(row):
            return None
        return Owner(row["owner"], row["host"], row["process"], row["expires_s"])


def _my_name() -> str:
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # an account without a name, as in a container
        user = "somebody"
    return f"{user}@{socket.gethostname()} (process {os.getpid()})"


def _ended(row: sqlite3.Row) -> bool:
    """Whether the owner's process is certainly gone; a name server of processes is there on Linux only."""
    processes = Path("/proc")
    local = row["host"] == socket.gethostname() and (processes / "self").exists()
    return local and not (processes / str(row["process"])).exists()
