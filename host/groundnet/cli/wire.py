"""``groundnet wire``: take bytes apart, put them together, run the golden vectors."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from groundwire import messages
from groundwire.errors import WireError
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import tr
from groundnet.errors import GroundnetError
from groundnet.wire import vectors as golden
from groundnet.wire.assemble import assemble
from groundnet.wire.dissect import Piece, Secrets, dissect, message_piece
from groundnet.wire.spans import HIDDEN

app = typer.Typer(
    no_args_is_help=True, help=tr("The wire: frames, messages, beacons.", "线路格式：帧、消息、信标。")
)

Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help=tr(
            "The device's secret: @FILE with 64 hex digits; the digits themselves stay in the shell's history.",
            "设备密钥：@文件（64 位十六进制）；直接输入会留在命令历史中。",
        ),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help=tr("JSON for machines.", "输出 JSON。"))]


@app.command()
def decode(
    hex_text: Annotated[
        str,
        typer.Argument(metavar="HEX", help=tr("Bytes in hex; - reads them.", "十六进制；- 表示标准输入。")),
    ],
    key: Key = None,
    counter: Annotated[int | None, typer.Option(help=tr("Full beacon counter.", "完整信标计数器。"))] = None,
    challenge: Annotated[str, typer.Option(help=tr("Challenge answered, hex.", "所应答的挑战值。"))] = "",
    kind: Annotated[
        str | None, typer.Option(help=tr("A bare payload of this message.", "裸消息载荷的类型。"))
    ] = None,
    show_secrets: Annotated[
        bool, typer.Option(help=tr("Show keys in the bytes too.", "同时显示其中的密钥。"))
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show any bytes of the wire field by field; the layer is found by looking.

    The JSON holds everything, keys too, because encode makes the same bytes of it.
    """
    data = _bytes_of(sys.stdin.read() if hex_text == "-" else hex_text)
    if kind is not None:
        pieces = [message_piece(_kind_of(kind), data)]
    else:
        pieces = dissect(data, Secrets(_secret_of(key), counter, _bytes_of(challenge)))
    if as_json:
        shown = [piece.json for piece in pieces]
        typer.echo(json.dumps(shown[0] if len(shown) == 1 else shown, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for piece in pieces:
        console.print(_table(piece, show_secrets))


@app.command()
def encode(
    described: Annotated[
        str,
        typer.Argument(
            metavar="JSON",
            help=tr("As decode --json prints; - reads it.", "decode --json 的输出；- 表示标准输入。"),
        ),
    ],
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make the bytes of what ``decode --json`` printed, or of what you wrote in that form."""
    text = sys.stdin.read() if described == "-" else described
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise GroundnetError(f"this is not JSON ({error})", "quote it, or pipe it in with -") from error
    data = assemble(parsed, _secret_of(key))
    typer.echo(json.dumps({"hex": data.hex()}) if as_json else data.hex())


@app.command()
def vectors(
    runtime: Annotated[
        str, typer.Option(help=tr("cpython or micropython.", "cpython 或 micropython。"))
    ] = "cpython",
    folder: Annotated[
        Path | None, typer.Option(help=tr("Another folder of *.jsonl.", "另一个向量目录。"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the golden vectors against the codec."""
    verdicts = list(golden.run(runtime, golden.load(folder)))
    wrong = [verdict for verdict in verdicts if verdict.problem]
    if as_json:
        failed = [{"name": verdict.name, "problem": verdict.problem} for verdict in wrong]
        typer.echo(json.dumps({"runtime": runtime, "passed": len(verdicts) - len(wrong), "failed": failed}))
    else:
        console = Console(highlight=False)
        for verdict in wrong:
            console.print(f"[red]{verdict.name}[/]: {verdict.problem}", soft_wrap=True)
        passed = len(verdicts) - len(wrong)
        console.print(
            tr(
                f"{runtime}: {passed} passed, {len(wrong)} failed",
                f"{runtime}：{passed} 通过，{len(wrong)} 失败",
            )
        )
    if wrong:
        raise typer.Exit(1)


def _table(piece: Piece, show_secrets: bool) -> Table:
    table = Table(title=piece.layer, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for name, style in (("at", "dim"), ("bytes", "cyan"), ("field", "bold"), ("value", "")):
        table.add_column(name, style=style, overflow="fold")
    for span in piece.spans:
        wrong = span.value.startswith(("WRONG", "dropped", "does not"))
        hidden = span.is_secret and not show_secrets
        shown = (f"{len(span.data)} bytes", HIDDEN) if hidden else (span.data.hex(" "), span.value)
        table.add_row(f"{span.offset:4d}", shown[0], span.name, shown[1], style="red" if wrong else "")
    return table


def _bytes_of(text: str) -> bytes:
    try:
        return bytes.fromhex("".join(text.replace(":", " ").split()).removeprefix("0x"))
    except ValueError as error:
        raise GroundnetError("these are not hex digits", "give pairs of 0-9 and a-f") from error


def _secret_of(text: str | None) -> bytes | None:
    if text is None:
        return None
    hex_text = _file_text(Path(text[1:])) if text.startswith("@") else text
    secret = _bytes_of(hex_text)
    if len(secret) != 32:
        raise GroundnetError("a secret has 64 hex digits", "check the key")
    return secret


def _file_text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise GroundnetError(f"cannot read {path} ({error.strerror})", "give --key @FILE") from error


def _kind_of(text: str) -> int:
    try:
        return int(text, 0) if text[:1].isdigit() else messages.kind_of(text)
    except (WireError, ValueError) as error:
        raise GroundnetError(
            f"no message is called {text}", "see protocol/README.md for the names"
        ) from error
