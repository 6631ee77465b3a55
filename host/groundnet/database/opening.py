"""Open a store by its address, whichever engine that names."""

from pathlib import Path

from groundnet.database.address import Address
from groundnet.database.sqlite_store import SqliteStore
from groundnet.database.store import Kind, Store, StoreError
from groundnet.errors import Text


def open_store(address: Address, kind: Kind, must_exist: bool = False) -> Store | None:
    """The store, made when it is missing, its tables brought up to date; None when it must exist and does not.

    Raises StoreError.
    """
    if isinstance(address, Path):
        return None if must_exist and not address.exists() else SqliteStore(address, kind)
    try:
        from groundnet.database.postgres_store import PostgresStore
    except ImportError as error:  # an extra: most points and small counties do without a server
        raise StoreError(
            Text(
                f"PostgreSQL cannot be reached without psycopg ({error})",
                f"缺少 psycopg，无法连接 PostgreSQL（{error}）",
            ),
            Text(
                "install it: pip install 'groundnet[postgres]'", "请安装：pip install 'groundnet[postgres]'"
            ),
        ) from error
    return PostgresStore.open(address, kind, must_exist)
