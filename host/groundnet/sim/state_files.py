"""The records that a provisioned device holds in flash, as its own firmware would have written them.

Layout: firmware/drivers/flash_records.py - CRC-32 of what follows, sequence number, the record; little-endian.
"""

import struct
from binascii import crc32
from collections.abc import Mapping

from groundnet.sim.groundcore_runtime import load


def state_files(
    tag_id: str, profile: str, install_point: str, secret: bytes, settings: Mapping[str, object]
) -> dict[str, bytes]:
    """Identity of a locked device and its settings, by path."""
    store = load("store")
    identity = store.Identity(tag_id, profile, install_point, secret, True)
    return {
        "/state/identity.0": record(store.encode_identity(identity)),
        "/state/settings.0": record(load("settings").encode(dict(settings))),
    }


def record(data: bytes) -> bytes:
    """One slot of a flash record, sequence 1."""
    body = struct.pack("<I", 1) + data
    return struct.pack("<I", crc32(body)) + body
