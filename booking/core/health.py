"""Whether the database can be used: what an error of it means for people, and whether it can be written."""

import shutil
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from booking.core.db import db
from booking.core.tokens import new_key

ENOUGH_SPACE = 5 * 2**20  # bytes that a disk has to have left, for SQLite's own files beside the database
PROBE_WAITS_MS = 1000
PROBE = sa.text("INSERT INTO heartbeats (name, at) VALUES (:name, CURRENT_TIMESTAMP)")
_SQLITE = {5: "busy", 6: "busy", 8: "read-only", 10: "away", 13: "full", 14: "away", 15: "away"}
_POSTGRES = {"25006": "read-only", "53100": "full"}
_POSTGRES_AWAY = ("08", "53", "57P")  # connections, resources, an operator who shuts it down


class Trouble(StrEnum):
    """Why the database cannot be used: no fault of the program."""

    AWAY = "away"
    BUSY = "busy"
    FULL = "full"
    READ_ONLY = "read-only"


SAY = {
    Trouble.AWAY: "the database does not answer",
    Trouble.BUSY: "the database is busy",
    Trouble.FULL: "the database cannot be written: its disk is full, or it has reached its greatest size",
    Trouble.READ_ONLY: "the database cannot be written: it is read-only",
}


def trouble_of(error: Exception) -> Trouble | None:
    """Return what an error says of the database; None where it is about what was asked of it."""
    if isinstance(error, sa.exc.TimeoutError):  # all connections of this process are in use
        return Trouble.AWAY
    if not isinstance(error, sa.exc.DBAPIError):
        return None
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return Trouble(_SQLITE[code & 0xFF]) if code & 0xFF in _SQLITE else None
    state = getattr(error.orig, "sqlstate", None)
    if state in _POSTGRES:
        return Trouble(_POSTGRES[state])
    lost = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) and state is None
    return Trouble.AWAY if lost or error.connection_invalidated or (state or "").startswith(_POSTGRES_AWAY) else None


def why_not_writable() -> str | None:
    """Return why nothing can be saved, or None. What it tries to write is taken back."""
    if _is_disk_full():
        return SAY[Trouble.FULL]
    try:
        with db.engine.connect() as connection:
            _try(connection)
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        trouble = trouble_of(error)
        if trouble is Trouble.BUSY:  # somebody else is writing
            return None
        return SAY[trouble] if trouble else f"the database cannot be written: {str(error.orig).splitlines()[0]}"  # type: ignore[union-attr]
    return None


def _try(connection: sa.Connection) -> None:
    """Write a row and take it back. On SQLite a large one, which needs new pages: an old one has room in itself."""
    if connection.dialect.name != "sqlite":
        connection.execute(PROBE, {"name": f"probe {new_key()}"[:60]})
        connection.rollback()
        return
    waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    connection.rollback()
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {PROBE_WAITS_MS}")
    connection.rollback()
    try:
        connection = connection.execution_options(writes=True)
        connection.execute(PROBE, {"name": "probe" * 20_000})
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {waits}")
        connection.rollback()


def _is_disk_full() -> bool:
    """Tell whether the disk of an SQLite database has no room; of PostgreSQL's its server knows alone."""
    file = db.engine.url.database
    if db.engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return False
    try:
        return shutil.disk_usage(Path(file).parent).free < ENOUGH_SPACE
    except OSError:  # it is not there: connecting says so
        return False
