"""``groundnet flash``: a tray of boards in one command."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.doctor import show
from groundnet.cli.language import said, tr
from groundnet.cli.live_bars import LiveBars
from groundnet.cli.options import JsonOption
from groundnet.errors import GroundnetError
from groundnet.flash import application, base_image, one_board, report
from groundnet.flash.one_board import Plan
from groundnet.flash.survey import survey
from groundnet.flash.tray import flash as flash_tray
from groundnet.link.ports import SerialPort

app = typer.Typer()

STEP_TEXTS = {
    one_board.LOOK: ("looking who is there", "识别设备"),
    one_board.BASE: ("writing MicroPython", "写入 MicroPython"),
    one_board.APPLICATION: ("writing the application", "写入应用"),
    one_board.START: ("waiting for its answer", "等待设备应答"),
    one_board.REPLUG: ("unplugged: plug it in again", "已断开：请重新插入"),
    one_board.BOOT_BUTTON: ("hold BOOT and press reset", "按住 BOOT 键并按复位键"),
}
VERDICT_TEXTS = {
    report.PASSED: ("[bold green]✔ passed[/]", "[bold green]✔ 合格[/]"),
    report.FAILED: ("[bold red]✘ failed[/]", "[bold red]✘ 失败[/]"),
    report.REFUSED: ("[bold yellow]– not touched[/]", "[bold yellow]– 未写入[/]"),
}


@app.command()
def flash(
    ports: Annotated[
        list[str] | None, typer.Argument(help="Serial ports, PTYs or USB serial numbers, one per board.")
    ] = None,
    role: Annotated[
        str | None, typer.Option(help="What the boards shall become: tag, tracker, base ...")
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="Folder under firmware/boards; default: the role's usual one.")
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="A bundle instead of one built from here.")] = None,
    base_file: Annotated[
        Path | None, typer.Option("--base-image", help="MicroPython's .bin; written over what is there.")
    ] = None,
    no_base: Annotated[bool, typer.Option("--no-base", help="Never write MicroPython itself.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="Only say what is on each port.")] = False,
    as_json: JsonOption = False,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit XML report to this file.")] = None,
    retries: Annotated[int, typer.Option(min=0, help="Further tries per board.")] = 2,
    steal: Annotated[bool, typer.Option("--steal", help="Take over boards that somebody works on.")] = False,
) -> None:
    """Flash boards: MicroPython where it is missing, then the application, all boards at once.

    Exit code 0: every board answers as what was written; 1: some do not; 2: nothing was begun.
    """
    if list_only:
        show(survey(ports or []), as_json)
        return
    if not ports or (role is None and bundle is None):
        raise typer.BadParameter(tr("name the ports and a --role", "请给出串口和 --role"))
    with ExitStack() as stack:
        try:
            about = application.load(role, board, bundle)
            base = None if no_base else _base(stack, about, base_file)
        except GroundnetError as error:
            Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(
                f"{tr('error:', '错误：')} {said(error.cause)}; {said(error.action)}"
            )
            raise typer.Exit(2) from error
        plan = Plan(about, base, not no_base, base_file is not None, retries, steal=steal)
        with LiveBars(as_json) as bars:

            def bar(port: SerialPort, step: str, share: float) -> None:
                bars.show(port.board_key, port.path, tr(*STEP_TEXTS[step]), share)

            done = flash_tray(ports, plan, bar)
    typer.echo(done.as_json()) if as_json else _print(done)
    if junit:
        junit.write_text(done.as_junit(), encoding="utf-8")
    raise typer.Exit(0 if done.passed else 1)


def _base(stack: ExitStack, about: application.Application, named: Path | None) -> Path | None:
    """The base image ready to be written; none in the cache matters only to a board that needs one."""
    if named is None and not base_image.cached(about.chip):
        return None
    found = base_image.find(about.chip, named)
    return stack.enter_context(base_image.prepared(found, about.chip, about.board))


def _print(done: report.TrayReport) -> None:
    table = Table(
        tr("port", "端口"), "MAC", tr("verdict", "结果"), tr("seconds", "秒"), tr("what now", "说明与下一步")
    )
    for one in done.boards:
        text = f"{said(one.cause)}; {said(one.action)}" if one.cause else f"{one.role} {one.firmware}"
        table.add_row(one.port, one.mac, tr(*VERDICT_TEXTS[one.verdict]), f"{one.duration_s:.1f}", text)
    Console().print(table)
