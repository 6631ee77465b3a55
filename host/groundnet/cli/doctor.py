"""``groundnet doctor``: what is connected, and what to do next."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import said, tr
from groundnet.cli.options import JsonOption
from groundnet.flash.survey import survey
from groundnet.link.probe import Finding

app = typer.Typer()


@app.command()
def doctor(
    ports: Annotated[
        list[str] | None,
        typer.Argument(help="Serial ports, PTYs or USB serial numbers; default: all USB ports."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every serial port who is there. A device that is asked restarts nothing and forgets nothing."""
    show(survey(ports or []), as_json)


def show(findings: Sequence[Finding], as_json: bool) -> None:
    """A table for people: one row per port, with what tells boards apart and the next action."""
    if as_json:
        typer.echo(json.dumps([_record(finding) for finding in findings], ensure_ascii=False))
        return
    if not findings:
        typer.echo(tr("no USB serial port is here: plug a device in", "未发现 USB 串口：请插入设备"))
        return
    table = Table()
    for title in (tr("port", "端口"), tr("USB serial", "USB 序列号"), "MAC", tr("chip", "芯片")):
        table.add_column(title, no_wrap=True)
    for title in (tr("what is there", "设备"), tr("next", "下一步")):
        table.add_column(title, overflow="fold")
    for finding in findings:
        row = (finding.port.path, finding.port.serial_number, finding.mac, finding.chip)
        table.add_row(*row, said(finding.what), said(finding.action))
    Console().print(table)


def _record(finding: Finding) -> dict[str, Any]:
    """Everything that is known; `what` and `action` in the language of the command, `kind` is for machines."""
    words = {name: said(getattr(finding, name)) for name in ("what", "action", "held_by")}
    return asdict(finding) | words | {"busy": finding.busy}
