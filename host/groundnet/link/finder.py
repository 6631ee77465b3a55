"""A finder at the cable: lend it a tag's ids, take them back, ask whom it follows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from groundwire.finder_table import IDS_OF_ONE

from groundnet.errors import Text
from groundnet.link.device import Device, Identity
from groundnet.link.errors import LinkError
from groundnet.link.serial_link import SerialLink

SecretOf = Callable[[bytes], bytes | None]


class NotAFinder(LinkError):
    """Another role, or a finder that cannot be trusted with anybody's ids."""


@dataclass(frozen=True)
class Following:
    """Whom a finder follows; ``count`` 0: nobody. ``left_s``: working time until it forgets."""

    code: str
    first_epoch: int
    count: int
    left_s: int
    commands: int


@contextmanager
def at_finder(port: str, secret_of: SecretOf) -> Iterator["Finder"]:
    """A session with the finder at a port; it starts anew behind it when something was changed.

    Args:
        secret_of: the secret of a device by its id, None for one that nobody knows.

    Raises NotAFinder, WrongSecret, TriesExhausted and the errors of opening a link.
    """
    with SerialLink(port) as link:
        identity = Device(link).identity()
        if identity.role != "finder":
            raise NotAFinder(
                Text(f"the device at {port} is a {identity.role}", f"{port} 上的设备是 {identity.role}"),
                Text("name the port of a finder", "请指定寻找器的串口"),
            )
        secret = secret_of(identity.device_id)
        if identity.state == "blank" or secret is None:
            what = "is blank" if identity.state == "blank" else "is not in this registry"
            zh = "尚未写入身份" if identity.state == "blank" else "不在此登记簿中"
            raise NotAFinder(
                Text(f"finder {identity.device_id.hex()} {what}", f"寻找器 {identity.device_id.hex()} {zh}"),
                Text(
                    "provision it with `groundnet provision one PORT --profile none`, or name its registry",
                    "请用 `groundnet provision one PORT --profile none` 写入，或指定其登记簿",
                ),
            )
        link.authenticate(identity.device_id, secret)
        yield Finder(link, identity)


class Finder:
    """Typed requests inside the session. Each may raise the errors of ``groundnet.link.errors``."""

    def __init__(self, link: SerialLink, identity: Identity) -> None:
        self._link = link
        self.identity = identity

    def load(
        self,
        code: str,
        first_epoch: int,
        eids: Sequence[bytes],
        expires_ms: int,
        budget_s: int,
        commands: Sequence[tuple[str, bytes]],
        now_ms: int,
    ) -> None:
        """Set its clock and give it one loan, whole or not at all; what it followed before is forgotten."""
        self._link.ask("time_write", time_ms=now_ms)
        self._link.ask(
            "follow_begin",
            code=code,
            first_epoch=first_epoch,
            count=len(eids),
            expires_ms=expires_ms,
            budget_s=budget_s,
        )
        for first in range(0, len(eids), IDS_OF_ONE):
            self._link.ask("follow_ids", first=first, eids=list(eids[first : first + IDS_OF_ONE]))
        records = [{"purpose": purpose, "downlink": data} for purpose, data in commands]
        self._link.ask("follow_commands", commands=records)
        self._link.ask("follow_finish")

    def clear(self) -> None:
        """Take everything back."""
        self._link.ask("follow_clear")

    def following(self) -> Following:
        values = self._link.ask("follow_read").values
        return Following(
            values["code"], values["first_epoch"], values["count"], values["left_s"], values["commands"]
        )
