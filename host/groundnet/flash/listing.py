"""What the agent says is on the board: every folder and file that was asked for, with hashes."""

import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from groundnet.flash.raw_mode import RawMode
from groundnet.link.errors import CodeFailed

_HASH_BYTES = 32
_SUMMARY_BYTES = 8
_RAISED = b"\x04Trace"  # what an agent that ended begins with
_HASHING_S = 10.0  # the longest that one file may take


@dataclass
class Listing:
    """SHA-256 by absolute path of every file; folders without their last slash, "" for the root.

    ``window_bits`` of the deflate stream that the board takes; 0: it cannot inflate.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    window_bits: int = 0


def hashes_by_folder(files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Folder -> name -> SHA-256, for every folder on the way to a file, the root too."""
    found: dict[str, dict[str, bytes]] = {"": {}}
    for path, data in files.items():
        folder, _, name = path.rpartition("/")
        for above in folders_above(path):
            found.setdefault(above, {})
        found[folder][name] = hashlib.sha256(data).digest()
    return found


def summary(hashes: Mapping[str, bytes]) -> bytes:
    """What a folder that holds just these files is known by: 64 bits, which no other folder has by chance."""
    whole = b"".join(f"{name}/".encode() + hashes[name] for name in sorted(hashes))
    return hashlib.sha256(whole).digest()[:_SUMMARY_BYTES]


def folders_above(path: str) -> list[str]:
    """Every folder on the way to a file, without the root, the outermost first."""
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))]


def read_listing(raw: RawMode, wanted: Mapping[str, Mapping[str, bytes]]) -> Listing:
    """The agent's first words; of a folder that holds what is ``wanted`` it says no more than that.

    Raises NoAnswer, and CodeFailed when what came is not what was sent, or the agent ended.
    """
    found = Listing()
    crc = 0

    def hear(count: int) -> bytes:
        nonlocal crc
        data = raw.read(count, _HASHING_S)
        crc = zlib.crc32(data, crc)
        return data

    if raw.peek(len(_RAISED), _HASHING_S) == _RAISED:
        raw.ended()
    folder = ""
    while length := hear(1)[0]:
        name = hear(length).decode(errors="replace")
        if not name.endswith("/"):
            found.files[f"{folder}/{name}"] = hear(_HASH_BYTES)
            continue
        folder = name[:-1]
        found.folders.add(folder)
        if hear(1)[0]:
            found.files |= {f"{folder}/{file}": sha256 for file, sha256 in wanted.get(folder, {}).items()}
    found.window_bits = hear(1)[0]
    if struct.pack("<I", crc) != raw.read(4):
        raise CodeFailed(raw.port, "the list of files came damaged")
    return found
