"""A database in use goes from each revision to the newest and back, and loses no row."""

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade

from booking.core.db import UtcDateTime, db, migrate
from booking.demo.load import load
from booking.doctor import migrations as doctor_on_migrations
from tests.databases import close, make_app, postgres_database, postgres_server, sqlite_template
from tests.processes import command

VERSIONS = Path(migrate.directory) / "versions"
REVISIONS = sorted(one.revision for one in ScriptDirectory(migrate.directory).walk_revisions())
# A released migration is never edited: databases that ran it would differ for ever, and nobody could tell.
# Add a new one with:  sha256sum booking/migrations/versions/0016*.py | cut -c1-16
RELEASED = {
    "0001": "e74956b41a5f10c1",
    "0002": "111896e0f243dd0d",
    "0003": "41a5dd6849881e16",
    "0004": "fcb8be9a5f40d72c",
    "0005": "77614208ba513f6a",
    "0006": "0f2d2f032a6c69e0",
    "0007": "b7f00e890c28ee88",
    "0008": "955c9380cac19376",
    "0009": "3eaecb713621b52c",
    "0010": "1812673aeefb9cc3",
    "0011": "21a9972657107b84",
    "0012": "556c36c4aba0cbd7",
    "0013": "b020cb4b4faa038e",
    "0014": "e861d7b4bf8a82a8",
    "0015": "781379ed8144a117",
    "0016": "c2b62ea2a9883868",
    "0017": "9fc04c4ef6b5740f",
    "0018": "56c226af826b859e",
    "0019": "96ce1336c2bdd59e",
}


def test_no_released_migration_was_edited() -> None:
    found = {path.name[:4]: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in VERSIONS.glob("*.py")}
    assert {revision: found[revision] for revision in RELEASED} == RELEASED


def rows() -> dict[str, int]:
    """Count the rows of every table that is there."""
    with db.engine.connect() as connection:
        tables = [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version"]
        return {name: connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0 for name in tables}


def fill() -> None:
    """Put the demonstration into the database, and a row into each table that it leaves empty."""
    load()
    db.session.rollback()
    db.session.connection(execution_options={"writes": True})
    for table in db.metadata.sorted_tables:
        if not db.session.scalar(sa.select(sa.func.count()).select_from(table)):
            try:
                with db.session.begin_nested():
                    add_row(table, optional=True)
            except sa.exc.IntegrityError:  # what may be left out does not go together
                add_row(table, optional=False)
    db.session.commit()


def add_row(table: sa.Table, *, optional: bool) -> None:
    db.session.execute(table.insert().values({column.name: some(column) for column in needed(table, optional)}))


def needed(table: sa.Table, optional: bool) -> list[sa.Column[object]]:
    """Return the columns that a row has to give, with those that refer to another if it may leave them out."""
    is_number = len(table.primary_key) == 1 and not list(table.primary_key)[0].foreign_keys
    return [
        column
        for column in table.columns
        if (not column.nullable or (optional and column.foreign_keys))
        and column.server_default is None
        and not (is_number and column.primary_key and isinstance(column.type, sa.Integer))
    ]


def some(column: sa.Column[object]) -> object:
    """Return something that may stand in a column: a row that is there already where it refers to one."""
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return db.session.scalar(sa.select(sa.func.min(key.column)))
    kinds: dict[type, object] = {
        UtcDateTime: datetime(2026, 12, 1, tzinfo=UTC),
        sa.Boolean: False,
        sa.Integer: 1,
        sa.Date: date(2026, 12, 1),
        sa.Time: time(9),
        sa.JSON: [],
    }
    if isinstance(column.type, sa.Enum):
        return column.type.enums[0] if column.type.enum_class is None else list(column.type.enum_class)[0]
    return next((value for kind, value in kinds.items() if isinstance(column.type, kind)), "x")


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with rows in every table."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    shutil.copy(sqlite_template(), path)
    _fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def filled_postgres() -> Iterator[str]:
    """A PostgreSQL database with rows in every table."""
    with postgres_database() as url:
        _fill(url)
        yield url


def _fill(url: str) -> None:
    app = make_app(url, DEMO="1", BASE_URL="http://127.0.0.1:5000")
    with app.app_context():
        fill()
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    close(app)


@pytest.fixture
def filled(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database of this test alone, with rows in every table."""
    if backend == "sqlite":
        copy = tmp_path / "copy.db"
        shutil.copy(request.getfixturevalue("filled_sqlite"), copy)
        yield from _open(f"sqlite:///{copy}")
        return
    original = sa.make_url(request.getfixturevalue("filled_postgres"))
    name = f"booking_test_{uuid4().hex[:10]}"
    admin = sa.create_engine(postgres_server(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {original.database}"))
        yield from _open(original.set(database=name).render_as_string(hide_password=False))
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def _open(url: str) -> Iterator[Flask]:
    app = make_app(url)
    with app.app_context():
        yield app
        db.session.rollback()
    close(app)


@pytest.mark.both_databases
@pytest.mark.xdist_group("upgrades")
def test_every_table_of_the_filled_database_holds_rows(filled: Flask) -> None:
    assert [name for name, number in rows().items() if not number] == []


@pytest.mark.both_databases
@pytest.mark.xdist_group("upgrades")
@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_in_use_goes_back_to_each_revision_and_up_again_and_loses_no_row(
    filled: Flask, revision: str
) -> None:
    newest = rows()
    downgrade(revision=revision)
    then = rows()
    kept = set(then) - ({"reminder_rules"} if revision < "0004" else set())  # which knew one rule for many things
    assert {name: then[name] for name in kept} == {name: newest[name] for name in kept}
    upgrade()
    now = rows()
    assert {name: now[name] for name in then} == then
    assert now.keys() == newest.keys()
    assert doctor_on_migrations() is None


@pytest.mark.both_databases
@pytest.mark.xdist_group("upgrades")
def test_a_database_of_the_first_0001_gets_the_columns_it_lacked_and_the_doctor_names_them(filled: Flask) -> None:
    before = rows()
    db.session.rollback()
    db.session.connection(execution_options={"writes": True})
    for lacked in ("messages DROP COLUMN useless_after", "areas DROP COLUMN calendar_changed_at"):
        db.session.execute(sa.text(f"ALTER TABLE {lacked}"))
    db.session.commit()
    said = doctor_on_migrations()
    assert said is not None
    assert "column areas.calendar_changed_at is missing and column messages.useless_after is missing" in said
    downgrade(revision="0013")
    then = rows()
    upgrade()
    made_since = dict.fromkeys(before.keys() - then.keys(), 0)  # tables that 0013 did not have come back empty
    assert then == {name: before[name] for name in then}
    assert (doctor_on_migrations(), rows()) == (None, then | made_since)


def test_a_migration_that_leaves_a_reference_to_nothing_is_not_kept(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'broken.db'}"
    shutil.copy(sqlite_template(), tmp_path / "broken.db")
    for app in _open(url):
        downgrade(revision="0014")
        with db.engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys = OFF")
            driver.execute("INSERT INTO terms VALUES (1, 77, 2026, 1, '2026-09-01', '2026-10-23')")
            connection.invalidate()
        assert app
    done = command(url, "db", "upgrade")
    assert (done.returncode, "terms to areas" in done.stdout + done.stderr) == (1, True)
    assert command(url, "db", "current").stdout.split()[:1] == ["0014"]
