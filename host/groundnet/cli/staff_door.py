"""Who works, at commands that bind a device or let one go: signed in with a PIN where the registry knows people."""

import os
import sys
from typing import Annotated

import typer

from groundnet.cli.language import tr
from groundnet.cli.options import now_ms
from groundnet.cli.registry_door import PIN, NotTold, told
from groundnet.errors import Text
from groundnet.provision.people import People, PeopleError, Session
from groundnet.provision.registry import Registry

STAFF, SUPERVISOR_PIN = "GROUNDNET_STAFF", "GROUNDNET_SUPERVISOR_PIN"
StaffOption = Annotated[
    str | None,
    typer.Option(
        "--staff",
        metavar="NAME",
        help=tr(
            f"Who works, where the registry knows people; else {STAFF}, or it is asked for. So is the PIN, or {PIN}.",
            f"操作员姓名（登记簿有人员时）；否则取 {STAFF} 或现场输入。PIN 现场输入，或设置 {PIN}。",
        ),
    ),
]


class Staff:
    """Somebody who is signed in, or an engineer at a registry without people."""

    def __init__(self, people: People, session: Session | None) -> None:
        self._people = people
        self._session = session

    def stay(self, worked: bool) -> None:
        """For what lasts long: ``worked`` keeps the session alive. Raises SessionOver after 15 min without work."""
        if self._session is not None:
            self._people.check(self._session.token, now_ms(), touch=worked)


def sign_in(registry: Registry, name: str | None) -> Staff:
    """Sign in; from now on what is done with this registry is theirs in the audit.

    Raises NotTold, WrongPin, LockedOut, VaultLocked, and PeopleError for a name where nobody is known.
    """
    people = People(registry)
    if not people.everyone():
        if name is not None:
            raise PeopleError(
                Text("this registry knows no people", "该登记簿没有人员"),
                Text("leave --staff out, or add them with `provision people add`",
                     "不填 --staff，或用 `provision people add` 添加人员"),
            )  # fmt: skip
        return Staff(people, None)
    chosen = name or os.environ.get(STAFF) or _asked()
    session = people.sign_in(chosen, told(PIN, (f"PIN of {chosen}", f"{chosen} 的 PIN")), now_ms())
    registry.who = session.name
    return Staff(people, session)


def supervisors_pin(name: str) -> str:
    """The PIN of who approves; never the same variable as the PIN of who works. Raises NotTold."""
    return told(SUPERVISOR_PIN, (f"PIN of {name}", f"{name} 的 PIN"))


def _asked() -> str:
    if not sys.stdin.isatty():
        raise NotTold(("name of who works", "操作员姓名"), STAFF)
    return typer.prompt(tr("name", "姓名"), err=True)
