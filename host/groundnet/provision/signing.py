"""Whose blocks count: the central registry's Ed25519 key (RFC 8032), and which centre an install point trusts.

A centre is named by its key: the first eight bytes of the key's SHA-256. Its private key is under the vault like a
secret. A point keeps one centre, with a MAC of its vault: who has only the file cannot put another centre there.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from groundnet.errors import GroundnetError, Text
from groundnet.provision import identities
from groundnet.provision.audit import Audit
from groundnet.provision.registry import Registry, RegistryError
from groundnet.provision.vault import Vault, VaultDamaged

FORMAT = "groundnet centre 1"
_LABEL = "signing key"


class TrustError(GroundnetError):
    """A file that is no centre's public key, or a centre that is not the one this point trusts."""


@dataclass(frozen=True)
class Centre:
    """What everybody may know of a central registry. ``public_key``: 32 bytes, Ed25519."""

    name: str
    public_key: bytes

    @property
    def centre_id(self) -> str:
        """16 hex digits, short enough to be compared by telephone."""
        return hashlib.sha256(self.public_key).hexdigest()[:16]

    def text(self) -> str:
        """The file that goes to the points."""
        key = base64.b64encode(self.public_key).decode()
        fields = {"format": FORMAT, "centre": self.centre_id, "name": self.name, "public_key": key}
        return json.dumps(fields, ensure_ascii=False, indent=1) + "\n"

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether this centre signed exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def parse(text: str) -> Centre:
    """A centre from its file. Raises TrustError."""
    try:
        fields = json.loads(text)
        centre = Centre(str(fields["name"])[:64], base64.b64decode(fields["public_key"], validate=True))
        whole = len(centre.public_key) == 32 and fields["centre"] == centre.centre_id
        if fields["format"] == FORMAT and whole:
            return centre
    except (ValueError, KeyError, TypeError):
        pass
    raise TrustError(
        Text("this is not the public key of a central registry", "这不是中心登记处的公钥文件"),
        Text("take the file that `provision central key` writes there", "请用中心 `provision central key` 生成的文件"),
    )  # fmt: skip


def need_centre(registry: Registry) -> None:
    """Raises RegistryError for the registry of an install point."""
    if not identities.makes_own(registry):
        raise RegistryError(
            Text("this registry belongs to an install point, not to a centre", "这是安装点的登记簿，不是中心的"),
            Text("name the central registry with --registry", "请用 --registry 指定中心登记簿"),
        )  # fmt: skip


def own(registry: Registry) -> Centre:
    """The centre that a registry is; its key is made at the first call. Raises RegistryError, VaultLocked."""
    need_centre(registry)
    with registry.transaction():
        row = registry.database.execute("SELECT public_key FROM signing").fetchone()
        public = row["public_key"] if row else _make(registry)
    return Centre(registry.point_name or "central", public)


def sign(registry: Registry, data: bytes) -> bytes:
    """64 bytes that only this centre can make. Raises RegistryError, VaultLocked, VaultDamaged."""
    about = own(registry).centre_id
    row = registry.database.execute("SELECT * FROM signing").fetchone()
    raw = row["private_key"]
    if row["sealed"]:
        assert registry.vault is not None
        raw = registry.vault.open(_LABEL, raw, about)
    return Ed25519PrivateKey.from_private_bytes(raw).sign(data)


def trusted(registry: Registry) -> Centre | None:
    """The centre whose blocks this point takes. Raises VaultLocked; VaultDamaged when somebody else wrote it there."""
    row = registry.database.execute("SELECT * FROM centre").fetchone()
    if row is None:
        return None
    if registry.vault is None or not hmac.compare_digest(_mac(registry.vault, row["public_key"]), row["mac"]):
        raise VaultDamaged("the central registry's key")
    return Centre(row["name"], row["public_key"])


def trust(registry: Registry, centre: Centre, now_ms: int, replace: bool = False) -> None:
    """From now on take blocks of this centre and of no other.

    Raises TrustError where another one is trusted already and ``replace`` is not said; RegistryError, VaultLocked.
    """
    if identities.makes_own(registry) or registry.vault is None:
        raise RegistryError(
            Text("this registry makes its own ids and takes no blocks", "该登记簿自行编号，不使用号段"),
            Text("trust a centre at an install point", "请在安装点运行"),
        )
    held = registry.database.execute("SELECT public_key FROM centre").fetchone()
    if held is not None and held["public_key"] != centre.public_key and not replace:
        raise TrustError(
            Text("this point trusts another central registry", "本安装点已信任另一个中心"),
            Text("ask the county; if the centre did change, say --replace", "请向上级核实；确实更换中心时用 --replace"),
        )  # fmt: skip
    with registry.transaction():
        registry.database.execute(
            """INSERT INTO centre VALUES (1, ?, ?, ?, ?) ON CONFLICT (only_one) DO UPDATE SET name = excluded.name,
                public_key = excluded.public_key, mac = excluded.mac, trusted_ms = excluded.trusted_ms""",
            (centre.name, centre.public_key, _mac(registry.vault, centre.public_key), now_ms),
        )
        Audit(registry).append(now_ms, "trust centre", operation=centre.centre_id)


def seal(registry: Registry, vault: Vault) -> None:
    """A key that was made before the registry had a vault goes under it."""
    for row in registry.database.execute("SELECT * FROM signing WHERE sealed = 0").fetchall():
        about = Centre("", row["public_key"]).centre_id
        registry.database.execute(
            "UPDATE signing SET sealed = 1, private_key = ?", (vault.seal(_LABEL, row["private_key"], about),)
        )


def _make(registry: Registry) -> bytes:
    private = secrets.token_bytes(32)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    vault = registry.vault
    kept = vault.seal(_LABEL, private, Centre("", public).centre_id) if vault else private
    registry.database.execute(
        "INSERT INTO signing VALUES (1, ?, ?, ?)", (public, kept, 1 if vault is not None else 0)
    )
    return public


def _mac(vault: Vault, public_key: bytes) -> bytes:
    return vault.mac("centre", public_key)
