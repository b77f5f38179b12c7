"""Reminders to everybody else, in own words, held and let go; and seeing before sending. On both databases."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Host, Kind, Visibility
from booking.calendar.terms import synthesise
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Area, Person, Role, RoleName
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message, MessageStatus
from booking.organiser import actions as organiser
from booking.reminders import forecast
from booking.reminders.actions import (
    TOO_LATE,
    NewRule,
    go_on,
    pause,
    post_due,
    send_test,
    set_category_rules,
    set_event_rules,
    set_kind_hours,
    still_wanted,
    subscribe,
)
from booking.reminders.models import Reminder, ReminderRun, To, Unit
from booking.reminders.policy import Timing
from booking.reminders.recipients import LeftOut, count_readers, readers
from tests.factories import make_booking, make_category, make_event, make_organiser, make_person, save
from tests.statements import statements

pytestmark = pytest.mark.both_databases

DAY = date(2027, 6, 16)  # a Wednesday in summer, 1.30pm to 3.30pm


def on(text: str) -> AbstractContextManager[object]:
    """Travel to a time on the wall of June 2027: `9 08:00`."""
    day, clock = text.split()
    wall = datetime.combine(date(2027, 6, int(day)), time.fromisoformat(clock), ZoneInfo("Europe/London"))
    return time_machine.travel(wall, tick=False)


@pytest.fixture
def demo(demo_app: Flask) -> Iterator[Flask]:
    """The demonstration: its mail is delivered without a server. Begins in the middle of May."""
    with demo_app.app_context(), time_machine.travel(datetime(2027, 5, 15, 9, 0, tzinfo=ZoneInfo("UTC")), tick=False):
        yield demo_app


@pytest.fixture
def event(demo: Flask) -> Event:
    return make_event(day=DAY)


def set_rules(event: Event, *rules: NewRule) -> None:
    set_event_rules(event, rules, by=None)


def look(*times: str) -> list[tuple[str, str]]:
    """Let the scheduler look and deliver at these times; return to whom all went so far, with the subjects."""
    for text in times:
        with on(text):
            post_due()
            while deliver_due(worker="w", limit=100, still_wanted=still_wanted).touched:
                pass
    return sent()


def sent() -> list[tuple[str, str]]:
    db.session.expire_all()
    rows = db.session.query(Message).filter(Message.kind.startswith("reminder"), Message.status == MessageStatus.SENT)
    return [(message.to_email.partition("@")[0], message.subject) for message in rows.order_by(Message.id)]


def outcomes() -> list[tuple[str, str | None]]:
    db.session.expire_all()
    rows = db.session.query(Message).filter(Message.kind.startswith("reminder")).order_by(Message.id)
    return [(str(message.status), message.outcome) for message in rows]


def test_those_who_wait_hear_that_they_still_do_and_who_came_up_does_not(event: Event) -> None:
    for name in ("Ada Obi", "Ravi Shah"):
        make_booking(event, name, f"{name[:3].lower()}@school.example", status=PlaceStatus.WAITING)
    make_booking(event, email="priya@school.example")
    set_rules(event, NewRule(Timing(5, Unit.SCHOOL_DAYS), To.WAITING))
    with on("9 08:00"):
        post_due()
        ada = db.session.query(Message).order_by(Message.id).first()
        place = db.session.get(Place, db.session.query(Reminder).filter_by(message_id=ada.id).one().place_id)
        place.status, place.confirmed_at = PlaceStatus.CONFIRMED, now()
        db.session.commit()
    assert look("9 08:01") == [("rav", "Still waiting: SENCo forum (1), in 7 days")]
    assert outcomes()[0] == ("dropped", "nobody it is for waits any more")


def test_who_asked_for_a_kind_hears_of_its_dates_unless_they_have_a_place_or_may_not_see_them(demo: Flask) -> None:
    category = make_category("Closing date")
    closing = make_event("LHNF", kind=Kind.DEADLINE, day=DAY, starts=time(17, 0), category_id=category.id)
    for_team = make_event("Team day", day=DAY, category_id=category.id, visibility=Visibility.TEAM)
    booked = make_event("Open day", day=DAY, category_id=category.id)
    people = [make_person(f"{name}@school.example", name.title()) for name in ("ada", "ravi", "uma")]
    for person in people:
        subscribe(person, [category])
    make_booking(booked, "Ravi", "ravi@school.example")
    db.session.add(Role(person_id=people[2].id, area_id=category.area_id, role=RoleName.FACILITATOR))
    db.session.commit()
    set_category_rules(category, [NewRule(Timing(1), To.SUBSCRIBERS)], by=None)
    with on("15 08:00"):
        assert post_due() == 6
        counts = count_readers([closing, for_team, booked])
    assert look("15 08:01") == [
        ("ada", "Closing date: LHNF, tomorrow"),
        ("ravi", "Closing date: LHNF, tomorrow"),
        ("uma", "Closing date: LHNF, tomorrow"),
        ("uma", "Coming up: Team day, tomorrow"),
        ("ada", "Coming up: Open day, tomorrow"),
        ("uma", "Coming up: Open day, tomorrow"),
    ]
    to = To.SUBSCRIBERS
    assert [counts[one.id, to] for one in (closing, for_team, booked)] == [3, 1, 2]
    assert [len(readers(one, to)) for one in (closing, for_team, booked)] == [3, 1, 2]
    message = db.session.query(Message).order_by(Message.id).first()
    assert "/reminders/stop/" in (message.unsubscribe or "")
    assert message.unsubscribe in message.text
    assert message.unsubscribe in message.html


def test_who_stops_between_queueing_and_sending_hears_nothing(demo: Flask) -> None:
    category = make_category("Closing date")
    make_event("LHNF", kind=Kind.DEADLINE, day=DAY, starts=time(17, 0), category_id=category.id)
    ada = make_person("ada@school.example", "Ada Obi")
    subscribe(ada, [category])
    set_category_rules(category, [NewRule(Timing(1), To.SUBSCRIBERS)], by=None)
    with on("15 08:00"):
        post_due()
        subscribe(ada, [])
    assert look("15 08:01") == []
    assert outcomes() == [("dropped", "they do not want these e-mails any more, or have a place")]


def test_host_and_team_hear_how_many_come_and_of_no_attendee(event: Event) -> None:
    db.session.add(Host(event_id=event.id, email="head@oakhurst.example", name="Jo Marsh", since=now()))
    make_organiser()
    make_booking(event, "Priya Nair", "priya@school.example")
    make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
    day_before = Timing(1, Unit.SCHOOL_DAYS, time(12, 0))
    set_rules(event, NewRule(day_before, To.HOSTS), NewRule(day_before, To.ORGANISERS))
    assert look("15 12:00") == [("head", "SENCo forum (1), tomorrow"), ("tom", "SENCo forum (1), tomorrow")]
    for message in db.session.query(Message):
        assert "1 of 30 places are taken, 1 person waits." in message.text
        assert "Priya" not in message.text + message.html
        assert "Ada" not in message.text + message.html
    host, tom = db.session.query(Message).order_by(Message.id)
    assert ("/manage/" in host.text, f"/manage/events/{event.id}/" in tom.text) == (False, True)


def test_a_host_who_is_taken_out_hears_nothing(event: Event) -> None:
    save(Host(event_id=event.id, email="head@oakhurst.example", name="Jo Marsh", since=now()))
    set_rules(event, NewRule(Timing(1), To.HOSTS))
    with on("15 08:00"):
        post_due()
        db.session.query(Host).delete()
        db.session.commit()
    assert look("15 08:01") == []
    assert outcomes() == [("dropped", "they are not host any more")]


def test_thanks_go_on_the_next_school_day_to_who_had_a_place_to_the_end(demo: Flask) -> None:
    friday = make_event(day=date(2027, 6, 18))
    make_booking(friday, "Priya Nair", "priya@school.example")
    gone = make_booking(friday, "Ada Obi", "ada@school.example")
    set_rules(friday, NewRule(Timing(1, at=time(9), after=True)))
    with on("17 12:00"):
        bookings.cancel(gone)
    assert look("19 09:00", "20 09:00", "21 08:59") == []
    assert look("21 09:00", "21 09:01", "25 09:00") == [("priya", "Thank you for coming: SENCo forum (1)")]


def test_thanks_that_are_two_weeks_late_do_not_go(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    set_rules(event, NewRule(Timing(1, at=time(9), after=True)))
    with time_machine.travel(datetime(2027, 7, 10, 9, 0, tzinfo=ZoneInfo("Europe/London"))):
        assert post_due() == 0
    assert [run.why_not for run in db.session.query(ReminderRun)] == [TOO_LATE]


OWN = NewRule(
    Timing(1),
    subject="[event]: bring a cup, [name]",
    text="Dear [name],\n\nsee you [left], [date], [time] at [where]. It is about [names].\n[link]\n\n[partnership]",
)


def test_own_words_are_filled_in_and_cannot_be_broken_by_a_name(event: Event) -> None:
    make_booking(event, "Priya [event] <b>Nair</b>", "priya@school.example")
    set_rules(event, OWN)
    assert look("15 08:00") == [("priya", "SENCo forum (1): bring a cup, Priya [event] <b>Nair</b>")]
    message = db.session.query(Message).one()
    lines = message.text.splitlines()
    assert lines[:3] == ["Dear Priya [event] <b>Nair</b>,", "", lines[2]]
    assert lines[2].startswith(
        "see you tomorrow, Wednesday 16 June 2027, 1.30pm to 3.30pm at . It is about Priya [event]"
    )
    assert "/bookings/" in lines[3]
    assert "&lt;b&gt;Nair" in message.html
    assert "<b>Nair" not in message.html


@pytest.mark.parametrize(
    ("subject", "text", "field", "sentence"),
    [
        ("Hello", "Dear [nmae]", "text", "There is no merge word [nmae]. Did you mean [name]?"),
        ("[wetter]", "Hello", "subject", "There is no merge word [wetter]. You can use [name]"),
        ("Hello", "[names] [link]", "text", "The text has no words of its own"),
        ("[event]", "Hello", "subject", "The subject has no words of its own"),
        ("Hello", "", "text", "Write the text too"),
        ("", "Hello", "subject", "Write a subject too"),
        ("Hello", "Dear [name, come", "text", "A merge word stands between [ and ]: write [name]."),
        ("Hello", "x" * 5001, "text", "at most 5,000 letters"),
    ],
)
def test_own_words_that_would_come_out_wrong_are_refused_at_saving(
    event: Event, subject, text, field, sentence
) -> None:
    rule = NewRule(Timing(1), subject=subject, text=text)
    for act in (
        lambda: set_rules(event, rule),
        lambda: set_category_rules(event.category, [rule], by=None),
        lambda: send_test(event, rule, to=make_organiser()),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert sentence in refused.value.sentence
        assert refused.value.field == field
        db.session.query(Role).delete()
        db.session.query(AuditEntry).delete()
        db.session.query(Person).delete()
        db.session.commit()
    assert db.session.query(Message).count() == 0


@pytest.mark.parametrize("to", [To.WAITING, To.SUBSCRIBERS])
def test_after_an_event_nobody_is_told_that_they_wait_or_that_it_comes(event: Event, to: To) -> None:
    with pytest.raises(Refused, match="After the event only"):
        set_rules(event, NewRule(Timing(1, after=True), to))


@pytest.mark.parametrize("to", list(To))
@pytest.mark.parametrize("own", [False, True])
def test_a_test_goes_to_who_asks_and_to_nobody_else(event: Event, to: To, own: bool) -> None:
    make_booking(event, "Ada Obi", "ada@school.example")
    tom = make_organiser()
    rule = NewRule(Timing(1), to, OWN.subject, OWN.text) if own else NewRule(Timing(1), to)
    with on("9 12:00"):
        send_test(event, rule, to=tom)
        deliver_due(worker="w", limit=10, still_wanted=still_wanted)
    message = db.session.query(Message).one()
    assert (message.to_email, message.status, message.subject[:6]) == (tom.email, MessageStatus.SENT, "Test: ")
    assert "Ada" not in message.text
    assert db.session.query(Reminder).count() == 0


@pytest.mark.parametrize("scope", ["event", "area", "all"])
def test_a_pause_holds_what_is_due_and_what_is_queued_and_then_each_goes_once(event: Event, scope: str) -> None:
    other = make_event("Another", day=DAY)
    tom = make_organiser()
    for one in (event, other):
        make_booking(one, email=f"priya{one.id}@school.example")
        set_rules(one, NewRule(Timing(7)), NewRule(Timing(1)))
    what = {"event": {"area": None, "event": event}, "area": {"area": event.area}, "all": {"area": None}}[scope]
    with on("9 08:00"):
        post_due()
        pause(**what, by=tom)
        pause(**what, by=tom)  # twice is once
    goes_on = [(f"priya{other.id}", f"Reminder: Another, {when}") for when in ("in 7 days", "tomorrow")]
    assert look("9 08:01", "10 09:00", "15 08:00") == (goes_on if scope == "event" else [])
    with on("15 10:00"):
        go_on(**what, by=tom)
    names = Counter(name for name, _ in look("15 10:06", "15 10:12"))
    assert names == Counter({f"priya{event.id}": 2, f"priya{other.id}": 2})
    said = [entry.action for entry in db.session.query(AuditEntry).order_by(AuditEntry.id)][-2:]
    assert said == ["paused the reminders of", "let go on the reminders of"]


def test_an_organiser_sets_the_kind_hours(event: Event) -> None:
    make_booking(event, email="priya@school.example")
    set_rules(event, NewRule(Timing(1, at=time(6, 30))))
    with pytest.raises(Refused, match="after the beginning"):
        set_kind_hours(event.area, time(9), time(9), by=make_organiser())
    set_kind_hours(db.session.query(Area).one(), time(6), time(20), by=make_organiser("b@vale-marsh.example"))
    assert look("15 06:29") == []
    assert look("15 06:30") == [("priya", "Reminder: SENCo forum (1), tomorrow")]


def test_a_closing_date_after_a_holiday_has_one_more_and_the_organiser_is_warned(demo: Flask) -> None:
    half_term = next(term for term in synthesise(2026) if term.number == 6)
    category = make_category("Closing date")
    closing = make_event(
        "Return", kind=Kind.DEADLINE, day=half_term.first_day, starts=time(17), category_id=category.id
    )
    early = make_event("Early", kind=Kind.DEADLINE, day=half_term.first_day, starts=time(8), category_id=category.id)
    week_later = make_event("Late", kind=Kind.DEADLINE, day=date(2027, 6, 16), starts=time(17), category_id=category.id)
    subscribe(make_person("ada@school.example", "Ada"), [category])
    set_category_rules(category, [NewRule(Timing(7), To.SUBSCRIBERS), NewRule(Timing(1), To.SUBSCRIBERS)], by=None)
    morning = f"{half_term.first_day:%A} {half_term.first_day.day} June, 8am"
    assert forecast.warnings(closing) == [
        f"All reminders of this closing date go before the holiday. One more goes on {morning}."
    ]
    assert forecast.warnings(early) == [
        "All reminders of this closing date go before the holiday, and it closes too early for one more."
    ]
    assert forecast.warnings(week_later) == []
    went = []
    for day in range(20, 32):
        with time_machine.travel(datetime(2027, 5, day, 18, 0, tzinfo=ZoneInfo("Europe/London"))):
            went.append(post_due())
    assert sum(went) == 2  # one for each of the two closing dates, on the last day of school
    day = half_term.first_day.day
    assert half_term.first_day.month == 6
    assert [subject for _, subject in look(f"{day} 08:00")][-1] == "Closing date: Return, today"


def test_seeing_before_sending_says_when_to_how_many_and_why_somebody_is_left_out(event: Event) -> None:
    make_booking(event, "Priya Nair", "priya@school.example")
    make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
    set_rules(event, NewRule(Timing(7)), NewRule(Timing(1)), NewRule(Timing(1, after=True)))
    with on("1 12:00"):
        coming, gone = forecast.of_event(event)
        assert [(f"{one.at:%d %H:%M}", one.rules, one.count, one.held) for one in coming] == [
            ("09 07:00", "7 days before at 8am", 1, False),
            ("15 07:00", "1 day before at 8am", 1, False),
            ("17 07:00", "1 day after at 8am", 1, False),
        ]
        assert coming[0].left_out == (LeftOut("Ada Obi", "waits and has no place yet"),)
        assert gone == []
    look("9 08:00")
    with on("10 12:00"):
        make_booking(event, "Ravi Shah", "ravi@school.example")
        coming, (gone,) = forecast.of_event(event)
        assert [one.count for one in coming] == [2, 2]
        assert (gone.rules, gone.counts, gone.why_not) == ("7 days before at 8am", Counter({MessageStatus.SENT: 1}), "")
        assert gone.left_out == (LeftOut("Ravi Shah", "came after it went, and had just heard of the event"),)


def test_the_coming_fortnight_is_read_in_as_many_statements_for_one_event_as_for_three(
    demo: Flask, event: Event
) -> None:
    def count() -> int:
        db.session.rollback()
        db.session.expire_all()
        with on("10 12:00"), statements(demo) as made:
            seen.append(forecast.of_area(event.area_id))
        return len(made)

    seen: list[list[forecast.Coming]] = []
    area_id = event.area_id
    make_booking(event, email="priya@school.example")
    set_category_rules(event.category, [NewRule(Timing(1)), NewRule(Timing(2), To.ORGANISERS)], by=None)
    one = count()
    for number in range(2):
        make_booking(make_event(f"Forum {number}", day=DAY))
    assert count() == one
    assert [len(found) for found in seen] == [2, 6]
    assert {found.count for found in seen[1] if found.to is To.PLACES} == {1}
    assert area_id == seen[0][0].event.area_id


def test_an_event_published_late_does_not_remind_for_the_past(demo: Flask) -> None:
    draft = make_event(day=DAY, status=EventStatus.DRAFT)
    tom = make_organiser()
    set_rules(draft, NewRule(Timing(7), To.ORGANISERS), NewRule(Timing(1), To.ORGANISERS))
    with on("10 12:00"):
        organiser.publish_drafts([draft], by=tom)
    assert look("10 12:01") == []
    assert look("15 08:00") == [("tom", "SENCo forum (1), tomorrow")]
