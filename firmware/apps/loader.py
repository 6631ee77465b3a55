"""The boot loader, a board's ``/loader.mpy``: brings the wanted version into the ROM partition.

Self-contained, and never updated in the field: whatever it starts, it must be able to take back. The state is one
blob of NVS, so each change of it is whole or absent; its form is in boot_state.py. A board without one runs what
is in ROM. Nothing that lies in flash may stop it: behind every failure comes the next best image.
"""

import hashlib
import struct

import esp32
import machine
import vfs
from micropython import const

_STATE = "<BBBBBIHHHHHH"  # as boot_state.py has it; a text follows
_STATE_BYTES = const(21)
_STATE_MAX = const(85)
_FORMAT = const(1)
_NONE = const(255)
_WATCHDOG_MS = const(60_000)
_PIECE = const(4096)
_ROM_READ, _ROM_PREPARE, _ROM_WRITE, _ROM_COMPLETE = 2, 3, 4, 5  # vfs.rom_ioctl


class _State:
    """What NVS says, to be changed and kept."""

    def __init__(self, nvs, blob):
        self._nvs = nvs
        _, self.active, self.trial, self.tries, self.rom, *self._rest = struct.unpack_from(_STATE, blob)
        self._reason = bytes(blob[_STATE_BYTES:])

    def keep(self):
        head = struct.pack(_STATE, _FORMAT, self.active, self.trial, self.tries, self.rom, *self._rest)
        self._nvs.set_blob("boot", head + self._reason)
        self._nvs.commit()

    def end_trial(self, reason):
        """The version is remembered with the reason; one that the version itself gave is better."""
        self._rest[4:] = _version(self.trial)
        self._reason = self._reason or reason
        self.trial = _NONE
        self.keep()


def run() -> bool:
    """Whether the image in ROM, which is to run now, is on trial. Restarts the board when it copied another."""
    nvs = esp32.NVS("groundnet")
    blob = bytearray(_STATE_MAX)
    try:
        count = nvs.get_blob("boot", blob)
    except OSError:
        return False  # there was never an update
    if count < _STATE_BYTES or blob[0] != _FORMAT:
        return False
    state = _State(nvs, blob[:count])
    if state.trial != _NONE and not state.tries:
        hung = machine.reset_cause() == machine.WDT_RESET
        state.end_trial(
            b"it hung until the watchdog bit" if hung else b"it restarted before it was confirmed"
        )
    for slot in (state.trial, state.active, state.active ^ 1):
        if slot > 1:
            continue
        if state.rom != slot and _install(slot, state):
            state.rom = slot
            state.keep()
            machine.reset()
        if state.rom == slot:
            break
        if state.trial == slot:
            state.end_trial(b"its slot is damaged")
    if state.trial == _NONE or state.trial != state.rom:
        return False
    state.tries -= 1
    state.keep()
    machine.WDT(timeout=_WATCHDOG_MS)
    return True


def _install(slot, state) -> bool:
    """Copy the image of a slot into the ROM partition; False: the slot is damaged, or the partition.

    The slot is proved before the partition is touched, and the partition after it was written.
    """
    try:
        with open(_path(slot), "rb") as bundle:
            magic, manifest_bytes, size = struct.unpack("<4sII", bundle.read(12))
            wanted = _value(bundle.read(manifest_bytes), b"image_sha256")
            hashed = hashlib.sha256()
            for _, piece in _pieces(bundle, size):
                hashed.update(piece)
            if magic != b"GNB1" or _hex(hashed) != wanted:
                return False
            bundle.seek(12 + manifest_bytes)
            state.rom = _NONE  # being written
            state.keep()
            unit = vfs.rom_ioctl(_ROM_PREPARE, 0, size)
            if unit < 0:
                return False
            for at, piece in _pieces(bundle, size):
                if len(piece) % unit:
                    piece = bytes(piece) + b"\xff" * (-len(piece) % unit)
                if vfs.rom_ioctl(_ROM_WRITE, 0, at, piece) < 0:
                    return False
            vfs.rom_ioctl(_ROM_COMPLETE, 0)
        return _hex(hashlib.sha256(memoryview(vfs.rom_ioctl(_ROM_READ, 0))[:size])) == wanted
    except Exception as error:  # noqa: BLE001  a damaged file raises anything
        print("slot:", error)
        return False


def _pieces(bundle, size):
    view = memoryview(bytearray(_PIECE))
    for at in range(0, size, _PIECE):
        piece = view[: min(_PIECE, size - at)]
        if bundle.readinto(piece) != len(piece):
            raise OSError(5)
        yield at, piece


def _version(slot) -> list:
    try:
        with open(_path(slot), "rb") as bundle:
            _, manifest_bytes, _ = struct.unpack("<4sII", bundle.read(12))
            numbers = [int(text) for text in _value(bundle.read(manifest_bytes), b"version").split(b".")]
            return numbers if len(numbers) == 3 else [0, 0, 0]
    except Exception:  # noqa: BLE001  the slot is why the trial ended
        return [0, 0, 0]


def _value(manifest, name):
    """A text of the manifest, which is canonical JSON."""
    return manifest.split(b'"' + name + b'":"')[1].split(b'"')[0]


def _path(slot):
    return "/slots/a.gnb" if slot == 0 else "/slots/b.gnb"


def _hex(hashed):
    return hashed.digest().hex().encode()
