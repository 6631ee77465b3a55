"""LMS keys for tests in a tenth of a second: a whole tree of which only a few leaves can sign.

To a verifier they are keys like any other. The marks must be the test's own (XDG_STATE_HOME): the same key comes
back in every test.
"""

import functools
from hashlib import sha256
from pathlib import Path

from groundnet.bundle import lms_key_file, lms_keys, lms_marks, lms_tree
from groundnet.bundle.lms_key_file import RELEASE, ROOT, Key

REAL_LEAVES = (*range(12), lms_tree.LEAVES - 1)


def make(path: Path, role: str, number: int = 1) -> bytes:
    """A key file; gives the public key. Keys of another role or number are others."""
    key = _key(role, number)
    with lms_marks.locked() as marks:
        marks.raise_to(key.identifier, 0)
    lms_key_file.create(path, key)
    return lms_keys.public_key(path)


def root(folder: Path, number: int = 1) -> tuple[Path, bytes]:
    """Path and public key of a root key in a folder."""
    path = folder / f"root{number}.key"
    return path, make(path, ROOT, number)


def release(folder: Path, number: int = 1) -> tuple[Path, bytes]:
    """Path and public key of a release key in a folder."""
    path = folder / f"release{number}.key"
    return path, make(path, RELEASE, number)


@functools.cache
def _key(role: str, number: int) -> Key:
    seed = sha256(f"{role} {number}".encode()).digest()
    identifier = sha256(seed).digest()[: lms_tree.IDENTIFIER_SIZE]
    none = sha256(b"no key").digest()
    one_time_keys = b"".join(
        lms_tree.one_time_key(identifier, seed, leaf) if leaf in REAL_LEAVES else none
        for leaf in range(lms_tree.LEAVES)
    )
    return Key(role, identifier, 0, seed, one_time_keys)
