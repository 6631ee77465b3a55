"""`groundnet sim month`: a month of one tracker in seconds."""

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.sim.month.play import Figures, play

SHOWN_STATES = 6


def month(
    seed: Annotated[int, typer.Option(help=tr("Seed of everything random.", "随机种子。"))] = 1,
    days: Annotated[int, typer.Option(help=tr("Virtual days, 2 to 366.", "虚拟天数，2 至 366。"))] = 30,
    thefts: Annotated[int, typer.Option(help=tr("How often it is stolen.", "被盗次数。"))] = 6,
    as_json: Annotated[bool, typer.Option("--json", help=tr("JSON for machines.", "输出 JSON。"))] = False,
) -> None:
    """A month at a windy roadside rack with thefts, dead zones, a failing modem and radio noise.

    The firmware's logic runs on this computer; exit code 1 when a theft was missed.
    """
    figures = play(seed, days, thefts)
    if as_json:
        shown = dataclasses.asdict(figures) | {"missed": figures.missed}
        typer.echo(json.dumps(shown))
    else:
        _show(figures)
    if figures.missed:
        raise typer.Exit(1)


def _show(figures: Figures) -> None:
    console = Console(highlight=False)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in (
        tr("theft", "盗窃"),
        tr("beacon", "信标"),
        tr("siren", "警笛"),
        tr("at the collector", "到达中心"),
    ):
        table.add_column(name, justify="right" if table.columns else "left")
    for outcome in figures.thefts:
        answers = (outcome.beacon_s, outcome.siren_s, outcome.report_s)
        table.add_row(outcome.kind, *("-" if value is None else f"{value:.1f} s" for value in answers))
    console.print(table)
    console.print(
        tr(
            f"{figures.days} days: {figures.missed} of {len(figures.thefts)} thefts missed, "
            f"{figures.false_alarms} false alarms, {figures.false_sirens} false sirens",
            f"{figures.days} 天：{len(figures.thefts)} 次盗窃漏报 {figures.missed} 次，"
            f"误报 {figures.false_alarms} 次，误鸣 {figures.false_sirens} 次",
        )
    )
    states = list(figures.mah_per_day_by_state.items())[:SHOWN_STATES]
    spent = ", ".join(f"{name} {mah:.1f}" for name, mah in states)
    console.print(
        tr(f"{figures.mah_per_day:.0f} mAh a day: {spent}", f"每天 {figures.mah_per_day:.0f} mAh：{spent}")
    )
