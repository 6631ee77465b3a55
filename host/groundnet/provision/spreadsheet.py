"""Cells as spreadsheets read and write them: text that must stay text, and formulas that must not run."""

import re
import unicodedata

_STARTERS = tuple("=+-@")  # with one of these a cell is a formula
# What a spreadsheet takes for a number and shows as another: leading zeros, twelve digits and more, 12E5.
_NUMBER = re.compile(r"0\d+|\d{12,}|\d+(\.\d+)?E\d+", re.IGNORECASE)
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_INTERNATIONAL = re.compile(r"[+]\d[\d\s().-]*")
_SHORTENED = re.compile(r"\d([.,]\d+)?E[+]\d+", re.IGNORECASE)


def neutral(text: str) -> str:
    """The text with a leading apostrophe where a spreadsheet would calculate with it or change it."""
    start = unicodedata.normalize("NFKC", text).lstrip()
    may_run = start.startswith((*_STARTERS, "'")) or text.startswith(("\t", "\r"))
    if may_run or _NUMBER.fullmatch(start):
        return "'" + text
    return text


def plain(cell: str) -> str:
    """What was meant by a cell: the inverse of ``neutral``, and of ``="0123"``, a usual way to keep zeros."""
    if cell.startswith("'"):
        return cell[1:]
    text = _TEXT_FORMULA.fullmatch(cell)
    return text[1] if text else cell


def is_formula(text: str) -> bool:
    """Whether a cell holds something to calculate; a phone number with its plus does not."""
    start = unicodedata.normalize("NFKC", text).strip()
    return start.startswith(_STARTERS) and not _INTERNATIONAL.fullmatch(start)


def is_shortened(text: str) -> bool:
    """Whether the spreadsheet wrote a long number as 1.56E+14: its digits are lost."""
    return _SHORTENED.fullmatch(text.strip()) is not None
