"""Verifies LMS signatures: RFC 8554, with SHA-256 of 32 bytes. Signing is the host's business.

A signature is good or it is not: whatever the bytes say, the answer is True or False, after at most 8428 hashes
of 55 bytes. The message is streamed; beside the two arguments the work needs less than 2 KB, and
garbage is made of digests alone. Nothing here is secret (key, signature and message are public), so an ordinary
comparison gives nothing away.

Hash inputs all begin with the tree's identifier I (16 bytes), a 32-bit number of the leaf q or of the node, and a
16-bit number: of the chain, or one of the four D_ codes, RFC 8554 section 7.1. One buffer serves them all.
"""

import struct
from hashlib import sha256

from groundwire.constant import const

PUBLIC_KEY_SIZE = 56  # u32 LMS type, u32 LM-OTS type, I, root of the tree; RFC 8554 section 5.3
SIGNATURE_SIZE = 1452  # of LMS_SHA256_M32_H10 with LMOTS_SHA256_N32_W8; section 5.4

_HEIGHTS = {5: 5, 6: 10}  # LMS type -> height: LMS_SHA256_M32_H5 and _H10, section 5.1
# LM-OTS type -> (w, p, ls): LMOTS_SHA256_N32_W4 and _W8, section 4.1. W8 is ours; test case 2 has W4 as well.
_CHAINS = {3: (4, 67, 4), 4: (8, 34, 0)}

_N = const(32)  # bytes of a hash
_NUMBER = const(16)  # where q or the node's number is in a hash input: after I
_CODE = const(20)  # where the chain's number or the D_ code is
_STEP = const(22)  # where the step's number in a chain is
_VALUE = const(23)  # where the hash to go on from is
_PBLC = const(0x8080)
_MESG = const(0x8181)
_LEAF = const(0x8282)
_INTR = const(0x8383)


def verify(public_key: bytes, signature: bytes, chunks) -> bool:
    """Whether `signature` is that of the message under `public_key`: RFC 8554, algorithm 6.

    Args:
        public_key: 56 bytes, LMS_SHA256_M32_H5 or _H10 with LMOTS_SHA256_N32_W4 or _W8. Any other is False.
        signature: any bytes.
        chunks: iterable of bytes, the message in pieces of any size. It is not begun when the form of key or
            signature is wrong. What it raises goes through.
    """
    if len(public_key) != PUBLIC_KEY_SIZE:
        return False
    lms_type, ots_type = struct.unpack_from(">II", public_key)
    if lms_type not in _HEIGHTS or ots_type not in _CHAINS:
        return False
    height = _HEIGHTS[lms_type]
    path = 8 + _N * (_CHAINS[ots_type][1] + 1)  # where the LMS type is, and behind it the path
    if len(signature) != path + 4 + _N * height:
        return False
    leaf, signed_ots_type = struct.unpack_from(">II", signature)
    (signed_lms_type,) = struct.unpack_from(">I", signature, path)
    if signed_ots_type != ots_type or signed_lms_type != lms_type or leaf >> height:
        return False
    buffer = bytearray(_VALUE + _N)
    buffer[:_NUMBER] = memoryview(public_key)[8 : 8 + _NUMBER]
    struct.pack_into(">I", buffer, _NUMBER, leaf)
    view = memoryview(signature)
    digest = _message_digest(buffer, view[8 : 8 + _N], chunks)
    node = _one_time_key(buffer, view[8 + _N : path], digest, _CHAINS[ots_type])
    root = _root(buffer, view[path + 4 :], leaf + (1 << height), node)
    return root == bytes(memoryview(public_key)[8 + _NUMBER :])


def _message_digest(buffer, randomizer, chunks):
    """Q of algorithm 4b: the hash of the message with I, q and C before it."""
    struct.pack_into(">H", buffer, _CODE, _MESG)
    hashing = sha256(memoryview(buffer)[:_STEP])
    hashing.update(randomizer)
    for chunk in chunks:
        hashing.update(chunk)
    return hashing.digest()


def _one_time_key(buffer, values, digest, parameters):
    """Kc of algorithm 4b: every chain of the signature run to its end, then hashed together."""
    width, chains, shift = parameters
    last = (1 << width) - 1
    digits = bytearray(_N + 2)
    digits[:_N] = digest
    checksum = 0
    for i in range(_N * 8 // width):
        checksum += last - _digit(digits, i, width)
    struct.pack_into(">H", digits, _N, checksum << shift)
    struct.pack_into(">H", buffer, _CODE, _PBLC)
    hashing = sha256(memoryview(buffer)[:_STEP])
    value = memoryview(buffer)[_VALUE:]
    for i in range(chains):
        struct.pack_into(">H", buffer, _CODE, i)
        value[:] = values[i * _N : (i + 1) * _N]
        _run_chain(buffer, value, _digit(digits, i, width), last)
        hashing.update(value)
    return hashing.digest()


def _run_chain(buffer, value, step, last):
    """The steps of one chain from `step` up to `last`: all but a thousandth of the time is spent here."""
    hashed = sha256
    while step < last:
        buffer[_STEP] = step
        value[:] = hashed(buffer).digest()
        step += 1


def _digit(digits, i, width):
    """coef(S, i, w), RFC 8554 section 3.1.3, for a width of 4 or 8 bits."""
    bit = i * width
    return digits[bit >> 3] >> (8 - width - (bit & 7)) & ((1 << width) - 1)


def _root(buffer, path, number, node):
    """Tc of algorithm 6a: from the leaf with its one-time key up to the root, by the path's other halves."""
    node = _hash_node(buffer, number, _LEAF, node, b"")
    for start in range(0, len(path), _N):
        other = path[start : start + _N]
        left, right = (other, node) if number & 1 else (node, other)
        number >>= 1
        node = _hash_node(buffer, number, _INTR, left, right)
    return node


def _hash_node(buffer, number, code, left, right):
    struct.pack_into(">IH", buffer, _NUMBER, number, code)
    hashing = sha256(memoryview(buffer)[:_STEP])
    hashing.update(left)
    hashing.update(right)
    return hashing.digest()
