"""Entry point of ``groundnet``: mounts the command groups and turns errors into one line."""

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

from groundnet import __version__
from groundnet.cli import language
from groundnet.errors import GroundnetError

# Each is a module groundnet.cli.<name> with a Typer `app`, loaded only when it is called: start-up stays fast.
COMMANDS = (
    *("wire", "gnss", "sim", "provision", "collect", "track", "case", "order", "alert", "finder", "watch"),
    *("stations", "calibrate", "condition"),
    *("bundle", "flash", "deploy", "update", "updates", "doctor", "bench"),
)

_COMPLETION = ("install_completion", "show_completion")  # options of the whole program, not of every command


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    """When who reads our output goes away (`| head`), nothing is left to say and nothing failed: exit code 0."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
        raise typer.Exit(0) from None


def _say_that_the_reader_left(self: Console) -> None:
    raise BrokenPipeError


class LazyGroup(TyperGroup):
    """Loads a command's module when the command is asked for."""

    def make_context(self, *arguments, **extra):
        with _reader_may_leave():  # help and version are printed in here
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx):
        with _reader_may_leave():
            return super().invoke(ctx)

    def list_commands(self, ctx) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx, cmd_name: str):
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"groundnet.cli.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.params = [option for option in command.params if option.name not in _COMPLETION]
        return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,  # also the default of newer typers; a device's secret is such a local
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"groundnet {__version__}")
        raise typer.Exit


def _choose_language(chosen: str | None) -> None:
    if chosen not in (None, "en", "zh"):
        raise typer.BadParameter("en or zh")
    language.choose(chosen)


@app.callback()
def cli(
    lang: Annotated[
        str | None,
        typer.Option(
            callback=_choose_language, is_eager=True, help="Language of the texts, en or zh; else the locale."
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find what was stolen: firmware tools, virtual bench and collector of an open anti-theft network."""


def run() -> None:
    """Run the command line; the only place that exits."""
    _escape_what_the_terminal_cannot_show()
    Console.on_broken_pipe = _say_that_the_reader_left  # Rich would exit by itself, with a code of its own
    try:
        code = app(prog_name="groundnet", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except UsageError as error:
        where = error.ctx.command_path if error.ctx else "groundnet"
        action = language.tr(f"see `{where} --help`", f"请看 `{where} --help`")
        fail(" ".join(error.format_message().split()).rstrip("."), action, error.exit_code)
    except GroundnetError as error:
        fail(error.cause, error.action)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        fail(what, language.tr("check the path and its permissions", "请检查路径和权限"))


def _escape_what_the_terminal_cannot_show() -> None:
    """A plate or a tick on a terminal that is not UTF-8 is written as an escape instead of ending the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def fail(cause: str, action: str, code: int = 1) -> None:
    """Print one line that names the cause and the next action, and exit."""
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    console.print(language.tr("error:", "错误："), style="bold red", end=" ")
    console.print(f"{language.said(cause)}; {language.said(action)}")
    sys.exit(code)


if __name__ == "__main__":
    run()
