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
    """Run the migrations on this connection."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()


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
        connection.commit()
