"""Some weeks of the demonstration's year, played day by day, against a reckoning in plain Python.

They hold the Easter holidays, the beginning of summer time, four days without a scheduler, an event that is called
off, places that are given back and people who come up from the waiting list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event, Kind
from booking.core.db import db
from booking.demo.load import load
from booking.directory.models import Person
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message, MessageStatus
from booking.organiser import actions as organiser
from booking.reminders.actions import post_due, still_wanted

BRITAIN = ZoneInfo("Europe/London")
FIRST, LAST = date(2027, 3, 1), date(2027, 4, 30)
OUTAGE = {date(2027, 3, number) for number in (14, 15, 16, 17)}
LOOKS_AT = (time(8, 5), time(17, 30))
RULES = ((7, time(8, 0)), (1, time(8, 0)))


@pytest.fixture
def demo(demo_app: Flask) -> Iterator[None]:
    with demo_app.app_context(), time_machine.travel(wall(FIRST, time(6, 0)), tick=False):
        load()
        yield


def wall(day: date, at: time) -> datetime:
    return datetime.combine(day, at, BRITAIN)


def days() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


def passes() -> list[datetime]:
    return [wall(day, at) for day in days() if day not in OUTAGE for at in LOOKS_AT]


def sessions(first: date, last: date) -> list[Event]:
    rows = db.session.query(Event).filter(Event.kind == Kind.SESSION, Event.day.between(first, last), Event.taken > 0)
    return rows.order_by(Event.day, Event.id).all()


def call_off_an_event() -> None:
    event = sessions(date(2027, 3, 19), date(2027, 3, 26))[0]
    organiser.cancel_event(event, by=db.session.query(Person).first(), note="")


def give_places_back() -> None:
    """One person at each of the next sessions; the full one lets somebody in."""
    for event in sessions(date(2027, 3, 17), LAST):
        booking = db.session.query(Booking).filter_by(event_id=event.id).order_by(Booking.id).first()
        if booking is not None and event.cancelled_at is None:
            bookings.cancel(booking)


HAPPENS = {
    wall(date(2027, 3, 3), time(12, 0)): give_places_back,
    wall(date(2027, 3, 13), time(11, 0)): give_places_back,
    wall(date(2027, 3, 16), time(13, 0)): call_off_an_event,
}


@dataclass(frozen=True, order=True)
class Told:
    """A reminder: who was told when, of what, under which name."""

    at: datetime
    title: str
    day: date
    address: str
    name: str


def expected() -> list[Told]:
    """Reckon place by place what had to go, from who had a place from when to when."""
    told = []
    for place, event, booking in db.session.query(Place, Event, Booking).join(Place.event).join(Place.booking):
        for look, following in zip([wall(FIRST, time(0)), *passes()], passes(), strict=False):
            fell_due = [
                wall(event.day - timedelta(days=days_before), at)
                for days_before, at in RULES
                if look < wall(event.day - timedelta(days=days_before), at) <= following
            ]
            held = place.confirmed_at and any(place.confirmed_at < due for due in fell_due)
            lost = min((gone for gone in (place.cancelled_at, event.cancelled_at) if gone), default=None)
            if held and following < event.starts_at and (lost is None or lost > following):
                told.append(Told(following, event.title, event.day, place.email or booking.email, place.name))
    return sorted(told)


def test_everyone_with_a_place_gets_exactly_the_reminders_that_the_rules_say(demo: None) -> None:
    for at in sorted([*passes(), *HAPPENS]):
        with time_machine.travel(at, tick=False):
            if at in HAPPENS:
                HAPPENS[at]()
            else:
                post_due()
            while deliver_due(worker="w", limit=200, still_wanted=still_wanted).touched:
                pass
    db.session.expire_all()
    got = []
    messages = (
        db.session.query(Message, Event).join(Event, Event.id == Message.event_id).filter(Message.kind == "reminder")
    )
    for message, event in messages:
        assert message.status is MessageStatus.SENT
        assert message.subject.startswith(f"Reminder: {event.title}, ")
        got.append(Told(message.created_at, event.title, event.day, message.to_email, message.to_name))
    assert sorted(got) == expected()
    what_it_held(got)


def what_it_held(told: list[Told]) -> None:
    """See that the weeks were as full as promised: else the test proves little."""
    assert len(told) > 150
    assert len({one.title for one in told}) > 8
    kinds = {(one.day - one.at.astimezone(BRITAIN).date()).days for one in told}
    assert {7, 1} < kinds  # and some after the outage
    came_up = db.session.query(Place).filter(Place.position.is_not(None), Place.confirmed_at.is_not(None))
    assert any(place.email in {one.address for one in told} for place in came_up)
    assert db.session.query(Event).filter(Event.cancelled_at.is_not(None)).count() == 1
    assert db.session.query(Place).filter(Place.cancelled_at.is_not(None)).count() > 5
