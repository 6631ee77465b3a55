"""``groundnet provision print``: labels, receipts and safety cards of devices in the registry."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import RegistryOption, operator
from groundnet.cli.registry_door import open_registry
from groundnet.provision import scan
from groundnet.provision.paper import labels, receipt
from groundnet.provision.registry import Record, Registry


class Paper(StrEnum):
    """What is printed."""

    receipt = "receipt"
    card = "card"
    label = "label"
    sheet = "sheet"
    zpl = "zpl"


def print_(
    tags: Annotated[list[str], typer.Argument(help="Tag ids, plates or scanned labels; a sheet takes many.")],
    paper: Annotated[
        Paper, typer.Option("--as", help="receipt, card, label, sheet (PDF) or zpl.")
    ] = Paper.label,
    output: Annotated[Path, typer.Option(help="File to write.")] = Path("groundnet.pdf"),
    install_point: Annotated[str, typer.Option(help="Name of the install point, for receipt and card.")] = "",
    hotline: Annotated[str, typer.Option(help="Telephone number, for receipt and card.")] = "",
    terms: Annotated[
        Path | None,
        typer.Option(
            help="Insurance and payout terms for the receipt: a text file, Chinese | English per line."
        ),
    ] = None,
    registry: RegistryOption = None,
) -> None:
    """Print labels, a receipt or a safety card to a file; --as zpl --output - goes to a thermal printer's pipe."""
    store = open_registry(registry, must_exist=True)
    records = [record for tag in tags for record in _find(store, tag)]
    store.close()
    found = [labels.TagLabel(record.device_id, record.tag_id) for record in records]
    if paper is Paper.zpl:
        text = "".join(labels.zpl(label) for label in found)
        if str(output) == "-":
            sys.stdout.write(text)
            return
        output.write_text(text, encoding="utf-8")
    elif paper is Paper.sheet:
        labels.write_sheet(str(output), found)
    else:
        if len(found) != 1:
            raise typer.BadParameter(f"{len(found)} devices for one {paper.value}; use --as sheet or zpl")
        if paper is Paper.label:
            labels.write_one(str(output), found[0])
        else:
            said = receipt.Terms(install_point, hotline, receipt.read_terms(terms) if terms else ())
            write = receipt.write_receipt if paper is Paper.receipt else receipt.write_card
            write(str(output), _receipt(records[0], found[0], said))
    Console(highlight=False).print(f"{tr('written:', '已写入：')} {output}")


def _find(store: Registry, tag: str) -> list[Record]:
    found = scan.read(tag)
    return store.find(found.device_id.hex() if found.device_id else found.tag_id or found.plate or tag)


def _receipt(record: Record, label: labels.TagLabel, terms: receipt.Terms) -> receipt.Receipt:
    bound = datetime.fromtimestamp(record.changed_ms / 1000)
    return receipt.Receipt(label, record.profile, record.plate or "", bound, operator(), terms)
