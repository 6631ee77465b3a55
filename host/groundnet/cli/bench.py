"""``groundnet bench``: the production test, and the rig it runs on."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.bench import recording, rig_diagram, rig_file
from groundnet.bench.production import results
from groundnet.bench.production.results import UnitResult
from groundnet.bench.production.run import PAGE, RunReport
from groundnet.bench.production.run import run as run_line
from groundnet.bench.production.sequence import read as read_sequence
from groundnet.bench.rig_bench import RigBench
from groundnet.cli.language import tr
from groundnet.cli.live_bars import LiveBars
from groundnet.cli.options import JsonOption

app = typer.Typer(
    no_args_is_help=True, help=tr("Test boards, virtual or on a rig.", "测试电路板：虚拟或在测试台上。")
)

VERDICTS = {
    results.PASSED: ("[bold green]✔ PASS[/]", "[bold green]✔ 合格[/]"),
    results.FAILED: ("[bold red]✘ FAIL[/]", "[bold red]✘ 不合格[/]"),
    results.BROKEN: ("[bold yellow]! BROKEN[/]", "[bold yellow]! 测试中断[/]"),
}


@app.command(
    help=tr("Run a production test: every unit through a sequence.", "运行生产测试：每件产品按序列测试。")
)
def run(
    sequence: Annotated[Path, typer.Argument(help=tr("The sequence, TOML.", "测试序列（TOML）。"))],
    units: Annotated[
        list[str] | None, typer.Option("--unit", help=tr("Serial number; may repeat.", "序列号，可重复。"))
    ] = None,
    scan: Annotated[
        bool,
        typer.Option(
            "--scan", help=tr("Read serial numbers from the scanner, one a line.", "用扫码枪逐行读取序列号。")
        ),
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help=tr(
                "One slot each: sim, or a rig's description; may repeat.",
                "每个工位一个：sim 或测试台描述文件，可重复。",
            )
        ),
    ] = None,
    golden: Annotated[
        list[str] | None,
        typer.Option(
            help=tr(
                "Serial number of a golden unit: the station is checked.",
                "标准件序列号：用于检查测试台漂移。",
            )
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help=tr("Where results and report are kept.", "结果与报告的文件夹。"))
    ] = Path("build/bench-run"),
    as_json: JsonOption = False,
) -> None:
    numbers = list(units or []) + ([line.strip() for line in sys.stdin if line.strip()] if scan else [])
    if not numbers:
        raise typer.BadParameter(
            tr("name units with --unit, or --scan them", "请用 --unit 给出序列号，或用 --scan 扫码")
        )
    wanted = read_sequence(sequence)
    with LiveBars(as_json) as bars:

        def show(unit: UnitResult, what: str, share: float) -> None:
            bars.show(unit.serial_number, unit.serial_number, what, share, stays=False)
            if share == 1.0 and not as_json:
                bars.say(_line(unit))

        done = run_line(wanted, numbers, out, target or ["sim"], golden or [], show)
    _as_json(done) if as_json else _print(done)
    raise typer.Exit(0 if done.passed else 1)


@app.command(
    help=tr(
        "Check a rig's description, and ask every instrument who it is.",
        "检查测试台描述，并询问每台仪器的型号。",
    )
)
def check(
    rig: Annotated[Path, typer.Argument(help=tr("The rig's description, TOML.", "测试台描述（TOML）。"))],
    offline: Annotated[
        bool,
        typer.Option("--offline", help=tr("Only the description; open no port.", "只检查描述，不打开端口。")),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    entry = rig_file.read(rig)
    found = dict.fromkeys(entry.instruments) if offline else RigBench.identities(rig)
    if as_json:
        typer.echo(json.dumps({"name": entry.name, "devices": list(entry.devices), "instruments": found}))
        return
    console = Console(highlight=False)
    for name, said in found.items():
        console.print(f"[green]✔[/] {name}: {said or entry.instruments[name].driver}", soft_wrap=True)
    console.print(
        tr(f"{len(entry.devices)} devices: ", f"{len(entry.devices)} 台设备：") + ", ".join(entry.devices)
    )


@app.command(help=tr("Draw the wiring of a rig as SVG.", "绘制测试台接线图（SVG）。"))
def wiring(
    rig: Annotated[Path, typer.Argument(help=tr("The rig's description, TOML.", "测试台描述（TOML）。"))],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=tr("File; default: print it.", "输出文件；默认打印。"))
    ] = None,
) -> None:
    drawn = rig_diagram.svg(rig_file.read(rig))
    if out is None:
        typer.echo(drawn)
    else:
        out.write_text(drawn, encoding="utf-8")


@app.command(
    help=tr("Say in words what two records of a rig do otherwise.", "用文字说明两份测试台记录的差别。")
)
def compare(
    old: Annotated[Path, typer.Argument(help=tr("The older record.", "旧记录。"))],
    new: Annotated[Path, typer.Argument(help=tr("The newer record.", "新记录。"))],
    as_json: JsonOption = False,
) -> None:
    told = recording.compare(old, new)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in told or [tr("the records tell the same", "两份记录相同")]:
            typer.echo(line)
    raise typer.Exit(1 if told else 0)


def _line(unit: UnitResult) -> str:
    wrong = [f"{one.name}: {one.value:.4g} {one.unit}" for one in unit.measured if not one.passed]
    why = unit.cause or ", ".join(wrong)
    return f"{tr(*VERDICTS[unit.verdict])}  {unit.serial_number}  ({unit.duration_s:.1f} s){'  ' + why if why else ''}"


def _print(done: RunReport) -> None:
    console = Console(highlight=False)
    passed = sum(unit.verdict == results.PASSED for unit in done.units)
    console.print(tr(f"{passed} of {len(done.units)} passed", f"{len(done.units)} 件中 {passed} 件合格"))
    for words in done.drifts:
        console.print(f"[bold red]{tr('the station has drifted', '测试台已漂移')}[/] {words}")
    console.print(tr("report:", "报告：") + f" {done.folder / PAGE}", soft_wrap=True)


def _as_json(done: RunReport) -> None:
    units = [asdict(unit) for unit in done.units]
    typer.echo(
        json.dumps({"passed": done.passed, "units": units, "drifts": done.drifts, "folder": str(done.folder)})
    )
