"""A CSV file as text cells, whatever spreadsheet wrote it: encoding and delimiter are found, nothing is guessed.

UTF-8 (with or without its mark), GB18030 and UTF-16; comma, semicolon or tab. Zeros and spaces stay as they are.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from groundnet.errors import GroundnetError, Text

MOST_ROWS = 20_000
DELIMITERS = ",;\t"
_ENCODINGS = ("utf-8-sig", "gb18030")


class TableError(GroundnetError):
    """A file that is no table of ours at all."""


@dataclass(frozen=True)
class Table:
    """Header and rows; each row with the line on which it begins."""

    encoding: str
    delimiter: str
    header: list[str]
    lines: list[tuple[int, list[str]]]
    broken: tuple[int, str] | None = None  # line on which it stops being CSV, and why


def read(data: bytes, meaning: Callable[[str], str]) -> Table:
    """The file by the encoding and delimiter under which most headers have a ``meaning``. Raises TableError."""

    def known(table: Table) -> int:
        return sum(bool(meaning(title)) for title in table.header)

    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise TableError(
            Text("this is a workbook, not a CSV file", "这是工作簿，不是 CSV 文件"),
            Text("save it as 'CSV UTF-8' and give that file", "请另存为“CSV UTF-8”，再用那个文件"),
        )
    if not data.strip():
        raise TableError(
            Text("the file is empty", "文件是空的"),
            Text("export the table again", "请重新导出表格"),
        )
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else _ENCODINGS
    tables = [
        _split(text, encoding, mark) for encoding, text in _texts(data, encodings) for mark in DELIMITERS
    ]
    best = max(tables, key=known, default=None)
    if best is None:
        raise TableError(
            Text("the file is neither UTF-8 nor GB18030 text", "文件既不是 UTF-8 也不是 GB18030 文本"),
            Text("save it as 'CSV UTF-8'", "请另存为“CSV UTF-8”"),
        )
    _check_rows(best)
    return best


def _texts(data: bytes, encodings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            yield encoding, text


def _split(text: str, encoding: str, delimiter: str) -> Table:
    lines: list[tuple[int, list[str]]] = []
    broken = None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            hint = begins == 1 and re.fullmatch(r"sep=.?", "".join(cells).strip())  # a spreadsheet's own mark
            if any(cell.strip() for cell in cells) and not hint:
                lines.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        broken = (begins, str(error))
    header = [title.strip() for title in lines[0][1]] if lines else []
    return Table(encoding, delimiter, header, lines[1:], broken)


def _check_rows(table: Table) -> None:
    if table.broken is not None:
        line, why = table.broken
        raise TableError(
            Text(f"line {line} is no CSV ({why})", f"第 {line} 行不是 CSV（{why}）"),
            Text("close its quotation marks, or export the table again", "请补全引号，或重新导出表格"),
        )
    if not table.lines:
        raise TableError(
            Text("there is no row below the header", "表头下面没有数据"),
            Text("export the table again", "请重新导出表格"),
        )
    if len(table.lines) > MOST_ROWS:
        raise TableError(
            Text(f"{len(table.lines)} rows are too many", f"{len(table.lines)} 行太多"),
            Text(
                f"split it into files of at most {MOST_ROWS} rows", f"请分成每个不超过 {MOST_ROWS} 行的文件"
            ),
        )
