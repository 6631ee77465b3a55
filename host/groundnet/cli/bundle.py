"""``groundnet bundle``: build, sign, verify and compare firmware bundles."""

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from groundnet.bundle import build as builder
from groundnet.bundle import certificate, container, diff, lms_keys, lms_tree, verify
from groundnet.cli.language import tr
from groundnet.cli.options import JsonOption
from groundnet.errors import GroundnetError, Text

app = typer.Typer(no_args_is_help=True, help="Build, sign, verify and compare firmware bundles.")
key_app = typer.Typer(no_args_is_help=True, help="Keys that sign, and certificates for them.")
app.add_typer(key_app, name="key")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A bundle file.")]
DateOption = Annotated[datetime.datetime | None, typer.Option("--not-after", formats=["%Y-%m-%d"])]
RootsOption = Annotated[list[Path] | None, typer.Option("--root", help="Public key of a root, 56 bytes.")]


@app.command("build")
def build_command(
    role: Annotated[str, typer.Option(help="tag, tracker or base.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The bundle file to write.")],
    board: Annotated[str | None, typer.Option(help="Default: the role's usual one.")] = None,
    version: Annotated[str | None, typer.Option(help="Default: the firmware's own.")] = None,
    counter: Annotated[int, typer.Option(help="Security counter.")] = 0,
    least_version: Annotated[str, typer.Option(help="Older ones are refused afterwards.")] = "0.0.0",
    not_after: DateOption = None,
    revisions: Annotated[list[int] | None, typer.Option("--hardware-revision", min=0)] = None,
    root: RootsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build an unsigned bundle; the same sources and options give the same bytes."""
    data = builder.build(
        role,
        board,
        version=version,
        security_counter=counter,
        least_version=least_version,
        not_after=not_after.date() if not_after else None,
        hardware_revisions=revisions or (0,),
        roots=_roots(root),
    )
    output.write_bytes(data)
    _about(container.parse(data), output, as_json)


@app.command()
def sign(
    file: FileArgument,
    key: Annotated[Path, typer.Option(help="Key file of a release key.")],
    certificate_file: Annotated[Path, typer.Option("--certificate", help="What `bundle key certify` wrote.")],
    as_json: JsonOption = False,
) -> None:
    """Sign a bundle in place; a signature that is there is replaced."""
    bundle = container.parse(file.read_bytes())
    block = certificate.signature_block(certificate_file.read_bytes(), key, bundle.signed)
    part = file.with_name(file.name + ".part")
    part.write_bytes(bundle.signed + block)
    part.replace(file)
    _about(container.parse(file.read_bytes()), file, as_json)


@app.command("verify")
def verify_command(
    file: FileArgument,
    root: RootsOption = None,
    role: Annotated[str | None, typer.Option(help="The device's role.")] = None,
    board: Annotated[str | None, typer.Option(help="The device's board.")] = None,
    newer_than: Annotated[int | None, typer.Option(help="The device's security counter.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a bundle as a device would; exit code 1 and the reason when it is refused."""
    bundle = container.parse(file.read_bytes())
    today = datetime.datetime.now(datetime.UTC).date()
    verify.verify(bundle, _roots(root), today, role=role, board=board, counter=newer_than)
    _about(bundle, file, as_json)


@app.command()
def show(file: FileArgument, as_json: JsonOption = False) -> None:
    """Say what a bundle is; nothing is verified."""
    _about(container.parse(file.read_bytes()), file, as_json)


@app.command("diff")
def diff_command(old: FileArgument, new: FileArgument, as_json: JsonOption = False) -> None:
    """Say what changed between two bundles."""
    found = diff.diff(container.parse(old.read_bytes()), container.parse(new.read_bytes()))
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found)))
        return
    for name, (before, after) in found.entries.items():
        typer.echo(f"{name}: {before} -> {after}")
    for change in found.files:
        if change.old_bytes is None:
            typer.echo(
                tr(f"added {change.path}, {change.new_bytes} B", f"新增 {change.path}，{change.new_bytes} B")
            )
        elif change.new_bytes is None:
            typer.echo(
                tr(
                    f"removed {change.path}, {change.old_bytes} B",
                    f"删除 {change.path}，{change.old_bytes} B",
                )
            )
        else:
            sizes = f"{change.old_bytes} -> {change.new_bytes} B"
            typer.echo(tr(f"changed {change.path}, {sizes}", f"更改 {change.path}，{sizes}"))
    before, after = found.image_bytes
    typer.echo(tr(f"image: {before} -> {after} B", f"映像：{before} -> {after} B"))


@key_app.command()
def create(
    file: Path,
    role: Annotated[str, typer.Option(help="root or release.")],
    public: Annotated[Path | None, typer.Option(help="Write the public key here.")] = None,
) -> None:
    """Make a key; it takes some ten seconds."""
    if role not in lms_keys.SIGNS:
        raise typer.BadParameter("root or release")
    made = lms_keys.create(file, role)
    if public:
        public.write_bytes(made)
    typer.echo(made.hex())


@key_app.command("show")
def show_key(file: Path, as_json: JsonOption = False) -> None:
    """Role, public key and leaves left of a key file."""
    state = lms_keys.state(file)
    about = {"role": state.role, "public_key": state.public_key.hex(), "leaves_left": state.leaves_left}
    _print(about, as_json)


@key_app.command()
def certify(
    public: Annotated[Path, typer.Argument(help="Public key of a release key, 56 bytes.")],
    root_key: Annotated[Path, typer.Option(help="Key file of a root.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The certificate to write.")],
    not_after: DateOption = None,
) -> None:
    """Let a release key sign bundles, until a day."""
    day = certificate.day_of(not_after.date()) if not_after else certificate.NEVER
    output.write_bytes(certificate.issue(root_key, public.read_bytes(), day))


def _roots(files: list[Path] | None) -> tuple[bytes, ...]:
    keys = tuple(path.read_bytes() for path in files or ())
    if not all(len(key) == lms_tree.PUBLIC_KEY_SIZE for key in keys):
        raise GroundnetError(
            Text("a root's public key has 56 bytes", "根公钥应为 56 字节"),
            Text(
                "name what `bundle key create --public` wrote",
                "请指定 `bundle key create --public` 写出的文件",
            ),
        )
    return keys


def _about(bundle: container.Bundle, path: Path, as_json: bool) -> None:
    about = dict(bundle.manifest) | {"signed": bool(bundle.signature_block), "file": str(path)}
    if not as_json:
        about["files"] = len(about["files"])
    _print(about, as_json)


def _print(about: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(about, ensure_ascii=False))
        return
    for name, value in about.items():
        typer.echo(f"{name}: {value}")
