"""A whole device: a virtual board of a role with its firmware in flash and its chips wired."""

from dataclasses import dataclass
from pathlib import Path

from groundnet.image import partition_table, romfs
from groundnet.image.boards import board_literal
from groundnet.image.firmware_image import (
    BOOT_FILES,
    DEFAULT_BOARDS,
    board_file,
    build,
    compile_module,
)
from groundnet.sim.board import VirtualBoard
from groundnet.sim.boardfs import BoardFs
from groundnet.sim.power import PowerAccount
from groundnet.sim.signals import BoardIo
from groundnet.sim.wiring import Environment, Site, attach, power_cycle, power_off
from groundnet.sim.world import World


def production_flash(role: str, board: str, folder: Path | None = None) -> BoardFs:
    """Flash as production leaves it: all bytecode in the ROM partition, where it runs without a copy in RAM.

    Files are what starts it: the boot loader. A module of the same name in the file system wins over ROM.

    Args:
        folder: where the files are kept on the host; None: in memory.
    """
    image = build(role, board)
    start = {path: image.pop(path) for path in BOOT_FILES}
    image.pop("/board.py")
    image["/board.mpy"] = compile_module(board_file(board), "board")
    return BoardFs(start, folder, rom=romfs.image(image))


@dataclass
class Device:
    """A board, its chip models by part name, and what is around it."""

    board: VirtualBoard
    parts: dict[str, object]
    power: PowerAccount
    environment: Environment

    def power_off(self) -> None:
        """The supply is cut: RAM is lost, flash stays."""
        self.board.power_off()
        power_off(self.parts, self.power)

    def power_on(self) -> None:
        """Supply comes up for the board and every chip on it."""
        power_cycle(self.parts)
        self.board.power_on()


def make_device(
    world: World,
    name: str,
    role: str,
    environment: Environment,
    unique_id: bytes,
    board: str | None = None,
    files: BoardFs | None = None,
) -> Device:
    """A device of a role, switched off, with the role's firmware in its flash.

    Args:
        name: unique in the world; decides its random numbers.
        board: a folder of firmware/boards; default: the role's own.
        files: flash content instead of the role's firmware.
    """
    board_name = board or DEFAULT_BOARDS[role]
    literal = board_literal(board_name)
    io, power = BoardIo(name), PowerAccount(world)
    parts = attach(Site(world, name, io, power, environment), literal)
    virtual = VirtualBoard(
        world,
        name,
        io=io,
        files=files if files is not None else production_flash(role, board_name),
        unique_id=unique_id,
        power=power,
        chip=literal["chip"],
        network=environment.network,
        partitions=partition_table.of_board(board_name),
    )
    return Device(virtual, parts, power, environment)
