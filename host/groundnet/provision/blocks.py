"""Blocks of identities: numbers and secrets that the central registry makes for one point, sealed to its public key.

Two points never give away the same id, because no number is in two blocks. Sealing: an ephemeral X25519 key pair,
HKDF-SHA256 over the shared secret with both public keys as salt, AES-256-GCM with the open part as associated data.
The whole is signed by the centre (see `signing`); a point looks at the signature before anything else.
"""

import base64
import json
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from groundnet.errors import GroundnetError, Text
from groundnet.provision import identities, known_points, point, signing
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.audit import Audit
from groundnet.provision.registry import Registry

FORMAT = "groundnet block 2"
_UNSIGNED = "groundnet block 1"
MOST = 10_000  # a year of a busy point; what a stolen computer may hold is no more than that
_IDENTITY = struct.Struct(">I32s")
_NONCE = bytes(12)  # every block has a key of its own


class BlockError(GroundnetError):
    """A block that cannot be issued or loaded."""


@dataclass(frozen=True)
class Block:
    """``count`` numbers from ``first`` for one point, of one centre."""

    block_id: str
    point_id: str
    first: int
    count: int
    centre: str

    def facts(self) -> bytes:
        return _canonical({"format": FORMAT, **self.__dict__})


@dataclass(frozen=True)
class _Parcel:
    """A block as it travels."""

    block: Block
    ephemeral: bytes
    sealed: bytes
    signature: bytes = b""

    def body(self) -> dict[str, object]:
        """What is signed, in its canonical form."""
        open_part = json.loads(self.block.facts())
        return {**open_part, "ephemeral": _base64(self.ephemeral), "sealed": _base64(self.sealed)}

    def text(self, registry: Registry) -> str:
        signature = signing.sign(registry, _canonical(self.body()))
        return json.dumps({**self.body(), "signature": _base64(signature)}, indent=1) + "\n"


def issue(registry: Registry, to: point.Point, count: int, now_ms: int) -> str:
    """Make a block for a point; the text of its file. The secrets stay here, too, for who looks for the tags.

    Raises BlockError, PointChanged, VaultLocked.
    """
    if not identities.makes_own(registry):
        raise BlockError(
            Text("this point gets its own ids from blocks", "本安装点的编号来自号段，不能再发放"),
            Text("issue blocks at the central registry", "请在中心登记簿发放"),
        )
    if not 1 <= count <= MOST:
        raise BlockError(f"{count} identities are not a block", f"issue 1 to {MOST} at once")
    with registry.transaction():
        known_points.remember(registry, to, now_ms)
        first = identities.next_number(registry)
        if first + count - 1 > tag_ids.LARGEST:
            raise BlockError("there are not as many tag ids left", "issue a smaller block")
        centre = signing.own(registry).centre_id
        block = Block(secrets.token_hex(8), to.point_id, first, count, centre)
        made = [(number, secrets.token_bytes(32)) for number in range(first, first + count)]
        text = _sealed(block, made, to.public_key).text(registry)
        _keep(registry, block, "issued", made, now_ms)
        Audit(registry).append(now_ms, "issue block", operation=block.block_id)
    return text


def issue_again(registry: Registry, block_id: str, now_ms: int, to: point.Point | None = None) -> str:
    """The file of a block that was issued and lost: the same numbers and secrets under the same block id.

    Args:
        to: only for a block that is older than the centre's knowledge of its points.

    Both files open at the same point, the second one to arrive is known there. Raises BlockError, PointChanged,
    VaultLocked, VaultDamaged.
    """
    row = registry.database.execute(
        "SELECT * FROM blocks WHERE block_id = ? AND direction = 'issued'", (block_id.strip().lower(),)
    ).fetchone()
    if row is None:
        raise BlockError(
            Text(f"no block '{block_id}' was issued here", f"这里没有发放过号段“{block_id}”"),
            Text("`provision central points` lists the blocks", "用 `provision central points` 查看号段"),
        )
    with registry.transaction():
        if to is not None and to.point_id == row["point_id"]:
            known_points.remember(registry, to, now_ms)
        key = known_points.public_key(registry, row["point_id"])
        centre = signing.own(registry).centre_id
        block = Block(row["block_id"], row["point_id"], row["first"], row["count"], centre)
        made = [
            (kept["number"], registry.opened("secret", kept["secret"], kept))
            for kept in registry.database.execute(
                "SELECT * FROM identities WHERE block_id = ? ORDER BY number", (block.block_id,)
            ).fetchall()
        ]
        text = _sealed(block, made, key).text(registry)
        Audit(registry).append(now_ms, "issue block again", operation=block.block_id)
    return text


def load(registry: Registry, text: str, now_ms: int) -> Block:
    """Take a block into the registry of its point. Raises BlockError, VaultLocked, VaultDamaged, RegistryError."""
    parcel = _parse(text)
    block = parcel.block
    mine = point.private_key(registry)
    _check_centre(registry, parcel)
    here = point.read(registry)
    if here is None or here.own_ids or here.point_id != block.point_id:
        raise BlockError(
            Text("this block was issued for another point", "该号段发放给了别的安装点"),
            Text("ask for a block for this point", "请申请本安装点的号段"),
        )
    made = _opened(parcel, mine)
    with registry.transaction():
        held = registry.database.execute(
            "SELECT count(*) FROM blocks WHERE block_id = ?", (block.block_id,)
        ).fetchone()[0]
        if held:
            raise BlockError(
                Text("this block is loaded already", "该号段已经装入"),
                Text("nothing is left to do", "无需再次装入"),
            )
        if _overlaps(registry, block):
            raise BlockError(
                Text("its numbers were given to this point before", "其中的编号此前已发放给本安装点"),
                Text("ask the central registry for another block", "请向中心申请另一个号段"),
            )
        _keep(registry, block, "loaded", made, now_ms)
        Audit(registry).append(now_ms, "load block", operation=block.block_id)
    return block


