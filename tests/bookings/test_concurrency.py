"""Two hundred people at once for thirty places: exact, in order, no error."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from threading import Barrier

import pytest
from flask import Flask

from booking.bookings import actions
from booking.bookings.actions import Contact, NewPlace
from booking.bookings.models import Place
from booking.calendar.models import Event
from booking.core.db import db
from tests.databases import ENVIRONMENT
from tests.factories import make_event

pytestmark = pytest.mark.both_databases
PEOPLE, PLACES = 200, 30


def check(app: Flask, event_id: int) -> None:
    """Assert what rules 1 to 3 ask for."""
    with app.app_context():
        places = db.session.query(Place).filter_by(event_id=event_id).order_by(Place.id).all()
        confirmed = [place for place in places if place.status == "confirmed"]
        waiting = sorted(place.position for place in places if place.status == "waiting")
        assert len(confirmed) == PLACES
        assert waiting == list(range(1, PEOPLE - PLACES + 1))
        assert db.session.get(Event, event_id).taken == PLACES
        assert actions.audit() == []


def test_two_hundred_threads_book_thirty_places(app: Flask) -> None:
    with app.app_context():
        event_id = make_event(capacity=PLACES).id
    barrier = Barrier(20)

    def book(number: int) -> None:
        if number < 20:
            barrier.wait(timeout=30)
        with app.app_context():
            who = Contact(f"Person {number}", f"person{number}@school.example")
            event = db.session.get(Event, event_id)
            actions.book(event, by=who, places=[NewPlace(who.name, who.email)])

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(book, range(PEOPLE)))
    check(app, event_id)


def test_two_hundred_people_book_through_several_workers(app: Flask, database_url: str) -> None:
    with app.app_context():
        event_id = make_event(capacity=PLACES).id
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {**ENVIRONMENT, "DATABASE_URL": database_url, "PATH": "/usr/bin:/bin", "BASE_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-b", f"127.0.0.1:{port}", "-w", "3", "-k", "gthread"]
    server = subprocess.Popen([*command, "--threads", "6", "--no-control-socket", "--log-level", "error"], env=settings)
    address = f"http://127.0.0.1:{port}/events/{event_id}/book"
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        with ThreadPoolExecutor(24) as pool:
            outcomes = list(pool.map(lambda number: book_by_form(address, number), range(PEOPLE)))
    finally:
        server.terminate()
        server.wait(timeout=20)
    assert (outcomes.count("confirmed"), outcomes.count("waiting")) == (PLACES, PEOPLE - PLACES)
    check(app, event_id)


def wait_for(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"{address} did not answer")


def book_by_form(address: str, number: int) -> str:
    """Load the form as a browser does, send it, and return what became of it."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(address, timeout=60).read().decode()
    hidden = dict(re.findall(r'name="(csrf_token|form_key)"[^>]*value="([^"]+)"', page))
    hidden |= dict(re.findall(r'id="form_key" name="(form_key)" type="hidden" value="([^"]+)"', page))
    form = {**hidden, "name": f"Person {number}", "email": f"person{number}@school.example", "school": ""}
    answer = browser.open(address, urllib.parse.urlencode(form).encode(), timeout=60).read().decode()
    return re.search(r'data-outcome="(\w+)"', answer)[1]
