"""What a device asks of a bundle before it lets it in: form, signature, and whether it is meant for this device.

The form of the file: head (magic, bytes of the manifest, bytes of the image; little-endian), manifest, image,
signature block. Everything before that block is signed. The block is a certificate, by which a root vouches for a
release key until a day, and the release key's signature.
"""

import struct

from groundwire.constant import const

from groundcore import lms

HEAD_BYTES = 12
CERTIFICATE_BYTES = 1517
BLOCK_BYTES = 2969
IMAGE_MAX_BYTES = 262_144  # of the ROM partition
MANIFEST_MAX_BYTES = 16_384
SMALLEST_BYTES = HEAD_BYTES + BLOCK_BYTES

_HEAD = "<4sII"
_CERTIFICATE = "<4sBI56s"
_CERTIFICATE_HEAD_BYTES = const(65)
_RELEASE = const(1)
_FIRST_KNOWN_DAY = const(20_454)  # 2026-01-01: a clock that shows less was never set


class Refused(Exception):
    """(code of the wire, detail): why a bundle is not taken."""


def layout(head: bytes, size_bytes: int) -> tuple:
    """(bytes of the manifest, bytes of the image) of a bundle file of ``size_bytes``. Raises Refused."""
    if len(head) < HEAD_BYTES:
        raise Refused("malformed", "no bundle: too short")
    magic, manifest_bytes, image_bytes = struct.unpack_from(_HEAD, head)
    if magic != b"GNB1":
        raise Refused("malformed", "no bundle: wrong magic")
    if manifest_bytes > MANIFEST_MAX_BYTES or image_bytes > IMAGE_MAX_BYTES:
        raise Refused("too_large", "manifest or image is too large")
    signed_bytes = HEAD_BYTES + manifest_bytes + image_bytes
    if size_bytes == signed_bytes:
        raise Refused("bad_signature", "the bundle is not signed")
    if size_bytes != signed_bytes + BLOCK_BYTES:
        raise Refused("malformed", "the bundle is cut off or has something behind it")
    return manifest_bytes, image_bytes


def check_signature(block: bytes, roots: tuple, chunks, today: int | None) -> None:
    """Whether a root that is trusted vouches for the key that signed. Raises Refused.

    Args:
        block: the last BLOCK_BYTES of the file.
        roots: public keys of roots.
        chunks: iterable over everything before the block.
        today: days since 1970-01-01, None when the clock is not set.
    """
    if not roots:
        raise Refused("bad_signature", "this firmware trusts nobody: it was built without a root")
    magic, role, not_after, release = struct.unpack_from(_CERTIFICATE, block)
    head, root_signature = block[:_CERTIFICATE_HEAD_BYTES], block[_CERTIFICATE_HEAD_BYTES:CERTIFICATE_BYTES]
    if magic != b"GNC1" or role != _RELEASE:
        raise Refused("bad_signature", "no certificate of a release key")
    if not any(lms.verify(root, root_signature, (head,)) for root in roots):
        raise Refused("bad_signature", "no root that is trusted here certified the key")
    if today is not None and today > not_after:
        raise Refused("refused", "the certificate of the key has expired")
    if not lms.verify(release, block[CERTIFICATE_BYTES:], chunks):
        raise Refused("bad_signature", "the signature is not that of the release key")


def judge(manifest: dict, device: dict, limits: tuple, today: int | None) -> None:
    """Whether a signed bundle is for this device, and now. Raises Refused, each reason with its own detail.

    Args:
        manifest: as it lies in the file; whatever it holds, it is answered.
        device: role, board, hardware_revision and mpy of this one.
        limits: (security counter, least version) that are in force.
        today: days since 1970-01-01, None when the clock is not set.
    """
    try:
        _judge(manifest, device, limits, today)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("malformed", "the manifest lacks something")


def check_age(about: dict, limits: tuple) -> None:
    """Whether a version is new enough for a device with these limits. Raises Refused, ValueError."""
    counter, least = limits
    if about["security_counter"] < counter:
        raise Refused("refused", "security counter %d is below %d" % (about["security_counter"], counter))
    if version(about["version"]) < tuple(least):
        raise Refused("refused", "version %s is older than %s" % (about["version"], shown(least)))


def _judge(manifest, device, limits, today):
    if manifest["format"] != 1:
        raise Refused("unsupported", "bundle of another format")
    if manifest.get("kind", "application") != device.get("kind", "application"):
        raise Refused("refused", "the bundle holds the other kind of image")
    check_age(manifest, limits)
    for name in ("role", "board"):
        if manifest[name] != device[name]:
            raise Refused("refused", "the bundle is for %s '%s'" % (name, manifest[name]))
    revisions = manifest["hardware_revisions"]
    if 0 not in revisions and device["hardware_revision"] not in revisions:
        raise Refused("refused", "not for hardware revision %d" % device["hardware_revision"])
    if manifest["mpy"] != device["mpy"]:
        raise Refused("refused", "bytecode %s, but this device runs %s" % (manifest["mpy"], device["mpy"]))
    version(manifest["least_version"])
    if today is not None and manifest["not_after"] is not None and today > day(manifest["not_after"]):
        raise Refused("refused", "the bundle has expired on " + manifest["not_after"])


def version(text: str) -> tuple:
    """Three numbers. Raises ValueError."""
    numbers = tuple([int(part) for part in text.split(".")])
    if len(numbers) != 3 or not all(0 <= number <= 65535 for number in numbers):
        raise ValueError(text)
    return numbers


def shown(numbers) -> str:
    """A version as text."""
    return ".".join([str(number) for number in numbers])


def day(date: str) -> int:
    """Days from 1970-01-01 to an ISO date. Raises ValueError."""
    year, month, day_of_month = [int(part) for part in date.split("-")]
    if month < 3:  # the year begins in March, so that the leap day is its last
        year, month = year - 1, month + 12
    return (
        365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day_of_month - 719_469
    )


def today(unix_s: int) -> int | None:
    """Days since 1970-01-01, None where the clock shows that nobody has set it."""
    days = unix_s // 86_400
    return days if days >= _FIRST_KNOWN_DAY else None
