"""``groundnet condition``: how a device itself is, and what its clock does; for people and for machines."""

import json
from typing import Annotated

import typer
from groundwire import keys
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundnet.cli import station_quarantine
from groundnet.cli.language import tr
from groundnet.cli.options import DatabaseOption, JsonOption, RegistryOption, database_path, now_ms
from groundnet.cli.registry_door import open_registry
from groundnet.collector.casework.condition import Condition, condition_of
from groundnet.collector.database import Database
from groundnet.collector.places.export import iso_time
from groundnet.collector.senders.clock_drift import Clock, Window, next_window
from groundnet.collector.senders.clock_service import kept
from groundnet.provision.record import Record
from groundnet.provision.vault import VaultLocked

app = typer.Typer()


@app.command(
    help=tr(
        "How a device is: what of it fails, how its clock runs as its beacons show, when it is heard next. A plate "
        "stands for every device on the vehicle.",
        "设备状况：故障部件、由信标得知的时钟快慢、预计下次信标时间。车牌代表该车上的所有设备。",
    )
)
def condition(
    tag: Annotated[str, typer.Argument(help="Tag id, number plate or device id.")],
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """The clock is learned by the running collector; without a vault's passphrase the next beacon is not told."""
    devices = open_registry(registry, must_exist=True, need=False)
    records = devices.find(tag)
    store = Database(database_path(database), must_exist=True)
    found = []
    for record in records:
        clock = kept(store, record.device_id)
        window = _window(record, clock)
        found.append((record.tag_id, condition_of(store, record.device_id), clock, window))
    store.close()
    devices.close()
    if as_json:
        rows = [
            {"tag": name, **condition_json(one), "clock": clock_json(clock, window)}
            for name, one, clock, window in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(
        tr("tag", "标签"), tr("condition", "状况"), tr("clock", "时钟"), tr("next beacon", "下次信标")
    )
    for name, one, clock, window in found:
        said = escape(condition_text(one)) or tr("well, as far as it said", "未报告异常")
        expected = f"{iso_time(window.first_ms)} .. {iso_time(window.last_ms)}" if window else "-"
        table.add_row(name, said, clock_text(clock), expected)
    Console().print(table)


def _window(record: Record, clock: Clock | None) -> Window | None:
    if clock is None:
        return None
    try:
        identity_key = keys.derive(record.secret.reveal(), keys.IDENTITY)
    except VaultLocked:
        return None
    return next_window(clock, identity_key, now_ms())


def clock_json(clock: Clock | None, window: Window | None) -> dict | None:
    """A clock as ``--json`` shows it; a positive drift is a slow clock, null: nothing was learned."""
    if clock is None or not clock.pairs:
        return None
    return {
        "drift_ppm": round(clock.rate * 1e6),
        "drift_sd_ppm": round(clock.rate_sd * 1e6),
        "overhead_ms": round(clock.overhead_ms),
        "rest_interval_s": clock.rest_ms // 1000 or None,
        "moving_interval_s": clock.moving_ms // 1000 or None,
        "pairs": clock.pairs,
        "refused": clock.refused,
        "last_beacon": iso_time(clock.last.time_ms),
        "next_beacon": window
        and {
            "counter": window.counter,
            "first": iso_time(window.first_ms),
            "last": iso_time(window.last_ms),
        },
    }


def clock_text(clock: Clock | None) -> str:
    """A clock in a few words."""
    if clock is None or not clock.pairs:
        return tr("not enough heard", "信标不足")
    percent, sd = abs(clock.rate) * 100, clock.rate_sd * 100
    slow = tr("slow", "偏慢") if clock.rate >= 0 else tr("fast", "偏快")
    return f"{percent:.2f} ± {sd:.2f} % {slow}"


def condition_json(condition: Condition) -> dict:
    """A condition as ``--json`` shows it."""
    start = condition.start
    return {
        "faults": [
            {"part": fault.part, "text": fault.text, "since": iso_time(fault.since_ms)}
            for fault in condition.faults
        ],
        "start": {"cause": start[0], "time": iso_time(start[1])} if start else None,
        "brownouts": condition.brownouts,
        "dropped": condition.dropped,
        "quarantine": condition.hold and station_quarantine.public(condition.hold),
    }


def condition_text(condition: Condition) -> str:
    """What is wrong with a device, in one line; empty: nothing that it knows of."""
    said = [
        tr(
            f"{fault.part} fails since {iso_time(fault.since_ms)} ({fault.text})",
            f"{fault.part} 自 {iso_time(fault.since_ms)} 起故障（{fault.text}）",
        )
        for fault in condition.faults
    ]
    said += station_quarantine.hold_text(condition.hold, now_ms())
    if condition.brownouts:
        said.append(tr(f"its supply sank {condition.brownouts} times", f"供电跌落 {condition.brownouts} 次"))
    if condition.dropped:
        said.append(
            tr(
                f"{condition.dropped} items were lost before it could report",
                f"{condition.dropped} 条记录未及上报即丢失",
            )
        )
    return "; ".join(said)
