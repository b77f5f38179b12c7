"""Mails: what delivery costs beside a bare loop, what a pass costs that finds nothing, what planning costs."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter, sleep
from uuid import uuid4

import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.bookings.models import Booking, Place
from booking.calendar.models import Category, Event
from booking.core.clock import now
from booking.core.db import Base, db
from booking.notifications import mime
from booking.notifications.models import Message, MessageStatus
from booking.notifications.outbox import sender_address
from booking.reminders.actions import NewRule, post_due, set_category_rules
from booking.reminders.models import Reminder, ReminderRule, ReminderRun
from booking.reminders.policy import Timing
from scheduler import jobs
from tests.bench import report, stage
from tests.databases import close, make_app
from tests.factories import make_event
from tests.processes import free_port

MAILS, ROUNDS = 1_000, 3
FEW, MANY, BATCH = 10_000, 1_000_000, 20_000
PLACES = (1_000, 10_000)
PASSES = 30
TEXT = "Tomorrow: SENCo forum (1)\n\n" + "Bring one case to discuss; we look at it together.\n" * 12
HTML = "<!doctype html><html><body>" + "<p style='margin:0'>Bring one case to discuss.</p>" * 40 + "</body></html>"


def run() -> None:
    """Print the rate of delivery, the cost of a pass with nothing due, and that of planning reminders."""
    _delivery()
    _nothing_due()
    _planning()


def _delivery() -> None:
    report.heading(
        f"{MAILS:,} mails to a server on this machine, mails a second",
        f"Ours: claimed, looked at once more, built, sent, each recorded. Bare: the same bytes in a loop of smtplib. "
        f"The best of {ROUNDS} rounds.",
    )
    rows = []
    with _server() as port:
        for backend in stage.BACKENDS:
            with stage.database(backend) as (_, url):
                app = make_app(url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(port))
                ours = bare = 0.0
                for _round in range(ROUNDS):
                    with app.app_context():
                        _queue(MAILS)
                        built = [
                            (m.to_email, mime.write(m, sender=sender_address())) for m in db.session.query(Message)
                        ]
                        bare = max(bare, _send_bare(port, built))
                        db.session.remove()
                        started = perf_counter()
                        jobs.deliver()
                        ours = max(ours, MAILS / (perf_counter() - started))
                        assert db.session.query(Message).filter_by(status=MessageStatus.SENT).count() == MAILS
                rows.append((backend, bare, ours, ours / bare))
                close(app)
    report.table(("", "bare", "ours", "ratio"), rows)


@contextmanager
def _server() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.sink", str(port)])
    try:
        for _ in range(100):
            try:
                smtplib.SMTP("127.0.0.1", port, timeout=5).close()
                break
            except OSError:
                sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()


def _send_bare(port: int, mails: list[tuple[str, bytes]]) -> float:
    sender, started = sender_address(), perf_counter()
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        for to, raw in mails:
            server.sendmail(sender, [to], raw)
    return len(mails) / (perf_counter() - started)


def _queue(number: int) -> None:
    db.session.execute(sa.delete(Message))
    db.session.execute(sa.insert(Message), [message_row(n, text=TEXT, html=HTML) for n in range(number)])
    db.session.commit()


def message_row(number: int, **values: object) -> dict[str, object]:
    """Return a message as a row of the outbox, waiting to go."""
    usual = {
        "kind": "confirmed",
        "to_email": f"p{number}@school.example",
        "to_name": "Priya Nair",
        "from_name": "Vale & Marsh",
        "subject": "Booked: SENCo forum (1), Wednesday 16 June 2027, 1.30pm to 3.30pm",
        "message_id": f"<{uuid4()}@example.org>",
        "automatic": True,
        "priority": 1,
        "status": MessageStatus.QUEUED,
        "created_at": now(),
        "send_after": now(),
        "tries": 0,
        "has_body": True,
    }
    return {**usual, **values}


def _nothing_due() -> None:
    report.heading(
        f"One pass of all jobs with nothing due, with {FEW:,} and with {MANY:,} old messages and reminders",
        f"The median of {PASSES} passes, among 100 events to come with rules; the heartbeat is written too.",
    )
    rows = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, _):
            with app.app_context():
                stage.furnish()
                stage.add_events(range(100))
                for category_id in db.session.scalars(sa.select(Event.category_id).distinct()).all():
                    set_rules(category_id)
            times = []
            for old in (FEW, MANY):
                fill(app, old)
                times.append(_one_pass(app))
            rows.append((backend, *(1000 * one for one in times), times[1] / times[0]))
    report.table(("", f"ms with {FEW:,}", f"ms with {MANY:,}", "ratio"), rows)


def set_rules(category_id: int) -> None:
    """Remind of events of this category a week and a day before."""
    set_category_rules(db.session.get_one(Category, category_id), [NewRule(Timing(7)), NewRule(Timing(1))], by=None)


def _one_pass(app: Flask) -> float:
    times = []
    for _ in range(PASSES):
        with app.app_context():
            started = perf_counter()
            for job in jobs.JOBS:
                job.action()
            times.append(perf_counter() - started)
    return median(times[3:])


def fill(app: Flask, wanted: int) -> None:
    """Add messages that were sent, with their reminders, at events that are over, until there are so many."""
    with app.app_context():
        there = db.session.scalar(sa.select(sa.func.count()).select_from(Message)) or 0
        for start in range(there, wanted, BATCH):
            _add_old(range(start, min(start + BATCH, wanted)))
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def _add_old(numbers: range) -> None:
    event = make_event(f"Of old ({numbers.start})", in_days=-200 - numbers.start // BATCH, capacity=None)
    rule = db.session.scalars(sa.select(ReminderRule).order_by(ReminderRule.id).limit(1)).one()
    first = (db.session.scalar(sa.select(sa.func.max(Message.id))) or 0) + 1
    n, long_ago = _counted(first, first + len(numbers) - 1), now() - timedelta(days=200)
    named = {"to_email": sa.literal("p") + sa.cast(n, sa.Text) + "@school.example"}
    named |= {"message_id": sa.literal("<") + sa.cast(n, sa.Text) + "@example.org>"}
    old = {"status": MessageStatus.SENT, "tries": 1, "has_body": False, "text": "", "html": "", "sent_at": long_ago}
    old |= {"created_at": long_ago, "send_after": long_ago, "tried_at": long_ago, "event_id": event.id}
    _insert(Message, {**message_row(0, **old), **named, "id": n})
    shared = {"rule_id": rule.id, "event_id": event.id, "day": event.day, "extra": False, "created_at": long_ago}
    _insert(Reminder, {**shared, "recipient": sa.literal("r") + sa.cast(n, sa.Text), "message_id": n})
    db.session.add(ReminderRun(rule_id=rule.id, event_id=event.id, day=event.day, extra=False, fell_due=long_ago))
    db.session.commit()


def _counted(first: int, last: int) -> sa.ColumnElement[int]:
    """Return the numbers from one to another, as a column of a statement: quicker than rows that come from here."""
    numbers = sa.select(sa.literal(first).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < last)).c.n


def _insert(model: type[Base], values: dict[str, object]) -> None:
    types = {column.name: column.type for column in model.__table__.columns}
    cells = [one if isinstance(one, sa.ColumnElement) else sa.literal(one, types[name]) for name, one in values.items()]
    db.session.execute(sa.insert(model).from_select(list(values), sa.select(*cells)))


def _planning() -> None:
    report.heading(
        "Planning: a reminder falls due for all who have a place", "One pass; each has an address of their own."
    )
    rows = []
    for backend in stage.BACKENDS:
        times = []
        for number in PLACES:
            with stage.database(backend) as (app, _), app.app_context():
                due = _event_with(number)
                db.session.remove()
                with time_machine.travel(due, tick=True):
                    started = perf_counter()
                    posted = post_due()
                    times.append(perf_counter() - started)
                assert posted == number
        rows.append((backend, *times, *(1000 * one / number for one, number in zip(times, PLACES, strict=True))))
    report.table(
        ("", *(f"s for {one:,}" for one in PLACES), *(f"ms each of {one:,}" for one in PLACES)),
        rows,
    )


def _event_with(number: int) -> datetime:
    """Make an event to which so many come, and its reminder. Returns a minute after that falls due."""
    event = make_event(in_days=60, capacity=None)
    set_category_rules(event.category, [NewRule(Timing(1))], by=None)
    shared = {"event_id": event.id, "name": "Ravi Shah", "created_at": now() - timedelta(days=1)}
    keys = [f"{n:024d}" for n in range(number)]
    db.session.execute(
        sa.insert(Booking),
        [
            {
                **shared,
                "id": n + 1,
                "email": f"r{n}@school.example",
                "reference": f"{n:08d}",
                "key": key,
                "form_key": key,
            }
            | {"together": True, "needs": "", "revision": 1}
            for n, key in enumerate(keys)
        ],
    )
    db.session.execute(
        sa.insert(Place),
        [
            {**shared, "booking_id": n + 1, "email": f"r{n}@school.example", "key": key, "attendee_key": f"{n}|ravi"}
            | {"status": "confirmed", "confirmed_at": now() - timedelta(days=1), "unlisted": False}
            for n, key in enumerate(keys)
        ],
    )
    event.taken = number
    db.session.commit()
    return event.starts_at - timedelta(hours=1)
