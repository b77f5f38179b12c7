"""What follows from what organisers change: who hears of it, who comes up, who takes turns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.actions import Contact, NewPlace
from booking.bookings.models import Place
from booking.calendar import actions as calendar
from booking.calendar import catalogue
from booking.calendar.catalogue import KindValues, VenueValues
from booking.calendar.models import Category, Event, EventStatus, Venue, Visibility
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Area, Person
from booking.notifications.models import Message
from booking.organiser import actions
from booking.reminders.actions import set_event_rules
from booking.reminders.policy import DEFAULT_RULES
from tests.factories import make_category, make_event, make_organiser, make_venue, the_area, values_of

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day")]


def book(event: Event, name: str) -> None:
    who = Contact(name, f"{name.split(maxsplit=1)[0].lower()}@school.example")
    bookings.book(event, by=who, places=[NewPlace(who.name, who.email)])


def edit(event: Event, **values) -> int:
    return actions.edit_event(event, replace(values_of(event), **values), by=make_organiser(), revision=event.revision)


def told(kind: str = "moved") -> list[tuple[str, str | None]]:
    rows = db.session.query(Message).filter_by(kind=kind).order_by(Message.id)
    return [(message.to_email, message.calendar_method) for message in rows]


def test_a_new_joining_link_reaches_those_with_a_place_and_their_calendars(in_app: Flask) -> None:
    event = make_event(capacity=1, joining_link="https://meet.example.org/old")
    book(event, "Priya Nair")
    book(event, "Ada Obi")
    assert edit(event, joining_link="https://meet.example.org/new") == 1
    assert told() == [("priya@school.example", "REQUEST")]
    message = db.session.query(Message).filter_by(kind="moved").one()
    assert message.subject.startswith("New joining link: SENCo forum (1)")
    for part in (message.text, message.html, message.calendar.replace("\r\n ", "")):
        assert "https://meet.example.org/new" in part
    assert "The way to join on line has changed." in message.text


def test_a_venues_new_address_is_a_move_of_what_is_to_come_there(in_app: Flask) -> None:
    venue = make_venue("Oak Suite")
    event, over = make_event(venue_id=venue.id), make_event(venue_id=venue.id, in_days=-3)
    book(event, "Priya Nair")
    values = VenueValues("Oak Suite", "Long Meadow", "Ring twice", is_online=False)
    assert actions.save_venue(the_area(), venue, values, by=make_organiser()) == 1
    assert told() == [("priya@school.example", "REQUEST")]
    assert [db.session.get(Event, one.id).sequence for one in (event, over)] == [1, 0]
    only_directions = replace(values, directions="Ring once")
    assert actions.save_venue(the_area(), venue, only_directions, by=db.session.query(Person).first()) == 0
    assert db.session.get(Event, event.id).sequence == 1


def test_who_waits_comes_up_when_the_event_moves_to_a_later_day(in_app: Flask) -> None:
    event = make_event(capacity=1, in_days=1)
    book(event, "Priya Nair")
    book(event, "Ada Obi")
    with time_machine.travel(datetime(2026, 11, 24, 12, 1, tzinfo=UTC)):
        bookings.cancel(db.session.query(Place).filter_by(name="Priya Nair").one().booking)
        assert told("promoted") == []
        edit(event, day=event.day + timedelta(days=14))
    assert told("promoted") == [("ada@school.example", "REQUEST")]


def test_a_draft_with_reminders_of_its_own_is_deleted_with_them(in_app: Flask) -> None:
    event, tom = make_event(status=EventStatus.DRAFT), make_organiser()
    set_event_rules(event, DEFAULT_RULES, by=tom)
    calendar.delete_draft(event, by=tom)
    assert db.session.query(Event).count() == 0


def all_at_once(app: Flask, change: Callable[[], object], times: int = 4) -> list[str]:
    """Do it in several threads at the same moment; return how each ended."""
    barrier = Barrier(times)

    def run(_number: int) -> str:
        with app.app_context():
            db.session.query(Area).all()
            barrier.wait(timeout=30)
            try:
                change()
            except Refused as refused:
                return refused.sentence
            return "done"

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(run, range(times)))


def test_what_several_add_at_once_is_there_once(app: Flask) -> None:
    with app.app_context():
        event_ids = [make_event(f"Forum {n}").id for n in range(4)]
        tom_id = make_organiser().id

    def tom() -> Person:
        return db.session.get(Person, tom_id)

    def name_a_venue() -> None:
        event = db.session.get(Event, event_ids.pop())
        values = replace(values_of(event), venue="New hall")
        actions.edit_event(event, values, by=tom(), revision=event.revision)

    def add_a_kind() -> None:
        catalogue.save_category(the_area(), None, KindValues("Circle", "CI", 2, Visibility.PUBLIC), by=tom())

    assert all_at_once(app, name_a_venue) == ["done"] * 4
    assert all_at_once(app, add_a_kind) == ["There is one called Circle already."] * 3 + ["done"]
    with app.app_context():
        assert db.session.query(Venue).count() == 1
        assert db.session.query(Category).filter_by(name="Circle").count() == 1


def test_a_kind_takes_its_events_along_while_they_are_edited(app: Flask) -> None:
    with app.app_context():
        kind = make_category("Forum", visibility=Visibility.TEAM)
        ids = [make_event(category_id=kind.id, visibility=Visibility.TEAM).id for _ in range(3)]
        tom_id = make_organiser().id
    turns = iter(range(4))

    def change() -> None:
        number, tom = next(turns), db.session.get(Person, tom_id)
        if number == 0:
            values = KindValues("Forum", "FO", 1, Visibility.PUBLIC, with_drafts=True)
            catalogue.save_category(the_area(), db.session.get(Category, kind.id), values, by=tom)
            return
        event = db.session.get(Event, ids[number - 1])
        values = replace(values_of(event), title=f"Edited {number}")
        actions.edit_event(event, values, by=tom, revision=event.revision)

    answers = all_at_once(app, change)
    assert [answer for answer in answers if answer != "done" and "Somebody else has changed" not in answer] == []
