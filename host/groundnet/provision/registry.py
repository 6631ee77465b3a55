"""The registry of an install point: which device holds which identity, in a SQLite file or on PostgreSQL.

A row moves reserved -> writing -> verified -> handed_over -> synced, or to undone; each step is on disk together with
its row of the audit before the next one begins, so that a crash is completed by asking the device. An engineer's
registry keeps secrets in a file that its owner alone can read; an install point's
(see `point`) seals them and what leads to a person under a vault. A `Secret` shows nothing when printed.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from groundnet.database.address import Address
from groundnet.database.opening import open_store
from groundnet.database.store import Kind, Row
from groundnet.errors import Text
from groundnet.provision import device_rows, identities, revisions
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.audit import Audit
from groundnet.provision.record import BOUND, Record, RegistryError, Secret
from groundnet.provision.schema import STEPS
from groundnet.provision.vault import Vault

__all__ = ("BOUND", "KEPT_SETTINGS", "Record", "Registry", "RegistryError", "Secret")

KIND = Kind("devices", STEPS, "groundnet_registry", secure_delete=True)
KEPT_SETTINGS = frozenset(("region", "parked_interval_s", "heartbeat_s"))


class Registry:
    """The open registry; made when it is missing, unless it must exist.

    ``who`` is named in the audit. Raises StoreError when it cannot be opened or belongs to a newer version;
    whatever is called, when the store fails.
    """

    def __init__(self, address: Address, must_exist: bool = False, who: str = "") -> None:
        store = open_store(address, KIND, must_exist)
        if store is None:
            raise RegistryError(
                f"there is no registry {address}", "provision a device first or name it with --registry"
            )
        self.database = store
        self.address = address
        self.who = who
        self._seen: tuple[int, int] | None = None  # version of the store, number in fresh
        self._seen_before: tuple[int, int] | None = None
        self._vault: Vault | None = None

    def close(self) -> None:
        self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; joins the one under way."""
        if self.database.in_transaction:
            yield
            return
        with self.database.transaction():
            yield

    @property
    def vault(self) -> Vault | None:
        """The vault, None for a registry without one."""
        if self._vault is None:
            row = self.database.execute("SELECT vault FROM point").fetchone()
            self._vault = Vault(row["vault"]) if row else None
        return self._vault

    @property
    def point_name(self) -> str:
        """Name of the install point, empty when the file is an engineer's."""
        row = self.database.execute("SELECT name FROM point").fetchone()
        return row["name"] if row else ""

    @property
    def locked(self) -> bool:
        """Whether there are keys that nobody has unlocked."""
        return self.vault is not None and not self.vault.unlocked

    def unlock(self, passphrase: str) -> None:
        """Open secrets and owners to this program; nothing to do without a vault. Raises WrongPassphrase."""
        self._vault = None  # its passphrase may have been changed by another program
        if self.vault is not None:
            self.vault.unlock(passphrase)

    def lock(self) -> None:
        """Forget the keys: from now on what is sealed stays so."""
        if self.vault is not None:
            self.vault.lock()

    def reserve(self, draft: Record, pending: dict | None = None) -> Record:
        """Keep a new device with the next free identity; ``draft.tag_id`` is ignored.

        At a point with blocks the secret comes with the identity, and ``draft.secret`` is ignored, too.
        ``pending`` is what else staff ordered, until it is done. Raises RegistryError, VaultLocked.
        """
        with self.transaction():
            number, secret = identities.take(self, draft.secret)
            tag_id = tag_ids.make(number)
            vault = self.vault
            self.database.execute(
                """INSERT INTO devices (device_id, number, tag_id, role, board, profile, sealed, secret, state,
                    operation, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'reserved', ?, ?)""",
                (
                    draft.device_id,
                    number,
                    tag_id,
                    draft.role,
                    draft.board,
                    draft.profile,
                    vault is not None,
                    vault.seal("secret", secret, tag_id) if vault else secret,
                    draft.operation,
                    draft.changed_ms,
                ),
            )
            device_rows.keep_owner(
                self, draft.device_id, tag_id, draft.plate, draft.owner_phone, draft.consent
            )
            self._keep_pending(draft.device_id, tag_id, pending)
            self.tell_of(draft.device_id)
            Audit(self).append(draft.changed_ms, "reserve", tag_id=tag_id, operation=draft.operation)
        return self._held(draft.device_id)

    def amend(
        self,
        device_id: bytes,
        profile: str,
        plate: str | None,
        owner_phone: str | None,
        consent: str | None = None,
        pending: dict | None = None,
    ) -> Record:
        """Change what staff decided for a device that is not bound yet."""
        record = self._held(device_id)
        if record.state in BOUND:
            return record
        with self.transaction():
            self.database.execute(
                """UPDATE devices SET profile = ?, state = CASE state WHEN 'undone' THEN 'reserved' ELSE state END
                    WHERE device_id = ?""",
                (profile, device_id),
            )
            device_rows.keep_owner(self, device_id, record.tag_id, plate, owner_phone, consent)
            self._keep_pending(device_id, record.tag_id, pending)
            revisions.changed(self.database, device_id)
        return self._held(device_id)

    def advance(
        self,
        device_id: bytes,
        state: str,
        operation: str,
        now_ms: int,
        firmware: str = "",
        action: str = "",
        person: str = "",
    ) -> Record:
        """Move a device to its next state; on disk, and in the audit as ``action``, when this returns."""
        record = self._held(device_id)
        with self.transaction():
            self.database.execute(
                "UPDATE devices SET state = ?, operation = ?, changed_ms = ? WHERE device_id = ?",
                (state, operation, now_ms, device_id),
            )
            if state in BOUND or state == "undone":
                self._keep_pending(device_id, record.tag_id, None)
            if state == "handed_over":
                revisions.bound(self.database, device_id, now_ms)
            elif state != "synced":
                revisions.changed(self.database, device_id, now_ms)
            if state == "undone":  # nobody's any more
                device_rows.keep_owner(self, device_id, record.tag_id, None, None, None)
                device_rows.end_owners_own(self, device_id)
                self.database.execute("DELETE FROM device_settings WHERE device_id = ?", (device_id,))
            Audit(self).append(
                now_ms,
                action or state,
                tag_id=record.tag_id,
                operation=operation,
                firmware=firmware,
                person=person,
            )
        return self._held(device_id)

    def forget_owner(self, device_id: bytes, now_ms: int) -> Record:
        """Delete plate, phone and consent for good; identity and audit stay. Raises RegistryError while it is bound."""
        record = self._held(device_id)
        if record.state not in BOUND and record.state != "undone":
            raise RegistryError(
                Text(f"{record.tag_id} is being provisioned", f"{record.tag_id} 正在写入"),
                Text("finish or undo it first", "请先完成或撤销"),
            )
        with self.transaction():
            self.database.execute(
                """UPDATE devices SET plate = NULL, owner_phone = NULL, consent = NULL, owner = NULL,
                    plate_key = NULL, pending = NULL WHERE device_id = ?""",
                (device_id,),
            )
            device_rows.end_owners_own(self, device_id)
            revisions.forgotten(self.database, device_id, now_ms)
            Audit(self).append(now_ms, "forget", tag_id=record.tag_id)
        self.forget_old_pages()
        return self._held(device_id)

    def forget_old_pages(self) -> None:
        """What was overwritten or deleted is in no file of the registry any more; see Store.forget_deleted."""
        self.database.forget_deleted("devices")

    def pending(self, device_id: bytes) -> dict | None:
        """What else was ordered for a device whose operation did not end. Raises VaultLocked."""
        row = self.database.execute(
            "SELECT tag_id, sealed, pending FROM devices WHERE device_id = ?", (device_id,)
        ).fetchone()
        if row is None or row["pending"] is None:
            return None
        return json.loads(self.opened("order", row["pending"], row))

    def keep_settings(self, device_id: bytes, settings: dict[str, str]) -> None:
        """Remember what was written to a device, as far as it is of KEPT_SETTINGS."""
        with self.transaction():
            for name in sorted(KEPT_SETTINGS & settings.keys()):
                self.database.execute(
                    "INSERT INTO device_settings VALUES (?, ?, ?) "
                    "ON CONFLICT (device_id, name) DO UPDATE SET value = excluded.value",
                    (device_id, name, settings[name]),
                )
                revisions.changed(self.database, device_id)

    def settings_of(self, device_id: bytes) -> dict[str, str]:
        """What this registry wrote of KEPT_SETTINGS; what is not there was left as the firmware has it."""
        rows = self.database.execute(
            "SELECT name, value FROM device_settings WHERE device_id = ?", (device_id,)
        )
        return {row["name"]: row["value"] for row in rows}

    def by_device(self, device_id: bytes) -> Record | None:
        return next(device_rows.select(self, "WHERE device_id = ?", device_id), None)

    def find(self, query: str) -> list[Record]:
        """Devices by tag id, plate or device id (hex): all that are fixed to one vehicle share its plate.

        Raises RegistryError when there is none, VaultLocked when plates are sealed and it may be one.
        """
        return device_rows.find(self, query)

    def devices(self) -> Iterator[Record]:
        """Every device, in the order of the tag ids."""
        return device_rows.select(self, "ORDER BY number")

    def added(self) -> list[Record]:
        """Devices that are new since the last call, or have another id and so another secret, by any process.

        At the first call they are all new.
        """
        return list(self.newcomers())

    def newcomers(self) -> Iterator[Record]:
        """The same one after the other, for those who need no list of millions; this call is the last call."""
        version = self.database.changes()
        seen = self._seen
        if seen is not None and seen[0] == version:
            return iter(())
        newest = self.database.execute("SELECT max(sequence) FROM fresh").fetchone()[0] or 0
        self._seen_before, self._seen = seen, (version, newest)
        if seen is None:
            return device_rows.walk(self)
        rows = self.database.execute(
            "SELECT DISTINCT device_id FROM fresh WHERE sequence > ? AND sequence <= ?", (seen[1], newest)
        ).fetchall()
        return (self._held(row["device_id"]) for row in rows)

    def size(self) -> int:
        """How many devices there are."""
        return self.database.execute("SELECT count(*) FROM devices").fetchone()[0]

    def tell_again(self) -> None:
        """Whoever was told of what was added could not take it in: the next call of ``added`` has it once more."""
        self._seen = self._seen_before

    def tell_of(self, device_id: bytes) -> None:
        """It is new, or has another secret: collectors learn of it. Within the transaction that does it."""
        self.database.execute("INSERT INTO fresh (device_id) VALUES (?)", (device_id,))

    def _keep_pending(self, device_id: bytes, tag_id: str, pending: dict | None) -> None:
        body = None if pending is None else json.dumps(pending).encode()
        if body is not None and self.vault is not None:
            body = self.vault.seal("order", body, tag_id)
        self.database.execute("UPDATE devices SET pending = ? WHERE device_id = ?", (body, device_id))

    def opened(self, label: str, value: bytes, row: Row) -> bytes:
        """A value of a row that may be sealed. Raises VaultLocked, VaultDamaged."""
        return device_rows.opened(self, label, value, row)

    def _held(self, device_id: bytes) -> Record:
        found = self.by_device(device_id)
        if found is None:
            raise RegistryError(f"device {device_id.hex()} is not in the registry", "provision it first")
        return found
