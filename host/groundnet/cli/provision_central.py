"""``groundnet provision central``: the central registry, its door, its records and its points."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms
from groundnet.cli.registry_door import PassphraseFileOption, open_registry
from groundnet.provision import arrivals, calls, signing
from groundnet.provision.arrivals import Arrival
from groundnet.provision.calls import Block, PointState
from groundnet.provision.central import app_of
from groundnet.provision.central_server import serve as serve_app
from groundnet.provision.registry import Registry
from groundnet.provision.tokens import TokenFile

app = typer.Typer(
    no_args_is_help=True,
    help=tr("The central registry: its door, records and points.", "中心登记簿：接收、记录和安装点。"),
)
FewOption = Annotated[
    int, typer.Option("--few", min=0, help=tr("Warn below so many identities.", "编号少于此数时提醒。"))
]


@app.command(
    help=tr("Take what install points tell, over HTTPS, until Ctrl-C.", "通过 HTTPS 接收各安装点的记录。")
)
def serve(
    listen: Annotated[
        str, typer.Option(help=tr("Address, HOST:PORT; port 0 takes a free one.", "地址：主机:端口。"))
    ],
    cert: Annotated[Path, typer.Option(help=tr("Certificate chain, a PEM file.", "证书链，PEM 文件。"))],
    key: Annotated[Path, typer.Option(help=tr("Its private key, a PEM file.", "私钥，PEM 文件。"))],
    tokens: Annotated[
        Path, typer.Option(help=tr("File with POINT TOKEN on each line.", "文件，每行：安装点 令牌。"))
    ],
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    host, _, number = listen.rpartition(":")
    if not host or not number.isdecimal() or int(number) > 65535:
        raise typer.BadParameter(f"'{listen}' is not HOST:PORT", param_hint="--listen")
    known = TokenFile(tokens)
    store = open_registry(registry, passphrase_file=passphrase_file)
    try:
        signing.own(store)  # an install point's registry is refused, and a new one gets its key
        address = (host.strip("[]"), int(number))
        serve_app(
            app_of(store, known, now_ms), address, cert, key, lambda port: _announce(host, port, as_json)
        )
    finally:
        store.close()


@app.command("list", help=tr("Devices as the points told of them.", "各安装点上报的设备。"))
def list_(
    point: Annotated[str, typer.Option("--point", help=tr("Only this point's.", "只看该安装点。"))] = "",
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = _open_centre(registry, passphrase_file)
    try:
        found = arrivals.arrivals(store, point)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
    else:
        Console().print(_table(found))


@app.command(
    help=tr("One device by tag id, plate or device id; or one point.", "按标签、车牌、设备号或安装点查看。")
)
def show(
    what: Annotated[
        str, typer.Argument(help=tr("Tag, plate, device or point.", "标签、车牌、设备或安装点。"))
    ],
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = _open_centre(registry, passphrase_file)
    try:
        states = [one for one in calls.points(store) if what in (one.point, *one.point_ids)]
        found = [] if states else arrivals.of_device(store, what)
    finally:
        store.close()
    if as_json:
        shown = [_point_json(one, calls.FEW) for one in states] + [_as_json(one) for one in found]
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for state in states:
        Console().print(_points_table([state], calls.FEW), _blocks_table(state))
    if found:
        Console().print(_table(found))


@app.command(
    help=tr("Points: last call, identities left, records that wait.", "各安装点的同步、剩余编号和待发送。")
)
def points(
    few: FewOption = calls.FEW,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = _open_centre(registry)
    try:
        states = calls.points(store)
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps([_point_json(one, few) for one in states], ensure_ascii=False))
        return
    Console().print(_points_table(states, few))
    for state in states:
        if state.few(few):
            _warn(tr(f"{state.point} has {state.left} identities left: issue its next block",
                     f"{state.point} 只剩 {state.left} 个编号，请发放新的号段"))  # fmt: skip
        for block in state.blocks:
            if note := _note(block):
                _warn(f"{state.point}, {block.block_id}: {note}")


@app.command(help=tr("The public key that install points trust.", "安装点所信任的公钥。"))
def key(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help=tr("File to write.", "输出文件。"))
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    store = open_registry(registry, True, passphrase_file)
    try:
        centre = signing.own(store)
    finally:
        store.close()
    if output is not None:
        output.write_text(centre.text(), encoding="utf-8")
    if as_json:
        typer.echo(
            json.dumps({"centre": centre.centre_id, "name": centre.name, "file": output and str(output)})
        )
    elif output is None:
        typer.echo(centre.text(), nl=False)
    else:
        text = tr(f"{output} goes to the points; its key is {centre.centre_id}",
                  f"请把 {output} 交给各安装点；公钥编号 {centre.centre_id}")  # fmt: skip
        Console(highlight=False).print(f"[bold green]✔[/] {escape(text)}", soft_wrap=True)


def _open_centre(registry: str | None, passphrase_file: Path | None = None) -> Registry:
    """Sealed owners are shown only where the passphrase is said. Raises RegistryError for a point's registry."""
    store = open_registry(registry, True, passphrase_file, need=False)
    try:
        signing.need_centre(store)
    except BaseException:
        store.close()
        raise
    return store


