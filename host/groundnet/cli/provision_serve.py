"""``groundnet provision serve``: the counter's page on this computer."""

import json
from pathlib import Path
from typing import Annotated

import typer

from groundnet.cli.language import current, tr
from groundnet.cli.options import JsonOption, RegistryOption, operator, registry_path
from groundnet.provision import scan
from groundnet.provision.counter import Counter
from groundnet.provision.counter_desk import CounterDesk, Settings
from groundnet.provision.paper.receipt import Terms, read_terms
from groundnet.provision.registry import Registry
from groundnet.provision.subject import Draft
from groundnet.provision.tag_places import TagPlaces
from groundnet.provision.web.app import Options, Page
from groundnet.provision.web.shift import Shift
from groundnet.web.door import host_name
from groundnet.web.server import listen as bind
from groundnet.web.server import serve as run
from groundnet.web.server import server_of


def serve(
    port: Annotated[
        list[str] | None,
        typer.Option(
            help="Serial port of the tags, or a folder in which they appear; may repeat. Default: all."
        ),
    ] = None,
    listen: Annotated[str, typer.Option(help="Address of the page, HOST:PORT; port 0 takes a free one.")] = (
        "127.0.0.1:8470"
    ),
    install_point: Annotated[
        str, typer.Option(help="Name of this install point; default: the registry's.")
    ] = "",
    hotline: Annotated[str, typer.Option(help="Telephone number, for receipt and card.")] = "",
    terms: Annotated[
        Path | None, typer.Option(help="Insurance and payout terms: a text file, Chinese | English per line.")
    ] = None,
    province: Annotated[
        str, typer.Option(help="Province that plates usually begin with, for example 云.")
    ] = "",
    cards: Annotated[
        bool,
        typer.Option(help="Tags come with a printed card that is scanned; else labels are printed here."),
    ] = True,
    answer_s: Annotated[float, typer.Option(help="Longest wait for one answer of a tag, in seconds.")] = 3.0,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the counter's page until Ctrl-C. The first line is its address; open it in a browser on this computer."""
    if province and province not in scan.PROVINCES:
        raise typer.BadParameter(
            f"'{province}' is no province of a plate, such as 云", param_hint="--province"
        )
    host, _, number = listen.rpartition(":")
    if not host or not number.isdecimal() or int(number) > 65535:
        raise typer.BadParameter(f"'{listen}' is not HOST:PORT", param_hint="--listen")
    host = host.strip("[]")
    path = registry_path(registry)
    store = Registry(path)  # complains before an address is promised
    name = install_point or store.point_name
    store.close()
    bound = bind(host, int(number))
    said = Terms(name, hotline, read_terms(terms) if terms else ())
    counter = Counter(cards, draft=Draft(province=province))
    desk = CounterDesk(counter, TagPlaces(port or ()), lambda: Registry(path), Settings(name, answer_s))
    hosts = Options.hosts | {host_name(listen)}
    page = Page(desk, Shift(desk, operator()), Options(said, current(), hosts))
    desk.start()
    try:
        run(server_of(page.app), bound, lambda: _announce(host, bound.getsockname()[1], as_json))
    finally:
        desk.stop()


def _announce(host: str, port: int, as_json: bool) -> None:
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    typer.echo(
        json.dumps({"url": url})
        if as_json
        else f"{url}  {tr('the counter; Ctrl-C ends it', '安装台；按 Ctrl-C 结束')}"
    )
