"""Which token is whose: how a central registry knows the point that speaks to it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from groundnet.errors import GroundnetError, Text

SHORTEST = 16
_LONGEST_NAME = 64


class TokensError(GroundnetError):
    """The file of tokens cannot be used."""


class Tokens:
    """The tokens of all points; only their hashes stay in memory."""

    def __init__(self, points: Mapping[str, str]) -> None:
        self._points = {_digest(token): point for point, token in points.items()}

    @classmethod
    def read(cls, path: Path) -> "Tokens":
        """A file with `POINT TOKEN` on each line: the point's name (it may have spaces) or id. Raises TokensError."""
        points: dict[str, str] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
            parts = line.strip().rsplit(maxsplit=1)
            if not parts or line.lstrip().startswith("#"):
                continue
            if (
                len(parts) != 2
                or len(parts[1]) < SHORTEST
                or parts[0] in points
                or len(parts[0]) > _LONGEST_NAME
            ):
                raise TokensError(
                    Text(f"line {number} of {path} is no point with its token",
                         f"{path} 第 {number} 行不是安装点和令牌"),
                    Text(f"write POINT and a token of {SHORTEST} or more characters",
                         f"请写：安装点 令牌（至少 {SHORTEST} 个字符）"),
                )  # fmt: skip
            points[parts[0]] = parts[1]
        if len(set(points.values())) != len(points) or not points:
            raise TokensError(
                Text(f"{path} has no tokens, or one twice", f"{path} 没有令牌，或有重复"),
                Text("give each point a token of its own", "请给每个安装点各一个令牌"),
            )
        return cls(points)

    def point_of(self, header: str) -> str | None:
        """The point that an Authorization header speaks for; compared by hashes, so time tells nothing."""
        scheme, _, token = header.partition(" ")
        return self._points.get(_digest(token.strip())) if scheme.lower() == "bearer" else None


class TokenFile:
    """The tokens of a file as it is now: who takes out a line shuts out its point at once, without a restart.

    While the file cannot be used nobody comes in. Raises TokensError, OSError when it cannot be used at first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tokens = Tokens.read(path)
        self._seen = self._look()

    def point_of(self, header: str) -> str | None:
        """See Tokens.point_of. Raises TokensError, OSError."""
        now = self._look()
        if now != self._seen:
            self._tokens, self._seen = Tokens.read(self._path), now
        return self._tokens.point_of(header)

    def _look(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
