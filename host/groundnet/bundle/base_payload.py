"""The part of a MicroPython build that a base bundle carries, judged as the chip's boot loader will judge it."""

import re
from dataclasses import dataclass

from groundnet.bundle.container import IMAGE_MAX
from groundnet.bundle.manifest import BASE
from groundnet.errors import GroundnetError, Text
from groundnet.image import app_image, base_layout, partition_table
from groundnet.image.boards import board_literal

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")


class BadBaseImage(GroundnetError):
    """The board would not start it, or could not run an application with it."""


@dataclass(frozen=True)
class BasePayload:
    """An application image for the chip's boot loader, and the version in its description."""

    image: bytes
    version: str


def take(image: bytes, board: str) -> BasePayload:
    """The application of a build for a board. Raises BadBaseImage, and GroundnetError for an unknown board."""
    chip = board_literal(board)["chip"]
    found = base_layout.application(image, app_image.BOOT_LOADER_OFFSETS[chip])
    most = _slot_bytes(board)
    try:
        about = app_image.judge(lambda at, count: _read(found, at, count), len(found), chip)
    except app_image.BadImage as error:
        raise _bad(
            f"the image does not start on {board}: {error}", f"该固件无法在 {board} 上启动：{error}"
        ) from None
    if about.image_bytes > most:
        raise _bad(
            f"the image has {about.image_bytes} bytes, a slot of {board} {most}",
            f"固件有 {about.image_bytes} 字节，{board} 的分区只有 {most}",
        )
    if app_image.ROM_FILE_SYSTEM not in found:
        raise _bad("the image is a MicroPython without ROMFS", "该 MicroPython 不带 ROMFS")
    version = _VERSION.match(about.version)
    if version is None:
        raise _bad("the image does not say its version", "该固件没有版本信息")
    return BasePayload(found[: about.image_bytes], version[1])


def _slot_bytes(board: str) -> int:
    table = partition_table.of_board(board) or []
    return min((one.size for one in table if one.is_slot), default=IMAGE_MAX[BASE])


def _read(image: bytes, at: int, count: int) -> bytes:
    data = image[at : at + count]
    if len(data) < count:
        raise app_image.BadImage("it is cut off")
    return data


def _bad(en: str, zh: str) -> BadBaseImage:
    return BadBaseImage(
        Text(en, zh),
        Text(
            "build MicroPython for this board (hardware/micropython/README.md)",
            "请为该板构建 MicroPython（见 hardware/micropython/README.md）",
        ),
    )
