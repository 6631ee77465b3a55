"""The partition table inside an ESP32 base image: read, and given a ROM partition for the application.

Format: ESP-IDF "Partition Tables", 32-byte entries at flash offset 0x8000, then an MD5 of them. MicroPython maps
a data partition labelled `romfs`; its standard tables have none, so one is cut from the end of `vfs`.
"""

import hashlib
import struct
from dataclasses import dataclass, replace

from groundnet.errors import GroundnetError, Text

TABLE_OFFSET = 0x8000
TABLE_BYTES = 0xC00
ROM_BYTES = 256 * 1024
ROM_LABEL, FILES_LABEL = "romfs", "vfs"

_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC, _MD5_MAGIC = b"\xaa\x50", b"\xeb\xeb" + b"\xff" * 14
_DATA, _ROM_SUBTYPE = 1, 0x8F  # as ports/esp32/partitions-4MiB-romfs.csv of MicroPython
_LEAST_FILES_BYTES = 512 * 1024  # two bundles of a slot each, identity and history


@dataclass(frozen=True)
class Partition:
    """One entry; offset and size in bytes."""

    kind: int
    subtype: int
    offset: int
    size: int
    label: str
    flags: int = 0


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


def with_rom(partitions: list[Partition], size: int = ROM_BYTES) -> list[Partition]:
    """The same table with a ROM partition of ``size`` bytes. Raises GroundnetError when there is no room."""
    if any(one.label == ROM_LABEL for one in partitions):
        return partitions
    files = next((one for one in partitions if one.label == FILES_LABEL), None)
    if files is None or files.size < size + _LEAST_FILES_BYTES:
        raise GroundnetError(
            Text("the base image has no room for a ROM partition", "基础固件没有空间放置 ROM 分区"),
            Text(
                "use a MicroPython image for 4 MiB of flash or more",
                "请使用 4 MiB 或更大闪存的 MicroPython 固件",
            ),
        )
    rom = Partition(_DATA, _ROM_SUBTYPE, files.offset + files.size - size, size, ROM_LABEL)
    shorter = replace(files, size=files.size - size)
    return [shorter if one is files else one for one in partitions] + [rom]


def give_rom(image: bytes, image_offset: int) -> bytes:
    """A base image, to be written at ``image_offset``, whose table has a ROM partition.

    Raises GroundnetError for an image without a partition table, or without room.
    """
    at = TABLE_OFFSET - image_offset
    partitions = parse(image[at : at + TABLE_BYTES])
    if not partitions:
        raise GroundnetError(
            Text("the base image has no partition table", "基础固件中没有分区表"),
            Text(
                "use MicroPython's .bin for this chip, not .app-bin or .uf2",
                "请使用该芯片的 MicroPython .bin 文件",
            ),
        )
    wanted = with_rom(partitions)
    return image if wanted == partitions else image[:at] + pack(wanted) + image[at + TABLE_BYTES :]
