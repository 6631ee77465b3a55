"""``groundnet updates``: what became of updates that devices fetch from the collector."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import DatabaseOption, JsonOption, database_path, now_ms
from groundnet.collector.database import Database
from groundnet.collector.outbound.updates import Waiting, list_updates, withdraw
from groundnet.collector.places.export import iso_time

app = typer.Typer(
    no_args_is_help=True,
    help=tr("Updates that devices fetch from the collector.", "设备从采集服务获取的更新。"),
)

STATES = {
    "queued": ("queued", "排队中"),
    "sending": ("sending", "发送中"),
    "trial": ("on trial", "试运行"),
    "done": ("done", "已完成"),
    "failed": ("failed", "失败"),
    "withdrawn": ("withdrawn", "已撤回"),
}


@app.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all updates, newest first, and how far each is."""
    store = Database(database_path(database), must_exist=True)
    found = list_updates(store)
    store.close()
    show(found, as_json)


@app.command("withdraw")
def withdraw_(
    update_id: Annotated[int, typer.Argument(help="Number of the update, see `groundnet updates list`.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Offer an update no more. A device that has all of it already tries it all the same."""
    store = Database(database_path(database), must_exist=True)
    taken = withdraw(store, update_id, now_ms())
    store.close()
    show([taken], as_json)


def show(updates: Sequence[Waiting], as_json: bool) -> None:
    """A table for people, or JSON."""
    if as_json:
        typer.echo(json.dumps([_public(one) for one in updates], ensure_ascii=False))
        return
    titles = ("update", "编号"), ("device", "设备"), ("version", "版本"), ("state", "状态"), ("share", "进度")
    table = Table(*(tr(*title) for title in titles), tr("since", "时间"), tr("detail", "说明"))
    for one in updates:
        share = f"{one.offset_bytes / one.size_bytes:.0%}"
        state, since = tr(*STATES[one.state]), iso_time(one.changed_ms)
        table.add_row(str(one.update_id), one.device_id.hex(), one.version, state, share, since, one.detail)
    Console().print(table)


def _public(one: Waiting) -> dict:
    return {
        "update_id": one.update_id,
        "device_id": one.device_id.hex(),
        "version": one.version,
        "state": one.state,
        "offset_bytes": one.offset_bytes,
        "size_bytes": one.size_bytes,
        "detail": one.detail,
        "created": iso_time(one.created_ms),
        "changed": iso_time(one.changed_ms),
        "ordered_by": one.ordered_by,
    }
