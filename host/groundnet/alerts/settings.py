"""The file of --alerts: by which ways alerts leave this computer. TOML; passwords stand in files of their own."""

import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

from groundnet.alerts.mail import Mail, MailServer
from groundnet.alerts.post import Sender
from groundnet.alerts.sms_modem import SmsModem
from groundnet.alerts.webhook import Webhook
from groundnet.errors import GroundnetError

_SECTIONS = {
    "webhook": {"key_file": str},
    "mail": {"host": str, "port": int, "from": str, "security": str, "user": str, "password_file": str},
    "sms": {"port": str, "baudrate": int},
}
_NEEDED = {"webhook": (), "mail": ("host", "from"), "sms": ("port",)}
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class AlertSettingsError(GroundnetError):
    """A file of alert settings that is not there or says something that is not understood."""


def senders(path: Path | None) -> dict[str, Sender]:
    """A sender for each way: "https", "mailto", "tel". Without a file: webhooks alone, unsigned.

    Raises AlertSettingsError with the place in the file.
    """
    if path is None:
        return {"https": Webhook()}
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AlertSettingsError(f"{path} cannot be read ({error})", "see `groundnet alert --help`") from None
    _check(path, said)
    found: dict[str, Sender] = {}
    if "webhook" in said:
        found["https"] = Webhook(_secret(path, said["webhook"], "key_file").encode() or None)
    if "mail" in said:
        found["mailto"] = Mail(_mail(path, said["mail"]))
    if "sms" in said:
        found["tel"] = SmsModem(said["sms"]["port"], said["sms"].get("baudrate", 115200))
    return found


def _check(path: Path, said: Mapping) -> None:
    for section, values in said.items():
        if section not in _SECTIONS or not isinstance(values, dict):
            raise _refused(path, f"[{section}] is none of {', '.join(_SECTIONS)}")
        for name, value in values.items():
            kind = _SECTIONS[section].get(name)
            if kind is None:
                raise _refused(path, f"[{section}] has no {name}")
            if type(value) is not kind:
                raise _refused(path, f"[{section}] {name} must be {'a number' if kind is int else 'a text'}")
        for name in _NEEDED[section]:
            if name not in values:
                raise _refused(path, f"[{section}] needs {name}")


def _mail(path: Path, said: Mapping) -> MailServer:
    security = said.get("security", "starttls")
    if security not in _PORTS:
        raise _refused(path, f"[mail] security is one of {', '.join(_PORTS)}")
    if security == "none" and not _here(said["host"]):
        raise _refused(path, "[mail] security none is for a server on the same computer")
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", said["from"]):
        raise _refused(path, "[mail] from is an address, NAME@HOST")
    password = _secret(path, said, "password_file")
    port = said.get("port", _PORTS[security])
    return MailServer(said["host"], port, said["from"], security, said.get("user", ""), password)


def _secret(path: Path, said: Mapping, name: str) -> str:
    if name not in said:
        return ""
    file = path.parent / said[name]
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise _refused(path, f"{name} {file} cannot be read ({error.strerror})") from None


def _here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(path: Path, cause: str) -> AlertSettingsError:
    return AlertSettingsError(f"{path}: {cause}", "mend the file, see `groundnet alert --help`")
