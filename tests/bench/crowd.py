"""A crowd: five hundred people press "Book" at once for thirty places."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import perf_counter
from urllib.parse import urlencode

from flask import Flask

from booking.bookings.audit import audit
from booking.bookings.models import Place
from booking.core.db import db
from booking.core.tokens import new_key
from tests.bench import report, stage
from tests.bench.load import Connection, Measured
from tests.factories import make_event
from tests.processes import web

PEOPLE, PLACES, WORKERS, THREADS = 500, 30, 4, 8


def run() -> None:
    """Print in what time everybody had an answer, and whether the answers are right."""
    report.heading(
        f"{PEOPLE} people press the button at once for {PLACES} places: gunicorn with {WORKERS} workers of {THREADS} "
        "threads",
        "Each has loaded the form before, and presses on a connection of their own. All wait from the same moment.",
    )
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, url):
            with app.app_context():
                stage.furnish()
                event_id = make_event("SENCo forum", capacity=PLACES).id
            with web(url, workers=WORKERS, threads=THREADS) as address:
                answers, seconds = _press_at_once(address, event_id)
            times = sorted(time for _, time in answers)
            measured = Measured(times, seconds, Counter(wrong for wrong, _ in answers if wrong), 0)
            rows.append((backend, seconds, measured.percentile(50), measured.percentile(95), measured.errors.total()))
            notes += [*report.errors(backend, measured), f"{backend}: {_outcome(app, event_id)}"]
    report.table(("", "all answered in s", "p50 ms", "p95 ms", "errors"), rows)
    report.lines(notes)


def _press_at_once(address: str, event_id: int) -> tuple[list[tuple[str, float]], float]:
    path = f"/events/{event_id}/book"
    first = Connection(address)
    page = first.ask("GET", path, {})
    first.close()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.body.decode())
    assert found is not None
    headers = {
        "Cookie": page.headers["Set-Cookie"].partition(";")[0],
        "Content-Type": "application/x-www-form-urlencoded",
    }
    barrier = Barrier(PEOPLE + 1)

    def press(number: int) -> tuple[str, float]:
        connection = Connection(address)
        form = {"name": f"Person {number}", "email": f"person{number}@school.example", "school": ""}
        body = urlencode({**form, "form_key": new_key(), "csrf_token": found[1]})
        barrier.wait(timeout=60)
        started = perf_counter()
        answer = connection.ask("POST", path, headers, body)
        took = perf_counter() - started
        connection.close()
        booked = answer.headers.get("Location", "").startswith("/bookings/")
        return "" if booked else f"answer {answer.status}", took

    with ThreadPoolExecutor(PEOPLE) as pool:
        pressed = [pool.submit(press, number) for number in range(PEOPLE)]
        barrier.wait(timeout=60)
        started = perf_counter()
        answers = [one.result() for one in pressed]
        return answers, perf_counter() - started


def _outcome(app: Flask, event_id: int) -> str:
    """Return what became of the crowd: the first are in, all others wait in their order, no rule is broken."""
    with app.app_context():
        places = db.session.query(Place).filter_by(event_id=event_id).order_by(Place.id).all()
        came = Counter(str(place.status) for place in places)
        numbers = [place.position for place in places if place.position]
        in_order = [str(p.status) for p in places] == sorted(str(p.status) for p in places) and numbers == sorted(
            numbers
        )
        return (
            f"{came['confirmed']} confirmed, {came['waiting']} waiting, "
            f"{'in the order they came' if in_order else 'NOT IN ORDER'}, audit {audit() or 'clean'}"
        )
