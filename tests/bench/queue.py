"""The queue: what the first claim costs where much waits, after years of mail."""

from datetime import timedelta
from itertools import count
from statistics import median
from time import perf_counter

import sqlalchemy as sa
from flask import Flask

from booking.core.clock import now
from booking.core.db import db
from booking.notifications import actions
from booking.notifications.models import Message, MessageStatus
from booking.notifications.queries import oldest_due
from scheduler.jobs import BATCH
from tests.bench import report, stage
from tests.bench.mails import HTML, TEXT, fill, message_row, set_rules
from tests.factories import make_event

OLD = 1_000_000
FEW, MANY = 500, (5_000, 20_000)
ROUNDS = 9
_claims = count(1)


def run() -> None:
    """Print the first claim of a short queue without a history, and of long ones with one, and their ratios."""
    report.heading(
        f"The first claim of {BATCH} mails: {FEW} queued and no history, then {OLD:,} old messages",
        f"The median of {ROUNDS} claims, each given back; statistics are of before the mails were queued. "
        "Last: what doctor asks of the longest queue (ms).",
    )
    rows = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, _):
            with app.app_context():
                stage.furnish()
                set_rules(make_event().category_id)
            few = _first_claim(app, FEW)
            with app.app_context():
                db.session.execute(sa.delete(Message))
                db.session.commit()
            fill(app, OLD)
            many = []
            for queued in MANY:
                many.append(_first_claim(app, queued))
            with app.app_context():
                started = perf_counter()
                oldest_due(now())
                asked = perf_counter() - started
            rows.append((backend, *(1000 * one for one in (few, *many)), many[-1] / few, 1000 * asked))
    report.table(("", f"ms of {FEW}", *(f"ms of {one:,}" for one in MANY), "ratio of the last", "doctor"), rows)


def _first_claim(app: Flask, queued: int) -> float:
    """Bring the queue to such a length. Returns the median time of claims from all of it."""
    with app.app_context():
        event_id = make_event().id
        there = db.session.scalar(
            sa.select(sa.func.count()).select_from(Message).where(Message.status == MessageStatus.QUEUED)
        )
        first = sa.select(sa.func.max(Message.id))
        start = (db.session.scalar(first) or 0) + 1
        rows = [
            message_row(n, id=start + n, text=TEXT, html=HTML, event_id=event_id) for n in range(queued - (there or 0))
        ]
        db.session.execute(sa.insert(Message), rows)
        db.session.commit()
    times = []
    for _ in range(ROUNDS):
        with app.app_context():
            worker = f"w{next(_claims)}"
            started = perf_counter()
            claimed = actions.claim(worker=worker, limit=BATCH)
            times.append(perf_counter() - started)
            assert len(claimed) == BATCH
            actions.give_back(claimed, worker=worker, wait=timedelta())
    return median(times)
