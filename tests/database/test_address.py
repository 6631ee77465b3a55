"""How a store is named: a path or a URL, and never a password where others can see it."""

from pathlib import Path

import pytest
from groundnet.database.address import PostgresUrl, address_of, beside
from groundnet.database.store import StoreError


@pytest.mark.parametrize("text", ["registry.db", "/var/lib/groundnet/collector.db", "odd:name.db", "a//b.db"])
def test_what_has_no_scheme_is_a_path(text):
    assert address_of(text) == Path(text)


@pytest.mark.parametrize(
    ("typed", "text", "schema"),
    [
        ("postgresql://db.example/bikes", "postgresql://db.example/bikes", ""),
        ("postgres://li@db.example:5433/bikes", "postgresql://li@db.example:5433/bikes", ""),
        ("postgresql://h/d?schema=dali&sslmode=verify-full", "postgresql://h/d?sslmode=verify-full", "dali"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=%2Frun%2Fpostgresql", ""),
        ("postgresql://a:5432,b:5432/d", "postgresql://a:5432,b:5432/d", ""),
        ("postgresql://li@[::1]/d", "postgresql://li@[::1]/d", ""),
    ],
)
def test_a_url_is_libpqs_own_and_a_schema(typed, text, schema):
    found = address_of(typed)
    assert found == PostgresUrl(text, schema)
    assert address_of(str(found)) == found


@pytest.mark.parametrize(
    "typed", ["postgresql://li:hunter2@h/d", "postgresql://h/d?password=hunter2", "postgres://:hunter2@h/d"]
)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(typed):
    with pytest.raises(StoreError, match="pgpass") as refused:
        address_of(typed)
    assert "hunter2" not in str(refused.value) + refused.value.cause.zh + refused.value.action.zh


@pytest.mark.parametrize(
    "typed", ["mysql://h/d", "http://h/d", "postgresql://h/d?schema=a b", 'postgresql://h/d?schema="x"']
)
def test_what_is_no_address_is_named(typed):
    with pytest.raises(StoreError):
        address_of(typed)


def test_what_belongs_to_a_store_is_kept_beside_it():
    assert beside(Path("/var/registry.db"), "batches") == Path("/var/registry.db.batches")
    assert beside(PostgresUrl("postgresql://h/d", "dali"), "batches") == PostgresUrl(
        "postgresql://h/d", "dali_batches"
    )
    assert beside(PostgresUrl("postgresql://h/d"), "batches") == PostgresUrl("postgresql://h/d"), (
        "of its kind's own"
    )
