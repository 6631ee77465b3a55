"""MicroPython itself onto chips in their bootloader: stock esptool against the model of the chip's ROM."""

import random
import shutil

import pytest
from flash.tray_rig import Tray
from groundnet.flash import application, base_image
from groundnet.flash.one_board import Plan
from groundnet.flash.tray import flash
from groundnet.image import app_image, partition_table
from groundnet.image.partition_table import TABLE_OFFSET, Partition, pack, parse

CHIP = "esp32c3"
STOCK = [  # MicroPython's ports/esp32/partitions-4MiBplus.csv
    Partition(1, 2, 0x9000, 0x6000, "nvs"),
    Partition(1, 1, 0xF000, 0x1000, "phy_init"),
    Partition(0, 0, 0x10000, 0x1F0000, "factory"),
]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def stock_image(tmp_path):
    """Laid out as the download is: boot loader, partition table, application."""
    boot_loader = app_image.make_boot_loader(CHIP).ljust(TABLE_OFFSET, b"\xff")
    image = (boot_loader + pack(STOCK)).ljust(0x10000, b"\xff") + app_image.make("1.29.0", CHIP) + b"VfsRom"
    image += random.Random(1).randbytes(50_000)  # what does not shrink takes more than one block of the wire
    path = tmp_path / "firmware.bin"
    path.write_bytes(image)
    return path


def boot_button_held(world, tray):
    for socket in tray.sockets:
        world.at(800_000, socket.board.start_download)


def test_chips_in_their_bootloader_become_tags(folder, stock_image):
    tag = application.load("tag")
    steps = []
    with (
        base_image.prepared(base_image.find(CHIP, stock_image), CHIP, "xiao_c3_sx1262") as base,
        Tray(folder, 2, plan=boot_button_held, powered=False) as tray,
    ):
        plan = Plan(tag, base, retries=0, listen_s=3.0, locks=folder / "boards.db")
        done = flash(tray.ports, plan, lambda port, step, share: steps.append((step, share)))
        sizes = {socket.board.base.flash.read(3, 1)[0] >> 4 for socket in tray.sockets}
        tables = [parse(socket.board.base.flash.read(TABLE_OFFSET, 0xC00)) for socket in tray.sockets]
    assert [one.verdict for one in done.boards] == ["passed"] * 2, [one.cause for one in done.boards]
    assert [one.mac for one in done.boards] == ["348518000000", "348518000001"]
    assert {name for one in done.boards for name, _ in one.steps} == {
        "look",
        "base image",
        "application",
        "start",
    }
    assert all(table == partition_table.of_board("xiao_c3_sx1262") for table in tables)
    assert sizes == {3}  # 8 MiB, of the chip on the wire: ESP-IDF, "App Image Format"; the image said 4
    written = [share for step, share in steps if step == "base image"]
    assert max(written) == 1.0 and any(0.0 < share < 1.0 for share in written)


def test_a_bootloader_of_another_chip_is_not_written_to(folder, stock_image):
    tracker = application.load("tracker")  # for an ESP32-S3
    stock_image.write_bytes(stock_image.read_bytes()[:12] + b"\x09" + stock_image.read_bytes()[13:])
    with (
        base_image.prepared(base_image.find("esp32s3", stock_image), "esp32s3") as base,
        Tray(folder, 1, plan=boot_button_held, powered=False) as tray,
    ):
        (result,) = flash(tray.ports, Plan(tracker, base, listen_s=3.0, locks=folder / "boards.db")).boards
    assert result.verdict == "refused" and "esp32c3, not an esp32s3" in result.cause
