"""Public keys as people hand them on: 56 bytes, their hex digits, what `key create --json` printed, or the key file."""

import binascii
import json
from pathlib import Path

from groundnet.bundle import lms_keys, lms_tree
from groundnet.errors import GroundnetError, Text


class NotAPublicKey(GroundnetError):
    """The file holds none, or one of another role."""


def read(path: Path, role: str) -> bytes:
    """The public key in a file, 56 bytes.

    Args:
        role: of the key that is wanted; where the file tells its role, another one is refused.

    Raises NotAPublicKey, and OSError for a file that cannot be read.
    """
    data = path.read_bytes()
    said = role
    if not lms_tree.is_public_key(data):
        said, data = _written(path, data, role)
    if said != role:
        raise NotAPublicKey(
            Text(
                f"{path} is of a {said} key, not of a {role} key",
                f"{path} 属于 {said} 密钥，而非 {role} 密钥",
            ),
            Text(f"name the public key of a {role} key", f"请指定 {role} 密钥的公钥"),
        )
    if not lms_tree.is_public_key(data):
        raise NotAPublicKey(
            Text(f"{path} holds no public key", f"{path} 中没有公钥"),
            Text(
                "name a file that `bundle key create` wrote or printed",
                "请指定 `bundle key create` 写出或打印的文件",
            ),
        )
    return data


def _written(path: Path, data: bytes, role: str) -> tuple[str, bytes]:
    """(role, public key) of a text; whatever the bytes, the key may be none."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = data.decode("ascii", "replace").strip()
    if isinstance(content, dict):
        if "one_time_keys" in content:
            state = lms_keys.state(path)
            return state.role, state.public_key
        role, content = content.get("role", role), content.get("public_key")
    try:
        return role, binascii.unhexlify(str(content))
    except ValueError:
        return role, b""
