"""What a board has to do to hold the wanted files, and the stream of orders that tells the agent."""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from groundnet.flash.listing import Listing

PART = ".part"
_PIECE_BYTES = 4096  # a block of the flash
_ORDER = struct.Struct("<BHH")
_END, _FOLDER, _FILE, _PIECE, _WHOLE, _REMOVE = range(6)


@dataclass(frozen=True)
class Plan:
    """The difference between what is there and what is wanted, in the order in which it is done."""

    removed: tuple[str, ...]  # a folder's name ends in "/" and comes behind what was in it
    folders: tuple[str, ...]
    missing: Mapping[str, bytes]

    def orders(self, window_bits: int) -> bytes:
        """The stream; the contents of all files are one deflate stream, or plain if ``window_bits`` is 0."""
        return b"".join(self._orders(window_bits))

    def _orders(self, window_bits: int) -> Iterator[bytes]:
        for path in self.removed:
            yield _order(_REMOVE, path.rstrip("/").encode(), int(path.endswith("/")))
        for path in self.folders:
            yield _order(_FOLDER, path.encode())
        packer = zlib.compressobj(9, wbits=-window_bits) if window_bits else None
        for path, data in self.missing.items():
            yield _order(_FILE, path.encode())
            for at in range(0, len(data), _PIECE_BYTES):
                piece = packed = data[at : at + _PIECE_BYTES]
                if packer is not None:
                    packed = packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
                yield _order(_PIECE, packed, len(piece))
            yield _order(_WHOLE, hashlib.sha256(data).digest())
        yield _order(_END)


def plan_of(files: Mapping[str, bytes], there: Listing, prune: str | None) -> Plan:
    """What is missing, in the order of ``files``; parts that a cut left; with ``prune`` all else in that folder."""
    missing = {
        path: data for path, data in files.items() if there.files.get(path) != hashlib.sha256(data).digest()
    }
    wanted_folders = {above for path in files for above in folders_above(path)}
    removed = [path for path in there.files if path.endswith(PART) and path.removesuffix(PART) in files]
    if prune is not None:
        inside = prune + "/"
        removed += [
            path
            for path in there.files
            if path.startswith(inside) and path not in files and path not in removed
        ]
        left = [path for path in there.folders if path.startswith(inside) and path not in wanted_folders]
        removed += [path + "/" for path in sorted(left, key=len, reverse=True)]
    folders = sorted(wanted_folders - there.folders, key=len)
    return Plan(tuple(removed), tuple(folders), missing)


def folders_above(path: str) -> list[str]:
    """Every folder on the way to a file, without the root, the outermost first."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _order(order: int, data: bytes = b"", count: int = 0) -> bytes:
    return _ORDER.pack(order, len(data), count) + data
