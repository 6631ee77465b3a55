"""What both engines promise alike: all or nothing, one writer, the same values, one kind of error."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from groundnet.database.opening import open_store
from groundnet.database.store import Kind, StoreError

STEPS = (
    """CREATE TABLE things (
        id INTEGER PRIMARY KEY, data BLOB, number INTEGER, share REAL, text TEXT NOT NULL DEFAULT '')""",
    "CREATE TABLE kept (number INTEGER NOT NULL)",
    """CREATE TRIGGER kept_rows BEFORE DELETE ON kept
        BEGIN SELECT RAISE(ABORT, 'what is kept stays'); END""",
    """CREATE TRIGGER kept_values BEFORE UPDATE ON kept
        BEGIN SELECT RAISE(ABORT, 'what is kept stays'); END""",
)
KIND = Kind("things", STEPS, "things")
THREADS, TIMES = 4, 25


@pytest.fixture
def store(store_at):
    opened = open_store(store_at("things"), KIND)
    yield opened
    opened.close()


def numbers(store):
    return [row["number"] for row in store.execute("SELECT number FROM things ORDER BY id")]


@pytest.mark.parametrize(
    "values",
    [
        (b"\x00\xff", 2**63 - 1, 0.1, "云A 'quoted?'"),
        (b"", -1, -1e300, ""),
        (None, None, None, "?"),
        (bytearray(b"ab"), True, 3, "a\nb"),
    ],
)
def test_values_come_back_as_they_went_in(store, values):
    row = store.execute(
        "INSERT INTO things (data, number, share, text) VALUES (?, ?, ?, ?) RETURNING *", values
    ).fetchone()
    assert (row["data"], row["number"], row["share"], row["text"]) == values
    assert tuple(row)[1:] == values and row[4] == values[3]
    assert dict(row).keys() == {"id", "data", "number", "share", "text"}
    assert type(row["number"]) in (int, type(None))


def test_a_value_may_stand_twice_and_a_question_mark_in_a_text_is_none(store):
    store.execute("INSERT INTO things (number, text) VALUES (?, 'is it?')", (7,))
    row = store.execute(
        "SELECT text, number + ?1 AS more FROM things WHERE number = ?1 AND text <> '?' AND data IS NULL",
        (7,),
    ).fetchone()
    assert (row["text"], row["more"]) == ("is it?", 14)


def test_sums_and_counts_are_integers(store):
    with store.transaction():
        store.execute_many("INSERT INTO things (number) VALUES (?)", [(2**40,), (2**40,), (1,)])
    row = store.execute("SELECT sum(number) AS s, count(*) AS n, max(number) AS m FROM things").fetchone()
    assert (row["s"], row["n"], row["m"]) == (2**41 + 1, 3, 2**40)
    assert type(row["s"]) is int


def test_texts_are_in_the_order_of_their_code_points(store):
    texts = ["b", "B", "a", "_", "云", "é", "Z"]
    with store.transaction():
        store.execute_many("INSERT INTO things (text) VALUES (?)", [(text,) for text in texts])
    rows = store.execute("SELECT text FROM things ORDER BY text").fetchall()
    assert [row["text"] for row in rows] == sorted(texts)


def test_a_transaction_is_all_or_nothing(store):
    with pytest.raises(KeyError), store.transaction():
        store.execute("INSERT INTO things (number) VALUES (1)")
        assert store.in_transaction and numbers(store) == [1]
        raise KeyError
    assert not store.in_transaction and numbers(store) == []


def test_a_statement_that_fails_ends_its_transaction_and_no_other(store):
    with pytest.raises(StoreError, match="things failed") as failed, store.transaction():
        store.execute("INSERT INTO things (number) VALUES (1)")
        store.execute("INSERT INTO kept VALUES (NULL)")
    assert "\n" not in str(failed.value)
    store.execute("INSERT INTO things (number) VALUES (2)")
    assert numbers(store) == [2]


@pytest.mark.parametrize("statement", ["DELETE FROM kept", "UPDATE kept SET number = 2"])
def test_a_trigger_that_forbids_does_so(store, statement):
    store.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(StoreError, match="what is kept stays"):
        store.execute(statement)
    assert store.execute("SELECT count(*) FROM kept").fetchone()[0] == 1


def test_writers_go_one_after_the_other_whatever_they_read_first(store_at, store):
    """The pattern of every number that is given away: look for the highest one, take the next."""

    def take(_):
        mine = open_store(store_at("things"), KIND)
        for _ in range(TIMES):
            with mine.transaction():
                highest = mine.execute("SELECT coalesce(max(number), 0) FROM things").fetchone()[0]
                mine.execute("INSERT INTO things (number) VALUES (?)", (highest + 1,))
        mine.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(take, range(THREADS)))
    assert sorted(numbers(store)) == list(range(1, THREADS * TIMES + 1))


def test_what_another_one_commits_is_noticed(store_at, store):
    other = open_store(store_at("things"), KIND)
    before = store.changes()
    assert store.changes() == before
    with pytest.raises(KeyError), other.transaction():
        other.execute("INSERT INTO things (number) VALUES (1)")
        raise KeyError
    assert store.changes() == before
    other.execute("INSERT INTO things (number) VALUES (2)")
    assert store.changes() != before and numbers(store) == [2]
    other.close()


def test_a_store_is_brought_up_to_date_and_keeps_what_it_holds(store_at, store):
    store.execute("INSERT INTO things (number) VALUES (5)")
    newer = Kind(
        "things", (*STEPS, "ALTER TABLE things ADD COLUMN more INTEGER NOT NULL DEFAULT 9"), "things"
    )
    opened = open_store(store_at("things"), newer)
    assert [tuple(row)[2::3] for row in opened.execute("SELECT * FROM things")] == [(5, 9)]
    opened.close()
    with pytest.raises(StoreError, match="newer groundnet"):
        open_store(store_at("things"), KIND)


def test_a_step_that_fails_leaves_the_store_as_it_was(store_at, store):
    store.execute("INSERT INTO things (number) VALUES (5)")
    broken = Kind(
        "things", (*STEPS, "CREATE TABLE later (n INTEGER)", "INSERT INTO nowhere VALUES (1)"), "things"
    )
    with pytest.raises(StoreError):
        open_store(store_at("things"), broken)
    again = open_store(store_at("things"), KIND)
    assert numbers(again) == [5]
    again.close()


def test_a_store_of_another_kind_is_refused_and_left_alone(store_at, store):
    with pytest.raises(StoreError, match="another kind"):
        open_store(store_at("things"), Kind("others", ("CREATE TABLE others (n INTEGER)",), "others"))
    store.execute("INSERT INTO things (number) VALUES (5)")


def test_many_programs_may_make_the_same_store_at_once(store_at):
    def make(_):
        mine = open_store(store_at("new"), KIND)
        mine.execute("INSERT INTO things (number) VALUES (1)")
        mine.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(make, range(THREADS)))
    reader = open_store(store_at("new"), KIND)
    assert numbers(reader) == [1] * THREADS
    reader.close()


def test_what_must_exist_is_not_made(store_at):
    assert open_store(store_at("none"), KIND, must_exist=True) is None
    assert open_store(store_at("none"), KIND, must_exist=True) is None, "looking makes nothing"


def test_what_was_deleted_can_be_forgotten_for_good(store_at, store, tmp_path):
    secret = b"a plate that nobody shall find again"
    store.execute("INSERT INTO things (data) VALUES (?)", (secret,))
    store.execute("DELETE FROM things")
    store.forget_deleted("things")
    assert numbers(store) == []
    assert all(secret not in path.read_bytes() for path in tmp_path.iterdir())
