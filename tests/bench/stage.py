"""What the benchmarks run on: databases that are gone afterwards, and a school year of events."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from pathlib import Path

from flask import Flask

from booking.calendar.models import Audience, Category, Event, EventStatus, Kind, Venue, Visibility
from booking.calendar.terms import school_year_of, year_days
from booking.core.clock import today
from booking.core.db import db
from tests import databases
from tests.factories import make_audience, make_category, make_school, make_venue

BACKENDS = ("SQLite", "PostgreSQL")
CATEGORIES = ("SENCo forum", "Solution Circle", "LHNF panel", "Coffee morning", "Conference", "Training", "Drop-in")
VENUES = ("Oak Suite", "Marsh Hall", "Vale Library", "On line")
AUDIENCES = ("SENCos", "Headteachers", "Early years", "Parents and carers")
DESCRIPTION = (
    "Bring one case to discuss; we look at it together with an educational psychologist and a specialist teacher. "
    "Tea from a quarter past, parking behind the hall, step-free entrance on the left."
)
SCHOOLS = 40


@contextmanager
def database(backend: str) -> Iterator[tuple[Flask, str]]:
    """Make an empty database; gives the application on it and its address. Removes it at the end."""
    if backend == "PostgreSQL":
        with databases.postgres_database() as url, _application(url) as app:
            yield app, url
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            url = databases.new_sqlite(Path(folder))
            with _application(url) as app:
                yield app, url


@contextmanager
def _application(url: str) -> Iterator[Flask]:
    app = databases.make_app(url)
    try:
        yield app
    finally:
        databases.close(app)


def clear() -> None:
    """Remove the database that the others were copied from."""
    if databases.sqlite_template.cache_info().currsize:
        shutil.rmtree(databases.sqlite_template().parent)
        databases.sqlite_template.cache_clear()


def furnish() -> None:
    """Give an empty database an area with its schools, categories, audiences and venues."""
    for name in CATEGORIES:
        make_category(name)
    for name in AUDIENCES:
        make_audience(name)
    for name in VENUES:
        make_venue(name)
    for number in range(SCHOOLS):
        make_school(f"School number {number}")


def add_events(numbers: range) -> None:
    """Put public events of these numbers on the calendar, over all weekdays of the present school year."""
    first, last = year_days(school_year_of(today()))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    weekdays = [day for day in days if day.weekday() < 5]
    categories, venues, audiences = (db.session.query(model).all() for model in (Category, Venue, Audience))
    for number in numbers:
        is_session = number % 5 > 0
        event = Event(
            area_id=categories[0].area_id,
            category=categories[number % len(categories)],
            venue=venues[number % len(venues)],
            audiences=[audiences[number % len(audiences)]],
            kind=Kind.SESSION if is_session else Kind.DEADLINE,
            visibility=Visibility.PUBLIC,
            status=EventStatus.PUBLISHED,
            title=f"{categories[number % len(categories)].name} ({number})",
            description=DESCRIPTION,
            # Any step that shares no factor with the number of weekdays: the first hundred fill the year evenly too.
            day=weekdays[number * 97 % len(weekdays)],
            starts=time(9 + number % 6, 30),
            ends=time(11 + number % 6, 0) if is_session else None,
            takes_bookings=is_session,
            capacity=30 if is_session else None,
        )
        db.session.add(event)
    db.session.commit()
