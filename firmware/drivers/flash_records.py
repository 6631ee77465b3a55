"""Small records in flash that survive a power cut at any moment.

A record lives in two files, ``<path>.0`` and ``<path>.1``. A store writes the file that does not hold the
newest good copy, so a cut leaves the old record or the new one, never neither.
"""

import os
import struct
from binascii import crc32

_HEADER = "<II"  # CRC-32 of the rest, sequence number
_HEADER_BYTES = 8


class FlashRecordError(Exception):
    """The file system refused to write."""


class FlashRecord:
    """One record.

    Args:
        path: path without the slot's suffix; the folder must exist (``make_folder``).
    """

    def __init__(self, path: str):
        self._paths = (path + ".0", path + ".1")
        self._sequence = 0
        self._slot = None  # of the newest good copy; None: not looked yet

    def load(self) -> bytes | None:
        """The newest good copy, or None when there is none."""
        newest = None
        self._slot = 1  # nothing there: the first store goes to slot 0
        for slot in (0, 1):
            copy = _read_slot(self._paths[slot])
            if copy is not None and (newest is None or copy[0] > self._sequence):
                self._sequence, newest = copy
                self._slot = slot
        return newest

    def store(self, data: bytes) -> None:
        """Write ``data``; it is in flash when this returns."""
        if self._slot is None:
            self.load()
        slot = 0 if self._slot else 1
        sequence = self._sequence + 1
        body = struct.pack("<I", sequence) + data
        try:
            with open(self._paths[slot], "wb") as file:
                file.write(struct.pack("<I", crc32(body)))
                file.write(body)
        except OSError as error:
            raise FlashRecordError("cannot write " + self._paths[slot] + ": " + str(error))
        self._sequence = sequence
        self._slot = slot

    def erase(self) -> None:
        """Remove both copies."""
        for path in self._paths:
            try:
                os.remove(path)
            except OSError:
                pass  # it was not there
        self._sequence = 0
        self._slot = 1


def make_folder(path: str) -> None:
    """Create the folder unless it exists."""
    try:
        os.mkdir(path)
    except OSError:
        pass  # it exists; if it could not be made, the first store tells


def append_limited(path: str, text: str, limit_bytes: int) -> None:
    """Append to a log; past ``limit_bytes`` the old log moves to ``<path>.old`` first."""
    try:
        if os.stat(path)[6] > limit_bytes:
            os.rename(path, path + ".old")
    except OSError:
        pass  # no log yet
    with open(path, "a") as file:
        file.write(text)


def _read_slot(path: str) -> tuple | None:
    """(sequence, data) of a good copy."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError:
        return None
    if len(raw) < _HEADER_BYTES:
        return None
    checksum, sequence = struct.unpack_from(_HEADER, raw, 0)
    if crc32(memoryview(raw)[4:]) != checksum:
        return None
    return sequence, raw[_HEADER_BYTES:]
