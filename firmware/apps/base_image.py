"""The base image, MicroPython itself, replaced in the field: written to the application partition that does not run.

A bundle of the kind "base" carries an image for the chip's boot loader. ``BaseShelf`` takes the place of the slots
(apps/update.py) under groundcore.update: its image goes to flash as it comes, the rest into a small file. What the boot
loader does is the safety net: a trial that does not call ``confirm`` before its next reset of any kind is given up.
That reset comes by itself when the trial's time is up (BaseTrial).
Only a hard reset may follow ``install``: a wake from deep sleep would go back to the old image unseen.
"""

import json
import os
import struct
import sys
from hashlib import sha256

import esp32
from apps.clock import unix_s
from groundcore import bundle
from groundcore.bundle import Refused
from groundcore.update import Update
from micropython import const

KIND = "base"
_HEAD = "/base.head"  # head and manifest, while the image behind them is received
_BLOCK = const(4096)
_NOTE_BLOCKS = const(16)  # after so many the progress is noted; a power cut loses less than that
_RECEIVED = "<II32s"  # entry "base" of NVS: bytes there, size and hash of the bundle; its version follows
_RECEIVED_BYTES = const(40)
# Entry "base_trial": address of the partition, counter and least version once it is confirmed; its version follows.
_TRIAL = "<IIHHH"
_TRIAL_BYTES = const(14)
_LIMITS = "<IHHH"  # entry "base_limits": security counter and least version that are in force
_ENTRY_BYTES = const(72)
_REASON = "base_why"  # entry: why a trial was ended
_REASON_BYTES = const(64)