def _warn(text: str) -> None:
    Console(stderr=True, highlight=False).print(f"[bold yellow]![/] {escape(text)}", soft_wrap=True)


def _announce(host: str, port: int, as_json: bool) -> None:
    url = f"https://{host}:{port}"
    typer.echo(json.dumps({"url": url}) if as_json else f"{url}  {tr('Ctrl-C ends it', '按 Ctrl-C 结束')}")


def _table(found: list[Arrival]) -> Table:
    titles = (("tag", "标签"), ("plate", "车牌"), ("point", "安装点"), ("role", "类型"), ("state", "状态"),
              ("handed over", "交付时间"), ("known here", "可解析"))  # fmt: skip
    table = Table(*(tr(*title) for title in titles))
    for one in found:
        said = one.document
        state = tr("bound", "已绑定") if said.bound else tr("released", "已解绑")
        if said.forgotten:
            state += tr(", owner forgotten", "，用户信息已删除")
        known = tr("yes", "是") if one.secret_known else tr("no: not issued here", "否：编号不是这里发放的")
        subject = (said.owner or {}).get("subject") or ""
        cells = (said.tag_id, subject, one.point, said.role, state, _time(said.handed_over_ms), known)
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _points_table(states: list[PointState], few: int) -> Table:
    titles = (("point", "安装点"), ("last call", "最近同步"), ("devices", "设备"), ("left", "剩余编号"),
              ("waiting there", "待发送"))  # fmt: skip
    table = Table(*(tr(*title) for title in titles))
    for one in states:
        left = tr("its own", "自行编号") if one.left is None else str(one.left)
        table.add_row(
            escape(one.point),
            _time(one.last_ms) if one.last_ms is not None else tr("never", "从未"),
            str(one.devices),
            f"[bold yellow]{left} ![/]" if one.few(few) else left,
            str(one.waiting),
        )
    return table


def _blocks_table(state: PointState) -> Table:
    titles = (("block", "号段"), ("from", "起始"), ("count", "数量"), ("used", "已用"), ("issued", "发放时间"),
              ("note", "备注"))  # fmt: skip
    table = Table(*(tr(*title) for title in titles))
    for one in state.blocks:
        numbers = (str(number) for number in (one.first, one.count, one.used))
        table.add_row(one.block_id, *numbers, _time(one.issued_ms), _note(one))
    return table


def _note(block: Block) -> str:
    notes = []
    if block.shares_numbers:
        notes.append(tr("shares numbers with another block: give out no more of it",
                        "与另一号段编号重复：请停止使用"))  # fmt: skip
    if not block.secrets_here:
        notes.append(
            tr("its secrets are not here: bring back a newer copy", "这里没有其密钥：请恢复更新的备份")
        )
    return "; ".join(notes)


def _as_json(one: Arrival) -> dict[str, object]:
    said = one.document
    owner = said.owner or {}
    return {
        "point": one.point,
        "tag_id": said.tag_id,
        "device_id": said.device_id.hex(),
        "role": said.role,
        "board": said.board,
        "profile": said.profile,
        "state": "handed_over" if said.bound else "released",
        "operation": said.operation,
        "handed_over": _iso(said.handed_over_ms),
        "arrived": _iso(one.arrived_ms),
        "settings": said.settings,
        "plate": owner.get("subject"),
        "owner_forgotten": said.forgotten,
        "secret_known": one.secret_known,
    }


def _point_json(one: PointState, few: int) -> dict[str, object]:
    return {
        "point": one.point,
        "point_ids": list(one.point_ids),
        "last_call": _iso(one.last_ms) if one.last_ms is not None else None,
        "devices": one.devices,
        "left": one.left,
        "few_left": one.few(few),
        "waiting": one.waiting,
        "blocks": [
            {
                "block": block.block_id,
                "first": block.first,
                "count": block.count,
                "used": block.used,
                "secrets_here": block.secrets_here,
                "shares_numbers": block.shares_numbers,
            }
            for block in one.blocks
        ],
    }


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000).isoformat(" ", "seconds")
