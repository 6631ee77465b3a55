"""The book of look-ups: whatever is changed in it, left out or cut off is seen."""

import hashlib
import json

import pytest
from groundnet.collector.casework import lookup_audit
from groundnet.collector.casework.cases import open_case
from groundnet.collector.casework.lookup_audit import Head, LookupAuditBroken
from groundnet.collector.casework.lookups import written_down
from groundnet.collector.database import Database
from groundnet.errors import GroundnetError

TAG, OTHER = bytes(8), bytes(7) + b"\1"
ROWS = 6


@pytest.fixture
def database(tmp_path):
    store = Database(tmp_path / "collector.db")
    yield store
    store.close()


@pytest.fixture
def book(database):
    for number in range(ROWS):
        written_down(database, [TAG], f"li {number}", "track", "patrol", False, 1000 + number)
    return database


def test_a_row_is_hashed_with_the_hash_before_it(database):
    written_down(database, [TAG], "李", "track", "", True, 7)
    row = (
        '{"device_id":"0000000000000000","granted":1,"lookup_id":1,"time_ms":7,'
        '"what":"track","who":"李","why":"owner"}'
    )
    assert lookup_audit.verify(database) == Head(1, hashlib.sha256(bytes(32) + row.encode()).digest())


@pytest.mark.parametrize("column", ["time_ms", "who", "device_id", "what", "why", "granted"])
@pytest.mark.parametrize("row", [1, 3, ROWS])
def test_a_changed_value_is_seen_at_its_row(book, column, row):
    value = OTHER if column == "device_id" else 1 if column == "granted" else 99
    book.run(f"UPDATE lookups SET {column} = ? WHERE lookup_id = ?", value, row)
    with pytest.raises(LookupAuditBroken) as caught:
        lookup_audit.verify(book)
    assert caught.value.row == row


@pytest.mark.parametrize("row", range(1, ROWS + 1))
def test_a_row_that_was_taken_out_is_missed(book, row):
    book.run("DELETE FROM lookups WHERE lookup_id = ?", row)
    with pytest.raises(LookupAuditBroken):
        lookup_audit.verify(book)


def test_rows_that_were_cut_off_together_with_the_head_are_missed_by_who_noted_it(book):
    noted = lookup_audit.verify(book)
    earlier = book.row("SELECT hash FROM lookups WHERE lookup_id = ?", ROWS - 2)["hash"]
    book.run("DELETE FROM lookups WHERE lookup_id > ?", ROWS - 2)
    book.run("UPDATE lookup_head SET lookup_id = ?, hash = ?", ROWS - 2, earlier)
    assert lookup_audit.verify(book).number == ROWS - 2
    with pytest.raises(LookupAuditBroken, match="cut off"):
        lookup_audit.verify(book, noted)


def test_a_book_that_was_written_anew_is_not_the_noted_one(book):
    noted = lookup_audit.verify(book)
    book.run("DELETE FROM lookups")
    book.run("DELETE FROM lookup_head")
    for number in range(ROWS + 1):
        written_down(book, [TAG], "nobody", "track", "", False, 1000 + number)
    lookup_audit.verify(book)
    with pytest.raises(LookupAuditBroken, match="noted"):
        lookup_audit.verify(book, noted)
    with pytest.raises(LookupAuditBroken):
        lookup_audit.verify(book, Head(0, b"\1" * 32))


def test_the_book_grows_and_an_earlier_head_stays_true(book):
    noted = lookup_audit.verify(book)
    open_case(book, TAG, "owner", "2026-1", "stolen", 5000)
    assert lookup_audit.verify(book, noted).number == ROWS + 1
    assert lookup_audit.entries(book, [OTHER]) == []
    assert lookup_audit.entries(book, [TAG])[-1].what == "case open"


def test_rows_from_before_there_was_a_chain_are_chained_once(book):
    book.run("UPDATE lookups SET hash = NULL")
    book.run("DELETE FROM lookup_head")
    written_down(book, [TAG], "li", "track", "", False, 9000)
    noted = lookup_audit.verify(book)
    assert noted.number == ROWS + 1
    book.run("UPDATE lookups SET who = 'somebody' WHERE lookup_id = 2")
    with pytest.raises(LookupAuditBroken):
        lookup_audit.verify(book)


def test_a_head_that_was_printed_is_read_again(book):
    head = lookup_audit.verify(book)
    assert Head.parse(f" {head}\n") == head
    for wrong in ("", "6", "x:00", "6:abcd", f"-1:{bytes(32).hex()}"):
        with pytest.raises(GroundnetError):
            Head.parse(wrong)
    assert json.dumps(str(head))
