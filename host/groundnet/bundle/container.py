"""The bundle file: head, manifest, image, and the signature block of a signed one.

Little-endian: ``GNB1`` | u32 bytes of the manifest | u32 bytes of the image | manifest, canonical JSON | image |
signature block, 2969 bytes, absent while unsigned. Everything before the block is signed.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from groundnet.bundle.certificate import BLOCK_SIZE
from groundnet.errors import GroundnetError, Text

MANIFEST_MAX = 16_384
IMAGE_MAX = 262_144  # of the ROM partition

_HEAD = struct.Struct("<4sII")
_MAGIC = b"GNB1"
_TYPES = {
    "format": int,
    "role": str,
    "board": str,
    "product": str,
    "hardware_revisions": list,
    "version": str,
    "mpy": str,
    "security_counter": int,
    "least_version": str,
    "not_after": (str, type(None)),
    "image_sha256": str,
    "files": dict,
    "settings": dict,
}
_AGAIN = Text("get it again, or build it", "请重新获取或构建")


class BundleError(GroundnetError):
    """A bundle that is refused."""


class NotABundle(BundleError):
    """Another kind of file."""


class Truncated(BundleError):
    """Its end is missing, or something lies behind it."""


class BadManifest(BundleError):
    """The manifest is not what a manifest is."""


@dataclass(frozen=True)
class Bundle:
    """A bundle file, taken apart; nothing is verified."""

    manifest: Mapping[str, Any]
    image: bytes
    signed: bytes  # what a signature is made over
    signature_block: bytes  # empty while unsigned


def pack(manifest: Mapping[str, Any], image: bytes) -> bytes:
    """An unsigned bundle file."""
    packed = canonical(manifest)
    return _HEAD.pack(_MAGIC, len(packed), len(image)) + packed + image


def canonical(manifest: Mapping[str, Any]) -> bytes:
    """The one spelling of a manifest."""
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse(data: bytes) -> Bundle:
    """Take a file apart. Raises NotABundle, Truncated, BadManifest; nothing else, whatever the bytes."""
    if data[:4] != _MAGIC:
        raise NotABundle(Text("that is no bundle", "这不是固件包"), _AGAIN)
    if len(data) < _HEAD.size:
        raise _truncated()
    _, manifest_bytes, image_bytes = _HEAD.unpack_from(data)
    if manifest_bytes > MANIFEST_MAX or image_bytes > IMAGE_MAX:
        raise NotABundle(Text("manifest or image is too large", "清单或映像过大"), _AGAIN)
    begin = _HEAD.size + manifest_bytes
    end = begin + image_bytes
    if len(data) not in (end, end + BLOCK_SIZE):
        raise _truncated()
    return Bundle(_manifest(data[_HEAD.size : begin]), data[begin:end], data[:end], data[end:])


def _manifest(packed: bytes) -> Mapping[str, Any]:
    try:
        manifest = json.loads(packed)
        good = (
            isinstance(manifest, dict)
            and manifest.keys() == _TYPES.keys()
            and all(isinstance(manifest[name], kind) for name, kind in _TYPES.items())
            and manifest["format"] == 1
            and canonical(manifest) == packed
        )
    except (ValueError, RecursionError):
        good, manifest = False, {}
    if not good:
        raise BadManifest(Text("the bundle's manifest is damaged", "固件包的清单已损坏"), _AGAIN)
    return manifest


def _truncated() -> Truncated:
    return Truncated(
        Text("the bundle is cut off or has something behind it", "固件包不完整或末尾有多余内容"), _AGAIN
    )
