"""``groundnet provision people``: who may work at an install point."""

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import NEW_PIN, PIN, PassphraseFileOption, open_registry, told
from groundnet.provision.people import People, Session

app = typer.Typer(no_args_is_help=True, help=tr("Who may work at this point.", "本安装点的人员。"))
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        help=tr(
            f"Supervisor who does it; the PIN is asked for, or {PIN}. The first one needs nobody.",
            f"办理的主管；现场输入 PIN，或设置 {PIN}。第一位主管无需他人。",
        ),
    ),
]
NameArgument = Annotated[str, typer.Argument(help=tr("Name of the person.", "姓名。"))]


class Role(StrEnum):
    """What a person may do."""

    staff = "staff"
    supervisor = "supervisor"


@app.command(help=tr("Add a person, or give one a new PIN or role.", "添加人员，或更换 PIN、角色。"))
def add(
    name: NameArgument,
    role: Annotated[
        Role, typer.Option(help=tr("staff or supervisor.", "staff 员工，supervisor 主管。"))
    ] = Role.staff,
    by: ByOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
) -> None:
    store = open_registry(registry, True, passphrase_file)
    try:
        people = People(store)
        session = _session(people, by)
        pin = told(NEW_PIN, (f"PIN of {name}", f"{name} 的 PIN"), confirm=True)
        people.add(name, pin, role.value, now_ms(), session)
    finally:
        store.close()
    Console(highlight=False).print(f"[bold green]✔[/] {name}, {tr(role.value, _ZH[role])}")


@app.command("list", help=tr("List the people of this point.", "列出人员。"))
def list_people(registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    store = open_registry(registry, True, need=False)
    everyone = People(store).everyone()
    store.close()
    waiting = [person.waits_until_ms > now_ms() for person in everyone]
    if as_json:
        rows = zip(everyone, waiting, strict=True)
        typer.echo(
            json.dumps(
                [{"name": one.name, "role": one.role, "locked_out": waits} for one, waits in rows],
                ensure_ascii=False,
            )
        )
        return
    table = Table(tr("name", "姓名"), tr("role", "角色"), "")
    for person, waits in zip(everyone, waiting, strict=True):
        table.add_row(
            person.name, tr(person.role, _ZH[Role(person.role)]), tr("locked out", "已锁定") if waits else ""
        )
    Console().print(table)


@app.command(help=tr("Take away a person's leave to work here.", "移除人员。"))
def remove(
    name: NameArgument,
    by: ByOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
) -> None:
    store = open_registry(registry, True, passphrase_file)
    try:
        people = People(store)
        people.remove(name, now_ms(), _session(people, by))
    finally:
        store.close()
    Console(highlight=False).print(f"[bold green]✔[/] {tr('removed:', '已移除：')} {name}")


_ZH = {Role.staff: "员工", Role.supervisor: "主管"}


def _session(people: People, by: str | None) -> Session | None:
    if by is None:
        return None
    return people.sign_in(by, told(PIN, (f"PIN of {by}", f"{by} 的 PIN")), now_ms())
