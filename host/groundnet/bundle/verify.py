"""Judge a bundle as a device would; every reason to refuse is an error of its own."""

import datetime
import hashlib
from collections.abc import Collection

from groundnet.bundle import certificate
from groundnet.bundle.container import Bundle
from groundnet.bundle.manifest import BundleError, version_of
from groundnet.errors import Text

_OTHER = Text("choose the bundle for this device", "请选择适用于该设备的固件包")
_NEWER = Text("take a newer bundle", "请使用更新的固件包")


class Unsigned(BundleError):
    """No signature block."""


class ImageTampered(BundleError):
    """The image has not the hash that the manifest names."""


class Downgraded(BundleError):
    """Its security counter is below the device's."""


class TooOld(BundleError):
    """Its version is below the least one."""


class WrongRole(BundleError):
    """For another role."""


class WrongBoard(BundleError):
    """For another board."""


class WrongRevision(BundleError):
    """For other hardware revisions."""


class WrongBytecode(BundleError):
    """Compiled for another MicroPython."""


class BundleExpired(BundleError):
    """Its last day is over."""


def verify(
    bundle: Bundle,
    roots: Collection[bytes],
    today: datetime.date,
    *,
    role: str | None = None,
    board: str | None = None,
    hardware_revision: int | None = None,
    counter: int | None = None,
    least_version: str | None = None,
    mpy: str | None = None,
) -> certificate.Certificate:
    """The certificate of a good bundle; what is None is not asked.

    Raises a BundleError of this module, and CertificateError, NotTrusted or Expired of ``certificate``.
    """
    if not bundle.signature_block:
        raise Unsigned(
            Text("the bundle is not signed", "固件包未签名"),
            Text("sign it with `bundle sign`", "请用 `bundle sign` 签名"),
        )
    check_image(bundle)
    found = certificate.check_block(bundle.signature_block, bundle.signed, roots, certificate.day_of(today))
    _age(bundle, counter, least_version)
    _fits(bundle, role, board, hardware_revision, mpy)
    last = bundle.manifest["not_after"]
    if last is not None and today.isoformat() > last:
        raise BundleExpired(Text(f"the bundle expired on {last}", f"固件包已于 {last} 过期"), _NEWER)
    return found


def check_image(bundle: Bundle) -> None:
    """Compare the image with the manifest. Raises ImageTampered."""
    if hashlib.sha256(bundle.image).hexdigest() != bundle.manifest["image_sha256"]:
        raise ImageTampered(
            Text("the image is not the one that the manifest names", "映像与清单不符"),
            Text("get the bundle again, from where it was made", "请从原处重新获取固件包"),
        )


def _age(bundle: Bundle, counter: int | None, least_version: str | None) -> None:
    mine, version = bundle.manifest["security_counter"], bundle.manifest["version"]
    if counter is not None and mine < counter:
        raise Downgraded(
            Text(f"security counter {mine} is below {counter}", f"安全计数器 {mine} 低于 {counter}"), _NEWER
        )
    if least_version is not None and version_of(version) < version_of(least_version):
        raise TooOld(
            Text(f"version {version} is older than {least_version}", f"版本 {version} 低于 {least_version}"),
            _NEWER,
        )


def _fits(bundle: Bundle, role: str | None, board: str | None, revision: int | None, mpy: str | None) -> None:
    about = bundle.manifest
    if role not in (None, about["role"]):
        raise WrongRole(
            Text(f"the bundle is for role '{about['role']}'", f"固件包适用于角色“{about['role']}”"), _OTHER
        )
    if board not in (None, about["board"]):
        raise WrongBoard(
            Text(f"the bundle is for board '{about['board']}'", f"固件包适用于板“{about['board']}”"), _OTHER
        )
    revisions = about["hardware_revisions"]
    if revision is not None and 0 not in revisions and revision not in revisions:
        raise WrongRevision(
            Text(f"not for hardware revision {revision}", f"不适用于硬件版本 {revision}"), _OTHER
        )
    if mpy not in (None, about["mpy"]):
        raise WrongBytecode(
            Text(f"its bytecode is {about['mpy']}, not {mpy}", f"其字节码为 {about['mpy']}，而不是 {mpy}"),
            _OTHER,
        )
