"""``groundnet stations``: how the base stations are, what was refused of them, and who is in quarantine."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundnet.cli import station_quarantine
from groundnet.cli.language import tr
from groundnet.cli.options import DatabaseOption, JsonOption, database_path, now_ms, parse_time_ms
from groundnet.collector.database import Database
from groundnet.collector.places.export import iso_time
from groundnet.collector.stations.contradictions import Contradiction
from groundnet.collector.stations.contradictions import contradictions as find_contradictions
from groundnet.collector.stations.station_list import Refusal, StationState, forget_refusals, stations

app = typer.Typer()
app.add_typer(station_quarantine.app, name="quarantine")

SILENT_AFTER_MS = 120_000  # a station asks for orders each 30 s
REASONS_ZH = {
    "no proof": "未证明身份",
    "unknown station": "未登记的基站",
    "wrong key": "密钥错误",
    "speaks for another": "冒用其他基站编号",
    "starts went back: a copy?": "启动次数倒退：是否被复制？",
    "wrong clock": "时钟错误",
    "left the challenge: another secret?": "未回应质询：密钥不同？",
    "seal: mac": "封印错误",
    "seal: replay": "重放",
    "seal: state": "会话已失效",
    "seal: unsealed": "未加封印",
    "in quarantine": "隔离中",
    "too many connections": "连接过多",
    "connects too often": "连接过于频繁",
    "does not finish its frame": "数据帧不完整",
    "silent": "长时间无数据",
    "rubbish": "无效数据",
    "goes on though refused": "被拒绝后仍继续",
}


@app.callback(invoke_without_command=True)
def stations_(
    context: typer.Context,
    forget: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Forget what was refused of this station, once it is seen to; 'all': of all."
        ),
    ] = None,
    contradictions: Annotated[
        str | None,
        typer.Option(
            metavar="SINCE",
            help="Instead: one beacon heard by stations that are too far apart, since this ISO 8601 time.",
        ),
    ] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the base stations with their health, whether they proved themselves, and what was refused of whom."""
    if context.invoked_subcommand is not None:
        return
    since_ms = parse_time_ms(contradictions)
    store = Database(database_path(database), must_exist=True)
    if since_ms is not None:
        _tell_contradictions(find_contradictions(store, since_ms), as_json)
        store.close()
        return
    if forget is not None:
        forget_refusals(store, None if forget == "all" else station_quarantine.station_of(forget))
    found = stations(store)
    store.close()
    if as_json:
        typer.echo(json.dumps([_public(one) for one in found], ensure_ascii=False))
        return
    titles = (
        ("station", "基站"),
        ("seen", "最近联系"),
        ("proved", "身份"),
        ("health", "状态"),
        ("refused", "拒绝"),
    )
    table = station_quarantine.table_of(titles)
    at_ms = now_ms()
    for one in found:
        held = station_quarantine.hold_text(one.hold, at_ms)
        proof = tr("proved", "已证明") if one.proved_ms is not None else tr("as it says", "自称")
        table.add_row(
            one.station_id.hex(),
            _age(one.seen_ms, at_ms),
            proof if one.seen_ms is not None else "-",
            escape(health_text(one.health)),
            escape("\n".join([*held, *(_refusal_text(refusal) for refusal in one.refusals)])),
        )
    Console().print(table)


def _tell_contradictions(found: list[Contradiction], as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "device_id": one.device_id.hex(),
                "stations": [station_id.hex() for station_id in one.stations],
                "apart_m": round(one.apart_m),
                "beacons": one.count,
                "first": iso_time(one.first_ms),
                "last": iso_time(one.last_ms),
                "suspect": one.suspect.hex() if one.suspect else None,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows))
        return
    titles = (
        ("device", "设备"),
        ("stations", "基站"),
        ("apart", "相距"),
        ("last", "最近"),
        ("suspect", "可疑"),
    )
    table = Table(*(tr(*title) for title in titles))
    for one in found:
        table.add_row(
            one.device_id.hex(),
            " ".join(station_id.hex() for station_id in one.stations),
            f"{one.apart_m / 1000:.0f} km ×{one.count}",
            iso_time(one.last_ms),
            one.suspect.hex() if one.suspect else tr("one of the two", "二者之一"),
        )
    Console().print(table)


def health_text(health: dict) -> str:
    """What a station last said of itself, in a few words; unknown figures are left out."""
    said = [
        _figure(health, "uptime_s", tr("up {} s", "已运行 {} 秒")),
        _figure(health, "noise_dbm", tr("noise {} dBm", "底噪 {} dBm")),
        _figure(health, "load_permille", tr("load {} ‰", "信道占用 {} ‰")),
        _figure(health, "queued", tr("{} waiting", "待传 {}")),
        _figure(health, "ring_permille", tr("ring {} ‰", "存储环 {} ‰")),
        _figure(health, "lost", tr("{} lost", "丢失 {}")) if health.get("lost") else "",
        _figure(health, "temperature_c", "{} °C"),
        _figure(health, "supply_mv", "{} mV"),
    ]
    faults = [f"{fault['part']}: {_printable(fault['text'])}" for fault in health.get("faults") or ()]
    if faults:
        said.append(tr("fails: ", "故障：") + "; ".join(faults))
    return ", ".join(word for word in said if word)


def _figure(health: dict, name: str, form: str) -> str:
    value = health.get(name)
    return "" if value is None else form.format(value)


def _refusal_text(refusal: Refusal) -> str:
    reason = tr(refusal.reason, REASONS_ZH.get(refusal.reason, refusal.reason))
    last = tr("last", "最近")
    return f"{reason} ×{refusal.count}, {last} {iso_time(refusal.last_ms)} ({_printable(refusal.place)})"


def _age(seen_ms: int | None, at_ms: int) -> str:
    if seen_ms is None:
        return tr("never taken", "从未接入")
    age_ms = at_ms - seen_ms
    word = tr(f"{age_ms // 1000} s ago", f"{age_ms // 1000} 秒前")
    return word if age_ms < SILENT_AFTER_MS else tr(f"silent, {word}", f"失联，{word}")


def _printable(text: str) -> str:
    """A station's words will stand on a terminal: nothing in them may steer it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _public(one: StationState) -> dict:
    return {
        "station_id": one.station_id.hex(),
        "lat": one.lat,
        "lon": one.lon,
        "boot_count": one.boot_count,
        "seen": None if one.seen_ms is None else iso_time(one.seen_ms),
        "proved": None if one.proved_ms is None else iso_time(one.proved_ms),
        "health": one.health,
        "quarantine": one.hold and station_quarantine.public(one.hold),
        "refusals": [
            {
                "reason": refusal.reason,
                "count": refusal.count,
                "first": iso_time(refusal.first_ms),
                "last": iso_time(refusal.last_ms),
                "place": refusal.place,
            }
            for refusal in one.refusals
        ],
    }
