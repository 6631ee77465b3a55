"""A ring of records in flash: what must wait through losses of power, the oldest given up first when it is full.

The ring is a folder of segments, files of at most ``segment_bytes``. Records are appended to the newest one;
when it is full the oldest segment is removed and a new one begun. An append is in flash as a whole or not at
all where the file system commits on close (littlefs); where it does not (FAT), records behind a cut are dropped
by their CRC, and nothing is ever written behind a damaged record.

Wear: littlefs takes a fresh erase block for each append and for each change of the folder, and spreads both over
all free blocks. With 400 free blocks of 100,000 erasures, an append each 15 s around the clock is 2.1 million of
40 million a year; a tracker appends only while it has something to report.
"""

import os
import struct
from binascii import crc32

from drivers.flash_records import FlashRecordError, make_folder

_HEADER = "<HI"  # bytes of data, CRC-32 of the segment's number and the data
_HEADER_BYTES = 6
RECORD_OVERHEAD = _HEADER_BYTES


class FlashRing:
    """One ring.

    Args:
        folder: where the segments are; made when it is missing.
        segments: how many are kept; at least 2.
        segment_bytes: size of one, at most 65,536. A block of the flash (4096) wears least.
    """

    def __init__(self, folder: str, segments: int, segment_bytes: int = 4096):
        self._folder = folder
        self._segments = segments
        self._segment_bytes = segment_bytes
        self._numbers = None  # of the segments there are, oldest first; None: not looked yet
        self._used = 0  # bytes of the newest segment; all of it when nothing may be appended there
        self._last = 0  # the newest number that was given
        self.lost = 0  # records given up for want of room, since this was made

    @property
    def segments(self) -> int:
        """How many there are."""
        return len(self._look())

    @property
    def capacity_bytes(self) -> int:
        """At least so much of what was appended last, headers included, is there."""
        return (self._segments - 2) * self._segment_bytes

    def records(self):
        """Every good record, oldest first: a generator of bytes, which reads one segment at a time."""
        for number in list(self._look()):
            yield from _good(self._read(number), number)

    def oldest(self) -> tuple:
        """(number, records) of the oldest segment that has records, (None, []) when there is none.

        Nothing is appended to it from now on, so that all of it may be dropped.
        """
        numbers = self._look()
        while numbers:
            number = numbers[0]
            records = list(_good(self._read(number), number))
            if records:
                if len(numbers) == 1:
                    self._used = self._segment_bytes
                return number, records
            self.drop(number)
        return None, []

    def drop(self, number: int) -> None:
        """Remove a segment; one that is gone already is no matter."""
        numbers = self._look()
        if number in numbers:
            self._last = max(self._last, numbers[-1])
            self._remove(number)
            numbers.remove(number)
            if not numbers:
                self._used = 0

    def append(self, records: list) -> None:
        """Add records; they are in flash when this returns. Each is at most a segment less 6 bytes.

        Raises:
            FlashRecordError: the file system refused; what of the records is not in flash may be given again.
        """
        numbers = self._look()
        at = 0
        while at < len(records):
            if not numbers or self._used + _HEADER_BYTES + len(records[at]) > self._segment_bytes:
                self._turn(numbers)
            number = numbers[-1]
            packed = b""
            while at < len(records):
                record = records[at]
                if self._used + len(packed) + _HEADER_BYTES + len(record) > self._segment_bytes:
                    break
                packed += struct.pack(_HEADER, len(record), _checksum(number, record)) + record
                at += 1
            if not packed:
                raise FlashRecordError("a record is larger than a segment")
            self._write(number, packed)

    def erase(self) -> None:
        """Remove every record, the newest segment last, so that a cut leaves the newest ones."""
        numbers = self._look()
        while numbers:
            self._remove(numbers[0])
            numbers.pop(0)
        self._used = 0

    def _look(self) -> list:
        if self._numbers is None:
            make_folder(self._folder)
            self._numbers = sorted([int(name, 16) for name in os.listdir(self._folder) if _is_segment(name)])
            if self._numbers:
                newest = self._numbers[-1]
                data = self._read(newest)
                used = sum([_HEADER_BYTES + len(record) for record in _good(data, newest)])
                self._used = used if used == len(data) else self._segment_bytes
        return self._numbers

    def _turn(self, numbers: list) -> None:
        """Begin a segment; room for it is made first."""
        while len(numbers) >= self._segments:
            self.lost += sum([1 for _ in _good(self._read(numbers[0]), numbers[0])])
            self._remove(numbers[0])
            numbers.pop(0)
        self._last = (numbers[-1] if numbers else self._last) + 1
        numbers.append(self._last)
        self._used = 0

    def _write(self, number: int, packed: bytes) -> None:
        used = self._used
        self._used = self._segment_bytes  # unless it succeeds, nothing is written behind it
        try:
            with open(self._path(number), "ab") as file:
                file.write(packed)
        except OSError as error:
            raise FlashRecordError("cannot write " + self._path(number) + ": " + str(error))
        self._used = used + len(packed)

    def _remove(self, number: int) -> None:
        try:
            os.remove(self._path(number))
        except OSError:
            pass  # it was begun and never written

    def _read(self, number: int) -> bytes:
        try:
            with open(self._path(number), "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _path(self, number: int) -> str:
        return "%s/%08x" % (self._folder, number)


def _is_segment(name: str) -> bool:
    return len(name) == 8 and all(char in "0123456789abcdef" for char in name)


def _checksum(number: int, record: bytes) -> int:
    return crc32(record, crc32(struct.pack("<I", number)))


def _good(data: bytes, number: int):
    """The records of a segment, up to the first that is not whole."""
    at = 0
    while at + _HEADER_BYTES <= len(data):
        size, checksum = struct.unpack_from(_HEADER, data, at)
        end = at + _HEADER_BYTES + size
        record = data[at + _HEADER_BYTES : end]
        if end > len(data) or _checksum(number, record) != checksum:
            return
        yield record
        at = end
