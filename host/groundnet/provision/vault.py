"""The vault of a registry: secrets are worth nothing to who has the file but not the staff passphrase.

passphrase -> Argon2id -> key-encryption key -> unwraps a random data key -> HKDF by label -> AES-256-GCM.
A new passphrase wraps the same data key again, so nothing else has to be written anew.
"""

import hashlib
import hmac
import json
import secrets
import unicodedata
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from groundnet.errors import GroundnetError, Text

FORMAT = "groundnet vault 1"
KEY_SIZE = 32
NONCE_SIZE = 12
SHORTEST_PASSPHRASE = 8
_SALT_SIZE = 16
_MOST_MEMORY_KIB = 1 << 20  # a forged header must not make the computer allocate without end
_MOST_PASSES = 64


class VaultError(GroundnetError):
    """The vault cannot be opened, or what it sealed cannot."""


class VaultLocked(VaultError):
    """What was asked for is sealed, and nobody has unlocked the vault."""

    def __init__(self) -> None:
        super().__init__(
            Text("the keys of this install point are locked", "本安装点的密钥已上锁"),
            Text("unlock them with the staff passphrase", "请用员工口令解锁"),
        )


class WrongPassphrase(VaultError):
    """The vault is whole, the passphrase is another one."""

    def __init__(self) -> None:
        super().__init__(
            Text("the passphrase is wrong", "口令不对"),
            Text("type it again, mind capitals and the input method", "请重新输入，注意大小写和输入法"),
        )


class VaultDamaged(VaultError):
    """Bytes of the vault, or of what it sealed, are not what was written."""

    def __init__(self, what: str = "the vault") -> None:
        super().__init__(
            Text(f"{what} is damaged", f"数据已损坏（{what}）"),
            Text("bring the registry back from its last copy", "请用最近的备份恢复登记簿"),
        )


@dataclass(frozen=True)
class Cost:
    """What one guess costs: RFC 9106, section 4, second recommended option (64 MiB, three passes, four lanes)."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4


USUAL = Cost()


class Vault:
    """One vault, locked until ``unlock``. ``header`` is what a file keeps of it. Raises VaultDamaged."""

    def __init__(self, header: bytes) -> None:
        self._header = _Header.parse(header)
        self._key: bytes | None = None
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def create(cls, passphrase: str, cost: Cost | None = None) -> "Vault":
        """A new vault, unlocked. Raises VaultError for a passphrase that is too short."""
        key = secrets.token_bytes(KEY_SIZE)
        vault = cls(_wrap(key, passphrase, cost or USUAL).encode())
        vault._key = key
        return vault

    @property
    def header(self) -> bytes:
        return self._header.encode()

    @property
    def unlocked(self) -> bool:
        return self._key is not None

    def unlock(self, passphrase: str) -> None:
        """Raises WrongPassphrase."""
        self._key = _unwrap(self._header, passphrase)

    def lock(self) -> None:
        self._key = None
        self._ciphers.clear()

    def change_passphrase(self, old: str, new: str) -> None:
        """Wrap the same key with another passphrase; the caller keeps the new header. Raises WrongPassphrase."""
        self._header = _wrap(_unwrap(self._header, old), new, self._header.cost)

    def seal(self, label: str, plain: bytes, about: str) -> bytes:
        """``about`` is what the sealed bytes belong to: they open for nothing else. Raises VaultLocked."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        return nonce + self._cipher(label).encrypt(nonce, plain, about.encode())

    def open(self, label: str, sealed: bytes, about: str) -> bytes:
        """Raises VaultLocked, VaultDamaged."""
        cipher = self._cipher(label)
        try:
            return cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], about.encode())
        except (InvalidTag, ValueError):
            raise VaultDamaged(f"the {label} of {about}") from None

    def mac(self, label: str, data: bytes) -> bytes:
        """HMAC-SHA256 under a key of its own for the label. Raises VaultLocked."""
        return hmac.digest(self._derive("mac " + label), data, "sha256")

    def __repr__(self) -> str:
        return f"<Vault {'unlocked' if self.unlocked else 'locked'}>"

    def _cipher(self, label: str) -> AESGCM:
        if label not in self._ciphers:
            self._ciphers[label] = AESGCM(self._derive("seal " + label))
        return self._ciphers[label]

    def _derive(self, label: str) -> bytes:
        if self._key is None:
            raise VaultLocked
        return HKDFExpand(algorithm=SHA256(), length=KEY_SIZE, info=label.encode()).derive(self._key)


@dataclass(frozen=True)
class _Header:
    cost: Cost
    salt: bytes
    wrapped: bytes

    def facts(self) -> bytes:
        """What the wrapped key is bound to."""
        return _canonical({"format": FORMAT, **asdict(self.cost), "salt": self.salt.hex()})

    def encode(self) -> bytes:
        fields = {**json.loads(self.facts()), "wrapped": self.wrapped.hex()}
        return _canonical({**fields, "sha256": hashlib.sha256(_canonical(fields)).hexdigest()})

    @classmethod
    def parse(cls, data: bytes) -> "_Header":
        """A checksum tells a damaged header from a wrong passphrase. Raises VaultDamaged."""
        try:
            fields = json.loads(data)
            told = fields.pop("sha256")
            cost = Cost(*(int(fields[name]) for name in ("memory_kib", "passes", "lanes")))
            header = cls(cost, bytes.fromhex(fields["salt"]), bytes.fromhex(fields["wrapped"]))
            whole = hashlib.sha256(_canonical(fields)).hexdigest() == told and header.encode() == data
        except (ValueError, KeyError, TypeError, AttributeError):
            raise VaultDamaged from None
        if not whole or cost.memory_kib > _MOST_MEMORY_KIB or cost.passes > _MOST_PASSES:
            raise VaultDamaged
        return header


def _wrap(key: bytes, passphrase: str, cost: Cost) -> _Header:
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise VaultError(
            Text("the passphrase is too short", "口令太短"),
            Text(f"use at least {SHORTEST_PASSPHRASE} characters", f"至少 {SHORTEST_PASSPHRASE} 个字符"),
        )
    header = _Header(cost, secrets.token_bytes(_SALT_SIZE), b"")
    nonce = secrets.token_bytes(NONCE_SIZE)
    sealed = AESGCM(_stretch(header, passphrase)).encrypt(nonce, key, header.facts())
    return _Header(cost, header.salt, nonce + sealed)


def _unwrap(header: _Header, passphrase: str) -> bytes:
    cipher = AESGCM(_stretch(header, passphrase))
    try:
        return cipher.decrypt(header.wrapped[:NONCE_SIZE], header.wrapped[NONCE_SIZE:], header.facts())
    except InvalidTag:
        raise WrongPassphrase from None


def _stretch(header: _Header, passphrase: str) -> bytes:
    """NFKC first: full-width letters of an input method are the letters that they look like."""
    kdf = Argon2id(
        salt=header.salt,
        length=KEY_SIZE,
        iterations=header.cost.passes,
        lanes=header.cost.lanes,
        memory_cost=header.cost.memory_kib,
    )
    return kdf.derive(unicodedata.normalize("NFKC", passphrase).encode())


def _canonical(fields: dict) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
