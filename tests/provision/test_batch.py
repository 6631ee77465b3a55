"""Rows of a delivery on real virtual tags: in parallel, cut off, killed, refused; never twice, never lost."""

import json
import os
import pty
from contextlib import contextmanager

import pytest
from groundnet.cli.provision import app
from groundnet.image.firmware_image import default_board
from groundnet.link.errors import PortGone, Refused
from groundnet.provision import batch_file
from groundnet.provision.batch import Bench, Settings, compare, report
from groundnet.provision.batch_journal import BatchJournal
from groundnet.provision.batch_run import BatchRun
from groundnet.provision.point import init as seal
from groundnet.provision.record import Record, Secret
from groundnet.provision.registry import Registry
from groundnet.provision.tag_check import BOUND
from groundnet.provision.tag_places import TagPlaces
from groundnet.provision.vault import Cost
from groundnet.sim.desk import Desk, device_on
from groundnet.sim.pacing import hold_while
from typer.testing import CliRunner

PROFILES = "profile,subject\nsentry,Shop 7\nvehicle,云A00001\nlivestock,012345678901234\n"


class Delivery:
    """A checked file, a registry, and a folder in which tags appear."""

    def __init__(self, folder, text=PROFILES):
        self.folder = folder
        self.ports = folder / "ports"
        self.ports.mkdir(exist_ok=True)
        self.rows = batch_file.check(text.encode()).wanted
        self.told = []

    @contextmanager
    def stores(self):
        registry, journal = Registry(self.folder / "registry.db"), self.journal()
        try:
            yield registry, journal
        finally:
            registry.close()
            journal.close()

    def journal(self):
        return BatchJournal(self.folder / "registry.db.batches", "herd.csv")

    @contextmanager
    def bench(self):
        with self.stores() as (registry, journal):
            yield Bench(self.rows, registry, journal)

    def problems(self):
        with self.stores() as (registry, journal):
            return list(compare(self.rows, registry, journal, 1))

    def plug(self, *tags):
        for tag in tags:
            (self.ports / tag.device_id.hex()).symlink_to(tag.pty)

    def run(self, left=0, **options):
        """Until so many rows are left, or something is told for which ``stop`` is true."""
        with self.stores() as (_, journal):

            def remaining():
                done = sum(entry.done for entry in journal.entries().values())
                return max(0, len(self.rows) - done - left)

            BatchRun(TagPlaces([str(self.ports)]), self.bench, self.told.append, remaining, **options).run()

    def lines(self):
        with self.stores() as (_, journal):
            return report(self.rows, journal, self.told)

    def devices(self):
        with self.stores() as (registry, _):
            return sorted((record.plate, record.state in BOUND) for record in registry.devices())


@pytest.fixture
def delivery(tmp_path):
    return Delivery(tmp_path)


def test_two_tags_at_once_take_the_rows_that_they_can(delivery, virtual_tag):
    tags = [virtual_tag("0200000000a1"), virtual_tag("0200000000a2")]
    delivery.plug(*tags)
    delivery.run(left=1)
    by_line = {line.line: line for line in delivery.lines()}
    assert {line: one.result for line, one in by_line.items()} == {2: "waiting", 3: "done", 4: "done"}
    assert {by_line[3].device_id, by_line[4].device_id} == {tag.device_id.hex() for tag in tags}
    assert delivery.devices() == [("012345678901234", True), ("云A00001", True)]
    assert delivery.problems() == []  # a second call finds nothing against its own rows
    other_file = Delivery(delivery.folder, "plate\n云A00001\n云A00002\n")
    other_file.journal = lambda: BatchJournal(delivery.folder / "registry.db.batches", "another batch")
    (problem,) = other_file.problems()
    assert (problem.line, problem.value) == (2, "云A00001") and by_line[3].tag_id in problem.cause


class Cut(BaseException):
    """The process was killed."""


class CrashingRegistry(Registry):
    """Dies right after a state was recorded."""

    crash_at = ""

    def advance(self, device_id, state, *rest, **named):
        record = super().advance(device_id, state, *rest, **named)
        if state == self.crash_at or (self.crash_at == "bound" and state in BOUND):
            raise Cut(state)
        return record

    def reserve(self, *draft, **named):
        record = super().reserve(*draft, **named)
        if self.crash_at == "reserved":
            raise Cut
        return record


class CrashingJournal(BatchJournal):
    """Dies right after a row was begun, or when it should be finished."""

    crash_at = ""

    def begin(self, *arguments):
        row = super().begin(*arguments)
        if self.crash_at == "begun":
            raise Cut
        return row

    def finish(self, *arguments):
        if self.crash_at == "unfinished":
            raise Cut
        super().finish(*arguments)


@pytest.fixture(scope="module")
def desk():
    with device_on(Desk("tag", default_board("tag"))) as device:
        files = device.board.files
        yield device, {path: files[path] for path in files.paths()}


