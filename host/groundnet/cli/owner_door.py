"""The owner's token at commands that ask for it, never as an argument; and the command that makes one."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms, operator
from groundnet.cli.registry_door import PassphraseFileOption, open_registry, told
from groundnet.collector.casework import lookups
from groundnet.collector.database import Database
from groundnet.provision import owner_token
from groundnet.provision.paper import owner_slip
from groundnet.provision.record import Record
from groundnet.provision.registry import Registry

TOKEN, TOKEN_FILE = "GROUNDNET_OWNER_TOKEN", "GROUNDNET_OWNER_TOKEN_FILE"

OwnerOption = Annotated[
    bool,
    typer.Option(
        "--owner",
        help=tr(
            f"The owner asks: no case is needed, but their token, of {TOKEN_FILE}, {TOKEN}, or asked for.",
            f"车主本人查询：不需要立案，但要车主凭证，取自 {TOKEN_FILE}、{TOKEN}，或现场输入。",
        ),
    ),
]


def owned(registry: Registry, records: list[Record], store: Database, what: str) -> list[Record]:
    """Those of the devices that the owner's token opens; a wrong one is written down as a refused look-up.

    Raises OwnerTokenError, NotTold.
    """
    if TOKEN_FILE in os.environ:
        token = Path(os.environ[TOKEN_FILE]).read_text(encoding="utf-8-sig")
    else:
        token = told(TOKEN, ("owner's token", "车主凭证"))
    try:
        return owner_token.opened_by(registry, records, token)
    except owner_token.OwnerTokenError:
        asked = [record.device_id for record in records]
        lookups.note(store, asked, operator(), what, "not the owner's token", False, now_ms())
        raise


def token(
    tag: Annotated[str, typer.Argument(help=tr("Tag id, plate or device id.", "标签编号、车牌或设备号。"))],
    revoke: Annotated[
        bool, typer.Option("--revoke", help=tr("End it, make no new one.", "作废，不发新凭证。"))
    ] = False,
    paper: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "Write a slip for the owner (PDF, A6) instead of showing the token.",
                "写成交给车主的凭证单（PDF，A6），屏幕上不显示凭证。",
            )
        ),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    if paper is not None and revoke:
        raise typer.BadParameter(tr("a void token needs no paper", "作废凭证不需要打印"))
    store = open_registry(registry, True, passphrase_file)
    try:
        records = store.find(tag)
        names = [record.tag_id for record in records]
        made = None
        if revoke:
            owner_token.revoke(store, records, now_ms())
        elif paper is not None:
            owner_slip.hand_over(paper, names, lambda: owner_token.issue(store, records, now_ms()))
        else:
            made = owner_token.issue(store, records, now_ms())
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps({"tags": names, "token": made, "paper": str(paper) if paper else None}))
        return
    console = Console(highlight=False)
    if revoke:
        console.print(f"[bold green]✔[/] {', '.join(names)}: {tr('the token is void', '凭证已作废')}")
        return
    if made is not None:
        typer.echo(made)
    hint = tr(
        "for the owner alone; it is shown this once, and older ones are void",
        "只交给车主本人；只显示这一次，旧凭证作废",
    )
    if paper is not None:
        hint = tr(f"print {paper} for the owner, then delete it", f"请打印 {paper} 交给车主，然后删除该文件")
    Console(stderr=True, highlight=False).print(f"{', '.join(names)}: {hint}", soft_wrap=True)
