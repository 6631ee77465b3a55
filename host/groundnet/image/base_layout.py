"""How a base image, MicroPython itself, lies in flash: its table is made the one that a device needs.

A device runs its application from a data partition labelled `romfs`. The tables that MicroPython 1.29 comes with have
none, and name no file system either: what lies behind the last entry becomes `vfs` at the first start
(ports/esp32/README.md, "Partition table and filesystem size"). A table with `romfs` must therefore name both.
"""

from dataclasses import replace

from groundnet.errors import GroundnetError, Text
from groundnet.image.partition_table import APP, DATA, TABLE_BYTES, TABLE_OFFSET, Partition, pack, parse

ROM_BYTES = 256 * 1024
ROM_LABEL, FILES_LABEL = "romfs", "vfs"
LEAST_FLASH_BYTES = 4 * 1024 * 1024  # of every board that MicroPython's tables are for

_ROM_SUBTYPE, _FAT_SUBTYPE = 0x8F, 0x81  # as MicroPython's own table with a romfs, and as it registers vfs
_LEAST_FILES_BYTES = 512 * 1024  # two bundles of a slot each, identity and history


def lay_out(image: bytes, image_offset: int, board_table: list[Partition] | None = None) -> bytes:
    """A base image, to be written at ``image_offset``, with the table that it shall have.

    One that has a ROM partition is left as it is: it was built for a board. Else the board's own table is put in,
    where MicroPython fits into its first slot; else the one application partition of the image stays, and `vfs` and
    `romfs` come behind it: such a device takes no base image over the air.

    Raises GroundnetError for an image without a partition table, or without room.
    """
    own = table_of(image, image_offset)
    if any(one.label == ROM_LABEL for one in own):
        return image
    wanted = board_table if board_table and _fits(image, image_offset, own, board_table) else None
    if wanted is None:
        flash_bytes = max(one.end for one in board_table) if board_table else LEAST_FLASH_BYTES
        wanted = with_rom(own, flash_bytes)
    at = TABLE_OFFSET - image_offset
    return image[:at] + pack(wanted) + image[at + TABLE_BYTES :]


def table_of(image: bytes, image_offset: int) -> list[Partition]:
    """The table inside a base image. Raises GroundnetError for one without."""
    at = TABLE_OFFSET - image_offset
    found = parse(image[at : at + TABLE_BYTES])
    if not found:
        raise GroundnetError(
            Text("the base image has no partition table", "基础固件中没有分区表"),
            Text(
                "use the firmware.bin of a build, not micropython.bin or .uf2",
                "请使用构建得到的 firmware.bin，而不是 micropython.bin 或 .uf2",
            ),
        )
    return found


def application(image: bytes, image_offset: int) -> bytes:
    """The application inside a base image: what goes into a slot. An image that is one itself comes back.

    Raises GroundnetError for one whose table names no application.
    """
    at = TABLE_OFFSET - image_offset
    partitions = parse(image[at : at + TABLE_BYTES])
    if not partitions:
        return image
    return image[_first(partitions).offset - image_offset :]


def with_rom(partitions: list[Partition], flash_bytes: int = LEAST_FLASH_BYTES) -> list[Partition]:
    """The same table with a file system and a ROM partition at its end. Raises GroundnetError without room."""
    if any(one.label == ROM_LABEL for one in partitions):
        return partitions
    files = next((one for one in partitions if one.label == FILES_LABEL), None)
    if files is None:
        start = max(one.end for one in partitions)
        files = Partition(DATA, _FAT_SUBTYPE, start, max(0, flash_bytes - start), FILES_LABEL)
        partitions = [*partitions, files]
    if files.size < ROM_BYTES + _LEAST_FILES_BYTES:
        raise GroundnetError(
            Text("the base image has no room for a ROM partition", "基础固件没有空间放置 ROM 分区"),
            Text(
                "use a MicroPython image for 4 MiB of flash or more",
                "请使用 4 MiB 或更大闪存的 MicroPython 固件",
            ),
        )
    rom = Partition(DATA, _ROM_SUBTYPE, files.end - ROM_BYTES, ROM_BYTES, ROM_LABEL)
    shorter = replace(files, size=files.size - ROM_BYTES)
    return [shorter if one is files else one for one in partitions] + [rom]


def _first(partitions: list[Partition]) -> Partition:
    """Where the image has its application. Raises GroundnetError for a table without one."""
    for one in partitions:
        if one.kind == APP:
            return one
    raise GroundnetError(
        Text("the base image's table has no application", "基础固件的分区表中没有应用分区"),
        Text("use the firmware.bin of a build", "请使用构建得到的 firmware.bin"),
    )


def _fits(image: bytes, image_offset: int, own: list[Partition], table: list[Partition]) -> bool:
    slot, first = _first(table), _first(own)
    return slot.offset == first.offset and image_offset + len(image) <= slot.end
