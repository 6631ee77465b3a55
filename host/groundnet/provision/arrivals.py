"""What install points tell the central registry, and what each device is by that.

Of each device the latest revision of every point is kept. What the device is now follows from these alone, so it is
the same in whatever order, how often and how late they come. Its secret never travels: the centre has issued it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from groundnet.database.store import Row
from groundnet.provision import device_rows, known_points
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.audit import Audit
from groundnet.provision.document import (
    CENTRES_OWN,
    CHANGED,
    OLDER,
    OTHERS_BLOCK,
    OTHERS_TAG,
    OWNER,
    Document,
    Malformed,
    read,
)
from groundnet.provision.registry import Registry

_KNOWN, _NEW, _DELETED = "known", "new", "an owner is deleted"


class Refused(Exception):
    """A record that contradicts what is known; the text says why."""


@dataclass(frozen=True)
class Arrival:
    """The latest that a point told of a device. ``secret_known``: a collector can resolve it."""

    point: str
    document: Document
    arrived_ms: int
    secret_known: bool


def take(registry: Registry, point: str, records: Sequence[object], now_ms: int) -> dict[str, object]:
    """Keep what is new; on disk when this returns. What is refused says why, by operation.

    Raises VaultLocked for an owner's data while nobody has unlocked the registry, StoreError.
    """
    accepted, known, refused = [], [], {}
    deleted = False
    with registry.transaction():
        points = known_points.ids_of(registry, point)
        for record in records:
            try:
                document = read(record)
            except Malformed as error:
                refused[_named(record)] = str(error)
                continue
            try:
                outcome = _keep(registry, point, points, document, now_ms)
            except Refused as error:
                refused[document.operation] = str(error)
                continue
            (known if outcome == _KNOWN else accepted).append(document.operation)
            deleted = deleted or outcome == _DELETED
    if deleted:
        registry.database.forget_deleted("devices", "arrived")
    return {"accepted": accepted, "known": known, "refused": refused}


def arrivals(registry: Registry, point: str = "") -> list[Arrival]:
    """What every point told, or one of them, in the order of tag ids; owners only where the vault is unlocked."""
    return _select(registry, "?1 = '' OR point = ?1", point)


def of_device(registry: Registry, query: str) -> list[Arrival]:
    """What every point told of a device: by tag id, plate or device id. Raises RegistryError, VaultLocked."""
    try:
        spelled = tag_ids.parse(query)
    except tag_ids.TagIdError:
        spelled = ""
    rows = registry.database.execute("SELECT device_id FROM arrived WHERE tag_id = ?", (spelled,)).fetchall()
    ids = {bytes(row["device_id"]) for row in rows} or {one.device_id for one in registry.find(query)}
    return [one for device_id in sorted(ids) for one in _select(registry, "device_id = ?1", device_id)]


def _select(registry: Registry, condition: str, value: str | bytes) -> list[Arrival]:
    rows = registry.database.execute(
        f"""SELECT arrived.*, identities.tag_id AS issued FROM arrived
            LEFT JOIN identities ON identities.tag_id = arrived.tag_id
            WHERE {condition} ORDER BY arrived.tag_id, point""",
        (value,),
    ).fetchall()
    return [_arrival(registry, row) for row in rows]


def _arrival(registry: Registry, row: Row) -> Arrival:
    owner = {} if registry.locked else _owner(registry, row) or {}
    return Arrival(
        row["point"], read(json.loads(row["said"]) | owner), row["arrived_ms"], row["issued"] is not None
    )


def _keep(registry: Registry, point: str, points: set[str], document: Document, now_ms: int) -> str:
    """What became of it, one of _KNOWN, _NEW and _DELETED. Raises Refused."""
    held = registry.database.execute(
        "SELECT * FROM arrived WHERE point = ? AND device_id = ?", (point, document.device_id)
    ).fetchone()
    if held is not None and document.revision < held["revision"]:
        raise Refused(OLDER)
    if held is not None and document.revision == held["revision"]:
        owner = _owner(registry, held)
        if document.said != held["said"] or (document.owner and owner and document.owner != owner):
            raise Refused(CHANGED)
        if document.owner is None or owner is not None:
            return _KNOWN
    _check_tag(registry, points, document)
    owner = document.owner
    if owner is None and held is not None and held["operation"] == document.operation:
        owner = _owner(registry, held) if document.bound and not document.forgotten else None
    _put(registry, point, document, owner, now_ms)
    _derive(registry, document.device_id)
    action = "arrive" if document.bound else "release"
    if document.forgotten:
        action = "forget"
    Audit(registry).append(now_ms, action, tag_id=document.tag_id, operation=document.operation, who=point)
    return _DELETED if held is not None and held["owner"] is not None and owner is None else _NEW


def _check_tag(registry: Registry, points: set[str], document: Document) -> None:
    """One id is one device's, and who tells of it is who got it."""
    database, tag_id, device_id = registry.database, document.tag_id, document.device_id
    for table in ("arrived", "devices"):
        query = f"SELECT device_id FROM {table} WHERE tag_id = ? AND device_id <> ?"
        if database.execute(query, (tag_id, device_id)).fetchone():
            raise Refused(OTHERS_TAG)
    issued_to = database.execute(
        "SELECT point_id FROM blocks JOIN identities ON identities.block_id = blocks.block_id WHERE tag_id = ?",
        (tag_id,),
    ).fetchone()
    if issued_to is not None and issued_to["point_id"] not in points:
        raise Refused(OTHERS_BLOCK)
    own = database.execute("SELECT tag_id FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    if own and not database.execute("SELECT 1 FROM arrived WHERE device_id = ?", (device_id,)).fetchone():
        raise Refused(CENTRES_OWN)


def _put(
    registry: Registry, point: str, document: Document, owner: dict[str, str | None] | None, now_ms: int
) -> None:
    vault = registry.vault
    body = json.dumps(owner).encode() if owner else None
    if body is not None and vault is not None:
        body = vault.seal("arrived owner", body, document.tag_id)
    registry.database.execute(
        """INSERT INTO arrived VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (point, device_id) DO UPDATE SET
            tag_id = excluded.tag_id, operation = excluded.operation, revision = excluded.revision,
            bound = excluded.bound, bound_ms = excluded.bound_ms, said = excluded.said, owner = excluded.owner,
            sealed = excluded.sealed, arrived_ms = excluded.arrived_ms""",
        (
            point,
            document.device_id,
            document.tag_id,
            document.operation,
            document.revision,
            int(document.bound),
            document.handed_over_ms,
            document.said,
            body,
            int(vault is not None),
            now_ms,
        ),
    )


def _derive(registry: Registry, device_id: bytes) -> None:
    """The device's row: what the last point that bound it says, or nobody's if none has it any more."""
    rows = registry.database.execute("SELECT * FROM arrived WHERE device_id = ?", (device_id,)).fetchall()
    now = max(rows, key=lambda row: (row["bound"], row["bound_ms"], row["revision"], row["point"]))
    identity = registry.database.execute(
        "SELECT * FROM identities WHERE tag_id = ?", (now["tag_id"],)
    ).fetchone()
    if identity is None:  # of a registry that makes its own ids: nobody here could resolve it
        _leave(registry, device_id)
        return
    document = read(json.loads(now["said"]))
    held = registry.by_device(device_id)
    if held is None or held.tag_id != document.tag_id:
        registry.tell_of(device_id)
    if document.forgotten or not document.bound or (held and held.operation != document.operation):
        device_rows.end_owners_own(registry, device_id)
    _put_device(registry, document, identity)
    owner = _owner(registry, now) or {}
    device_rows.keep_owner(registry, device_id, document.tag_id, *(owner.get(name) for name in OWNER))
    registry.database.execute("DELETE FROM device_settings WHERE device_id = ?", (device_id,))
    registry.keep_settings(device_id, document.settings)


def _put_device(registry: Registry, document: Document, identity: Row) -> None:
    """The row of a device with the secret that was issued under its id; sealed, it is copied as it is."""
    registry.database.execute(
        """INSERT INTO devices (device_id, number, tag_id, role, board, profile, sealed, secret, state, operation,
            changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device_id) DO UPDATE SET
            number = excluded.number, tag_id = excluded.tag_id, role = excluded.role, board = excluded.board,
            profile = excluded.profile, sealed = excluded.sealed, secret = excluded.secret, state = excluded.state,
            operation = excluded.operation, changed_ms = excluded.changed_ms, plate = NULL, owner_phone = NULL,
            consent = NULL, owner = NULL, plate_key = NULL""",
        (
            document.device_id,
            identity["number"],
            document.tag_id,
            document.role,
            document.board,
            document.profile,
            identity["sealed"],
            identity["secret"],
            "synced" if document.bound else "undone",
            document.operation,
            document.revision,
        ),
    )


def _leave(registry: Registry, device_id: bytes) -> None:
    """It is known here by an earlier id that it does not have any more."""
    registry.database.execute("UPDATE devices SET state = 'undone' WHERE device_id = ?", (device_id,))
    row = registry.database.execute("SELECT tag_id FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    if row is not None:
        device_rows.end_owners_own(registry, device_id)
        device_rows.keep_owner(registry, device_id, row["tag_id"], None, None, None)


def _owner(registry: Registry, row: Row) -> dict[str, str | None] | None:
    if row["owner"] is None:
        return None
    body = row["owner"]
    if row["sealed"]:
        assert registry.vault is not None
        body = registry.vault.open("arrived owner", body, row["tag_id"])
    return json.loads(body)


def _named(record: object) -> str:
    said = str(record.get("operation", "")) if isinstance(record, dict) else ""
    return said[:64].encode("ascii", "replace").decode()
