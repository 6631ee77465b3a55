"""``groundnet provision batch``: a delivery's file, its rows given to tags as they are connected."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from groundnet.cli.batch_report import fail_checks, finish, sentence
from groundnet.cli.language import said, tr
from groundnet.cli.options import JsonOption, RegistryOption, now_ms, registry_path
from groundnet.cli.registry_door import PassphraseFileOption, opened, passphrase_of
from groundnet.cli.staff_door import Staff, StaffOption, sign_in
from groundnet.database.address import beside
from groundnet.provision import batch_file
from groundnet.provision.batch import Bench, Line, Settings, compare, report
from groundnet.provision.batch_journal import BatchJournal
from groundnet.provision.batch_run import BatchRun
from groundnet.provision.people import SessionOver
from groundnet.provision.registry import Registry
from groundnet.provision.subject import PROFILES
from groundnet.provision.tag_places import TagPlaces


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
    staff: StaffOption = None,
    passphrase_file: PassphraseFileOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give the rows of FILE to tags as they are connected. Every row is checked before the first write."""
    if profile not in PROFILES:
        raise typer.BadParameter(f"'{profile}' is none of {', '.join(PROFILES)}", param_hint="--profile")
    path = registry_path(registry)
    checked = batch_file.read(file, profile, province)
    word = passphrase_of(path, passphrase_file)
    who = ""  # whoever signs in below; each port's thread has a connection of its own
    journal_path = beside(path, "batches")
    batch_name = name or file.name

    @contextmanager
    def stores() -> Iterator[tuple[Registry, BatchJournal]]:
        store = opened(path, word, who)
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
        signed_in = None if dry_run and not release else sign_in(store, staff)
        who = store.who
        if release:
            _release(store, journal)
        problems = checked.problems or list(compare(checked.wanted, store, journal, now_ms()))
        if problems:
            fail_checks(problems, as_json, report_file)
        told: list[Line] = []
        if signed_in is not None and not dry_run:
            left = _left_of(checked.wanted, journal)
            _run(TagPlaces(port or ()), bench, told, left, signed_in, parallel, wait_s, as_json)
        lines = report(checked.wanted, journal, told)
    finish(lines, checked, dry_run, as_json, report_file)


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
    staff: Staff,
    parallel: int,
    wait_s: float | None,
    quiet: bool,
) -> None:
    """Until every row is done, nothing comes, Ctrl-C, or who signed in has done nothing for a quarter of an hour.

    What was begun is finished; the report says what is left.
    """

    def remaining() -> int:
        staff.stay(worked=False)
        return left()

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet) as progress:
        total = left()
        task = progress.add_task(tr("connect tags", "请接上标签"), total=total)

        def tell(line: Line) -> None:
            staff.stay(worked=True)
            told.append(line)
            if line.result == "done":
                progress.advance(task)
            if not quiet:
                progress.console.print(sentence(line))

        try:
            with contextlib.suppress(KeyboardInterrupt):
                BatchRun(places, bench, tell, remaining, parallel, wait_s).run()
        except SessionOver as over:
            console.print(f"{said(over.cause)}; {said(over.action)}")
