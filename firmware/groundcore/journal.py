"""What the reporter keeps in flash, so that a report survives a loss of power and is still sent once only.

A journal of records in a ring (drivers/flash_ring.py), which gives up its oldest when it is full:

    item   what is to be reported, under a serial number of its own
    seal   a report: its boot count and sequence, and the serials of its items; written before it is sent
    done   the collector has signed for a report

After a restart a sealed report goes out again under the same boot count and sequence: the collector drops it if it
has it already. So a lost `done` costs a repetition and never a double. Items near the ring's end that must not be
lost, alarms and sealed reports, are written anew; the rest of the history ages out.
"""

import struct

from groundwire.constant import const
from groundwire.fields import layout
from groundwire.report_table import MESSAGES

_ITEM = const(0x49)  # "I" | rank u8 | serial u32 | the item as in a report
_SEAL = const(0x53)  # "S" | boot count u32 | sequence u32 | serial u32 ...
_DONE = const(0x44)  # "D" | boot count u32 | sequence u32
_ITEM_HEAD = "<BBI"
_ITEM_HEAD_SIZE = const(6)
_NAME_HEAD = "<BII"
_NAME_HEAD_SIZE = const(9)
_OVERHEAD = const(16)  # bytes that the ring adds to a record, with what stays empty at a segment's end
_LAZY_DONES = const(4)  # that many wait for company before they are written by themselves

_ITEMS = (MESSAGES[0][3][4],)  # the field `items` of a report


def pack_item(item: dict) -> bytes:
    """An item of a report as bytes. Raises EncodeError."""
    return layout(_ITEMS).encode({"items": [item]})


def unpack_item(data: bytes) -> dict:
    """The item that `pack_item` made. Raises DecodeError."""
    return layout(_ITEMS).decode(data)["items"][0]


class Journal:
    """Collects records; `take` gives what is to be appended now.

    An entry is a list [serial, data, rank, place]: place is how many bytes had been written when it was.

    Args:
        capacity: bytes of what was written last that the ring surely holds; 0: there is no ring.
        records: what it holds now, oldest first; any iterable.
    """

    def __init__(self, capacity: int = 0, records=()):
        self._capacity = capacity
        self._written = 0
        self._serial = 0
        self._new = []
        self._dones = 0
        self.waiting = []  # entries of no report yet, by serial
        self.sealed = []  # (boot count, sequence, entries), oldest first
        self._read(records)

    def entry(self, item: dict, rank: int) -> list:
        """A new entry, which will be in the journal."""
        self._serial += 1
        entry = [self._serial, pack_item(item), rank, 0]
        self._put_item(entry)
        return entry

    def seal(self, boot_count: int, sequence: int, entries: list):
        """These entries are a report from now on; it may be sent when `keep` and `take` were carried out."""
        self._put_seal(boot_count, sequence, entries)

    def done(self, boot_count: int, sequence: int):
        """The collector has it; written with the next record, or after a few of its kind."""
        self._dones += 1
        self._put(struct.pack(_NAME_HEAD, _DONE, boot_count, sequence))

    def keep(self, urgent: list, reports: list):
        """Write anew what would age out and must not: entries, and (boot count, sequence, entries)."""
        for entry in urgent:
            if self._is_near_end(entry):
                self._put_item(entry)
        for boot_count, sequence, entries in reports:
            if entries and self._is_near_end(min(entries, key=_place)):
                for entry in entries:
                    self._put_item(entry)
                self._put_seal(boot_count, sequence, entries)

    def take(self) -> list:
        """Records to be appended now, in this order."""
        if len(self._new) == self._dones < _LAZY_DONES:
            return []
        new, self._new, self._dones = self._new, [], 0
        return new

    def _put(self, record):
        if self._capacity:
            self._new.append(record)
            self._written += len(record) + _OVERHEAD

    def _put_item(self, entry):
        entry[3] = self._written
        self._put(struct.pack(_ITEM_HEAD, _ITEM, entry[2], entry[0]) + entry[1])

    def _put_seal(self, boot_count, sequence, entries):
        serials = b"".join([struct.pack("<I", entry[0]) for entry in entries])
        self._put(struct.pack(_NAME_HEAD, _SEAL, boot_count, sequence) + serials)

    def _is_near_end(self, entry):
        return self._capacity and self._written - entry[3] > self._capacity - self._capacity // 4

    def _read(self, records):
        entries = {}
        seals = {}
        order = []
        for record in records:
            self._read_one(record, entries, seals, order)
            self._written += len(record) + _OVERHEAD
        for name in order:
            if name in seals:
                held = [entries.pop(serial) for serial in seals.pop(name) if serial in entries]
                if held:
                    self.sealed.append((name[0], name[1], held))
        self.waiting = [entries[serial] for serial in sorted(entries)]

    def _read_one(self, record, entries, seals, order):
        kind = record[0] if record else 0
        if kind == _ITEM and len(record) > _ITEM_HEAD_SIZE:
            _, rank, serial = struct.unpack_from(_ITEM_HEAD, record, 0)
            entries[serial] = [serial, record[_ITEM_HEAD_SIZE:], rank, self._written]
            self._serial = max(self._serial, serial)
        elif kind == _SEAL and len(record) > _NAME_HEAD_SIZE:
            _, boot_count, sequence = struct.unpack_from(_NAME_HEAD, record, 0)
            count = (len(record) - _NAME_HEAD_SIZE) // 4
            seals[(boot_count, sequence)] = struct.unpack_from("<%dI" % count, record, _NAME_HEAD_SIZE)
            order.append((boot_count, sequence))
        elif kind == _DONE and len(record) == _NAME_HEAD_SIZE:
            _, boot_count, sequence = struct.unpack_from(_NAME_HEAD, record, 0)
            for serial in seals.pop((boot_count, sequence), ()):
                entries.pop(serial, None)


def _place(entry):
    return entry[3]
