"""The base image of a board: MicroPython itself. From a file or the cache; nothing is ever downloaded."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from groundnet.errors import GroundnetError, Text
from groundnet.flash import esptool_run
from groundnet.image import base_layout, partition_table
from groundnet.image.app_image import BOOT_LOADER_OFFSETS, CHIP_NUMBERS, MAGIC, ROM_FILE_SYSTEM

GUIDE = "hardware/micropython/README.md"
MICROPYTHON = "1.29.0"  # what the bytecode is compiled for and the virtual boards run
BYTECODE = (
    6 | 3 << 8
)  # low 10 bits of its sys.implementation._mpy: version 6, sub-version 3; above them the architecture
_CHIP_ID_AT = 12  # two bytes in the image's header


def cache_folder() -> Path:
    """Where images are kept for the next boards; filled by hand, once per release."""
    return user_cache_path("groundnet") / "base"


def fits(bytecode: int) -> bool:
    """Whether a MicroPython with this ``sys.implementation._mpy`` runs our bytecode."""
    return bytecode & 0x3FF == BYTECODE


def cached(chip: str) -> bool:
    """Whether the cache has an image for a chip."""
    _offset(chip)
    return _cached(chip, cache_folder()) is not None


def find(chip: str, named: Path | None = None, folder: Path | None = None) -> Path:
    """The image for a chip: the named file, else the last by name of the wanted version in the cache.

    Raises GroundnetError when there is none, and for one of another chip or without ROMFS.
    """
    _offset(chip)
    kept = folder or cache_folder()
    path = named or _cached(chip, kept)
    if path is None:
        name = f"groundnet-{chip}-v{MICROPYTHON}.bin"
        raise GroundnetError(
            Text(f"no base image for the {chip} is on this computer", f"本机没有 {chip} 的基础固件"),
            Text(
                f"build one ({GUIDE}) and put it as {name} into {kept}, or name it with --base-image",
                f"请先构建（见 {GUIDE}），以 {name} 为名放到 {kept}，或用 --base-image 指定",
            ),
        )
    _check(path, chip)
    return path


@contextmanager
def prepared(path: Path, chip: str, board: str | None = None) -> Iterator[Path]:
    """The image as it goes into flash: with the board's partitions, or at least one that the application runs from."""
    table = partition_table.of_board(board) if board else None
    ready = base_layout.lay_out(path.read_bytes(), _offset(chip), table)
    with tempfile.TemporaryDirectory(prefix="groundnet-") as folder:
        target = Path(folder) / path.name
        target.write_bytes(ready)
        yield target


def write(
    port: str,
    chip: str,
    image: Path,
    *,
    in_bootloader: bool,
    progress: esptool_run.Progress = lambda share: None,
) -> None:
    """Write a prepared image to the board on a port and start it. Raises BaseImageError."""
    command = esptool_run.write_command(port, chip, [(_offset(chip), image)], in_bootloader=in_bootloader)
    esptool_run.run(port, command, progress)


def _cached(chip: str, folder: Path) -> Path | None:
    """A date may stand between chip and version: names sort by it."""
    found = sorted(folder.glob(f"groundnet-{chip}-*v{MICROPYTHON}.bin"))
    return found[-1] if found else None


def _offset(name: str) -> int:
    """Where in flash the image for a chip begins. Raises GroundnetError for a chip without one."""
    if name not in CHIP_NUMBERS:
        raise GroundnetError(
            Text(f"there is no base image for chip '{name}'", f"没有芯片“{name}”的基础固件"),
            Text(
                f"use a board with one of: {', '.join(CHIP_NUMBERS)}",
                f"请使用以下芯片的板：{', '.join(CHIP_NUMBERS)}",
            ),
        )
    return BOOT_LOADER_OFFSETS[name]


def _check(path: Path, chip: str) -> None:
    """Refuse what the chip's ROM would not start, before anything is erased."""
    try:
        with path.open("rb") as file:
            content = file.read()
    except OSError as error:
        raise GroundnetError(
            Text(f"{path} cannot be read ({os.strerror(error.errno or 0)})", f"无法读取 {path}"),
            Text("name the base image with --base-image", "用 --base-image 指定基础固件"),
        ) from error
    number = int.from_bytes(content[_CHIP_ID_AT : _CHIP_ID_AT + 2], "little")
    if content[:1] != bytes([MAGIC]) or number != CHIP_NUMBERS[chip]:
        raise GroundnetError(
            Text(f"{path.name} is not a base image for the {chip}", f"{path.name} 不是 {chip} 的基础固件"),
            Text(
                f"use the firmware.bin of a MicroPython build for the {chip}",
                f"请使用为 {chip} 构建的 MicroPython firmware.bin",
            ),
        )
    if ROM_FILE_SYSTEM not in content:
        raise GroundnetError(
            Text(
                f"{path.name} is a MicroPython without ROMFS, as its downloads for the ESP32 are",
                f"{path.name} 是不带 ROMFS 的 MicroPython（官方 ESP32 下载即如此）",
            ),
            Text(f"build one with it ({GUIDE})", f"请构建带 ROMFS 的版本（见 {GUIDE}）"),
        )
