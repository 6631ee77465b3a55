"""Partitions of a virtual ESP32, and its second-stage boot loader: which base image starts, and what rolls back.

Modelled from ESP-IDF 5: "Partition Tables", "Over The Air Updates" and the behaviour of
`bootloader_utility.c` and `esp_ota_ops.c` with ``CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE`` and
``CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP`` (MicroPython sets the latter). Not modelled: anti-rollback
by eFuse, secure boot, flash encryption, a test application.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from groundnet.image.app_image import AppDescription, BadImage, judge
from groundnet.image.partition_table import (
    APP,
    DATA,
    FACTORY,
    OTA_0,
    OTA_DATA,
    TABLE_BYTES,
    TABLE_OFFSET,
    Partition,
    pack,
    parse,
)
from groundnet.sim.flash_chip import SECTOR_BYTES, FlashChip

# Two base images and a ROM partition in 4 MiB, for boards that have no table of their own.
DEFAULT_TABLE = """\
# Name,   Type, SubType, Offset,   Size
nvs,      data, nvs,     0x9000,   0x4000
otadata,  data, ota,     0xd000,   0x2000
phy_init, data, phy,     0xf000,   0x1000
ota_0,    app,  ota_0,   0x10000,  0x180000
ota_1,    app,  ota_1,   0x190000, 0x180000
vfs,      data, fat,     0x310000, 0xb0000
romfs,    data, 0x8f,    0x3c0000, 0x40000
"""

# --- which application slot is selected

NEW, PENDING_VERIFY, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF  # esp_ota_img_states_t
_ENTRY = struct.Struct("<I20sII")  # esp_ota_select_entry_t: sequence, label, state, CRC of the sequence
_NO_SEQUENCE = 0xFFFFFFFF


@dataclass(frozen=True)
class OtaEntry:
    """One of the two entries in the partition ``otadata``."""

    sequence: int
    state: int
    crc: int

    @classmethod
    def of(cls, sequence: int, state: int) -> "OtaEntry":
        """A good entry."""
        return cls(sequence, state, zlib.crc32(struct.pack("<I", sequence), 0xFFFFFFFF))

    @classmethod
    def unpack(cls, data: bytes) -> "OtaEntry":
        sequence, _, state, crc = _ENTRY.unpack(data)
        return cls(sequence, state, crc)

    def pack(self) -> bytes:
        return _ENTRY.pack(self.sequence, b"\xff" * 20, self.state, self.crc)

    @property
    def whole(self) -> bool:
        """A sequence is there and its CRC is right, whatever became of the image."""
        return self.sequence != _NO_SEQUENCE and self == OtaEntry.of(self.sequence, self.state)

    @property
    def selectable(self) -> bool:
        return self.whole and self.state not in (INVALID, ABORTED)


class Layout:
    """The partition table of a flash chip as it is now, with the two entries of ``otadata``."""

    def __init__(self, flash: FlashChip) -> None:
        self._flash = flash
        self.table = parse(flash.read(TABLE_OFFSET, TABLE_BYTES))
        found = self.find(DATA, OTA_DATA)
        self._ota_data = found[0] if found and found[0].size >= 2 * SECTOR_BYTES else None
        factory = self.find(APP, FACTORY)
        self.factory = factory[0] if factory else None
        slots = sorted(
            (one.subtype, one) for one in self.table if one.kind == APP and one.subtype & 0xF0 == OTA_0
        )
        self.slots = [one for _, one in slots]

    def find(self, kind: int, subtype: int | None = None, label: str | None = None) -> list[Partition]:
        return [
            one
            for one in self.table
            if one.kind == kind and subtype in (None, one.subtype) and label in (None, one.label)
        ]

    def entries(self) -> list[OtaEntry]:
        """What the two sectors say; both empty without such a partition."""
        if self._ota_data is None:
            return [OtaEntry(_NO_SEQUENCE, UNDEFINED, _NO_SEQUENCE)] * 2
        at = self._ota_data.offset
        return [
            OtaEntry.unpack(self._flash.read(at + sector * SECTOR_BYTES, _ENTRY.size)) for sector in (0, 1)
        ]

    def write_entry(self, number: int, entry: OtaEntry) -> None:
        """Erase the sector, then write: a cut between the two leaves the other entry alone in charge."""
        assert self._ota_data is not None
        at = self._ota_data.offset + number * SECTOR_BYTES
        self._flash.erase(at, SECTOR_BYTES)
        self._flash.program(at, entry.pack())

    def erase_entries(self) -> None:
        """Back to the factory image, as set_boot does for it."""
        if self._ota_data is not None:
            self._flash.erase(self._ota_data.offset, self._ota_data.size)

    def active(self) -> int | None:
        """Number of the entry that decides: the selectable one with the highest sequence."""
        entries = self.entries()
        numbers = [number for number in (0, 1) if entries[number].selectable]
        return max(numbers, key=lambda number: (entries[number].sequence, -number), default=None)

    def slot_of(self, entry: OtaEntry) -> Partition:
        return self.slots[(entry.sequence - 1) % len(self.slots)]

    def selected(self) -> Partition | None:
        """What is to boot next (esp_ota_get_boot_partition); images are not looked at."""
        number = self.active()
        if number is not None and self.slots:
            return self.slot_of(self.entries()[number])
        return self.factory or (self.slots[0] if self.slots else None)

    def state_of(self, partition: Partition) -> int:
        """State of a slot: of the newer entry that names it."""
        own = [entry for entry in self.entries() if entry.whole and self.slot_of(entry) == partition]
        return max(own, key=lambda entry: entry.sequence).state if own else UNDEFINED


def boot(flash: FlashChip, chip: str) -> tuple[Partition, AppDescription] | None:
    """What the second-stage boot loader does after every reset that is not a wake from deep sleep.

    A trial that did not say it works is given up, a new image becomes a trial, and what cannot be started is
    passed over. None: nothing can be started.
    """
    layout = Layout(flash)
    initial = not any(entry.whole for entry in layout.entries())
    for number, entry in enumerate(layout.entries()):
        if entry.state == PENDING_VERIFY:
            layout.write_entry(number, replace(entry, state=ABORTED))
    first = None
    number = layout.active()
    if number is not None and layout.slots:
        entry = layout.entries()[number]
        if entry.state == NEW:
            layout.write_entry(number, replace(entry, state=PENDING_VERIFY))
        first = layout.slot_of(entry)
    for partition in _order(layout, first):
        try:
            description = load(flash, partition, chip)
        except BadImage:
            continue
        if initial and partition in layout.slots and layout.factory is None and layout.find(DATA, OTA_DATA):
            layout.write_entry(0, OtaEntry.of(layout.slots.index(partition) + 1, VALID))
        return partition, description
    return None


def load(flash: FlashChip, partition: Partition, chip: str, *, thoroughly: bool = True) -> AppDescription:
    """Judge the image in a partition. Raises BadImage."""
    return judge(
        lambda offset, count: flash.read(partition.offset + offset, count),
        partition.size,
        chip,
        thoroughly=thoroughly,
    )


def select(layout: Layout, partition: Partition) -> None:
    """Write the entry that boots a slot next, as a new image (esp_ota_set_boot_partition, after its checks)."""
    if partition == layout.factory:
        layout.erase_entries()
        return
    slots, wanted = len(layout.slots), layout.slots.index(partition)
    number = layout.active()
    if number is None:
        layout.write_entry(0, OtaEntry.of(wanted + 1, NEW))
        return
    sequence = (wanted + 1) % slots
    while sequence < layout.entries()[number].sequence:
        sequence += slots
    layout.write_entry(1 - number, OtaEntry.of(sequence, NEW))


def _order(layout: Layout, first: Partition | None) -> Iterator[Partition]:
    """Backwards from the selected slot to the factory image, then forwards."""
    slots: Sequence[Partition] = layout.slots
    at = slots.index(first) if first in slots else -1
    yield from reversed(slots[: at + 1])
    if layout.factory is not None:
        yield layout.factory
    yield from slots[at + 1 :]


def blank_flash(table: Sequence[Partition], size: int) -> FlashChip:
    """An erased chip with a partition table."""
    flash = FlashChip(size)
    flash.program(TABLE_OFFSET, pack(list(table)))
    return flash
