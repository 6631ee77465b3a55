"""``groundnet case report``: the evidence of a theft, as an insurer asks for it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import (
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
    operator,
)
from groundnet.cli.registry_door import open_registry
from groundnet.collector.casework import evidence_paper, payout
from groundnet.collector.casework.lookups import note
from groundnet.collector.casework.payout import Evidence
from groundnet.collector.database import Database
from groundnet.collector.places.export import iso_time
from groundnet.provision.intervals import intervals_of

GROUNDS = {
    payout.DESTROYED: ("the device was destroyed", "设备已被毁坏"),
    payout.UNTRACEABLE: ("its signal cannot be traced any more", "信号已无法追踪"),
    payout.NOT_FOUND: ("not found within 60 days of the report", "报案后 60 天内未找回"),
}


def report(
    tag: Annotated[
        str, typer.Argument(help=tr("Tag id, number plate or device id.", "标签号、车牌或设备号。"))
    ],
    reason: Annotated[
        str, typer.Option(help=tr("Why you ask; goes into the audit.", "查询原因，记入审计。"))
    ] = "",
    pdf: Annotated[
        Path | None,
        typer.Option(
            help=tr("Write the evidence as PDF, one page a device.", "输出证据 PDF，每台设备一页。")
        ),
    ] = None,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what is known of a theft, and on which ground it is to be paid for, if on any."""
    devices = open_registry(registry, must_exist=True)
    records = devices.find(tag)
    intervals = {one.device_id: intervals_of(one, devices.settings_of(one.device_id)) for one in records}
    devices.close()
    store = Database(database_path(database), must_exist=True)
    moment_ms = now_ms()
    ids = [record.device_id for record in records]
    note(store, ids, operator(), "case report", reason, True, moment_ms)
    found = {
        record.tag_id: payout.evidence(
            store, record.device_id, moment_ms, intervals=intervals[record.device_id]
        )
        for record in records
        if payout.was_reported(store, record.device_id)
    } or {records[0].tag_id: payout.evidence(store, ids[0], moment_ms)}
    store.close()
    written = []
    if pdf is not None:
        plates = {record.tag_id: record.plate or "" for record in records}
        written = [
            evidence_paper.write_beside(pdf, tag_id, plates[tag_id], one) for tag_id, one in found.items()
        ]
    if as_json:
        typer.echo(json.dumps({tag_id: _public(one) for tag_id, one in found.items()}, ensure_ascii=False))
        return
    for tag_id, one in found.items():
        _print(tag_id, one)
    for path in written:
        Console(highlight=False).print(f"{tr('written:', '已写入：')} {path}", soft_wrap=True)


def _print(tag_id: str, told: Evidence) -> None:
    console = Console(highlight=False)
    case = told.case
    closed = tr("open", "未结案") if case.closed_ms is None else f"{iso_time(case.closed_ms)}, {case.outcome}"
    place = told.last_place
    where = (
        "–"
        if place is None
        else f"{place.lat:.5f}, {place.lon:.5f} ± {place.radius_m:.0f} m, {iso_time(place.time_ms)}"
    )
    silent = "–" if told.silence is None else iso_time(told.silence.since_ms)
    rows = (
        (tr("case", "案件"), f"{case.case_id}, {case.document or '–'}, {iso_time(case.opened_ms)}, {closed}"),
        (tr("60 days of search", "六十天搜寻期"), _clock(told)),
        (tr("area searched", "搜寻覆盖"), f"{told.searched_km2:.1f} km²" if told.searched else "–"),
        (tr("heard last", "最后一次"), "–" if told.heard_ms is None else iso_time(told.heard_ms)),
        (tr("silent since", "静默自"), silent),
        (tr("last place", "最后位置"), where),
        (
            tr("alarms", "报警"),
            ", ".join(f"{cause} {iso_time(at_ms)}" for at_ms, cause in told.alarms[-5:]) or "–",
        ),
        (tr("sightings", "发现次数"), str(told.sightings)),
    )
    console.print(f"[bold]{tag_id}[/]")
    for name, text in rows:
        console.print(f"  {name}: {text}", soft_wrap=True)
    grounds = ", ".join(tr(*GROUNDS[ground]) for ground in told.grounds)
    console.print(
        f"  [bold]{tr('ground for payment', '赔付依据')}: {grounds or tr('none, as of now', '目前没有')}[/]"
    )


def _clock(told: Evidence) -> str:
    if told.searched_until_ms is None:
        return tr("do not run: reported more than two months after the theft", "不起算：失窃两个月后才报案")
    day = tr(f"day {told.searched_days}", f"第 {told.searched_days} 天")
    return f"{day}, {tr('until', '至')} {iso_time(told.searched_until_ms)[:10]}"


def _public(told: Evidence) -> dict:
    place = told.last_place
    return {
        "case_id": told.case.case_id,
        "document": told.case.document,
        "opened": iso_time(told.case.opened_ms),
        "closed": None if told.case.closed_ms is None else iso_time(told.case.closed_ms),
        "outcome": told.case.outcome,
        "stolen": None if told.case.stolen_ms is None else iso_time(told.case.stolen_ms),
        "searched_days": told.searched_days,
        "searched_until": None if told.searched_until_ms is None else iso_time(told.searched_until_ms),
        "judged": iso_time(told.judged_ms),
        "grounds": list(told.grounds),
        "heard": None if told.heard_ms is None else iso_time(told.heard_ms),
        "silent_since": None if told.silence is None else iso_time(told.silence.since_ms),
        "alarms": [{"time": iso_time(at_ms), "cause": cause} for at_ms, cause in told.alarms],
        "last_place": None
        if place is None
        else {
            "time": iso_time(place.time_ms),
            "lat": place.lat,
            "lon": place.lon,
            "radius_m": place.radius_m,
        },
        "sightings": told.sightings,
        "searched_km2": round(told.searched_km2, 2),
        "searched_by": [one.station_id.hex() for one in told.searched],
        "timeline": [{"time": iso_time(one.time_ms), "what": str(one.what)} for one in told.timeline],
    }
