"""Fixtures. `app` runs on SQLite; a test marked `both_databases` runs on SQLite and again on PostgreSQL."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests import databases

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


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty, migrated database."""
    if backend == "sqlite":
        return databases.new_sqlite(tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    cleaner = databases.make_app(url)
    databases.empty(cleaner)
    databases.close(cleaner)
    return url


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The application on an empty database, as it runs in production."""
    app = databases.make_app(database_url)
    yield app
    databases.close(app)


@pytest.fixture
def demo_app(database_url: str) -> Iterator[Flask]:
    """The application with DEMO=1 on an empty database."""
    app = databases.make_app(database_url, DEMO="1")
    yield app
    databases.close(app)


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
