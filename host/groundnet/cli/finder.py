"""``groundnet finder``: lend a handheld finder the ids of one tag for a search, take them back, ask what it holds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import (
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
    operator,
)
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.collector.database import Database
from groundnet.collector.outbound.lending import MOST_HOURS, NotLent, lend
from groundnet.errors import Text
from groundnet.link.finder import Finder, at_finder
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry

app = typer.Typer(
    no_args_is_help=True,
    help=tr(
        "Handheld finders: lend one the ids of a stolen tag, take them back.",
        "手持寻找器：借给它被盗标签的编号，或收回。",
    ),
)
PortArgument = Annotated[
    str, typer.Argument(help=tr("Serial port or PTY of the finder.", "寻找器的串口或 PTY。"))
]


@app.command()
def load(
    port: PortArgument,
    tag: Annotated[
        str, typer.Argument(help=tr("Tag id, number plate or device id.", "标签编号、车牌或设备号。"))
    ],
    hours: Annotated[
        int,
        typer.Option(help=tr(f"Forgotten after so many hours, 1 to {MOST_HOURS}.", "多少小时后自动忘记。")),
    ] = 8,
    reason: Annotated[str, typer.Option(help=tr("Why; goes into the audit.", "原因，写入查询记录。"))] = "",
    passphrase_file: PassphraseFileOption = None,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let the finder at PORT follow TAG for some hours, and order its siren. Needs an open case for the tag.

    The finder gets coming ids and signed commands, never a key, a plate or a name; it shows the code printed here.
    It forgets by itself. Every loan is written to the audit (`groundnet case audit`), refused ones too. A finder that
    has gone dark hears no cable: press its button first.
    """
    devices = open_registry(registry, True, passphrase_file)
    store = Database(database_path(database), must_exist=True)
    try:
        record = _one_of(devices.find(tag))
        with at_finder(port, lambda device_id: _secret_of(devices, device_id)) as finder:
            began_ms = now_ms()
            secret = record.secret.reveal()
            loan = lend(store, record.device_id, secret, hours, operator(), reason, began_ms)
            finder.load(
                loan.code,
                loan.first_epoch,
                loan.eids,
                loan.expires_ms,
                loan.budget_s,
                loan.commands,
                began_ms,
            )
    finally:
        store.close()
        devices.close()
    told = {
        "tag": record.tag_id,
        "code": loan.code,
        "hours": hours,
        "ids": len(loan.eids),
        "ids_last_hours": loan.lasts_h,
        "commands": len(loan.commands),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    console = Console(highlight=False)
    said = tr(f"follows {record.tag_id} as", f"将跟踪 {record.tag_id}，代号")
    console.print(f"[bold green]✔[/] {said} [bold]{loan.code}[/] ({hours} h)", soft_wrap=True)
    if loan.lasts_h < hours:
        warning = tr(
            f"the tag was silent for long: its ids may run out after {loan.lasts_h:g} h; load again then",
            f"标签长时间未被听到：编号可能在 {loan.lasts_h:g} 小时后用完，届时请重新载入",
        )
        Console(stderr=True, highlight=False).print(warning, soft_wrap=True)


@app.command()
def clear(
    port: PortArgument,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take ids and commands back from the finder at PORT."""
    with _finder(port, registry, passphrase_file) as finder:
        finder.clear()
    if as_json:
        typer.echo(json.dumps({"count": 0}))
        return
    done = tr("holds nobody's ids any more", "已不再持有任何编号")
    Console(highlight=False).print(f"[bold green]✔[/] {done}")


@app.command()
def show(
    port: PortArgument,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell whom the finder at PORT follows, by its code, and for how long."""
    with _finder(port, registry, passphrase_file) as finder:
        found = finder.following()
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    elif not found.count:
        typer.echo(tr("follows nobody", "没有跟踪对象"))
    else:
        hours, minutes = divmod(found.left_s // 60, 60)
        left = tr(f"{hours} h {minutes} min left", f"还剩 {hours} 小时 {minutes} 分")
        orders = tr(f"{found.commands} commands left", f"剩余指令 {found.commands} 条")
        typer.echo(f"{found.code}: {left}, {orders}")


@contextmanager
def _finder(port: str, registry: str | None, passphrase_file) -> Iterator[Finder]:
    devices = open_registry(registry, True, passphrase_file)
    try:
        with at_finder(port, lambda device_id: _secret_of(devices, device_id)) as finder:
            yield finder
    finally:
        devices.close()


def _secret_of(devices: Registry, device_id: bytes) -> bytes | None:
    record = devices.by_device(device_id)
    return None if record is None else record.secret.reveal()


def _one_of(records: list[Record]) -> Record:
    """A finder follows one device. Raises NotLent for a plate with several."""
    if len(records) > 1:
        names = ", ".join(record.tag_id for record in records)
        raise NotLent(
            Text("a finder follows one device at a time", "寻找器一次只能跟踪一个设备"),
            Text(f"name one of: {names}", f"请指定其中之一：{names}"),
        )
    return records[0]
