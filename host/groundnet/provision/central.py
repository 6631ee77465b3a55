"""A central registry: takes what install points hand over, each operation once, and keeps every one.

One SQLite file. A point is known by its token and can only speak for itself. A record that was taken is never changed:
the same operation with the same values is known, with others it is refused. What a device is now is the record with
the latest hand-over, in whatever order they came.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from groundnet.errors import GroundnetError, Text
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.uplink import RECORDS_PATH
from groundnet.sqlite_file import open_file, transaction

MOST_BYTES = 1 << 20
MOST_RECORDS = 500
_SHORTEST_TOKEN = 16
_STEPS = (
    """CREATE TABLE handed_over (
        point       TEXT NOT NULL,
        operation   TEXT NOT NULL,
        device_id   BLOB NOT NULL CHECK (length(device_id) = 8),
        tag_id      TEXT NOT NULL,
        handed_over_ms INTEGER NOT NULL,
        record      TEXT NOT NULL,
        PRIMARY KEY (point, operation))""",
    "CREATE INDEX handed_over_device ON handed_over (device_id, handed_over_ms)",
)
_TEXT = {"tag_id": r"GN-[0-9A-Z]{5}", "device_id": r"[0-9a-f]{16}", "operation": r"[0-9a-f]{8,64}",
         "role": r"[a-z_]{1,16}", "board": r"[\w-]{1,40}", "profile": r"[a-z_]{1,16}"}  # fmt: skip
_OWNER = ("subject", "owner_phone", "consent")
_LONGEST_OWNER = 40


class TokensError(GroundnetError):
    """The file of tokens cannot be used."""


class Malformed(ValueError):
    """A message or a record of another form."""


class CentralStore:
    """The central registry's file; belongs to the thread that opened it. Raises StoreError."""

    def __init__(self, path: Path) -> None:
        self._database = open_file(path, _STEPS, "handed_over")

    def close(self) -> None:
        self._database.close()

    def take(self, point: str, records: list) -> dict[str, object]:
        """Keep what is new; on disk when this returns. What is refused says why, by operation."""
        accepted, known, refused = [], [], {}
        with transaction(self._database):
            for record in records:
                try:
                    said = _canonical(record)
                except Malformed as error:
                    refused[_named(record)] = str(error)
                    continue
                held = self._held(point, record["operation"])
                if held is None:
                    self._insert(point, record, said)
                    accepted.append(record["operation"])
                elif held == said:
                    known.append(record["operation"])
                else:
                    refused[record["operation"]] = "this operation is known with other values"
        return {"accepted": accepted, "known": known, "refused": refused}

    def operations(self) -> list[tuple[str, str]]:
        """(point, operation) of every record, as they came."""
        rows = self._database.execute("SELECT point, operation FROM handed_over ORDER BY rowid")
        return [(row["point"], row["operation"]) for row in rows]

    def devices(self) -> Iterator[dict]:
        """What each device is now: its latest hand-over at any point, with ``point``; in the order of tag ids."""
        rows = self._database.execute(
            """SELECT point, record, max(handed_over_ms) FROM handed_over GROUP BY device_id ORDER BY tag_id, point"""
        )
        return ({"point": row["point"], **json.loads(row["record"])} for row in rows)

    def _held(self, point: str, operation: str) -> str | None:
        row = self._database.execute(
            "SELECT record FROM handed_over WHERE point = ? AND operation = ?", (point, operation)
        ).fetchone()
        return row["record"] if row else None

    def _insert(self, point: str, record: dict, said: str) -> None:
        self._database.execute(
            "INSERT INTO handed_over VALUES (?, ?, ?, ?, ?, ?)",
            (
                point,
                record["operation"],
                bytes.fromhex(record["device_id"]),
                record["tag_id"],
                record["handed_over_ms"],
                said,
            ),
        )


class Tokens:
    """Which token is whose; only their hashes stay in memory."""

    def __init__(self, points: Mapping[str, str]) -> None:
        self._points = {_digest(token): point for point, token in points.items()}

    @classmethod
    def read(cls, path: Path) -> "Tokens":
        """A file with `POINT TOKEN` on each line. Raises TokensError, OSError."""
        points: dict[str, str] = {}
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            parts = line.split()
            if not parts or parts[0].startswith("#"):
                continue
            if len(parts) != 2 or len(parts[1]) < _SHORTEST_TOKEN or parts[0] in points:
                raise TokensError(
                    Text(f"line {number} of {path} is no point with its token",
                         f"{path} 第 {number} 行不是安装点和令牌"),
                    Text(f"write POINT and a token of {_SHORTEST_TOKEN} or more characters",
                         f"请写：安装点 令牌（至少 {_SHORTEST_TOKEN} 个字符）"),
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


def app_of(store: CentralStore, tokens: Tokens) -> Starlette:
    """The service. Everything runs in the event loop's own thread, one transaction after the other."""

    async def take(request: Request) -> Response:
        point = tokens.point_of(request.headers.get("authorization", ""))
        if point is None:
            return JSONResponse({"error": "unknown token"}, 401, {"www-authenticate": "Bearer"})
        try:
            records = _records(await _body(request))
        except TooLarge:
            return JSONResponse({"error": "too large"}, 413)
        except Malformed as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(store.take(point, records))

    return Starlette(routes=[Route(RECORDS_PATH, take, methods=["POST"])])


class TooLarge(Exception):
    """A message with more bytes or records than are taken at once."""


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLarge
    return body


def _records(body: bytes) -> list:
    try:
        records = json.loads(body)["records"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("no records") from None
    if not isinstance(records, list):
        raise Malformed("no records")
    if len(records) > MOST_RECORDS:
        raise TooLarge
    return records


def _canonical(record: object) -> str:
    """The one text of a record that has the right form. Raises Malformed."""
    if not isinstance(record, dict) or set(record) - set(_OWNER) != {*_TEXT, "handed_over_ms"}:
        raise Malformed("a record has other fields")
    for name, form in _TEXT.items():
        if not isinstance(record[name], str) or not re.fullmatch(form, record[name], re.ASCII):
            raise Malformed(f"{name} has another form")
    for name in _OWNER:
        value = record.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= _LONGEST_OWNER):
            raise Malformed(f"{name} has another form")
    time_ms = record["handed_over_ms"]
    if type(time_ms) is not int or not 0 <= time_ms < 1 << 48:
        raise Malformed("handed_over_ms has another form")
    if not _checks(record["tag_id"]):
        raise Malformed("tag_id has a wrong check character")
    return json.dumps(record, sort_keys=True, ensure_ascii=False)


def _checks(tag_id: str) -> bool:
    try:
        return tag_ids.parse(tag_id) == tag_id
    except tag_ids.TagIdError:
        return False


def _named(record: object) -> str:
    return str(record.get("operation", ""))[:64] if isinstance(record, dict) else ""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
