"""A list of three costs the database as much as a list of one, and a booking costs little."""

from collections.abc import Callable
from datetime import time

import pytest
from flask import Flask

from booking.bookings.models import Booking, PlaceStatus
from booking.bookings.queries import BOOKING_LINK
from booking.calendar.models import Event, EventStatus, Kind, WhoMayBook
from booking.calendar.terms import school_year_of, year_name
from booking.core import audit
from booking.core.clock import now, today
from booking.core.db import atomic, db
from booking.core.tokens import link_token
from booking.directory.models import Person, RoleName
from booking.notifications.models import Message, MessageStatus
from booking.reminders.models import ReminderRule, To
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_event,
    make_organiser,
    make_person,
    make_school,
    make_venue,
    save,
    sign_in,
)
from tests.statements import statements

MOST_FOR_A_BOOKING = 12  # and one more for the first place of a school where these are counted
TEAM, BOOKER = "tom@vale-marsh.example", "priya@school.example"


def full_event(number: int, **values) -> Event:
    """Add a full event with parts of its own, somebody with a place and somebody who waits, each from a school."""
    event = make_event(f"Event {number}", capacity=1, category_id=make_category(f"Kind {number}").id, **values)
    event.venue_id, event.audiences = make_venue(f"Venue {number}").id, [make_audience(f"Audience {number}")]
    if event.takes_bookings:
        make_booking(event, school=make_school())
        make_booking(event, status=PlaceStatus.WAITING, school=make_school())
    return event


def today_and_later(number: int) -> None:
    """Add an event of today and one of next month."""
    full_event(number, day=today(), starts=time(23, 58), ends=time(23, 59))
    full_event(100 + number, in_days=30)


def draft(number: int) -> None:
    full_event(number, status=EventStatus.DRAFT)


def past(number: int) -> None:
    full_event(number, in_days=-1)


def deadline(number: int) -> None:
    full_event(number, kind=Kind.DEADLINE, takes_bookings=False)


def place(number: int) -> None:
    """Add somebody confirmed, waiting and cancelled to the only event."""
    event = db.session.query(Event).first() or make_event(capacity=500)
    for status in (PlaceStatus.CONFIRMED, PlaceStatus.WAITING, PlaceStatus.CANCELLED):
        make_booking(event, f"Person {number}", status=status, school=make_school())


def message(number: int) -> None:
    event = full_event(number)
    values = {"from_name": "", "text": "", "html": "", "priority": 1, "created_at": now(), "send_after": now()}
    row = Message(area_id=event.area_id, kind="confirmed", event_id=event.id, message_id=f"<{number}@x>", **values)
    row.to_email, row.to_name, row.subject, row.status = BOOKER, "Priya", f"Mail {number}", MessageStatus.FAILED
    save(row)


@atomic
def log_line(number: int) -> None:
    """Add a line about an event, one about a person and one of the program itself."""
    event, tom = full_event(number), db.session.query(Person).filter_by(email=TEAM).one()
    audit.record("edited", "event", event.id, by=tom, area_id=event.area_id, changed={"title": ["Old", "New"]})
    audit.record("granted a role", "person", tom.id, by=tom, area_id=event.area_id, role="organiser")
    audit.record("imported", "file", None, by=None, area_id=event.area_id, added=3)


def colleague(number: int) -> None:
    make_organiser(f"colleague{number}@vale-marsh.example", RoleName.FACILITATOR)


def rule(number: int) -> None:
    """Add a kind of event with two reminders."""
    for days in (1, 7):
        save(ReminderRule(category_id=make_category(f"Kind {number}").id, number=days, at=time(8)))


def reminded(number: int) -> None:
    """Add an event of a kind of its own with reminders to everybody in the coming fortnight."""
    event = full_event(number, in_days=12)
    for to in To:
        save(ReminderRule(category_id=event.category_id, number=8, to=to, at=time(8)))


def of_my_own(number: int) -> None:
    """Add what Priya booked, what is over, and what somebody else booked for her."""
    make_booking(full_event(number), "Priya Nair", BOOKER, status=PlaceStatus.WAITING)
    make_booking(full_event(100 + number, in_days=-5), "Priya Nair", BOOKER, status=PlaceStatus.WAITING)
    given = make_booking(full_event(200 + number), "Tom", status=PlaceStatus.WAITING).places[0]
    given.email = BOOKER
    db.session.commit()


