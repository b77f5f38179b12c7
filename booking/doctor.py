"""`flask doctor`: is everything there that the program needs? A line for each check; exit 1 names what is wrong."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import current_app
from flask.cli import with_appcontext
from redis import Redis, RedisError

from booking import site
from booking.core.clock import LONDON, now
from booking.core.commands import says_why
from booking.core.db import db
from booking.core.health import why_not_writable
from booking.core.heartbeat import HEARTBEAT, MOST_BEHIND, last_beat
from booking.core.settings import Settings
from booking.core.text import and_list, one_line
from booking.notifications.delivery import check_server, current_settings
from booking.notifications.queries import oldest_due, under_way
from booking.reminders.actions import events_due

OLDEST_BEAT = timedelta(minutes=2)
Check = Callable[[], str | None]


def settings() -> str | None:
    """Tell what in the settings is no good for others than oneself."""
    found: Settings = current_app.extensions["settings"]
    if found.demo and (found.mail_server or found.is_https):
        return "DEMO is 1, so no mail leaves and anybody on this machine signs in at a press: set DEMO=0"
    if not found.demo and not found.base_url_was_set:
        return "BASE_URL is not set: links in e-mails would lead nowhere"
    return None


def database() -> str | None:
    """Tell whether the database answers, and can be written: not read-only, and with room on its disk."""
    try:
        db.session.execute(sa.text("SELECT 1"))
    except sa.exc.DBAPIError as error:
        return str(error.orig).splitlines()[0]
    return None if site.not_ready() else why_not_writable()


def migrations() -> str | None:
    """Tell whether the migrations are at their head, and the database has the tables and columns they make."""
    return site.not_ready() or _missing()


def _missing() -> str | None:
    """Name what the models have and the database has not, or has otherwise, and the reverse."""
    options = {**current_app.extensions["migrate"].configure_args, "compare_type": False}
    with db.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)
    named = sorted({_named(one) for change in found for one in (change if isinstance(change, list) else [change])})
    return f"the database is not as the migrations make it: {and_list(named)}" if named else None


def _named(change: tuple[Any, ...]) -> str:
    """Return one difference as an operator reads it: `add_column messages.useless_after` is missing in the database."""
    does, what = change[0], change[-1]
    match does:
        case "add_table" | "remove_table":
            return f"table {change[1].name} {_IS[does[:3]]}"
        case "add_column" | "remove_column":
            return f"column {change[2]}.{change[3].name} {_IS[does[:3]]}"
        case _ if does.startswith("modify_"):
            return f"column {change[2]}.{change[3]} differs"
    return f"{what.table.name}: {what.name} {_IS[does[:3]]}"


_IS = {"add": "is missing", "rem": "is not ours"}


def mail_server() -> str | None:
    """Tell whether the mail server takes our connection; in the demo none is needed."""
    found: Settings = current_app.extensions["settings"]
    return None if found.demo else check_server()


def redis() -> str | None:
    """Tell whether the Redis of REDIS_URL answers."""
    found: Settings = current_app.extensions["settings"]
    address = found.redis_url.replace("redis+unix:", "unix:", 1)
    try:
        Redis.from_url(address, socket_connect_timeout=3, socket_timeout=3).ping()
    except (RedisError, OSError, TypeError, ValueError) as error:  # the last two: an option that Redis does not know
        reason = one_line(str(error)).rstrip(".")
        return f"REDIS_URL: {reason}. Until it answers, each process counts limits for itself"
    return None


def scheduler() -> str | None:
    """Tell whether a scheduler has run lately."""
    try:
        beat = last_beat(HEARTBEAT)
    except sa.exc.DBAPIError:
        db.session.rollback()
        return "unknown: the database does not answer, or is not migrated"
    if beat is None:
        return "it has never run: start `python -m scheduler`"
    if beat - now() > OLDEST_BEAT:
        return "last seen in the future: the clock of this machine, or of the one it runs on, is or was wrong"
    if now() - beat > OLDEST_BEAT:
        return f"last seen {int((now() - beat).total_seconds() // 60)} minutes ago: start `python -m scheduler`"
    return behind()


def behind() -> str | None:
    """Tell whether a scheduler runs and does not keep up."""
    oldest = oldest_due(now())
    if oldest is not None and now() - oldest > MOST_BEHIND and not sends_all_it_may():
        return f"mail has been due for {int((now() - oldest).total_seconds() // 60)} minutes: look into its log"
    if events_due(now() - MOST_BEHIND):
        return "reminders have been due for ten minutes: look into its log"
    return None


def sends_all_it_may() -> bool:
    """Tell whether mail waits because of MAIL_PER_MINUTE: within two minutes went as many as may in one."""
    most = current_settings().mail_per_minute
    return 0 < most <= under_way(since=now() - timedelta(minutes=2), at=now())


def clock_zone() -> str | None:
    """Tell whether British summer time is known here."""
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo(LONDON.key))
    return None if summer.hour == 13 else "the zone Europe/London is not right on this machine"


def checks() -> Iterator[tuple[str, Check]]:
    """Yield every check: of what is needed, and of what was asked for."""
    found: Settings = current_app.extensions["settings"]
    yield "settings", settings
    yield "database", database
    yield "migrations", migrations
    yield "mail server", mail_server
    if found.redis_url:
        yield "redis", redis
    yield "scheduler", scheduler
    yield "clock zone", clock_zone


@click.command("doctor")
@with_appcontext
@says_why
def doctor() -> None:
    """Check settings, database, migrations, mail server, scheduler heartbeat, clock zone."""
    wrong = 0
    for name, check in checks():
        problem = check()
        wrong += bool(problem)
        click.echo(f"{'WRONG' if problem else 'ok':5}  {name}{f': {problem}' if problem else ''}")
    if wrong:
        sys.exit(1)
