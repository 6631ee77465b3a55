"""``groundnet doctor``: what is connected, and what to do next."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption
from groundnet.link.probe import probe_all

app = typer.Typer()


@app.command()
def doctor(
    ports: Annotated[
        list[str] | None, typer.Argument(help="Serial ports or PTYs; default: all USB ones.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every serial port who is there. A device that is asked restarts nothing and forgets nothing."""
    findings = probe_all(ports or [])
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
        return
    if not findings:
        typer.echo(tr("no USB serial port is here: plug a device in", "未发现 USB 串口：请插入设备"))
        return
    table = Table(tr("port", "端口"), tr("what is there", "设备"), tr("next", "下一步"))
    for finding in findings:
        table.add_row(finding.port.path, finding.what, finding.action)
    Console().print(table)
