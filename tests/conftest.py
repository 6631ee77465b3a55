"""For all tests: hypothesis draws the same cases in every run, so that a red build means a change.

Whatever asks for ``store_at`` runs on each engine that registry and collector may be kept on.
"""

import itertools

import pytest
from database.postgres_server import PostgresServer, why_not
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

_SCHEMAS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server for this process's tests, each in schemas of its own; never killed."""
    if reason := why_not():
        pytest.skip(reason)
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store_at(request, tmp_path):
    """Called with a name, the address of a store on the engine under test: the same name, the same store."""
    if request.param == "sqlite":
        return lambda name: tmp_path / name
    server = request.getfixturevalue("postgres")
    number = next(_SCHEMAS)
    return lambda name: server.url(f"test_{number}_{name.replace('.', '_')}")
