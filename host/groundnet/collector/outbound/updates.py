"""Updates that wait for devices with an uplink: queued here, asked for and fetched by the device itself.

queued -> sending -> trial -> done, or failed or withdrawn. What the device says of itself is believed: requests are
not authenticated, for the bundle is what must be genuine, and the device judges that. A liar can hold an update up.
"""

import hashlib
from dataclasses import dataclass

from groundwire.update_table import PIECE_BYTES

from groundnet.bundle import container, manifest
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError, Text

NOTHING = {"size_bytes": 0, "sha256": bytes(32), "version": "", "security_counter": 0}


class UpdateRefused(GroundnetError):
    """An update that cannot be queued or withdrawn."""


@dataclass(frozen=True)
class Waiting:
    """An update and how far it is."""

    update_id: int
    device_id: bytes
    version: str
    state: str
    offset_bytes: int
    size_bytes: int
    detail: str
    created_ms: int
    changed_ms: int
    ordered_by: str


def queue(database: Database, device_id: bytes, data: bytes, who: str, now_ms: int) -> Waiting:
    """Keep a signed bundle for a device; one that still waits for it is withdrawn.

    Raises BundleError for a file that is no bundle, UpdateRefused for one without a signature.
    """
    found = container.parse(data)
    if not found.signature_block:
        raise UpdateRefused(
            Text("the bundle is not signed", "固件包未签名"),
            Text("sign it with `groundnet bundle sign`", "请用 `groundnet bundle sign` 签名"),
        )
    about = found.manifest
    if manifest.kind_of(about) != manifest.APPLICATION:  # its version is not what a device tells
        raise UpdateRefused(
            Text("a base image is not handed out by the collector", "采集服务不分发基础映像"),
            Text("update the device by cable: name its port", "请用数据线更新：指定其串口"),
        )
    sha256 = hashlib.sha256(data).digest()
    with database.transaction():
        database.run(
            "INSERT INTO bundles VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            sha256,
            about["version"],
            about["security_counter"],
            data,
        )
        database.run(
            "UPDATE updates SET state = 'withdrawn', changed_ms = ? "
            "WHERE device_id = ? AND state IN ('queued', 'sending', 'trial')",
            now_ms,
            device_id,
        )
        row = database.row(
            "INSERT INTO updates (device_id, sha256, state, created_ms, changed_ms, ordered_by) "
            "VALUES (?, ?, 'queued', ?, ?, ?) RETURNING update_id",
            device_id,
            sha256,
            now_ms,
            now_ms,
            who,
        )
    assert row is not None
    return next(one for one in list_updates(database) if one.update_id == row["update_id"])


def withdraw(database: Database, update_id: int, now_ms: int) -> Waiting:
    """Offer it no more; a device that has it already keeps it. Raises UpdateRefused when it has ended."""
    for one in list_updates(database):
        if one.update_id == update_id and one.state in ("queued", "sending"):
            _set(database, update_id, "withdrawn", one.offset_bytes, "", now_ms)
            return next(one for one in list_updates(database) if one.update_id == update_id)
    raise UpdateRefused(
        Text(f"no update {update_id} is waiting", f"没有等待中的更新 {update_id}"),
        Text("list them with `groundnet updates list`", "用 `groundnet updates list` 查看"),
    )


def list_updates(database: Database) -> list[Waiting]:
    """All updates, newest first."""
    rows = database.rows(
        "SELECT u.*, b.version, length(b.data) AS size_bytes FROM updates u "
        "JOIN bundles b ON b.sha256 = u.sha256 ORDER BY u.update_id DESC"
    )
    return [Waiting(**{name: row[name] for name in Waiting.__dataclass_fields__}) for row in rows]


def check(database: Database, values: dict, now_ms: int) -> dict:
    """The offer that answers a device's `update_check`; what it tells of itself is written down."""
    row = _open(database, values["device_id"])
    if row is None:
        return NOTHING
    about = values["state"], values["detail"], values["version"] == row["version"]
    state, detail = _judge(row, values["firmware"], *about)
    if state != row["state"]:
        offset = row["size_bytes"] if state in ("trial", "done") else row["offset_bytes"]
        _set(database, row["update_id"], state, offset, detail, now_ms)
    if state not in ("queued", "sending"):
        return NOTHING
    return {name: row[name] for name in NOTHING}


def piece(database: Database, values: dict, now_ms: int) -> dict | None:
    """The piece that answers an `update_fetch`; None when that bundle is not for the device, or has no such bytes."""
    row, offset = _open(database, values["device_id"]), values["offset_bytes"]
    if row is None or row["sha256"] != values["sha256"] or offset >= row["size_bytes"]:
        return None
    found = database.row(
        "SELECT substr(data, CAST(? AS INTEGER), CAST(? AS INTEGER)) AS data FROM bundles WHERE sha256 = ?",
        offset + 1,
        PIECE_BYTES,
        row["sha256"],
    )
    assert found is not None
    _set(database, row["update_id"], "sending", offset + len(found["data"]), "", now_ms)
    return {"offset_bytes": offset, "data": found["data"]}


def _judge(row, firmware: str, said: str, detail: str, about_this: bool) -> tuple[str, str]:
    """What has become of an update, by what its device says."""
    if said == "trial":
        return ("trial", "") if about_this else (row["state"], "")
    if firmware == row["version"]:
        return "done", ""
    if said == "failed" and about_this and row["state"] != "queued":  # a queued one was not tried yet
        return "failed", detail
    return ("sending", "") if row["state"] == "trial" else (row["state"], "")


def _open(database: Database, device_id: bytes):
    return database.row(
        "SELECT u.update_id, u.state, u.offset_bytes, b.sha256, b.version, b.security_counter, "
        "length(b.data) AS size_bytes FROM updates u JOIN bundles b ON b.sha256 = u.sha256 "
        "WHERE u.device_id = ? AND u.state IN ('queued', 'sending', 'trial') ORDER BY u.update_id DESC LIMIT 1",
        device_id,
    )


def _set(database: Database, update_id: int, state: str, offset: int, detail: str, now_ms: int) -> None:
    database.run(
        "UPDATE updates SET state = ?, offset_bytes = ?, detail = ?, changed_ms = ? WHERE update_id = ?",
        state,
        offset,
        detail,
        now_ms,
        update_id,
    )
