"""A file system that loses power after any number of steps: what the flash drivers see as `open` and `os`.

A step is one byte written, or one change of the tree. `LITTLEFS` shows what was written when the file is closed,
all at once; `FAT` byte by byte, and opening for writing empties the file at once.
"""

import os
from types import SimpleNamespace

LITTLEFS = "littlefs"
FAT = "fat"
FULL = 28  # ENOSPC


class PowerCut(Exception):
    """The supply is gone; whatever comes next happens after a restart."""


class _File:
    def __init__(self, flash, path, mode):
        self._flash, self._path, self._mode = flash, path, mode
        files = flash.files
        if "r" in mode:
            if path not in files:
                raise OSError(2, path)
        elif "w" in mode or path not in files:
            flash.change(path, b"", mode)
        self._pending = b"" if "w" in mode else files.get(path, b"")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None and self._flash.kind == LITTLEFS and "r" not in self._mode:
            self._flash.step()
            self._flash.files[self._path] = self._pending

    def read(self):
        return self._flash.files[self._path]

    def write(self, data):
        data = data.encode() if isinstance(data, str) else bytes(data)
        for index in range(len(data)):
            self._flash.step()
            self._pending += data[index : index + 1]
            if self._flash.kind == FAT:
                self._flash.files[self._path] = self._pending


class FlakyFlash:
    """Files in memory.

    Args:
        kind: LITTLEFS or FAT.
        steps: after so many the power is cut, before the next one takes place; None: never.
        full_after: after so many, writing is refused instead, as by a full flash.
    """

    def __init__(self, kind: str, steps: int | None = None, full_after: int | None = None):
        self.kind, self.left, self.full_after = kind, steps, full_after
        self.files: dict[str, bytes] = {}
        self.folders = {"/"}
        self.done = 0
        self.removed = 0

    def step(self):
        if self.left is not None and self.done >= self.left:
            raise PowerCut
        if self.full_after is not None and self.done >= self.full_after:
            raise OSError(FULL, "flash is full")
        self.done += 1

    def change(self, path, data, mode):
        if self.kind == FAT:
            self.step()
            self.files[path] = data

    def restart(self, steps: int | None = None):
        """Power is back, for so many further steps."""
        self.left = None if steps is None else self.done + steps

    def open(self, path, mode="r"):
        return _File(self, path, mode)

    @property
    def os(self):
        return SimpleNamespace(
            listdir=self._listdir, remove=self._remove, mkdir=self._mkdir, rename=self._rename, stat=os.stat
        )

    def _listdir(self, folder):
        return [path.rpartition("/")[2] for path in self.files if path.rpartition("/")[0] == folder]

    def _remove(self, path):
        if path not in self.files:
            raise OSError(2, path)
        self.step()
        self.removed += 1
        del self.files[path]

    def _mkdir(self, path):
        if path in self.folders:
            raise OSError(17, path)
        self.step()
        self.folders.add(path)

    def _rename(self, path, target):
        self.step()
        self.files[target] = self.files.pop(path)

    def mount(self, monkeypatch, *modules):
        """Make driver modules see this flash."""
        for module in modules:
            monkeypatch.setattr(module, "open", self.open, raising=False)
            monkeypatch.setattr(module, "os", self.os)
        return self
