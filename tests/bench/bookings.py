"""Bookings through HTTP, against the same rows written in plain SQL."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, cycle
from urllib.parse import urlencode

from flask import Flask

from booking.bookings.audit import audit
from booking.bookings.models import Booking
from booking.calendar.models import Venue
from booking.core.db import db
from booking.core.tokens import new_key
from booking.directory.models import School
from tests.bench import plain_sql, report, stage
from tests.bench.load import CLIENTS, Connection, Measured, alone, measure
from tests.factories import make_event
from tests.processes import web
from tests.statements import statements

SECONDS, SECONDS_OF_SQL = 6, 3
EVENTS = 100
PLENTY = 1_000_000
_person = count(1)


def run() -> None:
    """Print bookings in a second, by database and by number of events, and what one takes alone."""
    report.heading(
        f"Bookings through HTTP: {CLIENTS} clients with kept-alive connections, gunicorn with 2 workers of 8 threads",
        "The clients share the cores with the server. Each loads the form once, then sends it with new names and keys.",
        f"Base: the same rows under the same lock in plain SQL on the same database, by {CLIENTS} threads.",
    )
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, url):
            events = _prepare(app)
            notes.append(f"{backend}: {_one_alone(app, events[0])}")
            for named, chosen in ((f"{backend}, one event", events[:1]), (f"{backend}, {EVENTS} events", events)):
                booked = _through_http(app, url, chosen)
                base = plain_sql.measure_bookings(app, chosen, seconds=SECONDS_OF_SQL)
                ratio = f"{booked.per_second / base.per_second:.1%}"
                rows.append((named, *report.figures(booked), base.per_second, ratio))
                notes += report.errors(named, booked)
    report.table(("", "booked/s", "p50 ms", "p95 ms", "errors", "clients’ CPU", "plain SQL/s", "of plain SQL"), rows)
    report.lines(notes)


def _prepare(app: Flask) -> list[int]:
    with app.app_context():
        stage.furnish()
        venue = db.session.query(Venue).first().id
        titles = [f"SENCo forum ({number})" for number in range(EVENTS)]
        return [make_event(title, capacity=PLENTY, venue_id=venue).id for title in titles]


def _form(school_id: int) -> dict[str, str]:
    number = next(_person)
    return {
        "name": f"Person {number}",
        "email": f"person{number}@school.example",
        "school": str(school_id),
        "form_key": new_key(),
    }


def _one_alone(app: Flask, event_id: int) -> str:
    """Return how long a booking takes where nothing else goes on, and its statements, in a warm process."""
    client, path = app.test_client(), f"/events/{event_id}/book"
    with app.app_context():
        school_id = db.session.query(School.id).order_by(School.id).first()[0]
    for _ in range(2):
        with statements(app) as form:
            client.get(path)
        with statements(app) as booking:
            answer = client.post(path, data=_form(school_id))
        with statements(app) as after:
            client.get(answer.headers["Location"])
    took, burnt = alone(lambda: client.post(path, data=_form(school_id)))
    of_form, of_booking, of_page = (report.without_begin(seen) for seen in (form, booking, after))
    return (
        f"one booking alone, in process, takes {took:.1f} ms ({burnt:.1f} ms of the processor), "
        f"SQL statements {of_booking} (its form {of_form}, the page after it {of_page})"
    )


def _through_http(app: Flask, url: str, events: list[int]) -> Measured:
    """Book through HTTP; what was answered as booked but is not there, or breaks a rule, is an error too."""
    before = _bookings(app)
    with web(url) as address, _clients(address, events) as clients:
        booked = measure(clients, seconds=SECONDS)
        answered = sum(client.booked for client in clients)
    wrong = Counter(
        {"answered as booked and not there, or the other way round": abs(_bookings(app) - before - answered)}
    )
    with app.app_context():
        wrong.update(audit())
    return replace(booked, errors=booked.errors + wrong)


def _bookings(app: Flask) -> int:
    with app.app_context():
        return db.session.query(Booking).count()


@contextmanager
def _clients(address: str, events: list[int]) -> Iterator[list["Client"]]:
    clients = [Client(address, events, number) for number in range(CLIENTS)]
    yield clients
    for client in clients:
        client.close()


class Client(Connection):
    """Somebody who books again and again, at one event after the other."""

    def __init__(self, address: str, events: list[int], number: int) -> None:
        super().__init__(address)
        start = number * len(events) // CLIENTS
        self.events = cycle(events[start:] + events[:start])
        self.booked = 0
        page = self.ask("GET", f"/events/{events[0]}/book", {})
        html = page.body.decode()
        self.token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)[1]
        self.schools = cycle(re.findall(r'<option value="(\d+)"', html))
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        self.headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}

    def __call__(self) -> str:
        """Send one form; return what went wrong, or nothing where it was booked."""
        form = {**_form(int(next(self.schools))), "csrf_token": self.token}
        answer = self.ask("POST", f"/events/{next(self.events)}/book", self.headers, urlencode(form))
        if not answer.headers.get("Location", "").startswith("/bookings/"):
            return f"answer {answer.status}"
        self.booked += 1
        return ""
