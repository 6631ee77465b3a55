"""Rows that nobody can change unseen: each row's hash covers the hash of the row before and the row itself.

A chain shows that a row was changed, left out or put in between; that the last ones were cut off is seen only by who
holds a later hash, so every chain has a head, and who answers for it notes the head elsewhere now and then.
"""

import hashlib
import json
from collections.abc import Mapping

FIRST = bytes(32)  # what comes before the first row


def chained(before: bytes, row: Mapping[str, object]) -> bytes:
    """SHA-256 (32 bytes) over the hash of the row before and the row's JSON: sorted keys, UTF-8, no spaces."""
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(before + canonical.encode()).digest()
