"""``groundnet provision resume|undo``: complete or take back what was begun."""

import json
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.cli.staff_door import SUPERVISOR_PIN, StaffOption, sign_in, supervisors_pin
from groundnet.link.device import Device
from groundnet.link.serial_link import SerialLink
from groundnet.provision import recovery
from groundnet.provision.approval import Approval, approve
from groundnet.provision.people import People
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry

PortArgument = Annotated[
    str, typer.Argument(help=tr("Serial port or PTY of the device.", "设备的串口或 PTY。"))
]


def resume(
    port: Annotated[
        str | None,
        typer.Argument(
            help=tr(
                "Port of the device; without it, what is unfinished is listed.", "串口；不填则列出未完成项。"
            )
        ),
    ] = None,
    staff: StaffOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = open_registry(registry, True, passphrase_file, need=port is not None)
    try:
        if port is None:
            _list(recovery.unfinished(store), as_json)
            return
        sign_in(store, staff)
        with SerialLink(port) as link:
            record = recovery.resume(link, store)
    finally:
        store.close()
    _say(record, as_json, tr("is provisioned and locked", "已写入并锁定"))


def undo(
    port: PortArgument,
    supervisor: Annotated[
        str | None,
        typer.Option(
            help=tr(
                f"Supervisor who approves it for a device that is bound; the PIN is asked for, or {SUPERVISOR_PIN}.",
                f"设备已绑定时，由该主管批准；现场输入 PIN，或设置 {SUPERVISOR_PIN}。",
            )
        ),
    ] = None,
    staff: StaffOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = open_registry(registry, True, passphrase_file)
    try:
        sign_in(store, staff)
        with SerialLink(port) as link:
            leave = _approved(store, Device(link).identity().device_id, supervisor) if supervisor else None
            record = recovery.undo(link, store, approval=leave)
    finally:
        store.close()
    _say(record, as_json, tr("is blank again", "已恢复空白"))


def _approved(store: Registry, device_id: bytes, supervisor: str) -> Approval | None:
    record = store.by_device(device_id)
    if record is None:
        return None
    pin = supervisors_pin(supervisor)
    return approve(store, People(store), store.who, supervisor, pin, record, now_ms())


def _list(records: list[Record], as_json: bool) -> None:
    if as_json:
        rows = [
            {"tag_id": one.tag_id, "device_id": one.device_id.hex(), "state": one.state} for one in records
        ]
        typer.echo(json.dumps(rows))
        return
    console = Console(highlight=False)
    for record in records:
        console.print(f"{record.tag_id}  {record.device_id.hex()}  {record.state}")
    if not records:
        console.print(tr("nothing is unfinished", "没有未完成项"))


def _say(record: Record, as_json: bool, text: str) -> None:
    if as_json:
        typer.echo(
            json.dumps({"tag_id": record.tag_id, "device_id": record.device_id.hex(), "state": record.state})
        )
        return
    Console(highlight=False).print(f"[bold green]✔ {record.tag_id}[/] {text}")
