"""``groundnet stations quarantine``: which stations are kept out and why; hold one, let one in again."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundnet.cli.language import said, tr
from groundnet.cli.options import DatabaseOption, JsonOption, database_path, now_ms, operator
from groundnet.collector.database import Database
from groundnet.collector.places.export import iso_time
from groundnet.collector.stations import quarantine_store
from groundnet.collector.stations.quarantine import BY_HAND, RULES
from groundnet.collector.stations.quarantine_store import Act, Hold
from groundnet.errors import GroundnetError, Text

app = typer.Typer(
    no_args_is_help=True,
    help=tr(
        "Stations that are kept out: what was wrong and what to do. One that is held keeps what it hears.",
        "被隔离的基站：原因和处理办法。被隔离的基站会保留其目击记录。",
    ),
)
ACTS_ZH = {"held": "隔离", "released": "解除", "expired": "到期解除"}
StationArgument = Annotated[str, typer.Argument(metavar="ID", help=tr("The station's id.", "基站编号。"))]


@app.command(
    "list",
    help=tr("Who is held, why, until when, and what to do.", "列出被隔离的基站、原因、期限和处理办法。"),
)
def list_(
    audit: Annotated[
        bool, typer.Option("--audit", help=tr("Instead: who held and released whom.", "改为列出操作记录。"))
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """The holds, or the audit, oldest first."""
    store = Database(database_path(database), must_exist=True)
    at_ms = now_ms()
    held = [one for one in quarantine_store.held(store).values() if one.left_ms(at_ms) != 0]
    done = quarantine_store.acts(store) if audit else []
    store.close()
    if as_json:
        rows = [_public_act(one) for one in done] if audit else [public(one) for one in held]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif audit:
        _show_acts(done)
    else:
        _show_holds(held, at_ms)


@app.command(help=tr("Let a station in again; takes effect within 15 minutes.", "解除隔离；15 分钟内生效。"))
def release(
    station: StationArgument,
    reason: Annotated[str, typer.Option(help=tr("Why; goes into the audit.", "原因；记入操作记录。"))] = "",
    database: DatabaseOption = None,
) -> None:
    """Also forgets how often it was held, and how often a station that was flashed anew had started before."""
    store = Database(database_path(database), must_exist=True)
    was_held = quarantine_store.release(store, station_of(station), now_ms(), operator(), reason)
    store.close()
    if not was_held:
        raise GroundnetError(
            Text(f"{station} is not in quarantine", f"{station} 未被隔离"),
            Text("see `groundnet stations quarantine list`", "请看 `groundnet stations quarantine list`"),
        )
    typer.echo(tr(f"{station} may come in again", f"{station} 已解除隔离"))


@app.command(help=tr("Keep a station out until it is released.", "隔离基站，直到人工解除。"))
def hold(
    station: StationArgument,
    reason: Annotated[str, typer.Option(help=tr("Why; shown and kept.", "原因；会显示并保存。"))],
    database: DatabaseOption = None,
) -> None:
    """What it hears meanwhile it keeps in its flash, as far as there is room."""
    store = Database(database_path(database), must_exist=True)
    quarantine_store.hold(store, station_of(station), BY_HAND, reason, now_ms(), operator(), for_ever=True)
    store.close()
    typer.echo(tr(f"{station} is held until it is released", f"{station} 已隔离，直到人工解除"))


def station_of(text: str) -> bytes:
    """A station's id of 16 hex digits. Raises BadParameter."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 8:
        raise typer.BadParameter(f"'{text}' is no station's id of 16 hex digits")
    return found


def hold_text(one: Hold | None, at_ms: int) -> list[str]:
    """A hold in one line, for the list of stations; nothing of one that is over."""
    if one is None or one.left_ms(at_ms) == 0:
        return []
    return [f"{tr('QUARANTINE', '隔离')}: {_reason(one)}, {_until(one)}"]


def public(one: Hold) -> dict:
    """A hold as ``--json`` shows it."""
    return {
        "station_id": one.station_id.hex(),
        "rule": one.rule,
        "reason": _reason(one),
        "detail": one.detail,
        "since": iso_time(one.since_ms),
        "until": None if one.until_ms is None else iso_time(one.until_ms),
        "times": one.times,
        "held_by": one.held_by,
        "do": said(RULES[one.rule].do) if one.rule in RULES else "",
    }


def _show_holds(held: list[Hold], at_ms: int) -> None:
    if not held:
        typer.echo(tr("nobody is in quarantine", "没有被隔离的基站"))
        return
    titles = (
        ("station", "基站"),
        ("reason", "原因"),
        ("seen", "详情"),
        ("until", "期限"),
        ("do", "处理办法"),
    )
    table = table_of(titles)
    for one in held:
        do = said(RULES[one.rule].do) if one.rule in RULES else ""
        table.add_row(
            one.station_id.hex(), _reason(one), escape(_printable(one.detail)), _until(one), escape(do)
        )
    Console().print(table)


def _show_acts(done: list[Act]) -> None:
    titles = (("time", "时间"), ("station", "基站"), ("what", "操作"), ("why", "原因"), ("who", "操作人"))
    table = table_of(titles)
    for one in done:
        why = " ".join(word for word in (one.rule, _printable(one.detail)) if word)
        act = tr(one.act, ACTS_ZH.get(one.act, one.act))
        table.add_row(
            iso_time(one.time_ms), one.station_id.hex(), act, escape(why), escape(_printable(one.who))
        )
    Console().print(table)


def table_of(titles: tuple[tuple[str, str], ...]) -> Table:
    """Ids and times whole, whatever the terminal's width: they are copied."""
    table = Table()
    for title in titles:
        table.add_column(tr(*title), no_wrap=title[0] in ("station", "time"), overflow="fold")
    return table


def _public_act(one: Act) -> dict:
    return {
        "time": iso_time(one.time_ms),
        "station_id": one.station_id.hex(),
        "act": one.act,
        "rule": one.rule,
        "detail": one.detail,
        "who": one.who,
    }


def _reason(one: Hold) -> str:
    return said(RULES[one.rule].reason) if one.rule in RULES else one.rule


def _until(one: Hold) -> str:
    if one.until_ms is None:
        return tr("until it is released", "直到人工解除")
    times = tr(f" (time {one.times})", f"（第 {one.times} 次）") if one.times > 1 else ""
    return tr("until ", "至 ") + iso_time(one.until_ms) + times


def _printable(text: str) -> str:
    """A person's or a station's words will stand on a terminal: nothing in them may steer it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
