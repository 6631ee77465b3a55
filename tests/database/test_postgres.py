"""What only a server does: it goes away and comes back, it is not there, it has rights and settings of its own."""

import builtins
import threading
import time

import psycopg
import pytest
from groundnet.database.address import PostgresUrl, address_of
from groundnet.database.opening import open_store
from groundnet.database.postgres_store import PAUSE_S, PostgresStore
from groundnet.database.store import Kind, StoreError

from database.postgres_server import PostgresServer, why_not

KIND = Kind("things", ("CREATE TABLE things (number INTEGER NOT NULL)",), "things")


@pytest.fixture(scope="module")
def server():
    """One that may be killed."""
    if reason := why_not():
        pytest.skip(reason)
    running = PostgresServer()
    yield running
    running.close()


@pytest.fixture
def store(server, request):
    opened = open_store(server.url(request.function.__name__[:60]), KIND)
    yield opened
    opened.close()


def numbers(store):
    return [row["number"] for row in store.execute("SELECT number FROM things ORDER BY number")]


def write(store, number):
    store.execute("INSERT INTO things VALUES (?)", (number,))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_comes_back_is_used_again_by_itself(server, store, how):
    write(store, 1)
    getattr(server, how)()
    server.start()
    before = numbers(store)
    write(store, len(before) + 1)
    assert numbers(store) == [*before, len(before) + 1]
    getattr(server, how)()
    server.start()
    write(store, len(before) + 2)  # the first thing after the loss is a write
    assert numbers(store)[-1] == len(before) + 2


def test_what_was_under_way_is_not_kept_and_told(server, store):
    with pytest.raises(StoreError), store.transaction():
        write(store, 1)
        server.kill()
        server.start()
        write(store, 2)
    assert not store.in_transaction and numbers(store) == []


def test_a_commit_that_nobody_confirmed_is_told(server, store):
    with pytest.raises(StoreError), store.transaction():
        write(store, 1)
        server.kill()
        server.start()
    write(store, 2)
    assert numbers(store) == [2]


def test_a_server_that_is_gone_is_one_line_and_no_wait(server, store, monkeypatch):
    clock_s = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock_s[0])
    server.kill()
    try:
        for text in ("cannot be reached (conn", "it was not there a moment ago"):
            with pytest.raises(StoreError) as refused:
                write(store, 1)
            assert text in str(refused.value) and "\n" not in str(refused.value)
    finally:
        server.start()
    clock_s[0] += PAUSE_S
    write(store, 1)
    assert numbers(store) == [1]


def test_a_writer_that_is_killed_holds_nobody_up(server, store):
    """Its connection ends with it, and the lock with the connection."""
    other = open_store(server.url("test_a_writer_that_is_killed_holds_nobody_up"), KIND)
    with pytest.raises(StoreError), other.transaction():
        write(other, 1)
        with server.connect("public") as any_of_us:
            any_of_us.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )
        write(store, 2)
        write(other, 3)
    assert numbers(store) == [2]


def test_readers_wait_for_nobody_and_see_what_is_committed(server, store):
    reader = open_store(server.url("test_readers_wait_for_nobody_and_see_what_is_committed"), KIND)
    with store.transaction():
        write(store, 1)
        assert numbers(reader) == [] and numbers(store) == [1]
    assert numbers(reader) == [1]
    reader.close()


def test_stores_of_two_schemas_do_not_hold_each_other_up(server, store):
    other = open_store(server.url("another_one"), KIND)
    with store.transaction():
        done = threading.Thread(target=write, args=(other, 1))
        done.start()
        done.join(20)
        assert not done.is_alive()
    assert numbers(other) == [1] and numbers(store) == []
    other.close()


def test_a_table_that_a_newer_program_changed_is_read_again(server, store):
    for _ in range(10):  # often enough to be prepared
        store.execute("SELECT * FROM things").fetchall()
    name = "test_a_table_that_a_newer_program_changed_is_read_again"
    newer = Kind("things", (*KIND.steps, "ALTER TABLE things ADD COLUMN more INTEGER"), "things")
    open_store(server.url(name), newer).close()
    assert store.execute("SELECT * FROM things").fetchall() == []


def test_commits_are_durable_whatever_the_role_is_set_to(server):
    with server.connect("public") as root:
        root.execute("CREATE ROLE hasty LOGIN; ALTER ROLE hasty SET synchronous_commit TO off")
        root.execute("GRANT CREATE ON DATABASE postgres TO hasty")
    url = PostgresUrl(server.url("hasty").text.replace("groundnet@", "hasty@"), "hasty")
    store = open_store(url, KIND)
    assert store.execute("SELECT current_setting('synchronous_commit')").fetchone()[0] == "on"
    store.close()


def test_who_may_not_make_a_schema_uses_the_one_that_was_made_for_them(server):
    with server.connect("public") as root:
        root.execute("CREATE ROLE clerk LOGIN")
    url = PostgresUrl(server.url("desk").text.replace("groundnet@", "clerk@"), "desk")
    with pytest.raises(StoreError, match="permission denied"):
        open_store(url, KIND)
    with server.connect("public") as root:
        root.execute("CREATE SCHEMA desk AUTHORIZATION clerk")
    store = open_store(url, KIND)
    write(store, 1)
    store.close()


def test_a_schema_with_tables_of_others_is_left_alone(server):
    with server.connect("public") as root:
        root.execute("CREATE TABLE somebodys (n INTEGER)")
    with pytest.raises(StoreError, match="another kind"):
        open_store(server.url("public"), KIND)


def test_a_nul_in_a_text_is_no_reason_to_refuse_what_would_come_again(server):
    store = open_store(server.url("texts"), Kind("texts", ("CREATE TABLE texts (text TEXT)",), "texts"))
    store.execute("INSERT INTO texts VALUES (?)", ("a\0b",))
    assert store.execute("SELECT text FROM texts").fetchone()[0] == "a\ufffdb"
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "Connection refused"),
        ("postgresql:///none?host=/nowhere", "No such file"),
        ("postgresql://h/d?nonsense=1", "nonsense"),
    ],
)
def test_a_server_that_cannot_be_reached_is_one_line_with_what_to_do(url, said):
    with pytest.raises(StoreError) as refused:
        open_store(address_of(url), KIND)
    assert said in refused.value.cause and "~/.pgpass" in refused.value.action
    assert "\n" not in str(refused.value)


def test_a_database_that_is_missing_is_named(server):
    url = PostgresUrl(server.url("x").text.replace("/postgres?", "/bikes?"))
    with pytest.raises(StoreError, match="bikes"):
        open_store(url, KIND)


def test_without_psycopg_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name == PostgresStore.__module__:
            raise ImportError("No module named 'psycopg'")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StoreError, match=r"pip install 'groundnet\[postgres\]'"):
        open_store(address_of("postgresql://h/d"), KIND)


def test_a_password_of_the_environment_is_in_no_error(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(StoreError) as refused:
        open_store(address_of("postgresql://li@127.0.0.1:1/d"), KIND)
    chain = [refused.value, refused.value.__cause__]
    assert isinstance(chain[1], psycopg.OperationalError)
    assert all("hunter2" not in str(error) for error in chain)
