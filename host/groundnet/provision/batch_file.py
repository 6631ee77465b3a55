"""A dealer's delivery or a herd as a CSV file: read whole and checked whole, before anything is written to a tag.

UTF-8 (with or without its mark), GB18030 and UTF-16; comma, semicolon or tab; header names in Chinese and English.
Every value is text: leading zeros stay. Each row that cannot be used is named with line, column, value and what to do.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from groundnet.errors import Text
from groundnet.provision import csv_table, label
from groundnet.provision.refusal import Refusal
from groundnet.provision.spreadsheet import is_formula, is_shortened, plain
from groundnet.provision.subject import NEEDS, Draft, order_of

_HEADERS = {
    "profile": ("profile", "use", "用途", "类别", "对象"),
    "subject": ("subject", "plate", "ear tag", "name",
                "车牌", "车牌号", "车牌号码", "耳标", "耳标号", "姓名", "名称", "店名",
                "车牌/耳标/姓名"),
    "phone": ("phone", "owner phone", "mobile", "电话", "手机", "手机号", "手机号码", "联系电话"),
    "consent": ("consent", "同意", "同意人"),
    "device": ("device", "device id", "label", "设备", "设备号", "标签码", "二维码"),
    "role": ("role", "device type", "类型", "设备类型"),
}  # fmt: skip
_COLUMNS = {name: column for column, names in _HEADERS.items() for name in names}
_WORDS = {
    "profile": {
        "vehicle": ("vehicle", "车辆", "车", "电动车", "两轮车"),
        "livestock": ("livestock", "牲畜", "牛", "羊"),
        "wearable": ("wearable", "穿戴", "佩戴", "老人", "儿童"),
        "sentry": ("sentry", "商铺", "店铺"),
    },
    "consent": {"": ("",), "wearer": ("wearer", "本人"), "guardian": ("guardian", "监护人")},
    "role": {"": ("",), "tag": ("tag", "标签", "平安卡"), "tracker": ("tracker", "定位器")},
}
_ALL_CAPABILITIES = tuple(name for rows in NEEDS.values() for row in rows for name in row)
_COLUMN_OF_REASON = {"no_consent": "consent", "bad_phone": "phone"}  # every other one is about the subject


@dataclass(frozen=True)
class Problem:
    """Why a row cannot be used. ``column`` is the header as it stands in the file."""

    line: int
    column: str
    value: str
    cause: str
    action: str


@dataclass(frozen=True)
class Row:
    """One device that is to be given: ``line`` of the file; ``role`` and ``device_id`` when only that one will do."""

    line: int
    draft: Draft
    role: str = ""
    device_id: bytes | None = None

    @cached_property
    def subject(self) -> str:
        """Plate, ear tag or name in its one spelling."""
        return order_of(self.draft, "", _ALL_CAPABILITIES).plate or ""

    @cached_property
    def key(self) -> str:
        """What stays the same when the file is sorted, extended or saved in another form; tells nothing of a person
        who is not known already."""
        device = self.device_id.hex() if self.device_id else ""
        said = json.dumps([self.draft.profile, self.subject, self.role, device], ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class BatchFile:
    """A file that was read. Use ``wanted`` only when there are no ``problems``."""

    encoding: str
    delimiter: str
    wanted: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unused: tuple[str, ...] = ()  # headers of columns that mean nothing here


def read(path: Path, profile: str = "vehicle", province: str = "") -> BatchFile:
    """Read and check a file.

    Args:
        profile: of rows that name none.
        province: of plates that have none.

    Raises TableError when it is no such table; OSError.
    """
    return check(path.read_bytes(), profile, province)


def check(data: bytes, profile: str = "vehicle", province: str = "") -> BatchFile:
    """The same for the bytes of a file."""
    table = csv_table.read(data, _column)
    _check_header(table.header)
    columns = {index: _column(name) for index, name in enumerate(table.header)}
    problems: list[Problem] = []
    rows: list[Row] = []
    for line, cells in table.lines:
        checked = _RowCheck(line, cells, columns, table.header, Draft(profile, province=province))
        row = checked.row()
        problems += checked.problems
        if row is not None and not checked.problems:
            rows.append(row)
    problems += _doubles(rows, table.header, columns)
    unused = tuple(table.header[index] for index, column in columns.items() if not column)
    problems.sort(key=lambda problem: problem.line)
    return BatchFile(table.encoding, table.delimiter, rows, problems, unused)


class _RowCheck:
    """One row on its way through the checks; collects what is wrong with it."""

    def __init__(
        self, line: int, cells: list[str], columns: dict[int, str], header: list[str], draft: Draft
    ) -> None:
        self.problems: list[Problem] = []
        self._line = line
        self._header = header
        self._draft = draft
        self._columns = columns
        self._titles = {column: header[index] for index, column in columns.items() if column}
        self._values: dict[str, str] = {}
        self._take(cells)

    def row(self) -> Row | None:
        """The row, None when something is wrong with it."""
        words = {name: self._word(name) for name in _WORDS}
        device_id = self._device()
        draft = Draft(
            words["profile"] or self._draft.profile,
            self._value("subject"),
            self._draft.province,
            self._value("phone"),
            words["consent"],
        )
        for alone in (replace(draft, phone=""), Draft("sentry", "any name", phone=draft.phone)):
            try:
                order_of(alone, "", _ALL_CAPABILITIES)
            except Refusal as refusal:
                self._refuse(_COLUMN_OF_REASON.get(refusal.reason.name, "subject"), refusal)
        return None if self.problems else Row(self._line, draft, words["role"], device_id)

    def _take(self, cells: list[str]) -> None:
        if len(cells) > len(self._header) and any(cell.strip() for cell in cells[len(self._header) :]):
            self._complain(
                "", cells[len(self._header)],
                Text("the row has more cells than the header", "这一行的单元格比表头多"),
                Text("put cells that hold a comma into quotation marks", "含逗号的单元格请加引号"),
            )  # fmt: skip
        for index, cell in enumerate(cells[: len(self._header)]):
            column, value = self._columns[index], plain(cell)
            if not column:
                continue
            self._values[column] = value.strip()
            if is_formula(value):
                self._complain(
                    column, cell,
                    Text("this is a formula, not a value", "这是公式，不是数值"),
                    Text("copy the column and paste it as values", "复制这一列，用“粘贴为数值”"),
                )  # fmt: skip
            elif is_shortened(value):
                self._complain(
                    column, cell,
                    Text("the spreadsheet shortened this number", "表格软件把这个长数字缩短了"),
                    Text("set the column to text and type the digits again", "把这一列设为文本格式，重新输入再保存"),
                )  # fmt: skip

    def _value(self, column: str) -> str:
        return self._values.get(column, "")

    def _word(self, column: str) -> str:
        said = self._value(column).casefold()
        if column == "profile" and not said:
            return self._draft.profile
        for word, spellings in _WORDS[column].items():
            if said in spellings:
                return word
        known = ", ".join(spellings[0] for spellings in _WORDS[column].values() if spellings[0])
        known_zh = "、".join(spellings[1] for spellings in _WORDS[column].values() if len(spellings) > 1)
        self._complain(
            column, self._value(column),
            Text("this word is not known", "不认识这个词"),
            Text(f"write one of {known}", f"请写其中之一：{known_zh}"),
        )  # fmt: skip
        return ""

    def _device(self) -> bytes | None:
        """The one device for this row: its id in hex, or its label as scanned."""
        said = self._value("device")
        if not said:
            return None
        if re.fullmatch(r"[0-9A-Fa-f]{16}", said):
            return bytes.fromhex(said)
        try:
            found = label.decode(said)
        except label.LabelError:
            self._refuse("device", Refusal("label_damaged"))
            return None
        if not found.ours:
            self._refuse("device", Refusal("other_maker"))
        return found.device_id

    def _refuse(self, column: str, refusal: Refusal) -> None:
        cause, action = refusal.cause, refusal.action
        value = self._value(column)
        if refusal.reason.name == "no_ear_tag" and re.fullmatch(r"\d{9,14}", value):
            action = Text(
                "a spreadsheet may have dropped leading zeros: set the column to text and type them again",
                "表格软件可能去掉了开头的 0：把这一列设为文本格式，补上后再保存",
            )
        self._complain(column, value, cause, action)

    def _complain(self, column: str, value: str, cause: str, action: str) -> None:
        if column and any(one.column == self._titles.get(column, column) for one in self.problems):
            return  # what is wrong with it was told
        self.problems.append(Problem(self._line, self._titles.get(column, column), value, cause, action))


def _doubles(rows: list[Row], header: list[str], columns: dict[int, str]) -> Iterator[Problem]:
    """Rows that are there twice: the second tag would be bound to what has one already."""
    titles = {column: header[index] for index, column in columns.items()}
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        same_subject = ("subject", row.draft.profile, row.subject, row.role)
        same_device = ("device", row.device_id.hex() if row.device_id else f"line {row.line}")
        for what in (same_subject, same_device):
            first = seen.setdefault(what, row.line)
            if first != row.line:
                yield Problem(
                    row.line,
                    titles[what[0]],
                    row.subject if what is same_subject else what[1],
                    Text(f"line {first} says the same", f"与第 {first} 行重复"),
                    Text(
                        "remove one of them, or tell their roles apart (tag, tracker)",
                        "删掉其中一行，或用“设备类型”区分（标签、定位器）",
                    ),
                )


def _column(title: str) -> str:
    """What a header means; empty for one that means nothing here."""
    return _COLUMNS.get(re.sub(r"[\s_*:：]+", " ", title.strip().casefold()).strip(), "")


def _check_header(header: list[str]) -> None:
    columns = [_column(title) for title in header]
    if "subject" not in columns:
        shown = ", ".join(header)[:80]
        raise csv_table.TableError(
            Text(f"line 1 has no plate, ear tag or name ({shown})", f"首行没有车牌、耳标、姓名列（{shown}）"),
            Text("begin the file with a header such as: profile,plate,phone", "首行请写表头，例如：用途,车牌,电话"),
        )  # fmt: skip
    for column in set(columns) - {""}:
        titles = [title for title, found in zip(header, columns, strict=True) if found == column]
        if len(titles) > 1:
            raise csv_table.TableError(
                Text(f"columns {' and '.join(titles)} mean the same", f"{'、'.join(titles)} 这几列意思相同"),
                Text("leave one of them", "只保留一列"),
            )
