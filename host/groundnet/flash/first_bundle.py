"""The bundle that a blank board gets: head, manifest, image. Unsigned: who flashes by cable holds the board.

Little-endian: magic, bytes of the manifest, bytes of the image; the manifest is canonical JSON.
"""

import ast
import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundnet.errors import GroundnetError, Text
from groundnet.sim import romfs
from groundnet.sim.firmware_image import BOOT_FILES, board_file, compile_module, firmware_folder
from groundnet.sim.firmware_image import build as build_files

_HEAD = struct.Struct("<4sII")
_MAGIC = b"GNB1"


def build(role: str, board: str) -> bytes:
    """The same sources give the same bytes. Raises GroundnetError for an unknown role or board."""
    files = build_files(role, board)
    for path in (*BOOT_FILES, "/board.py"):
        del files[path]
    files["/board.mpy"] = compile_module(board_file(board), "board")
    image = romfs.image(files)
    manifest = {
        "format": 1,
        "role": role,
        "board": board,
        "version": firmware_version(),
        "security_counter": 0,
        "least_version": "0.0.0",
        "image_sha256": hashlib.sha256(image).hexdigest(),
    }
    packed = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    return _HEAD.pack(_MAGIC, len(packed), len(image)) + packed + image


def manifest_of(data: bytes) -> Mapping[str, Any]:
    """The manifest, once the image has the hash that it names. Raises GroundnetError for what is no bundle."""
    try:
        magic, manifest_bytes, image_bytes = _HEAD.unpack_from(data)
        begin = _HEAD.size + manifest_bytes
        manifest = json.loads(data[_HEAD.size : begin])
        image = data[begin : begin + image_bytes]
        good = magic == _MAGIC and hashlib.sha256(image).hexdigest() == manifest["image_sha256"]
    except (struct.error, ValueError, KeyError, TypeError):
        good, manifest = False, {}
    if not good:
        raise GroundnetError(
            Text("the bundle is damaged or is none", "固件包已损坏，或不是固件包"),
            Text("get it again, or build it", "请重新获取或构建"),
        )
    return manifest


def firmware_version() -> str:
    """What the firmware says of itself, read without running it."""
    path: Path = firmware_folder() / "apps" / "service.py"
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="FIRMWARE")], value=ast.Constant(value=str(version))):
                return version
    raise GroundnetError("the firmware names no version", "set FIRMWARE in apps/service.py")
