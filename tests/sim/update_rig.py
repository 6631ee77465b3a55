"""Devices that take updates: signed bundles of the real firmware or of a tiny one, and a link without a cable."""

import datetime
import functools
import hashlib
import json
import struct
from pathlib import Path

from bundle import quick_keys
from groundnet.bundle import certificate
from groundnet.sim import firmware_image, romfs
from groundnet.sim.boardfs import BoardFs

BLOCK_BYTES = certificate.BLOCK_SIZE


class Signer:
    """A root, a release key that it certified, and somebody whom nobody trusts."""

    def __init__(self, folder: Path, not_after_day: int = certificate.NEVER):
        root_path, self.root = quick_keys.root(folder)
        self._release_path, release = quick_keys.release(folder)
        self._certificate = certificate.issue(root_path, release, not_after_day)

    def sign(self, bundle: bytes) -> bytes:
        return bundle + certificate.signature_block(self._certificate, self._release_path, bundle)


@functools.cache
def firmware(role: str, board: str, roots: tuple) -> bytes:
    """The image of a role as it lies in the ROM partition."""
    files = firmware_image.build(role, board, roots)
    for path in (*firmware_image.BOOT_FILES, "/board.py"):
        del files[path]
    files["/board.mpy"] = firmware_image.compile_module(firmware_image.board_file(board), "board")
    return romfs.image(files)


def tiny(text: str) -> bytes:
    """The image of an application that is one module."""
    padding = {"/padding": bytes(5000)}  # more than one piece
    return romfs.image({"/start.mpy": firmware_image.compile_text(text, "start"), **padding})


def bundle(image: bytes, version: str = "0.2.0", **changes) -> bytes:
    """Unsigned; ``changes`` of the manifest of a tag's."""
    manifest = {
        "format": 1,
        "role": "tag",
        "board": "xiao_c3_sx1262",
        "product": "groundnet tag",
        "hardware_revisions": [0],
        "version": version,
        "mpy": "6.3",
        "security_counter": 1,
        "least_version": "0.1.0",
        "not_after": None,
        "image_sha256": hashlib.sha256(image).hexdigest(),
        "files": {},
        "settings": {},
    } | changes
    packed = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    return struct.pack("<4sII", b"GNB1", len(packed), len(image)) + packed + image


def flash(image: bytes, first: bytes, role: str = "tag", board: str = "xiao_c3_sx1262") -> BoardFs:
    """Flash as a tray leaves it: what starts it, the bundle in slot a, its image in ROM."""
    files = firmware_image.build(role, board)
    start = {path: files[path] for path in firmware_image.BOOT_FILES}
    return BoardFs(start | {"/slots/a.gnb": first}, rom=image)


def boot_state(active: int, trial: int = 255, tries: int = 0, rom: int = 0, reason: bytes = b"") -> bytes:
    """The blob of NVS, as boot_state.py has it."""
    return struct.pack("<BBBBBIHHHHHH", 1, active, trial, tries, rom, 0, 0, 0, 0, 0, 0, 0) + reason


def day_before(date: datetime.date) -> str:
    return (date - datetime.timedelta(days=1)).isoformat()
