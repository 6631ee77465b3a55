"""The registry as a table for others: CSV that spreadsheets open rightly, or JSON. Never a secret.

CSV is UTF-8 with its mark (without it spreadsheets take Chinese for something else); cells that a spreadsheet would
calculate with or change are made text. What leads to a person is in it only when it is asked for.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from groundnet.provision.record import Record
from groundnet.provision.spreadsheet import neutral

_HEADERS_ZH = {
    "tag_id": "标签编号", "device_id": "设备号", "role": "设备类型", "board": "板型", "profile": "用途",
    "state": "状态",
    "operation": "操作号", "changed": "时间", "subject": "车牌/耳标/姓名", "owner_phone": "手机号", "consent": "同意人",
    "line": "行", "result": "结果", "seconds": "秒", "reason": "原因", "cause": "说明", "action": "处理",
}  # fmt: skip


def row_of(record: Record, personal: bool = False) -> dict[str, str]:
    """What may leave of a record; with ``personal`` also subject (plate, ear tag, name), phone and consent."""
    row = {
        "tag_id": record.tag_id,
        "device_id": record.device_id.hex(),
        "role": record.role,
        "board": record.board,
        "profile": record.profile,
        "state": record.state,
        "operation": record.operation,
        "changed": datetime.fromtimestamp(record.changed_ms / 1000, UTC).isoformat(timespec="seconds"),
    }
    if personal:
        row |= {
            "subject": record.plate or "",
            "owner_phone": record.owner_phone or "",
            "consent": record.consent or "",
        }
    return row


def as_csv(rows: Iterable[Mapping[str, object]], chinese: bool = False) -> str:
    """Rows with the same names, formulas neutralised, without the mark at the beginning."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow([_HEADERS_ZH.get(name, name) if chinese else name for name in row])
        writer.writerow([neutral("" if value is None else str(value)) for value in row.values()])
    return out.getvalue()


def as_json(rows: Iterable[Mapping[str, object]]) -> str:
    return json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n"


def write(path: Path, rows: Iterable[Mapping[str, object]], chinese: bool = False) -> None:
    """Write a table, JSON or CSV by the file's name; whole or not at all, readable by its owner alone."""
    text = as_json(rows) if path.suffix.lower() == ".json" else "\ufeff" + as_csv(rows, chinese)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    beside.replace(path)
