"""Fixtures. `app` runs on SQLite; a test marked `both_databases` runs on SQLite and again on PostgreSQL."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests import databases, shared

logging.getLogger("alembic").setLevel(logging.WARNING)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run marked tests on both databases."""
    if "backend" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both_databases") is not None
        metafunc.parametrize("backend", ["sqlite", "postgresql"] if both else ["sqlite"], scope="function")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A migrated PostgreSQL database of this test process."""
    with databases.postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated SQLite database of this test process."""
    return databases.new_sqlite(tmp_path_factory.mktemp("database"))


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest) -> str:
    """The address of an empty, migrated database, in a process that remembers nothing of the test before."""
    url: str = request.getfixturevalue("sqlite_url" if backend == "sqlite" else "postgres_url")
    databases.empty(shared.shared_app(url))
    shared.forget()
    return url


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The application on an empty database, as it runs in production.

    It is the same for all tests of a process, for making it and compiling its templates takes longer than most tests.
    That is safe: each test begins without rows, numbers start at 1 again, nothing is kept in memory (`database_url`),
    settings are put back and connections closed at its end (`lent`), sessions end with their application context, each
    client has its own cookies, and Flask refuses whatever else would change an application that has answered
    (`shared_app`). A test that needs other settings or pages makes its own, with `databases.make_app`.
    `tests/test_isolation.py` holds it to that.
    """
    with shared.lent(shared.shared_app(database_url)) as app:
        yield app


@pytest.fixture
def demo_app(database_url: str) -> Iterator[Flask]:
    """The application with DEMO=1 on an empty database; shared as `app` is."""
    with shared.lent(shared.shared_app(database_url, demo="1")) as app:
        yield app


@pytest.fixture
def in_app(app: Flask) -> Iterator[Flask]:
    """An application context for the whole test: for actions and queries. Do not use the client inside it."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts."""
    return app.test_client()


@pytest.fixture
def school_day() -> Iterator[None]:
    """A Tuesday in November: in the long holidays a free place does not go on by itself."""
    with time_machine.travel(datetime(2026, 11, 24, 10, 0, tzinfo=UTC)):
        yield
