"""What the verifiers are tried on: the RFC's own signatures, ours, and every kind of damage to them.

A case is (name, public key, signature, message, whether it is good).
"""

import json
import struct
from pathlib import Path

DATA = Path(__file__).with_name("data") / "rfc8554.json"
TREE_TYPES = {5: 5, 6: 10}  # LMS type -> height
CHAINS = {3: 67, 4: 34}  # LM-OTS type -> chains

Case = tuple[str, bytes, bytes, bytes, bool]


def rfc_content() -> dict:
    """Appendix F as bytes, by test case."""
    cases = json.loads(DATA.read_text())["cases"]
    return {
        case["name"]: {
            name: bytes.fromhex("".join(case[name])) for name in ("public_key", "message", "signature")
        }
        | {"seeds": case.get("seeds")}
        for case in cases
    }


def signature_size(signature: bytes) -> int:
    """Bytes of the LMS signature that something begins with, by its own types."""
    (ots_type,) = struct.unpack_from(">I", signature, 4)
    path = 8 + 32 * (CHAINS[ots_type] + 1)
    (tree_type,) = struct.unpack_from(">I", signature, path)
    return path + 4 + 32 * TREE_TYPES[tree_type]


def rfc_cases() -> list[Case]:
    """The LMS parts of both HSS signatures (section 6): the upper key signs the lower one, which signs the text."""
    found = []
    for name, case in rfc_content().items():
        levels_less_one, signature = case["signature"][:4], case["signature"][4:]
        assert levels_less_one == b"\0\0\0\1" and case["public_key"][:4] == b"\0\0\0\2"
        size = signature_size(signature)
        upper, lower_key, lower = signature[:size], signature[size : size + 56], signature[size + 56 :]
        found.append((f"{name}, upper", case["public_key"][4:], upper, lower_key, True))
        found.append((f"{name}, lower", lower_key, lower, case["message"], True))
    return found


def flipped(data: bytes, position: int) -> bytes:
    """One bit of one byte changed; which one goes with the position."""
    changed = bytearray(data)
    changed[position] ^= 1 << position % 8
    return bytes(changed)


def damaged(case: Case) -> list[Case]:
    """Bad ones: a byte of every field and of every hash changed, cut, made longer, one for the other."""
    name, key, signature, message, _ = case
    path = signature_size(signature) - 32 * TREE_TYPES[struct.unpack_from(">I", key)[0]]
    places = [*range(8), *range(8, path - 4, 32), *range(path - 4, path), *range(path, len(signature), 32)]
    bad = [(f"signature byte {place}", key, flipped(signature, place), message) for place in places]
    bad += [(f"key byte {place}", flipped(key, place), signature, message) for place in range(len(key))]
    bad += [
        (f"message byte {place}", key, signature, flipped(message, place)) for place in (0, len(message) - 1)
    ]
    bad += [
        ("no message", key, signature, b""),
        ("longer message", key, signature, message + b"\0"),
        ("no signature", key, b"", message),
        ("short signature", key, signature[:-1], message),
        ("long signature", key, signature + b"\0", message),
        ("signature without its path", key, signature[:path], message),
        ("no key", b"", signature, message),
        ("short key", key[:-1], signature, message),
        ("long key", key + b"\0", signature, message),
        ("zeros", bytes(56), bytes(len(signature)), message),
        ("ones", b"\xff" * 56, b"\xff" * len(signature), message),
    ]
    return [(f"{name}: {what}", *values, False) for what, *values in bad]
