"""``groundnet case``: open, close and list theft cases."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import (
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
    operator,
    registry_path,
)
from groundnet.collector.cases import Case, close_case, list_cases, open_case
from groundnet.collector.database import Database
from groundnet.collector.export import iso_time
from groundnet.provision.registry import Registry

app = typer.Typer(
    no_args_is_help=True, help=tr("Theft cases: open, close, list.", "报失案件：立案、结案、列表。")
)

TagArgument = Annotated[str, typer.Argument(help="Tag id, number plate or device id.")]


@app.command("open")
def open_(
    tag: TagArgument,
    reason: Annotated[str, typer.Option(help="Why: the report in a few words.")],
    document: Annotated[str, typer.Option(help="Number of the theft report.")] = "",
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a case: the tag goes into lost mode when a station next hears it."""
    store = Database(database_path(database), must_exist=True)
    case = open_case(store, _device_id(registry, tag), operator(), document, reason, now_ms())
    store.close()
    _print(case, as_json, tr("case opened, lost mode is on its way", "已立案，正在下发丢失模式"))


@app.command()
def close(
    tag: TagArgument,
    reason: Annotated[str, typer.Option(help="How it ended, for example: found.")],
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close the open case: lost mode ends when the tag is next heard and has offered its challenge."""
    store = Database(database_path(database), must_exist=True)
    case = close_case(store, _device_id(registry, tag), reason, now_ms())
    store.close()
    _print(case, as_json, tr("case closed", "已结案"))


@app.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all cases, newest first."""
    store = Database(database_path(database), must_exist=True)
    cases = [_public(case) for case in list_cases(store)]
    store.close()
    if as_json:
        typer.echo(json.dumps(cases, ensure_ascii=False))
        return
    table = Table(
        *(
            tr(*titles)
            for titles in (("case", "案件"), ("device", "设备"), ("opened", "立案"), ("closed", "结案"))
        )
    )
    for case in cases:
        table.add_row(str(case["case_id"]), case["device_id"], case["opened"], case["closed"] or "")
    Console().print(table)


def _device_id(registry, tag: str) -> bytes:
    devices = Registry(registry_path(registry))
    device_id = devices.find(tag).device_id
    devices.close()
    return device_id


def _print(case: Case, as_json: bool, text: str) -> None:
    if as_json:
        typer.echo(json.dumps(_public(case), ensure_ascii=False))
    else:
        Console(highlight=False).print(f"[bold green]✔ {case.case_id}[/] {text}")


def _public(case: Case) -> dict:
    return {
        "case_id": case.case_id,
        "device_id": case.device_id.hex(),
        "reporter": case.reporter,
        "document": case.document,
        "reason": case.reason,
        "opened": iso_time(case.opened_ms),
        "closed": iso_time(case.closed_ms) if case.closed_ms else None,
        "outcome": case.outcome,
    }
