"""The rows of a registry's devices as records; what is sealed in them is opened where somebody has the key."""

import json
from collections.abc import Iterator
from typing import Protocol

from groundnet.database.store import Row, Store
from groundnet.provision import plate as plates
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.record import Record, RegistryError, Secret
from groundnet.provision.vault import Vault, VaultLocked

WALKED_AT_ONCE = 5_000


class _Registry(Protocol):
    @property
    def database(self) -> Store: ...
    @property
    def vault(self) -> Vault | None: ...
    @property
    def locked(self) -> bool: ...


def select(registry: _Registry, clause: str, *values: object) -> Iterator[Record]:
    """Records of the rows that an SQL clause leaves, in its order."""
    rows = registry.database.execute(f"SELECT * FROM devices {clause}", values).fetchall()
    return (_record(registry, row) for row in rows)


def walk(registry: _Registry) -> Iterator[Record]:
    """Every device, in the order of their ids; never many at once in memory."""
    last = b""
    while True:
        found = list(select(registry, "WHERE device_id > ? ORDER BY device_id LIMIT ?", last, WALKED_AT_ONCE))
        yield from found
        if len(found) < WALKED_AT_ONCE:
            return
        last = found[-1].device_id


def find(registry: _Registry, query: str) -> list[Record]:
    """See Registry.find."""
    tried = query.strip()
    matches = list(select(registry, "WHERE tag_id = ? OR device_id = ?", tried.upper(), _unhexed(tried)))
    if not matches and any(character.isalnum() for character in tried):
        matches = _by_plate(registry, plates.normalise(tried))
    if not matches:
        matches = list(select(registry, "WHERE tag_id = ?", _spelled(tried)))
    if not matches and registry.locked:
        raise VaultLocked  # it may be a plate
    if not matches:
        raise RegistryError(f"no device is known as '{query}'", "give its tag id, plate or device id")
    return matches


def opened(registry: _Registry, label: str, value: bytes, row: Row) -> bytes:
    """A value of a row that may be sealed. Raises VaultLocked, VaultDamaged."""
    if not row["sealed"]:
        return value
    if registry.vault is None:
        raise VaultLocked
    return registry.vault.open(label, value, row["tag_id"])


def keep_owner(
    registry: _Registry,
    device_id: bytes,
    tag_id: str,
    plate: str | None,
    phone: str | None,
    consent: str | None,
) -> None:
    """What leads to a person, in place of what was there; within a transaction. Raises VaultLocked."""
    vault = registry.vault
    plain = (plate, phone, consent) if vault is None else (None, None, None)
    sealed = key = None
    if vault is not None and (plate or phone or consent):
        said = json.dumps({"plate": plate, "owner_phone": phone, "consent": consent}).encode()
        sealed = vault.seal("owner", said, tag_id)
        key = vault.mac("plate", plate.encode()) if plate else None
    registry.database.execute(
        """UPDATE devices SET plate = ?, owner_phone = ?, consent = ?, owner = ?, plate_key = ?
            WHERE device_id = ?""",
        (*plain, sealed, key, device_id),
    )


def end_owners_own(registry: _Registry, device_id: bytes) -> None:
    """Token and alerts of somebody who is not the owner any more, or wants to be forgotten."""
    for table in ("owner_tokens", "alert_rules"):
        registry.database.execute(f"DELETE FROM {table} WHERE device_id = ?", (device_id,))


def _by_plate(registry: _Registry, plate: str) -> list[Record]:
    matches = list(select(registry, "WHERE plate = ? ORDER BY changed_ms DESC", plate))
    if not matches and registry.vault is not None and not registry.locked:
        key = registry.vault.mac("plate", plate.encode())
        matches = list(select(registry, "WHERE plate_key = ? ORDER BY changed_ms DESC", key))
    return matches


def _record(registry: _Registry, row: Row) -> Record:
    owner = {name: row[name] for name in ("plate", "owner_phone", "consent")}
    if row["owner"] is not None and not registry.locked:
        owner = json.loads(opened(registry, "owner", row["owner"], row))
    return Record(
        device_id=row["device_id"],
        tag_id=row["tag_id"],
        role=row["role"],
        board=row["board"],
        profile=row["profile"],
        plate=owner["plate"],
        owner_phone=owner["owner_phone"],
        state=row["state"],
        operation=row["operation"],
        changed_ms=row["changed_ms"],
        secret=Secret(lambda: opened(registry, "secret", row["secret"], row)),
        consent=owner["consent"],
        sealed=bool(row["sealed"]),
    )


def _unhexed(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _spelled(text: str) -> str:
    try:
        return tag_ids.parse(text)
    except tag_ids.TagIdError:
        return text
