"""The LMS tree of one key: RFC 8554, LMS_SHA256_M32_H10 with LMOTS_SHA256_N32_W8, over pyhsslms.

pyhsslms makes all 1024 one-time keys anew, some seconds, whenever it loads a private key. Here they are made once and
kept: what they hash to is public. A signature then costs one one-time signature and the hashing of the tree.
"""

from collections.abc import Callable
from hashlib import sha256

import pyhsslms

HEIGHT = 10
LEAVES = 1 << HEIGHT  # signatures that a key can give in its life
IDENTIFIER_SIZE = 16  # bytes of I, section 3.1
SEED_SIZE = 32  # bytes that all one-time keys come from, appendix A
HASH_SIZE = 32
PUBLIC_KEY_SIZE = 56  # u32 LMS type, u32 LM-OTS type, I, root; section 5.3
SIGNATURE_SIZE = 1452  # section 5.4

_TYPES = pyhsslms.lms_sha256_m32_h10 + pyhsslms.lmots_sha256_n32_w8
_LEAF, _INTERIOR = b"\x82\x82", b"\x83\x83"  # D_LEAF and D_INTR, section 7.1


def one_time_keys(identifier: bytes, seed: bytes, progress: Callable[[int], None]) -> bytes:
    """The hashes of all one-time public keys, 32 bytes each; ``progress`` is told how many are done."""
    keys = bytearray()
    for leaf in range(LEAVES):
        keys += one_time_key(identifier, seed, leaf)
        progress(leaf + 1)
    return bytes(keys)


def one_time_key(identifier: bytes, seed: bytes, leaf: int) -> bytes:
    """K of one leaf: algorithm 1 with the seeds of appendix A."""
    return pyhsslms.LmotsPrivateKey(identifier, _u32(leaf), seed).publicKey().K


def nodes(identifier: bytes, keys: bytes) -> list[bytes]:
    """All nodes of the tree by their number, section 5.3; number 1 is the root, number 0 is none.

    The height is that of the keys: 32 bytes for each of 2^height leaves.
    """
    leaves = len(keys) // HASH_SIZE
    tree = [b""] * (2 * leaves)
    for number in range(2 * leaves - 1, 0, -1):
        if number >= leaves:
            below = _LEAF + keys[(number - leaves) * HASH_SIZE :][:HASH_SIZE]
        else:
            below = _INTERIOR + tree[2 * number] + tree[2 * number + 1]
        tree[number] = sha256(identifier + _u32(number) + below).digest()
    return tree


def public_key(identifier: bytes, tree: list[bytes]) -> bytes:
    """56 bytes: what the devices know."""
    return _TYPES + identifier + tree[1]


def sign(identifier: bytes, seed: bytes, tree: list[bytes], leaf: int, message: bytes) -> bytes:
    """The signature by one leaf, algorithm 5. A leaf must never sign twice: that is the caller's business."""
    one_time = pyhsslms.LmotsPrivateKey(identifier, _u32(leaf), seed).sign(message)
    number = leaf + len(tree) // 2
    path = b""
    while number > 1:
        path += tree[number ^ 1]
        number >>= 1
    return _u32(leaf) + one_time + _TYPES[:4] + path


def is_public_key(data: bytes) -> bool:
    """Whether the bytes have the form of a public key with these parameters."""
    return len(data) == PUBLIC_KEY_SIZE and data[: len(_TYPES)] == _TYPES


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether pyhsslms takes the signature. Any bytes may be handed over; other LMS types are False.

    The types are looked at here because pyhsslms goes by the one that the signature states (algorithm 6a,
    step 2c, wants the key's).
    """
    if not is_public_key(public_key):
        return False
    if len(signature) != SIGNATURE_SIZE or signature[4:8] != _TYPES[4:]:
        return False
    try:
        return pyhsslms.LmsPublicKey.deserialize(public_key).verify(message, signature)
    except ValueError:
        return False


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")
