"""Images that an ESP32's boot loaders start: made for virtual boards, and judged as the boot loaders do.

Layout: ESP-IDF programming guide, "App Image Format": header of 24 bytes, segments, a checksum that ends a
multiple of 16 bytes, SHA-256 of all that. An application's first segment begins with ``esp_app_desc_t``.
Signatures of Secure Boot and the chip's revision are not modelled.
"""

import functools
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

MAGIC = 0xE9
CHIP_NUMBERS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9}  # esp_chip_id_t
BOOT_LOADER_OFFSETS = {"esp32": 0x1000, "esp32s2": 0x1000, "esp32c3": 0, "esp32s3": 0}  # in flash
ROM_FILE_SYSTEM = b"VfsRom"  # a name that is in a MicroPython only with MICROPY_VFS_ROM (extmod/modvfs.c)

_HEADER = struct.Struct(
    "<BBBBIB3sHBHH4sB"
)  # magic, segments, SPI mode, speed and size, entry, pins, chip, ...
_SEGMENT = struct.Struct("<II")  # load address, bytes
_DESCRIPTION = struct.Struct("<II8s32s32s16s16s32s32s80x")
_DESCRIPTION_MAGIC = 0xABCD5432
_CHECKSUM_SEED = 0xEF
_MOST_SEGMENTS = 16
_DIGEST_BYTES = 32
_LOAD_ADDRESSES = {"esp32c3": (0x3C000020, 0x40380000), "esp32s3": (0x3C000020, 0x40374000)}


class BadImage(Exception):
    """A boot loader would not start it; the text says why."""


@dataclass(frozen=True)
class AppDescription:
    """What an application says of itself, and how long its image is."""

    version: str
    project: str
    image_bytes: int


@functools.lru_cache(maxsize=64)
def make(version: str, chip: str, code_bytes: int = 8192, project: str = "micropython") -> bytes:
    """An image as a build of MicroPython has it, with the version in its description; same words, same bytes.

    The virtual boards run one interpreter whatever the image says: its version is its identity.
    """
    description = _DESCRIPTION.pack(
        _DESCRIPTION_MAGIC, 0, b"", version.encode(), project.encode(), b"", b"", b"v5.5.1", bytes(32)
    )
    seed = hashlib.sha256(f"{project} {version} {chip}".encode()).digest()
    code = (seed * -(-code_bytes // len(seed)))[:code_bytes]
    data_at, code_at = _LOAD_ADDRESSES[chip]
    return _assemble(chip, code_at, [(data_at, description), (code_at, code)])


def make_boot_loader(chip: str) -> bytes:
    """What stands for the second-stage boot loader at the beginning of the flash chip."""
    code_at = _LOAD_ADDRESSES[chip][1]
    return _assemble(chip, code_at, [(code_at, b"boot loader of the virtual board")])


def judge(
    read: Callable[[int, int], bytes], limit: int, chip: str, *, thoroughly: bool = True
) -> AppDescription:
    """What the second-stage boot loader checks before it starts an image (esp_image_verify).

    Args:
        read: gives bytes of the partition by (offset, count).
        limit: size of the partition.
        thoroughly: False leaves checksum and hash out, as a wake from deep sleep does.

    Raises BadImage.
    """
    header = _HEADER.unpack(read(0, _HEADER.size))
    magic, segments, chip_number, hashed = header[0], header[1], header[7], header[12]
    if magic != MAGIC:
        raise BadImage(f"image has magic byte {magic:#04x}, not 0xe9")
    if chip_number != CHIP_NUMBERS[chip]:
        raise BadImage(f"image is for chip {chip_number}")
    if not 0 < segments <= _MOST_SEGMENTS:
        raise BadImage(f"image has {segments} segments")
    at, checksum = _HEADER.size, _CHECKSUM_SEED
    for _ in range(segments):
        _, count = _SEGMENT.unpack(read(at, _SEGMENT.size))
        at += _SEGMENT.size
        if count % 4 or at + count > limit:
            raise BadImage(f"a segment of {count} bytes does not fit")
        if thoroughly:
            checksum ^= _xor(read(at, count))
        at += count
    end = (at + 16) // 16 * 16
    if thoroughly:
        if read(end - 1, 1) != bytes([checksum]):
            raise BadImage("checksum of the image is wrong")
        if hashed and hashlib.sha256(read(0, end)).digest() != read(end, _DIGEST_BYTES):
            raise BadImage("hash of the image is wrong")
    return _describe(read(_HEADER.size + _SEGMENT.size, _DESCRIPTION.size), end + hashed * _DIGEST_BYTES)


def _describe(data: bytes, image_bytes: int) -> AppDescription:
    magic, _, _, version, project, *_ = _DESCRIPTION.unpack(data)
    if magic != _DESCRIPTION_MAGIC:
        return AppDescription("", "", image_bytes)
    return AppDescription(_text(version), _text(project), image_bytes)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "replace")


def _assemble(chip: str, entry: int, segments: list[tuple[int, bytes]]) -> bytes:
    header = _HEADER.pack(
        MAGIC, len(segments), 2, 0x2F, entry, 0xEE, b"", CHIP_NUMBERS[chip], 0, 0, 0xFFFF, b"", 1
    )
    checksum = _CHECKSUM_SEED
    for _, data in segments:
        checksum ^= _xor(data)
    body = header + b"".join(_SEGMENT.pack(address, len(data)) + data for address, data in segments)
    body += bytes(15 - len(body) % 16) + bytes([checksum])
    return body + hashlib.sha256(body).digest()


def _xor(data: bytes) -> int:
    """All bytes of a multiple of four."""
    folded = int.from_bytes(data)
    width = len(data)
    while width > 1:
        half = (width + 1) // 2
        folded = (folded >> (half * 8)) ^ (folded & ((1 << (half * 8)) - 1))
        width = half
    return folded
