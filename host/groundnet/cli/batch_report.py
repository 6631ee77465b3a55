"""What `provision batch` says: of each tag as it goes, of a file with problems, of every row in the end."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from groundnet.cli.language import current, said, tr
from groundnet.errors import GroundnetError, Text
from groundnet.provision import batch_file, export
from groundnet.provision.batch import Line

_SHOWN = 30  # problems on the screen; --json and --report have all
_RESULTS = {
    "done": ("done", "完成", "green"),
    "waiting": ("waits for a tag", "等待标签", "dim"),
    "held": ("waits for its tag", "等待原标签", "yellow"),
    "refused": ("refused", "拒绝", "red"),
    "cut": ("cut off", "中断", "yellow"),
    "failed": ("failed", "失败", "red"),
}


class BatchStopped(GroundnetError):
    """Not every row is done."""


def sentence(line: Line) -> str:
    en, zh, colour = _RESULTS[line.result]
    place = f"{line.line:>5}" if line.line else "    -"
    named = " ".join(part for part in (line.subject, line.tag_id or line.device_id) if part)
    why = f"{said(line.cause)}; {said(line.action)}" if line.cause else ""
    took = f" {line.seconds:.1f} s" if line.seconds is not None else ""
    return f"{place} [{colour}]{tr(en, zh)}[/]{took} {named} {why}".rstrip()


def fail_checks(problems: Sequence[batch_file.Problem], as_json: bool, report_file: Path | None) -> None:
    rows = [{name: said(value) if isinstance(value, str) else value for name, value in asdict(one).items()}
            for one in problems]  # fmt: skip
    if report_file is not None:
        export.write(report_file, rows, current() == "zh")
    if as_json:
        typer.echo(json.dumps({"problems": rows}, ensure_ascii=False))
    else:
        titles = (
            ("line", "行"),
            ("column", "列"),
            ("value", "内容"),
            ("what is wrong", "问题"),
            ("what to do", "处理"),
        )
        table = Table(*(tr(*title) for title in titles))
        for row in rows[:_SHOWN]:
            table.add_row(*(str(value) for value in row.values()))
        Console(stderr=True, markup=False).print(table)
    raise BatchStopped(
        Text(f"{len(rows)} cells or rows cannot be used, nothing was written", f"{len(rows)} 处有问题，什么都没有写入"),
        Text("correct the file and give it again", "请改好文件再来一次"),
    )  # fmt: skip


def finish(
    lines: Sequence[Line],
    checked: batch_file.BatchFile,
    dry_run: bool,
    as_json: bool,
    report_file: Path | None,
) -> None:
    rows = [{**asdict(line), "cause": said(line.cause), "action": said(line.action)} for line in lines]
    done = sum(line.result == "done" for line in lines)
    left = len(checked.wanted) - done
    if report_file is not None:
        export.write(report_file, rows, current() == "zh")
    if as_json:
        found = {"encoding": checked.encoding, "delimiter": checked.delimiter, "unused": checked.unused}
        typer.echo(json.dumps({**found, "done": done, "left": left, "rows": rows}, ensure_ascii=False))
    else:
        console = Console(highlight=False)
        if checked.unused:
            console.print(
                tr("columns not used: ", "没有用到的列：") + ", ".join(checked.unused), markup=False
            )
        console.print(tr(f"{done} done, {left} left", f"完成 {done}，剩余 {left}"))
    if left and not dry_run:
        raise BatchStopped(
            Text(f"{left} rows have no tag yet", f"还有 {left} 行没有标签"),
            Text("give the same command again: it goes on", "再执行同一命令即可继续"),
        )
