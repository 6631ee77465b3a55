"""``groundnet provision init|trust|issue|load|passphrase``: install points, their vaults and blocks of identities."""

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
from groundnet.provision import blocks, identities, point, signing
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
    trust_file: Annotated[
        Path | None,
        typer.Option("--trust", help=tr("Public key of the central registry.", "中心登记簿的公钥文件。")),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    path = registry_path(registry)
    output = public or (path.with_suffix(".pub") if isinstance(path, Path) else Path("point.pub"))
    centre = signing.parse(_text(trust_file)) if trust_file else None
    store = Registry(path, who=operator())
    try:
        made = point.init(store, name, passphrase(passphrase_file, confirm=True), now_ms(), own_ids=central)
        if centre is not None:
            signing.trust(store, centre, now_ms())
        shown = signing.own(store).text() if central else made.text()
    finally:
        store.close()
    output.write_text(shown, encoding="utf-8")
    goes_to = ("the install points", "各安装点") if central else ("the central registry", "中心")
    _say(
        as_json,
        {"point": made.name, "point_id": made.point_id, "public_key": str(output), "registry": str(path)},
        tr(
            f"{made.name} is set up; give {output} to {goes_to[0]}",
            f"{made.name} 已建立；请把 {output} 交给{goes_to[1]}",
        ),
    )


def trust(
    file: Annotated[
        Path | None, typer.Argument(help=tr("Public key of the central registry.", "中心登记簿的公钥文件。"))
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help=tr("In place of the one trusted so far.", "替换原来信任的中心。")),
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = open_registry(registry, True, passphrase_file)
    try:
        if file is not None:
            signing.trust(store, signing.parse(_text(file)), now_ms(), replace)
        centre = signing.trusted(store)
    finally:
        store.close()
    if centre is None:
        _say(as_json, {"centre": None}, tr("no central registry is trusted yet", "尚未信任任何中心"))
        return
    _say(
        as_json,
        {"centre": centre.centre_id, "name": centre.name},
        tr(
            f"blocks of {centre.name} are taken; its key is {centre.centre_id}: compare it by telephone",
            f"接收 {centre.name} 的号段；其公钥编号为 {centre.centre_id}，请电话核对",
        ),
    )


def issue(
    output: Annotated[Path, typer.Option("--output", "-o", help=tr("File to write.", "输出文件。"))],
    to: Annotated[
        Path | None, typer.Option(help=tr("Public key of the point.", "安装点的公钥文件。"))
    ] = None,
    count: Annotated[int | None, typer.Option(help=tr("How many identities.", "编号数量。"))] = None,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="BLOCK", help=tr("Write a lost block file once more.", "重新生成丢失的号段文件。")
        ),
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    if (again is None) == (count is None) or (again is None and to is None):
        raise typer.BadParameter("give --to and --count for a new block, or --again for one that was lost")
    target = point.parse(_text(to)) if to else None
    store = open_registry(registry, True, passphrase_file)
    try:
        with output.open(
            "x", encoding="utf-8"
        ) as file:  # before anything is issued; never over another block
            try:
                file.write(_block(store, again, target, count))
            except BaseException:
                output.unlink()
                raise
    finally:
        store.close()
    block = blocks.describe(output.read_text(encoding="utf-8"))
    _say(
        as_json,
        {"block": block.block_id, "point_id": block.point_id, "count": block.count, "file": str(output)},
        tr(
            f"{block.count} identities in block {block.block_id}: {output}",
            f"号段 {block.block_id}，共 {block.count} 个编号：{output}",
        ),
    )


def _block(store: Registry, again: str | None, to: point.Point | None, count: int | None) -> str:
    if again is not None:
        return blocks.issue_again(store, again, now_ms(), to)
    assert to is not None and count is not None
    return blocks.issue(store, to, count, now_ms())


def load(
    file: Annotated[
        Path, typer.Argument(help=tr("Block file of the central registry.", "中心发放的号段文件。"))
    ],
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    text = _text(file)
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


def _text(file: Path) -> str:
    """What is no text is no such file either: whoever parses it says so."""
    return file.read_text(encoding="utf-8", errors="replace")


def _say(as_json: bool, figures: dict, text: str) -> None:
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    Console(highlight=False).print(f"[bold green]✔[/] {text}", soft_wrap=True)
