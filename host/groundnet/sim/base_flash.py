"""The base image of a virtual board: its flash chip, what booted from it, and `esp32.Partition`.

The interpreter is the same whatever boots; a base image is told from another by its description. The contents of
`vfs`, `romfs` and `nvs` are kept elsewhere (boardfs.py, memory.py); here those partitions are plain bytes.
"""

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from groundnet.image import app_image, partition_table
from groundnet.image.app_image import AppDescription, BadImage
from groundnet.image.partition_table import APP, OTA_0, Partition
from groundnet.sim import partitions
from groundnet.sim.flash_chip import SECTOR_BYTES
from groundnet.sim.partitions import Layout
from groundnet.sim.process import Request
from groundnet.sim.services import PARKED, Handler, Result, Service
from groundnet.sim.shim import operations as op

if TYPE_CHECKING:
    from groundnet.sim.board import VirtualBoard

FLASH_BYTES = 8 << 20
BASE_VERSION = "1.29.0"  # of the image that boards come with

_ERASE_US = 45_000  # of one sector, typical; W25Q64JV datasheet, section 9.6
_PROGRAM_US_PER_KIB = 1_600  # four pages of 0.4 ms, likewise
_READ_US_PER_KIB = 50
_ENOENT = 2
_FAIL = -1
_INVALID_ARG, _VALIDATE_FAILED = 0x102, 0x1503
_HARD_RESET = 2  # machine.reset_cause() after a panic
_ENTRY = struct.Struct("<BBII16s")


