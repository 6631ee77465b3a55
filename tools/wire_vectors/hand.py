"""Laying out bytes by hand: the second opinion that golden vectors come from.

MACs come from CPython's `hmac`, CRCs from `crcmod`, byte stuffing from the `cobs` package. Nothing of
groundwire
is imported here or beside; a test checks that.
"""

import hmac
import struct

import crcmod.predefined
from cobs import cobs

HAND = "laid out by hand in tools/wire_vectors from protocol/README.md"
ORACLES = f"{HAND}; MAC by CPython hmac, CRC by crcmod, stuffing by the cobs package"

SECRET = bytes(range(32))
DEVICE_ID = bytes.fromhex("0000a4cf12345678")
STATION_ID = bytes.fromhex("0000f412fa9b1c2d")
TIME_MS = 1_760_000_000_000
UNKNOWN_TIME = 2**64 - 1
crc32 = crcmod.predefined.mkPredefinedCrcFun("crc-32")


def u8(value: int) -> bytes:
    return struct.pack(">B", value)


def u16(value: int) -> bytes:
    return struct.pack(">H", value)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def u64(value: int) -> bytes:
    return struct.pack(">Q", value)


def i16(value: int) -> bytes:
    return struct.pack(">h", value)


def i32(value: int) -> bytes:
    return struct.pack(">i", value)


def sized(data: bytes) -> bytes:
    """A blob, a text, a record: one byte of size, then the bytes."""
    return u8(len(data)) + data


def text(value: str) -> bytes:
    return sized(value.encode())


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def derived(label: str, secret: bytes = SECRET) -> bytes:
    """HKDF-Expand (RFC 5869 2.3), one block."""
    return mac(secret, b"groundnet/1 " + label.encode() + b"\x01")


def line(kind: int, sequence: int, payload: bytes, head: int = 0x10) -> bytes:
    raw = u8(head) + u8(kind) + u16(sequence) + payload
    return b"\x00" + cobs.encode(raw + u32(crc32(raw))) + b"\x00"


def vector(name: str, op: str, origin: str, **rest) -> dict:
    shown = {key: value.hex() if isinstance(value, bytes) else value for key, value in rest.items()}
    return {"name": name, "op": op, "origin": origin, **shown}


def message(kind: int, name: str | None, payload: bytes, case: str = "", **values) -> dict:
    shown = {key: value.hex() if isinstance(value, bytes) else value for key, value in values.items()}
    label = f"{name or hex(kind)}{'-' + case if case else ''}"
    return vector(label, "message", HAND, kind=kind, message=name, payload=payload, values=shown)


def rejected(kind: int, name: str, payload: bytes, case: str, error: str) -> dict:
    return vector(f"{name}-{case}", "message", HAND, kind=kind, payload=payload, error=error)
