"""``groundnet watch``: the operators' live page."""

import json
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from groundnet.cli.language import current, tr
from groundnet.cli.options import DatabaseOption, JsonOption, RegistryOption, database_path, now_ms, operator
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError
from groundnet.provision.registry import Registry
from groundnet.watch import gcj02
from groundnet.watch.app import Options, Page
from groundnet.watch.desk import Desk
from groundnet.watch.map_svg import Style
from groundnet.web.door import host_name
from groundnet.web.server import listen as bind
from groundnet.web.server import serve, server_of

app = typer.Typer()
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAPS = {"wgs84": Style(), "gcj02": Style(gcj02.from_wgs84)}


@app.command()
def watch(
    listen: Annotated[str, typer.Option(help="Address of the page, HOST:PORT; port 0 takes a free one.")] = (
        "127.0.0.1:8480"
    ),
    host: Annotated[
        list[str] | None,
        typer.Option(help="Name by which browsers ask for it, beside its address; may repeat."),
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="Certificate for HTTPS, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    map_: Annotated[
        str, typer.Option("--map", help="Coordinates of the map that is shown: wgs84 or gcj02.")
    ] = "wgs84",
    tiles: Annotated[
        str,
        typer.Option(help="Tiles below the map, https://HOST/{z}/{x}/{y}.png; default: none, all offline."),
    ] = "",
    attribution: Annotated[str, typer.Option(help="What the tiles' licence wants to be said.")] = "",
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the operators' page until Ctrl-C: stations, open cases, tracks. The first line is its address.

    Shows positions of open cases alone; each look is written to the audit. People sign in as at the counter
    (`groundnet provision people`); without people it is for this computer only.
    """
    name, _, number = listen.rpartition(":")
    if not name or not number.isdecimal() or int(number) > 65535:
        raise typer.BadParameter(f"'{listen}' is not HOST:PORT", param_hint="--listen")
    if map_ not in MAPS:
        raise typer.BadParameter(f"'{map_}' is none of {', '.join(MAPS)}", param_hint="--map")
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key go together")
    style = Style(MAPS[map_].shown, _checked(tiles))
    desk = Desk(lambda: _stores(database, registry, passphrase_file), operator(), now_ms)
    try:
        if not desk.has_people and name.strip("[]") not in _LOOPBACK:
            raise GroundnetError(
                tr("nobody could sign in to this page", "还没有可以登录的人员"),
                tr(
                    "add people with `groundnet provision people add`, or listen on 127.0.0.1",
                    "请用 `groundnet provision people add` 添加人员，或只监听 127.0.0.1",
                ),
            )
        hosts = Options.hosts | {host_name(listen)} | {one.lower() for one in host or ()}
        options = Options(style, attribution, _origin(tiles), current(), hosts, cert is not None)
        bound = bind(name.strip("[]"), int(number))
        served = server_of(Page(desk, options).app, cert, key)
        serve(served, bound, lambda: _announce(name, bound.getsockname()[1], cert is not None, as_json))
    finally:
        desk.close()


def _stores(
    database: str | None, registry: str | None, passphrase_file: Path | None
) -> tuple[Database, Registry]:
    store = Database(database_path(database), must_exist=True)
    try:
        return store, open_registry(registry, True, passphrase_file)
    except BaseException:
        store.close()
        raise


def _checked(tiles: str) -> str:
    if tiles and not re.fullmatch(r"https?://[^/\s]+/\S*", tiles):
        raise typer.BadParameter(f"'{tiles}' is no address of tiles", param_hint="--tiles")
    missing = [part for part in ("{z}", "{x}", "{y}") if tiles and part not in tiles]
    if missing:
        raise typer.BadParameter(f"'{tiles}' has no {missing[0]}", param_hint="--tiles")
    return tiles


def _origin(tiles: str) -> str:
    parts = urlsplit(tiles)
    return f"{parts.scheme}://{parts.netloc}" if tiles else ""


def _announce(name: str, port: int, secure: bool, as_json: bool) -> None:
    url = f"{'https' if secure else 'http'}://{name}:{port}/"
    said = tr("the operators' page; Ctrl-C ends it", "追踪台；按 Ctrl-C 结束")
    typer.echo(json.dumps({"url": url}) if as_json else f"{url}  {said}")