def describe(text: str) -> Block:
    """What the open part of a block file says of it; nothing is checked. Raises BlockError."""
    return _parse(text).block


def _check_centre(registry: Registry, parcel: _Parcel) -> None:
    """Nothing of a block is looked at before its centre is known to be the trusted one."""
    centre = signing.trusted(registry)
    if centre is None:
        raise BlockError(
            Text("this point trusts no central registry yet", "本安装点尚未信任任何中心"),
            Text("run `provision trust FILE` with the centre's public key", "请用中心的公钥文件运行 `provision trust`"),
        )  # fmt: skip
    if parcel.block.centre != centre.centre_id:
        raise BlockError(
            Text("this block is of another central registry", "该号段来自另一个中心"),
            Text(f"ask {centre.name} ({centre.centre_id}) for it", f"请向 {centre.name}（{centre.centre_id}）申请"),
        )  # fmt: skip
    if not centre.signed(_canonical(parcel.body()), parcel.signature):
        raise BlockError(
            Text("the block was changed after the centre signed it", "号段文件在中心签名后被改动"),
            Text("copy the file again; if it says so again, tell the centre", "请重新复制；仍然如此请告知中心"),
        )  # fmt: skip


def _overlaps(registry: Registry, block: Block) -> bool:
    last = block.first + block.count - 1
    counted = registry.database.execute(
        """SELECT (SELECT count(*) FROM devices WHERE number BETWEEN ? AND ?)
            + (SELECT count(*) FROM identities WHERE number BETWEEN ? AND ?)""",
        (block.first, last) * 2,
    )
    return counted.fetchone()[0] > 0


def _keep(
    registry: Registry, block: Block, direction: str, made: list[tuple[int, bytes]], now_ms: int
) -> None:
    registry.database.execute(
        "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)",
        (block.block_id, block.point_id, direction, block.first, block.count, now_ms),
    )
    vault = registry.vault
    for number, secret in made:
        tag_id = tag_ids.make(number)
        kept = vault.seal("secret", secret, tag_id) if vault else secret
        registry.database.execute(
            "INSERT INTO identities VALUES (?, ?, ?, ?, ?)",
            (number, tag_id, block.block_id, vault is not None, kept),
        )


def _sealed(block: Block, made: list[tuple[int, bytes]], public_key: bytes) -> _Parcel:
    ephemeral = X25519PrivateKey.generate()
    shown = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError:  # a key of small order: the shared secret would be known to everybody
        raise BlockError("the point's public key is not one", "ask the point for it again") from None
    plain = b"".join(_IDENTITY.pack(number, secret) for number, secret in made)
    sealed = _cipher(shared, shown + public_key).encrypt(_NONCE, plain, block.facts())
    return _Parcel(block, shown, sealed)


def _parse(text: str) -> _Parcel:
    try:
        fields = json.loads(text)
        if fields["format"] == _UNSIGNED:
            raise _unsigned()
        numbers = (int(fields["first"]), int(fields["count"]))
        block = Block(str(fields["block_id"]), str(fields["point_id"]), *numbers, str(fields["centre"]))
        coded = (fields[name] for name in ("ephemeral", "sealed", "signature"))
        parcel = _Parcel(block, *(base64.b64decode(one, validate=True) for one in coded))
        if fields["format"] == FORMAT and len(parcel.ephemeral) == 32:
            return parcel
    except (ValueError, KeyError, TypeError):
        pass
    raise _damaged()


def _opened(parcel: _Parcel, mine: X25519PrivateKey) -> list[tuple[int, bytes]]:
    block = parcel.block
    try:
        shared = mine.exchange(X25519PublicKey.from_public_bytes(parcel.ephemeral))
        salt = parcel.ephemeral + mine.public_key().public_bytes_raw()
        plain = _cipher(shared, salt).decrypt(_NONCE, parcel.sealed, block.facts())
        made = list(_IDENTITY.iter_unpack(plain))
    except (InvalidTag, ValueError, struct.error):
        raise _damaged() from None
    if [number for number, _ in made] != list(range(block.first, block.first + block.count)):
        raise _damaged()
    return made


def _cipher(shared: bytes, salt: bytes) -> AESGCM:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=salt, info=FORMAT.encode())
    return AESGCM(kdf.derive(shared))


def _damaged() -> BlockError:
    return BlockError(
        Text("the block is damaged, or is no block", "号段文件已损坏，或不是号段文件"),
        Text("copy the file again from where it was issued", "请重新复制发放的文件"),
    )


def _unsigned() -> BlockError:
    return BlockError(
        Text("the block is of a time when blocks were not signed", "该号段是旧格式，没有签名"),
        Text("have it written once more with `provision issue --again`", "请中心用 `provision issue --again` 重新生成"),
    )  # fmt: skip


def _canonical(fields: dict) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
