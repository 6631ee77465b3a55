"""``groundnet case``: open, close and list theft cases."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundnet.cli.case_audit import audit
from groundnet.cli.case_report import report
from groundnet.cli.condition import condition_json, condition_text
from groundnet.cli.language import tr
from groundnet.cli.options import (
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
    operator,
    parse_time_ms,
)
from groundnet.cli.registry_door import open_registry
from groundnet.collector.casework.cases import Case, close_cases, list_cases, open_cases
from groundnet.collector.casework.condition import condition_of
from groundnet.collector.casework.silence import Intervals, silent_devices
from groundnet.collector.database import Database
from groundnet.collector.places.export import iso_time
from groundnet.provision.intervals import intervals_of

app = typer.Typer(
    no_args_is_help=True,
    help=tr("Theft cases: open, close, list; silent devices.", "报失案件：立案、结案、列表；静默设备。"),
)

app.command("report")(report)
app.command("audit")(audit)

TagArgument = Annotated[str, typer.Argument(help="Tag id, number plate or device id.")]


@app.command("open")
def open_(
    tag: TagArgument,
    reason: Annotated[str, typer.Option(help="Why: the report in a few words.")],
    document: Annotated[str, typer.Option(help="Number of the theft report.")],
    reporter: Annotated[str | None, typer.Option(help="Who reports it; default: who is logged in.")] = None,
    stolen: Annotated[
        str | None,
        typer.Option(help="When it was stolen, ISO 8601; pays for what is reported in two months."),
    ] = None,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a case: the tag goes into lost mode when a station next hears it."""
    store = Database(database_path(database), must_exist=True)
    asked = _devices(registry, tag)
    told = (reporter or operator(), document, reason)
    cases = open_cases(store, asked, *told, now_ms(), parse_time_ms(stolen), operator())
    store.close()
    _print(cases, as_json, tr("case opened, lost mode is on its way", "已立案，正在下发丢失模式"))


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
    cases = close_cases(store, _devices(registry, tag), reason, now_ms(), operator())
    store.close()
    _print(cases, as_json, tr("case closed", "已结案"))


@app.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all cases, newest first, with what the device says of its own condition."""
    store = Database(database_path(database), must_exist=True)
    found = [(_public(case), condition_of(store, case.device_id)) for case in list_cases(store)]
    store.close()
    if as_json:
        cases = [{**case, "condition": condition_json(condition)} for case, condition in found]
        typer.echo(json.dumps(cases, ensure_ascii=False))
        return
    table = Table(
        *(
            tr(*titles)
            for titles in (
                ("case", "案件"),
                ("device", "设备"),
                ("opened", "立案"),
                ("closed", "结案"),
                ("condition", "设备状况"),
            )
        )
    )
    for case, condition in found:
        row = (str(case["case_id"]), case["device_id"], case["opened"], case["closed"] or "")
        table.add_row(*row, escape(condition_text(condition)))
    Console().print(table)


@app.command()
def silent(
    beacon_interval: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds between two beacons at rest; default: as each device was set."),
    ] = None,
    report_interval: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds between two heartbeats of a tracker that does not say it itself."),
    ] = None,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List devices that are not heard any more: out of reach, without a battery, or destroyed."""
    devices = open_registry(registry, must_exist=True)
    tag_ids, intervals = {}, {}
    for record in devices.devices():
        if record.state == "undone":
            continue  # nobody's: it was made blank
        tag_ids[record.device_id] = record.tag_id
        usual = intervals_of(record, devices.settings_of(record.device_id))
        intervals[record.device_id] = Intervals(
            beacon_interval or usual.beacon_s, report_interval or usual.report_s
        )
    devices.close()
    store = Database(database_path(database), must_exist=True)
    found = silent_devices(store, tag_ids, now_ms(), intervals.__getitem__)
    store.close()
    rows = [(tag_ids[one.device_id], iso_time(one.heard_ms), iso_time(one.since_ms)) for one in found]
    if as_json:
        names = ("tag_id", "heard", "silent_since")
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False))
        return
    table = Table(tr("tag", "标签"), tr("heard last", "最后一次"), tr("silent since", "静默自"))
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _devices(registry: str | None, tag: str) -> list[bytes]:
    """Every device on the vehicle, or the one that was named."""
    store = open_registry(registry, must_exist=True)
    device_ids = [record.device_id for record in store.find(tag)]
    store.close()
    return device_ids


def _print(cases: list[Case], as_json: bool, text: str) -> None:
    if as_json:
        typer.echo(json.dumps([_public(case) for case in cases], ensure_ascii=False))
        return
    for case in cases:
        Console(highlight=False).print(f"[bold green]✔ {case.case_id}[/] {text}")


def _public(case: Case) -> dict:
    return {
        "case_id": case.case_id,
        "device_id": case.device_id.hex(),
        "reporter": case.reporter,
        "document": case.document,
        "reason": case.reason,
        "stolen": iso_time(case.stolen_ms) if case.stolen_ms else None,
        "opened": iso_time(case.opened_ms),
        "closed": iso_time(case.closed_ms) if case.closed_ms else None,
        "outcome": case.outcome,
    }
