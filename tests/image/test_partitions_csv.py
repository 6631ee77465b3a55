"""The partition table of each board: it fits its flash, and it is what the virtual board and a flashed one have."""

import csv
import re
from pathlib import Path

import pytest
from groundnet.bundle import container
from groundnet.bundle.manifest import APPLICATION, BASE
from groundnet.image import base_layout, partition_table
from groundnet.image.boards import board_literal
from groundnet.image.firmware_image import ROLES, boards_for
from groundnet.image.partition_table import APP, DATA, pack, parse
from groundnet.sim.desk import Desk, device_on

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent.name for path in ROOT.glob("firmware/boards/*/board.py"))
MIB = 1 << 20
# Makers' pages: Seeed's wiki of the XIAO ESP32C3; Heltec's of both V3 boards, with ESP32-S3FN8 (datasheet, table 1-1).
FLASH_BYTES = {"113991054": 4 * MIB, "HTIT-WB32LA_V3": 8 * MIB, "HTIT-WSL_V3": 8 * MIB}
OFFICIAL_SLOTS = {  # ports/esp32/partitions-4MiB-ota.csv and -8MiBplus-ota.csv of MicroPython 1.29
    4 * MIB: [(0x10000, 0x180000), (0x190000, 0x180000)],
    8 * MIB: [(0x10000, 0x270000), (0x280000, 0x270000)],
}


def flash_bytes(board: str) -> int:
    with (ROOT / "hardware" / board / "bom.csv").open(encoding="utf-8") as file:
        return FLASH_BYTES[next(csv.DictReader(file))["part_number"]]


def kinds(table):
    return {one.label: (one.kind, one.subtype) for one in table}


@pytest.mark.parametrize("board", BOARDS)
def test_the_table_fills_the_flash_aligned_and_without_overlap(board):
    table = partition_table.of_board(board)
    assert table is not None
    assert kinds(table) == {
        "nvs": (DATA, 0x02), "otadata": (DATA, 0x00), "phy_init": (DATA, 0x01), "ota_0": (APP, 0x10),
        "ota_1": (APP, 0x11), "vfs": (DATA, 0x81), "romfs": (DATA, 0x8F),
    }  # fmt: skip
    at = 0x9000  # behind the table itself
    for one in table:
        assert one.offset == at and one.size % 0x1000 == 0
        assert one.kind != APP or one.offset % 0x10000 == 0 == one.size % 0x10000
        at = one.end
    assert at == flash_bytes(board)
    assert parse(pack(table)) == table


@pytest.mark.parametrize("board", BOARDS)
def test_what_goes_into_a_partition_has_room(board):
    table = {one.label: one for one in partition_table.of_board(board)}
    slots = [(one.offset, one.size) for one in table.values() if one.is_slot]
    assert slots == OFFICIAL_SLOTS[flash_bytes(board)]
    assert table["romfs"].size == base_layout.ROM_BYTES == container.IMAGE_MAX[APPLICATION]
    assert table["otadata"].size == 0x2000  # two sectors: ESP-IDF, "OTA Data Partition"
    assert table["nvs"].size >= 0x3000  # ESP-IDF, "NVS": at least three pages
    assert table["ota_0"].size <= container.IMAGE_MAX[BASE]
    bundle_bytes = 160 * 1024  # more than any role's today
    assert table["vfs"].size >= 3 * bundle_bytes + 128 * 1024  # both slots, one being received, records


@pytest.mark.parametrize(("role", "board"), [(role, board) for role in ROLES for board in boards_for(role)])
def test_a_virtual_board_has_its_table(role, board):
    with device_on(Desk(role, board)) as device:
        assert device.board.base.layout().table == partition_table.of_board(board)


@pytest.mark.parametrize("board", BOARDS)
def test_its_base_image_can_be_built(board):
    """The definition of its chip, which takes the board's table; UART0 is a console only where no part is on it."""
    literal = board_literal(board)
    folder = ROOT / "hardware" / "micropython" / literal["chip"]
    cmake = (folder / "mpconfigboard.cmake").read_text(encoding="utf-8")
    header = (folder / "mpconfigboard.h").read_text(encoding="utf-8")
    assert f"boards/mpconfigboard_{literal['chip']}_common.cmake" in cmake
    assert "${MICROPY_BOARD_DIR}/../../${MICROPY_BOARD}/partitions.csv" in cmake
    assert f"CONFIG_ESPTOOLPY_FLASHSIZE_{flash_bytes(board) // MIB}MB=y" in cmake
    assert re.search(r"#define MICROPY_VFS_ROM\s+\(1\)", header)
    console_pins = {"esp32c3": {20, 21}, "esp32s3": {43, 44}}[literal["chip"]]  # UART0 of ESP-IDF
    with (ROOT / "hardware" / board / "pinout.csv").open(encoding="utf-8") as file:
        used = {int(row["gpio"]) for row in csv.DictReader(file) if row["gpio"].isdigit()}
    has_console = re.search(r"#define MICROPY_HW_ENABLE_UART_REPL\s+\(1\)", header) is not None
    assert has_console == (not used & console_pins)
