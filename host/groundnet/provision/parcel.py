"""A block of identities as it travels: numbers and secrets sealed to one point, the whole signed by its centre.

Sealing: an ephemeral X25519 key pair, HKDF-SHA256 over the shared secret with both public keys as salt, AES-256-GCM
with the open part as associated data. The receipt is the centre's signature over the open part alone: what a point
shows later to prove that it got these numbers.
"""

import base64
import json
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from groundnet.errors import GroundnetError, Text
from groundnet.provision.signing import Centre

FORMAT = "groundnet block 2"
_UNSIGNED = "groundnet block 1"
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
        """The open part."""
        return _canonical({"format": FORMAT, **self.__dict__})

    def receipt(self) -> bytes:
        """What the centre signs as a receipt: no other thing that it signs looks like it."""
        return b"receipt " + self.facts()


@dataclass(frozen=True)
class Parcel:
    """A block with its sealed contents."""

    block: Block
    ephemeral: bytes
    sealed: bytes
    receipt: bytes
    signature: bytes = b""

    def body(self) -> bytes:
        """What is signed, in its one form."""
        return _canonical(self._fields())

    def text(self) -> str:
        """The file."""
        return json.dumps({**self._fields(), "signature": _base64(self.signature)}, indent=1) + "\n"

    def signed_by(self, centre: Centre) -> bool:
        """Whether file and receipt are this centre's, unchanged."""
        return centre.signed(self.body(), self.signature) and centre.signed(
            self.block.receipt(), self.receipt
        )

    def _fields(self) -> dict[str, object]:
        coded = {name: _base64(getattr(self, name)) for name in ("ephemeral", "sealed", "receipt")}
        return {**json.loads(self.block.facts()), **coded}


def seal(block: Block, made: list[tuple[int, bytes]], public_key: bytes, receipt: bytes) -> Parcel:
    """A parcel that only the point with this key can open, not signed yet. Raises BlockError."""
    ephemeral = X25519PrivateKey.generate()
    shown = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError:  # a key of small order: the shared secret would be known to everybody
        raise BlockError("the point's public key is not one", "ask the point for it again") from None
    plain = b"".join(_IDENTITY.pack(number, secret) for number, secret in made)
    sealed = _cipher(shared, shown + public_key).encrypt(_NONCE, plain, block.facts())
    return Parcel(block, shown, sealed, receipt)


def parse(text: str) -> Parcel:
    """A parcel from its file; nothing of it is believed yet. Raises BlockError."""
    try:
        fields = json.loads(text)
        if fields["format"] == _UNSIGNED:
            raise _unsigned()
        coded = (fields[name] for name in ("ephemeral", "sealed", "receipt", "signature"))
        parcel = Parcel(block_of(fields), *(base64.b64decode(one, validate=True) for one in coded))
        if fields["format"] == FORMAT and len(parcel.ephemeral) == 32:
            return parcel
    except (ValueError, KeyError, TypeError):
        pass
    raise _damaged()


def block_of(fields: dict) -> Block:
    """The open part. Raises KeyError, ValueError."""
    forms = {"block_id": str, "point_id": str, "first": int, "count": int, "centre": str}
    if any(type(fields[name]) is not form for name, form in forms.items()):
        raise ValueError("a block has another form")
    return Block(**{name: fields[name] for name in forms})


def opened(parcel: Parcel, mine: X25519PrivateKey) -> list[tuple[int, bytes]]:
    """Numbers and secrets of a parcel. Raises BlockError."""
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
