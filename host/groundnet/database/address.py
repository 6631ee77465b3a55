"""How a store is named: the path of a SQLite file, or a URL of PostgreSQL, which never holds a password."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from groundnet.database.store import StoreError
from groundnet.errors import Text

_SCHEMES = ("postgresql", "postgres")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class PostgresUrl:
    """A database of a PostgreSQL server.

    Args:
        text: libpq's own URL, without a password.
        schema: where the tables are; empty: the one that is usual for what the store is for.
    """

    text: str
    schema: str = ""

    def __str__(self) -> str:
        return (
            f"{self.text}{'&' if '?' in self.text else '?'}schema={self.schema}" if self.schema else self.text
        )


Address = Path | PostgresUrl


def beside(address: Address, name: str) -> Address:
    """Where something is kept that belongs to a store: a file or schema of its own, named after it."""
    if isinstance(address, Path):
        return address.with_name(f"{address.name}.{name}")
    return PostgresUrl(address.text, address.schema and f"{address.schema}_{name}")


def address_of(text: str) -> Address:
    """The address that somebody typed: postgresql://[USER@]HOST[:PORT]/DATABASE[?schema=NAME], else a path.

    Other parameters are libpq's (sslmode, passfile, host for a folder with the socket). Raises StoreError.
    """
    scheme, colon, _ = text.partition("://")
    if not colon:
        return Path(text)
    if scheme not in _SCHEMES:
        raise StoreError(
            Text(f"'{scheme}' is no kind of database", f"不支持的数据库类型“{scheme}”"),
            Text(
                "name a file, or postgresql://USER@HOST/DATABASE",
                "请给出文件，或 postgresql://用户@主机/数据库",
            ),
        )
    parts = urlsplit(text)
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    user, _, _ = parts.netloc.rpartition("@")
    if ":" in user or "password" in parameters:
        raise StoreError(
            Text("a password on the command line is seen by others", "命令行中的密码会被他人看到"),
            Text(
                "leave it out and put it into ~/.pgpass, or PGPASSWORD",
                "请从地址中删去，改写入 ~/.pgpass 或 PGPASSWORD",
            ),
        )
    schema = parameters.pop("schema", "")
    if schema and not _SCHEMA.fullmatch(schema):
        raise StoreError(
            Text(f"'{schema}' is no name of a schema", f"“{schema}”不是有效的 schema 名称"),
            Text("use lower-case letters, digits and _", "请用小写字母、数字和下划线"),
        )
    rest = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(parameters), ""))
    return PostgresUrl(rest if "://" in rest else rest.replace("postgresql:", "postgresql://", 1), schema)
