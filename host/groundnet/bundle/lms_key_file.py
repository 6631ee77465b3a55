"""The file of an LMS key: its format, and writing it so that it survives a crash at any instant.

JSON, readable by its owner alone. Beside the secret seed it holds the hashes of the one-time keys (public), so that
a signature does not begin with some seconds of making them.
"""

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from groundnet.bundle import lms_tree
from groundnet.errors import GroundnetError, Text

ROOT = "root"
RELEASE = "release"
ROLES = (ROOT, RELEASE)

_FORMAT = "groundnet LMS key 1"


class KeyFileError(GroundnetError):
    """A key file that is missing, damaged, open to others, or in the way of a new one."""


@dataclass(frozen=True)
class Key:
    """A key file's content; what is secret is not shown."""

    role: str
    identifier: bytes
    next_leaf: int
    seed: bytes = field(repr=False)
    one_time_keys: bytes = field(repr=False)


def create(path: Path, key: Key) -> None:
    """Write a file that must not exist yet. Raises KeyFileError."""
    try:
        _write_new(path, _encode(key))
        _sync_folder(path.parent)
    except FileExistsError:
        raise _in_the_way(path) from None
    except OSError as error:
        raise _unwritable(path, error) from error


def check_free(path: Path) -> None:
    """Raises KeyFileError for a name that is taken."""
    if path.exists():
        raise _in_the_way(path)


def read(path: Path) -> Key:
    """Raises KeyFileError; none of its texts quotes the file."""
    try:
        if os.name != "nt" and path.stat().st_mode & 0o077:
            raise KeyFileError(f"others may read {path}", f"run `chmod 600 {path}`, or make a new key")
        return _decode(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read ({error.strerror})", "name the key file") from error
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise damaged(path) from None  # the text of the cause may quote the file


def replace(path: Path, key: Key) -> None:
    """Either the old or the new content, and the new one is on disk when this ends. Raises KeyFileError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_new(temporary, _encode(key))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def damaged(path: Path) -> KeyFileError:
    """The error of a file whose content cannot be right."""
    return KeyFileError(
        Text(f"{path} is no key file, or a damaged one", f"{path} 不是密钥文件，或已损坏"),
        Text("name the right file; a damaged key must be replaced", "请指定正确的文件；损坏的密钥必须更换"),
    )


def _encode(key: Key) -> bytes:
    content = {
        "format": _FORMAT,
        "role": key.role,
        "identifier": key.identifier.hex(),
        "next_leaf": key.next_leaf,
        "seed": key.seed.hex(),
        "one_time_keys": base64.b64encode(key.one_time_keys).decode(),
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def _decode(data: bytes) -> Key:
    """Raises ValueError, KeyError, TypeError for what is no key file."""
    content = json.loads(data)
    key = Key(
        content["role"],
        bytes.fromhex(content["identifier"]),
        content["next_leaf"],
        bytes.fromhex(content["seed"]),
        base64.b64decode(content["one_time_keys"], validate=True),
    )
    sizes = (len(key.identifier), len(key.seed), len(key.one_time_keys))
    wanted = (lms_tree.IDENTIFIER_SIZE, lms_tree.SEED_SIZE, lms_tree.LEAVES * lms_tree.HASH_SIZE)
    if content["format"] != _FORMAT or key.role not in ROLES or sizes != wanted:
        raise ValueError("another format")
    if type(key.next_leaf) is not int or not 0 <= key.next_leaf <= lms_tree.LEAVES:
        raise ValueError("no leaf")
    return key


def _write_new(path: Path, data: bytes) -> None:
    """A file that does not exist yet, on disk when this ends."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
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


def _in_the_way(path: Path) -> KeyFileError:
    return KeyFileError(
        Text(f"{path} is there already", f"{path} 已存在"),
        Text("choose another name: a key is never overwritten", "请另选文件名：密钥绝不会被覆盖"),
    )


def _unwritable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(
        f"{path} cannot be written ({error.strerror})", "free the disk or its rights, then repeat"
    )
