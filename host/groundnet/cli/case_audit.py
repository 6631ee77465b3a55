"""``groundnet case audit``: who asked where a device is, and whether that book is whole."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import DatabaseOption, JsonOption, RegistryOption, database_path
from groundnet.cli.registry_door import open_registry
from groundnet.collector.casework import lookup_audit
from groundnet.collector.database import Database


def audit(
    tag: Annotated[str, typer.Argument(help=tr("Only this tag or plate.", "只看该标签或车牌。"))] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help=tr("Check the whole chain.", "校验整条链。"))
    ] = False,
    noted: Annotated[
        str,
        typer.Option(
            "--noted",
            help=tr(
                "A head that --verify printed earlier: that nothing up to it was cut off.",
                "以前 --verify 打印的末尾标记：确认至此未被截尾。",
            ),
        ),
    ] = "",
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every look-up, order and case in the order they happened; --verify checks that none was changed."""
    store = Database(database_path(database), must_exist=True)
    try:
        if verify or noted:
            earlier = lookup_audit.Head.parse(noted) if noted else None
            _say(lookup_audit.verify(store, earlier), as_json)
            return
        asked = None
        if tag:
            devices = open_registry(registry, must_exist=True)
            asked = [record.device_id for record in devices.find(tag)]
            devices.close()
        entries = lookup_audit.entries(store, asked)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries], ensure_ascii=False))
        return
    titles = (("time", "时间"), ("who", "人员"), ("device", "设备"), ("what", "操作"), ("why", "理由"))
    table = Table("", *(tr(*title) for title in titles))
    for entry in entries:
        moment = datetime.fromtimestamp(entry.time_ms / 1000).isoformat(" ", "seconds")
        mark = "✔" if entry.granted else "✘"
        table.add_row(mark, moment, entry.who, entry.device_id, entry.what, entry.why)
    Console().print(table)


def _say(head: lookup_audit.Head, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"whole": True, "rows": head.number, "head": str(head)}))
        return
    console = Console(highlight=False)
    text = tr(f"{head.number} rows, none changed", f"共 {head.number} 行，均未改动")
    console.print(f"[bold green]✔[/] {text}", soft_wrap=True)
    hint = tr("note it where this computer cannot write:", "请记在本机无法改写之处：")
    console.print(f"{hint} {head}", soft_wrap=True)
