"""Many at once: exact, in order, no error."""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.bookings import actions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Place
from booking.calendar.models import Event, Promotion, Series
from booking.core.db import db
from tests.factories import make_event, make_organiser, make_school, save, the_area
from tests.processes import ROOT, environment, web

pytestmark = pytest.mark.both_databases
PLACES = 30


def check(app: Flask, event_id: int, people: int) -> None:
    """Assert what rules 1 to 3 ask for: the first thirty are in, all others wait in the order they came."""
    with app.app_context():
        found = db.session.query(Place).filter_by(event_id=event_id).order_by(Place.id).all()
        assert [str(place.status) for place in found] == ["confirmed"] * PLACES + ["waiting"] * (people - PLACES)
        assert [place.position for place in found[PLACES:]] == list(range(1, people - PLACES + 1))
        assert db.session.get(Event, event_id).taken == PLACES
        assert audit() == []


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
        list(pool.map(book, range(200)))
    check(app, event_id, 200)


def test_five_hundred_people_book_through_four_workers(app: Flask, database_url: str) -> None:
    with app.app_context():
        event_id = make_event(capacity=PLACES).id
    with web(database_url, workers=4, threads=4) as address, ThreadPoolExecutor(24) as pool:
        form = f"{address}/events/{event_id}/book"
        outcomes = list(pool.map(lambda number: book_by_form(form, number), range(500)))
    assert (outcomes.count("confirmed"), outcomes.count("waiting")) == (PLACES, 500 - PLACES)
    check(app, event_id, 500)


def book_by_form(address: str, number: int) -> str:
    """Load the form as a browser does, send it, and return what became of it."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(address, timeout=60).read().decode()
    hidden = dict(re.findall(r'name="(csrf_token|form_key)"[^>]*value="([^"]+)"', page))
    hidden |= dict(re.findall(r'id="form_key" name="(form_key)" type="hidden" value="([^"]+)"', page))
    form = {**hidden, "name": f"Person {number}", "email": f"person{number}@school.example", "school": ""}
    answer = browser.open(address, urllib.parse.urlencode(form).encode(), timeout=60).read().decode()
    return re.search(r'data-outcome="(\w+)"', answer)[1]


def test_several_processes_do_at_random_what_people_do(app: Flask, database_url: str) -> None:
    """Book, cancel, swap, move, accept, let in, pause, change numbers: no rule is ever broken, no error comes."""
    with app.app_context():
        series = save(Series(area_id=the_area().id, name="Solution Circles")).id
        for name in ("Oak", "Ash"):
            make_school(name)
        make_organiser()
        for promotion in (Promotion.AUTOMATIC, Promotion.OFFER, Promotion.AUTOMATIC):
            make_event(capacity=5, series_id=series, in_days=45, promotion=promotion, per_school=2)
    line = [sys.executable, "-m", "tests.bookings.somebody", database_url]
    started = [
        subprocess.Popen(
            [*line, str(seed), "80"], cwd=ROOT, env=environment(database_url), text=True, stdout=subprocess.PIPE
        )
        for seed in range(4)
    ]
    done = [json.loads(process.communicate(timeout=300)[0]) for process in started]
    assert [name for one in done for name in one if name.startswith("WRONG")] == []
    acts = {name for one in done for name in one}
    assert acts >= {"book", "cancel", "swap", "refused"}
    with app.app_context():
        assert audit() == []
        over = sa.select(Event.id).where(Event.capacity.is_not(None), Event.taken > Event.capacity)
        assert db.session.scalars(over).all() == []
