"""``groundnet order``: arm, disarm, siren, locate and interval by hand, and what became of each order."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import (
    DatabaseOption,
    JsonOption,
    RegistryOption,
    database_path,
    now_ms,
    operator,
)
from groundnet.cli.owner_door import OwnerOption, owned
from groundnet.cli.registry_door import open_registry
from groundnet.collector.database import Database
from groundnet.collector.outbound.order_desk import BY_HAND, Given, give, list_orders, withdraw
from groundnet.collector.places.export import iso_time

app = typer.Typer(
    no_args_is_help=True,
    help=tr(
        "Orders by hand: arm, disarm, siren, locate, interval; their fate.",
        "手动指令：布防、撤防、警笛、定位、间隔；执行情况。",
    ),
)
_CHOICES = ", ".join(BY_HAND)


@app.command("give")
def give_(
    tag: Annotated[str, typer.Argument(help="Tag id, number plate or device id.")],
    command: Annotated[str, typer.Argument(help=f"One of: {_CHOICES}.")],
    seconds: Annotated[
        int | None, typer.Option(min=0, help="How long the siren sounds, or the interval of beacons at rest.")
    ] = None,
    owner: OwnerOption = False,
    reason: Annotated[str, typer.Option(help="Why; goes into the audit.")] = "",
    database: DatabaseOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Order a device to do something when it is next heard. Lost mode begins and ends with a case instead.

    Needs an open case for the tag, or the owner's token. Disarm and siren-off wait for the device's challenge.
    """
    devices = open_registry(registry, must_exist=True)
    records = devices.find(tag)
    store = Database(database_path(database), must_exist=True)
    if owner:
        records = owned(devices, records, store, f"order {command}")
    devices.close()
    device_ids = [record.device_id for record in records]
    given = give(store, device_ids, command, seconds, operator(), reason, owner, now_ms())
    store.close()
    _print(given, as_json)


@app.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all orders, newest first: queued, sent, done, expired or withdrawn."""
    store = Database(database_path(database), must_exist=True)
    given = list_orders(store, now_ms())
    store.close()
    _print(given, as_json)


@app.command("withdraw")
def withdraw_(
    order_id: Annotated[int, typer.Argument(help="Number of the order, see `groundnet order list`.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back an order that was not obeyed yet; one on the air already may still be obeyed."""
    store = Database(database_path(database), must_exist=True)
    given = withdraw(store, order_id, now_ms())
    store.close()
    _print([given], as_json)


def _print(given: list[Given], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_public(one) for one in given], ensure_ascii=False))
        return
    titles = ("order", "编号"), ("device", "设备"), ("command", "指令"), ("state", "状态"), ("given", "下达")
    table = Table(*(tr(*title) for title in titles))
    for one in given:
        what = f"{one.command} {one.argument} s" if one.argument else one.command
        table.add_row(str(one.order_id), one.device_id.hex(), what, one.state, iso_time(one.created_ms))
    Console().print(table)


def _public(one: Given) -> dict:
    return {
        "order_id": one.order_id,
        "device_id": one.device_id.hex(),
        "command": one.command,
        "argument": one.argument,
        "state": one.state,
        "created": iso_time(one.created_ms),
        "expires": iso_time(one.expires_ms),
        "ordered_by": one.ordered_by,
    }
