"""``groundnet provision init|issue|load|passphrase``: install points, their vaults and blocks of identities."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms, operator, registry_path
from groundnet.cli.registry_door import (
    NEW_PASSPHRASE,
    PassphraseFileOption,
    open_registry,
    passphrase,
    told,
)
from groundnet.provision import blocks, identities, point
from groundnet.provision.registry import Registry


def init(
    name: Annotated[str, typer.Option("--point", help=tr("Name of the install point.", "安装点名称。"))],
    central: Annotated[
        bool,
        typer.Option(help=tr("It makes identities and issues blocks.", "中心登记簿：自行编号，并发放号段。")),
    ] = False,
    public: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "Where its public key goes; default: beside the registry.", "公钥文件；默认与登记簿同目录。"
            )
        ),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    path = registry_path(registry)
    output = public or path.with_suffix(".pub")
    store = Registry(path, who=operator())
    try:
        made = point.init(store, name, passphrase(passphrase_file, confirm=True), now_ms(), own_ids=central)
    finally:
        store.close()
    output.write_text(made.text(), encoding="utf-8")
    _say(
        as_json,
        {"point": made.name, "point_id": made.point_id, "public_key": str(output), "registry": str(path)},
        tr(
            f"{made.name} is set up; give {output} to the central registry",
            f"{made.name} 已建立；请把 {output} 交给中心",
        ),
    )


def issue(
    to: Annotated[Path, typer.Option(help=tr("Public key of the point.", "安装点的公钥文件。"))],
    count: Annotated[int, typer.Option(help=tr("How many identities.", "编号数量。"))],
    output: Annotated[Path, typer.Option("--output", "-o", help=tr("File to write.", "输出文件。"))],
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    target = point.parse(to.read_text(encoding="utf-8"))
    store = open_registry(registry, True, passphrase_file)
    try:
        with output.open(
            "x", encoding="utf-8"
        ) as file:  # before anything is issued; never over another block
            try:
                file.write(blocks.issue(store, target, count, now_ms()))
            except BaseException:
                output.unlink()
                raise
    finally:
        store.close()
    _say(
        as_json,
        {"point": target.name, "point_id": target.point_id, "count": count, "file": str(output)},
        tr(
            f"{count} identities for {target.name}: {output}",
            f"已为 {target.name} 发放 {count} 个编号：{output}",
        ),
    )


def load(
    file: Annotated[
        Path, typer.Argument(help=tr("Block file of the central registry.", "中心发放的号段文件。"))
    ],
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    text = file.read_text(encoding="utf-8")
    store = open_registry(registry, True, passphrase_file)
    try:
        block = blocks.load(store, text, now_ms())
        free = identities.free(store)
    finally:
        store.close()
    _say(
        as_json,
        {"block": block.block_id, "count": block.count, "free": free},
        tr(
            f"{block.count} identities loaded, {free} are free",
            f"已装入 {block.count} 个编号，可用 {free} 个",
        ),
    )


def change_passphrase(
    passphrase_file: PassphraseFileOption = None,
    new_file: Annotated[
        Path | None,
        typer.Option(help=tr("File with the new passphrase.", "存有新口令的文件。")),
    ] = None,
    registry: RegistryOption = None,
) -> None:
    store = open_registry(registry, True, need=False)
    try:
        old = passphrase(passphrase_file)
        wanted = ("new passphrase", "新口令")
        new = passphrase(new_file) if new_file else told(NEW_PASSPHRASE, wanted, confirm=True)
        point.change_passphrase(store, old, new, now_ms())
    finally:
        store.close()
    _say(False, {}, tr("the passphrase is changed; old copies of the file keep the old one",
                       "口令已更换；旧的备份仍用旧口令"))  # fmt: skip


def _say(as_json: bool, figures: dict, text: str) -> None:
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    Console(highlight=False).print(f"[bold green]✔[/] {text}", soft_wrap=True)
