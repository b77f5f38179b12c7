"""Who owes a return, what an answer makes of it, and who is mailed what. On both databases."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.calendar.models import Event, Kind
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.tokens import link_token
from booking.deadlines import actions, queries
from booking.deadlines.actions import AskValues
from booking.deadlines.models import Answer, OwedBy, Return, ReturnStatus
from booking.deadlines.policy import Progress, Said, is_late, progress
from booking.directory.models import ContactRole, Person, Phase, School
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message, MessageStatus
from booking.organiser import actions as organiser
from booking.reminders import queries as reminder_queries
from booking.reminders.actions import NewRule, post_due, set_event_rules
from booking.reminders.models import To, Unit
from booking.reminders.planning import timing_of
from booking.reminders.policy import Timing
from booking.reminders.wording import say_rule
from scheduler.jobs import still_wanted
from tests.factories import (
    make_category,
    make_contact,
    make_event,
    make_group,
    make_organiser,
    make_person,
    make_school,
    values_of,
)

pytestmark = pytest.mark.both_databases
DAY = date(2027, 6, 16)  # a Wednesday; closes at 5pm


def on(text: str) -> AbstractContextManager[object]:
    day, clock = text.split()
    wall = datetime.combine(date(2027, 6, int(day)), time.fromisoformat(clock), ZoneInfo("Europe/London"))
    return time_machine.travel(wall, tick=False)


@pytest.fixture
def demo(demo_app: Flask) -> Iterator[Flask]:
    with demo_app.app_context(), time_machine.travel(datetime(2027, 5, 10, 9, 0, tzinfo=ZoneInfo("UTC")), tick=False):
        yield demo_app


@pytest.fixture
def schools(demo: Flask) -> list[School]:
    return [
        make_school("Oakhurst Primary School"),
        make_school("Millbrook High School", phase=Phase.SECONDARY),
        make_school("Foxglove Nursery", phase=Phase.NURSERY),
    ]


@pytest.fixture
def event(schools: list[School]) -> Event:
    return make_event("Spring data return", kind=Kind.DEADLINE, day=DAY, starts=time(17, 0))


def ask(event: Event, answer: Answer = Answer.REQUIRED, **values) -> None:
    boss = db.session.query(Person).filter_by(email="boss@vale-marsh.example").first()
    organiser.set_ask(event, AskValues(answer, **values), by=boss or make_person("boss@vale-marsh.example", "Boss"))


def owed(event: Event) -> dict[str, str]:
    db.session.expire_all()
    return {row.school.name.split()[0]: str(row.status) for row in queries.returns_of(event.id)}


def row_of(event: Event, school: School) -> Return:
    return db.session.query(Return).filter_by(event_id=event.id, school_id=school.id).one()


def look(*times: str) -> list[tuple[str, str]]:
    """Let the scheduler look and deliver at these times; return to whom all went so far, and what."""
    for text in times:
        with on(text):
            post_due()
            while deliver_due(worker="w", limit=100, still_wanted=still_wanted).touched:
                pass
    db.session.expire_all()
    rows = db.session.query(Message).filter(Message.status == MessageStatus.SENT).order_by(Message.id)
    return [(message.to_email.partition("@")[0], message.subject) for message in rows]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"Foxglove", "Millbrook", "Oakhurst"}),
        ({"owed_by": OwedBy.PHASES, "phases": (Phase.PRIMARY, Phase.SECONDARY)}, {"Millbrook", "Oakhurst"}),
    ],
)
def test_the_schools_that_owe_a_return_are_those_of_the_rule(event: Event, values, expected: set[str]) -> None:
    ask(event, **values)
    assert owed(event) == dict.fromkeys(sorted(expected), "outstanding")


def test_groups_and_chosen_schools_owe_and_the_returns_follow_the_directory(event: Event, schools) -> None:
    group = make_group("Pilot", schools[:2])
    ask(event, owed_by=OwedBy.GROUPS, group_ids=(group.id,))
    assert set(owed(event)) == {"Millbrook", "Oakhurst"}
    group.schools.append(schools[2])
    schools[0].closed_on = date(2027, 5, 1)
    db.session.commit()
    assert [actions.keep_in_step(), actions.keep_in_step()] == [2, 0]
    assert set(owed(event)) == {"Foxglove", "Millbrook"}
    ask(event, owed_by=OwedBy.CHOSEN, school_ids=(schools[1].id,))
    assert set(owed(event)) == {"Millbrook"}
    make_school("A new school")
    assert actions.keep_in_step() == 0


def test_what_was_answered_stays_when_the_rule_changes(event: Event, schools) -> None:
    ask(event)
    actions.answer(row_of(event, schools[2]), Said.SUBMITTED, who="Fay", number=2)
    ask(event, owed_by=OwedBy.PHASES, phases=(Phase.PRIMARY,))
    assert owed(event) == {"Foxglove": "submitted", "Oakhurst": "outstanding"}
    ask(event, Answer.NONE)
    assert owed(event) == {"Foxglove": "submitted"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"owed_by": OwedBy.PHASES}, "phases"),
        ({"owed_by": OwedBy.GROUPS}, "groups"),
        ({"owed_by": OwedBy.CHOSEN}, "schools"),
    ],
)
def test_a_rule_without_schools_is_refused(event: Event, values, field: str) -> None:
    with pytest.raises(Refused) as refused:
        ask(event, **values)
    assert refused.value.field == field
    assert owed(event) == {}


def test_only_a_closing_date_asks(schools) -> None:
    with pytest.raises(Refused, match="Only a closing date"):
        ask(make_event(day=DAY))


def test_the_closing_minute_is_in_time_and_the_next_is_late() -> None:
    closes = datetime(2027, 6, 16, 16, 0, tzinfo=ZoneInfo("UTC"))
    assert [is_late(closes + timedelta(seconds=seconds), closes) for seconds in (-1, 0, 59, 60)] == [
        False,
        False,
        False,
        True,
    ]


def test_answers_are_counted_and_late_ones_are_marked(event: Event, schools) -> None:
    ask(event)
    make_school("Excused School")
    actions.keep_in_step()
    rows = {name: row for row in queries.returns_of(event.id) for name in [row.school.name.split()[0]]}
    with on("16 17:00"):
        actions.answer(rows["Oakhurst"], Said.SUBMITTED, who="Priya", number=3)
    with on("16 17:01"):
        actions.answer(rows["Millbrook"], Said.SUBMITTED, who="Max", number=2)
        actions.answer(rows["Excused"], Said.EXCUSED, who="Tom", by=make_organiser("x@vale-marsh.example"))
    found = progress(queries.returns_of(event.id), closes_at=queries.closes_at(event))
    assert found == Progress(owed=3, submitted=2, excused=1, outstanding=1, late=1, number=5)
    assert found.answered == 2


def test_an_answer_given_twice_is_one_and_may_be_changed_by_the_school(event: Event, schools) -> None:
    ask(event)
    row = row_of(event, schools[0])
    for who in ("Priya", "Daniel"):
        actions.answer(row, Said.NOTHING, who=who)
    db.session.refresh(row)
    assert (row.status, row.answered_by) == (ReturnStatus.NOTHING, "Priya")
    actions.answer(row, Said.SUBMITTED, who="Daniel", number=1)
    db.session.refresh(row)
    assert (row.status, row.number, row.answered_by) == (ReturnStatus.SUBMITTED, 1, "Daniel")


@pytest.mark.parametrize("said", [Said.EXCUSED, Said.OUTSTANDING, Said.NOT_THIS_YEAR])
def test_a_school_does_not_excuse_itself(event: Event, schools, said: Said) -> None:
    ask(event)
    with pytest.raises(Refused, match="Choose one of the answers"):
        actions.answer(row_of(event, schools[0]), said, who="Priya")
    assert set(owed(event).values()) == {"outstanding"}


def test_nothing_is_answered_that_was_called_off(event: Event, schools) -> None:
    ask(event)
    organiser.cancel_event(event, by=make_organiser(), note="")
    with pytest.raises(Refused, match="called off"):
        actions.answer(row_of(event, schools[0]), Said.SUBMITTED, who="Priya")


def test_a_closing_date_gets_the_usual_reminders_to_schools_unless_it_has_some(event: Event) -> None:
    set_event_rules(event, [NewRule(Timing(2), To.ORGANISERS)], by=None)
    ask(event)
    said = [say_rule(timing_of(rule), rule.to) for rule in reminder_queries.rules_for(event)]
    assert said == [
        "10 school days before at 8am, to schools that have not answered",
        "3 school days before at 8am, to schools that have not answered",
        "2 days before at 8am, to the organisers",
        "1 school day before at 8am, to schools that have not answered",
        "1 day after at 9am, to the organisers",
    ]
    ask(event, Answer.OPTIONAL)
    assert len(reminder_queries.rules_for(event)) == 5


def test_only_the_contacts_of_schools_that_owe_are_reminded_and_who_answers_hears_no_more(event, schools) -> None:
    for number, school in enumerate(schools):
        make_contact(school, f"senco{number}@school.example")
    make_contact(schools[0], "second@school.example")
    make_contact(schools[0], "office@school.example", ContactRole.OFFICE)
    make_contact(schools[1], "left@school.example", ends_on=date(2027, 6, 1))
    make_contact(schools[1], "comes@school.example", starts_on=date(2027, 9, 1))
    ask(event)
    set_event_rules(event, [NewRule(Timing(7), To.SCHOOLS), NewRule(Timing(1), To.SCHOOLS)], by=None)
    with on("8 10:00"):
        actions.answer(row_of(event, schools[2]), Said.NOTHING, who="Fay")
    first = [(name, "Closing date: Spring data return, in 7 days") for name in ("senco1", "senco0", "second")]
    assert sorted(look("9 08:00")) == sorted(first)
    with on("14 10:00"):
        actions.answer(row_of(event, schools[0]), Said.SUBMITTED, who="Priya")
    assert look("15 08:00")[3:] == [("senco1", "Closing date: Spring data return, tomorrow")]


def test_an_answer_between_queueing_and_sending_silences_what_is_queued(event: Event, schools) -> None:
    make_contact(schools[0], "senco@school.example")
    ask(event)
    set_event_rules(event, [NewRule(Timing(7), To.SCHOOLS)], by=None)
    with on("9 08:00"):
        assert post_due() == 1
        message = db.session.query(Message).one()
        assert f"/returns/{link_token(queries.RETURN_LINK, row_of(event, schools[0]).key)}" in message.text
        actions.answer(row_of(event, schools[0]), Said.SUBMITTED, who="Priya")
    assert look("9 08:01") == []
    assert db.session.query(Message).one().outcome == "the school has answered"


def test_near_the_date_the_headteachers_hear_of_what_must_be_answered_and_of_nothing_else(demo, schools) -> None:
    must = make_event("Return", kind=Kind.DEADLINE, day=DAY, starts=time(17))
    may = make_event("Panel", kind=Kind.DEADLINE, day=DAY, starts=time(17))
    for event, answer in ((must, Answer.REQUIRED), (may, Answer.OPTIONAL)):
        ask(event, answer)
        set_event_rules(event, [NewRule(Timing(1, Unit.SCHOOL_DAYS), To.HEADTEACHERS)], by=None)
    make_contact(schools[0], "head@school.example", ContactRole.HEADTEACHER)
    assert look("15 08:00") == [("head", "Closing date: Return, tomorrow")]


def test_the_day_after_the_organiser_gets_the_list(event: Event, schools) -> None:
    make_organiser()
    make_contact(schools[0], "senco@school.example")
    ask(event)
    set_event_rules(event, [NewRule(Timing(1, at=time(9), after=True), To.ORGANISERS)], by=None)
    with on("16 12:00"):
        actions.answer(row_of(event, schools[2]), Said.SUBMITTED, who="Fay")
    look("17 09:00")
    message = db.session.query(Message).one()
    assert (
        "1 of 3 schools have answered. Outstanding: Millbrook High School (no contact); Oakhurst Primary School."
        in message.text
    )


def test_not_this_year_silences_what_is_optional_of_the_kind_until_the_year_is_over(demo, schools) -> None:
    category = make_category("LHNF")
    dates = (date(2027, 6, 16), date(2027, 7, 7), date(2027, 9, 15))
    first, second, next_year = (
        make_event("LHNF", kind=Kind.DEADLINE, day=day, starts=time(12), category_id=category.id) for day in dates
    )
    other = make_event("Other", kind=Kind.DEADLINE, day=dates[1], category_id=make_category("Data").id)
    for event in (first, second, other):
        ask(event, Answer.OPTIONAL)
    actions.answer(row_of(first, schools[0]), Said.NOT_THIS_YEAR, who="Priya")
    later = make_event("LHNF", kind=Kind.DEADLINE, day=date(2027, 7, 14), starts=time(12), category_id=category.id)
    for event in (later, next_year):
        ask(event, Answer.OPTIONAL)
    stands = [owed(event)["Oakhurst"] for event in (first, second, later, other, next_year)]
    assert stands == ["nothing", "nothing", "nothing", "outstanding", "outstanding"]


def test_a_school_that_takes_back_not_this_year_owes_again_what_is_to_come_and_was_answered_with_it(
    demo, schools
) -> None:
    category = make_category("LHNF")
    days = (date(2027, 6, 2), date(2027, 6, 16), date(2027, 7, 7), date(2027, 7, 14), date(2027, 9, 15))
    over, answered, said, silenced, next_year = (
        make_event("LHNF", kind=Kind.DEADLINE, day=day, starts=time(12), category_id=category.id) for day in days
    )
    for event in (over, answered, said, silenced, next_year):
        ask(event, Answer.OPTIONAL)
    with on("1 09:00"):
        actions.answer(row_of(answered, schools[0]), Said.NOTHING, who="Priya")
        actions.answer(row_of(over, schools[1]), Said.NOT_THIS_YEAR, who="Max")
    with on("1 10:00"):
        actions.answer(row_of(said, schools[0]), Said.NOT_THIS_YEAR, who="Priya")
    with on("7 10:00"):
        row = row_of(said, schools[0])
        assert [actions.hear_again(row), actions.hear_again(row)] == [2, 0]
    stands = [owed(event)["Oakhurst"] for event in (over, answered, said, silenced, next_year)]
    assert stands == ["nothing", "nothing", "outstanding", "outstanding", "outstanding"]
    assert owed(silenced)["Millbrook"] == "nothing"
    assert queries.silences(silenced).keys() == {schools[1].id}


def test_chasing_writes_to_who_owes_once_an_hour_and_not_to_who_has_answered_since(event: Event, schools) -> None:
    for number, school in enumerate(schools):
        make_contact(school, f"senco{number}@school.example")
    ask(event)
    set_event_rules(event, [], by=None)
    tom = make_organiser()
    with on("14 10:00"):
        actions.answer(row_of(event, schools[2]), Said.NOTHING, who="Fay")
        assert actions.chase(event, by=tom) == 2
        actions.answer(row_of(event, schools[1]), Said.SUBMITTED, who="Max")
        with pytest.raises(Refused, match="within the last hour"):
            actions.chase(event, by=tom)
    assert look("14 10:01") == [("senco0", "Still to do: Spring data return, Oakhurst Primary School")]
    with on("17 10:00"):
        assert actions.chase(event, by=tom) == 1
        actions.answer(row_of(event, schools[0]), Said.SUBMITTED, who="Priya")
        with pytest.raises(Refused, match="Nobody is outstanding"):
            actions.chase(event, by=tom)


def test_a_contact_of_two_schools_is_not_chased_for_the_one_that_has_answered_since(event: Event, schools) -> None:
    for school in schools[:2]:
        make_contact(school, "executive@school.example")
    ask(event)
    set_event_rules(event, [], by=None)
    with on("14 10:00"):
        assert actions.chase(event, by=make_organiser()) == 2
        actions.answer(row_of(event, schools[0]), Said.SUBMITTED, who="Priya")
    assert look("14 10:01") == [("executive", "Still to do: Spring data return, Millbrook High School")]
    dropped = db.session.query(Message).filter_by(status=MessageStatus.DROPPED).one()
    assert (dropped.subject[-22:], dropped.outcome) == ("Oakhurst Primary School"[-22:], "the school has answered")


def test_who_is_no_contact_any_more_and_a_school_that_owes_nothing_any_more_are_not_chased(
    event: Event, schools
) -> None:
    contacts = [make_contact(school, f"senco{number}@school.example") for number, school in enumerate(schools)]
    ask(event)
    set_event_rules(event, [], by=None)
    with on("14 10:00"):
        assert actions.chase(event, by=make_organiser()) == 3
        contacts[0].ends_on = date(2027, 6, 13)
        db.session.commit()
        ask(event, owed_by=OwedBy.CHOSEN, school_ids=(schools[0].id, schools[1].id))
    assert look("14 10:01") == [("senco1", "Still to do: Spring data return, Millbrook High School")]
    reasons = {one.outcome for one in db.session.query(Message).filter_by(status=MessageStatus.DROPPED)}
    assert reasons == {"they are no contact of the school any more", "the school owes nothing any more"}


def test_over_the_years_shows_how_many_answered_each_time(demo, schools) -> None:
    category = make_category("Data")
    ended = []
    for year, answered in ((2025, 1), (2026, 2), (2027, 0)):
        event = make_event("Return", kind=Kind.DEADLINE, day=date(year, 6, 16), category_id=category.id)
        ask(event)
        for school in schools[:answered]:
            actions.answer(row_of(event, school), Said.SUBMITTED, who="x")
        ended.append(event)
    years = queries.over_the_years(ended[-1])
    assert [(one.event.day.year, one.progress.answered, one.progress.owed) for one in years] == [
        (2027, 0, 3),
        (2026, 2, 3),
        (2025, 1, 3),
    ]


def test_a_contact_sees_what_their_school_owes_and_who_only_says_to_be_from_there_does_not(event, schools) -> None:
    make_contact(schools[0], "senco@school.example")
    make_contact(schools[1], "senco@school.example")
    make_contact(schools[2], "left@school.example", ends_on=date(2027, 5, 1))
    ask(event)
    rows = queries.owed_by_schools_of("senco@school.example")
    assert [row.school.name for row in rows] == ["Oakhurst Primary School", "Millbrook High School"]
    assert [queries.owed_by_schools_of(f"{who}@school.example") for who in ("left", "anybody")] == [[], []]
    actions.answer(rows[0], Said.SUBMITTED, who="Priya")
    assert len(queries.owed_by_schools_of("senco@school.example")) == 1


def test_the_database_refuses_a_second_return_and_a_number_of_nothing(event: Event, schools) -> None:
    ask(event)
    given = {"event_id": event.id, "school_id": schools[0].id, "key": "x" * 16, "created_at": now()}
    for values in (
        {"status": "outstanding"},
        {"school_id": make_school().id, "status": "nothing", "number": 2, "answered_at": now()},
        {"school_id": make_school().id, "status": "submitted"},
    ):
        with pytest.raises(sa.exc.IntegrityError):
            db.session.execute(sa.insert(Return).values(**{**given, "answered_by": "", **values}))
        db.session.rollback()


def test_moving_a_closing_date_keeps_its_answers_and_reminds_anew(event: Event, schools) -> None:
    make_contact(schools[0], "senco@school.example")
    ask(event)
    set_event_rules(event, [NewRule(Timing(1), To.SCHOOLS)], by=None)
    actions.answer(row_of(event, schools[1]), Said.SUBMITTED, who="Max")
    assert len(look("15 08:00")) == 1
    with on("15 09:00"):
        tom = make_organiser()
        moved = replace(values_of(event), day=DAY + timedelta(days=7))
        organiser.edit_event(event, moved, by=tom, revision=event.revision)
    assert owed(event)["Millbrook"] == "submitted"
    assert len(look("22 08:00")) == 2
