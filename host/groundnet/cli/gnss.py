"""`groundnet gnss FILE`: a recorded log through the firmware's own NMEA reader."""

import enum
import json
from pathlib import Path
from typing import Annotated

import typer

from groundnet.cli.language import tr
from groundnet.errors import GroundnetError
from groundnet.sim import gnss_log

app = typer.Typer(add_completion=False)


class Runtime(enum.StrEnum):
    """Interpreters that can run the reader."""

    cpython = "cpython"
    micropython = "micropython"


@app.command()
def gnss(
    file: Annotated[Path, typer.Argument(help="Raw output of a GNSS receiver.")],
    runtime: Annotated[
        Runtime, typer.Option(help="Interpreter that runs the firmware's reader.")
    ] = Runtime.cpython,
    json_: Annotated[
        bool, typer.Option("--json", help="JSON lines, which this command prints in any case.")
    ] = False,
) -> None:
    """Print one JSON object per line for each epoch with a valid position, once its date is known."""
    if not file.exists():
        raise GroundnetError(
            tr(f"there is no file {file}", f"没有文件 {file}"),
            tr("name a log of raw NMEA lines", "请给出原始 NMEA 记录文件"),
        )
    for record in gnss_log.read_fixes(file, runtime.value):
        typer.echo(json.dumps(record))
