"""Keys: one secret for each device, and what is derived from it.

HMAC-SHA256 (RFC 2104) is the one MAC that every MicroPython target has. A key is kept as its two padded
blocks, so one MAC is two plain sha256 calls; MicroPython's library `hmac` takes forty times as long.
Derived keys are the first block of HKDF-Expand (RFC 5869 section 2.3) with the device's secret as PRK.
"""

import struct
from hashlib import sha256

from groundwire.constant import const
from groundwire.errors import EncodeError

_BLOCK = const(64)  # bytes of a SHA-256 input block
_number = int.from_bytes
_INNER = _number(b"\x36" * 64, "big")
_OUTER = _number(b"\x5c" * 64, "big")

SECRET_SIZE = 32  # bytes, uniformly random, one for each device
EID_SIZE = 6  # bytes; the id selects the key, see "Why these sizes" in protocol/README.md
PROOF_SIZE = 16  # bytes of the proof of a provisioned secret
CHECK_SIZE = 8  # bytes of the check value that proves a secret was stored right
EPOCH_BITS = 4  # a new EID every 16 beacons
EPOCH_BEACONS = 1 << EPOCH_BITS

IDENTITY = b"groundnet/1 identity"  # EIDs
BEACON = b"groundnet/1 beacon"  # MAC of beacons
POSITION = b"groundnet/1 position"  # hides the position in a fix beacon
DOWNLINK = b"groundnet/1 downlink"  # MAC of commands to the device, and its challenges
SESSION = b"groundnet/1 session"  # link sessions
REPORT = b"groundnet/1 report"  # MAC of a tracker's reports and their answers
CHECK = b"groundnet/1 check"  # check value after provisioning
UPLINK = b"groundnet/1 uplink"  # sessions of a station at the collector

LABELS = (IDENTITY, BEACON, POSITION, DOWNLINK, SESSION, REPORT, CHECK, UPLINK)


class Key:
    """An HMAC-SHA256 key, ready to use. Its repr shows nothing."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes):
        block = sha256(secret).digest() if len(secret) > _BLOCK else bytes(secret)
        block = _number(block + bytes(_BLOCK - len(block)), "big")
        self._inner = (block ^ _INNER).to_bytes(_BLOCK, "big")
        self._outer = (block ^ _OUTER).to_bytes(_BLOCK, "big")

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 of `message`, 32 bytes."""
        return sha256(self._outer + sha256(self._inner + message).digest()).digest()

    def __repr__(self):
        return "<Key>"


def derive_bytes(secret: bytes, label: bytes) -> bytes:
    """32 bytes for one purpose: HKDF-Expand(secret, label, 32)."""
    if len(secret) != SECRET_SIZE:
        raise EncodeError("secret", "a secret is 32 bytes")
    return Key(secret).mac(label + b"\x01")


def derive(secret: bytes, label: bytes) -> Key:
    """The key for one purpose, named by one of the labels above."""
    return Key(derive_bytes(secret, label))


def eid(identity_key: Key, epoch: int) -> bytes:
    """The 6-byte ephemeral id of `epoch` (beacon counter >> 4, 0..2**28 - 1)."""
    return identity_key.mac(struct.pack(">I", epoch))[:EID_SIZE]


def check_value(secret: bytes) -> bytes:
    """8 bytes that tell whether two parties hold the same secret, without telling the secret."""
    return derive_bytes(secret, CHECK)[:CHECK_SIZE]


def provision_proof(secret: bytes, challenge: bytes) -> bytes:
    """16 bytes that answer a fresh 16-byte challenge: the device read its stored secret back right."""
    return derive(secret, SESSION).mac(b"provision" + challenge)[:PROOF_SIZE]


def same(left: bytes, right: bytes) -> bool:
    """Compare without telling by the time taken where the first difference is: whole numbers, one difference."""
    return len(left) == len(right) and not _number(left, "big") ^ _number(right, "big")
