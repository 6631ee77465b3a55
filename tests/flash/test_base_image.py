"""Which image is taken, what is refused before anything is written, and the ROM partition it gets.

The tables are those of MicroPython's ports/esp32: since 1.26 without an entry for files; esptool's format, checked by
its MD5.
"""

import hashlib
import struct

import pytest
from groundnet.errors import GroundnetError, Text
from groundnet.flash import base_image
from groundnet.image import partition_table
from groundnet.image.base_layout import application, lay_out, with_rom
from groundnet.image.partition_table import TABLE_BYTES, TABLE_OFFSET, Partition, pack, parse

PLUS = [  # partitions-4MiBplus.csv
    Partition(1, 2, 0x9000, 0x6000, "nvs"),
    Partition(1, 1, 0xF000, 0x1000, "phy_init"),
    Partition(0, 0, 0x10000, 0x1F0000, "factory"),
]
STOCK = [*PLUS, Partition(1, 0x81, 0x200000, 0x200000, "vfs")]  # partitions-4MiB.csv of 1.25


def image_of(chip_number, table=None, offset=0):
    head = bytes([0xE9, 4, 2, 0x20]) + bytes(8) + chip_number.to_bytes(2, "little") + bytes(2)
    body = bytearray(head.ljust(0x12000, b"\x5a"))
    body[0x11000:0x11006] = b"VfsRom"
    at = TABLE_OFFSET - offset
    body[at : at + TABLE_BYTES] = pack(STOCK) if table is None else table
    return bytes(body)


def test_the_newest_of_the_wanted_version_is_taken(tmp_path):
    for name in ("20260101-v1.29.0", "20260406-v1.29.0", "20270101-v1.30.0"):
        (tmp_path / f"groundnet-esp32c3-{name}.bin").write_bytes(image_of(5))
    assert base_image.find("esp32c3", folder=tmp_path).name == "groundnet-esp32c3-20260406-v1.29.0.bin"


def test_without_an_image_the_guide_and_the_place_are_named(tmp_path):
    with pytest.raises(GroundnetError) as caught:
        base_image.find("esp32s3", folder=tmp_path)
    action = caught.value.action
    assert (
        base_image.GUIDE in action and "groundnet-esp32s3-v1.29.0.bin" in action and str(tmp_path) in action
    )
    assert isinstance(action, Text) and str(tmp_path) in action.zh


@pytest.mark.parametrize("content", [image_of(9), b"UF2\nWQ]\x9e" + bytes(64), b""])
def test_an_image_of_another_chip_or_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "image.bin"
    path.write_bytes(content)
    with pytest.raises(GroundnetError, match="is not a base image for the esp32c3"):
        base_image.find("esp32c3", path)


def test_a_download_of_micropython_is_refused_because_it_cannot_run_bytecode_from_rom(tmp_path):
    """0255cb77cc of MicroPython, "esp32: Implement vfs.rom_ioctl": "Not enabled by default on any board"."""
    path = tmp_path / "ESP32_GENERIC_C3-20260406-v1.29.0.bin"
    path.write_bytes(image_of(5).replace(b"VfsRom", b"VfsFat"))
    with pytest.raises(GroundnetError, match="without ROMFS") as caught:
        base_image.find("esp32c3", path)
    assert base_image.GUIDE in caught.value.action and caught.value.cause.zh


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GroundnetError, match=r"no\.bin cannot be read"):
        base_image.find("esp32c3", tmp_path / "no.bin")


def test_bytecode_is_compared_without_the_architecture():
    """11014 is what an ESP32-S3 says: architecture 10, sub-version 3, version 6 (docs, "MicroPython .mpy files")."""
    assert base_image.fits(11014) and base_image.fits(6 | 3 << 8)
    assert not base_image.fits(6 | 2 << 8) and not base_image.fits(5)


