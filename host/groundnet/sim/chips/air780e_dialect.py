"""Shape of AT commands and answers (V.250; openLuat "AT Command Manual" for EC618/EC716/EC718, V1.6)."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass

QUICK_US = 4_000  # most commands, measured on an Air780EP: 3..10 ms
CTRL_Z, ESCAPE = 0x1A, 0x1B

NOT_ALLOWED, NOT_SUPPORTED, NO_SIM, NO_NETWORK = 3, 4, 10, 30
_CME_TEXTS = {
    NOT_ALLOWED: "operation not allowed",
    NOT_SUPPORTED: "operation not supported",
    NO_SIM: "SIM not inserted",
    NO_NETWORK: "no network service",
}
_EXTENDED = re.compile(r"AT([+*^][A-Z0-9]+)(=\?|\?|=|)(.*)", re.IGNORECASE)
_BASIC = re.compile(r"AT(&?[A-Z]?)(\d*)", re.IGNORECASE)


class Refused(Exception):
    """The command fails: ``family`` is CME or CMS, ``code`` as in 3GPP TS 27.007 9.2 or 27.005 3.2.5."""

    def __init__(self, code: int, family: str = "CME") -> None:
        super().__init__(f"+{family} ERROR: {code}")
        self.code, self.family = code, family

    def text(self, verbosity: int) -> str:
        """The final line as +CMEE (0, 1 or 2) wants it; +CMS ERROR is always a number."""
        if self.family == "CMS":
            return str(self)
        if verbosity == 0:
            return "ERROR"
        return f"+CME ERROR: {_CME_TEXTS.get(self.code, 'unknown')}" if verbosity == 2 else str(self)


@dataclass(frozen=True)
class Prompt:
    """After "> " the next bytes are data: ``length`` of them, or up to Ctrl-Z when it is None.

    ``take(data)`` gives the reply; data is None when ESC ended it.
    """

    take: Callable[[bytes | None], "Reply"]
    length: int | None = None


@dataclass(frozen=True)
class Reply:
    """What comes back after ``after_us``: lines, then ``final`` unless None, then perhaps a prompt.

    ``then`` runs once the answer is on its way.
    """

    lines: tuple[str, ...] = ()
    final: str | None = "OK"
    after_us: int = QUICK_US
    prompt: Prompt | None = None
    then: Callable[[], None] | None = None


OK = Reply()
Handler = Callable[[str, list[str]], Reply]  # form ("", "?", "=?" or "="), arguments


def parse(line: str) -> tuple[str, str, list[str]] | None:
    """(name, form, arguments) of a command line; None when it is none. Basic commands: AT, E, I, &W ..."""
    match = _EXTENDED.fullmatch(line)
    if match is not None:
        name, form, text = match.groups()
        if text and form != "=":
            return None
        return name.upper(), form, next(csv.reader([text], skipinitialspace=True), [])
    match = _BASIC.fullmatch(line)
    return (match[1].upper(), "", [match[2]]) if match is not None else None


def integer(arguments: list[str], position: int, lowest: int, highest: int) -> int:
    """One argument as a number. Raises Refused when it is missing, no number or out of range."""
    text = arguments[position] if position < len(arguments) else ""
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
        raise Refused(NOT_ALLOWED)
    return int(text)
