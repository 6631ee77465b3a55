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
    """Print one JSON object per line for each epoch with a valid position, once its date is known.

    Damaged sentences are left out, and counted on standard error.
    """
    if not file.exists():
        raise GroundnetError(
            tr(f"there is no file {file}", f"没有文件 {file}"),
            tr("name a log of raw NMEA lines", "请给出原始 NMEA 记录文件"),
        )
    tally = gnss_log.Tally()
    for record in gnss_log.read_fixes(file, runtime.value, tally):
        typer.echo(json.dumps(record))
    if not tally.accepted:
        raise GroundnetError(
            tr(
                f"{file} has no sound NMEA sentence, and {tally.rejected} damaged ones",
                f"{file} 中没有完好的 NMEA 语句，损坏 {tally.rejected} 条",
            ),
            tr("name a log of raw NMEA lines, with their checksums", "请给出带校验和的原始 NMEA 记录文件"),
        )
    if tally.rejected:
        total = tally.accepted + tally.rejected
        typer.echo(
            tr(
                f"{tally.rejected} of {total} sentences were damaged or had no checksum, and were left out",
                f"{total} 条语句中有 {tally.rejected} 条损坏或无校验和，已略去",
            ),
            err=True,
        )
