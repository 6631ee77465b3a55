"""``groundnet bundle key``: the keys that sign bundles, and certificates for them."""

import datetime
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from groundnet.bundle import certificate, lms_keys, lms_tree, public_keys, whole_file
from groundnet.bundle.lms_key_file import RELEASE
from groundnet.bundle.lms_keys import KeyState
from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption

app = typer.Typer(
    no_args_is_help=True,
    help=tr("Keys that sign, and certificates for them.", "签名密钥及其证书。"),
)
KeyArgument = Annotated[Path, typer.Argument(metavar="FILE", help=tr("A key file.", "密钥文件。"))]


@app.command(
    help=tr(
        "Make a key; it takes some ten seconds. Prints its public key.",
        "生成密钥，约需十秒；打印其公钥。",
    )
)
def create(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=tr("The key file to write.", "要写出的密钥文件。"))
    ],
    role: Annotated[
        str,
        typer.Option(
            help=tr(
                "root (certifies release keys) or release (signs bundles).",
                "root（签发布密钥）或 release（签固件包）。",
            )
        ),
    ],
    public: Annotated[
        Path | None,
        typer.Option(help=tr("Write the public key here, 56 bytes.", "公钥写到此文件，56 字节。")),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    if role not in lms_keys.SIGNS:
        raise typer.BadParameter(tr("root or release", "root 或 release"))
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
        task = progress.add_task(tr("making one-time keys", "生成一次性密钥"), total=lms_tree.LEAVES)
        made = lms_keys.create(file, role, lambda done: progress.update(task, completed=done))
    if public:
        whole_file.replace(public, made)
    if as_json:
        _print(_about(file, lms_keys.state(file)), True)
    else:
        typer.echo(made.hex())


@app.command("list", help=tr("The key files of a folder.", "列出文件夹中的密钥文件。"))
def list_keys(
    folder: Annotated[
        Path, typer.Argument(help=tr("Default: the current one.", "默认：当前文件夹。"), file_okay=False)
    ] = Path(),
    as_json: JsonOption = False,
) -> None:
    keys = [_about(path, state) for path, state in lms_keys.states(folder).items()]
    if as_json:
        typer.echo(json.dumps(keys))
        return
    if not keys:
        typer.echo(tr(f"no key files in {folder}", f"{folder} 中没有密钥文件"))
    for key in keys:
        left = tr(f"{key['leaves_left']} signatures left", f"还可签名 {key['leaves_left']} 次")
        typer.echo(f"{key['file']}  {key['role']}  {left}  {key['public_key'][-16:]}")


@app.command(
    "show",
    help=tr("Role, public key and signatures left of a key file.", "密钥文件的角色、公钥和剩余签名次数。"),
)
def show_key(file: KeyArgument, as_json: JsonOption = False) -> None:
    _print(_about(file, lms_keys.state(file)), as_json)


@app.command(help=tr("Let a release key sign bundles, until a day.", "授权发布密钥签固件包，可限定日期。"))
def certify(
    public: Annotated[
        Path,
        typer.Argument(
            help=tr(
                "The release key's public key, as `key create` wrote or printed it, or its key file.",
                "发布密钥的公钥：`key create` 写出或打印的内容，或其密钥文件。",
            )
        ),
    ],
    root_key: Annotated[Path, typer.Option(help=tr("Key file of a root.", "根密钥的密钥文件。"))],
    output: Annotated[
        Path, typer.Option("-o", "--output", help=tr("The certificate to write.", "要写出的证书。"))
    ],
    not_after: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help=tr("Last day; default: no end.", "最后有效日；默认：长期有效。")
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    release = public_keys.read(public, RELEASE)
    day = certificate.day_of(not_after.date()) if not_after else certificate.NEVER
    whole_file.replace(output, certificate.issue(root_key, release, day))
    state = lms_keys.state(root_key)
    about = {
        "certificate": str(output),
        "release_public_key": release.hex(),
        "root_public_key": state.public_key.hex(),
        "not_after": not_after.date().isoformat() if not_after else None,
        "root_signatures_left": state.leaves_left,
    }
    _print(about, as_json)


@app.command(
    help=tr(
        "Skip signatures: the way out for a key file from a backup or from another computer.",
        "跳过已用的签名：用于从备份或其他计算机取来的密钥文件。",
    )
)
def advance(
    file: KeyArgument,
    to: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=tr(
                "The first signature that is surely unused; default: what this computer remembers.",
                "确定未用过的第一个签名序号；默认：本机记录的序号。",
            ),
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    _print(_about(file, lms_keys.advance(file, to)), as_json)


def _about(path: Path, state: KeyState) -> dict[str, Any]:
    return {
        "file": str(path),
        "role": state.role,
        "public_key": state.public_key.hex(),
        "leaves_left": state.leaves_left,
    }


_LABELS_ZH = {
    "file": "文件", "role": "角色", "public_key": "公钥", "leaves_left": "剩余签名次数", "certificate": "证书",
    "release_public_key": "发布公钥", "root_public_key": "根公钥", "not_after": "有效期至",
    "root_signatures_left": "根密钥剩余签名次数",
}  # fmt: skip


def _print(about: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(about, ensure_ascii=False))
        return
    for name, value in about.items():
        typer.echo(f"{tr(name, _LABELS_ZH[name])}: {'-' if value is None else value}")