@pytest.fixture
def tag_on_desk(desk):
    """A tag as production leaves it."""
    device, factory = desk
    device.power_off()
    for path in device.board.files.paths():
        if path not in factory:
            del device.board.files[path]
    device.power_on()
    return device


class FailingRegistry(Registry):
    """The tag fails right after a state was recorded."""

    fail_at, error = "", PortGone("/dev/tag")

    def advance(self, device_id, state, *rest, **named):
        record = super().advance(device_id, state, *rest, **named)
        if state == self.fail_at:
            raise self.error
        return record


def one_look(delivery, device, crash_at=""):
    """What a new process does: compare, then serve; it dies where it is told to."""

    def job():
        registry = CrashingRegistry(delivery.folder / "registry.db")
        journal = CrashingJournal(delivery.folder / "registry.db.batches", "herd.csv")
        registry.crash_at = journal.crash_at = crash_at
        try:
            problems = list(compare(delivery.rows, registry, journal, 1))
            return problems, Bench(delivery.rows, registry, journal).serve(device.board.pty_path)
        finally:
            registry.close()
            journal.close()

    return hold_while(device.board.world, [device.board], job)


def test_whatever_is_killed_when_the_tag_keeps_its_row_and_there_is_one_of_it(tmp_path, tag_on_desk):
    delivery = Delivery(tmp_path, "plate\n云A00001\n云A00002\n")
    for crash_at in ("begun", "reserved", "writing", "verified", "bound", "unfinished"):
        with pytest.raises(Cut):
            one_look(delivery, tag_on_desk, crash_at)
        tag_on_desk.power_off()
        tag_on_desk.power_on()
    problems, line = one_look(delivery, tag_on_desk)
    assert (problems, line) == ([], None)  # nothing was left to do: the row was settled from the registry
    assert [(one.line, one.result) for one in delivery.lines()] == [(2, "done"), (3, "waiting")]
    assert delivery.devices() == [("云A00001", True)]


def test_tags_that_cannot_be_taken_are_told_once_and_take_no_row(tmp_path, tag_on_desk):
    (tmp_path / "here").mkdir()
    one_look(Delivery(tmp_path / "here"), tag_on_desk)  # now it is bound, wherever that was
    other_point = Delivery(tmp_path, "plate\n云A00009\n")
    _, line = one_look(other_point, tag_on_desk)
    assert (line.line, line.result, line.reason) == (0, "refused", "other_point")
    assert "return it" in line.action
    assert [one.result for one in other_point.lines()] == ["waiting"]
    assert other_point.devices() == []
    with other_point.bench() as bench:
        assert bench.serve(str(tmp_path / "nothing")).reason == "cut_off"
        assert bench.serve(str(tmp_path / "nothing")) is None


def look_and_fail(delivery, device, state="", error=None):
    """One look, during which the link ends or the tag says no once a state is recorded."""

    def job():
        registry, journal = FailingRegistry(delivery.folder / "registry.db"), delivery.journal()
        registry.fail_at, registry.error = state, error
        try:
            return Bench(delivery.rows, registry, journal).serve(device.board.pty_path)
        finally:
            registry.close()
            journal.close()

    return hold_while(device.board.world, [device.board], job)


@pytest.mark.parametrize("state", ["writing", "verified"])
def test_a_cable_that_slips_is_a_pause_and_the_row_waits_for_its_tag(tmp_path, tag_on_desk, state):
    delivery = Delivery(tmp_path, "plate\n云A00001\n云A00002\n")
    line = look_and_fail(delivery, tag_on_desk, state, PortGone("/dev/tag"))
    assert (line.line, line.result, line.reason) == (2, "cut", "cut_off")
    assert "same tag in again" in line.action
    assert delivery.problems() == []
    assert [one.result for one in delivery.lines()] == ["held", "waiting"]
    line = look_and_fail(delivery, tag_on_desk)
    assert (line.line, line.result) == (2, "done")
    assert delivery.devices() == [("云A00001", True)]


def test_a_tag_that_cannot_keep_anything_gives_its_row_back(tmp_path, tag_on_desk):
    delivery = Delivery(tmp_path, "plate\n云A00001\n")
    line = look_and_fail(delivery, tag_on_desk, "writing", Refused("provision_write", "storage", ""))
    assert (line.line, line.result, line.reason) == (2, "failed", "storage")
    assert [one.result for one in delivery.lines()] == ["waiting"]


@pytest.mark.parametrize(
    "row", ["sentry,Shop 7,,", "vehicle,云A00001,tracker,", "vehicle,云A00001,,00000000000000ff"]
)
def test_a_row_for_another_kind_of_device_is_not_given_away(tmp_path, tag_on_desk, row):
    delivery = Delivery(tmp_path, f"profile,subject,role,device\n{row}\n")
    line = look_and_fail(delivery, tag_on_desk)
    assert (line.result, line.reason) == ("refused", "no_row")
    assert delivery.devices() == []


