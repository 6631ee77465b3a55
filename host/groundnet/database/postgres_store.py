"""A store in a schema of a PostgreSQL database; see Store.

Writers go one after the other, as they do in a SQLite file: each transaction first takes an advisory lock of its
schema, which PostgreSQL frees when the transaction ends, or its program does. Whatever is read behind the lock is what
the last writer committed (READ COMMITTED looks anew for each statement), so that "the next free number" or "was this
told before?" cannot be answered twice alike. Serializable transactions would do it too, but every caller would have to
begin anew whenever one is refused. Readers wait for nobody.

A connection that is lost is made again at the next use. What only reads, or has not begun to write, is then simply
done again; a transaction that was under way ends with StoreError, because nobody knows how much of it was kept.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from groundnet.database import postgres_sql
from groundnet.database.address import PostgresUrl
from groundnet.database.postgres_values import adapt, rows_by_name
from groundnet.database.store import Kind, Result, StoreError
from groundnet.errors import Text

CONNECT_TIMEOUT_S = 5
PAUSE_S = 0.2  # after a server could not be reached, questions fail at once for so long,
PAUSE_SHARE = 2  # or for so many times what the attempt took: who asks on has time for something else
WAIT_S = 30  # for the other writer
SILENT_TCP_MS = 20_000  # a server that acknowledges nothing for so long is gone

_Answer = TypeVar("_Answer")


class PostgresStore:
    """One connection, made again when it is lost. Use ``open``."""

    def __init__(self, url: PostgresUrl, schema: str) -> None:
        self._url = url
        self._schema = schema
        digest = hashlib.sha256(f"groundnet {schema}".encode()).digest()
        self._lock = int.from_bytes(digest[:8], "big", signed=True)
        self._again_s = float("-inf")
        self._in_transaction = False
        self._connection = self._connected()

    @classmethod
    def open(cls, url: PostgresUrl, kind: Kind, must_exist: bool = False) -> "PostgresStore | None":
        """The store, its tables brought up to date; None when it must exist and does not. Raises StoreError."""
        store = cls(url, url.schema or kind.schema)
        try:
            if must_exist and not store._exists():
                store.close()
                return None
            store._migrate(kind)
        except BaseException:
            store.close()
            raise
        return store

    def execute(self, statement: str, values: Sequence[object] = ()) -> Result:
        text = postgres_sql.statement(statement)
        if self._in_transaction:
            return self._answer(text, values)
        if postgres_sql.reads_only(statement):
            return self._twice(lambda: self._answer(text, values))
        with self.transaction():
            return self._answer(text, values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.executemany(sql.SQL(postgres_sql.statement(statement)), rows)  # pyright: ignore[reportArgumentType]
        except psycopg.Error as error:
            raise self._failed(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self._in_transaction:
            raise RuntimeError("a transaction within a transaction")
        self._twice(lambda: self._say(f"BEGIN; SELECT pg_advisory_xact_lock({self._lock})"))
        self._in_transaction = True
        try:
            yield
            self._say("UPDATE store_state SET changes = changes + 1; COMMIT")
        except BaseException:
            with suppress(StoreError):  # the first one tells more
                self._say("ROLLBACK")
            raise
        finally:
            self._in_transaction = False

    @property
    def in_transaction(self) -> bool:
        return self._in_transaction

    def changes(self) -> int:
        return self._twice(lambda: self._value("SELECT changes FROM store_state"))

    def forget_deleted(self, *tables: str) -> None:
        """The tables are written anew. The server's log, replicas and backups keep old pages until they are reused."""
        for table in tables:
            self._twice(lambda table=table: self._say(f"VACUUM FULL {table}"))

    def close(self) -> None:
        self._connection.close()

    def _exists(self) -> bool:
        """Asked of the catalogue, not by name: a name that was missing a moment ago is missing in a cache, too."""
        found = "SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename = 'store_state'"
        return bool(self._value(found, self._schema))

    def _migrate(self, kind: Kind) -> None:
        if self._exists() and self._seen_steps(kind) == len(kind.steps):
            return
        self._say(f"BEGIN; SELECT pg_advisory_xact_lock({self._lock})")
        try:  # another program may have brought it up to date meanwhile: look again
            seen = self._seen_steps(kind) if self._exists() else self._begin_schema(kind)
            if seen > len(kind.steps):
                raise StoreError(
                    Text(
                        f"{self._url} was made by a newer groundnet",
                        f"{self._url} 由更新版本的 groundnet 创建",
                    ),
                    Text("update groundnet on this computer", "请升级本机的 groundnet"),
                )
            for step in kind.steps[seen:]:
                self._say(postgres_sql.step(step))
            self._say(f"UPDATE store_state SET steps = {len(kind.steps)}, changes = changes + 1; COMMIT")
        except BaseException:
            with suppress(StoreError):
                self._say("ROLLBACK")
            raise

    def _begin_schema(self, kind: Kind) -> int:
        """A schema that somebody made beforehand, because we may not, is taken when it is empty."""
        if self._value("SELECT count(*) FROM pg_tables WHERE schemaname = $1", self._schema):
            raise self._of_another_kind()
        if not self._value("SELECT count(*) FROM pg_namespace WHERE nspname = $1", self._schema):
            self._say(f'CREATE SCHEMA "{self._schema}"')
        self._say(
            "CREATE TABLE store_state (kind TEXT NOT NULL, steps INTEGER NOT NULL, changes BIGINT NOT NULL)"
        )
        self._answer("INSERT INTO store_state VALUES ($1, 0, 0)", (kind.table,))
        return 0

    def _seen_steps(self, kind: Kind) -> int:
        if self._value("SELECT kind FROM store_state") != kind.table:
            raise self._of_another_kind()
        return self._value("SELECT steps FROM store_state")

    def _connected(self) -> psycopg.Connection:
        """A new connection. Raises StoreError, at once while the server was found unreachable just now."""
        began_s = time.monotonic()
        if began_s < self._again_s:
            raise self._unreachable("it was not there a moment ago")
        try:
            connection = psycopg.connect(
                self._url.text,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                tcp_user_timeout=SILENT_TCP_MS,
                application_name="groundnet",
                cursor_factory=psycopg.RawCursor,
                row_factory=rows_by_name,
            )
            connection.execute(self._session(), prepare=False)
        except psycopg.Error as error:
            now_s = time.monotonic()
            self._again_s = now_s + max(PAUSE_S, PAUSE_SHARE * (now_s - began_s))
            raise self._unreachable(_first_line(error)) from error
        adapt(connection.adapters)
        return connection

    def _session(self) -> bytes:
        """Durable commits even where the server's own setting is a faster one; no wait without an end."""
        return b"; ".join(
            (
                f'SET search_path TO "{self._schema}"'.encode(),
                b"SELECT set_config('synchronous_commit', 'on', false) "
                b"WHERE current_setting('synchronous_commit') IN ('off', 'local')",
                b"SET default_transaction_isolation TO 'read committed'",
                f"SET lock_timeout TO '{WAIT_S}s'".encode(),
                b"SET idle_in_transaction_session_timeout TO '60s'",
            )
        )

    def _twice(self, once: Callable[[], _Answer]) -> _Answer:
        """Of what changes nothing: again, on a new connection, where the old one was lost."""
        if not self._connection.closed:
            try:
                return once()
            except StoreError:
                if not self._connection.closed:
                    raise
        self._connection = self._connected()
        return once()

    def _say(self, text: str) -> None:
        try:
            self._connection.execute(sql.SQL(text), prepare=False)  # pyright: ignore[reportArgumentType]
        except psycopg.Error as error:
            raise self._failed(error) from error

    def _answer(self, text: str, values: Sequence[object]) -> psycopg.Cursor:
        try:
            return self._connection.execute(sql.SQL(text), values)  # pyright: ignore[reportArgumentType]
        except psycopg.Error as error:
            raise self._failed(error) from error

    def _value(self, text: str, *values: object) -> Any:
        """The first value of the one row that there is."""
        row = self._answer(text, values).fetchone()
        assert row is not None, text
        return row[0]

    def _failed(self, error: psycopg.Error) -> StoreError:
        if isinstance(error, psycopg.errors.FeatureNotSupported):
            self._connection.close()  # a newer program changed a table: a statement that was prepared before is stale
        return StoreError(
            Text(f"{self._url} failed ({_first_line(error)})", f"{self._url} 出错（{_first_line(error)}）"),
            Text("see the server's log, then try again", "请查看服务器日志，然后重试"),
        )

    def _unreachable(self, why: str) -> StoreError:
        return StoreError(
            Text(f"{self._url} cannot be reached ({why})", f"无法连接 {self._url}（{why}）"),
            Text(
                "start PostgreSQL, or check address and password (~/.pgpass or PGPASSWORD)",
                "请启动 PostgreSQL，或检查地址和密码（~/.pgpass 或 PGPASSWORD）",
            ),
        )

    def _of_another_kind(self) -> StoreError:
        return StoreError(
            Text(
                f"schema {self._schema} of {self._url} is of another kind",
                f"{self._url} 的 schema {self._schema} 属于另一种数据库",
            ),
            Text("name one with ?schema=NAME", "请用 ?schema=名称 指定"),
        )


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
