"""``groundnet provision export``: the registry as a table."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import current, tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.cli.staff_door import StaffOption, sign_in
from groundnet.provision import export
from groundnet.provision.audit import Audit


def export_(
    output: Annotated[Path | None, typer.Option(help="A .csv or .json file; else CSV to the screen.")] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="With plates, names and phones; it is written to the audit.")
    ] = False,
    staff: StaffOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the devices of the registry as a table: no secrets, nothing personal unless asked for."""
    store = open_registry(registry, True, passphrase_file, need=personal)
    try:
        if personal:
            sign_in(store, staff)
            Audit(store).append(now_ms(), "export")
        rows = [export.row_of(record, personal) for record in store.devices()]
    finally:
        store.close()
    if output is not None:
        export.write(output, rows, current() == "zh")
        Console(stderr=True, highlight=False).print(f"{tr('written:', '已写入：')} {output} ({len(rows)})")
    else:
        sys.stdout.write(export.as_json(rows) if as_json else export.as_csv(rows, current() == "zh"))
