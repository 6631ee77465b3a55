"""`groundnet sim`: virtual boards."""

import json
import signal
import types
from pathlib import Path
from typing import Annotated

import typer

from groundnet.cli.language import tr
from groundnet.cli.month import month
from groundnet.cli.theft import theft
from groundnet.errors import GroundnetError
from groundnet.image import firmware_image
from groundnet.sim import desk, line_rate, pacing, runtime
from groundnet.sim.line_rate import LineRate
from groundnet.sim.process import share_one_core

app = typer.Typer(
    no_args_is_help=True, help="Virtual boards: real MicroPython, models of the chips around it."
)


app.command("theft")(theft)
app.command("month")(month)


@app.callback()
def sim() -> None:
    """Virtual boards: real MicroPython, models of the chips around it."""
    share_one_core()


@app.command()
def board(
    role: Annotated[str | None, typer.Option(help="tag, tracker, base or finder.")] = None,
    board_name: Annotated[
        str | None, typer.Option("--board", help="Folder under firmware/boards; default: the role's first.")
    ] = None,
    files: Annotated[
        Path | None, typer.Option("--files", help="Keep the flash in this folder; default: in memory.")
    ] = None,
    blank: Annotated[bool, typer.Option("--blank", help="Plain MicroPython, no firmware.")] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Start in the chip's own loader, as with the boot button held.")
    ] = False,
    unique_id: Annotated[
        str, typer.Option("--id", help="What the chip says it is, up to 16 hex digits.")
    ] = "020000000001",
    collector: Annotated[
        str | None, typer.Option(help="HOST:PORT that the board's connections to the same name reach.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    baudrate: Annotated[
        str | None, typer.Option(help="Speed of the serial port: 115200, or usb; default: no limit.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the first line as JSON.")] = False,
) -> None:
    """Run one board in real time. The first line is the path of its serial port; Ctrl-C ends it."""
    if not role and not blank:
        raise typer.BadParameter("give --role, or --blank for a board without firmware")
    role_name = role or "tag"
    wanted = desk.Desk(
        role=role_name,
        board=board_name or firmware_image.default_board(role_name),
        files=files,
        blank=blank,
        unique_id=_parse_id(unique_id),
        collector=_parse_address(collector),
        seed=seed,
    )
    rate = _parse_rate(baudrate)
    stopped = _stop_on_signals()
    runtime.interpreter_command("board.mjs")  # complains before a path is promised
    with desk.device_on(wanted) as device:
        device.board.console.limit(device.board.world, rate)
        path = device.board.pty_path
        typer.echo(json.dumps({"pty": path}) if json_ else path)
        if download:
            device.board.start_download()
        else:
            device.power_on()
        pacing.run_paced(device.board.world, [device.board], lambda: bool(stopped))


def _stop_on_signals() -> list[int]:
    """A list that is no longer empty once SIGTERM or SIGINT arrived."""
    received: list[int] = []

    def note(number: int, _frame: types.FrameType | None) -> None:
        received.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return received


def _parse_id(text: str) -> bytes:
    try:
        number = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        number = b""
    if not 1 <= len(number) <= 8:
        raise GroundnetError(
            tr(f"'{text}' is not an id", f"“{text}”不是有效的编号"),
            tr("give 2 to 16 hex digits", "请给出 2 至 16 位十六进制数"),
        )
    return number


def _parse_rate(text: str | None) -> LineRate | None:
    if text is None or text.lower() == "usb":
        return line_rate.USB if text else None
    if not text.isdecimal() or not 300 <= int(text) <= 4_000_000:
        raise GroundnetError(
            tr(f"'{text}' is not the speed of a serial port", f"“{text}”不是有效的串口速率"),
            tr("give a number from 300 to 4000000, or usb", "请给出 300 至 4000000 的数，或 usb"),
        )
    return line_rate.uart(int(text))


def _parse_address(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise GroundnetError(
            tr(f"'{text}' is not an address", f"“{text}”不是有效的地址"),
            tr("give HOST:PORT, for example localhost:7788", "请给出 主机:端口，例如 localhost:7788"),
        )
    return host, int(port)
