"""The demonstration: whatever the date, a calendar that looks lived in and can be tried."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.bookings.audit import audit as problems
from booking.bookings.models import Place, PlaceStatus
from booking.bookings.policy import BookingCode, booking_state
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.models import Event, Kind, Promotion, Visibility, WhoMayBook
from booking.calendar.terms import is_school_day, school_year_of
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.demo.digests import SUBSCRIBERS
from booking.demo.load import KEPT_MESSAGES, is_empty, load
from booking.demo.people import AUDIENCES, CATEGORIES, TEXTS
from booking.demo.plan import DemoEvent, plan, plan_year, terms_of
from booking.directory.models import Area, Person, School
from booking.notifications.models import Message
from tests.factories import make_person

FIRST_DAY = date(2026, 8, 1)
SOME_YEARS = range(2023, 2041)


def days_of_two_years() -> Iterator[date]:
    for number in range(731):
        yield FIRST_DAY + timedelta(days=number)


def test_on_every_day_of_two_years_there_is_much_to_see_and_to_book() -> None:
    short = []
    for day in days_of_two_years():
        events = plan(day)
        public = [event for event in events if event.visibility == "public"]
        bookable = [event for event in public if event.anybody_may_book and event.day > day + timedelta(days=1)]
        to_fill = [event for event in bookable if event.title.startswith("Solution Circle")]
        if len(public) < 40 or len(bookable) < 10 or not to_fill:
            short.append(day)
    assert short == []


@pytest.mark.parametrize("year", SOME_YEARS)
def test_each_year_keeps_the_shape_of_the_real_one(year: int) -> None:
    events = plan_year(year)
    terms, days_off = terms_of(year), bank_holidays(date(year, 8, 1), date(year + 1, 7, 31))
    assert len(events) == len(plan_year(2023))
    assert [event for event in events if school_year_of(event.day) != year] == []
    assert [event.day for event in events if not is_school_day(event.day, terms, days_off)] == []
    kinds = Counter((event.kind, event.visibility) for event in events)
    assert kinds == Counter((event.kind, event.visibility) for event in plan_year(2023))
    assert {kind for kind, _ in kinds} == {"session", "deadline", "milestone"}
    assert {visibility for _, visibility in kinds} >= {"public", "team"}


def test_half_terms_are_in_order_and_never_overlap() -> None:
    for year in SOME_YEARS:
        terms = terms_of(year)
        assert [term.number for term in terms] == [1, 2, 3, 4, 5, 6]
        days = [day for term in terms for day in (term.first_day, term.last_day)]
        assert days == sorted(days)
        assert len(set(days)) == 12


def test_everything_the_plan_names_is_described() -> None:
    events: list[DemoEvent] = plan_year(2026)
    assert {event.category for event in events} == {name for name, *_ in CATEGORIES} == set(TEXTS)
    assert {name for event in events for name in event.audience} <= {name for name, _ in AUDIENCES}
    assert all(event.starts for event in events if event.kind == "session")
    assert all(event.ends is None or event.ends > event.starts for event in events if event.starts)


DATES = [
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    datetime(2027, 7, 31, 22, 59, tzinfo=UTC),  # a minute before midnight in Britain
    datetime(2027, 7, 31, 23, 1, tzinfo=UTC),  # a minute into August
    datetime(2026, 9, 1, 8, 0, tzinfo=UTC),
    datetime(2026, 12, 24, 18, 0, tzinfo=UTC),
    datetime(2027, 6, 15, 9, 0, tzinfo=UTC),  # the last Solution Circle of the year is over
]


@pytest.mark.parametrize("at", DATES, ids=[f"{at:%Y-%m-%dT%H%M}" for at in DATES])
def test_the_demonstration_loads_on_any_date(app: Flask, at: datetime) -> None:
    with time_machine.travel(at), app.app_context():
        number = load()
        events = db.session.scalars(sa.select(Event)).all()
        assert len(events) == number
        public = [event for event in events if event.visibility is Visibility.PUBLIC]
        states = {event.id: booking_state(event, at=now()).code for event in public if event.kind is Kind.SESSION}
        assert len(public) >= 40
        assert list(states.values()).count(BookingCode.OPEN) >= 10
        waiting = db.session.scalars(sa.select(Place).where(Place.status == PlaceStatus.WAITING)).all()
        assert len(waiting) >= 1
        assert {states[place.event_id] for place in waiting} == {BookingCode.FULL}
        assert problems() == []
        addresses = db.session.scalars(sa.select(Place.email).union(sa.select(Person.email), sa.select(Area.email)))
        assert {address.rpartition("@")[2].endswith("example.org") for address in addresses if address} == {True}
        assert not is_empty()


@pytest.mark.parametrize("at", DATES, ids=[f"{at:%Y-%m-%dT%H%M}" for at in DATES])
def test_the_rules_for_booking_can_be_tried_in_the_demonstration(app: Flask, at: datetime) -> None:
    with time_machine.travel(at), app.app_context():
        load()
        coming = [event for event in db.session.scalars(sa.select(Event)) if event.starts_at > now()]
        invited = [event for event in coming if event.who_may_book is WhoMayBook.INVITED]
        limited = [event for event in coming if event.per_school == 2]
        offers = [event for event in coming if event.promotion is Promotion.OFFER]
        assert all((invited, limited, offers))
        assert {booking_state(event, at=now()).code for event in invited} <= {BookingCode.INVITED, BookingCode.CLOSED}
        assert all(event.invitation_key for event in invited)
        priya = db.session.scalars(sa.select(Place).where(Place.name == "Priya Nair")).all()
        others = [
            event
            for event in coming
            if event.series_id in {place.event.series_id for place in priya}
            and event.id not in {place.event_id for place in priya}
            and booking_state(event, at=now()).code is BookingCode.OPEN
        ]
        assert {event.category.name for event in others} == {"SENCo forum"}
        assert [event.title for event in coming if event.venue and event.venue.capacity][:1] != []


@pytest.mark.both_databases
def test_the_pages_of_the_demonstration_look_lived_in(demo_app: Flask) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 10, 0, tzinfo=UTC)):
        with demo_app.app_context():
            load()
            ids = db.session.scalars(
                sa.select(Event.id).where(Event.visibility == Visibility.PUBLIC, Event.takes_bookings)
            ).all()
        client = demo_app.test_client()
        home = client.get("/")
        assert (home.status_code, "Try it as an organiser" in home.text) == (200, True)
        assert home.text.count('class="ev ev--wide"') == 6
        assert "Vale &amp; Marsh" in home.text
        for path in ("/calendar/", "/events/", "/feeds/calendar.ics", f"/events/{ids[0]}.ics"):
            assert client.get(path).status_code == 200
        desk = client.post("/demo/sign-in", follow_redirects=True)
        assert (desk.status_code, desk.request.path) == (200, "/manage/")
        for path in ("/manage/events/", f"/manage/events/{ids[-1]}/places/", "/manage/people/", "/mailbox/"):
            assert client.get(path).status_code == 200
        sent = client.get("/mailbox/").text
        assert 1 <= sent.count(".eml<") <= KEPT_MESSAGES + len(SUBSCRIBERS)
        page = client.post(f"/events/{_open_event(demo_app)}/book", data=_form(), follow_redirects=True)
        assert 'data-outcome="confirmed"' in page.text


def _open_event(app: Flask) -> int:
    with app.app_context():
        events = db.session.scalars(
            sa.select(Event).where(Event.visibility == Visibility.PUBLIC, ~Event.private).order_by(Event.day)
        )
        return next(event.id for event in events if booking_state(event, at=now()).code is BookingCode.OPEN)


def _form() -> dict[str, str]:
    return {"name": "Priya Nair", "email": "someone@school.example", "school": ""}


def test_the_demonstration_only_goes_into_an_empty_database(in_app: Flask) -> None:
    make_person()
    assert not is_empty()
    with pytest.raises(Refused, match="not empty"):
        load()
    assert [db.session.query(table).count() for table in (Area, School, Event, Message)] == [0, 0, 0, 0]
