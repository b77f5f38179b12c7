"""What follows from what organisers change: who hears of it, who comes up, who takes turns."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Place
from booking.calendar import actions as calendar
from booking.calendar import catalogue
from booking.calendar.catalogue import KindValues, VenueValues
from booking.calendar.models import Category, Event, EventStatus, Kind, Venue, Visibility
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Area, Person
from booking.notifications.models import Message
from booking.organiser import actions
from booking.reminders.actions import DEFAULT_RULES, set_event_rules
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


@pytest.mark.parametrize(
    ("change", "subject", "body"),
    [
        (
            {"venue": "Elm Room"},
            "New place: ",
            "The place has changed. Day and time stay. It was: Oak Suite. It is now:",
        ),
        ({"venue": ""}, "New place: ", "The place has changed. Day and time stay. It was: Oak Suite. It is now:"),
        (
            {"starts": time(14, 0)},
            "New time: ",
            "It was: Thursday 24 December 2026, 1.30pm to 3.30pm, Oak Suite. It is now:",
        ),
        ({"day": date(2027, 1, 12)}, "New date: ", "It was: Thursday 24 December 2026, 1.30pm"),
        ({"last_day": date(2026, 12, 25)}, "New date: ", "It was: Thursday 24 December 2026, 1.30pm"),
        (
            {"day": date(2027, 1, 12), "starts": time(14, 0), "venue": "Elm Room"},
            "New date, time and place: ",
            "It was: Thursday 24 December 2026, 1.30pm to 3.30pm, Oak Suite. It is now:",
        ),
        (
            {"venue": "Elm Room", "joining_link": "https://meet.example.org/new"},
            "New place and joining link: ",
            "The place has changed. Day and time stay. It was: Oak Suite. It is now:",
        ),
    ],
)
def test_the_mail_of_a_move_says_what_is_new(in_app: Flask, change: dict, subject: str, body: str) -> None:
    event = make_event(venue_id=make_venue("Oak Suite").id)
    book(event, "Priya Nair")
    assert edit(event, **change) == 1
    message = db.session.query(Message).filter_by(kind="moved").one()
    assert message.subject.startswith(f"{subject}SENCo forum (1), ")
    assert body in message.text
    assert body in message.html


A_MONTH_AGO = datetime(2026, 10, 20, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", ["confirmed", "waiting"])
@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"day": date(2026, 11, 23)}, "day", "Monday 23 November 2026 is in the past; choose a day to come."),
        (
            {"day": date(2026, 11, 23), "last_day": date(2026, 12, 1)},
            "day",
            "Monday 23 November 2026 is in the past; choose a day to come.",
        ),
        (
            {"day": date(2026, 11, 24), "starts": time(9, 30)},
            "starts",
            "9.30am today is in the past; choose a time to come.",
        ),
    ],
)
def test_what_people_have_booked_is_not_moved_into_the_past(
    in_app: Flask, change: dict, field: str, sentence: str, status: str
) -> None:
    event = make_event(capacity=1 if status == "confirmed" else 0)
    book(event, "Priya Nair")
    before = (event.day, event.starts, event.revision, event.sequence)
    with pytest.raises(Refused) as refused:
        edit(event, **change)
    assert (refused.value.field, refused.value.sentence.partition(" People")[0]) == (field, sentence)
    event = db.session.get(Event, event.id)
    assert (event.day, event.starts, event.revision, event.sequence) == before
    assert told() == []


@pytest.mark.parametrize(
    "change",
    [
        {"day": date(2026, 10, 21)},
        {"starts": time(9, 0), "ends": time(10, 0)},
        {"title": "As it was"},
    ],
)
def test_what_is_over_is_corrected_to_another_past_day_and_nobody_is_told(in_app: Flask, change: dict) -> None:
    with time_machine.travel(A_MONTH_AGO):
        event = make_event(in_days=3)
        book(event, "Priya Nair")
    assert edit(event, **change) == 0
    assert told() == []


def test_what_is_over_may_move_to_a_day_to_come_and_all_are_told(in_app: Flask) -> None:
    with time_machine.travel(A_MONTH_AGO):
        event = make_event(in_days=3)
        book(event, "Priya Nair")
    assert edit(event, day=date(2026, 12, 1)) == 1


@pytest.mark.parametrize("change", [{"title": "Renamed"}, {"ends": time(11, 0)}, {"last_day": date(2026, 11, 26)}])
def test_what_is_under_way_may_be_changed_but_its_start(in_app: Flask, change: dict) -> None:
    with time_machine.travel(A_MONTH_AGO):
        event = make_event(day=date(2026, 11, 24), starts=time(9, 0), ends=time(15, 0))
        book(event, "Priya Nair")
    edit(event, **change)
    event = db.session.get(Event, event.id)
    values = replace(values_of(event), day=date(2026, 11, 20))
    with pytest.raises(Refused, match=r"^Friday 20 November 2026 is in the past"):
        actions.edit_event(event, values, by=db.session.query(Person).one(), revision=2)


@pytest.mark.parametrize("values", [{}, {"status": EventStatus.DRAFT}])
def test_what_nobody_has_a_place_at_may_move_into_the_past(in_app: Flask, values: dict) -> None:
    event = make_event(**values)
    if not values:
        book(event, "Priya Nair")
        bookings.cancel(db.session.query(Place).one().booking)
    edit(event, day=date(2026, 11, 23))
    assert db.session.get(Event, event.id).day == date(2026, 11, 23)


def test_what_has_no_time_may_move_to_today(in_app: Flask) -> None:
    event = make_event(starts=None, ends=None)
    book(event, "Priya Nair")
    assert edit(event, day=date(2026, 11, 24)) == 1


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
    on_the_map = replace(values, position=(51.752, -0.336))
    assert actions.save_venue(the_area(), venue, on_the_map, by=db.session.query(Person).first()) == 0
    assert db.session.get(Event, event.id).sequence == 2  # calendars show it; nobody is written to


def test_the_map_stands_in_the_mail_and_in_its_invitation(in_app: Flask) -> None:
    venue = make_venue("Oak Suite", latitude=51.752, longitude=-0.336)
    event = make_event(venue_id=venue.id)
    book(event, "Priya Nair")
    message = db.session.query(Message).filter_by(kind="confirmed").one()
    address = "https://www.openstreetmap.org/?mlat=51.752&mlon=-0.336#map=17/51.752/-0.336"
    assert f"Oak Suite\nMap: {address}\n" in message.text
    assert address.replace("&", "&amp;") in message.html
    assert "GEO:51.752;-0.336" in message.calendar
    actions.cancel_event(event, by=make_organiser(), note="")
    off = db.session.query(Message).filter_by(kind="event_cancelled").one()
    assert "openstreetmap" not in off.text + off.html  # nobody is to go there


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


def test_a_draft_is_deleted_while_closing_dates_are_put_with_it(app: Flask) -> None:
    with app.app_context():
        panel_id = make_event("Panel", status=EventStatus.DRAFT).id
        todo = [make_event(f"Closes {n}", kind=Kind.DEADLINE, in_days=20).id for n in range(5)] + [0]
        tom_id = make_organiser().id

    def change() -> None:
        closing_id, tom = todo.pop(), db.session.get(Person, tom_id)
        if not closing_id:
            calendar.delete_draft(db.session.get(Event, panel_id), by=tom)
            return
        closing = db.session.get(Event, closing_id)
        values = replace(values_of(closing), closes_for_id=panel_id)
        calendar.edit_event(closing, values, by=tom, revision=closing.revision)

    answers = set(all_at_once(app, change, times=6))
    assert answers <= {"done", "Choose another event from the list.", "This has been removed in the meantime."}
    with app.app_context():
        assert db.session.get(Event, panel_id) is None
        assert db.session.query(Event).filter(Event.closes_for_id.is_not(None)).count() == 0


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
