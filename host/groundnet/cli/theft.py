"""``groundnet sim theft``: the main job, a theft end to end."""

import json
import signal
import types
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption
from groundnet.errors import GroundnetError
from groundnet.provision.registry import Registry
from groundnet.sim.theft import scene
from groundnet.sim.theft.map_svg import clock, standalone
from groundnet.sim.theft.record import Entry
from groundnet.sim.theft.report import render
from groundnet.sim.theft.stage import TAG_ID, TRACKER_ID
from groundnet.sim.theft.story import play

TONES = {"calm": "white", "alarm": "bold red", "order": "bold blue", "found": "bold green"}


def theft(
    seed: Annotated[
        int, typer.Option(help="Decides every random number; the same seed gives the same story.")
    ] = 1,
    out: Annotated[Path, typer.Option(help="Folder for report.html, track.gpx and track.csv.")] = Path(
        "build/demo"
    ),
    as_json: JsonOption = False,
) -> None:
    """Play a theft on virtual boards, from the install point to the last place.

    Exit code 1 when the bike is not found, or when an alarm came before the theft.
    """
    _spare_foreign_files(out)
    signal.signal(signal.SIGTERM, _interrupt)  # so that processes and files are closed as after Ctrl-C
    console = Console(highlight=False, stderr=as_json)
    out.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description:14}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        record = play(
            seed,
            out,
            lambda entry: _tell(bar.console, entry),
            lambda chapter, share: bar.update(task, description=chapter, completed=share),
        )
    (out / "report.html").write_text(render(record), encoding="utf-8")
    (out / "map.svg").write_text(standalone(record), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(record.summary()))
    console.print(tr(f"report: {out / 'report.html'}", f"报告：{out / 'report.html'}"), style="dim")
    if record.failure:
        raise GroundnetError(record.failure, f"look at {out / 'report.html'}")


def _interrupt(number: int, frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


def _spare_foreign_files(folder: Path) -> None:
    """The story makes its registry and database anew: never in place of those of a real install point."""
    registry_file, database_file = folder / "registry.db", folder / "collector.db"
    foreign = database_file.exists() and not registry_file.exists()
    if registry_file.exists():
        actors = {TAG_ID, TRACKER_ID, *(site.device_id for site in scene.STATIONS)}
        registry = Registry(registry_file)
        foreign = any(record.device_id not in actors for record in registry.devices())
        registry.close()
    if foreign:
        raise GroundnetError(
            tr(f"{folder} holds a registry or database of others", f"{folder} 中有他人的登记库或数据库"),
            tr("name an empty folder with --out", "请用 --out 指定空目录"),
        )


def _tell(console: Console, entry: Entry) -> None:
    moment, actor = (clock(entry.unix_ms), "dim"), (f"{entry.actor:14}", "cyan")
    console.print(Text.assemble(moment, "  ", actor, " ", (entry.text, TONES[entry.tone])), soft_wrap=True)
