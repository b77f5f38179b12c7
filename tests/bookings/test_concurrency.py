"""Two hundred people at once for thirty places: exact, in order, no error."""

import re
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
from tests.factories import make_event
from tests.processes import web

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
    with web(database_url, workers=3, threads=6) as address, ThreadPoolExecutor(24) as pool:
        form = f"{address}/events/{event_id}/book"
        outcomes = list(pool.map(lambda number: book_by_form(form, number), range(PEOPLE)))
    assert (outcomes.count("confirmed"), outcomes.count("waiting")) == (PLACES, PEOPLE - PLACES)
    check(app, event_id)


def book_by_form(address: str, number: int) -> str:
    """Load the form as a browser does, send it, and return what became of it."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(address, timeout=60).read().decode()
    hidden = dict(re.findall(r'name="(csrf_token|form_key)"[^>]*value="([^"]+)"', page))
    hidden |= dict(re.findall(r'id="form_key" name="(form_key)" type="hidden" value="([^"]+)"', page))
    form = {**hidden, "name": f"Person {number}", "email": f"person{number}@school.example", "school": ""}
    answer = browser.open(address, urllib.parse.urlencode(form).encode(), timeout=60).read().decode()
    return re.search(r'data-outcome="(\w+)"', answer)[1]
