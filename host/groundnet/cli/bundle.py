"""``groundnet bundle``: build, sign, verify and compare firmware bundles."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from groundnet.bundle import build as builder
from groundnet.bundle import certificate, container, diff, public_keys, verify, whole_file
from groundnet.bundle.lms_key_file import ROOT
from groundnet.cli.bundle_key import app as key_app
from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption

app = typer.Typer(
    no_args_is_help=True,
    help=tr("Build, sign, verify and compare firmware bundles.", "构建、签名、校验和比较固件包。"),
)
app.add_typer(key_app, name="key")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=tr("A bundle file.", "固件包文件。"))]
RootsOption = Annotated[
    list[Path] | None,
    typer.Option("--root", help=tr("Public key of a root that is trusted.", "受信任的根密钥的公钥。")),
]
_LABELS_ZH = {
    "role": "角色", "board": "板", "product": "产品", "hardware_revisions": "硬件版本", "version": "版本",
    "mpy": "字节码", "security_counter": "安全计数器", "least_version": "最低版本", "not_after": "有效期至",
    "image_sha256": "映像 SHA-256", "files": "文件数", "settings": "设置", "format": "格式", "kind": "类型",
    "signed": "已签名", "file": "文件",
}  # fmt: skip


@app.command(
    "build",
    help=tr(
        "Build an unsigned bundle; the same sources and options give the same bytes.",
        "构建未签名的固件包；源码和选项相同，则逐字节相同。",
    ),
)
def build_command(
    role: Annotated[str, typer.Option(help=tr("tag, tracker or base.", "tag、tracker 或 base。"))],
    output: Annotated[
        Path, typer.Option("-o", "--output", help=tr("The bundle file to write.", "要写出的固件包文件。"))
    ],
    board: Annotated[
        str | None, typer.Option(help=tr("Default: the role's usual one.", "默认：该角色常用的板。"))
    ] = None,
    version: Annotated[
        str | None, typer.Option(help=tr("Default: the firmware's own.", "默认：固件自身的版本。"))
    ] = None,
    counter: Annotated[
        int,
        typer.Option(
            help=tr(
                "Security counter: devices refuse a lower one afterwards.",
                "安全计数器：确认后设备拒绝更低的值。",
            )
        ),
    ] = 0,
    least_version: Annotated[
        str, typer.Option(help=tr("Older ones are refused afterwards.", "确认后拒绝更旧的版本。"))
    ] = "0.0.0",
    not_after: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=tr("Last day of its use.", "最后可用日期。")),
    ] = None,
    revisions: Annotated[
        list[int] | None,
        typer.Option(
            "--hardware-revision",
            min=0,
            max=255,
            help=tr("Repeatable; default: any.", "可重复；默认：任意。"),
        ),
    ] = None,
    root: RootsOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help=tr(
                "A default of the devices, whatever their profile; repeatable.",
                "设备的默认设置，优先于各类型的默认值；可重复。",
            ),
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(
            help=tr(
                "firmware.bin of a MicroPython build: a bundle of the base image instead.",
                "MicroPython 构建得到的 firmware.bin：改为构建基础固件包。",
            )
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    terms: dict[str, Any] = {
        "version": version,
        "security_counter": counter,
        "least_version": least_version,
        "not_after": not_after.date() if not_after else None,
        "hardware_revisions": revisions or (0,),
    }
    if base is None:
        data = builder.build(role, board, **terms, roots=_roots(root), settings=settings or ())
    elif root or settings:
        raise typer.BadParameter(
            tr("--root and --set are of an application, not of --base", "--root 和 --set 不能与 --base 同用")
        )
    else:
        data = builder.build_base(base.read_bytes(), role, board, **terms)
    whole_file.replace(output, data)
    _about(container.parse(data), output, as_json)


@app.command(
    help=tr(
        "Sign a bundle in place; a signature that is there is replaced.",
        "就地签名固件包；已有的签名会被替换。",
    )
)
def sign(
    file: FileArgument,
    key: Annotated[Path, typer.Option(help=tr("Key file of a release key.", "发布密钥的密钥文件。"))],
    certificate_file: Annotated[
        Path,
        typer.Option(
            "--certificate", help=tr("What `bundle key certify` wrote.", "`bundle key certify` 写出的证书。")
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    bundle = container.parse(file.read_bytes())
    verify.check_image(bundle)
    block = certificate.signature_block(certificate_file.read_bytes(), key, bundle.signed)
    whole_file.replace(file, bundle.signed + block)
    _about(container.parse(file.read_bytes()), file, as_json)


@app.command(
    "verify",
    help=tr(
        "Judge a bundle as a device would; exit code 1 and the reason when it is refused.",
        "像设备一样校验固件包；不通过时退出码为 1 并说明原因。",
    ),
)
def verify_command(
    file: FileArgument,
    root: RootsOption = None,
    role: Annotated[str | None, typer.Option(help=tr("The device's role.", "设备的角色。"))] = None,
    board: Annotated[str | None, typer.Option(help=tr("The device's board.", "设备的板。"))] = None,
    revision: Annotated[
        int | None,
        typer.Option("--hardware-revision", help=tr("The device's revision.", "设备的硬件版本。")),
    ] = None,
    newer_than: Annotated[
        int | None,
        typer.Option(help=tr("The device's security counter.", "设备的安全计数器。")),
    ] = None,
    least_version: Annotated[
        str | None, typer.Option(help=tr("The least one that the device takes.", "设备接受的最低版本。"))
    ] = None,
    as_json: JsonOption = False,
) -> None:
    bundle = container.parse(file.read_bytes())
    verify.verify(
        bundle,
        _roots(root),
        datetime.datetime.now(datetime.UTC).date(),
        role=role,
        board=board,
        hardware_revision=revision,
        counter=newer_than,
        least_version=least_version,
    )
    _about(bundle, file, as_json)


@app.command(help=tr("Say what a bundle is; nothing is verified.", "显示固件包的内容；不做校验。"))
def show(file: FileArgument, as_json: JsonOption = False) -> None:
    _about(container.parse(file.read_bytes()), file, as_json)


@app.command(
    "diff",
    help=tr(
        "Say what changed between two bundles: versions, settings, files with their sizes.",
        "比较两个固件包：版本、设置、文件及大小。",
    ),
)
def diff_command(
    old: Annotated[Path, typer.Argument(metavar="OLD", help=tr("The older bundle.", "旧固件包。"))],
    new: Annotated[Path, typer.Argument(metavar="NEW", help=tr("The newer bundle.", "新固件包。"))],
    as_json: JsonOption = False,
) -> None:
    found = diff.diff(container.parse(old.read_bytes()), container.parse(new.read_bytes()))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), ensure_ascii=False))
        return
    for name, (before, after) in found.entries.items():
        typer.echo(f"{_label(name)}: {_shown(before)} -> {_shown(after)}")
    left = tr("the firmware's own", "固件自身")
    for name, values in found.settings.items():
        before, after = (left if value is None else value for value in values)
        typer.echo(tr("setting", "设置") + f" {name}: {before} -> {after}")
    for change in found.files:
        typer.echo(_change(change))
    before, after = found.image_bytes
    typer.echo(tr("image", "映像") + f": {_sizes(before, after)}")


def _change(change: diff.FileChange) -> str:
    before, after = change.old_bytes, change.new_bytes
    if before is None:
        return tr("added", "新增") + f" {change.path}, {after} B"
    if after is None:
        return tr("removed", "删除") + f" {change.path}, {before} B"
    return tr("changed", "更改") + f" {change.path}, {_sizes(before, after)}"


def _sizes(before: int, after: int) -> str:
    return f"{before} -> {after} B ({after - before:+})"


def _roots(files: list[Path] | None) -> tuple[bytes, ...]:
    return tuple(public_keys.read(path, ROOT) for path in files or ())


def _about(bundle: container.Bundle, path: Path, as_json: bool) -> None:
    about = dict(bundle.manifest) | {"signed": bool(bundle.signature_block), "file": str(path)}
    if as_json:
        typer.echo(json.dumps(about, ensure_ascii=False))
        return
    about["files"] = len(about["files"])
    for name, value in about.items():
        typer.echo(f"{_label(name)}: {_shown(value)}")


def _label(name: str) -> str:
    return tr(name, _LABELS_ZH[name])


def _shown(value: Any) -> str:
    """A value of the manifest as people read it."""
    match value:
        case bool():
            return tr("yes", "是") if value else tr("no", "否")
        case [0]:
            return tr("any", "任意")
        case list() if value:
            return ", ".join(map(str, value))
        case dict() if value:
            return " ".join(f"{name}={one}" for name, one in value.items())
        case None | list() | dict():
            return "-"
    return str(value)
