"""Alembic's environment: the application's own engine, models and options."""

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError
from flask import current_app

import booking.bookings.models
import booking.core.audit
import booking.core.heartbeat
import booking.deadlines.models
import booking.digests.models
import booking.notifications.models
import booking.reminders.models  # noqa: F401  every model has to be known
from booking.core.db import db, why_away


def run(connection: sa.Connection) -> None:
    """Run the migrations on this connection.

    SQLite changes a table by making it anew and dropping the old one, which would delete or refuse what refers to it.
    So foreign keys are off meanwhile, and what they ask is checked before anything is kept.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite:
        _keep_foreign_keys(connection, keep=False)
    try:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,  # on SQLite too, as we say BEGIN ourselves: all migrations are kept, or none
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all() if on_sqlite else []
            if broken:
                named = ", ".join(sorted({f"{row[0]} to {row[2]}" for row in broken}))
                raise CommandError(f"nothing was changed: rows refer to others that are not there ({named})")
        connection.commit()
    finally:
        if on_sqlite:
            connection.rollback()
            _keep_foreign_keys(connection, keep=True)


def _keep_foreign_keys(connection: sa.Connection, *, keep: bool) -> None:
    """Switch foreign keys on or off; SQLite does so between transactions only, hence not through SQLAlchemy's."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute(f"PRAGMA foreign_keys = {'ON' if keep else 'OFF'}")


if context.is_offline_mode():
    context.configure(
        url=current_app.config["SQLALCHEMY_DATABASE_URI"], target_metadata=db.metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    try:
        opened = db.engine.connect()
    except sa.exc.DBAPIError as error:
        raise CommandError(why_away(error)) from None  # Flask-Migrate shows it as one line
    with opened.execution_options(writes=True) as connection:
        run(connection)
