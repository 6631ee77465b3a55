"""Where an alert goes: one address in one spelling, and how much of it is shown."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from groundnet.errors import GroundnetError, Text
from groundnet.provision import phone

_MAIL = re.compile(r"[^@\s,;:<>\"\\]{1,64}@[A-Za-z0-9.-]{1,250}\.[A-Za-z0-9-]{2,}")


class ContactError(GroundnetError):
    """An address that no alert can reach."""


def normalise(said: str) -> str:
    """``https://...``, ``mailto:...`` or ``tel:+...``; a bare e-mail address or phone number is understood.

    Plain http is for the same computer only: whoever listened on the way would learn what moves when.
    Raises ContactError.
    """
    text = said.strip()
    scheme, _, rest = text.partition(":")
    if scheme.lower() in ("http", "https"):
        return _webhook(text)
    bare = rest if scheme.lower() in ("mailto", "tel") else text
    if "@" in bare:
        if not _MAIL.fullmatch(bare):
            raise _refused(said)
        return f"mailto:{bare}"
    try:
        return f"tel:{phone.normalise(bare)}"
    except GroundnetError:
        raise _refused(said) from None


def masked(contact: str) -> str:
    """Enough to tell one's own from another's."""
    scheme, _, rest = contact.partition(":")
    if scheme == "tel":
        return f"tel:{rest[:4]}{'*' * (len(rest) - 6)}{rest[-2:]}"
    if scheme == "mailto":
        name, _, host = rest.partition("@")
        return f"mailto:{name[0]}***@{host}"
    return f"{scheme}://{urlsplit(contact).hostname}/***"  # the path may be what makes a webhook secret


def _webhook(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise _refused(text) from None
    if not host or parts.username or parts.fragment or (parts.scheme.lower() == "http" and not _here(host)):
        raise _refused(text)
    return text


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(said: str) -> ContactError:
    return ContactError(
        Text(f"'{said}' is no address for alerts", f"“{said}”不是可用的提醒地址"),
        Text(
            "give https://HOST/..., NAME@HOST, or a phone number with its country code",
            "请给出 https://主机/…、邮箱，或带国家区号的手机号",
        ),
    )
