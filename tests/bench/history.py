"""What a long history costs: one booking with 1,000 places in the database, and with 1,000,000."""

from itertools import count
from statistics import median
from time import perf_counter

import sqlalchemy as sa
from flask import Flask

from booking.bookings import actions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event
from booking.core.clock import now
from booking.core.db import db
from tests.bench import report, stage
from tests.factories import make_event

FEW, MANY, AT_ONE_EVENT, BATCH = 1_000, 1_000_000, 1_000, 20_000
TIMES, ROUNDS = 100, 3
_person = count(1)


def run() -> None:
    """Print the median time of a booking with a short and with a long history, and their ratio."""
    report.heading(
        f"One booking, in process, with a history of {FEW:,} and of {MANY:,} places",
        f"The median of {TIMES} bookings at a new event; the better of {ROUNDS} rounds.",
    )
    rows = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, _):
            with app.app_context():
                stage.furnish()
            times = []
            for places in (FEW, MANY):
                _fill(app, places)
                times.append(min(_one_booking(app) for _ in range(ROUNDS)))
            rows.append((backend, *(1000 * time for time in times), times[1] / times[0]))
    report.table(("", f"ms with {FEW:,}", f"ms with {MANY:,}", "ratio"), rows)


def _one_booking(app: Flask) -> float:
    times = []
    with app.app_context():
        event_id = make_event(capacity=TIMES // 2).id  # half of them wait
    for _ in range(TIMES):
        with app.app_context():
            who = Contact("Ada Obi", f"ada{next(_person)}@school.example")
            event = db.session.get_one(Event, event_id)
            started = perf_counter()
            actions.book(event, by=who, places=[NewPlace(who.name, who.email)])
            times.append(perf_counter() - started)
    return median(times)


def _fill(app: Flask, wanted: int) -> None:
    """Add bookings of one place each at past events, until there are so many places."""
    with app.app_context():
        there = db.session.scalar(sa.select(sa.func.count()).select_from(Place)) or 0
        for start in range(there, wanted, BATCH):
            _add(range(start, min(start + BATCH, wanted)))
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _add(numbers: range) -> None:
    events = [
        make_event(f"Of old ({number})", in_days=-number % 900 - 1, capacity=None).id
        for number in range(numbers.start // AT_ONE_EVENT, numbers.stop // AT_ONE_EVENT)
    ]
    first = (db.session.scalar(sa.select(sa.func.max(Booking.id))) or 0) + 1
    shared = {"name": "Ravi Shah", "created_at": now()}
    bookings, places = [], []
    for step, number in enumerate(numbers):
        mine = {**shared, "event_id": events[step // AT_ONE_EVENT % len(events)], "email": f"r{number}@school.example"}
        key = f"{number:024d}"
        bookings.append(
            {**mine, "id": first + step, "reference": f"{number:08d}", "key": key, "form_key": key, "together": True}
        )
        places.append(
            {**mine, "booking_id": first + step, "key": key, "status": "confirmed", "attendee_key": f"{number}|ravi"}
        )
    db.session.execute(sa.insert(Booking), [{**row, "needs": "", "revision": 1} for row in bookings])
    db.session.execute(sa.insert(Place), [{**row, "unlisted": False} for row in places])
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sa.text("SELECT setval('bookings_id_seq', (SELECT max(id) FROM bookings))"))
        db.session.commit()
