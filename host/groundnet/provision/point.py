"""An install point: a registry with a vault, a name, and a key pair to which blocks of identities are sealed."""

import base64
import json
import re
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from groundnet.errors import GroundnetError, Text
from groundnet.provision import signing
from groundnet.provision.audit import Audit
from groundnet.provision.registry import Registry, RegistryError
from groundnet.provision.vault import Cost, Vault

FORMAT = "groundnet point 1"
_NAME = re.compile(r"[\w][\w .·-]{0,31}")


class PointError(GroundnetError):
    """A point that cannot be set up, or a file that is no point's public key."""


@dataclass(frozen=True)
class Point:
    """What everybody may know of an install point. ``own_ids``: it makes identities, as the central registry does."""

    point_id: str
    name: str
    own_ids: bool
    public_key: bytes

    def text(self) -> str:
        """The file that goes to the central registry."""
        fields = {"format": FORMAT, "point_id": self.point_id, "name": self.name}
        key = base64.b64encode(self.public_key).decode()
        return json.dumps({**fields, "public_key": key}, ensure_ascii=False, indent=1) + "\n"


def parse(text: str) -> Point:
    """A point from its file. Raises PointError."""
    try:
        fields = json.loads(text)
        key = base64.b64decode(fields["public_key"], validate=True)
        point = Point(str(fields["point_id"]), str(fields["name"]), False, key)
        if fields["format"] == FORMAT and len(key) == 32:
            return point
    except (ValueError, KeyError, TypeError):
        pass
    raise PointError(
        Text("this is not the public key of an install point", "这不是安装点的公钥文件"),
        Text(
            "take the file that `provision init --public` wrote", "请用 `provision init --public` 生成的文件"
        ),
    )


def read(registry: Registry) -> Point | None:
    """The point that a registry belongs to, None for an engineer's."""
    row = registry.database.execute("SELECT * FROM point").fetchone()
    return row and Point(row["point_id"], row["name"], bool(row["own_ids"]), row["public_key"])


def init(
    registry: Registry,
    name: str,
    passphrase: str,
    now_ms: int,
    own_ids: bool = False,
    cost: Cost | None = None,
) -> Point:
    """Give a registry a vault and a name; what it holds in plain is sealed, and no copy of it stays in the file.

    Afterwards it is unlocked. Raises PointError, VaultError.
    """
    if not _NAME.fullmatch(name):
        raise PointError(
            f"'{name}' is no name of a point", "use 1 to 32 letters, digits, spaces, dots and hyphens"
        )
    if read(registry) is not None:
        raise PointError(
            Text("this registry belongs to a point already", "该登记簿已属于某个安装点"),
            Text("name another file with --registry", "请用 --registry 指定另一个文件"),
        )
    if not own_ids and next(registry.devices(), None) is not None:
        raise PointError(
            Text("this registry gave devices ids of its own", "该登记簿已自行发放过编号"),
            Text("use --central, or begin a new file", "请用 --central，或新建一个文件"),
        )
    vault = Vault.create(passphrase, cost)
    private = X25519PrivateKey.generate()
    point = Point(secrets.token_hex(8), name, own_ids, private.public_key().public_bytes_raw())
    with registry.transaction():
        _seal_everything(registry, vault)
        registry.database.execute(
            "INSERT INTO point VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
            (
                point.point_id,
                name,
                own_ids,
                vault.header,
                point.public_key,
                vault.seal("point key", private.private_bytes_raw(), point.point_id),
                now_ms,
            ),
        )
        registry.unlock(passphrase)
        Audit(registry).append(now_ms, "init")
    registry.forget_old_pages()
    return point


def private_key(registry: Registry) -> X25519PrivateKey:
    """What opens blocks. Raises RegistryError, VaultLocked, VaultDamaged."""
    row = registry.database.execute("SELECT point_id, private_key FROM point").fetchone()
    if row is None or registry.vault is None:
        raise RegistryError(
            Text("this registry belongs to no install point", "该登记簿不属于任何安装点"),
            Text("set it up with `provision init`", "请先运行 `provision init`"),
        )
    raw = registry.vault.open("point key", row["private_key"], row["point_id"])
    return X25519PrivateKey.from_private_bytes(raw)


def change_passphrase(registry: Registry, old: str, new: str, now_ms: int) -> None:
    """The old passphrase opens this file no longer; copies of the file keep it. Raises WrongPassphrase, VaultError."""
    vault = registry.vault
    if vault is None:
        raise RegistryError("this registry has no vault", "set it up with `provision init`")
    registry.unlock(old)
    vault = registry.vault or vault
    vault.change_passphrase(old, new)
    with registry.transaction():
        registry.database.execute("UPDATE point SET vault = ?", (vault.header,))
        Audit(registry).append(now_ms, "change passphrase")
    registry.forget_old_pages()


def _seal_everything(registry: Registry, vault: Vault) -> None:
    """Move what an engineer's registry holds in plain into the vault."""
    for row in registry.database.execute("SELECT * FROM devices").fetchall():
        owner = {name: row[name] for name in ("plate", "owner_phone", "consent")}
        sealed = (
            vault.seal("owner", json.dumps(owner).encode(), row["tag_id"]) if any(owner.values()) else None
        )
        key = vault.mac("plate", row["plate"].encode()) if row["plate"] else None
        pending = vault.seal("order", row["pending"], row["tag_id"]) if row["pending"] else None
        registry.database.execute(
            """UPDATE devices SET sealed = 1, secret = ?, owner = ?, plate_key = ?, pending = ?, plate = NULL,
                owner_phone = NULL, consent = NULL WHERE device_id = ?""",
            (vault.seal("secret", row["secret"], row["tag_id"]), sealed, key, pending, row["device_id"]),
        )
    for row in registry.database.execute("SELECT * FROM identities WHERE sealed = 0").fetchall():
        registry.database.execute(
            "UPDATE identities SET sealed = 1, secret = ? WHERE number = ?",
            (vault.seal("secret", row["secret"], row["tag_id"]), row["number"]),
        )
    for row in registry.database.execute(
        "SELECT * FROM arrived WHERE sealed = 0 AND owner IS NOT NULL"
    ).fetchall():
        registry.database.execute(
            "UPDATE arrived SET sealed = 1, owner = ? WHERE point = ? AND device_id = ?",
            (vault.seal("arrived owner", row["owner"], row["tag_id"]), row["point"], row["device_id"]),
        )
    signing.seal(registry, vault)
    for row in registry.database.execute("SELECT name, digest FROM people").fetchall():
        registry.database.execute(
            "UPDATE people SET digest = ? WHERE name = ?", (vault.mac("pin", row["digest"]), row["name"])
        )
