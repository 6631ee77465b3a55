"""``groundnet track``: where has this tag been, where is it now."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from groundnet.cli.condition import condition_json, condition_text
from groundnet.cli.language import tr
from groundnet.cli.options import (
    CellsOption,
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
    operator,
    parse_time_ms,
)
from groundnet.cli.owner_door import OwnerOption, owned
from groundnet.cli.registry_door import open_registry
from groundnet.collector.casework.condition import condition_of
from groundnet.collector.casework.lookups import permit
from groundnet.collector.database import Database
from groundnet.collector.places.cell_table import CellTable
from groundnet.collector.places.export import FORMATS, iso_time
from groundnet.collector.places.observations import left_out
from groundnet.collector.places.track import TrackPoint, last_cell, last_place, track_of
from groundnet.errors import GroundnetError

app = typer.Typer()


class Format(StrEnum):
    """How a track is written."""

    gpx = "gpx"
    csv = "csv"
    geojson = "geojson"
    kml = "kml"


@app.command()
def track(
    tag: Annotated[str, typer.Argument(help="Tag id, number plate or device id.")],
    since: Annotated[str | None, typer.Option(help="From this time on, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this time, ISO 8601.")] = None,
    form: Annotated[Format, typer.Option("--format", help="gpx, csv, geojson or kml; WGS-84.")] = Format.gpx,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    owner: OwnerOption = False,
    reason: Annotated[str, typer.Option(help="Why you ask; goes into the audit.")] = "",
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    cells: CellsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a tag's track; with --json its last place. A plate stands for every device on the vehicle.

    Needs an open case for the tag, or the owner's token. Whoever can read the database file can pass that by: this
    keeps honest people honest. Every look-up is written to the audit (`groundnet case audit`), refused ones too.
    """
    since_ms, until_ms = parse_time_ms(since), parse_time_ms(until)
    if since_ms is not None and until_ms is not None and since_ms > until_ms:
        raise typer.BadParameter(tr("--since is later than --until", "--since 晚于 --until"))
    devices = open_registry(registry, must_exist=True)
    records = devices.find(tag)
    store = Database(database_path(database), must_exist=True)
    if owner:
        records = owned(devices, records, store, "track")
    devices.close()
    name = records[0].plate or records[0].tag_id
    table = CellTable.read(cells) if cells else None
    asked = [record.device_id for record in records]
    shown = permit(store, asked, operator(), "track", reason, owner, now_ms())
    points = track_of(store, shown, since_ms, until_ms, table)
    cell = last_cell(store, shown)
    out = left_out(store, shown, since_ms or 0, until_ms if until_ms is not None else 1 << 62)
    told = {
        record.tag_id: condition_of(store, record.device_id)
        for record in records
        if record.device_id in shown
    }
    store.close()
    for tag_id, condition in told.items():
        if text := condition_text(condition):
            typer.echo(f"{tag_id}: {text}", err=True)
    if out:
        typer.echo(_left_out(out), err=True)
    if not points:
        raise _no_position(name, cell)
    if as_json:
        conditions = {tag_id: condition_json(condition) for tag_id, condition in told.items()}
        answer = {**_last_place(list(told), points, now_ms()), "condition": conditions}
        answer["left_out"] = {station_id.hex(): count for station_id, count in out.items()}
        typer.echo(json.dumps(answer, ensure_ascii=False))
    elif output:
        output.write_text(FORMATS[form.value](points, name), encoding="utf-8")
    else:
        typer.echo(FORMATS[form.value](points, name).encode(), nl=False)  # the formats say UTF-8


def _left_out(out: dict[bytes, int]) -> str:
    """What no position was made from, in one line."""
    count, names = sum(out.values()), ", ".join(station_id.hex() for station_id in sorted(out))
    return tr(
        f"left out: {count} sightings that others contradict, of {names}; see `groundnet stations --contradictions`",
        f"未采用：{count} 条与其他基站矛盾的目击，来自 {names}；请看 `groundnet stations --contradictions`",
    )


def _no_position(name: str, cell: tuple[str, int] | None) -> GroundnetError:
    if cell is None:
        return GroundnetError(
            tr(f"no position of {name} is known", f"没有 {name} 的位置记录"),
            tr("widen --since and --until, or wait for a sighting", "请扩大时间范围，或等待新的目击"),
        )
    where, time_ms = cell
    return GroundnetError(
        tr(
            f"no position of {name} is known, but at {iso_time(time_ms)} it was in the cell {where}",
            f"没有 {name} 的位置记录，但 {iso_time(time_ms)} 它在基站小区 {where}",
        ),
        tr("name a cell table that has it with --cells", "请用 --cells 指定包含该小区的基站表"),
    )


def _last_place(tag_ids: list[str], points: list[TrackPoint], at_ms: int) -> dict:
    place = last_place(points)
    assert place is not None
    return {
        "tags": tag_ids,
        "time": iso_time(place.time_ms),
        "lat": round(place.lat, 7),
        "lon": round(place.lon, 7),
        "radius_m": round(place.radius_m, 1),
        "source": place.source,
        "age_s": max(0, round((at_ms - place.time_ms) / 1000)),
        "positions": len(points),
    }
