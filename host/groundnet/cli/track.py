"""``groundnet track``: where has this tag been, where is it now."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
    registry_path,
)
from groundnet.collector.cases import write_lookup
from groundnet.collector.cell_table import CellTable
from groundnet.collector.database import Database
from groundnet.collector.export import FORMATS, iso_time
from groundnet.collector.track import TrackPoint, last_place
from groundnet.collector.track import track as read_track
from groundnet.errors import GroundnetError
from groundnet.provision.registry import Registry

app = typer.Typer()


class Format(StrEnum):
    """How a track is written."""

    gpx = "gpx"
    csv = "csv"
    geojson = "geojson"


@app.command()
def track(
    tag: Annotated[str, typer.Argument(help="Tag id, number plate or device id.")],
    since: Annotated[str | None, typer.Option(help="From this time on, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to this time, ISO 8601.")] = None,
    form: Annotated[Format, typer.Option("--format", help="gpx, csv or geojson; WGS-84.")] = Format.gpx,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    cells: CellsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a tag's track; with --json only its last place. Every look-up is written to the database's audit."""
    devices = Registry(registry_path(registry))
    record = devices.find(tag)
    devices.close()
    store = Database(database_path(database), must_exist=True)
    write_lookup(store, record.device_id, operator(), f"track {tag}", now_ms())
    table = CellTable.read(cells) if cells else None
    points = read_track(store, record.device_id, parse_time_ms(since), parse_time_ms(until), table)
    store.close()
    if not points:
        raise GroundnetError(
            tr(f"no position of {record.tag_id} is known", f"没有 {record.tag_id} 的位置记录"),
            tr("widen --since and --until, or wait for a sighting", "请扩大时间范围，或等待新的目击"),
        )
    if as_json:
        typer.echo(json.dumps(_last_place(record.tag_id, points)))
    elif output:
        output.write_text(FORMATS[form.value](points, record.tag_id), encoding="utf-8")
    else:
        typer.echo(FORMATS[form.value](points, record.tag_id), nl=False)


def _last_place(tag_id: str, points: list[TrackPoint]) -> dict:
    place = last_place(points)
    assert place is not None
    return {
        "tag_id": tag_id,
        "time": iso_time(place.time_ms),
        "lat": round(place.lat, 7),
        "lon": round(place.lon, 7),
        "radius_m": round(place.radius_m, 1),
        "source": place.source,
        "positions": len(points),
    }
