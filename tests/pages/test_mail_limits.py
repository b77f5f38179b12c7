"""How much mail strangers may cause: counted by recipient and by origin, whatever the act."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import Booking, Place, PlaceStatus
from booking.bookings.queries import BOOKING_LINK
from booking.calendar.models import Series
from booking.core.db import db
from booking.core.origin import network_of
from booking.core.tokens import link_token
from booking.notifications.models import AskedMail, Message
from tests.databases import close, make_app
from tests.factories import make_event, make_person, save, sign_in, the_area

pytestmark = [pytest.mark.usefixtures("school_day"), pytest.mark.both_databases]

VICTIM = "victim@school.example"


@pytest.fixture
def limited(database_url: str) -> Iterator[Flask]:
    app = make_app(database_url, RATE_LIMITS="on")
    yield app
    close(app)


def book(client: FlaskClient, event_id: int, name: str, email: str, **more: str) -> int:
    return client.post(
        f"/events/{event_id}/book", data={"name": name, "email": email, "school": "", **more}
    ).status_code


def made(app: Flask, **values: object) -> int:
    with app.app_context():
        return make_event(capacity=None, **values).id


def sent_to(app: Flask, local: str = "victim") -> int:
    with app.app_context():
        return db.session.query(Message).filter(Message.to_email.startswith(local)).count()


def last_booking(app: Flask) -> str:
    with app.app_context():
        booking = db.session.query(Booking).order_by(Booking.id.desc()).first()
        return f"/bookings/{link_token(BOOKING_LINK, booking.key)}/"


def revision(app: Flask) -> str:
    with app.app_context():
        return str(db.session.query(Booking).order_by(Booking.id.desc()).first().revision)


def test_tags_of_one_mailbox_are_counted_together(limited: Flask) -> None:
    event_id, client = made(limited), limited.test_client()
    answers = [book(client, event_id, f"Vic {'x' * n}", f"victim+{n}@school.example") for n in range(14)]
    assert (answers, sent_to(limited)) == ([302] * 12 + [409] * 2, 12)
    with limited.app_context():
        assert db.session.query(Place).count() == 12  # refused whole


def test_companions_without_an_address_are_no_way_round(limited: Flask) -> None:
    client, answers = limited.test_client(), []
    for number in range(14):
        event_id = made(limited, places_per_booking=3)
        companion = {"places-0-name": "Vic", "places-0-email": "", "places-1-name": f"Colleague {'x' * number}"}
        answers.append(book(client, event_id, "Vic", VICTIM, **companion))
    assert (answers, sent_to(limited)) == ([302] * 12 + [409] * 2, 12)


def test_booking_and_cancelling_gives_the_place_back_without_the_mail(limited: Flask) -> None:
    event_id, client = made(limited), limited.test_client()
    for _ in range(6):
        assert book(client, event_id, "Vic", VICTIM) == 302
        page = client.post(f"{last_booking(limited)}cancel", data={"revision": revision(limited)})
        assert page.status_code == 302
    assert (sent_to(limited), book(client, event_id, "Vic", VICTIM)) == (12, 409)
    other = made(limited)
    with limited.app_context():
        db.session.query(AskedMail).filter(AskedMail.id == db.session.query(AskedMail.id).first()[0]).delete()
        db.session.commit()
    assert book(client, other, "Vic", VICTIM) == 302
    client.post(f"{last_booking(limited)}cancel", data={"revision": revision(limited)})
    assert sent_to(limited) == 13
    with limited.app_context():
        last = db.session.query(Place).order_by(Place.id.desc()).first()
        assert last.status is PlaceStatus.CANCELLED


def test_moves_between_two_dates_are_counted(limited: Flask) -> None:
    with limited.app_context():
        series = save(Series(area_id=the_area().id, name="Forum"))
        dates = [make_event(in_days=days, capacity=None, series_id=series.id).id for days in (30, 37)]
    client = limited.test_client()
    answers = [book(client, dates[0], "Vic", VICTIM)]
    for number in range(6):
        data = {"to": str(dates[(number + 1) % 2]), "revision": revision(limited)}
        answers.append(client.post(f"{last_booking(limited)}move", data=data).status_code)
    assert (answers, sent_to(limited)) == ([302] * 6 + [409], 11)  # two mails for each move: one alone is not sent


def test_changes_of_address_to_and_fro_are_counted(limited: Flask) -> None:
    event_id, client = made(limited), limited.test_client()
    answers = [book(client, event_id, "Vic", VICTIM)]
    for number in range(26):
        email = VICTIM if number % 2 else f"me{number}@x.example"
        data = {"name": "Vic", "email": email, "needs": "", "revision": revision(limited)}
        answers.append(client.post(f"{last_booking(limited)}edit", data=data).status_code)
    assert (409 in answers, sent_to(limited)) == (True, 12)


def test_one_network_causes_at_most_two_hundred_mails_an_hour(limited: Flask) -> None:
    event_id = made(limited, places_per_booking=50)
    client = limited.test_client()
    answers = []
    for number in range(9):
        client.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{number}"
        group = {f"places-{n}-name": f"Name {chr(97 + number)}{'v' * n}" for n in range(24)}
        group |= {f"places-{n}-email": f"p{number}x{n}@school.example" for n in range(24)}
        answers.append(book(client, event_id, "Ada", f"a{number}@x.example", **group))
    assert answers == [302] * 8 + [409]
    client.environ_base["REMOTE_ADDR"] = "2001:db8:1:3::1"
    assert book(client, event_id, "Ada", "b@x.example") == 302


def test_a_school_of_sixty_books_from_one_network_and_signed_in_people_are_not_counted(limited: Flask) -> None:
    event_id = made(limited)
    answers = [book(limited.test_client(), event_id, "Ada", f"teacher{n}@school.example") for n in range(60)]
    with limited.app_context():
        office = make_person("office@school.example")
    client = limited.test_client()
    sign_in(client, office)
    answers += [book(client, made(limited), "Office", "office@school.example") for _ in range(15)]
    assert set(answers) == {302}
    with limited.app_context():
        assert db.session.query(AskedMail).count() == 60


def test_what_private_events_send_is_counted_apart_and_never_shows(limited: Flask) -> None:
    client = limited.test_client()
    answers = [book(client, made(limited, private=True), "Vic", VICTIM) for _ in range(14)]
    assert (len(set(answers)), 409 in answers, sent_to(limited)) == (1, False, 12)
    assert book(client, made(limited), "Vic", VICTIM) == 302


def test_without_rate_limits_nothing_is_counted(app: Flask) -> None:
    event_id, client = made(app), app.test_client()
    answers = {book(client, event_id, f"Vic {'x' * n}", f"victim+{n}@school.example") for n in range(14)}
    with app.app_context():
        assert (answers, db.session.query(AskedMail).count()) == ({302}, 0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("", ""),
    ],
)
def test_a_network_is_one_address_of_ipv4_or_a_64_of_ipv6(address: str, network: str) -> None:
    assert network_of(address) == network
