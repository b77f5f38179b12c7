"""The one clock, and the one place where an instant becomes a time on the wall."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return the day it is in Britain."""
    return now().astimezone(LONDON).date()


def on_the_wall(day: date, at: time) -> datetime:
    """Return the instant, in UTC, at which clocks in Britain show this time.

    A time that the clocks jump over in March is read as if they had not jumped yet;
    one that comes twice in October is the first of the two.
    """
    return datetime.combine(day, at, LONDON).astimezone(UTC)


def wall(instant: datetime) -> datetime:
    """Return the instant as clocks in Britain show it."""
    return instant.astimezone(LONDON)
