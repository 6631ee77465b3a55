"""Open a registry for a command; its vault with the staff passphrase, which is never an argument."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from groundnet.cli.language import tr
from groundnet.cli.options import operator, registry_path
from groundnet.database.address import Address
from groundnet.errors import GroundnetError, Text
from groundnet.provision.registry import Registry, RegistryError

PASSPHRASE, PASSPHRASE_FILE = "GROUNDNET_PASSPHRASE", "GROUNDNET_PASSPHRASE_FILE"
NEW_PASSPHRASE = "GROUNDNET_NEW_PASSPHRASE"
PIN, NEW_PIN = "GROUNDNET_PIN", "GROUNDNET_NEW_PIN"

PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help=tr(
            f"File with the staff passphrase; else {PASSPHRASE_FILE}, {PASSPHRASE}, or it is asked for.",
            f"存有员工口令的文件；否则取 {PASSPHRASE_FILE}、{PASSPHRASE}，或现场输入。",
        ),
    ),
]


class NotTold(GroundnetError):
    """A passphrase or PIN that is needed, and nobody to ask."""

    def __init__(self, what: tuple[str, str], ways: str) -> None:
        super().__init__(
            Text(f"the {what[0]} is needed", f"需要{what[1]}"),
            Text(f"run it at a terminal or set {ways}", f"请在终端中运行，或设置 {ways}"),
        )


def open_registry(
    named: str | None, must_exist: bool = False, passphrase_file: Path | None = None, need: bool = True
) -> Registry:
    """The registry, unlocked if it has a vault; where it is not needed and nobody says it, it stays locked.

    Raises NotTold, WrongPassphrase, VaultDamaged, RegistryError, StoreError.
    """
    registry = Registry(registry_path(named), must_exist, operator())
    try:
        if registry.locked and (need or _is_told(passphrase_file)):
            registry.unlock(passphrase(passphrase_file))
    except BaseException:
        registry.close()
        raise
    return registry


def open_registry_if_there(named: str | None) -> Registry | None:
    """As open_registry; None where there is no registry yet."""
    with contextlib.suppress(RegistryError):
        return open_registry(named, must_exist=True)
    return None


def passphrase_of(address: Address, file: Path | None) -> str:
    """The staff passphrase of a registry that is opened more than once; empty for one without a vault."""
    registry = Registry(address)
    sealed = registry.locked
    registry.close()
    return passphrase(file) if sealed else ""


def opened(address: Address, word: str, who: str = "") -> Registry:
    """The registry, unlocked where it has a vault; ``who`` is named in the audit, else who is at the computer."""
    registry = Registry(address, who=who or operator())
    try:
        registry.unlock(word)
    except BaseException:
        registry.close()
        raise
    return registry


def passphrase(file: Path | None, confirm: bool = False) -> str:
    """The staff passphrase: of a file, of the environment, or asked for."""
    named = file or (Path(os.environ[PASSPHRASE_FILE]) if PASSPHRASE_FILE in os.environ else None)
    if named is not None:
        return named.read_text(encoding="utf-8-sig").rstrip("\r\n")
    return told(PASSPHRASE, ("staff passphrase", "员工口令"), confirm)


def told(variable: str, what: tuple[str, str], confirm: bool = False) -> str:
    """What an environment variable says, else what is typed unseen. Raises NotTold without a terminal."""
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise NotTold(what, variable)
    return typer.prompt(tr(*what), hide_input=True, confirmation_prompt=confirm, err=True)


def _is_told(file: Path | None) -> bool:
    return file is not None or PASSPHRASE_FILE in os.environ or PASSPHRASE in os.environ
