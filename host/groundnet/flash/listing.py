"""What the agent says is on the board: every folder and file that was asked for, with hashes."""

import struct
import zlib
from dataclasses import dataclass, field

from groundnet.flash.raw_mode import RawMode
from groundnet.link.errors import CodeFailed

_HASH_BYTES = 32
_HASHING_S = 10.0  # the longest that one file may take


@dataclass
class Listing:
    """SHA-256 by absolute path of every file; folders without their last slash, "" for the root.

    ``window_bits`` of the deflate stream that the board takes; 0: it cannot inflate.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    window_bits: int = 0


def read_listing(raw: RawMode) -> Listing:
    """The agent's first words.

    Raises NoAnswer, and CodeFailed when what came is not what was sent, or the agent ended.
    """
    found = Listing()
    crc = 0
    folder = ""

    def hear(count: int) -> bytes:
        nonlocal crc
        data = raw.read(count, _HASHING_S)
        crc = zlib.crc32(data, crc)
        return data

    if raw.peek(_HASHING_S) == b"\x04":
        raw.ended()  # raises what the agent raised: there is no name of four characters without a folder before it
    while length := hear(1)[0]:
        name = hear(length).decode(errors="replace")
        if name.endswith("/"):
            folder = name.rstrip("/")
            found.folders.add(folder)
        else:
            found.files[f"{folder}/{name}"] = hear(_HASH_BYTES)
    found.window_bits = hear(1)[0]
    if struct.pack("<I", crc) != raw.read(4):
        raise CodeFailed(raw.port, "the list of files came damaged")
    return found
