"""Half a million subscribers whose calendars ask once an hour, while people book."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from time import perf_counter, sleep

import sqlalchemy as sa
from flask import Flask

from booking.core.clock import now
from booking.core.db import db
from booking.directory.models import Area
from tests.bench import bookings, report, stage
from tests.bench.load import Connection, measure
from tests.processes import web

SUBSCRIBERS, AN_HOUR, POLLERS, SECONDS = 500_000, 3600, 4, 6
FEED = "/feeds/calendar.ics"


def run() -> None:
    """Print how many bookings are made, and how soon calendars have their answer, apart and at once."""
    rate = SUBSCRIBERS / AN_HOUR
    report.heading(
        f"{SUBSCRIBERS:,} calendars that ask once an hour ({rate:.0f} a second, all have the feed) beside bookings",
        f"{bookings.EVENTS} events; gunicorn with 2 workers of 8 threads, which share the cores with all clients.",
    )
    rows = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, url):
            events = bookings._prepare(app)
            _let_time_pass(app)
            for asked in (0.0, rate):
                with (
                    web(url) as address,
                    bookings._clients(address, events) as clients,
                    _polls(address, asked) as times,
                ):
                    booked = measure(clients, seconds=SECONDS)
                answered = sorted(times)
                late = 1000 * answered[len(answered) * 95 // 100] if answered else 0.0
                named = f"{backend}, {'calendars too' if asked else 'bookings alone'}"
                rows.append((named, booked.per_second, booked.errors.total(), len(answered) / (SECONDS + 1), late))
    report.table(("", "booked/s", "errors", "304/s", "p95 ms of a 304"), rows)


def _let_time_pass(app: Flask) -> None:
    """Right after a change feeds are answered by the application."""
    with app.app_context():
        db.session.execute(sa.update(Area).values(calendar_changed_at=now() - timedelta(hours=1)))
        db.session.commit()


@contextmanager
def _polls(address: str, a_second: float) -> Iterator[list[float]]:
    """Ask so often in a second while this lasts; gives in how many seconds each 304 came."""
    times: list[float] = []
    over = Event()
    pollers = [Thread(target=_poll, args=(address, number, a_second, times, over)) for number in range(POLLERS)]
    if not a_second:
        pollers = []
    for poller in pollers:
        poller.start()
    yield times
    over.set()
    for poller in pollers:
        poller.join()


def _poll(address: str, number: int, a_second: float, times: list[float], over: Event) -> None:
    connection = Connection(address)
    has = {"If-None-Match": connection.ask("GET", FEED, {}).headers["ETag"]}
    due = perf_counter() + number / a_second
    while not over.is_set():
        sleep(max(0.0, due - perf_counter()))
        due += POLLERS / a_second
        started = perf_counter()
        if connection.ask("GET", FEED, has).status == 304:
            times.append(perf_counter() - started)
    connection.close()
