"""The partition table of an ESP32: in flash, as CSV, and the one that a board has.

Format: ESP-IDF "Partition Tables", 32-byte entries at flash offset 0x8000, then an MD5 of them.
"""

import hashlib
import struct
from dataclasses import dataclass

from groundnet.errors import GroundnetError
from groundnet.image.firmware_image import firmware_folder

TABLE_OFFSET = 0x8000
TABLE_BYTES = 0xC00
APP, DATA = 0, 1
FACTORY, OTA_0, OTA_DATA = 0x00, 0x10, 0x00  # subtypes

_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC, _MD5_MAGIC = b"\xaa\x50", b"\xeb\xeb" + b"\xff" * 14
_TYPES = {"app": APP, "data": DATA}
_APP_SUBTYPES = {"factory": FACTORY, "test": 0x20} | {f"ota_{slot}": OTA_0 + slot for slot in range(16)}
_DATA_SUBTYPES = {
    "ota": 0x00, "phy": 0x01, "nvs": 0x02, "coredump": 0x03, "nvs_keys": 0x04, "efuse": 0x05,
    "undefined": 0x06, "esphttpd": 0x80, "fat": 0x81, "spiffs": 0x82, "littlefs": 0x83,
}  # fmt: skip
_UNITS = {"k": 1024, "m": 1024 * 1024}
_FIRST_OFFSET = 0x9000  # behind the table
_APP_ALIGNMENT, _DATA_ALIGNMENT = 0x10000, 0x1000


@dataclass(frozen=True)
class Partition:
    """One entry; offset and size in bytes."""

    kind: int
    subtype: int
    offset: int
    size: int
    label: str
    flags: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.size

    @property
    def is_slot(self) -> bool:
        """Whether it holds one of several base images."""
        return self.kind == APP and self.subtype & 0xF0 == OTA_0


def of_board(board: str) -> list[Partition] | None:
    """The table in a board's hardware folder; None for a board without one, or where that folder is not installed."""
    path = firmware_folder().parent / "hardware" / board / "partitions.csv"
    return parse_csv(path.read_text(encoding="utf-8")) if path.exists() else None


def parse(table: bytes) -> list[Partition]:
    """The entries of a table; empty for bytes that are none. The MD5 is checked where there is one."""
    found: list[Partition] = []
    for at in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        entry = table[at : at + _ENTRY.size]
        if entry.startswith(_MD5_MAGIC):
            return found if entry[16:] == hashlib.md5(table[:at], usedforsecurity=False).digest() else []
        if not entry.startswith(_MAGIC):
            break
        _, kind, subtype, offset, size, label, flags = _ENTRY.unpack(entry)
        found.append(
            Partition(kind, subtype, offset, size, label.rstrip(b"\0").decode("ascii", "replace"), flags)
        )
    return found


def pack(partitions: list[Partition]) -> bytes:
    """The table with its MD5, padded to its whole size."""
    entries = b"".join(
        _ENTRY.pack(_MAGIC, one.kind, one.subtype, one.offset, one.size, one.label.encode(), one.flags)
        for one in partitions
    )
    table = entries + _MD5_MAGIC + hashlib.md5(entries, usedforsecurity=False).digest()
    return table.ljust(TABLE_BYTES, b"\xff")


def parse_csv(text: str) -> list[Partition]:
    """A table as ESP-IDF writes it: name, type, subtype, offset, size; an empty offset follows the one before.

    Raises GroundnetError for a line that is none, overlapping partitions and wrong alignment.
    """
    table: list[Partition] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            table.append(_parse_line(line, table[-1].offset + table[-1].size if table else _FIRST_OFFSET))
        except (ValueError, KeyError):
            raise _bad(f"'{line.strip()}' is not a partition") from None
    for one, after in zip(ordered := sorted(table, key=lambda one: one.offset), ordered[1:], strict=False):
        if one.offset + one.size > after.offset:
            raise _bad(f"partitions {one.label} and {after.label} overlap")
    return table


def _parse_line(line: str, next_offset: int) -> Partition:
    label, type_, subtype, offset, size = [field.strip() for field in line.split(",")][:5]
    kind = _TYPES[type_] if type_ in _TYPES else int(type_, 0)
    names = _APP_SUBTYPES if kind == APP else _DATA_SUBTYPES
    alignment = _APP_ALIGNMENT if kind == APP else _DATA_ALIGNMENT
    at = _number(offset) if offset else -(-next_offset // alignment) * alignment
    if not 0 < len(label) <= 16 or at % alignment or at < _FIRST_OFFSET:
        raise ValueError(label)
    return Partition(kind, names[subtype] if subtype in names else int(subtype, 0), at, _number(size), label)


def _number(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower(), 1)
    return int(text[:-1] if unit > 1 else text, 0) * unit


def _bad(cause: str) -> GroundnetError:
    return GroundnetError(cause, "correct the partition table (name, type, subtype, offset, size)")
