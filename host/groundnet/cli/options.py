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
from groundnet.database.address import Address, address_of

STORE = "FILE|URL"  # metavar of a store; see groundnet.database.address
RegistryOption = Annotated[
    str | None,
    typer.Option(
        "--registry",
        metavar=STORE,
        help=tr(
            "Registry: a file or postgresql://USER@HOST/DATABASE; default: the user's own file.",
            "登记簿：文件，或 postgresql://用户@主机/数据库；默认为用户自己的文件。",
        ),
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar=STORE,
        help=tr(
            "The collector's database: a file or postgresql://USER@HOST/DATABASE; default: the user's own file.",
            "采集数据库：文件，或 postgresql://用户@主机/数据库；默认为用户自己的文件。",
        ),
    ),
]
CellsOption = Annotated[
    Path | None, typer.Option("--cells", help="Cell table, CSV with OpenCelliD's columns.")
]
JsonOption = Annotated[bool, typer.Option("--json", help=tr("Print JSON.", "输出 JSON。"))]


def registry_path(chosen: str | None) -> Address:
    """Raises StoreError for what is no address."""
    return address_of(chosen) if chosen else user_data_path("groundnet") / "registry.db"


def database_path(chosen: str | None) -> Address:
    """Raises StoreError for what is no address."""
    return address_of(chosen) if chosen else user_data_path("groundnet") / "collector.db"


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
