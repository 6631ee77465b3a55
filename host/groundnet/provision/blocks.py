"""Blocks of identities: numbers and secrets that the central registry makes for one point, sealed to its public key.

Two points never give away the same id, because no number is in two blocks. Sealing: an ephemeral X25519 key pair,
HKDF-SHA256 over the shared secret with both public keys as salt, AES-256-GCM with the open part as associated data.
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
from groundnet.provision import identities, point
from groundnet.provision import tag_id as tag_ids
from groundnet.provision.audit import Audit
from groundnet.provision.registry import Registry

FORMAT = "groundnet block 1"
MOST = 10_000  # a year of a busy point; what a stolen computer may hold is no more than that
_IDENTITY = struct.Struct(">I32s")
_NONCE = bytes(12)  # every block has a key of its own


class BlockError(GroundnetError):
    """A block that cannot be issued or loaded."""


@dataclass(frozen=True)
class Block:
    """``count`` numbers from ``first``, for one point."""

    block_id: str
    point_id: str
    first: int
    count: int

    def facts(self) -> bytes:
        fields = {"format": FORMAT, **self.__dict__}
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def issue(registry: Registry, to: point.Point, count: int, now_ms: int) -> str:
    """Make a block for a point; the text of its file. The secrets stay here, too, for who looks for the tags.

    Raises BlockError, VaultLocked.
    """
    if not identities.makes_own(registry):
        raise BlockError(
            Text("this point gets its own ids from blocks", "本安装点的编号来自号段，不能再发放"),
            Text("issue blocks at the central registry", "请在中心登记簿发放"),
        )
    if not 1 <= count <= MOST:
        raise BlockError(f"{count} identities are not a block", f"issue 1 to {MOST} at once")
    with registry.transaction():
        first = identities.next_number(registry)
        if first + count - 1 > tag_ids.LARGEST:
            raise BlockError("there are not as many tag ids left", "issue a smaller block")
        block = Block(secrets.token_hex(8), to.point_id, first, count)
        made = [(number, secrets.token_bytes(32)) for number in range(first, first + count)]
        text = _sealed(block, made, to.public_key)
        _keep(registry, block, "issued", made, now_ms)
        Audit(registry).append(now_ms, "issue block", operation=block.block_id)
    return text


def load(registry: Registry, text: str, now_ms: int) -> Block:
    """Take a block into the registry of its point. Raises BlockError, VaultLocked, RegistryError."""
    block, ephemeral, sealed = _parse(text)
    mine = point.private_key(registry)
    here = point.read(registry)
    if here is None or here.own_ids or here.point_id != block.point_id:
        raise BlockError(
            Text("this block was issued for another point", "该号段发放给了别的安装点"),
            Text("ask for a block for this point", "请申请本安装点的号段"),
        )
    made = _opened(block, ephemeral, sealed, mine)
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


def _sealed(block: Block, made: list[tuple[int, bytes]], public_key: bytes) -> str:
    ephemeral = X25519PrivateKey.generate()
    shown = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError:  # a key of small order: the shared secret would be known to everybody
        raise BlockError("the point's public key is not one", "ask the point for it again") from None
    plain = b"".join(_IDENTITY.pack(number, secret) for number, secret in made)
    sealed = _cipher(shared, shown + public_key).encrypt(_NONCE, plain, block.facts())
    body = {**json.loads(block.facts()), "ephemeral": _base64(shown), "sealed": _base64(sealed)}
    return json.dumps(body, indent=1) + "\n"


def _parse(text: str) -> tuple[Block, bytes, bytes]:
    try:
        fields = json.loads(text)
        numbers = (int(fields["first"]), int(fields["count"]))
        block = Block(str(fields["block_id"]), str(fields["point_id"]), *numbers)
        ephemeral = base64.b64decode(fields["ephemeral"], validate=True)
        sealed = base64.b64decode(fields["sealed"], validate=True)
        if fields["format"] == FORMAT and len(ephemeral) == 32:
            return block, ephemeral, sealed
    except (ValueError, KeyError, TypeError):
        pass
    raise _damaged()


def _opened(block: Block, ephemeral: bytes, sealed: bytes, mine: X25519PrivateKey) -> list[tuple[int, bytes]]:
    try:
        shared = mine.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        salt = ephemeral + mine.public_key().public_bytes_raw()
        plain = _cipher(shared, salt).decrypt(_NONCE, sealed, block.facts())
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


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
