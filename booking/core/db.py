"""The database: the base of all models, atomic actions, and the lock.

`SELECT … FOR UPDATE` is silently dropped on SQLite, so a row is locked by writing to it first.
A SQLite transaction that has read and then writes fails at once where another wrote in between,
so an atomic action ends the read transaction and begins IMMEDIATE. On PostgreSQL, READ COMMITTED,
each statement sees what was committed before it, so there the transaction that has read goes on.
"""

import functools
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import sqlalchemy as sa
from flask import Flask, g, has_app_context
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from booking.core.errors import FormExpired, Refused

log = logging.getLogger(__name__)
SQLITE_WAIT_MS = 30_000
P = ParamSpec("P")
R = TypeVar("R")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. SQLite keeps no zone, so it is stored and returned as UTC; naive values are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware instant into UTC; raise ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the stored instant its zone, UTC, again."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every model. Names of constraints are fixed, so that migrations can find them."""

    registry = registry(metadata=sa.MetaData(naming_convention=NAMES), type_annotation_map={datetime: UtcDateTime})


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})
migrate = Migrate(directory=str(Path(__file__).parents[1] / "migrations"))


def choice(values: type[StrEnum]) -> sa.Enum:
    """Return a column type for one of these words, with a check constraint, on every database."""
    return sa.Enum(
        values,
        name=values.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


def init_app(app: Flask) -> None:
    """Bind the database and its migrations to the application."""
    db.init_app(app)
    migrate.init_app(app, db, compare_type=True, render_as_batch=True, render_item=_render_in_migrations)


def _render_in_migrations(kind: str, item: object, _context: object) -> str | Literal[False]:
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if not _is_sqlite(connection):
        return
    connection.isolation_level = None  # we say BEGIN ourselves, below
    # Its own lower() knows ASCII only: CAFÉ would not find a Café, as it does on PostgreSQL.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _is_sqlite(connection: Any) -> bool:
    return type(connection).__module__.startswith("sqlite3")


@event.listens_for(Engine, "begin")
def _begin_on_sqlite(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def has_expired() -> bool:
    """Tell whether the form under way may change nothing, and is to be shown again as it was typed."""
    return has_app_context() and "form_expired" in g


def atomic(action: Callable[P, R]) -> Callable[P, R]:
    """Run the action in one transaction that may write: all of it is kept, or none.

    Whatever was loaded before is read afresh inside. An atomic action called by another joins it.
    Raises FormExpired where the form under way may change nothing.
    """

    @functools.wraps(action)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        session = db.session()
        if has_expired():
            raise FormExpired
        if session.info.get("atomic"):
            return action(*args, **kwargs)
        if session.new or session.dirty or session.deleted:
            raise RuntimeError("changes were made outside an atomic action")
        on_sqlite = session.get_bind().dialect.name == "sqlite"
        if on_sqlite:
            session.rollback()
        session.expire_all()
        session.info["atomic"] = True
        try:
            if on_sqlite:
                session.connection(execution_options={"writes": True})
            result = action(*args, **kwargs)
            for check in session.info.get("at_the_end", {}).values():
                check()
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.pop("atomic", None)
            session.info.pop("locked", None)
            session.info.pop("at_the_end", None)
        return result

    return run


def at_the_end(name: str, make: Callable[[], Callable[[], None]]) -> Callable[[], None]:
    """Do something once, last in the transaction under way; what it raises undoes all of it. Returns what was made."""
    session: Session = db.session()
    if not session.info.get("atomic"):
        raise RuntimeError("at_the_end() belongs inside an atomic action")
    checks: dict[str, Callable[[], None]] = session.info.setdefault("at_the_end", {})
    if name not in checks:
        checks[name] = make()
    return checks[name]


Run = Callable[[sa.Executable, Mapping[str, Any]], int]


@contextmanager
def statements() -> Iterator[Run]:
    """Give a way to carry out statements, each a transaction by itself; it says how many rows each one changed.

    For a loop that records each of its steps: a quarter of what `atomic` takes. On PostgreSQL each is one journey to
    the server. After an error it connects again at the next statement.
    """
    alone = {"isolation_level": "AUTOCOMMIT"} if db.engine.dialect.name == "postgresql" else {"writes": True}
    with db.engine.connect().execution_options(**alone) as connection:

        def run(statement: sa.Executable, values: Mapping[str, Any]) -> int:
            try:
                changed = connection.execute(statement, values).rowcount
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            return changed

        yield run


class Lockable:
    """A row that can be locked: it has a column that nothing else is derived from."""

    id: Mapped[int] = mapped_column(primary_key=True)
    lock_count: Mapped[int] = mapped_column(default=0)


def lock(*rows: Lockable) -> None:
    """Hold these rows until the transaction ends, and forget all that was read before: it may have changed meanwhile.

    They are locked in the order of their ids, so that two actions cannot wait for each other.
    Raises Refused where a row has gone.
    """
    session: Session = db.session()
    if not session.info.get("atomic"):
        raise RuntimeError("lock() belongs inside an atomic action")
    held: set[tuple[type[Lockable], int]] = session.info.setdefault("locked", set())
    wanted = {(type(row), sa.inspect(row).identity[0]) for row in rows} - held
    if not wanted:
        return
    session.flush()
    # Whoever held a row until now has changed more than that row: places read while waiting for it are of the past.
    session.expire_all()
    for model, row_id in sorted(wanted, key=lambda one: (one[0].__name__, one[1])):
        statement = (
            sa.update(model)
            .where(model.id == row_id)
            .values(lock_count=model.lock_count + 1)
            .returning(model)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        if session.scalars(statement).one_or_none() is None:
            raise Refused("This has been removed in the meantime.")
    held |= wanted


def one_by_one(ids: Iterable[int], act: Callable[[int], int], complaint: str) -> int:
    """Do something with each of these rows, each in a transaction of its own. Returns the sum of what it returns.

    What goes wrong with one must not hold up the others: it is logged (`complaint` with the id for %s), and the first
    such failure is raised at the end. Raises at once where the database is away, or not migrated.
    """
    done, failures = 0, []
    for row_id in ids:
        try:
            done += act(row_id)
        except (sa.exc.OperationalError, sa.exc.ProgrammingError):
            raise
        except Exception as failure:
            db.session.rollback()
            log.exception(complaint, row_id)
            failures.append(failure)
    if failures:
        raise failures[0]
    return done


def why_away(error: sa.exc.DBAPIError) -> str:
    """Say in one line why the database is of no use. Raises the error itself where the fault is in what we asked."""
    if isinstance(error, sa.exc.IntegrityError | sa.exc.DataError):
        raise error
    first_line = str(error.orig).strip().partition("\n")[0]
    return f"The database does not answer, or is not migrated: {first_line}"


def take_turns(what: str) -> None:
    """Let one transaction at a time go on from here, until it ends: for a rule about rows that are not there yet.

    On SQLite that is so for every atomic action.
    """
    session: Session = db.session()
    if not session.info.get("atomic"):
        raise RuntimeError("take_turns() belongs inside an atomic action")
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(what.encode()))))
