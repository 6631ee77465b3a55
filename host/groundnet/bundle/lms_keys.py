"""Key files of the LMS keys that sign: each leaf signs once, whatever crashes, and the key says what it is for.

A root key certifies release keys and lies in a safe; a release key signs bundles. What a key may sign is told by the
first bytes of the message, so that neither can stand in for the other, whoever calls.

The order of a signature: lock, compare file and mark, write the file with the next leaf (temporary file, sync, rename,
sync of the folder), raise the mark, unlock, and only then sign. A crash anywhere loses a leaf at most.
"""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from groundnet.bundle import lms_key_file, lms_marks, lms_tree
from groundnet.bundle.lms_key_file import RELEASE, ROOT, Key
from groundnet.errors import GroundnetError, Text

SIGNS = {ROOT: b"GNC1", RELEASE: b"GNB1"}  # role -> how every message begins that it may sign


class KeyRunsBackwards(GroundnetError):
    """The file is older than what the key has signed already."""


class KeyNotFromHere(GroundnetError):
    """This computer does not know how far the key has come."""


class KeyUsedUp(GroundnetError):
    """All leaves of the key have signed."""


class WrongRole(GroundnetError):
    """The key may not sign this."""


@dataclass(frozen=True)
class KeyState:
    """What a key file tells everybody."""

    role: str
    public_key: bytes
    next_leaf: int

    @property
    def leaves_left(self) -> int:
        return lms_tree.LEAVES - self.next_leaf


def create(path: Path, role: str, progress: Callable[[int], None] = lambda done: None) -> bytes:
    """Make a key file, readable by its owner alone; gives the public key, 56 bytes. Takes some ten seconds.

    Args:
        path: must not exist yet.
        role: ROOT or RELEASE.
        progress: told how many of the 1024 leaves are made.

    Raises KeyFileError, StoreError for the marks, ValueError for another role.
    """
    if role not in SIGNS:
        raise ValueError(f"there is no role {role!r}")
    path = Path(path)
    lms_key_file.check_free(path)
    identifier = secrets.token_bytes(lms_tree.IDENTIFIER_SIZE)
    seed = secrets.token_bytes(lms_tree.SEED_SIZE)
    key = Key(role, identifier, 0, seed, lms_tree.one_time_keys(identifier, seed, progress))
    with lms_marks.locked() as marks:
        marks.raise_to(identifier, 0)
    lms_key_file.create(path, key)
    return _state(key).public_key


def public_key(path: Path) -> bytes:
    """56 bytes, for devices and certificates. Raises KeyFileError."""
    return state(path).public_key


def state(path: Path) -> KeyState:
    """Role, public key and leaves of a key file. Raises KeyFileError."""
    return _state(lms_key_file.read(Path(path)))


def states(folder: Path) -> dict[Path, KeyState]:
    """Every key file in a folder; other files, and those that others may read, are passed over."""
    found = {}
    for path in sorted(path for path in Path(folder).iterdir() if path.is_file()):
        with contextlib.suppress(lms_key_file.KeyFileError):
            found[path] = state(path)
    return found


def sign(path: Path, message: bytes) -> bytes:
    """The LMS signature of a message, 1452 bytes, by the next leaf of the key.

    Raises WrongRole for a message that is not for a key of this role, KeyRunsBackwards, KeyNotFromHere,
    KeyUsedUp, KeyFileError, and StoreError for the marks. When anything is raised, no signature exists.
    """
    path = Path(path).resolve()  # behind a link it is the file itself that is written
    key = lms_key_file.read(path)
    if not message.startswith(SIGNS[key.role]):
        raise WrongRole(
            Text(f"{path} is a {key.role} key", f"{path} 是 {key.role} 密钥"),
            Text(
                "a root key certifies release keys, a release key signs bundles",
                "根密钥只签发布密钥，发布密钥只签固件包",
            ),
        )
    key = _reserve(path)
    tree = lms_tree.nodes(key.identifier, key.one_time_keys)
    signature = lms_tree.sign(key.identifier, key.seed, tree, key.next_leaf, message)
    if not lms_tree.verify(lms_tree.public_key(key.identifier, tree), signature, message):
        raise lms_key_file.damaged(path)
    return signature


def advance(path: Path, next_leaf: int | None = None) -> KeyState:
    """Skip leaves: the way out for a key file that came from a backup or from another computer.

    Args:
        next_leaf: a leaf that is known to be unused, as all after it; default: the mark of this computer.

    Raises KeyNotFromHere without either, KeyRunsBackwards for a leaf that is used, KeyFileError, StoreError.
    """
    path = Path(path).resolve()
    with lms_marks.locked() as marks:
        key = lms_key_file.read(path)
        mark = marks.next_leaf(key.identifier)
        if next_leaf is None and mark is None:
            raise _not_from_here(path)
        least = max(key.next_leaf, mark or 0)
        chosen = least if next_leaf is None else next_leaf
        if not least <= chosen <= lms_tree.LEAVES:
            raise KeyRunsBackwards(
                Text(f"leaf {chosen} of {path} is not free", f"{path} 的叶子 {chosen} 不可用"),
                Text(f"choose one from {least} to {lms_tree.LEAVES}", f"请选择 {least} 到 {lms_tree.LEAVES}"),
            )
        key = replace(key, next_leaf=chosen)
        lms_key_file.replace(path, key)
        marks.raise_to(key.identifier, chosen)
    return _state(key)


def _reserve(path: Path) -> Key:
    """The key with the leaf that is now this caller's own: file and mark on disk are beyond it."""
    with lms_marks.locked() as marks:
        key = lms_key_file.read(path)
        mark = marks.next_leaf(key.identifier)
        if mark is None:
            raise _not_from_here(path)
        if key.next_leaf < mark:
            raise KeyRunsBackwards(
                Text(
                    f"{path} is an old copy: {mark} leaves are used, it knows of {key.next_leaf}",
                    f"{path} 是旧副本：已用 {mark} 个叶子，该文件只记录了 {key.next_leaf} 个",
                ),
                Text(
                    "put the newest file back, or run `groundnet bundle key advance` to skip the used leaves",
                    "请换回最新的密钥文件，或运行 `groundnet bundle key advance` 跳过已用的叶子",
                ),
            )
        if key.next_leaf >= lms_tree.LEAVES:
            raise KeyUsedUp(
                Text(
                    f"{path} has signed {lms_tree.LEAVES} times, all it can",
                    f"{path} 的 {lms_tree.LEAVES} 次签名已全部用完",
                ),
                Text(
                    "make a new key with `groundnet bundle key create`",
                    "请用 `groundnet bundle key create` 生成新密钥",
                ),
            )
        lms_key_file.replace(path, replace(key, next_leaf=key.next_leaf + 1))
        marks.raise_to(key.identifier, key.next_leaf + 1)
    return key


def _state(key: Key) -> KeyState:
    tree = lms_tree.nodes(key.identifier, key.one_time_keys)
    return KeyState(key.role, lms_tree.public_key(key.identifier, tree), key.next_leaf)


def _not_from_here(path: Path) -> KeyNotFromHere:
    return KeyNotFromHere(
        Text(f"{path} was made or last used on another computer", f"{path} 是在另一台计算机上生成或使用的"),
        Text(
            "sign there, or run `groundnet bundle key advance --to` with a leaf that is surely unused",
            "请在那台计算机上签名，或用 `groundnet bundle key advance --to` 指定一个确定未用过的叶子",
        ),
    )