def test_a_stock_image_gets_a_rom_partition_at_the_end_of_its_files():
    for offset in (0, 0x1000):
        ready = lay_out(image_of(5, offset=offset), offset)
        at = TABLE_OFFSET - offset
        table = parse(ready[at : at + TABLE_BYTES])
        assert [(one.label, one.offset, one.size) for one in table[-2:]] == [
            ("vfs", 0x200000, 0x1C0000),
            ("romfs", 0x3C0000, 0x40000),
        ]
        assert len(ready) == 0x12000 and ready[:at] == image_of(5, offset=offset)[:at]


def laid_out(image, board):
    table = partition_table.of_board(board)
    return parse(lay_out(image, 0, table)[TABLE_OFFSET:][:TABLE_BYTES])


def test_an_image_of_today_names_no_files_and_gets_them_before_the_rom_partition():
    """Without an entry MicroPython would take what lies behind the last one, `romfs`, for its files."""
    table = parse(lay_out(image_of(5, pack(PLUS)), 0)[TABLE_OFFSET:][:TABLE_BYTES])
    assert table[:3] == PLUS
    assert [(one.label, one.offset, one.size) for one in table[3:]] == [
        ("vfs", 0x200000, 0x1C0000),
        ("romfs", 0x3C0000, 0x40000),
    ]


@pytest.mark.parametrize("board", ["xiao_c3_sx1262", "heltec_v3"])
def test_an_image_that_fits_into_a_slot_gets_the_table_of_the_board(board):
    assert laid_out(image_of(5, pack(PLUS)), board) == partition_table.of_board(board)


def test_one_that_is_too_large_for_a_slot_keeps_its_one_place_and_the_rest_of_the_boards_flash():
    for board, slot_end, flash_end in (
        ("xiao_c3_sx1262", 0x190000, 0x400000),
        ("heltec_v3", 0x280000, 0x800000),
    ):
        large = image_of(5, pack(PLUS)).ljust(slot_end + 1, b"\x5a")
        table = laid_out(large, board)
        assert [one.label for one in table] == ["nvs", "phy_init", "factory", "vfs", "romfs"]
        assert table[-1].end == flash_end and table[-2].end == table[-1].offset
        assert laid_out(large[:slot_end], board) == partition_table.of_board(board)


def test_the_application_of_an_image_is_what_goes_into_a_slot():
    whole = image_of(5, pack(PLUS)).ljust(0x20000, b"\x11")
    assert application(whole, 0) == whole[0x10000:]
    assert application(whole[0x10000:], 0) == whole[0x10000:]


def test_an_image_that_has_one_stays_as_it_is():
    image = image_of(5, pack(with_rom(STOCK)))
    assert lay_out(image, 0) is image


def test_the_table_is_as_the_format_says():
    """ESP-IDF: magic 0x50AA little-endian, type, subtype, offset, size, label; MD5 over the entries before it."""
    table = pack(STOCK)
    assert table[:32] == struct.pack("<HBBII16sI", 0x50AA, 1, 2, 0x9000, 0x6000, b"nvs", 0)
    assert table[128:144] == b"\xeb\xeb" + b"\xff" * 14
    assert table[144:160] == hashlib.md5(table[:128]).digest() and set(table[160:]) == {0xFF}
    assert parse(table) == STOCK
    assert parse(b"\xaa\x50\x01\x01" + table[4:]) == []  # a bit changed on the way


def test_no_table_and_no_room_are_told():
    with pytest.raises(GroundnetError, match="no partition table"):
        lay_out(image_of(5, bytes(TABLE_BYTES)), 0)
    with pytest.raises(GroundnetError, match="no room"):
        with_rom([Partition(1, 0x81, 0x180000, 0x80000, "vfs")])


def test_what_is_written_has_the_rom_partition_and_is_gone_afterwards(tmp_path):
    path = tmp_path / "base.bin"
    path.write_bytes(image_of(5))
    with base_image.prepared(path, "esp32c3") as ready:
        assert parse(ready.read_bytes()[TABLE_OFFSET:])[-1].label == "romfs"
    assert not ready.exists() and path.read_bytes() == image_of(5)
