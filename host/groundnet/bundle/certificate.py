"""Certificates: a root key's word that a release key may sign bundles, until a day.

Little-endian, 1517 bytes: ``GNC1`` | u8 role | u32 last day, days since 1970-01-01 | release public key, 56 |
root's LMS signature over all before it, 1452. With the release key's signature over the bundle behind it, it is the
signature block that ends a bundle file, 2969 bytes.
"""

import datetime
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from groundnet.bundle import lms_keys, lms_tree
from groundnet.errors import GroundnetError, Text

NEVER = 0xFFFFFFFF  # last day of a certificate that does not run out
HEAD_SIZE = 65  # what the root signs
SIZE = HEAD_SIZE + lms_tree.SIGNATURE_SIZE
BLOCK_SIZE = SIZE + lms_tree.SIGNATURE_SIZE

_HEAD = struct.Struct(f"<4sBI{lms_tree.PUBLIC_KEY_SIZE}s")
_MAGIC = lms_keys.SIGNS[lms_keys.ROOT]
_RELEASE = 1  # the one role that is certified
_EPOCH = datetime.date(1970, 1, 1)
_TAKE_THE_RIGHT_FILE = Text(
    "name the file that `bundle key certify` wrote", "请指定 `bundle key certify` 生成的文件"
)


class CertificateError(GroundnetError):
    """A certificate that is none, or not one for this."""


class NotTrusted(CertificateError):
    """No root that is trusted signed it, or the release key did not sign the bundle."""


class Expired(CertificateError):
    """Its last day is over."""


@dataclass(frozen=True)
class Certificate:
    """What a certificate says; whether it is true is told by ``check``."""

    role: int
    not_after_day: int
    release_public: bytes
    head: bytes
    root_signature: bytes


def day_of(date: datetime.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(day: int) -> datetime.date | None:
    """The date of a last day; None for one beyond the calendar, such as NEVER."""
    try:
        return _EPOCH + datetime.timedelta(days=day)
    except OverflowError:
        return None


def issue(root_path: Path, release_public: bytes, not_after_day: int = NEVER) -> bytes:
    """A certificate for a release key, 1517 bytes. It costs the root key one leaf.

    Args:
        root_path: key file of a root.
        release_public: 56 bytes, of a key with the parameters of ours.
        not_after_day: last day of its use, days since 1970-01-01; NEVER for no end.

    Raises CertificateError for another public key or day, and what ``lms_keys.sign`` raises.
    """
    if not lms_tree.is_public_key(release_public):
        raise CertificateError(
            Text("that is no public key of a release key", "这不是发布密钥的公钥"),
            Text("hand over what `bundle key create` wrote", "请提供 `bundle key create` 写出的文件"),
        )
    if not 0 <= not_after_day <= NEVER:
        raise CertificateError(
            Text(f"day {not_after_day} is out of range", f"日期 {not_after_day} 超出范围"),
            Text("choose a date after 1970", "请选择 1970 年之后的日期"),
        )
    head = _HEAD.pack(_MAGIC, _RELEASE, not_after_day, release_public)
    return head + lms_keys.sign(root_path, head)


def parse(data: bytes) -> Certificate:
    """Split a certificate. Raises CertificateError for bytes that are none; nothing is verified."""
    if len(data) != SIZE:
        raise CertificateError(
            Text(
                f"a certificate has {SIZE} bytes, not {len(data)}",
                f"证书应为 {SIZE} 字节，而不是 {len(data)}",
            ),
            _TAKE_THE_RIGHT_FILE,
        )
    magic, role, not_after_day, release_public = _HEAD.unpack_from(data)
    if magic != _MAGIC or role != _RELEASE or not lms_tree.is_public_key(release_public):
        raise CertificateError(
            Text("that is no certificate of a release key", "这不是发布密钥的证书"), _TAKE_THE_RIGHT_FILE
        )
    return Certificate(role, not_after_day, release_public, bytes(data[:HEAD_SIZE]), bytes(data[HEAD_SIZE:]))


def check(data: bytes, roots: Iterable[bytes], day: int) -> Certificate:
    """The certificate when a trusted root signed it and its last day is not over.

    Args:
        roots: public keys of the roots, 56 bytes each.
        day: today, days since 1970-01-01.

    Raises CertificateError, NotTrusted, Expired.
    """
    found = parse(data)
    if not any(lms_tree.verify(root, found.root_signature, found.head) for root in roots):
        raise NotTrusted(
            Text("no trusted root signed the certificate", "没有受信任的根密钥签过该证书"),
            Text("check where it came from, or name its root", "请核实来源，或指定其根公钥"),
        )
    if day > found.not_after_day:
        last = date_of(found.not_after_day)
        raise Expired(
            Text(f"the certificate ended on {last}", f"证书已于 {last} 到期"),
            Text("have the root issue a new one and sign again", "请由根密钥重新签发证书并再次签名"),
        )
    return found


def signature_block(certificate: bytes, release_path: Path, signed: bytes) -> bytes:
    """What makes a bundle a signed one, 2969 bytes: the certificate and the release key's signature.

    Args:
        signed: everything before the signature block.

    Raises CertificateError for a certificate of another key, before a leaf is spent, and what ``lms_keys.sign``
    raises.
    """
    if parse(certificate).release_public != lms_keys.public_key(release_path):
        raise CertificateError(
            Text(f"the certificate is not for {release_path}", f"该证书不属于 {release_path}"),
            Text("use the one that the root issued for this key", "请使用根密钥为该密钥签发的证书"),
        )
    return certificate + lms_keys.sign(release_path, signed)


def check_block(block: bytes, signed: bytes, roots: Iterable[bytes], day: int) -> Certificate:
    """The certificate of a signature block when all of it is good; see ``check``."""
    if len(block) != BLOCK_SIZE:
        raise CertificateError(
            Text(
                f"a signature block has {BLOCK_SIZE} bytes, not {len(block)}",
                f"签名块应为 {BLOCK_SIZE} 字节，而不是 {len(block)}",
            ),
            Text("sign the bundle again", "请重新签名"),
        )
    found = check(block[:SIZE], roots, day)
    if not lms_tree.verify(found.release_public, block[SIZE:], signed):
        raise NotTrusted(
            Text("the bundle is not what the release key signed", "固件包与发布密钥所签的内容不符"),
            Text("get the bundle again, from where it was made", "请从原处重新获取固件包"),
        )
    return found
