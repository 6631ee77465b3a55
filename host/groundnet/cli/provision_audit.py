"""``groundnet provision audit|forget``: what was done here, and what is no longer kept."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.cli.staff_door import StaffOption, sign_in
from groundnet.provision.audit import Audit, Verdict


def audit(
    tag: Annotated[str, typer.Argument(help=tr("Only this tag.", "只看该标签。"))] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help=tr("Check the whole chain.", "校验整条链。"))
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = open_registry(registry, True, passphrase_file, need=False)
    try:
        if verify:
            _say_verdict(Audit(store).verify(), store.locked, as_json)
            return
        tag_id = store.find(tag)[0].tag_id if tag else ""
        entries = list(Audit(store).entries(tag_id))
    finally:
        store.close()
    if as_json:
        rows = [asdict(entry) | {"versions": json.loads(entry.versions)} for entry in entries]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    titles = (("time", "时间"), ("who", "人员"), ("tag", "标签"), ("action", "操作"), ("result", "结果"))
    table = Table(*(tr(*title) for title in titles))
    for entry in entries:
        moment = datetime.fromtimestamp(entry.time_ms / 1000).isoformat(" ", "seconds")
        who = f"{entry.who} / {entry.person}" if entry.person else entry.who
        table.add_row(moment, who, entry.tag_id, entry.action, f"{entry.result} {entry.support}".strip())
    Console().print(table)


def forget(
    tag: Annotated[str, typer.Argument(help=tr("Tag id, plate or device id.", "标签编号、车牌或设备号。"))],
    staff: StaffOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = open_registry(registry, True, passphrase_file)
    try:
        sign_in(store, staff)
        forgotten = [store.forget_owner(record.device_id, now_ms()).tag_id for record in store.find(tag)]
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps({"forgotten": forgotten}))
        return
    text = tr("plate, phone and consent are deleted", "车牌、电话和同意信息已删除")
    Console(highlight=False).print(f"[bold green]✔[/] {', '.join(forgotten)}: {text}")


def _say_verdict(verdict: Verdict, locked: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"whole": True, "rows": verdict.length, "vouched_rows": verdict.keyed}))
        return
    text = tr(f"{verdict.length} rows, none changed", f"共 {verdict.length} 行，均未改动")
    if verdict.keyed is not None:
        text += tr(f"; vouched for up to row {verdict.keyed}", f"；密钥担保至第 {verdict.keyed} 行")
    elif locked:
        text += tr(
            "; only with the passphrase it is seen whether rows were cut off",
            "；输入口令后才能查出是否被截尾",
        )
    Console(highlight=False).print(f"[bold green]✔[/] {text}", soft_wrap=True)
