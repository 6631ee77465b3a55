"""Flash of a virtual board: the file tree that outlives resets, and a hook at every step that changes it."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 4096
ROM_BYTES = 256 * 1024  # of the partition for the read-only file system
_ERASED = b"\xff"
_ENTRY = struct.Struct("<BHII")  # folder?, path length, data length, modified
_ENOSPC = 28


@dataclass(frozen=True)
class FlashStep:
    """One step at the flash chip. The first is number 1.

    ``kind``: "program" writes one block that nobody sees yet; "commit", "remove", "rename" and "folder" make
    a change that lasts, all at once, as littlefs does. "erase" and "write" are one sector of a base image or of the
    boot loader's notes; ``path`` is the partition's label then, a slash and the sector's number. On the ROM partition
    (label "romfs") they are one piece, and "nvs" is one entry; its ``path`` is the namespace, a slash and the key.
    """

    number: int
    kind: str
    path: str


class PowerCut(Exception):
    """Raised by a step hook: the board loses power before the step takes place."""


class BoardFs:
    """Files of one board by absolute path.

    Args:
        files: first content, path -> bytes; folders come from the paths.
        folder: where the files are kept on the host, or None to keep them in memory only. What lies there
            already is taken over; ``files`` adds to it.
        capacity_bytes: size of the file system.
        rom: content of the ROM partition, which the board maps into its memory (romfs.py).
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        folder: Path | None = None,
        capacity_bytes: int = 2 << 20,
        rom: bytes = b"",
    ) -> None:
        self._nodes: dict[
            str, tuple[bytes | None, int]
        ] = {}  # path -> (data, modified); folders have no data
        self._folder = folder
        self._blocks = capacity_bytes // BLOCK_BYTES
        self.rom = rom
        self.rom_version = 1
        self.version = 0
        self.steps = 0
        self.on_step: Callable[[FlashStep], None] = lambda step: None
        if folder is not None and folder.is_dir():
            for path in sorted(folder.rglob("*")):
                name = "/" + path.relative_to(folder).as_posix()
                self._nodes[name] = (None if path.is_dir() else path.read_bytes(), int(path.stat().st_mtime))
        for name, data in (files or {}).items():
            self[name] = data

    # --- from the host's side: at any time, no flash steps

    def __getitem__(self, path: str) -> bytes:
        data = self._nodes[path][0]
        if data is None:
            raise KeyError(path)
        return data

    def __setitem__(self, path: str, data: bytes) -> None:
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts)):
            self._nodes.setdefault("/" + "/".join(parts[:depth]), (None, 0))
        self._nodes["/" + "/".join(parts)] = (bytes(data), 0)
        self.version += 1
        self._keep(path)

    def __delitem__(self, path: str) -> None:
        for name in [name for name in self._nodes if name == path or name.startswith(path + "/")]:
            del self._nodes[name]
        self.version += 1
        self._drop(path)

    def __contains__(self, path: str) -> bool:
        return path in self._nodes

    def paths(self) -> list[str]:
        """Every file, sorted."""
        return sorted(path for path, (data, _) in self._nodes.items() if data is not None)

    def erase(self) -> None:
        """Lose everything, as ``esptool erase_flash`` does."""
        self.rom = _ERASED * ROM_BYTES
        self.rom_version += 1
        for path in list(self._nodes):
            if path in self._nodes:
                del self[path]

    # --- from the board's side

    def packed(self) -> bytes:
        """The whole tree as interpreter/flash.mjs loads it."""
        parts = []
        for path in sorted(self._nodes):
            data, modified = self._nodes[path]
            name, content = path.encode(), data or b""
            parts += [_ENTRY.pack(data is None, len(name), len(content), modified), name, content]
        return b"".join(parts)

    def free_blocks(self) -> int:
        used = sum(_blocks(data) for data, _ in self._nodes.values())
        return max(0, self._blocks - used - 2)  # littlefs keeps two blocks for its root

    def space(self) -> tuple[int, int, int]:
        """(block size in bytes, blocks, free blocks)."""
        return BLOCK_BYTES, self._blocks, self.free_blocks()

    def program(self, path: str, size: int) -> None:
        """Write one block of a file that will be ``size`` bytes long. Raises OSError(ENOSPC)."""
        if -(-size // BLOCK_BYTES) > self.free_blocks():  # the old content goes only after the new is there
            raise OSError(_ENOSPC, "flash is full")
        self._step("program", path)

    def commit(self, path: str, data: bytes, modified: int) -> None:
        """What was programmed becomes the content of the file."""
        self._step("commit", path)
        self._nodes[path] = (data, modified)
        self._keep(path)

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder."""
        self._step("remove", path)
        del self._nodes[path]
        self._drop(path)

    def rename(self, path: str, target: str) -> None:
        """Move a file, or a folder with what is in it; an existing target is replaced."""
        self._step("rename", path)
        moved = [name for name in self._nodes if name == path or name.startswith(path + "/")]
        for name in moved:
            self._nodes[target + name[len(path) :]] = self._nodes.pop(name)
        self._drop(path)
        for name in moved:
            self._keep(target + name[len(path) :])

    def make_folder(self, path: str, modified: int) -> None:
        self._step("folder", path)
        self._nodes[path] = (None, modified)
        self._keep(path)

    def erase_rom(self, size: int) -> None:
        """Erase the first ``size`` bytes of the ROM partition."""
        for at in range(0, size, BLOCK_BYTES):
            self.step("erase", f"romfs/{at // BLOCK_BYTES}")
            end = min(at + BLOCK_BYTES, size)
            self.rom = self.rom[:at].ljust(at, _ERASED) + _ERASED * (end - at) + self.rom[end:]
            self.rom_version += 1

    def write_rom(self, offset: int, data: bytes) -> None:
        """Program bytes of the ROM partition."""
        self.step("write", f"romfs/{offset // BLOCK_BYTES}")
        before = self.rom[:offset].ljust(offset, _ERASED)
        self.rom = before + data + self.rom[offset + len(data) :]
        self.rom_version += 1

    def step(self, kind: str, path: str) -> None:
        """Count a step outside the file system, on the same chip, and let the hook hear it."""
        self.steps += 1
        self.on_step(FlashStep(self.steps, kind, path))

    def _step(self, kind: str, path: str) -> None:
        self.step(kind, path)
        if kind != "program":
            self.version += 1

    # --- the copy on the host

    def _keep(self, path: str) -> None:
        if self._folder is None:
            return
        target = self._folder / path.strip("/")
        data = self._nodes["/" + path.strip("/")][0]
        if data is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def _drop(self, path: str) -> None:
        if self._folder is None:
            return
        target = self._folder / path.strip("/")
        if target.is_dir():
            for below in sorted(target.rglob("*"), reverse=True):
                below.rmdir() if below.is_dir() else below.unlink()
            target.rmdir()
        elif target.exists():
            target.unlink()


def _blocks(data: bytes | None) -> int:
    """Blocks that a file or folder takes; a small file lives in its folder's metadata."""
    return 1 if data is None else -(-len(data) // BLOCK_BYTES)
