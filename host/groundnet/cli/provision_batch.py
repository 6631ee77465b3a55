"""``groundnet provision batch`` and ``export``: a delivery's file in, the registry as a table out."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from groundnet.cli.language import current, said, tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms, operator, registry_path
from groundnet.cli.registry_door import PassphraseFileOption, passphrase
from groundnet.database.address import Address, beside
from groundnet.errors import GroundnetError, Text
from groundnet.provision import batch_file, export
from groundnet.provision.audit import Audit
from groundnet.provision.batch import Bench, Line, Settings, compare, report
from groundnet.provision.batch_journal import BatchJournal
from groundnet.provision.batch_run import BatchRun
from groundnet.provision.registry import Registry
from groundnet.provision.subject import PROFILES
from groundnet.provision.tag_places import TagPlaces

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


def batch(
    file: Annotated[
        Path, typer.Argument(help="CSV: profile, plate / ear tag / name, phone, consent, device.")
    ],
    port: Annotated[
        list[str] | None,
        typer.Option(help="Serial port, or a folder in which ports appear; may repeat. Default: all."),
    ] = None,
    profile: Annotated[str, typer.Option(help="Profile of rows that name none.")] = "vehicle",
    province: Annotated[str, typer.Option(help="Province of plates that have none, for example 云.")] = "",
    install_point: Annotated[str, typer.Option(help="Name of this install point.")] = "",
    name: Annotated[
        str | None, typer.Option(help="Name of the batch; default: the file's. Same name: it goes on.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Tags that are written at once.")] = 8,
    wait_s: Annotated[
        float | None, typer.Option("--wait", min=0, help="Stop when nothing happens for so many seconds.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write to no tag.")] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Free rows whose half-written tag does not come back.")
    ] = False,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="One line for each row: a .csv or .json file.")
    ] = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the rows of FILE to tags as they are connected. Every row is checked before the first write."""
    if profile not in PROFILES:
        raise typer.BadParameter(f"'{profile}' is none of {', '.join(PROFILES)}", param_hint="--profile")
    path = registry_path(registry)
    checked = batch_file.read(file, profile, province)
    word = ask_passphrase(path, passphrase_file)
    journal_path = beside(path, "batches")
    batch_name = name or file.name

    @contextmanager
    def stores() -> Iterator[tuple[Registry, BatchJournal]]:
        store = opened(path, word)
        journal = BatchJournal(journal_path, batch_name)
        try:
            yield store, journal
        finally:
            store.close()
            journal.close()

    @contextmanager
    def bench() -> Iterator[Bench]:
        with stores() as (store, journal):
            yield Bench(checked.wanted, store, journal, Settings(install_point))

    with stores() as (store, journal):
        if release:
            _release(store, journal)
        problems = checked.problems or list(compare(checked.wanted, store, journal, now_ms()))
        if problems:
            _fail_checks(problems, as_json, report_file)
        told: list[Line] = []
        if not dry_run:
            _run(
                TagPlaces(port or ()),
                bench,
                told,
                _left_of(checked.wanted, journal),
                parallel,
                wait_s,
                as_json,
            )
        lines = report(checked.wanted, journal, told)
    _finish(lines, checked, dry_run, as_json, report_file)


def export_(
    output: Annotated[Path | None, typer.Option(help="A .csv or .json file; else CSV to the screen.")] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="With plates, names and phones; it is written to the audit.")
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the devices of the registry as a table: no secrets, nothing personal unless asked for."""
    path = registry_path(registry)
    store = Registry(path, must_exist=True, who=operator())
    try:
        if personal:
            store.unlock(ask_passphrase(path, passphrase_file))
            Audit(store).append(now_ms(), "export")
        rows = [export.row_of(record, personal) for record in store.devices()]
    finally:
        store.close()
    if output is not None:
        export.write(output, rows, current() == "zh")
        Console(stderr=True, highlight=False).print(f"{tr('written:', '已写入：')} {output} ({len(rows)})")
    else:
        sys.stdout.write(export.as_json(rows) if as_json else export.as_csv(rows, current() == "zh"))


def opened(path: Address, word: str) -> Registry:
    """The registry, unlocked where it has a vault."""
    store = Registry(path, who=operator())
    try:
        store.unlock(word)
    except BaseException:
        store.close()
        raise
    return store


def ask_passphrase(path: Address, file: Path | None) -> str:
    """The staff passphrase, empty for a registry without a vault."""
    store = Registry(path)
    sealed = store.locked
    store.close()
    if not sealed:
        return ""
    return passphrase(file)


def _left_of(rows: Sequence[batch_file.Row], journal: BatchJournal) -> Callable[[], int]:
    keys = {row.key for row in rows}
    return lambda: len(keys) - sum(entry.done for key, entry in journal.entries().items() if key in keys)


def _release(store: Registry, journal: BatchJournal) -> None:
    """A tag that may be locked by now keeps its row; a half-written one that comes back takes another."""
    for entry in journal.entries().values():
        record = store.by_device(entry.device_id)
        if record is None or record.state in ("reserved", "writing", "undone"):
            journal.release(entry.key)


def _run(
    places: TagPlaces,
    bench: Callable,
    told: list[Line],
    left: Callable[[], int],
    parallel: int,
    wait_s: float | None,
    quiet: bool,
) -> None:
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet) as progress:
        total = left()
        task = progress.add_task(tr("connect tags", "请接上标签"), total=total)

        def tell(line: Line) -> None:
            told.append(line)
            if line.result == "done":
                progress.advance(task)
            if not quiet:
                progress.console.print(_sentence(line))

        with contextlib.suppress(
            KeyboardInterrupt
        ):  # what was begun is finished; the report says what is left
            BatchRun(places, bench, tell, left, parallel, wait_s).run()


def _sentence(line: Line) -> str:
    en, zh, colour = _RESULTS[line.result]
    place = f"{line.line:>5}" if line.line else "    -"
    named = " ".join(part for part in (line.subject, line.tag_id or line.device_id) if part)
    why = f"{said(line.cause)}; {said(line.action)}" if line.cause else ""
    took = f" {line.seconds:.1f} s" if line.seconds is not None else ""
    return f"{place} [{colour}]{tr(en, zh)}[/]{took} {named} {why}".rstrip()


def _fail_checks(problems: Sequence[batch_file.Problem], as_json: bool, report_file: Path | None) -> None:
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


def _finish(
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
