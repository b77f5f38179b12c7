"""A school year of the demonstration, played once: the list of its mails, and what must hold of every year."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask

from booking.bookings.models import Booking, Place
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.models import Event, EventStatus
from booking.calendar.terms import is_school_day
from booking.core.db import db
from booking.demo.plan import terms_of
from booking.notifications.models import Message, MessageStatus
from booking.reminders import planning, queries
from booking.reminders.models import Reminder, To
from tests.databases import close, make_app, new_sqlite
from tests.reminders import year

# Played once, in one test process.
pytestmark = pytest.mark.xdist_group("year")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """The demonstration at the end of its year, and the list of its mails."""
    app = make_app(new_sqlite(tmp_path_factory.mktemp("year")), DEMO="1")
    with app.app_context():
        mails = year.written(year.play())
    yield app, mails
    close(app)


def test_the_mails_of_the_year_are_those_of_the_list(played: tuple[Flask, str]) -> None:
    assert played[1].splitlines() == year.GOLDEN.read_text(encoding="utf-8").splitlines()


def test_every_reminder_goes_on_a_school_day_within_kind_hours(played: tuple[Flask, str]) -> None:
    terms = [term for number in (2025, 2026, 2027) for term in terms_of(number)]
    days_off = bank_holidays(year.FIRST, year.LAST)
    with played[0].app_context():
        went = [at.astimezone(year.BRITAIN) for (at,) in db.session.query(Message.sent_at).filter(is_reminder())]
    assert len(went) > 500
    assert [at for at in went if not is_school_day(at.date(), terms, days_off)] == []
    assert {at.hour for at in went} <= {8, 9, 12, 15, 16}


def is_reminder():
    return Message.kind.startswith("reminder") & (Message.status == MessageStatus.SENT)


def test_nobody_gets_a_reminder_twice_in_the_year(played: tuple[Flask, str]) -> None:
    with played[0].app_context():
        rows = db.session.query(Message.event_id, Message.to_email, Message.to_name, Message.text, Message.subject)
        assert set(Counter(tuple(row) for row in rows.filter(is_reminder())).values()) == {1}


def test_nothing_reminds_of_what_was_called_off_moved_or_given_back(played: tuple[Flask, str]) -> None:
    with played[0].app_context():
        rows = (
            db.session.query(Message.sent_at, Reminder.day, Event, Place)
            .join(Reminder, Reminder.message_id == Message.id)
            .join(Event, Event.id == Reminder.event_id)
            .outerjoin(Place, Place.id == Reminder.place_id)
            .filter(is_reminder())
        )
        for sent_at, _day, event, place in rows:
            assert event.cancelled_at is None or sent_at < event.cancelled_at
            assert place is None or place.cancelled_at is None or sent_at < place.cancelled_at
        assert db.session.query(Event).filter_by(status=EventStatus.CANCELLED).count() == 2
        assert db.session.query(Place).filter(Place.cancelled_at.is_not(None)).count() > 15


def passes() -> list[datetime]:
    return [
        year.wall(day, at)
        for day in year.days()
        if not year.is_away(day) and not year.PAUSE[0] <= day < year.PAUSE[1]
        for at in year.LOOKS_AT[: 1 if day.weekday() >= 5 else None]
    ]


def test_everyone_with_a_place_gets_exactly_what_the_rules_say(played: tuple[Flask, str]) -> None:
    """Reckoned place by place, from who had a place from when to when, of events that never moved."""
    with played[0].app_context():
        expected, moved = [], {event_id for (event_id,) in db.session.query(Message.event_id).filter_by(kind="moved")}
        looks = list(pairwise([year.wall(year.FIRST, year.LOOKS_AT[0]) - timedelta(hours=2), *passes()]))
        rows = db.session.query(Place, Event, Booking).join(Place.event).join(Place.booking)
        before = {event.id: _before(event) for event in db.session.query(Event)}
        for place, event, booking in rows.filter(Event.day > year.FIRST, Event.id.not_in(moved)):
            gone = [at for at in (place.cancelled_at, event.cancelled_at) if at]
            for last, at in looks:
                fell = [due for due in before[event.id] if last < due <= at]
                had_it = place.confirmed_at and any(place.confirmed_at < due for due in fell)
                if had_it and at < event.starts_at and at < min(gone, default=at + timedelta(1)):
                    expected.append((at, event.id, place.email or booking.email, place.name))
        got = (
            db.session.query(Message.sent_at, Message.event_id, Message.to_email, Place.name)
            .join(Reminder, Reminder.message_id == Message.id)
            .join(Place, Place.id == Reminder.place_id)
            .filter(Message.kind == "reminder", is_reminder(), Message.event_id.not_in(moved))
        )
        assert sorted(tuple(row) for row in got) == sorted(expected)
        assert len(expected) > 400


def _before(event: Event) -> list[datetime]:
    """When reminders of an event to those with a place fall due before it."""
    rules = [rule for rule in queries.rules_for(event) if rule.to is To.PLACES and not rule.after]
    return [one.at for one in planning.plan_of(event, rules, planning.kind_hours(event.area, event.day))]
