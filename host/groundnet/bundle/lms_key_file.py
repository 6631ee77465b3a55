"""The file of an LMS key: its format; whatever crashes, a whole one is there.

JSON, readable by its owner alone. Beside the secret seed it holds the hashes of the one-time keys (public), so that
a signature does not begin with some seconds of making them.
"""

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from groundnet.bundle import lms_tree, whole_file
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
        whole_file.create(path, _encode(key), whole_file.OWNER_ONLY)
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
        key = _decode(path.read_bytes())
        if os.name != "nt" and path.stat().st_mode & 0o077:
            raise KeyFileError(
                Text(f"others may read {path}", f"其他用户可读取 {path}"),
                Text(
                    f"run `chmod 600 {path}`, or make a new key", f"请运行 `chmod 600 {path}`，或生成新密钥"
                ),
            )
        return key
    except OSError as error:
        raise KeyFileError(
            Text(f"{path} cannot be read ({error.strerror})", f"无法读取 {path}（{error.strerror}）"),
            Text("name the key file", "请指定密钥文件"),
        ) from error
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise damaged(path) from None  # the text of the cause may quote the file


def replace(path: Path, key: Key) -> None:
    """Either the old or the new content, and the new one is on disk when this ends. Raises KeyFileError."""
    try:
        whole_file.replace(path, _encode(key), whole_file.OWNER_ONLY)
    except OSError as error:
        raise _unwritable(path, error) from error


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


def _in_the_way(path: Path) -> KeyFileError:
    return KeyFileError(
        Text(f"{path} is there already", f"{path} 已存在"),
        Text("choose another name: a key is never overwritten", "请另选文件名：密钥绝不会被覆盖"),
    )


def _unwritable(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(
        Text(f"{path} cannot be written ({error.strerror})", f"无法写入 {path}（{error.strerror}）"),
        Text("free the disk or its rights, then repeat", "请检查磁盘空间和权限后重试"),
    )
