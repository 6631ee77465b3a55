"""``groundnet calibrate``: learn how each base station hears."""

import json

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import DatabaseOption, JsonOption, database_path, now_ms
from groundnet.collector.database import Database
from groundnet.collector.places.calibration import Calibration, learn_all

app = typer.Typer()


@app.command(
    help=tr(
        "Learn how each base station hears, from devices that said where they were in the last 30 days. The running "
        "collector does so each day; positions are estimated with what was learned last.",
        "根据最近 30 天内自报位置的设备，学习每个基站的接收特性。采集服务每天自动进行；定位使用最近的结果。",
    )
)
def calibrate(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Print level at 300 m, exponent and spread of each station, with their standard deviations."""
    store = Database(database_path(database), must_exist=True)
    found = learn_all(store, now_ms())
    store.close()
    if as_json:
        rows = [{"station_id": station.hex(), **_public(one)} for station, one in found.items()]
        typer.echo(json.dumps(rows))
        return
    titles = (
        ("station", "基站"),
        ("level at 300 m", "300 米处电平"),
        ("exponent", "衰减指数"),
        ("spread", "离散"),
        ("faintest", "最弱"),
        ("samples", "样本"),
    )
    table = Table()
    for title in titles:
        table.add_column(tr(*title), no_wrap=title == titles[0])
    for station, one in found.items():
        ears = one.hearing
        table.add_row(
            station.hex(),
            f"{ears.level_dbm:.1f} ± {one.level_sd_db:.1f} dBm",
            f"{ears.exponent:.2f} ± {one.exponent_sd:.2f}",
            f"{ears.spread_db:.1f} dB",
            "-" if ears.faintest_dbm is None else f"{ears.faintest_dbm:.0f} dBm",
            str(one.samples),
        )
    Console().print(table)


def _public(one: Calibration) -> dict:
    return {
        "level_dbm": round(one.hearing.level_dbm, 2),
        "level_sd_db": round(one.level_sd_db, 2),
        "exponent": round(one.hearing.exponent, 3),
        "exponent_sd": round(one.exponent_sd, 3),
        "spread_db": round(one.hearing.spread_db, 2),
        "faintest_dbm": None if one.hearing.faintest_dbm is None else round(one.hearing.faintest_dbm, 1),
        "samples": one.samples,
    }