class BaseFlash(Service):
    """Flash chip and boot loader of one board.

    Args:
        table: partitions; default: two base images in 4 MiB. The first slot holds ``BASE_VERSION``.
    """

    def __init__(self, board: "VirtualBoard", chip: str, table: Sequence[Partition] | None = None) -> None:
        self._board = board
        self.chip = chip
        self.table = list(table or partition_table.parse_csv(partitions.DEFAULT_TABLE))
        self.running: Partition | None = None
        self.description: AppDescription | None = None
        self.make_new()

    def make_new(self) -> None:
        """Flash as it comes off the line, started once: boot loader, table and the first base image."""
        self.flash = partitions.blank_flash(self.table, FLASH_BYTES)
        self.flash.program(0, app_image.make_boot_loader(self.chip))
        first = next(one for one in self.table if one.kind == APP)
        self.flash.program(first.offset, app_image.make(BASE_VERSION, self.chip))
        partitions.boot(self.flash, self.chip)
        self.flash.on_step = self._step

    def handlers(self) -> dict[int, Handler]:
        return {
            op.PARTITION_TABLE: self._give_table,
            op.PARTITION_CHOOSE: self._choose,
            op.PARTITION_READ: self._read,
            op.PARTITION_ERASE: self._erase,
            op.PARTITION_WRITE: self._write,
            op.PARTITION_SELECT: self._select,
            op.PARTITION_WORKS: self._mark_valid,
        }

    def reset(self) -> None:
        """What runs is kept in the RTC's memory: a wake from deep sleep goes back to it unseen."""

    @property
    def version(self) -> str:
        """Of the base image that runs; empty for none."""
        return self.description.version if self.description else ""

    @property
    def slot(self) -> str:
        """Label of the partition that runs; empty for none."""
        return self.running.label if self.running else ""

    def boot(self, *, from_deep_sleep: bool) -> bool:
        """The boot loaders' part of a start; False when nothing can be started.

        Raises PowerCut when a step hook does.
        """
        if from_deep_sleep and self._wakes():
            return True
        self.running = self.description = None
        if self.flash.read(0, 1) != bytes([app_image.MAGIC]):
            return False
        found = partitions.boot(self.flash, self.chip)
        if found is not None:
            self.running, self.description = found
        return found is not None

    def layout(self) -> Layout:
        """The table and the boot loader's notes as they are now."""
        return Layout(self.flash)

    def put(self, label: str, image: bytes) -> None:
        """Place bytes in a partition from the host's side, without flash steps."""
        self.flash.on_step = lambda kind, address: None
        partition = next(one for one in self.table if one.label == label)
        self.flash.erase(partition.offset, len(image))
        self.flash.program(partition.offset, image)
        self.flash.on_step = self._step

    def _wakes(self) -> bool:
        """Neither the notes nor the image's hash are looked at (SKIP_VALIDATE_IN_DEEP_SLEEP)."""
        if self.running is None:
            return False
        try:
            self.description = partitions.load(self.flash, self.running, self.chip, thoroughly=False)
        except BadImage:
            return False
        return True

    def _step(self, kind: str, address: int) -> None:
        for one in self.layout().table:
            if one.offset <= address < one.offset + one.size:
                self._board.files.step(kind, f"{one.label}/{(address - one.offset) // SECTOR_BYTES}")
                return
        self._board.files.step(kind, f"{address:#x}")

    # --- esp32.Partition

    def _give_table(self, request: Request) -> Result:
        table = self.layout().table
        entries = [
            _ENTRY.pack(one.kind, one.subtype, one.offset, one.size, one.label.encode()) for one in table
        ]
        return len(entries), b"".join(entries)

    def _choose(self, request: Request) -> Result:
        layout = self.layout()
        if request.argument == 0:
            chosen = layout.selected()
        elif request.argument == 1:
            chosen = self.running
        else:
            chosen = _next_slot(layout, layout.table[request.argument - 2])
        return layout.table.index(chosen) if chosen in layout.table else -_ENOENT

    def _read(self, request: Request) -> Result:
        self._board.spend(request.wanted * _READ_US_PER_KIB // 1024)
        return request.wanted, self.flash.read(request.argument, request.wanted)

    def _erase(self, request: Request) -> Result:
        (count,) = struct.unpack("<I", request.data)
        if count % SECTOR_BYTES or request.argument % SECTOR_BYTES:
            return -_INVALID_ARG
        if self._dangerous(request.argument, count):
            return self._panic()
        self.flash.erase(request.argument, count)
        self._board.spend(count // SECTOR_BYTES * _ERASE_US)
        return 0

    def _write(self, request: Request) -> Result:
        if self._dangerous(request.argument, len(request.data)):
            return self._panic()
        self.flash.program(request.argument, request.data)
        self._board.spend(len(request.data) * _PROGRAM_US_PER_KIB // 1024)
        return 0

    def _select(self, request: Request) -> Result:
        layout = self.layout()
        partition = layout.table[request.argument]
        if partition.kind != APP:
            return -_INVALID_ARG
        try:
            partitions.load(self.flash, partition, self.chip)
        except BadImage:
            return -_VALIDATE_FAILED
        if partition not in (layout.factory, *layout.slots):
            return -_INVALID_ARG
        partitions.select(layout, partition)
        self._board.spend(_ERASE_US)
        return 0

    def _mark_valid(self, request: Request) -> Result:
        """Of the entry that is active, whether or not it is about what runs."""
        layout = self.layout()
        number = layout.active()
        if number is None or not layout.slots:
            return _FAIL
        entry = layout.entries()[number]
        if entry.state != partitions.VALID:
            layout.write_entry(number, partitions.OtaEntry.of(entry.sequence, partitions.VALID))
            self._board.spend(_ERASE_US)
        return 0

    def _dangerous(self, address: int, count: int) -> bool:
        """What runs, and everything below the first partition (SPI_FLASH_DANGEROUS_WRITE_ABORTS)."""
        layout = self.layout()
        own = self.running
        if own is not None and address < own.offset + own.size and own.offset < address + count:
            return True
        return address < min((one.offset for one in layout.table), default=0)

    def _panic(self) -> Result:
        self._board.reset(_HARD_RESET)
        return PARKED


def _next_slot(layout: Layout, partition: Partition) -> Partition | None:
    """esp_ota_get_next_update_partition: the slot after it, round and round."""
    if not layout.slots:
        return None
    if partition not in layout.slots:
        return layout.slots[0] if partition.kind == APP and partition.subtype < OTA_0 else None
    return layout.slots[(layout.slots.index(partition) + 1) % len(layout.slots)]
