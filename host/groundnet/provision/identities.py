"""Where a registry takes its next identity from: its own numbers, or the blocks that were issued to its point."""

from typing import Protocol

from groundnet.database.store import Row, Store
from groundnet.errors import Text
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.record import RegistryError, Secret

_FREE = """number NOT IN (SELECT number FROM devices)
    AND block_id IN (SELECT block_id FROM blocks WHERE direction = 'loaded')"""


class _Registry(Protocol):
    @property
    def database(self) -> Store: ...
    def opened(self, label: str, value: bytes, row: Row) -> bytes: ...


def take(registry: _Registry, own_secret: Secret) -> tuple[int, bytes]:
    """Number and secret of the next device, in the transaction that keeps it.

    Raises RegistryError when none is left, VaultLocked.
    """
    if not makes_own(registry):
        return _from_block(registry)
    number = next_number(registry)
    if number > tag_ids.LARGEST:
        raise RegistryError("every tag id of this registry is given away", "begin a new registry")
    return number, own_secret.reveal()


def makes_own(registry: _Registry) -> bool:
    """Whether identities are made here; a point that was set up takes them from blocks."""
    row = registry.database.execute("SELECT own_ids FROM point").fetchone()
    return row is None or bool(row["own_ids"])


def free(registry: _Registry) -> int | None:
    """How many are left of the blocks of this point; None where the registry makes its own."""
    if makes_own(registry):
        return None
    return registry.database.execute(f"SELECT count(*) FROM identities WHERE {_FREE}").fetchone()[0]


def next_number(registry: _Registry) -> int:
    """The first number that is neither a device's nor of a block."""
    highest = registry.database.execute(
        "SELECT max(last) FROM (SELECT max(number) AS last FROM devices "
        "UNION ALL SELECT max(first + count - 1) FROM blocks) AS known"
    ).fetchone()[0]
    return 1 if highest is None else highest + 1


def secret_of(registry: _Registry, tag_id: str) -> Secret | None:
    """The secret of an identity that was issued or loaded in a block, None for any other."""
    row = registry.database.execute("SELECT * FROM identities WHERE tag_id = ?", (tag_id,)).fetchone()
    return row and Secret(lambda: registry.opened("secret", row["secret"], row))


def _from_block(registry: _Registry) -> tuple[int, bytes]:
    row = registry.database.execute(
        f"SELECT * FROM identities WHERE {_FREE} ORDER BY number LIMIT 1"
    ).fetchone()
    if row is None:
        raise RegistryError(
            Text("this point has no free identity left", "本安装点的编号已用完"),
            Text("load the next block with `provision load`", "请用 `provision load` 装入新的号段"),
        )
    return row["number"], registry.opened("secret", row["secret"], row)
