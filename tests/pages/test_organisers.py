"""The organisers' desk by real forms: events, who comes, files, roles, reminders, the outbox, the log."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from booking.bookings import actions as bookings
from booking.bookings.audit import audit as problems
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.bookings.queries import BOOKING_LINK
from booking.calendar.models import Event, EventStatus, Host, Kind, Visibility
from booking.calendar.wording import say_day
from booking.core import audit
from booking.core.audit import AuditEntry
from booking.core.clock import now, today
from booking.core.db import db
from booking.core.tokens import link_token
from booking.directory.models import Person, Role, RoleName
from booking.notifications.models import Message, MessageStatus
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_contact,
    make_event,
    make_organiser,
    make_person,
    make_school,
    make_venue,
    sign_in,
    the_area,
)
from tests.forms import Forms, errors, form_at, outcome, send, told

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term: free places go on by themselves
MONDAY = date(2027, 3, 8)
JUST_AFTER_NOON = datetime(2027, 3, 5, 12, 1, tzinfo=UTC)  # of the school day before
HEADER = [
    "Reference",
    "Name",
    "E-mail",
    "School",
    "Status",
    "Waiting number",
    "Prepare",
    "Booked by",
    "Booker’s e-mail",
]


def mails(app: Flask) -> list[tuple[str, str, str | None]]:
    with app.app_context():
        return [(m.kind, m.to_email, m.calendar_method) for m in db.session.query(Message).order_by(Message.id)]


def log(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.query(AuditEntry).order_by(AuditEntry.id)
        return [(row.actor_name, row.action) for row in rows]


def find(app: Flask, event_id: int) -> Event:
    with app.app_context():
        event = db.session.get(Event, event_id)
        assert event is not None
        return event


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def boss(app: Flask, client: FlaskClient) -> FlaskClient:
    """The browser of an administrator."""
    with app.app_context():
        the_area()
        sign_in(client, make_organiser("boss@vale-marsh.example", RoleName.ADMINISTRATOR))
    return client


# Events


def test_an_event_is_made_as_a_draft_and_published(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        category, audience = make_category("Conference"), make_audience("Headteachers")
        make_venue("Oak Suite")
    day = today() + timedelta(days=40)
    page = send(
        tom,
        "/manage/events/new",
        title="  Summer \n conference ",
        category=str(category.id),
        description="One\r\n\r\n- two",
        cost="£20",
        joining_link="https://meet.example.org/1",
        day=f"{day}",
        starts="9:30",
        ends="15:00",
        venue="oak suite",
        visibility="staff",
        private="y",
        audiences=[str(audience.id)],
        capacity="40",
        places_per_booking="4",
        closes_day=f"{day - timedelta(days=7)}",
        closes_time="12:30",
    )
    assert (page.status_code, outcome(page), page.request.path) == (200, "saved", "/manage/events/1/")
    assert told(page)[0] == "Saved as a draft. Nobody else sees it until you publish it."
    with app.app_context():
        event = db.session.get(Event, 1)
        assert (event.title, event.category.name, event.venue.name, event.cost) == (
            "Summer conference",
            "Conference",
            "Oak Suite",
            "£20",
        )
        assert (event.day, event.starts, event.ends, event.last_day) == (day, time(9, 30), time(15, 0), None)
        assert (event.status, event.visibility, event.private) == (EventStatus.DRAFT, Visibility.STAFF, True)
        assert (event.capacity, event.places_per_booking, event.takes_bookings) == (40, 4, True)
        assert [one.name for one in event.audiences] == ["Headteachers"]
        assert event.description == "One\n\n- two"
        path = event.path
    stranger = app.test_client()
    with app.app_context():
        make_contact(make_school(), "senco@school.example")
        sign_in(stranger, make_person("teacher@school.example"))
    assert stranger.get(path).status_code == 404
    page = tom.post("/manage/events/1/publish", follow_redirects=True)
    assert (outcome(page), told(page)[0]) == ("saved", "Published: it is on the calendar now.")
    assert stranger.get(path).status_code == 200
    assert tom.post("/manage/events/1/publish").status_code == 302
    assert log(app) == [("Tom Okafor", "created"), ("Tom Okafor", "published")]


def test_the_form_of_an_event_shows_what_it_is_and_sent_again_changes_nothing(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(
            capacity=40,
            venue_id=make_venue().id,
            visibility=Visibility.STAFF,
            private=True,
            description="One <b>two</b>\n\nthree",
            cost="Free",
            joining_link="https://meet.example.org/1?a=1&b=2",
            last_day=today() + timedelta(days=31),
            closes_at=now() + timedelta(days=3),
        )
        event.audiences = [make_audience("SENCos"), make_audience("Headteachers", position=1)]
        event.closes_at = event.closes_at.replace(second=0, microsecond=0)
        db.session.commit()
    before = {name: value for name, value in vars(find(app, event.id)).items() if name[0] != "_"}
    page = send(tom, f"/manage/events/{event.id}/edit")
    assert (outcome(page), told(page)[0]) == ("saved", "Saved.")
    after = {name: value for name, value in vars(find(app, event.id)).items() if name[0] != "_"}
    assert {name: value for name, value in after.items() if value != before.get(name)} == {
        "lock_count": before["lock_count"] + 1
    }
    assert log(app) == []


def test_a_closing_date_is_put_with_its_panel_and_both_pages_say_so(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        panel = make_event("LHNF panel", visibility=Visibility.TEAM, day=MONDAY, takes_bookings=False)
        closing = make_event("LHNF closes", kind=Kind.DEADLINE, day=MONDAY - timedelta(days=5))
    pages = {one.id: f"/manage/events/{one.id}/" for one in (panel, closing)}
    edit, there = pages[closing.id] + "edit", say_day(closing.day)
    assert f">{say_day(MONDAY)}: LHNF panel</option>" in tom.get(edit).text
    assert outcome(send(tom, edit, closes_for=str(panel.id))) == "saved"
    assert find(app, closing.id).closes_for_id == panel.id
    for event, other, words in ((closing, panel, "What it is for"), (panel, closing, "Closing date")):
        assert re.search(rf'<dt>{words}</dt><dd><a href="{pages[other.id]}">', tom.get(pages[event.id]).text)
        assert re.search(rf'<dt>{words}</dt><dd><a href="{other.path}">', tom.get(event.path).text)
    assert "What it is for" not in app.test_client().get(closing.path).text  # the panel is the team's own
    assert (
        f'value="{panel.id}"'
        not in tom.get(pages[panel.id] + "edit").text.split('name="closes_for"')[1].split("</select>")[0]
    )
    # What no longer fits is said.
    earlier = MONDAY - timedelta(days=6)
    said = told(send(tom, pages[panel.id] + "edit", day=f"{earlier}"))
    assert f"LHNF closes closes on {there}. Look whether that is right still." in said
    assert f"LHNF closes closes after it, on {there}." in said
    assert f"LHNF panel is before it, on {say_day(earlier)}." in tom.get(pages[closing.id]).text
    sentence = f"LHNF panel is before this closing date, on {say_day(earlier)}. Check both days."
    assert errors(send(tom, edit, cost="Free")) == [("closes_for", sentence)]
    for wrong in ("999", str(closing.id), "x"):
        assert errors(send(tom, edit, closes_for=wrong)) == [("closes_for", "Choose an event from the list")]
    there = pages[panel.id] + "edit"
    assert errors(send(tom, there, kind="deadline", takes_bookings="")) == [
        ("kind", "LHNF closes is for this event. Say there first what else it is for.")
    ]
    # Called off: what was to be sent for it is another matter.
    cancel = pages[panel.id] + "cancel"
    assert re.search(r"Its closing date stays: <a [^>]*>LHNF closes</a>", tom.get(cancel).text)
    send(tom, cancel)
    assert "What it is for has been cancelled: LHNF panel" in tom.get(pages[closing.id]).text
    assert outcome(send(tom, edit, closes_for="")) == "saved"
    assert find(app, closing.id).closes_for_id is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "  "}, [("title", "Enter a title")]),
        ({"title": "A" * 201}, [("title", "Use at most 200 letters")]),
        ({"day": ""}, [("day", "Enter the day")]),
        ({"day": "31.2.2027"}, [("day", "This is not a date. Write it like 2026-11-23")]),
        ({"day": "1066-10-14"}, [("day", "Check the year of this date")]),
        ({"starts": "25:00", "ends": ""}, [("starts", "This is not a time. Write it like 13:30")]),
        ({"starts": "", "ends": "15:00"}, [("ends", "Enter the start too, or leave the end empty")]),
        ({"starts": "15:00", "ends": "15:00"}, [("ends", "The end has to be after the start")]),
        ({"last_day": "2027-01-01"}, [("last_day", "The last day has to be after the first, or empty")]),
        ({"capacity": "many"}, [("capacity", "Enter a whole number, like 30")]),
        ({"capacity": "-1"}, [("capacity", "Enter a number from 0 to 100,000")]),
        ({"capacity": "9" * 30}, [("capacity", "Enter a number from 0 to 100,000")]),
        ({"places_per_booking": ""}, [("places_per_booking", "Enter how many places one booking may hold")]),
        ({"places_per_booking": "51"}, [("places_per_booking", "Enter a number from 1 to 50")]),
        (
            {"joining_link": "javascript:alert(1)"},
            [("joining_link", "Enter an address that begins with https://")],
        ),
        ({"closes_day": "2027-03-09"}, [("closes_day", "Booking has to close before the event starts")]),
        ({"closes_time": "12:00"}, [("closes_time", "Enter the day too, or leave the time empty")]),
        ({"category": "999"}, [("category", "Not a valid choice.")]),
        ({"kind": "party"}, [("kind", "Not a valid choice.")]),
        ({"visibility": "nobody"}, [("visibility", "Not a valid choice.")]),
        ({"audiences": ["999"]}, [("audiences", "'999' is not a valid choice for this field.")]),
        ({"description": "A" * 20_001}, [("description", "Use at most 20,000 letters")]),
        (
            {"venue": "A" * 121, "cost": "B" * 121},
            [("cost", "Use at most 120 letters"), ("venue", "Use at most 120 letters")],
        ),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_what_was_typed_is_kept(
    app: Flask, tom: FlaskClient, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    with app.app_context():
        make_category()
    typed = {"title": "Forum", "day": f"{MONDAY}", "starts": "13:30", "ends": "15:30", "description": "Kept", **changes}
    page = send(tom, "/manage/events/new", **typed)
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert sorted(field for field, _ in errors(page)) == sorted(field for field, _ in expected)
    if not {"kind", "category", "visibility", "audiences"} & set(changes):
        assert sorted(errors(page)) == sorted(expected)
    for field, _ in expected:
        assert re.search(rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-error" aria-invalid="true"', page.text)
    kept = Forms(page).forms["/manage/events/new"]
    for name, value in typed.items():
        if name not in {"category", "kind", "visibility", "audiences"}:
            assert kept[name] == [" ".join(value.split()) if name != "description" else value]
    assert page.text.startswith("<!doctype html>")
    assert "<title>Error: " in page.text
    with app.app_context():
        assert db.session.query(Event).count() == 0


def test_a_form_with_nothing_in_it_names_all_that_is_missing(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        make_category()
    page = tom.post("/manage/events/new", data={})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert {"title", "day", "category"} <= {field for field, _ in errors(page)}


def test_a_move_is_told_to_those_with_a_place_and_those_who_wait(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        make_booking(event, "Priya Nair", "priya@school.example")
        make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
        make_booking(event, "Gone", "gone@school.example", status=PlaceStatus.CANCELLED)
        other = make_booking(make_event("Another"), "Uma", "uma@school.example")
        assert other.id
    day = event.day + timedelta(days=7)
    page = send(tom, f"/manage/events/{event.id}/edit", day=f"{day}", venue="New hall")
    assert (outcome(page), told(page)[0]) == ("saved", "Saved. 2 people told of the move.")
    assert mails(app) == [("moved", "priya@school.example", "REQUEST"), ("moved", "ada@school.example", None)]
    moved = find(app, event.id)
    assert (moved.day, moved.sequence, moved.revision, moved.uid) == (day, 1, 2, event.uid)
    with app.app_context():
        text = db.session.query(Message).filter_by(to_email="priya@school.example").one().text
        assert "New hall" in text
        entry = db.session.query(AuditEntry).one()
        assert entry.action == "edited"
        assert entry.detail["changed"]["day"] == [f"{event.day}", f"{day}"]
    page = send(tom, f"/manage/events/{event.id}/edit", description="Bring a pen")
    assert told(page)[0] == "Saved."
    assert len(mails(app)) == 2


def test_a_draft_and_a_past_event_move_without_a_mail(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        draft, past = make_event(status=EventStatus.DRAFT), make_event(in_days=-10)
        make_booking(past)
    for event in (draft, past):
        page = send(tom, f"/manage/events/{event.id}/edit", starts="9:00")
        assert told(page)[0] == "Saved."
    assert mails(app) == []
    assert find(app, draft.id).sequence == 0


def test_a_move_of_what_is_booked_into_the_past_is_refused_at_its_field(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(closes_at=now() + timedelta(days=20))
        make_booking(event)
    page = send(tom, f"/manage/events/{event.id}/edit", day="2027-02-26", title="Renamed")
    assert (page.status_code, outcome(page)) == (409, "refused")
    sentence = (
        "Friday 26 February 2027 is in the past; choose a day to come. People have booked: nobody would hear of it."
    )
    assert errors(page) == [("day", sentence)]
    assert 'value="2027-02-26"' in page.text
    assert (find(app, event.id).day, find(app, event.id).title, mails(app), log(app)) == (
        event.day,
        event.title,
        [],
        [],
    )


def test_more_places_let_in_who_waits_and_fewer_than_are_taken_are_refused(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=2)
        for number in range(2):
            make_booking(event, f"Person {number}")
        make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
    page = send(tom, f"/manage/events/{event.id}/edit", capacity="1", title="New title")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page) == [("capacity", "2 places are taken already, so there cannot be fewer. Cancel places first.")]
    kept = Forms(page).forms[f"/manage/events/{event.id}/edit"]
    assert (kept["capacity"], kept["title"]) == (["1"], ["New title"])
    assert (find(app, event.id).capacity, find(app, event.id).title) == (2, "SENCo forum (1)")
    page = send(tom, f"/manage/events/{event.id}/edit", capacity="3")
    assert outcome(page) == "saved"
    assert mails(app) == [("promoted", "ada@school.example", "REQUEST")]
    with app.app_context():
        assert problems() == []


def test_what_people_have_booked_cannot_stop_taking_bookings(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
        make_booking(event)
    form = form_at(tom, f"/manage/events/{event.id}/edit")
    del form["takes_bookings"]
    page = tom.post(f"/manage/events/{event.id}/edit", data=form)
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page) == [("takes_bookings", "People have booked this. Cancel their places first.")]
    page = send(tom, f"/manage/events/{event.id}/edit", kind="deadline")
    assert (page.status_code, errors(page)[0][0]) == (409, "takes_bookings")


def test_who_edits_an_older_state_is_told_and_nothing_of_theirs_is_saved(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
    path = f"/manage/events/{event.id}/edit"
    stale = form_at(tom, path)
    send(tom, path, title="Quicker")
    page = tom.post(path, data={**stale, "title": "Slower", "cost": "£5"})
    assert (page.status_code, outcome(page)) == (409, "refused")
    ((field, sentence),) = errors(page)
    assert (field, sentence.startswith("Somebody else has changed this event")) == ("title", True)
    kept = Forms(page).forms[path]
    assert (kept["title"], kept["cost"]) == (["Slower"], ["£5"])
    assert find(app, event.id).title == "Quicker"
    for revision in ("", "x", "9" * 5000):
        assert tom.post(path, data={**stale, "revision": revision}).status_code == 409
    assert find(app, event.id).title == "Quicker"


def test_an_event_is_called_off_once_and_everybody_hears_of_it(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        booking = make_booking(event, "Priya Nair", "priya@school.example")
        make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
        bookings.tell_moved(event, was=bookings.When.of(event))  # so that it stands in her calendar
        db.session.query(Message).delete()
        db.session.commit()
    path = f"/manage/events/{event.id}/cancel"
    assert "2 bookings will hear of it" in tom.get(path).text
    page = send(tom, path, note="A" * 301)
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [("note", "Use at most 300 letters")]
    page = send(tom, path, note="The hall\nis flooded")
    assert (page.status_code, outcome(page)) == (200, "cancelled")
    assert told(page)[0] == "Cancelled. 2 e-mails on the way."
    assert mails(app) == [
        ("event_cancelled", "priya@school.example", "CANCEL"),
        ("event_cancelled", "ada@school.example", None),
    ]
    with app.app_context():
        assert all("The hall is flooded" in m.text for m in db.session.query(Message))
        assert [str(place.status) for place in db.session.query(Place).filter_by(booking_id=booking.id)] == [
            "confirmed"
        ]
    assert "Cancelled" in app.test_client().get(find(app, event.id).path).text
    page = tom.post(path, data={"note": "Again"}, follow_redirects=True)
    assert told(page)[0] == "Cancelled. No e-mails on the way."
    assert len(mails(app)) == 2
    assert find(app, event.id).cancel_note == "The hall is flooded"
    page = tom.post(f"/manage/events/{event.id}/publish")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert "A cancelled event cannot be published again" in page.text
    assert log(app) == [("Tom Okafor", "cancelled")]


def test_what_was_called_off_is_put_back_on_and_everybody_hears_of_it_once(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        booking = make_booking(event, "Priya Nair", "priya@school.example")
        make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
    path = f"/manage/events/{event.id}/restore"
    assert tom.get(path).headers["Location"] == f"/manage/events/{event.id}/"  # it is on
    send(tom, f"/manage/events/{event.id}/cancel", note="Snow")
    with app.app_context():
        db.session.query(Message).delete()
        db.session.commit()
    page = tom.get(f"/manage/events/{event.id}/")
    assert path in page.text
    assert "2 bookings stayed as they were" in tom.get(path).text
    page = send(tom, path)
    assert (outcome(page), told(page)[0]) == ("saved", "It is back on. 2 e-mails on the way.")
    assert mails(app) == [
        ("event_restored", "priya@school.example", "REQUEST"),
        ("event_restored", "ada@school.example", None),
    ]
    page = tom.post(path, follow_redirects=True)
    assert told(page)[0] == "It is back on. No e-mails on the way."
    assert len(mails(app)) == 2
    with app.app_context():
        link = link_token(BOOKING_LINK, db.session.merge(booking).key)
    assert "Cancelled" not in app.test_client().get(f"/bookings/{link}/").text


def test_a_place_that_came_free_while_the_event_was_off_goes_on_when_it_is_put_back_on(
    app: Flask, school_day: None, tom: FlaskClient
) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        make_booking(event, "Priya Nair", "priya@school.example")
        make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
    send(tom, f"/manage/events/{event.id}/cancel")
    send(tom, f"/manage/events/{event.id}/edit", capacity="2")
    send(tom, f"/manage/events/{event.id}/restore")
    assert mails(app)[-1] == ("promoted", "ada@school.example", "REQUEST")


def test_what_is_over_is_not_put_back_on(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(in_days=-2, status=EventStatus.CANCELLED)
    path = f"/manage/events/{event.id}/restore"
    assert "cannot be put back on" in tom.get(path).text
    page = tom.post(path)
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert find(app, event.id).status is EventStatus.CANCELLED


def test_a_draft_is_deleted_and_not_called_off_and_what_is_published_the_other_way_round(
    app: Flask, tom: FlaskClient
) -> None:
    with app.app_context():
        draft, published = make_event(status=EventStatus.DRAFT), make_event()
        draft.audiences = [make_audience()]
        db.session.commit()
    page = tom.post(f"/manage/events/{draft.id}/cancel", data={"note": ""})
    assert (page.status_code, outcome(page), "Delete it instead" in page.text) == (409, "refused", True)
    page = tom.post(f"/manage/events/{published.id}/delete")
    assert (page.status_code, outcome(page), "Cancel the event instead" in page.text) == (409, "refused", True)
    page = tom.post(f"/manage/events/{draft.id}/delete", follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["The draft is deleted."])
    with app.app_context():
        assert [event.id for event in db.session.query(Event)] == [published.id]
    assert tom.get(f"/manage/events/{draft.id}/").status_code == 404
    assert log(app) == [("Tom Okafor", "deleted the draft")]


def test_several_drafts_are_published_together_or_none(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        drafts = [make_event(f"Draft {n}", status=EventStatus.DRAFT) for n in range(3)]
        off = make_event("Off", status=EventStatus.CANCELLED)
    ids = [str(event.id) for event in drafts]
    action, page_of_drafts = "/manage/events/publish", "/manage/events/?show=drafts"
    page = send(tom, page_of_drafts, action)
    assert (outcome(page), told(page)) == (None, ["Tick the drafts to publish first."])
    for wrong, code in ((str(off.id), 409), ("999", 404)):
        page = tom.post(action, data={"event": [*ids, wrong]})
        assert page.status_code == code
        assert {find(app, event.id).status for event in drafts} == {EventStatus.DRAFT}
    page = send(tom, page_of_drafts, action, event=[ids[0], ids[2], ids[0], "99999999999999999999", "x"])
    assert (outcome(page), told(page)) == ("saved", ["2 drafts published."])
    assert [str(find(app, event.id).status) for event in drafts] == ["published", "draft", "published"]
    page = send(tom, page_of_drafts, action, event=ids)
    assert told(page) == ["1 draft published."]
    assert log(app) == [("Tom Okafor", "published")] * 3


def test_what_is_odd_about_a_day_is_said_and_not_refused(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(day=MONDAY)
    path = f"/manage/events/{event.id}/edit"
    for day, remark in (
        ("2027-03-13", "Saturday 13 March 2027 is at a weekend."),
        ("2027-05-03", "Monday 3 May 2027 is a bank holiday: "),
        ("2027-08-10", "Tuesday 10 August 2027 is in the school holidays."),
        ("2027-02-22", "Monday 22 February 2027 has passed."),
    ):
        page = send(tom, path, day=day)
        assert (page.status_code, outcome(page)) == (200, "saved")
        assert any(sentence.startswith(remark) for sentence in told(page))
    assert told(send(tom, path, day="2027-03-10")) == ["Saved."]


def test_the_list_of_events_is_sorted_searched_and_sifted(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        other = make_category("Coffee morning")
        make_event("Second", in_days=9)
        make_event("First", in_days=2)
        make_event("Morning 100%", in_days=3, category_id=other.id)
        make_event("Draft", status=EventStatus.DRAFT)
        make_event("Long ago", in_days=-20)
        make_event("Lately", in_days=-2)
        make_event("Off", status=EventStatus.CANCELLED, in_days=40)

    def titles(query: str) -> list[str]:
        page = tom.get(f"/manage/events/{query}")
        assert page.status_code == 200
        return re.findall(r'<a href="/manage/events/\d+/">([^<]+)</a>', page.text)

    assert titles("") == ["First", "Morning 100%", "Second", "Off"]
    assert titles("?show=drafts") == ["Draft"]
    assert titles("?show=past") == ["Lately", "Long ago"]
    assert titles("?show=cancelled") == ["Off"]
    assert titles("?show=nonsense") == ["First", "Morning 100%", "Second", "Off"]
    assert titles("?q=morning+%25") == ["Morning 100%"]
    assert titles("?q=_____") == []
    assert titles(f"?category={other.id}") == ["Morning 100%"]
    assert titles("?category=x&q=fi") == ["First"]
    assert titles("?category=999") == []


def test_the_list_of_events_says_where_the_drafts_are(app: Flask, tom: FlaskClient) -> None:
    def hint(query: str = "") -> list[str]:
        page = tom.get(f"/manage/events/{query}").text
        found = re.findall(r'<p[^>]*>([^<]*): <a href="/manage/events/\?show=drafts">show (?:it|them)</a>', page)
        return [" ".join(words.split()) for words in found]

    assert hint() == []
    with app.app_context():
        for day in (date(2024, 6, 3), date(2023, 9, 12)):
            make_event(status=EventStatus.DRAFT, day=day)
    assert hint() == ["2 drafts are in the school year 2023-24"]
    assert "Nothing here." in tom.get("/manage/events/").text
    assert hint("?show=drafts") == hint("?show=past") == []
    with app.app_context():
        make_event(status=EventStatus.DRAFT, day=MONDAY)
        make_event()
    assert hint() == ["3 drafts are in the school years 2023-24 (2) and 2026-27 (1)"]
    with app.app_context():
        for event in db.session.query(Event).filter(Event.day < date(2025, 1, 1)):
            db.session.delete(event)
        db.session.commit()
    assert hint() == ["1 draft is in the school year 2026-27"]


# Who comes


@pytest.fixture
def booked(app: Flask, tom: FlaskClient) -> Event:
    """An event with two confirmed, a group of two and one who wait, and one who cancelled."""
    with app.app_context():
        event, school = make_event("Forum", capacity=2), make_school("Oakhurst Primary")
        zoe = make_booking(event, "Zoë Ash", "zoe@school.example", school=school)
        zoe.needs = "Large print"
        make_booking(event, "Ben Carter", "ben@school.example", school=school)
        group = make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
        event = db.session.get(Event, event.id)
        event.last_position += 1
        colleague = Place(event_id=event.id, name="Uma Fenn", status=PlaceStatus.WAITING, position=event.last_position)
        colleague.attendee_key = "uma"
        group.places.append(colleague)
        make_booking(event, "Ravi Shah", "ravi@school.example", status=PlaceStatus.WAITING)
        make_booking(event, "Gone Away", "gone@school.example", status=PlaceStatus.CANCELLED)
        db.session.commit()
        return event


def rows(page: Any) -> list[tuple[str, str]]:
    found = re.findall(r'data-status="(\w+)"><th scope="row">([^<]+)<', page.text)
    return [(name, status) for status, name in found]


def test_who_comes_stands_in_order_and_can_be_searched(tom: FlaskClient, booked: Event) -> None:
    path = f"/manage/events/{booked.id}/places/"
    everybody = [
        ("Ben Carter", "confirmed"),
        ("Zoë Ash", "confirmed"),
        ("Ada Obi", "waiting"),
        ("Uma Fenn", "waiting"),
        ("Ravi Shah", "waiting"),
        ("Gone Away", "cancelled"),
    ]
    page = tom.get(path)
    assert rows(page) == everybody
    assert re.findall(r"<li><b>(\d+)</b> ([a-z ]+)", page.text) == [
        ("2", "confirmed "),
        ("1", "school"),
        ("3", "waiting"),
        ("1", "has needs"),
    ]
    assert "together with 1" in page.text
    assert "Large print" in page.text

    def found(query: str) -> list[str]:
        return [name for name, _ in rows(tom.get(path + query))]

    assert found("?q=zoe") == ["Zoë Ash"]
    assert found("?q=OAKHURST+ben") == ["Ben Carter"]
    assert found("?q=ada@school") == ["Ada Obi"]
    assert found("?q=ada") == ["Ada Obi", "Uma Fenn"]
    assert found("?status=waiting") == ["Ada Obi", "Uma Fenn", "Ravi Shah"]
    assert found("?status=cancelled&q=gone") == ["Gone Away"]
    assert found("?status=nonsense") == []
    assert "Nobody fits." in tom.get(path + "?q=nobody").text


def test_an_empty_list_says_so(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
    assert "Nobody has booked yet." in tom.get(f"/manage/events/{event.id}/places/").text


def test_somebody_is_added_also_after_booking_has_closed(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(closes_at=now() - timedelta(hours=1), capacity=2)
        school = make_school()
    path = f"/manage/events/{event.id}/places/add"
    guest = {"name": "Ada Obi", "email": "ada@school.example", "school": ""}
    assert app.test_client().post(f"/events/{event.id}/book", data=guest).status_code == 409
    form = form_at(tom, path)
    form |= {"name": "Priya Nair", "email": "Priya@School.example", "school": str(school.id), "needs": "Step-free"}
    for _ in range(2):  # sent twice, it books once
        page = tom.post(path, data=form, follow_redirects=True)
        assert (page.status_code, outcome(page)) == (200, "saved")
        assert told(page) == ["Priya Nair is confirmed. They have an e-mail."]
        assert rows(page) == [("Priya Nair", "confirmed")]
    page = send(tom, path, name="Priya Nair", email="priya@school.example")
    assert (page.status_code, outcome(page)) == (409, "refused")
    ((field, sentence),) = errors(page)
    assert (field, sentence.startswith("Priya Nair already has a place")) == ("name", True)
    send(tom, path, name="Daniel Achebe", email="daniel@school.example")
    assert "It is full: they join the waiting list." in tom.get(path).text
    page = send(tom, path, name="Uma Fenn", email="uma@school.example")
    assert told(page) == ["Uma Fenn is waiting. They have an e-mail."]
    assert [kind for kind, _, _ in mails(app)] == ["confirmed", "confirmed", "waiting"]
    assert ("Tom Okafor", "booked a place at") in log(app)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"name": "", "email": ""}, [("name", "Enter your name"), ("email", "Enter your e-mail address")]),
        ({"name": "Ada", "email": "ada"}, [("email", "Enter an e-mail address like name@school.example")]),
        (
            {"name": "Ada", "email": "a@b.example", "school": "999"},
            [("school", "Choose your school from the list")],
        ),
        ({"name": "Ada", "email": "a@b.example", "needs": "A" * 501}, [("needs", "Use at most 500 letters")]),
    ],
)
def test_who_is_added_wrongly_is_told_at_the_field(app: Flask, tom: FlaskClient, typed, expected) -> None:
    with app.app_context():
        event = make_event()
    page = send(tom, f"/manage/events/{event.id}/places/add", **typed)
    assert (page.status_code, outcome(page), errors(page)) == (422, "invalid", expected)
    kept = Forms(page).forms[f"/manage/events/{event.id}/places/add"]
    assert {name: kept[name] for name in ("name", "email", "needs")} == {
        name: [typed.get(name, "")] for name in ("name", "email", "needs")
    }
    with app.app_context():
        assert db.session.query(Booking).count() == 0


@pytest.mark.parametrize(
    "values",
    [{"in_days": -1}, {"status": EventStatus.CANCELLED}, {"status": EventStatus.DRAFT}, {"takes_bookings": False}],
)
def test_nobody_is_added_to_what_cannot_be_booked_at_all(app: Flask, tom: FlaskClient, values) -> None:
    with app.app_context():
        event = make_event(**values)
    page = send(tom, f"/manage/events/{event.id}/places/add", name="Ada", email="a@b.example")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page)[0][0] == "name"
    assert f"/manage/events/{event.id}/places/add" not in tom.get(f"/manage/events/{event.id}/places/").text


def test_a_place_is_cancelled_for_somebody_and_goes_on_to_who_waits(
    app: Flask, tom: FlaskClient, booked: Event
) -> None:
    path = f"/manage/events/{booked.id}/places/"
    links = re.findall(rf'href="({path}\d+/cancel)"', tom.get(path).text)
    assert len(links) == 5
    page = tom.get(links[1])
    assert (page.status_code, "Cancel Zoë Ash’s place?" in page.text) == (200, True)
    assert rows(tom.get(path))[1] == ("Zoë Ash", "confirmed")
    page = tom.post(links[1], follow_redirects=True)
    assert (outcome(page), told(page)) == ("cancelled", ["Zoë Ash’s place is cancelled. They have an e-mail."])
    # The group of two does not fit into one place, so who came after it gets it.
    assert [name for name, status in rows(page) if status == "confirmed"] == ["Ravi Shah", "Ben Carter"]
    assert [kind for kind, _, _ in mails(app)] == ["cancelled", "promoted"]
    tom.post(links[1])
    assert len(mails(app)) == 2
    assert [action for _, action in log(app) if "cancel" in action] == ["cancelled a place at"]
    with app.app_context():
        elsewhere = make_booking(make_event()).places[0].id
        assert problems() == []
    for method in (tom.get, tom.post):
        assert method(f"{path}{elsewhere}/cancel").status_code == 404
    assert tom.post(f"{path}{elsewhere}/let-in").status_code == 404


@pytest.fixture
def the_day_before(app: Flask, client: FlaskClient) -> Iterator[Event]:
    """Just after noon of the school day before: two places are free, a group of two and one wait."""
    with time_machine.travel(JUST_AFTER_NOON):
        with app.app_context():
            sign_in(client, make_organiser())
            event = make_event("Forum", day=MONDAY, capacity=3)
            make_booking(event, "Ben Carter", "ben@school.example")
            group = make_booking(event, "Ada Obi", "ada@school.example", status=PlaceStatus.WAITING)
            event = db.session.get(Event, event.id)
            event.last_position += 1
            colleague = Place(event_id=event.id, name="Uma Fenn", status=PlaceStatus.WAITING, position=2)
            colleague.attendee_key = "uma"
            group.places.append(colleague)
            make_booking(event, "Ravi Shah", "ravi@school.example", status=PlaceStatus.WAITING)
            db.session.commit()
        yield event


def test_near_the_day_the_organiser_decides_who_is_let_in(
    app: Flask, client: FlaskClient, the_day_before: Event
) -> None:
    path = f"/manage/events/{the_day_before.id}/places/"
    page = client.get(path)
    assert "You decide who is let in." in page.text
    buttons = [action for action in Forms(page).forms if action.endswith("/let-in")]
    assert len(buttons) == 3
    page = client.post(buttons[1], follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["Ada Obi and Uma Fenn let in, and told by e-mail."])
    assert [status for _, status in rows(page)] == ["confirmed"] * 3 + ["waiting"]
    page = client.post(buttons[2])
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert "All places are taken. Raise the number, or let them in beyond it." in page.text
    assert told(client.post(buttons[0], follow_redirects=True)) == ["Ada Obi has a place by now."]
    assert mails(app) == [("promoted", "ada@school.example", "REQUEST")]
    assert [action for _, action in log(app) if "let in" in action] == ["let in from the waiting list of"]
    with app.app_context():
        assert problems() == []


def test_while_places_go_on_by_themselves_there_is_nothing_to_decide(tom: FlaskClient, booked: Event) -> None:
    page = tom.get(f"/manage/events/{booked.id}/places/")
    assert "let-in" not in page.text
    assert "You decide" not in page.text


FORMULAS = ["=1+1", "+44 1632 960123", "-2", "@SUM(A1)", "＝1+1", '=HYPERLINK("http://evil.example")']


def test_the_files_hold_what_the_list_shows(app: Flask, tom: FlaskClient, booked: Event) -> None:
    path = f"/manage/events/{booked.id}/places/export"
    xlsx, text = tom.get(f"{path}.xlsx"), tom.get(f"{path}.csv")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.data)).get_sheet_by_index(0).to_python()
    lines = list(csv.reader(io.StringIO(text.data.decode("utf-8-sig"))))
    assert sheet == lines
    assert lines[0] == [*HEADER, "Booked at", "Audience", "Offered until", "Unlisted"]
    with app.app_context():
        reference = db.session.query(Booking).filter_by(email="ada@school.example").one().reference
    assert [line[:9] for line in lines if line[0] == reference] == [
        [reference, "Ada Obi", "ada@school.example", "", "waiting", "1", "", "Ada Obi", "ada@school.example"],
        [reference, "Uma Fenn", "", "", "waiting", "2", "", "Ada Obi", "ada@school.example"],
    ]
    assert sorted(line[1] for line in lines[1:]) == sorted(
        ["Zoë Ash", "Ben Carter", "Ada Obi", "Uma Fenn", "Ravi Shah", "Gone Away"]
    )
    assert text.data.startswith(b"\xef\xbb\xbfReference,")
    name = f'attachment; filename="{booked.day}-forum'
    assert (xlsx.headers["Content-Disposition"], text.headers["Content-Disposition"]) == (
        f'{name}.xlsx"',
        f'{name}.csv"',
    )
    assert {page.headers["Cache-Control"] for page in (xlsx, text)} == {"no-store"}
    assert xlsx.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert text.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert tom.get(f"{path}.pdf").status_code == 404


@pytest.mark.parametrize("formula", FORMULAS)
def test_what_somebody_typed_is_never_a_formula(app: Flask, tom: FlaskClient, formula: str) -> None:
    with app.app_context():
        event, school = make_event(), make_school(f"{formula} School")
        booking = make_booking(event, formula, "eve@evil.example", school=school)
        booking.needs = formula
        db.session.commit()
    path = f"/manage/events/{event.id}/places/export"
    (_, line) = csv.reader(io.StringIO(tom.get(f"{path}.csv").data.decode("utf-8-sig")))
    assert (line[1], line[3], line[6], line[7]) == (f"'{formula}", f"'{formula} School", f"'{formula}", f"'{formula}")
    data = tom.get(f"{path}.xlsx").data
    (_, cells) = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert (cells[1], cells[3], cells[6], cells[7]) == (formula, f"{formula} School", formula, formula)
    assert {type(cell) for cell in cells} == {str}


def test_the_log_says_who_did_what_and_whose_data_was_opened(app: Flask, tom: FlaskClient, booked: Event) -> None:
    path = f"/manage/events/{booked.id}/places/"
    tom.get(path)
    tom.get(f"{path}export.csv")
    tom.get(f"{path}export.xlsx")
    send(tom, f"/manage/events/{booked.id}/edit", title="Renamed")
    assert log(app) == [
        ("Tom Okafor", "opened the list of"),
        ("Tom Okafor", "downloaded (.csv) the list of"),
        ("Tom Okafor", "downloaded (.xlsx) the list of"),
        ("Tom Okafor", "edited"),
    ]
    with app.app_context():
        assert {(row.subject, row.subject_id, row.area_id) for row in db.session.query(AuditEntry)} == {
            ("event", booked.id, booked.area_id)
        }
        make_event("Another")
    page = tom.get(f"/manage/log/?event={booked.id}")
    assert re.findall(r'<th scope="row">([^<]+)</th>\s*<td>([a-z().]+)', page.text) == [
        ("Tom Okafor", "edited"),
        ("Tom Okafor", "downloaded"),
        ("Tom Okafor", "downloaded"),
        ("Tom Okafor", "opened"),
    ]
    assert "title: “Forum” to “Renamed”" in page.text
    assert "Nothing yet." in tom.get("/manage/log/?event=2").text


def test_the_log_names_who_has_no_name_by_the_address(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_organiser("new@vale-marsh.example").name = ""
        db.session.commit()
        event = make_event()
        audit.record_opened("looked at", "event", event.id, by=None, area_id=event.area_id)
        sign_in(client, db.session.query(Person).one())
        assert event.id
    client.get(f"/manage/events/{event.id}/places/")
    page = client.get("/manage/log/")
    assert re.findall(r'<th scope="row">([^<]*)</th>', page.text) == ["new@vale-marsh.example", "the program"]


def test_a_long_log_has_pages_whose_addresses_are_only_its_own(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
    for _ in range(51):
        tom.get(f"/manage/events/{event.id}/places/export.csv")
    page = tom.get("/manage/log/?event=1&endpoint=x&_external=1&_scheme=javascript&after=2")
    assert page.status_code == 200
    (link,) = re.findall(r'<a href="([^"]+)" rel="prev">', page.text)
    assert link == "/manage/log/?event=1&amp;endpoint=x&amp;_external=1&amp;_scheme=javascript&amp;before=1"
    assert tom.get(link.replace("&amp;", "&")).text.count("downloaded (.csv)") == 50
    for number in ("0", "-1", "x", "99999999999999999999"):
        for name in ("after", "before"):
            assert tom.get(f"/manage/log/?{name}={number}").text.count("downloaded (.csv)") == 50


# The desk


def test_the_desk_shows_what_waits_for_the_team(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event("Filling", in_days=3, capacity=1)
        make_booking(event, "Priya Nair", school=make_school("Oakhurst Primary"))
        make_booking(event, "Ada Obi", status=PlaceStatus.WAITING)
        make_event("A draft", status=EventStatus.DRAFT)
        message(MessageStatus.FAILED)
    page = tom.get("/manage/").text
    assert re.findall(r"<b>(\d+)</b> <span>([a-z -]+)</span>", page) == [
        ("1", "draft to publish"),
        ("1", "waiting for a place"),
        ("1", "e-mail refused"),
        ("1", "date this week"),
    ]
    assert "1 of 1" in page
    assert "1 place for Oakhurst Primary at <a" in page


def message(status: MessageStatus = MessageStatus.FAILED, to: str = "priya@school.example", **values: Any) -> Message:
    """Add a message of the area, as a row only."""
    row = Message(kind="confirmed", to_email=to, to_name="Priya", from_name="", subject="Booked", text="", html="")
    row.area_id, row.message_id, row.priority, row.status = 1, f"<{to}{status}@x>", 1, status
    row.created_at = row.send_after = now()
    for name, value in values.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    return row


def test_a_facilitator_has_no_desk(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Team meeting", visibility=Visibility.TEAM, takes_bookings=False)
        sign_in(client, make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR))
    page = client.get("/events/")
    assert "Team meeting" in page.text
    assert "/manage/" not in page.text
    assert client.get("/manage/").status_code == 403
    assert client.get("/manage/events/1/places/").status_code == 403


def test_a_facilitator_opens_the_list_to_sign_of_what_they_host_on_its_day_and_of_nothing_else(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        hosts = [Host(email="Amina@Vale-Marsh.example", name="Amina")]
        today_hosted, today_not = make_event("Mine", in_days=0, hosts=hosts), make_event("Another's", in_days=0)
        later = make_event("Mine, later", in_days=3, hosts=[Host(email="amina@vale-marsh.example")])
        named_alike = make_event("Hers by name", in_days=0, hosts=[Host(email="x@else.example", name="Amina")])
        ids = [event.id for event in (today_hosted, today_not, later, named_alike)]
        sign_in(client, make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR))
    assert [client.get(f"/manage/events/{one}/places/print").status_code for one in ids] == [200, 403, 403, 403]


# People and roles


def test_an_administrator_gives_and_takes_roles(app: Flask, boss: FlaskClient) -> None:
    with app.app_context():
        make_person("tom@school.example", "Tom Okafor")
    page = send(boss, "/manage/people/", email=" Tom@School.Example", role="organiser")
    assert (outcome(page), told(page)) == ("saved", ["tom@school.example is organiser now."])
    send(boss, "/manage/people/", email="tom@school.example", role="organiser")
    page = send(boss, "/manage/people/", email="new@school.example", role="facilitator")
    with app.app_context():
        roles = {(role.person.email, str(role.role)): role.id for role in db.session.query(Role)}
    assert set(roles) == {
        ("boss@vale-marsh.example", "administrator"),
        ("tom@school.example", "organiser"),
        ("new@school.example", "facilitator"),
    }
    path = f"/manage/people/{roles['tom@school.example', 'organiser']}/revoke"
    assert path in Forms(page).forms
    page = boss.post(path, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["The role is taken back."])
    assert boss.post(path).status_code == 404
    last = boss.post(f"/manage/people/{roles['boss@vale-marsh.example', 'administrator']}/revoke")
    assert (last.status_code, outcome(last)) == (409, "refused")
    assert "There has to be one administrator" in last.text
    assert boss.get("/manage/people/").status_code == 200
    assert [action for _, action in log(app)] == ["granted a role", "granted a role", "took a role back"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"email": ""}, "email"), ({"email": "tom"}, "email"), ({"email": "a@b.example", "role": "king"}, "role")],
)
def test_a_role_that_cannot_be_given_is_told_at_its_field(app: Flask, boss: FlaskClient, typed, field) -> None:
    page = send(boss, "/manage/people/", **typed)
    assert (page.status_code, outcome(page), [name for name, _ in errors(page)]) == (422, "invalid", [field])
    assert f'value="{typed["email"]}"' in page.text
    with app.app_context():
        assert db.session.query(Role).count() == 1


def test_an_organiser_sees_roles_and_changes_none(app: Flask, tom: FlaskClient) -> None:
    page = tom.get("/manage/people/")
    assert ("tom@vale-marsh.example" in page.text, "Give the role" in page.text) == (True, False)
    assert (
        tom.post("/manage/people/", data={"email": "tom@vale-marsh.example", "role": "administrator"}).status_code
        == 403
    )
    assert tom.post("/manage/people/1/revoke").status_code == 403
    with app.app_context():
        assert [str(role.role) for role in db.session.query(Role)] == ["organiser"]


def test_whose_role_is_taken_back_is_out_at_once(app: Flask, boss: FlaskClient) -> None:
    other = app.test_client()
    with app.app_context():
        sign_in(other, make_organiser("tom@vale-marsh.example"))
    assert other.get("/manage/").status_code == 200
    boss.post("/manage/people/2/revoke")
    assert (other.get("/manage/").status_code, other.get("/my/").status_code) == (403, 200)
