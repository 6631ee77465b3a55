"""The registry of an install point: which device holds which identity, in one SQLite file.

A row moves reserved -> writing -> verified -> locked; each step is on disk (WAL, synchronous=FULL) before the
next one begins, so that a crash is completed by asking the device. Secrets are in the file and nowhere else:
the file is readable by its owner alone, and a `Secret` shows nothing when printed.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from groundnet.errors import GroundnetError
from groundnet.provision import plate as plates
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.schema import STEPS
from groundnet.sqlite_file import open_file, transaction

KEPT_SETTINGS = frozenset(("region", "parked_interval_s", "heartbeat_s"))


class RegistryError(GroundnetError):
    """The registry is not there, is full, or does not hold what was asked for."""


class Secret:
    """32 bytes that are never shown; ``reveal`` is the one way to them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        return self._value

    def __repr__(self) -> str:
        return "<Secret>"


@dataclass(frozen=True)
class Record:
    """One device of the registry."""

    device_id: bytes
    tag_id: str
    role: str
    board: str
    profile: str
    plate: str | None
    owner_phone: str | None
    state: str
    operation: str
    changed_ms: int
    secret: Secret = field(compare=False)


class Registry:
    """The open registry file; made when it is missing, unless it must exist.

    Raises StoreError when the file cannot be opened or belongs to a newer version.
    """

    def __init__(self, path: Path, must_exist: bool = False) -> None:
        if must_exist and not path.exists():
            raise RegistryError(
                f"there is no registry {path}", "provision a device first or name it with --registry"
            )
        self.path = path
        self._seen_version: int | None = None
        self._database = open_file(path, STEPS, "devices")
        path.chmod(0o600)  # also when somebody copied it with other permissions

    def close(self) -> None:
        self._database.close()

    def reserve(self, draft: Record) -> Record:
        """Keep a new device with the next free tag id; ``draft.tag_id`` is ignored. Raises RegistryError."""
        with transaction(self._database):
            highest = self._database.execute("SELECT max(number) FROM devices").fetchone()[0]
            number = 1 if highest is None else highest + 1
            if number > tag_ids.LARGEST:
                raise RegistryError("every tag id of this registry is given away", "begin a new registry")
            self._database.execute(
                "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'reserved', ?, ?)",
                (
                    draft.device_id,
                    number,
                    tag_ids.make(number),
                    draft.role,
                    draft.board,
                    draft.profile,
                    draft.plate,
                    draft.owner_phone,
                    draft.secret.reveal(),
                    draft.operation,
                    draft.changed_ms,
                ),
            )
        return self._held(draft.device_id)

    def amend(self, device_id: bytes, profile: str, plate: str | None, owner_phone: str | None) -> Record:
        """Change what staff decided for a device that is not bound yet."""
        self._database.execute(
            "UPDATE devices SET profile = ?, plate = ?, owner_phone = ? WHERE device_id = ? AND state <> 'locked'",
            (profile, plate, owner_phone, device_id),
        )
        return self._held(device_id)

    def advance(self, device_id: bytes, state: str, operation: str, now_ms: int) -> Record:
        """Move a device to its next state; on disk when this returns."""
        self._database.execute(
            "UPDATE devices SET state = ?, operation = ?, changed_ms = ? WHERE device_id = ?",
            (state, operation, now_ms, device_id),
        )
        return self._held(device_id)

    def keep_settings(self, device_id: bytes, settings: dict[str, str]) -> None:
        """Remember what was written to a device, as far as it is of KEPT_SETTINGS."""
        for name in KEPT_SETTINGS & settings.keys():
            self._database.execute(
                "INSERT INTO device_settings VALUES (?, ?, ?) "
                "ON CONFLICT (device_id, name) DO UPDATE SET value = excluded.value",
                (device_id, name, settings[name]),
            )

    def settings_of(self, device_id: bytes) -> dict[str, str]:
        """What this registry wrote of KEPT_SETTINGS; what is not there was left as the firmware has it."""
        rows = self._database.execute(
            "SELECT name, value FROM device_settings WHERE device_id = ?", (device_id,)
        )
        return {row["name"]: row["value"] for row in rows}

    def by_device(self, device_id: bytes) -> Record | None:
        return next(self._select("WHERE device_id = ?", device_id), None)

    def find(self, query: str) -> list[Record]:
        """Devices by tag id, plate or device id (hex): all that are fixed to one vehicle share its plate.

        Raises RegistryError when there is none.
        """
        tried = query.strip()
        matches = list(self._select("WHERE tag_id = ? OR hex(device_id) = ?", tried.upper(), tried.upper()))
        if not matches and any(character.isalnum() for character in tried):
            matches = list(self._select("WHERE plate = ? ORDER BY changed_ms DESC", plates.normalise(tried)))
        if not matches:
            matches = list(self._select("WHERE tag_id = ?", _spelled(tried)))
        if not matches:
            raise RegistryError(f"no device is known as '{query}'", "give its tag id, plate or device id")
        return matches

    def devices(self) -> Iterator[Record]:
        """Every device, in the order of the tag ids."""
        return self._select("ORDER BY number")

    def added(self) -> list[Record]:
        """Devices that came in since the last call, by any process; all of them at the first call."""
        version = self._database.execute("PRAGMA data_version").fetchone()[0]
        if version == self._seen_version:
            return []
        self._seen_version = version
        return list(self.devices())

    def _select(self, clause: str, *values: object) -> Iterator[Record]:
        rows = self._database.execute(f"SELECT * FROM devices {clause}", values).fetchall()
        return (_record(row) for row in rows)

    def _held(self, device_id: bytes) -> Record:
        found = self.by_device(device_id)
        if found is None:
            raise RegistryError(f"device {device_id.hex()} is not in the registry", "provision it first")
        return found


def _spelled(text: str) -> str:
    try:
        return tag_ids.parse(text)
    except tag_ids.TagIdError:
        return text


def _record(row: sqlite3.Row) -> Record:
    return Record(
        device_id=row["device_id"],
        tag_id=row["tag_id"],
        role=row["role"],
        board=row["board"],
        profile=row["profile"],
        plate=row["plate"],
        owner_phone=row["owner_phone"],
        state=row["state"],
        operation=row["operation"],
        changed_ms=row["changed_ms"],
        secret=Secret(row["secret"]),
    )
