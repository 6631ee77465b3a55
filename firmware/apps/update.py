"""Where updates lie in flash, and what proves them. Loaded when a host asks for one; groundcore.update decides."""

import json
import os
import struct
import sys
from hashlib import sha256

import esp32
from apps.boot_state import FOLDER, NONE, SLOTS, BootState
from apps.clock import unix_s
from drivers.flash_records import make_folder
from groundcore import bundle
from groundcore.bundle import Refused
from groundcore.update import TABLE, Update
from micropython import const
from trust import ROOTS

_PART = FOLDER + "/x.part"
_PIECE = const(4096)  # a block of flash: what is not yet there after a power cut is less
_BEGUN = (
    "<I32s"  # entry "part" of NVS: size and hash of the bundle that is being received; its version follows
)
_BEGUN_BYTES = const(36)
_BEGUN_MAX_BYTES = const(60)
_RESERVE_BLOCKS = const(8)  # of the file system, for the records of the device
_BASE_ENTRY_BYTES = const(72)
_LARGEST_BYTES = bundle.HEAD_BYTES + bundle.MANIFEST_MAX_BYTES + bundle.IMAGE_MAX_BYTES + bundle.BLOCK_BYTES


class Shelf:
    """The slots, the file being received, and the boot state.

    Args:
        device: see groundcore/README.md; role and board are compared with a bundle's.
    """

    def __init__(self, device: dict):
        self.state = BootState()
        self._device = device
        self._nvs = esp32.NVS("groundnet")
        self._piece = bytearray(_PIECE)
        self._held = 0  # bytes in hand, not yet in the file

    def begun(self) -> tuple | None:
        entry = bytearray(_BEGUN_MAX_BYTES)
        try:
            count = self._nvs.get_blob("part", entry)
            there = os.stat(_PART)[6]
        except OSError:
            return None
        size, digest = struct.unpack_from(_BEGUN, entry)
        if there > size:
            return None
        return size, digest, bytes(entry[_BEGUN_BYTES:count]).decode(), there

    def begin(self, size: int, digest: bytes, version: str) -> None:
        self.forget()
        if not self.state.found and not _exists(SLOTS[0]):
            raise Refused("unsupported", "no slot holds the running version: flash it once by cable")
        make_folder(FOLDER)
        free = os.statvfs("/")
        room = max(0, free[3] - _RESERVE_BLOCKS) * free[0]
        if size > min(room, _LARGEST_BYTES):
            raise Refused("too_large", "%d bytes, there is room for %d" % (size, room))
        self._nvs.set_blob("part", struct.pack(_BEGUN, size, digest) + version.encode())
        self._nvs.commit()
        open(_PART, "wb").close()

    def append(self, data: bytes) -> None:
        count = min(len(data), _PIECE - self._held)
        self._piece[self._held : self._held + count] = data[:count]
        self._held += count
        if self._held == _PIECE:
            self.flush()
            self.append(data[count:])

    def flush(self) -> None:
        """What is in hand goes into the file."""
        if self._held:
            with open(_PART, "ab") as file:
                file.write(memoryview(self._piece)[: self._held])
            self._held = 0

    def forget(self) -> None:
        self._held = 0
        try:
            self._nvs.erase_key("part")
            self._nvs.commit()
        except OSError:
            pass  # there was none
        if _exists(_PART):
            os.remove(_PART)

    def limits(self) -> tuple:
        return self.state.counter, self.state.least

    def install(self) -> None:
        """Prove what was received, put it into the slot that is not in use, prove that, and have it tried."""
        self.flush()
        begun = self.begun()
        if begun is None or begun[0] != begun[3]:
            raise Refused("storage", "what was received is not there any more")
        size, digest = begun[:2]
        if _digest(_PART, 0, size) != digest:
            raise Refused("malformed", "the bundle is damaged: its hash is another one")
        manifest, start = self._prove(size)
        slot = self.state.active ^ 1
        image = start, size - bundle.BLOCK_BYTES - start
        _compare(_PART, image, manifest, "malformed")  # before the older version in that slot is gone
        os.rename(_PART, SLOTS[slot])
        self.forget()
        _compare(SLOTS[slot], image, manifest, "storage")
        self.state.begin_trial(slot)

    def _prove(self, size) -> tuple:
        today = bundle.today(unix_s())
        with open(_PART, "rb") as file:
            manifest_bytes, _ = bundle.layout(file.read(bundle.HEAD_BYTES), size)
            text = file.read(manifest_bytes)
            file.seek(size - bundle.BLOCK_BYTES)
            block = file.read(bundle.BLOCK_BYTES)
        bundle.check_signature(block, ROOTS, _pieces(_PART, 0, size - bundle.BLOCK_BYTES), today)
        try:
            manifest = json.loads(text)
        except ValueError:
            raise Refused("malformed", "the manifest cannot be read")
        about = dict(self._device)
        mpy = getattr(sys.implementation, "_mpy")  # noqa: B009  a name that must stay as it is
        about["mpy"] = "%d.%d" % (mpy & 0xFF, mpy >> 8 & 3)
        bundle.judge(manifest, about, self.limits(), today)
        return manifest, bundle.HEAD_BYTES + manifest_bytes

    def confirm(self) -> None:
        """What is on trial stays. Raises Refused before its self-test has passed."""
        from apps import trial

        if not trial.passed:
            raise Refused("busy", "the self-test has not passed yet")
        trial.Application().confirm()
        self.state = BootState()

    def condemn(self, reason: str) -> None:
        self.state.condemn(reason)


