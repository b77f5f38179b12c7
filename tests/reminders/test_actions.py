"""Who is reminded of what, when, and of what not, through the rows of both databases."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings import changes
from booking.bookings import queries as bookings_queries
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Category, Event, EventStatus, Kind, Series
from booking.core.addresses import absolute
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.tokens import link_token
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message
from booking.organiser import actions as organiser
from booking.reminders import queries
from booking.reminders.actions import (
    DEFAULT_RULES,
    NewRule,
    post_due,
    set_category_rules,
    set_event_rules,
    still_wanted,
)
from booking.reminders.models import Reminder
from booking.reminders.planning import timing_of
from booking.reminders.policy import Timing
from tests.factories import make_booking, make_category, make_event, make_organiser, save, values_of

pytestmark = pytest.mark.both_databases

DAY = date(2027, 6, 16)  # a Wednesday in summer, 1.30pm
EIGHT = time(8, 0)


def rules(*times: tuple[int, time]) -> list[NewRule]:
    """So many days before at a time on the wall, to those with a place."""
    return [NewRule(Timing(days, at=at)) for days, at in times]


def on(text: str) -> AbstractContextManager[object]:
    """Travel to a time on the wall of June 2027: `9 08:00`; a minus before the day is May."""
    day, clock = text.split()
    month = 5 if day.startswith("-") else 6
    wall = datetime.combine(date(2027, month, abs(int(day))), time.fromisoformat(clock), ZoneInfo("Europe/London"))
    return time_machine.travel(wall, tick=False)


@pytest.fixture
def demo(demo_app: Flask) -> Iterator[Flask]:
    """The demonstration: its mail is delivered without a server. Begins in the middle of May."""
    with demo_app.app_context(), on("-15 10:00"):
        set_category_rules(make_category(), DEFAULT_RULES, by=None)
        yield demo_app


@pytest.fixture
def event(demo: Flask) -> Event:
    return make_event(day=DAY)


def reminders() -> list[tuple[str, str]]:
    """To whom reminders were queued, and how they call the day."""
    rows = db.session.query(Message).filter_by(kind="reminder").order_by(Message.id)
    return [(message.to_email.partition("@")[0], message.subject.rpartition(", ")[2]) for message in rows]


def look(*times: str) -> list[tuple[str, str]]:
    """Let the scheduler look for what is due at these times; return all that was queued so far."""
    for text in times:
        with on(text):
            post_due()
    return reminders()


def deliver() -> list[tuple[str, str | None]]:
    """Deliver what is queued; return what became of each reminder."""
    while deliver_due(worker="w", limit=100, still_wanted=still_wanted).touched:
        pass  # to one person about one event one mail after the other
    db.session.expire_all()
    rows = db.session.query(Message).filter_by(kind="reminder").order_by(Message.id)
    return [(str(message.status), message.outcome) for message in rows]


def test_who_has_a_place_is_reminded_seven_days_and_one_day_before_at_eight(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    assert look("9 07:59", "8 12:00") == []
    assert look("9 08:00", "9 08:00", "9 08:01", "15 07:59") == [("priya", "in 7 days")]
    assert look("15 08:00", "15 08:01", "16 13:00", "16 20:00", "17 09:00") == [
        ("priya", "in 7 days"),
        ("priya", "tomorrow"),
    ]


def test_the_farthest_and_the_nearest_rule_are_looked_at(event: Event) -> None:
    far_and_near = rules((0, EIGHT), (60, time(9, 1)))  # sixty days before is a Saturday
    set_event_rules(event, far_and_near, by=None)
    with time_machine.travel(datetime(2027, 4, 1, tzinfo=ZoneInfo("Europe/London"))):
        set_event_rules(event, None, by=None)
        set_event_rules(event, far_and_near, by=None)
        make_booking(event, email="priya@school.example")
    for minute, queued in ((0, 0), (1, 1), (2, 1)):
        with time_machine.travel(datetime(2027, 4, 16, 9, minute, tzinfo=ZoneInfo("Europe/London"))):
            post_due()
            assert len(reminders()) == queued
    assert look("16 08:00") == [("priya", "in 9 weeks"), ("priya", "today")]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, ["in 7 days", "tomorrow"]),
        ([(2, time(17, 0)), (1, EIGHT)], ["in 2 days", "tomorrow"]),
        ([], []),
    ],
)
def test_an_event_may_have_reminders_of_its_own_or_none(event: Event, own, expected: list[str]) -> None:
    make_booking(event, email="priya@school.example")
    set_event_rules(event, own if own is None else rules(*own), by=None)
    look("9 08:00", "14 17:00", "15 08:00")
    assert [when for _, when in reminders()] == expected


def test_an_event_may_go_back_to_those_of_its_kind(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    set_event_rules(event, rules((14, EIGHT)), by=None)
    set_event_rules(event, None, by=None)
    assert look("2 08:00", "9 08:00") == [("priya", "in 7 days")]


def test_rules_that_an_event_goes_back_to_do_not_mail_for_the_past(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    with on("1 12:00"):
        set_event_rules(event, [], by=None)
    assert look("9 08:00") == []
    with on("10 12:00"):
        set_event_rules(event, None, by=None)
    assert look("10 12:01", "15 08:00") == [("priya", "tomorrow")]


@pytest.mark.parametrize("whose", ["category", "event"])
def test_a_rule_that_is_switched_on_does_not_mail_for_the_past(event: Event, whose: str) -> None:
    make_booking(event, email="priya@school.example")

    def set_rules(*times: tuple[int, time]) -> None:
        if whose == "category":
            set_category_rules(event.category, rules(*times), by=None)
        else:
            set_event_rules(event, rules(*times), by=None)

    set_rules()
    with on("10 12:00"):
        set_rules((7, EIGHT), (3, EIGHT), (1, EIGHT))
    assert look("10 12:01", "13 08:00") == [("priya", "in 3 days")]
    with on("14 12:00"):
        set_rules((7, EIGHT), (3, EIGHT))  # the last is switched off
    assert look("15 08:00") == [("priya", "in 3 days")]
    with on("15 08:05"):
        set_rules((7, EIGHT), (3, EIGHT), (1, EIGHT), (0, EIGHT))  # and on again, five minutes late
    assert look("15 08:06", "16 08:00") == [("priya", "in 3 days"), ("priya", "today")]


def test_an_outage_over_several_rules_ends_with_one_mail(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    assert look("15 21:00", "16 09:00") == [("priya", "tomorrow")]


def test_nobody_else_is_reminded(demo: Flask) -> None:
    set_category_rules(make_category("Closing date"), DEFAULT_RULES, by=None)
    event = make_event(day=DAY, capacity=1)
    make_booking(event, "Priya Nair", "priya@school.example")
    make_booking(event, "Ada Obi", status=PlaceStatus.WAITING)
    make_booking(event, "Ravi Shah", status=PlaceStatus.CANCELLED)
    make_booking(make_event("Off", day=DAY, status=EventStatus.CANCELLED))
    make_booking(make_event("Not out yet", day=DAY, status=EventStatus.DRAFT))
    make_booking(make_event("Over", day=DAY - timedelta(days=30)))
    make_booking(make_event("No rules", day=DAY, category_id=make_category("Coffee morning").id))
    make_event("Return", day=DAY, kind=Kind.DEADLINE, category_id=make_category("Closing date").id)
    assert look("9 08:00", "15 08:00") == [("priya", "in 7 days"), ("priya", "tomorrow")]


def test_who_comes_up_from_the_waiting_list_is_reminded_from_then_on(demo: Flask) -> None:
    event = make_event(day=DAY, capacity=1)
    came = make_booking(event, email="priya@school.example")
    make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
    assert look("9 08:00") == [("priya", "in 7 days")]
    with on("10 10:00"):
        bookings.cancel(came)
    assert look("10 10:01", "15 08:00") == [("priya", "in 7 days"), ("ada", "tomorrow")]


def test_a_moved_event_reminds_anew_and_what_was_queued_for_the_old_date_is_dropped(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    assert look("9 08:00") == [("priya", "in 7 days")]
    with on("9 08:01"):
        move(event, day=DAY + timedelta(days=7))
        assert deliver() == [("dropped", "the event has moved")]
    assert look("15 08:00", "16 08:00", "16 08:01", "22 08:00") == [
        ("priya", "in 7 days"),
        ("priya", "in 7 days"),
        ("priya", "tomorrow"),
    ]
    with on("22 08:01"):
        assert deliver()[1:] == [("sent", None)] * 2


def move(event: Event, **values) -> None:
    organiser.edit_event(event, replace(values_of(event), **values), by=make_organiser(), revision=event.revision)


def test_a_corrected_kind_does_not_remind_again(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    set_category_rules(make_category("Workshop"), DEFAULT_RULES, by=None)
    look("9 08:00")
    with on("10 12:00"):
        move(event, category_id=make_category("Workshop").id)
    assert look("10 12:01") == [("priya", "in 7 days")]


def test_who_was_just_told_of_a_move_is_not_reminded_of_it_at_once(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    with on("8 12:00"):
        move(event, day=date(2027, 6, 11))
    assert look("8 12:01") == []
    assert look("10 08:00") == [("priya", "tomorrow")]


def cancel_event(event: Event, booking: Booking) -> None:
    organiser.cancel_event(event, by=make_organiser(), note="")


def give_back(event: Event, booking: Booking) -> None:
    bookings.cancel(booking)


@pytest.mark.parametrize(
    ("happens", "at", "reason"),
    [
        (cancel_event, "9 08:01", "the event was cancelled"),
        (give_back, "9 08:01", "the place was given back"),
        (lambda event, booking: None, "16 13:30", "the event has begun"),
        (lambda event, booking: None, "9 08:01", None),
    ],
    ids=["cancelled", "given back", "begun", "nothing"],
)
def test_what_happens_between_queueing_and_sending_is_heeded(event: Event, happens, at: str, reason) -> None:
    booking = make_booking(event, email="priya@school.example")
    make_booking(make_event("Another", day=DAY), email="ada@school.example")
    assert look("9 08:00") == [("priya", "in 7 days"), ("ada", "in 7 days")]
    with on(at):
        happens(event, booking)
        became = deliver()
    other = ("dropped", "the event has begun") if at.startswith("16") else ("sent", None)
    assert became == [("dropped", reason) if reason else ("sent", None), other]


def test_a_reminder_that_waited_says_what_is_so_when_it_goes(event: Event) -> None:
    """The mail server was away over night; meanwhile the hour changed, and a colleague gave her place back."""
    booking = book(event, NewPlace("Priya Nair", "priya@school.example"), NewPlace("Ada Obi"), NewPlace("Uma Fenn"))
    with on("15 08:00"):
        post_due()
    with on("15 10:00"):
        move(event, starts=time(11, 0), ends=time(12, 0), venue="Oak Suite")
        bookings.cancel(booking, places=[booking.places[1]])
    waits = the_reminder()
    message_id = waits.message_id
    assert waits.subject == "Reminder: SENCo forum (1), tomorrow"
    assert "1.30pm to 3.30pm" in waits.text
    assert "Ada Obi" in waits.text
    with on("16 07:00"):
        assert deliver() == [("sent", None)]
    sent = the_reminder()
    assert (sent.subject, sent.message_id) == ("Reminder: SENCo forum (1), today", message_id)
    for words in (sent.text, sent.html):
        assert "11am to 12 noon" in words
        assert "Oak Suite" in words
        assert "Uma Fenn" in words
        assert "1.30pm" not in words
        assert "Ada Obi" not in words


def the_reminder() -> Message:
    db.session.expire_all()
    return db.session.query(Message).filter_by(kind="reminder").one()


def book(event: Event, *places: NewPlace, by: str = "Priya Nair") -> Booking:
    who = Contact(by, f"{by.partition(' ')[0].lower()}@school.example")
    return bookings.book(event, by=who, places=places)


def link_of(row: Booking | Place) -> str:
    if isinstance(row, Place):
        return absolute("bookings.place", token=link_token(bookings_queries.PLACE_LINK, row.key))
    return absolute("bookings.booking", token=link_token(bookings_queries.BOOKING_LINK, row.key))


def letters() -> list[tuple[str, str, list[str], str]]:
    """To whom, by which name, naming whom, with which link."""
    found = []
    for message in db.session.query(Message).filter_by(kind="reminder").order_by(Message.id):
        lines = message.text.splitlines()
        names = next(line for line in lines if line.startswith("Booked for: ")).removeprefix("Booked for: ")
        (link,) = {word for word in message.text.split() if "/bookings/" in word or "/places/" in word}
        assert link in message.html
        found.append((message.to_email, message.to_name, names.split(", "), link))
    return found


def test_each_reminder_names_only_whom_it_is_for_and_leads_to_their_places(event: Event) -> None:
    first = book(
        event,
        NewPlace("Priya Nair", "priya@school.example"),
        NewPlace("Daniel Achebe", "daniel@school.example"),
        NewPlace("Ada Obi"),
        NewPlace("Uma Fenn", "office@school.example"),
        NewPlace("Zoe Lomax", "office@school.example"),
    )
    second = book(event, NewPlace("Ravi Shah", "office@school.example"), by="Ewa Novak")
    third = book(event, NewPlace("Theo Grant"), by="Priya Nair")
    look("9 08:00")
    assert letters() == [
        ("priya@school.example", "Priya Nair", ["Priya Nair", "Ada Obi"], link_of(first)),
        ("daniel@school.example", "Daniel Achebe", ["Daniel Achebe"], link_of(first.places[1])),
        ("office@school.example", "Uma Fenn", ["Uma Fenn"], link_of(first.places[3])),
        ("office@school.example", "Zoe Lomax", ["Zoe Lomax"], link_of(first.places[4])),
        ("office@school.example", "Ravi Shah", ["Ravi Shah"], link_of(second.places[0])),
        ("priya@school.example", "Priya Nair", ["Theo Grant"], link_of(third)),
    ]
    with on("9 08:01"):
        assert deliver() == [("sent", None)] * 6
    assert len(letters()) == 6


def test_three_schedulers_at_once_queue_each_reminder_once(demo: Flask) -> None:
    for number in range(4):
        event = make_event(f"Forum {number}", day=DAY)
        for name in ("Ada Obi", "Ravi Shah"):
            book(
                event, NewPlace(name, f"{name.partition(' ')[0].lower()}@school.example"), NewPlace("Uma Fenn"), by=name
            )
    barrier = Barrier(3)

    def run(_number: int) -> int:
        with demo.app_context():
            barrier.wait(timeout=30)
            return post_due()

    with on("9 08:00"), ThreadPoolExecutor(3) as pool:
        queued = list(pool.map(run, range(3)))
    assert sum(queued) == 8
    assert sorted(reminders()) == [("ada", "in 7 days")] * 4 + [("ravi", "in 7 days")] * 4
    assert db.session.query(Reminder).count() == 16


def test_the_database_refuses_a_second_reminder(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    look("9 08:00")
    row = db.session.execute(sa.select(Reminder.__table__)).mappings().one()
    again = {name: value for name, value in row.items() if name not in {"id", "message_id", "created_at"}}
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.insert(Reminder).values(**again, created_at=now()))
    db.session.rollback()


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        ([(1, EIGHT), (1, EIGHT)], "Two reminders are the same"),
        ([(days, EIGHT) for days in range(9)], "At most 8 reminders"),
        ([(61, EIGHT)], "at most 60 days before"),
        ([(-1, EIGHT)], "at most 60 days before"),
    ],
)
def test_bad_rules_are_refused_whole(event: Event, times, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        set_category_rules(event.category, rules(*times), by=None)
    with pytest.raises(Refused, match=sentence):
        set_event_rules(event, rules(*times), by=None)
    assert rules_of(queries.rules_for(event)) == [(7, EIGHT), (1, EIGHT)]
    assert queries.rules_of_event(event.id) == []
    assert event.own_reminders is False
    assert db.session.query(AuditEntry).count() == 1


def rules_of(rules: Sequence) -> list[tuple[int, time]]:
    return [(timing_of(rule).number, rule.at) for rule in rules]


_TO = ", to those with a place"


def test_the_log_says_who_set_which_reminders(event: Event) -> None:
    tom = make_organiser()
    set_category_rules(event.category, rules((3, time(17, 30))), by=tom)
    set_event_rules(event, rules((1, EIGHT), (0, time(7, 5))), by=tom)
    set_event_rules(event, None, by=tom)
    entries = db.session.query(AuditEntry).order_by(AuditEntry.id).all()
    of_category, of_event = ("category", event.category_id), ("event", event.id)
    said = [(e.actor_name, e.action, (e.subject, e.subject_id), e.area_id, e.detail["rules"]) for e in entries]
    area, action = event.area_id, "set the reminders of"
    assert said == [
        ("the program", action, of_category, area, [f"7 days before at 8am{_TO}", f"1 day before at 8am{_TO}"]),
        ("Tom Okafor", action, of_category, area, [f"3 days before at 5.30pm{_TO}"]),
        ("Tom Okafor", action, of_event, area, [f"1 day before at 8am{_TO}", f"the same day at 7.05am{_TO}"]),
        ("Tom Okafor", action, of_event, area, None),
    ]


def test_two_organisers_who_set_the_same_rules_at_once_are_both_right(demo: Flask, event: Event) -> None:
    barrier, category_id = Barrier(4), event.category_id

    def run(number: int) -> None:
        with demo.app_context():
            category = db.session.get(Category, category_id)
            barrier.wait(timeout=30)
            set_category_rules(category, rules(*((days, time(9, 15)) for days in range(5))), by=None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    db.session.rollback()
    assert rules_of(queries.rules_of_category(category_id)) == [(days, time(9, 15)) for days in (4, 3, 2, 1, 0)]


COLLEAGUES = (NewPlace("Priya Nair", "priya@school.example"), NewPlace("Daniel Achebe", "daniel@school.example"))


def test_who_was_swapped_out_gets_no_reminder_and_who_came_instead_does(event: Event) -> None:
    booking = book(event, *COLLEAGUES)
    assert look("9 08:00") == [("priya", "in 7 days"), ("daniel", "in 7 days")]
    with on("9 08:01"):
        swap(booking.places[1], "Ada Obi")
        assert deliver() == [("sent", None), ("dropped", "the place was given back")]
    assert look("9 08:02", "15 07:59", "15 08:00")[2:] == [("priya", "tomorrow"), ("ada", "tomorrow")]


def test_who_gave_a_place_away_and_has_it_back_is_reminded_of_it(event: Event) -> None:
    booking = book(event, *COLLEAGUES)
    look("9 08:00")
    with on("9 08:01"):
        back = swap(swap(booking.places[1], "Ada Obi"), "Daniel Achebe")
        assert deliver() == [("sent", None)] * 2
    assert [link for *_, link in letters()] == [link_of(booking), link_of(back)]
    assert look("9 08:02", "15 08:00")[2:] == [("priya", "tomorrow"), ("daniel", "tomorrow")]


def swap(place: Place, name: str) -> Place:
    return changes.swap(place, NewPlace(name, f"{name.partition(' ')[0].lower()}@school.example"))


def test_a_name_put_right_is_not_reminded_twice(event: Event) -> None:
    booking = book(event, *COLLEAGUES)
    look("9 08:00")
    with on("9 08:01"):
        deliver()
        changes.edit_place(booking.places[1], name="Daniel Achebé-Jones", email="daniel@school.example")
    assert look("9 08:02", "9 09:00") == [("priya", "in 7 days"), ("daniel", "in 7 days")]
    assert look("15 08:00")[2:] == [("priya", "tomorrow"), ("daniel", "tomorrow")]


def test_a_reminder_follows_its_booking_to_another_address_and_the_old_one_learns_nothing(event: Event) -> None:
    booking = book(event, NewPlace("Ada Obi"))
    assert look("9 08:00") == [("priya", "in 7 days")]
    with on("9 08:01"):
        changes.edit_booking(booking, name="Priya Nair", email="pn@new.example", needs="")
        assert deliver() == [("dropped", "the booking has another e-mail address"), ("sent", None)]
    assert [link for *_, link in letters()][1:] == [link_of(booking)]
    old = db.session.query(Message).filter_by(kind="reminder").order_by(Message.id).first()
    assert link_of(booking) not in old.text
    assert look("9 08:02", "9 08:03") == [("priya", "in 7 days"), ("pn", "in 7 days")]


def test_who_changed_to_another_date_is_reminded_of_that_one_alone(event: Event) -> None:
    series = save(Series(area_id=event.area_id, name="SENCo forums"))
    later = make_event("SENCo forum (2)", day=DAY + timedelta(days=7), series_id=series.id)
    event.series_id = series.id
    db.session.commit()
    booking = book(event, COLLEAGUES[0])
    look("9 08:00")
    with on("9 08:01"):
        changes.move(booking, to=later)
        assert deliver() == [("dropped", "the place was given back")]
    look("15 08:00", "16 08:00", "22 08:00")
    rows = db.session.query(Message).filter_by(kind="reminder").order_by(Message.id)
    assert [(one.event_id == later.id, str(one.status)) for one in rows] == [
        (False, "dropped"),
        (True, "queued"),
        (True, "queued"),
    ]
