"""Write a file so that a crash at any instant leaves the old content or the new one, and never half of either."""

import os
import secrets
from pathlib import Path

OWNER_ONLY, EVERYBODY = 0o600, 0o666


def create(path: Path, data: bytes, mode: int = EVERYBODY) -> None:
    """A file that must not exist yet, on disk when this ends. Raises OSError."""
    _write_new(path, data, mode)
    _sync_folder(path.parent)


def replace(path: Path, data: bytes, mode: int = EVERYBODY) -> None:
    """The new content under the name, on disk when this ends. Raises OSError; then the old one is still there."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_new(temporary, data, mode)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """The name is on disk too. Windows has no such call; there the rename itself is journaled."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
