"""What a build of MicroPython leaves, in small: for a virtual chip, but in the form of the real files."""

import hashlib
from functools import reduce
from operator import xor

from groundnet.image import app_image, partition_table

BOARD = "xiao_c3_sx1262"
TABLE = partition_table.of_board(BOARD)
_CODE_AT = 24 + 8 + 256 + 8  # header, head of a segment, description, head of a segment


def micropython(version="v1.29.1", chip="esp32c3", code_bytes=8192, rom=True):
    """An application image; its code holds the name of the ROM file system, checksum and hash are right."""
    image = bytearray(app_image.make(version, chip, code_bytes))
    if rom:
        name, end = b"VfsRom\0\0", len(image) - 32
        before = image[_CODE_AT : _CODE_AT + 8]
        image[_CODE_AT : _CODE_AT + 8] = name
        image[end - 1] ^= reduce(xor, before + name)
        image[end:] = hashlib.sha256(image[:end]).digest()
    return bytes(image)


def firmware_bin(application):
    """As makeimg.py of MicroPython puts it together."""
    head = app_image.make_boot_loader("esp32c3").ljust(partition_table.TABLE_OFFSET, b"\xff")
    return (head + partition_table.pack(TABLE)).ljust(TABLE[3].offset, b"\xff") + application
