"""What a board has to do to hold the wanted files, and the stream of orders that tells the agent."""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from groundnet.flash.listing import Listing, folders_above

PART = ".part"
_PIECE_BYTES = 512  # while one goes to the flash the next is on its way
_PAGE_BYTES = 4096  # of the agent: most that comes out of one piece
_WRITE_BYTES = 1024
_KEPT = ("/state/", "/slots/")  # identity, counters and application of a device
_PIECE = struct.Struct("<HH")
_ORDER = struct.Struct("<BH")
_END, _MAKE_FOLDER, _BEGIN, _WRITE, _FINISH, _REMOVE, _REMOVE_FOLDER = range(7)


@dataclass(frozen=True)
class Plan:
    """The difference between what is there and what is wanted, in the order in which it is done."""

    removed: tuple[str, ...]  # a folder's name ends in "/" and comes behind what was in it
    folders: tuple[str, ...]
    missing: Mapping[str, bytes]
    in_the_way: str = ""  # a file that stays, where a folder is wanted

    def stream(self, window_bits: int) -> bytes:
        """All orders in pieces that can be done as they come; in one deflate stream, plain if ``window_bits`` is 0."""
        orders = b"".join(self._orders())
        return b"".join(_packed_pieces(orders, window_bits) if window_bits else _plain_pieces(orders))

    def _orders(self) -> Iterator[bytes]:
        for path in self.removed:
            folder = path.endswith("/")
            yield _order(_REMOVE_FOLDER if folder else _REMOVE, path.rstrip("/").encode())
        for path in self.folders:
            yield _order(_MAKE_FOLDER, path.encode())
        for path, data in self.missing.items():
            yield _order(_BEGIN, path.encode())
            for at in range(0, len(data), _WRITE_BYTES):
                yield _order(_WRITE, data[at : at + _WRITE_BYTES])
            yield _order(_FINISH, hashlib.sha256(data).digest())
        yield _order(_END)


def plan_of(files: Mapping[str, bytes], there: Listing, prune: str | None) -> Plan:
    """What is missing, in the order of ``files``; parts that a cut left; with ``prune`` all else in that folder.

    A device's identity and its application stay, unless it is their own folder that is pruned.
    """
    missing = {
        path: data for path, data in files.items() if there.files.get(path) != hashlib.sha256(data).digest()
    }
    wanted_folders = {above for path in files for above in folders_above(path)}
    removed = [path for path in there.files if path.endswith(PART) and path.removesuffix(PART) in files]
    if prune is not None:
        kept = tuple(folder for folder in _KEPT if not f"{prune}/".startswith(folder))
        for path in there.files:
            if _is_in(path, prune, kept) and path not in files and path not in removed:
                removed.append(path)
        left = [path + "/" for path in there.folders if path not in wanted_folders]
        removed += sorted((path for path in left if _is_in(path, prune, kept)), key=len, reverse=True)
    folders = sorted(wanted_folders - there.folders, key=len)
    in_the_way = wanted_folders & there.files.keys() - set(removed)
    return Plan(tuple(removed), tuple(folders), missing, min(in_the_way, default=""))


def _packed_pieces(orders: bytes, window_bits: int) -> Iterator[bytes]:
    """The stream is cut anywhere: how much can be unpacked of what has come so far is found by unpacking it."""
    packer = zlib.compressobj(9, wbits=-window_bits, memLevel=9)
    packed = packer.compress(orders) + packer.flush()
    unpacker = zlib.decompressobj(-window_bits)
    for at in range(0, len(packed), _PIECE_BYTES):
        piece = packed[at : at + _PIECE_BYTES]
        plain_bytes = len(unpacker.decompress(piece, _PAGE_BYTES))
        yield _PIECE.pack(len(piece), plain_bytes) + piece
        while more := len(unpacker.decompress(unpacker.unconsumed_tail, _PAGE_BYTES)):
            yield _PIECE.pack(0, more)


def _plain_pieces(orders: bytes) -> Iterator[bytes]:
    for at in range(0, len(orders), _PIECE_BYTES):
        piece = orders[at : at + _PIECE_BYTES]
        yield _PIECE.pack(len(piece), len(piece)) + piece


def _is_in(path: str, folder: str, kept: tuple[str, ...]) -> bool:
    return path.startswith(folder + "/") and path != folder + "/" and not path.startswith(kept)


def _order(order: int, data: bytes = b"") -> bytes:
    return _ORDER.pack(order, len(data)) + data
