"""``groundnet provision sync`` and ``central``: from an install point to the central registry, and the central one."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import said, tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms, operator, registry_path
from groundnet.cli.provision_batch import ask_passphrase
from groundnet.cli.registry_door import PassphraseFileOption
from groundnet.provision import outbox
from groundnet.provision.central import CentralStore, Tokens, app_of
from groundnet.provision.central_server import serve
from groundnet.provision.registry import Registry
from groundnet.provision.uplink import CentralError, Uplink


def sync(
    to: Annotated[str, typer.Option("--to", help="Address of the central registry, https://HOST[:PORT].")],
    token_file: Annotated[Path, typer.Option(help="File with the token of this install point.")],
    ca: Annotated[
        Path | None, typer.Option(help="PEM file of the central registry's authority; default: the system's.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on for ever; being offline is no trouble.")
    ] = False,
    every_s: Annotated[float, typer.Option("--every", min=1, help="Between two looks, with --watch.")] = 60.0,
    tries: Annotated[int, typer.Option(min=1, help="Attempts before it gives up, without --watch.")] = 4,
    personal: Annotated[
        bool, typer.Option("--personal", help="Send plates, names and phones, too; else nothing personal.")
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send what was handed over to the central registry; each record counts once, however often it is sent."""
    path = registry_path(registry)
    store = Registry(path, must_exist=True, who=operator())
    if personal:
        store.unlock(ask_passphrase(path, passphrase_file))
    token = token_file.read_text(encoding="utf-8-sig").strip()
    with Uplink(to, token, ca) as uplink:

        def once() -> outbox.Delivery:
            return outbox.deliver(store, uplink, now_ms, personal)

        if watch:
            _keep_on(once, every_s, as_json)
        delivery = _patiently(once, tries)
    left = len(outbox.waiting(store))
    store.close()
    if as_json:
        typer.echo(json.dumps({"sent": delivery.sent, "known": delivery.known, "left": left,
                               "refused": delivery.refused}, ensure_ascii=False))  # fmt: skip
    else:
        _say(delivery, left)
    if delivery.refused:
        raise outbox.refused(delivery)


def central(
    listen: Annotated[str, typer.Option(help="Address, HOST:PORT; port 0 takes a free one.")],
    cert: Annotated[Path, typer.Option(help="Certificate chain, a PEM file.")],
    key: Annotated[Path, typer.Option(help="Its private key, a PEM file.")],
    tokens: Annotated[Path, typer.Option(help="File with POINT TOKEN on each line.")],
    database: Annotated[Path, typer.Option(help="The central registry's own file.")] = Path("handed-over.db"),
    as_json: JsonOption = False,
) -> None:
    """Take what install points hand over, over HTTPS, until Ctrl-C. The first line is the address."""
    host, _, number = listen.rpartition(":")
    if not host or not number.isdecimal() or int(number) > 65535:
        raise typer.BadParameter(f"'{listen}' is not HOST:PORT", param_hint="--listen")
    known = Tokens.read(tokens)
    store = CentralStore(database)
    try:
        address = (host.strip("[]"), int(number))
        serve(app_of(store, known), address, cert, key, lambda port: _announce(host, port, as_json))
    finally:
        store.close()


def _announce(host: str, port: int, as_json: bool) -> None:
    url = f"https://{host}:{port}"
    typer.echo(json.dumps({"url": url}) if as_json else f"{url}  {tr('Ctrl-C ends it', '按 Ctrl-C 结束')}")


def _patiently(once: Callable[[], outbox.Delivery], tries: int) -> outbox.Delivery:
    draw = random.Random()
    for failures in range(1, tries + 1):
        try:
            return once()
        except CentralError as error:
            if failures == tries or not error.passing:
                raise
            time.sleep(outbox.pause_s(failures, error.wait_s, draw))
    raise AssertionError("tries is at least 1")


def _keep_on(once: Callable[[], outbox.Delivery], every_s: float, as_json: bool) -> None:
    """Never ends by itself: a wrong token or certificate is told each time and tried again, too."""
    draw = random.Random()
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    failures, told = 0, ""
    while True:
        try:
            delivery = once()
        except CentralError as error:
            failures += 1
            kind = "offline" if error.passing else str(error)
            if kind != told:  # an offline week is one line
                console.print(f"{said(error.cause)}; {said(error.action)}")
            told = kind
            time.sleep(outbox.pause_s(failures, error.wait_s, draw))
        else:
            failures, told = 0, ""
            if (delivery.sent or delivery.known or delivery.refused) and not as_json:
                _say(delivery, len(delivery.refused))
            time.sleep(every_s)


def _say(delivery: outbox.Delivery, left: int) -> None:
    arrived = delivery.sent + delivery.known
    Console(highlight=False).print(tr(f"{arrived} sent, {left} left", f"已发送 {arrived}，剩余 {left}"))
