"""The bundle file: head, manifest, image, and the signature block of a signed one.

Little-endian: ``GNB1`` | u32 bytes of the manifest | u32 bytes of the image | manifest, canonical JSON | image |
signature block, 2969 bytes, absent while unsigned. Everything before the block is signed.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from groundnet.bundle import manifest as manifests
from groundnet.bundle.certificate import BLOCK_SIZE
from groundnet.bundle.manifest import BundleError
from groundnet.errors import Text

MANIFEST_MAX = 16_384
IMAGE_MAX = {
    manifests.APPLICATION: 262_144,  # of the ROM partition
    manifests.BASE: 0x270000,  # of the larger application partitions (hardware/<board>/partitions.csv)
}

_HEAD = struct.Struct("<4sII")
_MAGIC = b"GNB1"
_AGAIN = Text("get it again, or build it", "请重新获取或构建")


class NotABundle(BundleError):
    """Another kind of file."""


class Truncated(BundleError):
    """Its end is missing, or something lies behind it."""


@dataclass(frozen=True)
class Bundle:
    """A bundle file, taken apart; nothing is verified."""

    manifest: Mapping[str, Any]
    image: bytes
    signed: bytes  # what a signature is made over
    signature_block: bytes  # empty while unsigned


def pack(manifest: Mapping[str, Any], image: bytes) -> bytes:
    """An unsigned bundle file."""
    packed = manifests.canonical(manifest)
    return _HEAD.pack(_MAGIC, len(packed), len(image)) + packed + image


def parse(data: bytes) -> Bundle:
    """Take a file apart. Raises NotABundle, Truncated, BadManifest; nothing else, whatever the bytes."""
    if data[:4] != _MAGIC:
        raise NotABundle(Text("that is no bundle", "这不是固件包"), _AGAIN)
    if len(data) < _HEAD.size:
        raise _truncated()
    _, manifest_bytes, image_bytes = _HEAD.unpack_from(data)
    if manifest_bytes > MANIFEST_MAX or image_bytes > max(IMAGE_MAX.values()):
        raise _too_large()
    begin = _HEAD.size + manifest_bytes
    end = begin + image_bytes
    if len(data) not in (end, end + BLOCK_SIZE):
        raise _truncated()
    manifest = manifests.parse(data[_HEAD.size : begin])
    if image_bytes > IMAGE_MAX[manifests.kind_of(manifest)]:
        raise _too_large()
    return Bundle(manifest, data[begin:end], data[:end], data[end:])


def _too_large() -> NotABundle:
    return NotABundle(Text("manifest or image is too large", "清单或映像过大"), _AGAIN)


def _truncated() -> Truncated:
    return Truncated(
        Text("the bundle is cut off or has something behind it", "固件包不完整或末尾有多余内容"), _AGAIN
    )
