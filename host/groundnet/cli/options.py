"""Options that several commands share, and where things are when nobody says."""

import getpass
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_data_path

from groundnet.cli.language import tr

RegistryOption = Annotated[
    Path | None, typer.Option("--registry", help="Registry file; default: the user's own.")
]
DatabaseOption = Annotated[
    Path | None, typer.Option("--database", help="The collector's database; default: the user's own.")
]
CellsOption = Annotated[
    Path | None, typer.Option("--cells", help="Cell table, CSV with OpenCelliD's columns.")
]
JsonOption = Annotated[bool, typer.Option("--json", help=tr("Print JSON.", "输出 JSON。"))]


def registry_path(chosen: Path | None) -> Path:
    return chosen or user_data_path("groundnet") / "registry.db"


def database_path(chosen: Path | None) -> Path:
    return chosen or user_data_path("groundnet") / "collector.db"


def now_ms() -> int:
    """UTC in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def operator() -> str:
    """Who is at the keyboard, for the audit."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # an account without a name, as in a container
        return f"uid {os.getuid()}"


def parse_time_ms(text: str | None) -> int | None:
    """Unix milliseconds of an ISO 8601 time; a time without a zone is local."""
    if text is None:
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not an ISO 8601 time like 2026-11-23T08:00:00Z") from None