class BaseShelf:
    """Where a base image is received, proven and handed to the boot loader.

    Args:
        device: role, board, hardware_revision; ``self_test`` is a callable that tells whether this start is well.
        roots: public keys that may certify release keys.
    """

    def __init__(self, device: dict, roots: tuple):
        self._device = device
        self._roots = roots
        self._nvs = esp32.NVS("groundnet")
        self._running = esp32.Partition(esp32.Partition.RUNNING)  # type: ignore[arg-type] - the stub knows labels only
        self._block = bytearray(_BLOCK)
        self._go_to(0, 0)

    def begun(self) -> tuple | None:
        entry = self._entry("base")
        if entry is None:
            return None
        there, size, digest = struct.unpack_from(_RECEIVED, entry)
        self._go_to(there, size)
        if there:
            with open(_HEAD, "rb") as file:
                self._head = bytearray(file.read())
            self._lay_out()
        return size, digest, entry[_RECEIVED_BYTES:].decode(), there

    def begin(self, size: int, digest: bytes, version: str) -> None:
        self.forget()
        if self.pending():
            raise Refused("busy", "the base image that runs is on trial: confirm or abort it first")
        if size > self._slot().info()[3]:
            raise Refused("too_large", "%d bytes, there is room for %d" % (size, self._slot().info()[3]))
        self._note(0, size, digest, version)
        self._go_to(0, size)

    def append(self, data: bytes) -> None:
        """The next bytes of the bundle, in any pieces."""
        rest = memoryview(data)
        while len(rest):
            if not self._image_end:
                taken = self._take_head(rest)
            elif self._at < self._image_end:
                taken = self._take_image(rest)
            else:
                self._tail.extend(rest)
                taken = len(rest)
            self._at += taken
            rest = rest[taken:]

    def flush(self) -> None:
        """Nothing: less than a block waits in RAM, and is asked for again."""

    def forget(self) -> None:
        self._go_to(0, 0)
        self._erase("base")
        try:
            os.remove(_HEAD)
        except OSError:
            pass  # there was none

    def limits(self) -> tuple:
        entry = self._entry("base_limits")
        if entry is None:
            return 0, (0, 0, 0)
        values = struct.unpack(_LIMITS, entry)
        return values[0], values[1:]

    def install(self) -> None:
        """Prove the bundle, prove what lies in flash, and have the boot loader try it. A hard reset must follow."""
        begun = self._entry("base")
        if begun is None or self._at != self._size or len(self._tail) != bundle.BLOCK_BYTES:
            raise Refused("storage", "what was received is not there any more")
        hashed = sha256()
        for piece in self._signed():
            hashed.update(piece)
        hashed.update(self._tail)
        if hashed.digest() != struct.unpack_from(_RECEIVED, begun)[2]:
            raise Refused("malformed", "the bundle is damaged: its hash is another one")
        manifest = self._prove()
        slot, least = self._slot(), bundle.version(manifest["least_version"])
        trial = struct.pack(_TRIAL, slot.info()[2], manifest["security_counter"], *least)
        self._erase(_REASON)
        self._nvs.set_blob("base_trial", trial + begun[_RECEIVED_BYTES:])
        self._nvs.commit()
        try:
            slot.set_boot()
        except OSError:
            raise Refused("refused", "the boot loader would not start this image")
        self.forget()

    def _prove(self) -> dict:
        today = bundle.today(unix_s())
        bundle.check_signature(bytes(self._tail), self._roots, self._signed(), today)
        try:
            manifest = json.loads(bytes(self._head)[bundle.HEAD_BYTES :])
        except ValueError:
            raise Refused("malformed", "the manifest cannot be read")
        about = dict(self._device, kind=KIND)
        mpy = getattr(sys.implementation, "_mpy")  # noqa: B009  a name that must stay as it is
        about["mpy"] = "%d.%d" % (mpy & 0xFF, mpy >> 8 & 3)
        bundle.judge(manifest, about, self.limits(), today)
        hashed = sha256()
        for piece in self._image():
            hashed.update(piece)
        if hashed.digest().hex() != manifest["image_sha256"]:
            raise Refused("storage", "the image does not have the hash that the manifest names")
        return manifest

    # --- the trial

    def pending(self) -> bool:
        """True while the image that runs is on trial: it is the one that was installed last, unconfirmed."""
        return self._trial_address() == self._running.info()[2] and self._selected()

    def found(self) -> tuple:
        """(state, version, detail) for groundcore.update at a start. What was rolled back is told once."""
        entry = self._entry("base_trial")
        if entry is None or (self._entry("base") is not None and not self.pending()):
            return "idle", "", ""
        version = entry[_TRIAL_BYTES:].decode()
        if self.pending():
            return "trial", version, ""
        reason = self._entry(_REASON) or b"the boot loader went back to the image before"
        self._erase("base_trial")
        return "failed", version, reason.decode()

    def confirm(self) -> None:
        """The image that runs stays. Raises Refused before its self-test has passed."""
        if not self.pending():
            raise Refused("wrong_state", "no base image is on trial")
        if not self._device["self_test"]():
            raise Refused("busy", "the self-test has not passed yet")
        entry = self._entry("base_trial") or b""
        self._running.mark_app_valid_cancel_rollback()
        self._nvs.set_blob("base_limits", entry[4:_TRIAL_BYTES])
        self._nvs.commit()
        self._erase("base_trial")

    def condemn(self, reason: str) -> None:
        """Why the trial is going to end: a reset without ``confirm`` is the way back."""
        if self.pending():
            self._nvs.set_blob(_REASON, reason.encode()[:_REASON_BYTES])
            self._nvs.commit()

    def _selected(self) -> bool:
        # Marking as valid is about what is selected: not the same when the boot loader passed over it.
        selected = esp32.Partition(esp32.Partition.BOOT)  # type: ignore[arg-type] - see above
        return selected.info()[2] == self._running.info()[2]

    def _trial_address(self) -> int | None:
        entry = self._entry("base_trial")
        return None if entry is None else struct.unpack_from(_TRIAL, entry)[0]

    # --- the pieces of a bundle

    def _go_to(self, at, size):
        self._at = at
        self._size = size
        self._head = bytearray()
        self._tail = bytearray()
        self._image_start = self._image_end = 0

    def _take_head(self, data) -> int:
        wanted = bundle.HEAD_BYTES
        if len(self._head) >= wanted:
            wanted += struct.unpack_from("<I", self._head, 4)[0]
            if wanted > bundle.MANIFEST_MAX_BYTES:
                raise Refused("too_large", "the manifest is too large")
        taken = min(len(data), wanted - len(self._head))
        self._head.extend(data[:taken])
        if len(self._head) == wanted and wanted > bundle.HEAD_BYTES:
            self._lay_out()
            with open(_HEAD, "wb") as file:
                file.write(self._head)
            self._note(self._image_start)
        return taken

    def _lay_out(self):
        magic, manifest_bytes, image_bytes = struct.unpack_from("<4sII", self._head)
        start = bundle.HEAD_BYTES + manifest_bytes
        if magic != b"GNB1" or start + image_bytes + bundle.BLOCK_BYTES != self._size or not image_bytes:
            raise Refused("malformed", "no signed bundle of this size")
        self._image_start, self._image_end = start, start + image_bytes

    def _take_image(self, data) -> int:
        number, filled = divmod(self._at - self._image_start, _BLOCK)
        taken = min(len(data), _BLOCK - filled, self._image_end - self._at)
        self._block[filled : filled + taken] = data[:taken]
        filled += taken
        if filled == _BLOCK or self._at + taken == self._image_end:
            for at in range(filled, _BLOCK):
                self._block[at] = 0xFF
            self._slot().writeblocks(number, self._block)
            if number % _NOTE_BLOCKS == _NOTE_BLOCKS - 1 or self._at + taken == self._image_end:
                self._note(self._at + taken)
        return taken

    def _signed(self):
        yield self._head
        yield from self._image()

    def _image(self):
        slot, view = self._slot(), memoryview(self._block)
        left, number = self._image_end - self._image_start, 0
        while left > 0:
            slot.readblocks(number, self._block)
            yield view[: min(left, _BLOCK)]
            left -= _BLOCK
            number += 1

    def _slot(self):
        try:
            return self._running.get_next_update()
        except OSError:
            raise Refused("unsupported", "the flash of this board has one place for a base image only")

    # --- NVS

    def _note(self, there, size=None, digest=b"", version=""):
        if size is None:
            entry = struct.pack("<I", there) + (self._entry("base") or b"")[4:]
        else:
            entry = struct.pack(_RECEIVED, there, size, digest) + version.encode()
        self._nvs.set_blob("base", entry)
        self._nvs.commit()

    def _entry(self, key) -> bytes | None:
        entry = bytearray(_ENTRY_BYTES)
        try:
            return bytes(entry[: self._nvs.get_blob(key, entry)])
        except OSError:
            return None

    def _erase(self, key) -> None:
        try:
            self._nvs.erase_key(key)
            self._nvs.commit()
        except OSError:
            pass  # there was none


def updates(device: dict, roots: tuple) -> Update:
    """The update of the base image as this start finds it; takes the host's requests like that of the application."""
    shelf = BaseShelf(device, roots)
    return Update(shelf, device, *shelf.found())