def test_a_tag_that_sleeps_after_its_hand_over_is_not_told_of(tmp_path, tag_on_desk):
    delivery = Delivery(tmp_path, "plate\n云A00001\n")
    master, slave = pty.openpty()
    (tmp_path / "silent").symlink_to(os.ttyname(slave))

    def job():
        with delivery.stores() as (registry, journal):
            bench = Bench(delivery.rows, registry, journal, Settings(answer_s=1.0))
            done = bench.serve(tag_on_desk.board.pty_path)
            asleep = bench.serve(str(tmp_path / "silent"))
            bench.forget()  # unplugged; what comes now and is silent is another matter
            return done, asleep, bench.serve(str(tmp_path / "silent"))

    done, asleep, silent = hold_while(tag_on_desk.board.world, [tag_on_desk.board], job, patience_s=30.0)
    os.close(master)
    os.close(slave)
    assert (done.result, asleep, silent.reason) == ("done", None, "silent")


def test_the_row_that_names_a_tag_is_for_it_and_no_row_before_it(tmp_path, tag_on_desk):
    device_id = tag_on_desk.board.memory.unique_id.rjust(8, b"\0").hex()
    delivery = Delivery(tmp_path, f"plate,device\n云A00001,\n云A00002,{device_id}\n")
    assert look_and_fail(delivery, tag_on_desk).line == 3


def test_a_row_keeps_its_key_when_the_file_is_sorted_and_extended():
    rows = batch_file.check("plate\n云A00001\n云A00002\n".encode()).wanted
    again = batch_file.check("用途;车牌\n;云A00003\n;云a·00002\n车;云A00001\n".encode("gb18030")).wanted
    assert {row.key for row in rows} < {row.key for row in again}


def command(folder, text, *options):
    """`groundnet provision batch` over a file; its exit code or error, and what it printed as JSON."""
    (folder / "herd.csv").write_bytes(text.encode("gb18030"))
    arguments = ["batch", str(folder / "herd.csv"), "--registry", str(folder / "registry.db"), "--json"]
    result = CliRunner().invoke(app, [*arguments, *options])
    return result.exception, json.loads(result.stdout)


def test_a_file_with_one_bad_row_writes_nothing_at_all(tmp_path):
    error, said = command(
        tmp_path, "车牌,手机号\n云A12345,\n云A12346,=1+1\n", "--report", str(tmp_path / "r.csv")
    )
    assert "nothing was written" in error.cause
    assert [(one["line"], one["column"], one["value"]) for one in said["problems"]] == [(3, "手机号", "=1+1")]
    assert "'=1+1" in (tmp_path / "r.csv").read_text("utf-8-sig")  # and no formula in our own report
    registry = Registry(tmp_path / "registry.db")
    assert list(registry.devices()) == []
    registry.close()


def test_a_dry_run_and_a_run_without_tags_say_what_is_left(tmp_path):
    text = "车牌,颜色\n云A12345,红\n"
    error, said = command(tmp_path, text, "--dry-run")
    assert (error, said["left"], said["unused"], said["encoding"]) == (None, 1, ["颜色"], "gb18030")
    error, said = command(tmp_path, text, "--wait", "0", "--port", str(tmp_path))
    assert "1 rows have no tag yet" in error.cause and "goes on" in error.action
    assert [(row["line"], row["result"]) for row in said["rows"]] == [(2, "waiting")]


def test_a_row_whose_tag_does_not_come_back_is_released_unless_it_may_be_locked(tmp_path, tag_on_desk):
    text = "plate\n云A00001\n"
    delivery = Delivery(tmp_path, text)
    for state, after in (("writing", "waiting"), ("verified", "held")):
        look_and_fail(delivery, tag_on_desk, state, PortGone("/dev/tag"))
        _, said = command(tmp_path, text, "--dry-run")
        assert [row["result"] for row in said["rows"]] == ["held"]
        _, said = command(tmp_path, text, "--dry-run", "--release")
        assert [row["result"] for row in said["rows"]] == [after]


def test_a_sealed_registry_is_compared_once_the_passphrase_is_said(tmp_path, monkeypatch):
    registry = Registry(tmp_path / "registry.db")
    seal(registry, "dealer 12", "seven tired horses", 1, own_ids=True, cost=Cost(8, 1, 1))
    draft = Record(
        bytes(8), "", "tag", "b", "vehicle", "云A12345", None, "reserved", "0a", 1, Secret(bytes(32))
    )
    registry.advance(registry.reserve(draft).device_id, "handed_over", "0a", 2)
    registry.close()
    text = "plate\n云A12345\n云A12346\n"
    (tmp_path / "word").write_text("seven tired horses\n")
    error, said = command(tmp_path, text, "--dry-run", "--passphrase-file", str(tmp_path / "word"))
    assert "nothing was written" in error.cause
    assert [(one["line"], one["value"]) for one in said["problems"]] == [(2, "云A12345")]
    (tmp_path / "word").write_text("another word\n")
    with pytest.raises(json.JSONDecodeError):  # it says nothing but its error
        command(tmp_path, text, "--dry-run", "--passphrase-file", str(tmp_path / "word"))