LISTS: list[tuple[str, Callable[[int], None]]] = [
    ("/", today_and_later),
    ("/", deadline),
    (f"/calendar/{year_name(school_year_of(today()))}/", today_and_later),
    ("/events/", today_and_later),
    ("/api/v1/events", today_and_later),
    ("/events/?when=past", past),
    ("/manage/", today_and_later),
    ("/manage/events/", today_and_later),
    ("/manage/events/?show=drafts", draft),
    ("/manage/events/?show=past", past),
    ("/manage/events/1/places/", place),
    ("/manage/events/1/places/export.csv", place),
    ("/manage/events/1/places/export.csv?columns=eventbrite", place),
    ("/manage/events/1/places/print", place),
    ("/manage/events/1/places/message", place),
    ("/manage/outbox/", message),
    ("/manage/log/", log_line),
    ("/manage/people/", colleague),
    ("/manage/reminders/", rule),
    ("/manage/reminders/coming", reminded),
    ("/my/reminders", rule),
    ("/my/", of_my_own),
]


@pytest.mark.parametrize(("path", "add"), LISTS, ids=[f"{path} {add.__name__}" for path, add in LISTS])
def test_a_list_of_three_costs_as_many_statements_as_a_list_of_one(app: Flask, path: str, add) -> None:
    client = app.test_client()
    with app.app_context():
        visitor = make_person(BOOKER) if path.startswith("/my/") else make_organiser(TEAM, RoleName.ADMINISTRATOR)
        sign_in(client, visitor)
    counts, sizes = [], []
    for numbers in ((1,), (2, 3)):
        with app.app_context():
            for number in numbers:
                add(number)
        client.get(path)  # what is kept in memory until the calendar changes is made now
        with statements(app) as seen:
            page = client.get(path)
        assert page.status_code == 200
        counts.append(len(seen))
        sizes.append(len(page.data))
    assert counts[0] == counts[1]
    assert sizes[0] < sizes[1]


def test_the_page_of_a_booking_costs_as_much_for_three_people_as_for_one(app: Flask) -> None:
    client, counts = app.test_client(), []
    with app.app_context():
        event = make_event()
    for number in (1, 3):
        form = {"name": f"Booker {number}", "email": f"booker{number}@school.example", "school": ""}
        form |= {f"places-{n}-name": f"Colleague {number} {n}" for n in range(number - 1)}
        path = client.post(f"/events/{event.id}/book", data=form).headers["Location"]
        client.get(path)  # what is kept in memory until the calendar changes is made now
        with statements(app) as seen:
            assert client.get(path).text.count('data-status="confirmed"') == number
        counts.append(len(seen))
    assert counts[0] == counts[1]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("capacity", "from_a_school", "limited"),
    [(30, False, False), (30, True, False), (0, True, False), (30, True, True), (0, True, True)],
)
def test_a_booking_by_form_costs_few_statements(app: Flask, capacity: int, from_a_school: bool, limited: bool) -> None:
    with app.app_context():
        rules = {"per_school": 5, "who_may_book": WhoMayBook.AUDIENCE} if limited else {}
        event, school = make_event(capacity=capacity, venue_id=make_venue().id, **rules), make_school()
        event.audiences = [make_audience("SENCos"), make_audience("Headteachers")]
        db.session.commit()
        audience = event.audiences[0].id
    form = {"name": "Priya Nair", "email": BOOKER, "school": str(school.id) if from_a_school else ""}
    form |= {"audience": str(audience)} if limited else {}
    client = app.test_client()
    client.get("/sign-in")  # a form, so that the token is not asked for in between
    with statements(app) as seen:
        answer = client.post(f"/events/{event.id}/book", data=form)
    with app.app_context():
        booking = db.session.query(Booking).one()
        assert answer.headers["Location"] == f"/bookings/{link_token(BOOKING_LINK, booking.key)}/"
    sent = [statement for statement in seen if not statement.startswith("BEGIN")]
    print(f"A booking ({'confirmed' if capacity else 'waiting'}): {len(sent)} statements")
    assert len(sent) <= MOST_FOR_A_BOOKING + limited, "\n".join(sent)
