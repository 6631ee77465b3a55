"""``groundnet provision sync``: from an install point to the central registry."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import said, tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.provision import calls, identities, outbox
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
    everything: Annotated[
        bool,
        typer.Option(
            "--everything", help="Also what it has acknowledged: it was brought back from an old copy."
        ),
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the central registry what became of each device; each change counts once, however often it is sent."""
    if watch and everything:
        raise typer.BadParameter("--everything is said once, without --watch")
    store = open_registry(registry, True, passphrase_file, need=personal)
    token = token_file.read_text(encoding="utf-8-sig").strip()
    try:
        with Uplink(to, token, ca) as uplink:

            def once() -> outbox.Delivery:
                return outbox.deliver(store, uplink, now_ms, personal, everything)

            if watch:
                _keep_on(once, every_s, as_json)
            delivery = _patiently(once, tries)
        left, free = len(outbox.waiting(store)), identities.free(store)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps({"sent": delivery.sent, "known": delivery.known, "left": left,
                               "refused": delivery.refused, "free": free}, ensure_ascii=False))  # fmt: skip
    else:
        _say(delivery, left)
    if free is not None and free < calls.FEW:
        Console(stderr=True, highlight=False).print(
            tr(f"{free} identities are left here: ask for the next block", f"本点只剩 {free} 个编号，请申请新的号段")
        )  # fmt: skip
    if delivery.refused:
        raise outbox.refused(delivery)


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
