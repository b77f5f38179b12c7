"""Two people at one event at the same moment: each acts on what the other has just done."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.bookings import actions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Booking, Place
from booking.bookings.queries import BOOKING_LINK
from booking.calendar.models import Event
from booking.core.db import db
from booking.core.tokens import link_token
from booking.notifications.models import Message
from tests.factories import make_event, make_organiser, sign_in

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day")]


@pytest.fixture
def booked(app: Flask) -> Callable[..., tuple[int, dict[str, str]]]:
    """Book places for people by name; gives the event and the path of each one's booking."""

    def make(names: str, *, capacity: int) -> tuple[int, dict[str, str]]:
        paths = {}
        with app.app_context():
            event_id = make_event(capacity=capacity).id
            for name in names:
                who = Contact(name, f"{name.lower()}@school.example")
                event = db.session.get(Event, event_id)
                booking = actions.book(event, by=who, places=[NewPlace(who.name, who.email)])
                paths[name] = f"/bookings/{link_token(BOOKING_LINK, booking.key)}/"
        return event_id, paths

    return make


@contextmanager
def held(app: Flask, event_id: int) -> Iterator[None]:
    """Hold the event as another process would, until whoever wants it has queued up."""
    engine = sa.create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.text("UPDATE events SET lock_count = lock_count + 1 WHERE id = :id"), {"id": event_id})
        yield
        transaction.rollback()
    engine.dispose()


def at_once(app: Flask, event_id: int, *requests: Callable[[], int]) -> list[int]:
    """Let these requests come while somebody else holds the event, in this order; return their answers."""
    with ThreadPoolExecutor(len(requests)) as pool:
        with held(app, event_id):
            answers = []
            for request in requests:
                answers.append(pool.submit(request))
                time.sleep(0.4)  # until it waits for the event: nothing to be seen from outside
        return [answer.result(timeout=60) for answer in answers]


def statuses(app: Flask, event_id: int) -> dict[str, str]:
    with app.app_context():
        assert audit() == []
        return {place.name: str(place.status) for place in db.session.query(Place).filter_by(event_id=event_id)}


def told(app: Flask, kind: str) -> list[str]:
    with app.app_context():
        return [message.to_email for message in db.session.query(Message).filter_by(kind=kind).order_by(Message.id)]


def test_a_link_that_is_pressed_twice_gives_one_place_back(app: Flask, booked) -> None:
    event_id, paths = booked("ABCD", capacity=2)

    def press() -> int:
        return app.test_client().post(f"{paths['A']}cancel").status_code

    assert at_once(app, event_id, press, press) == [302, 302]
    assert statuses(app, event_id) == {"A": "cancelled", "B": "confirmed", "C": "confirmed", "D": "waiting"}
    assert told(app, "cancelled") == ["a@school.example"]


def test_who_leaves_the_list_while_a_place_comes_free_does_not_keep_it(app: Flask, booked) -> None:
    event_id, paths = booked("AW", capacity=1)
    requests = [lambda name=name: app.test_client().post(f"{paths[name]}cancel").status_code for name in "AW"]
    assert at_once(app, event_id, *requests) == [302, 302]
    assert statuses(app, event_id) == {"A": "cancelled", "W": "cancelled"}


def test_organiser_and_booker_cancel_the_same_place(app: Flask, booked) -> None:
    event_id, paths = booked("ABC", capacity=1)
    organiser = app.test_client()
    with app.app_context():
        sign_in(organiser, make_organiser())
        place_id = db.session.query(Place).filter_by(name="A").one().id
    by_organiser = f"/manage/events/{event_id}/places/{place_id}/cancel"
    requests = (
        lambda: app.test_client().post(f"{paths['A']}cancel").status_code,
        lambda: organiser.post(by_organiser).status_code,
    )
    assert at_once(app, event_id, *requests) == [302, 302]
    assert statuses(app, event_id) == {"A": "cancelled", "B": "confirmed", "C": "waiting"}
    assert told(app, "cancelled") == ["a@school.example"]


def test_a_form_that_comes_twice_at_once_books_once(app: Flask, booked) -> None:
    event_id, _ = booked("A", capacity=5)
    form = {"name": "B", "email": "b@school.example", "school": "", "form_key": "one-form"}
    requests = [lambda: app.test_client().post(f"/events/{event_id}/book", data=form).status_code] * 3
    assert at_once(app, event_id, *requests) == [302, 302, 302]
    assert statuses(app, event_id) == {"A": "confirmed", "B": "confirmed"}
    with app.app_context():
        assert db.session.query(Booking).count() == 2