class Updates:
    """Answers the host's requests; ``restart`` is True when the device must start anew behind the answer.

    A bundle too large for a slot is one of a base image: it goes to the partition of its own. The manifest has the
    last word about that, too.
    """

    def __init__(self, device: dict):
        self._device = device
        self._of_base = _noted("base") or _noted("base_trial")
        self._make()

    @property
    def restart(self) -> bool:
        return self._update.restart

    def handle(self, request: str, values: dict) -> dict:
        """Values of update_state. Raises groundcore.bundle.Refused."""
        if request == "update_begin":
            of_base = values["size_bytes"] > _LARGEST_BYTES
            if of_base != self._of_base and request in TABLE[self._update.state]:
                self._of_base = of_base
                self._make()
        return self._update.handle(request, values)

    def close(self) -> None:
        """The link is closing: what was received is kept."""
        try:
            self._shelf.flush()
        except OSError:
            pass  # the next begin tells how much is there

    def _make(self):
        if self._of_base:
            try:
                from apps import base_image
            except ImportError:  # left out of this board's image
                self._of_base = False
                self._make()
                raise Refused("unsupported", "the base image of this device is replaced by cable only")
            self._shelf = base_image.BaseShelf(dict(self._device, self_test=_tested), ROOTS)
            self._update = Update(self._shelf, self._device, *self._shelf.found())
        else:
            shelf = self._shelf = Shelf(self._device)
            self._update = Update(shelf, self._device, *_found(shelf.state))


def _found(state: BootState) -> tuple:
    """(state, version, detail) of the application's update as this start finds it."""
    found, version = "idle", ""
    if state.trial != NONE:
        found = "trial" if state.rom == state.trial else "verified"
        version = manifest_of(state.trial)["version"]
    elif state.reason:
        found, version = "failed", bundle.shown(state.given_up)
    return found, version, state.reason.decode()


def _tested() -> bool:
    from apps import trial

    return trial.passed


def _noted(key) -> bool:
    """Whether NVS has an entry of the base image's."""
    try:
        return esp32.NVS("groundnet").get_blob(key, bytearray(_BASE_ENTRY_BYTES)) > 0
    except OSError:
        return False


def manifest_of(slot: int) -> dict:
    """Of a bundle that was let in. Raises OSError, ValueError."""
    with open(SLOTS[slot], "rb") as file:
        _, manifest_bytes, _ = struct.unpack("<4sII", file.read(bundle.HEAD_BYTES))
        return json.loads(file.read(manifest_bytes))


def _pieces(path, start, size):
    view = memoryview(bytearray(_PIECE))
    with open(path, "rb") as file:
        file.seek(start)
        while size:
            count = file.readinto(view[: min(_PIECE, size)])
            if not count:
                raise OSError(5)
            size -= count
            yield view[:count]


def _digest(path, start, size) -> bytes:
    hashed = sha256()
    for piece in _pieces(path, start, size):
        hashed.update(piece)
    return hashed.digest()


def _compare(path, image, manifest, code):
    if _digest(path, *image).hex() != manifest["image_sha256"]:
        raise Refused(code, "the image does not have the hash that the manifest names")


def _exists(path) -> bool:
    try:
        os.stat(path)
    except OSError:
        return False
    return True
