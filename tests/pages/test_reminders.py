"""The pages of reminders by real forms: rules, own words, previews, tests, pauses, and who asks to be told."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.tokens import link_token
from booking.directory.models import Area, RoleName
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message, MessageStatus
from booking.reminders.actions import NewRule, post_due, set_category_rules, set_event_rules, still_wanted
from booking.reminders.mail import SUBSCRIPTION_LINK
from booking.reminders.models import ReminderPause, ReminderRule, Subscription, To, Unit
from booking.reminders.planning import timing_of
from booking.reminders.policy import Timing
from booking.reminders.wording import say_rule
from tests.factories import make_booking, make_category, make_event, make_organiser, make_person, sign_in, the_area
from tests.forms import Forms, errors, form_at, outcome, send, told

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term
WEDNESDAY = date(2027, 3, 10)


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def event(app: Flask) -> Event:
    with app.app_context():
        return make_event(day=WEDNESDAY)


def find(app: Flask, event_id: int) -> Event:
    with app.app_context():
        return db.session.get(Event, event_id)


def rules(app: Flask) -> list[str]:
    with app.app_context():
        found = db.session.query(ReminderRule).filter_by(active=True).order_by(ReminderRule.id)
        return [say_rule(timing_of(rule), rule.to) + (f" “{rule.subject}”" if rule.subject else "") for rule in found]


def row(at_row: int, /, **values: str) -> dict[str, str]:
    """What somebody types into one row of the form."""
    usual = {"number": "7", "when": "days before", "at": "08:00", "to": "places", "subject": "", "text": ""}
    return {f"rules-{at_row}-{name}": value for name, value in {**usual, **values}.items()}


def test_a_kind_of_event_is_given_its_reminders(app: Flask, tom: FlaskClient, event: Event) -> None:
    path = f"/manage/reminders/{event.category_id}"
    assert path in tom.get("/manage/reminders/").text
    page = send(tom, path, **{"rules-0-number": "7"})
    assert (outcome(page), told(page)) == ("saved", ["Saved when to remind of SENCo forum."])
    assert rules(app) == ["7 days before at 8am, to those with a place"]
    page = tom.post(
        path,
        data={
            **row(0),
            **row(1, number="1", when="school days before", at="12:30", to="organisers"),
            **row(2, number="30", when="minutes before", at="", subject="Soon: [event]", text="Dear [name],\n\nsoon."),
            **row(3, number="1", when="days after", at="09:00"),
            **row(4, number=""),
        },
        follow_redirects=True,
    )
    assert outcome(page) == "saved"
    assert rules(app) == [
        "7 days before at 8am, to those with a place",
        "1 school day before at 12.30pm, to the organisers",
        "30 minutes before it starts, to those with a place “Soon: [event]”",
        "1 day after at 9am, to those with a place",
    ]
    assert "30 minutes before it starts, to those with a place, in your own words" in page.text
    shown = form_at(tom, path)
    assert [shown[f"rules-{n}-number"] for n in range(5)] == [["7"], ["1"], ["30"], ["1"], [""]]
    assert (outcome(tom.post(path, data=row(0, number=""), follow_redirects=True)), rules(app)) == ("saved", [])
    assert "none" in tom.get("/manage/reminders/").text
    with app.app_context():
        assert [e.action for e in db.session.query(AuditEntry)] == ["set the reminders of"] * 3


BAD = {
    "too far": (row(0, number="61"), "rules-0-number", "A reminder goes at most 60 days before or after."),
    "too many weeks": (row(0, number="9", when="weeks before"), "rules-0-number", "A reminder goes at most 60 days"),
    "negative": (row(0, number="-1"), "rules-0-number", "Enter a number, such as 7"),
    "in words": (row(0, number="two"), "rules-0-number", "Enter a number, such as 7"),
    "in another script": (row(0, number="٣"), "rules-0-number", "Enter a number, such as 7"),
    "very long": (row(0, number="9" * 5000), "rules-0-number", "Enter a number, such as 7"),
    "no number": (row(0, number="", subject="Hello", text="Hello"), "rules-0-number", "Enter a number, such as 7"),
    "no time": (row(0, at="25:00"), "rules-0-at", "This is not a time. Write it like 13:30"),
    "waiting after": (row(0, when="days after", to="waiting"), "rules-0-to", "After the event only those with a place"),
    "merge word": (row(0, subject="Hello", text="Dear [nmae]"), "rules-0-text", "Did you mean [name]?"),
    "half": (row(0, subject="Hello"), "rules-0-text", "Write the text too"),
    "half the other way": (row(0, text="Hello"), "rules-0-subject", "Write a subject too"),
    "empty subject": (
        row(0, subject="[event]", text="Hello"),
        "rules-0-subject",
        "The subject has no words of its own",
    ),
    "loose bracket": (row(0, subject="Dear name]", text="Hello"), "rules-0-subject", "write [name]."),
    "braces": (row(0, subject="Dear {name}", text="Hello"), "rules-0-subject", "write [name]."),
    "empty": (row(0, subject="Hello", text="[link]"), "rules-0-text", "The text has no words of its own"),
    "the same": ({**row(0), **row(1)}, "rules-1-number", "Two reminders are the same. Take one of them out."),
    "second row": ({**row(0), **row(1, number="99")}, "rules-1-number", "A reminder goes at most 60 days"),
    "nobody": (row(0, to="everybody"), "rules-0-to", "Choose from the list"),
    "unit": (row(0, when="years before"), "rules-0-when", "Choose from the list"),
}


@pytest.mark.parametrize(("typed", "field", "sentence"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("button", ["save", "preview", "test"])
def test_reminders_that_cannot_be_are_told_at_their_field_and_what_was_typed_is_kept(
    app: Flask, tom: FlaskClient, event: Event, button: str, typed: dict[str, str], field: str, sentence: str
) -> None:
    for path in (f"/manage/reminders/{event.category_id}", f"/manage/events/{event.id}/reminders/"):
        page = tom.post(path, data={"whose": "own", button: "1", **typed})
        assert (page.status_code, outcome(page)) == (422, "invalid")
        ((where, said),) = errors(page)
        assert (where, sentence in said.replace("&#39;", "’")) == (field, True)
        kept = Forms(page).forms[path]
        shown = {name: kept[name][0] for name in typed}
        # What does not stand on a list was typed by nobody, and cannot be shown in it.
        assert shown == typed or (sentence == "Choose from the list" and shown | {field: typed[field]} == typed)
    assert rules(app) == []
    assert not find(app, event.id).own_reminders
    with app.app_context():
        assert db.session.query(Message).count() == 0


def test_another_row_is_added_and_nothing_typed_is_lost(tom: FlaskClient, event: Event) -> None:
    path = f"/manage/reminders/{event.category_id}"
    page = tom.post(path, data={"add": "1", **row(0, number="99"), **row(1, text="Hello {")})
    kept = Forms(page).forms[path]
    assert (page.status_code, outcome(page)) == (200, None)
    assert (kept["rules-0-number"], kept["rules-1-text"], kept["rules-2-number"]) == (["99"], ["Hello {"], [""])
    eight = {name: text for number in range(8) for name, text in row(number, number=str(number)).items()}
    page = tom.post(path, data={"add": "1", **eight})
    assert "rules-8-number" not in page.text
    assert 'name="add"' not in page.text


def test_a_preview_shows_each_mail_and_saves_nothing(app: Flask, tom: FlaskClient, event: Event) -> None:
    with app.app_context():
        make_booking(db.session.get(Event, event.id), "Ada Obi")
    own = {"subject": "[event]: bring a cup", "text": "Dear [name],\n\nit is [left]."}
    page = tom.post(
        f"/manage/reminders/{event.category_id}",
        data={"preview": "1", **row(0, **own), **row(1, number="1", to="organisers")},
    )
    assert (page.status_code, outcome(page)) == (200, None)
    assert "SENCo forum (1): bring a cup" in page.text
    assert "Dear Tom Okafor," in page.text
    assert "it is in 7 days." in page.text  # as it reads on the day it goes
    assert "1 of 30 places are taken" in page.text
    assert "Ada Obi" not in page.text
    assert rules(app) == []
    assert Forms(page).forms[page.request.path]["rules-0-subject"] == ["[event]: bring a cup"]


def test_a_test_goes_to_the_organiser_alone(app: Flask, tom: FlaskClient, event: Event) -> None:
    page = tom.post(f"/manage/events/{event.id}/reminders/", data={"whose": "own", "test": "1", **row(0)})
    assert "On the way to tom@vale-marsh.example. Nothing is saved yet." in told(page)
    kept = Forms(page).forms[page.request.path]
    assert (kept["whose"], kept["rules-0-number"]) == (["own"], ["7"])
    with app.app_context():
        assert [(m.to_email, m.subject) for m in db.session.query(Message)] == [
            ("tom@vale-marsh.example", "Test: Reminder: SENCo forum (1), in 7 days")
        ]
    assert rules(app) == []


def test_without_a_number_there_is_nothing_to_try(app: Flask, tom: FlaskClient, event: Event) -> None:
    for button in ("preview", "test"):
        page = tom.post(f"/manage/reminders/{event.category_id}", data={button: "1", **row(0, number="")})
        assert told(page) == ["There is no reminder to show: say first how long before or after. Nothing is saved."]
    with app.app_context():
        assert db.session.query(Message).count() == 0


def test_more_reminders_than_there_may_be_are_refused(app: Flask, tom: FlaskClient, event: Event) -> None:
    nine = {name: text for number in range(9) for name, text in row(number, number=str(number)).items()}
    page = tom.post(f"/manage/reminders/{event.category_id}", data=nine)
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page) == [("rules-8-number", "At most 8 reminders are possible.")]
    assert Forms(page).forms[page.request.path]["rules-3-number"] == ["3"]
    assert rules(app) == []


def test_reminders_beyond_what_the_form_reads_are_refused_too(app: Flask, tom: FlaskClient, event: Event) -> None:
    many = {name: text for number in range(100) for name, text in row(number, number=str(number % 60)).items()}
    page = tom.post(f"/manage/reminders/{event.category_id}", data=many)
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [("rules-98-number", "At most 8 reminders are possible.")]
    assert rules(app) == []


def test_a_time_does_not_count_for_minutes_and_hours_and_is_8am_where_none_is_said(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    typed = {**row(0, number="3", when="hours before", at="25:00"), **row(1, at="")}
    page = tom.post(f"/manage/reminders/{event.category_id}", data=typed, follow_redirects=True)
    assert outcome(page) == "saved"
    assert rules(app) == [
        "3 hours before it starts, to those with a place",
        "7 days before at 8am, to those with a place",
    ]


def test_a_kind_without_an_event_says_that_there_is_nothing_to_show_it_with(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        category = make_category("Conference")
    for button in ("preview", "test"):
        page = tom.post(f"/manage/reminders/{category.id}", data={button: "1", **row(0)})
        assert (page.status_code, "There is no event of this kind yet" in page.text) == (200, True)


def test_an_event_is_given_reminders_of_its_own_none_or_those_of_its_kind_again(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    with app.app_context():
        make_booking(db.session.get(Event, event.id))
        set_category_rules(make_category(), [NewRule(Timing(5))], by=None)
    path = f"/manage/events/{event.id}/reminders/"
    assert "1 person: those with a place" in tom.get(path).text
    page = send(tom, path, whose="own", **{"rules-0-number": "3"})
    assert (outcome(page), page.request.path) == ("saved", f"/manage/events/{event.id}/")
    assert "3 days before at 8am, to those with a place (its own)" in page.text
    assert find(app, event.id).own_reminders
    page = send(tom, path, whose="own", **{"rules-0-number": ""})
    assert (outcome(page), "<dd>none (its own)" in page.text) == ("saved", True)
    page = send(tom, path, whose="category")
    assert "5 days before at 8am, to those with a place · " in page.text
    assert not find(app, event.id).own_reminders
    assert rules(app) == ["5 days before at 8am, to those with a place"]
    assert find(app, event.id).sequence == 0


def test_what_stands_in_the_rows_does_not_matter_to_an_event_that_follows_its_kind(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    path = f"/manage/events/{event.id}/reminders/"
    page = tom.post(path, data={"whose": "category", **row(0, number="99")}, follow_redirects=True)
    assert outcome(page) == "saved"
    assert not find(app, event.id).own_reminders


def test_a_closing_date_reminds_nobody_with_a_place(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        deadline = make_event(kind=Kind.DEADLINE, day=WEDNESDAY)
    path = f"/manage/events/{deadline.id}/reminders/"
    page = tom.get(path)
    assert 'value="places"' not in page.text
    assert 'value="subscribers"' in page.text
    page = tom.post(path, data={"whose": "own", **row(0)})
    assert (page.status_code, errors(page)) == (422, [("rules-0-to", "Choose from the list")])
    assert outcome(tom.post(path, data={"whose": "own", **row(0, to="organisers")}, follow_redirects=True)) == "saved"
    assert tom.get("/manage/reminders/999").status_code == 404
    assert tom.get("/manage/events/999/reminders/").status_code == 404


def test_what_nobody_can_get_is_not_shown_at_a_closing_date(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        everybody = [NewRule(Timing(7)), NewRule(Timing(2), To.ORGANISERS), NewRule(Timing(1), To.WAITING)]
        set_category_rules(make_category(), everybody, by=None)
        deadline = make_event("LHNF", kind=Kind.DEADLINE, day=WEDNESDAY)
    page = tom.get(f"/manage/events/{deadline.id}/reminders/")
    assert Forms(page).forms[page.request.path]["rules-0-to"] == ["organisers"]
    assert 'id="rules-2-number"' not in page.text
    coming = tom.get("/manage/reminders/coming").text
    for shown in (page.text, coming, tom.get(f"/manage/events/{deadline.id}/").text):
        assert ("2 days before at 8am" in shown, "1 day before" in shown, "7 days before" in shown) == (
            True,
            False,
            False,
        )


def test_a_draft_says_that_nothing_goes_yet_and_a_cancelled_event_that_nothing_goes_any_more(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    path = f"/manage/events/{event.id}/reminders/"
    with app.app_context():
        set_category_rules(make_category(), [NewRule(Timing(1))], by=None)
        draft = make_event(day=WEDNESDAY, status=EventStatus.DRAFT)
    shown = tom.get(f"/manage/events/{draft.id}/reminders/").text
    assert "This is a draft: nothing goes before it is published." in shown
    assert "Tuesday 9 March, 8am" in shown
    assert "Tuesday 9 March, 8am" in tom.get(path).text
    send(tom, f"/manage/events/{event.id}/cancel")
    shown = tom.get(path).text
    assert ("This event is cancelled: nothing goes any more." in shown, "Tuesday 9 March" in shown) == (True, False)


def test_the_event_page_says_that_all_reminders_go_before_the_holiday(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        first_day = date(2027, 6, 7)
        deadline = make_event(kind=Kind.DEADLINE, day=first_day, starts=time(17))
        set_event_rules(deadline, [NewRule(Timing(1), To.ORGANISERS)], by=None)
    sentence = "All reminders of this closing date go before the holiday. One more goes on Monday 7 June, 8am."
    for path in (f"/manage/events/{deadline.id}/", f"/manage/events/{deadline.id}/reminders/"):
        assert sentence in tom.get(path).text
    page = send(tom, f"/manage/events/{deadline.id}/edit", title="LHNF closes")
    assert told(page) == ["Saved.", sentence]
    assert page.text.count(sentence) == 1


def test_an_organiser_sees_what_went_and_who_was_left_out(app: Flask, tom: FlaskClient, event: Event) -> None:
    with app.app_context():
        here = db.session.get(Event, event.id)
        make_booking(here, "Ada Obi", status=PlaceStatus.WAITING)
        make_booking(here, "Priya Nair", "priya@school.example")
        set_event_rules(here, [NewRule(Timing(7)), NewRule(Timing(1))], by=None)
    with time_machine.travel(datetime(2027, 3, 3, 9, 0, tzinfo=UTC)), app.app_context():
        post_due()
    page = tom.get(f"/manage/events/{event.id}/reminders/").text
    assert "Ada Obi: waits and has no place yet" in page
    assert re.search(r"7 days before at 8am, to those with a place</td>\s*<td[^>]*>1 waiting to go", page)


def test_of_a_crowd_the_page_says_how_many_and_names_nobody(app: Flask, tom: FlaskClient, event: Event) -> None:
    with app.app_context():
        here = db.session.get(Event, event.id)
        here.capacity = None
        make_booking(here, "Ada Obi", status=PlaceStatus.WAITING)
        usual = {"event_id": here.id, "name": "Ravi Shah", "email": "r@school.example"}
        booking_id = make_booking(here, "Priya Nair").id
        attendees = [{"attendee_key": f"{n}|ravi", "key": f"key {n}", "booking_id": booking_id} for n in range(499)]
        set_event_rules(here, [NewRule(Timing(7))], by=None)

    def page(number: int) -> str:
        with app.app_context():
            rows = [{**usual, **one, "status": PlaceStatus.CONFIRMED} for one in attendees[:number]]
            db.session.execute(sa.insert(Place), rows)
            db.session.commit()
        del attendees[:number]
        return tom.get(f"/manage/events/{event.id}/reminders/").text

    named, crowded = page(498), page(1)
    assert ("499 people: those with a place" in named, "500 people: those with a place" in crowded) == (True, True)
    assert ["Ada Obi: waits" in one for one in (named, crowded)] == [True, False]
    assert ["More than 500 people" in one for one in (named, crowded)] == [False, True]


def test_an_organiser_sees_why_a_mail_did_not_go(app: Flask, tom: FlaskClient, event: Event) -> None:
    with app.app_context():
        here = db.session.get(Event, event.id)
        make_booking(here, "Ada Obi", "ada@school.example")
        make_booking(here, "Priya Nair", "priya@school.example")
        set_event_rules(here, [NewRule(Timing(7))], by=None)
    became = {
        "ada@school.example": (MessageStatus.FAILED, "550 There is no such mailbox"),
        "priya@school.example": (MessageStatus.DROPPED, "the place was given back"),
    }
    with time_machine.travel(datetime(2027, 3, 3, 9, 0, tzinfo=UTC)), app.app_context():
        post_due()
        for mail in db.session.query(Message):
            mail.status, mail.outcome = became[mail.to_email]
        db.session.commit()
    page = tom.get(f"/manage/events/{event.id}/reminders/").text
    assert "1 refused, 1 not needed any more" in page
    assert "(550 There is no such mailbox; the place was given back)" in page


def test_the_coming_fortnight_shows_what_goes_when_to_how_many(app: Flask, tom: FlaskClient, event: Event) -> None:
    assert "Nothing goes in the coming fortnight" in tom.get("/manage/reminders/coming").text
    with app.app_context():
        make_booking(db.session.get(Event, event.id))
        set_event_rules(db.session.get(Event, event.id), [NewRule(Timing(7)), NewRule(Timing(1), To.WAITING)], by=None)
    page = tom.get("/manage/reminders/coming").text
    assert ["Wednesday 3 March 2027" in page, "Tuesday 9 March 2027" in page] == [True, True]
    assert "1 person: those with a place" in page
    assert "nobody yet: those who wait" in page


@pytest.mark.parametrize("scope", ["area", "event"])
def test_reminders_are_held_and_let_go_on(app: Flask, tom: FlaskClient, event: Event, scope: str) -> None:
    page = f"/manage/events/{event.id}/reminders/" if scope == "event" else "/manage/reminders/"
    path = f"{page}pause"
    with app.app_context():
        set_category_rules(make_category(), [NewRule(Timing(7)), NewRule(Timing(1))], by=None)
    answer = tom.post(path, data={"do": "pause", "scope": "area"}, follow_redirects=True)
    assert (outcome(answer), "<b>On hold</b> since Monday 1 March, 10am" in answer.text) == ("saved", True)
    held = tom.get("/manage/reminders/coming").text
    assert (held.count(">On hold<"), held.count("<tr><td")) == (2, 2)
    assert ">On hold<" in tom.get(f"/manage/events/{event.id}/").text
    with app.app_context():
        assert db.session.query(ReminderPause).count() == 1
    answer = tom.post(path, data={"do": "go-on", "scope": "area"}, follow_redirects=True)
    assert (outcome(answer), "<b>On hold</b>" in answer.text) == ("saved", False)
    for path in ("/manage/reminders/coming", f"/manage/events/{event.id}/"):
        assert ">On hold<" not in tom.get(path).text
    with app.app_context():
        assert db.session.query(ReminderPause).count() == 0


def test_only_an_administrator_holds_everything(app: Flask, tom: FlaskClient) -> None:
    assert tom.post("/manage/reminders/pause", data={"do": "pause", "scope": "all"}).status_code == 403
    boss = app.test_client()
    with app.app_context():
        assert db.session.query(ReminderPause).count() == 0
        sign_in(boss, make_organiser("boss@vale-marsh.example", RoleName.ADMINISTRATOR))
    boss.post("/manage/reminders/pause", data={"do": "pause", "scope": "all"})
    page = tom.get("/manage/reminders/").text
    assert "no reminder of the whole installation goes until an administrator lets them go on." in page
    assert 'value="all"' not in page


def test_the_kind_hours_are_set_and_what_cannot_be_is_told(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        the_area()
    page = send(tom, "/manage/reminders/", first="06:45", last="20:00")
    assert outcome(page) == "saved"
    page = tom.post("/manage/reminders/", data={"first": "09:00", "last": "08:00"})
    assert (page.status_code, errors(page)) == (409, [("last", "The end has to be after the beginning.")])
    page = tom.post("/manage/reminders/", data={"first": "", "last": "25:00"})
    assert (page.status_code, [field for field, _ in errors(page)]) == (422, ["first", "last"])
    with app.app_context():
        area = db.session.query(Area).one()
        assert (area.kind_from, area.kind_until) == (time(6, 45), time(20))


def test_somebody_asks_to_be_told_of_a_kind_and_stops_it_by_the_link(app: Flask) -> None:
    client = app.test_client()
    with app.app_context():
        category, _other = make_category("Closing date"), make_category("Conference")
        sign_in(client, make_person("ada@school.example", "Ada Obi"))
        make_event("LHNF", kind=Kind.DEADLINE, day=WEDNESDAY, starts=time(17), category_id=category.id)
        set_category_rules(category, [NewRule(Timing(2, Unit.SCHOOL_DAYS), To.SUBSCRIBERS)], by=None)
    page = client.post("/my/reminders", data={"kind": [str(category.id), "999"]}, follow_redirects=True)
    assert outcome(page) == "saved"
    assert f'value="{category.id}" checked' in client.get("/my/reminders").text
    with time_machine.travel(datetime(2027, 3, 8, 9, 0, tzinfo=UTC)), app.app_context():
        post_due()
        deliver_due(worker="w", limit=10, still_wanted=still_wanted)
        message = db.session.query(Message).one()
        address = next(word for word in message.text.split() if "/reminders/stop/" in word)
    path = address.removeprefix("http://calendar.example.org")
    stranger = app.test_client()
    page = stranger.get(path)
    assert ("You asked to be told of Closing date." in page.text, page.status_code) == (True, 200)
    with app.app_context():
        assert db.session.query(Subscription).count() == 1  # a mail scanner followed the link
    page = stranger.post(path)
    assert (outcome(page), "You hear no more of Closing date" in page.text) == ("saved", True)
    for again in (stranger.get(path), stranger.post(path)):
        assert (again.status_code, "These e-mails have stopped already" in again.text) == (200, True)
    with app.app_context():
        assert db.session.query(Subscription).count() == 0
    assert stranger.get("/reminders/stop/" + "A" * 38).status_code == 404


def test_the_mail_clients_own_button_needs_no_page_before_it(app: Flask) -> None:
    client = app.test_client()
    with app.app_context():
        category = make_category("Closing date")
        sign_in(client, make_person("ada@school.example"))
    client.post("/my/reminders", data={"kind": [str(category.id)]})
    with app.app_context():
        token = link_token(SUBSCRIPTION_LINK, db.session.query(Subscription).one().key)
    answer = app.test_client().post(
        f"/reminders/stop/{token}", data={"List-Unsubscribe": "One-Click", "csrf_token": ""}
    )
    assert answer.status_code == 200
    with app.app_context():
        assert db.session.query(Subscription).count() == 0


def test_the_dates_that_somebody_looks_at_lead_to_being_told_of_them(app: Flask, event: Event) -> None:
    client = app.test_client()
    with app.app_context():
        other = make_category("Conference")
        make_event(category_id=other.id)
        set_category_rules(other, [NewRule(Timing(2, Unit.WEEKS), To.SUBSCRIBERS), NewRule(Timing(1))], by=None)
    choose = f"/my/reminders?kind={event.category_id}"
    for path in (f"{event.path}", "/events/?category=senco-forum"):
        assert f'href="{choose}"' in client.get(path).text
    assert 'href="/my/reminders"' in client.get("/feeds/").text
    assert "/my/reminders" not in client.get("/events/").text
    assert client.get(choose).headers["Location"] == f"/sign-in?next=/my/reminders?kind%3D{event.category_id}"
    with app.app_context():
        sign_in(client, make_person("ada@school.example", "Ada Obi"))
    assert 'href="/my/reminders"' in client.get("/my/").text
    page = client.get(choose).text
    assert re.findall(r'value="(\d+)"( checked)?>', page) == [(f"{other.id}", ""), (f"{event.category_id}", " checked")]
    assert ("2 weeks before at 8am<" in page, "nothing goes yet" in page) == (True, True)
    with app.app_context():
        assert db.session.query(Subscription).count() == 0  # to be ticked is not to be told
    assert client.get("/my/reminders?kind=x&kind=999&kind=-1").status_code == 200


def test_what_is_not_ticked_any_more_stops(app: Flask) -> None:
    client = app.test_client()
    with app.app_context():
        sign_in(client, make_person("ada@school.example", "Ada Obi"))
        kinds = [make_category("Closing date").id, make_category("Conference").id]
        hidden = make_category("Team and boards", visibility=Visibility.TEAM)
    client.post("/my/reminders", data={"kind": [str(kinds[0]), str(hidden.id)]}, follow_redirects=True)
    page = client.post("/my/reminders", data={"kind": str(kinds[1])}, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["Saved of which dates we tell you."])
    with app.app_context():
        assert [one.category_id for one in db.session.query(Subscription)] == [kinds[1]]
    client.post("/my/reminders")
    with app.app_context():
        assert db.session.query(Subscription).count() == 0


def test_hosts_are_kept_as_they_were_typed_and_no_public_page_names_them(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    path = f"/manage/events/{event.id}/edit"
    typed = "Amina Yusuf, amina@hall.example\r\n\r\nlee@school.example"
    assert outcome(send(tom, path, hosts=typed)) == "saved"
    assert form_at(tom, path)["hosts"] == ["Amina Yusuf <amina@hall.example>\nlee@school.example"]
    assert outcome(send(tom, path, title="SENCo forum (2)")) == "saved"
    desk = tom.get(f"/manage/events/{event.id}/").text
    assert "Amina Yusuf" in desk
    assert "lee@school.example" in desk
    assert find(app, event.id).sequence == 1  # of the title: hosts are nobody else's business
    wrong = "Amina Yusuf, amina@hall.example\nLee <lee@school>"
    page = tom.post(path, data={**form_at(tom, path), "hosts": wrong})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [
        ("hosts", "Line 2: “lee@school” is not an e-mail address. Write it like name@school.example.")
    ]
    assert Forms(page).forms[path]["hosts"] == [wrong]
    stranger, seen = app.test_client(), []
    addresses = [event.path, "/", "/events/", "/calendar/", f"/events/{event.id}/book", f"/events/{event.id}.ics"]
    for address in [*addresses, "/feeds/calendar.ics", "/feeds/senco-forum.ics"]:
        page = stranger.get(address, follow_redirects=True)
        assert page.status_code == 200
        seen.append(page.text)
    seen += [tom.get(f"/manage/events/{event.id}/places/{file}").text for file in ("export.csv", "print")]
    assert not [text for text in seen if "amina" in text.casefold() or "lee@school" in text]
