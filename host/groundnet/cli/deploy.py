"""``groundnet deploy``: a developer's files onto a board."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption
from groundnet.flash.deploy import DeployReport
from groundnet.flash.deploy_folder import deploy_folder

app = typer.Typer()


@app.command()
def deploy(
    port: Annotated[str, typer.Argument(help="Serial port, PTY or USB serial number.")],
    folder: Annotated[
        Path, typer.Argument(help="What the board shall hold.", exists=True, file_okay=False, readable=True)
    ],
    to: Annotated[str, typer.Option(help="Folder on the board.")] = "/",
    baudrate: Annotated[int, typer.Option(min=300, help="Of the board's console.")] = 115_200,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove from that folder what is not in FOLDER.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the files of FOLDER onto a board: what is there already is not sent, each file whole or not at all.

    A program that runs is interrupted; press reset to start the new one.
    """
    screen = Console(stderr=True)
    with Progress(
        TextColumn(port),
        BarColumn(),
        TimeElapsedColumn(),
        console=screen,
        disable=as_json or not screen.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task("", total=1.0)
        report = deploy_folder(
            port,
            folder,
            to,
            baudrate=baudrate,
            prune=prune,
            dry_run=dry_run,
            progress=lambda share: bar.update(task, completed=share),
        )
    if as_json:
        typer.echo(json.dumps(asdict(report) | {"dry_run": dry_run}, ensure_ascii=False))
    else:
        _print(report, dry_run)


def _print(report: DeployReport, dry_run: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for path in report.removed:
        console.print(f"- {path}", style="red", markup=False)
    for path in report.sent:
        console.print(f"+ {path}", style="green", markup=False)
    count, same = len(report.sent), len(report.skipped)
    if dry_run:
        console.print(
            tr(
                f"{count} files of {report.bytes} bytes to send, {same} are there already",
                f"需发送 {count} 个文件（{report.bytes} 字节），{same} 个已在板上",
            )
        )
        return
    shares = report.shares
    console.print(
        tr(
            f"✔ {count} files sent ({report.bytes} bytes), {same} were there already; {report.seconds:.1f} s: "
            f"wire {shares['wire']:.0%}, device {shares['device']:.0%}, computer {shares['host']:.0%}",
            f"✔ 已发送 {count} 个文件（{report.bytes} 字节），{same} 个原已在板上；用时 {report.seconds:.1f} 秒："
            f"线路 {shares['wire']:.0%}，设备 {shares['device']:.0%}，电脑 {shares['host']:.0%}",
        )
    )
