"""The rules for booking an event by real forms: an organiser sets them, whoever books hears of them and meets them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.audit import audit as problems
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Promotion, Series, Visibility, WhoMayBook
from booking.calendar.rules import BookingRules, rules_of
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.directory.models import School
from booking.notifications.models import Message
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_event,
    make_organiser,
    make_school,
    make_venue,
    save,
    sign_in,
)
from tests.forms import Forms, errors, form_at, outcome, send, told

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term: free places go on by themselves
DAY = date(2027, 4, 14)  # of the event, at 1.30pm, in summer time
EDIT, BOOK = "/manage/events/1/edit", "/events/1/book"
PRIYA = {"name": "Priya Nair", "email": "priya@school.example", "school": ""}
RULES = {
    "opens_day": "2027-03-02",
    "opens_time": "08:30",
    "who_may_book": "schools",
    "schools_first_day": "2027-03-20",
    "schools_first_time": "",
    "per_school": "2",
    "lifted_day": "2027-04-12",
    "lifted_time": "12:00",
    "promotion": "offer",
    "offer_hours": "24",
    "late_places": "go-on",
    "changes_until_hours": "48",
    "series": "  Forums  2026-27 ",
}


@pytest.fixture(autouse=True)
def _on_a_monday_in_term(app: Flask) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def tom(app: Flask) -> FlaskClient:
    client = app.test_client()
    with app.app_context():
        sign_in(client, make_organiser())
    return client


def make_it(**values: Any) -> Event:
    return make_event(**{"day": DAY, **values})


def set_up(app: Flask, **values: Any) -> None:
    with app.app_context():
        make_it(**values)


def rules(app: Flask, event_id: int = 1) -> BookingRules:
    with app.app_context():
        return rules_of(db.session.get(Event, event_id))


def is_folded(page: Any) -> bool:
    """Tell whether the rules wait behind their heading."""
    (fold,) = re.findall(r'<details class="fold[^"]*"([^>]*)><summary id="rules">Rules for booking', page.text)
    return "open" not in fold


def facts(page: Any) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.text, re.DOTALL)
    return {name: unescape(re.sub(r"<br>", " ", words)) for name, words in found}


def book(client: FlaskClient, path: str = BOOK, **more: Any):
    return client.post(path, data={**PRIYA, **more}, follow_redirects=True)


def statuses(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(place.name, str(place.status)) for place in db.session.query(Place).order_by(Place.id)]


# The organiser sets them


def test_usual_rules_are_folded_away_and_others_are_shown(app: Flask, tom: FlaskClient) -> None:
    set_up(app)
    assert is_folded(tom.get("/manage/events/new"))
    assert is_folded(tom.get(EDIT))
    assert send(tom, EDIT, per_school="2").status_code == 200
    assert not is_folded(tom.get(EDIT))


def test_every_rule_is_kept_and_shown_again_and_sent_again_changes_nothing(app: Flask, tom: FlaskClient) -> None:
    set_up(app, joining_link="https://meet.example.org/1")
    page = tom.post(EDIT, data={**form_at(tom, EDIT), **RULES, "no_link_in_invitation": "y"}, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["Saved."])
    assert rules(app) == BookingRules(
        opens_at=datetime(2027, 3, 2, 8, 30, tzinfo=UTC),
        who_may_book=WhoMayBook.SCHOOLS,
        schools_first_until=datetime(2027, 3, 20, 9, 0, tzinfo=UTC),
        per_school=2,
        per_school_until=datetime(2027, 4, 12, 11, 0, tzinfo=UTC),
        promotion=Promotion.OFFER,
        offer_hours=24,
        late_places_go_on=True,
        changes_until_hours=48,
        link_in_invitation=False,
        series="Forums 2026-27",
    )
    assert facts(page) == {
        "Places": "0 taken of 30",
        "Booking closes": "when it starts",
        "Booking opens": "Tuesday 2 March, 8.30am",
        "Who may book": "our schools until Saturday 20 March, 9am, then everybody",
        "For each school": "2 places at most, lifted on Monday 12 April, 12 noon",
        "A free place": "is offered to who waits, and held for 24 hours",
        "Near the day": "a free place goes on to who waits until it starts",
        "Bookers may change": "until Monday 12 April, 1.30pm",
        "Joining link": "https://meet.example.org/1",
        "Series": "Forums 2026-27: who booked one date may change to another",
        "Who it is for": "Anyone",
        **{name: facts(page)[name] for name in ("Reminders", "History")},
    }
    assert "<dd>not in calendar entries</dd>" in page.text
    before = rules(app)
    assert outcome(send(tom, EDIT)) == "saved"
    assert rules(app) == before
    with app.app_context():
        assert [entry.action for entry in db.session.query(AuditEntry)] == ["edited"]
        assert db.session.query(AuditEntry).one().detail["changed"]["series"] == ["", "Forums 2026-27"]
        assert [one.name for one in db.session.query(Series)] == ["Forums 2026-27"]


def test_the_page_of_an_event_with_the_usual_rules_says_nothing_of_them(app: Flask, tom: FlaskClient) -> None:
    set_up(app)
    assert sorted(facts(tom.get("/manage/events/1/"))) == [
        "Booking closes",
        "History",
        "Places",
        "Reminders",
        "Who it is for",
    ]


def test_a_new_event_has_its_rules_from_the_start(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        make_category()
        save(Series(area_id=make_category().area_id, name="Forums"))
    typed = {"title": "Forum", "day": f"{DAY}", "starts": "13:30", "per_school": "3", "series": "FORUMS"}
    page = send(tom, "/manage/events/new", **typed)
    assert outcome(page) == "saved"
    assert rules(app) == BookingRules(per_school=3, series="Forums")
    assert '<option value="Forums">' in tom.get("/manage/events/new").text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"opens_day": "2027-04-14", "opens_time": "13:30"},
            ("opens_day", "Booking has to open before the event starts."),
        ),
        (
            {"opens_day": "2027-03-22", "closes_day": "2027-03-22", "closes_time": "09:00"},
            ("opens_day", "Booking has to open before it closes."),
        ),
        ({"who_may_book": "audience"}, ("audiences", "Tick whom it is for: only they may book.")),
        (
            {"schools_first_day": "2027-03-20"},
            ("schools_first_day", "Choose “Our schools first” too, or leave the day empty."),
        ),
        (
            {"lifted_day": "2027-03-20"},
            ("lifted_day", "Enter the places for each school too, or leave the day empty."),
        ),
        (
            {"private": "y", "per_school": "2"},
            (
                "per_school",
                "A private event has no limit for each school: it would tell who else comes. Leave this empty.",
            ),
        ),
    ],
)
def test_rules_that_contradict_each_other_are_refused_at_their_field(
    app: Flask, tom: FlaskClient, changes: dict[str, str], expected: tuple[str, str]
) -> None:
    with app.app_context():
        make_it()
        make_audience()
    page = send(tom, EDIT, title="Kept", **changes)
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page) == [expected]
    assert not is_folded(page)
    kept = Forms(page).forms[EDIT]
    assert {name: kept[name] for name in (*changes, "title")} == {
        **{name: [value] for name, value in changes.items()},
        "title": ["Kept"],
    }
    assert rules(app) == BookingRules()
    with app.app_context():
        assert db.session.query(AuditEntry).count() == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"opens_time": "9:00"}, ("opens_time", "Enter the day too, or leave the time empty")),
        ({"schools_first_time": "9:00"}, ("schools_first_time", "Enter the day too, or leave the time empty")),
        ({"lifted_time": "9:00"}, ("lifted_time", "Enter the day too, or leave the time empty")),
        ({"opens_day": "tomorrow"}, ("opens_day", "This is not a date. Write it like 2026-11-23")),
        ({"per_school": "0"}, ("per_school", "Enter a number from 1 to 100,000")),
        ({"per_school": "two"}, ("per_school", "Enter a whole number, like 30")),
        ({"offer_hours": "337"}, ("offer_hours", "Enter a number of hours from 1 to 336")),
        ({"offer_hours": "0"}, ("offer_hours", "Enter a number of hours from 1 to 336")),
        ({"changes_until_hours": "-1"}, ("changes_until_hours", "Enter a number of hours from 0 to 720")),
        ({"who_may_book": "friends"}, ("who_may_book", "Not a valid choice.")),
        ({"promotion": "auction"}, ("promotion", "Not a valid choice.")),
        ({"series": "A" * 121}, ("series", "Use at most 120 letters")),
    ],
)
def test_rules_that_cannot_be_read_are_told_at_their_field_and_the_fold_is_open(
    app: Flask, tom: FlaskClient, changes: dict[str, str], expected: tuple[str, str]
) -> None:
    set_up(app)
    page = send(tom, EDIT, title="Kept", **changes)
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [expected]
    assert not is_folded(page)
    assert Forms(page).forms[EDIT]["title"] == ["Kept"]
    assert rules(app) == BookingRules()


def school_with_places(event: Event, number: int) -> School:
    """Book places for people of one school."""
    school = make_school("Oakhurst Primary")
    for one in range(number):
        make_booking(event, f"Person {one}", f"person{one}@oakhurst.example", school=school)
    return school


def test_fewer_places_for_each_school_than_one_has_are_refused_and_nothing_changes(
    app: Flask, tom: FlaskClient
) -> None:
    with app.app_context():
        school_with_places(make_it(), 3)
    page = send(tom, EDIT, per_school="2", title="Never", series="Never")
    assert (page.status_code, outcome(page)) == (409, "refused")
    sentence = (
        "Oakhurst Primary has 3 places already, so the number for each school cannot be lower. "
        "Cancel places first, or enter a higher number."
    )
    assert errors(page) == [("per_school", sentence)]
    assert Forms(page).forms[EDIT]["per_school"] == ["2"]
    assert rules(app) == BookingRules()
    with app.app_context():
        assert (db.session.get(Event, 1).title, db.session.query(Series).count()) == ("SENCo forum (1)", 0)
    assert outcome(send(tom, EDIT, per_school="3")) == "saved"
    with app.app_context():
        assert problems() == []


@pytest.mark.parametrize(
    "changes", [{"per_school": "3"}, {"per_school": ""}, {"lifted_day": "2027-02-28"}], ids=["more", "none", "lifted"]
)
def test_whoever_waits_for_the_limit_of_their_school_comes_in_when_it_is_raised(
    app: Flask, tom: FlaskClient, changes: dict[str, str]
) -> None:
    with app.app_context():
        event = make_it()
        school = school_with_places(event, 2)
    assert outcome(send(tom, EDIT, per_school="2")) == "saved"
    guest = app.test_client()
    assert outcome(book(guest, school=str(school.id))) == "waiting"
    assert outcome(send(tom, EDIT, **changes)) == "saved"
    assert statuses(app)[-1] == ("Priya Nair", "confirmed")
    with app.app_context():
        assert [m.kind for m in db.session.query(Message).order_by(Message.id)] == ["waiting", "promoted"]
        assert problems() == []


def test_when_offers_become_the_rule_the_next_free_place_is_offered(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_it(capacity=1)
        make_booking(event, "Ada Obi", "ada@school.example")
        make_booking(event, "Uma Shah", "uma@school.example", status=PlaceStatus.WAITING)
    assert outcome(send(tom, EDIT, promotion="offer")) == "saved"
    assert outcome(send(tom, EDIT, capacity="2")) == "saved"
    assert statuses(app) == [("Ada Obi", "confirmed"), ("Uma Shah", "offered")]


def test_near_the_day_a_free_place_goes_on_once_the_rule_says_so(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(day=NOW.date(), capacity=2)
        make_booking(event, "Ada Obi", "ada@school.example")
        make_booking(event, "Uma Shah", "uma@school.example", status=PlaceStatus.WAITING)
    assert outcome(send(tom, EDIT, description="Bring a pen")) == "saved"
    assert statuses(app)[1] == ("Uma Shah", "waiting")
    assert outcome(send(tom, EDIT, late_places="go-on")) == "saved"
    assert statuses(app)[1] == ("Uma Shah", "confirmed")


@pytest.mark.parametrize("several", [False, True])
def test_a_limit_that_is_lifted_on_a_day_falls_due_also_for_what_was_a_draft(
    app: Flask, tom: FlaskClient, several: bool
) -> None:
    lifted = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
    set_up(app, status=EventStatus.DRAFT, per_school=1, per_school_until=lifted)
    if several:
        tom.post("/manage/events/publish", data={"event": "1"})
    else:
        tom.post("/manage/events/1/publish")
    with app.app_context():
        event = db.session.get(Event, 1)
        assert (event.status, event.settle_at) == (EventStatus.PUBLISHED, lifted)


def test_more_places_than_the_room_holds_are_told_and_not_refused(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        make_it(venue_id=make_venue("Oak Suite", capacity=40).id)
    warning = "Oak Suite holds 40; this event has 60 places."
    assert warning not in send(tom, EDIT, capacity="40").text
    page = send(tom, EDIT, capacity="60")
    assert (outcome(page), told(page)) == ("saved", ["Saved.", warning])
    assert f'<div class="notice notice--warn mt">{warning}</div>' in tom.get("/manage/events/1/").text
    unlimited = send(tom, EDIT, capacity="")
    assert told(unlimited) == ["Saved.", "Oak Suite holds 40; this event has no limit of places."]
    assert told(send(tom, EDIT, venue="Elsewhere")) == ["Saved."]


# By invitation


def invitation(client: FlaskClient) -> str:
    """The address in the facts of the event, below the site's own."""
    found = re.search(r'href="https?://[^/"]+(/events/1/book\?invitation=[^"]+)"', client.get("/manage/events/1/").text)
    return found[1] if found else ""


def invite(app: Flask, tom: FlaskClient, **values: Any) -> str:
    set_up(app, **values)
    assert invitation(tom) == ""
    assert outcome(send(tom, EDIT, who_may_book="invited")) == "saved"
    return invitation(tom)


def test_by_invitation_whoever_has_the_link_books_and_nobody_else(app: Flask, tom: FlaskClient) -> None:
    path = invite(app, tom)
    guest = app.test_client()
    sentence = "Booking is by invitation: use the link in the e-mail or letter that you had, or ask the partnership."
    for wrong in ("", "?invitation=", "?invitation=nonsense", f"?{path.partition('?')[2][:-1]}", "?invitation=%C3%A9"):
        page = guest.get(BOOK + wrong)
        assert (page.status_code, outcome(page), sentence in page.text) == (409, "refused", True)
        page = book(guest, BOOK + wrong)
        assert (page.status_code, outcome(page), sentence in page.text) == (409, "refused", True)
        assert 'value="priya@school.example"' in page.text
    assert statuses(app) == []
    form = guest.get(path)
    assert (form.status_code, Forms(form).forms[path]["email"]) == (200, [""])
    assert f'formaction="{path}#places-1-name"' in form.text
    again = book(guest, path, email="nobody")
    assert (again.status_code, Forms(again).forms[path]["name"]) == (422, ["Priya Nair"])
    assert outcome(book(guest, path)) == "confirmed"
    assert statuses(app) == [("Priya Nair", "confirmed")]


def test_a_new_link_stops_the_old_one_and_the_key_is_kept_otherwise(app: Flask, tom: FlaskClient) -> None:
    old = invite(app, tom)
    assert outcome(send(tom, EDIT, who_may_book="anyone")) == "saved"
    assert outcome(send(tom, EDIT, who_may_book="invited")) == "saved"
    assert invitation(tom) == old
    page = send(tom, "/manage/events/1/", "/manage/events/1/invitation")
    assert (outcome(page), told(page)[0]) == (
        "saved",
        "There is a new link. The old one has stopped: send the new one to whoever should book.",
    )
    new = invitation(tom)
    guest = app.test_client()
    assert (guest.get(old).status_code, guest.get(new).status_code) == (409, 200)
    with app.app_context():
        lines = [(line.actor_name, line.action, line.detail) for line in db.session.query(AuditEntry)]
        key = db.session.get(Event, 1).invitation_key
    assert lines[-1] == ("Tom Okafor", "made a new invitation link for", {})
    assert key not in str(lines)
    assert new.partition("=")[2] not in tom.get("/manage/log/").text


def test_an_event_that_is_not_by_invitation_gets_no_link(app: Flask, tom: FlaskClient) -> None:
    set_up(app)
    page = tom.post("/manage/events/1/invitation")
    assert (page.status_code, outcome(page)) == (409, "refused")
    with app.app_context():
        assert db.session.get(Event, 1).invitation_key is None


def test_the_link_of_one_event_opens_no_other(app: Flask, tom: FlaskClient) -> None:
    path = invite(app, tom)
    with app.app_context():
        other = make_it(who_may_book=WhoMayBook.INVITED, invitation_key="A" * 16)
    assert app.test_client().get(path.replace("/events/1/", f"/events/{other.id}/")).status_code == 409


def test_an_invitation_is_not_lost_by_signing_in_first(app: Flask, tom: FlaskClient) -> None:
    path = invite(app, tom, visibility=Visibility.STAFF)
    page = app.test_client().get(path)
    assert page.status_code == 302
    assert page.headers["Location"] == f"/sign-in?next={path.replace('=', '%3D')}"


# Whoever books


def test_an_event_for_its_audiences_asks_what_somebody_is(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_it(who_may_book=WhoMayBook.AUDIENCE)
        event.audiences = [make_audience("SENCos"), make_audience("Headteachers", position=1)]
        make_audience("Parents")
        db.session.commit()
    form = client.get(BOOK)
    assert re.findall(
        r'<option value="(\w*)"[^>]*>([^<]+)', form.text.split('id="audience"')[1].split("</select>")[0]
    ) == [
        ("", "Choose"),
        ("1", "SENCos"),
        ("2", "Headteachers"),
        ("none", "None of these"),
    ]
    assert "Only for SENCos and Headteachers: the form asks what you are." in form.text
    page = book(client, audience="")
    assert (page.status_code, errors(page)) == (422, [("audience", "Choose which of these you are")])
    sentence = "This is for SENCos and Headteachers. If that is you, choose it from the list."
    for wrong in ("none", "3", "999", "x"):
        page = book(client, audience=wrong, **{"places-0-name": "Ada Obi"})
        assert (page.status_code, outcome(page), errors(page)) == (409, "refused", [("audience", sentence)])
        assert Forms(page).forms[BOOK]["places-0-name"] == ["Ada Obi"]
    assert outcome(book(client, audience="2")) == "confirmed"
    with app.app_context():
        assert db.session.query(Booking).one().audience_id == 2


def test_a_form_from_before_the_rule_is_refused_with_its_sentence_and_keeps_what_was_typed(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        event = make_it()
        event.audiences = [make_audience("SENCos")]
        db.session.commit()
    form = form_at(client, BOOK)
    assert "audience" not in form
    for rule, field, sentence in (
        (WhoMayBook.AUDIENCE, "audience", "This is for SENCos. If that is you, choose it from the list."),
        (WhoMayBook.SCHOOLS, "school", "Booking is for our schools and settings. Choose yours from the list."),
    ):
        with app.app_context():
            db.session.get(Event, 1).who_may_book = rule
            db.session.commit()
        page = client.post(BOOK, data={**form, **PRIYA, "needs": "Large print"})
        assert (page.status_code, outcome(page), errors(page)) == (409, "refused", [(field, sentence)])
        assert (Forms(page).forms[BOOK]["name"], Forms(page).forms[BOOK]["needs"]) == (["Priya Nair"], ["Large print"])
    assert statuses(app) == []


def test_our_schools_come_first_until_the_day_and_then_everybody(app: Flask, client: FlaskClient) -> None:
    until = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
    with app.app_context():
        make_it(who_may_book=WhoMayBook.SCHOOLS, schools_first_until=until)
        school = make_school("Oakhurst Primary")
    said = "Our schools and settings first, until Wednesday 10 March, 9am. Then everybody may book."
    assert (said in client.get(BOOK).text, said in client.get("/events/1-senco-forum-1/").text) == (True, True)
    page = book(client)
    sentence = "Booking is for our schools and settings until Wednesday 10 March, 9am. Choose yours from the list."
    assert (page.status_code, errors(page)) == (409, [("school", sentence)])
    assert outcome(book(client, school=str(school.id))) == "confirmed"
    with time_machine.travel(until, tick=False):
        assert said not in client.get(BOOK).text
        assert outcome(book(client, name="Ada Obi", email="ada@home.example")) == "confirmed"


def test_a_school_has_its_places_and_the_next_of_it_waits_while_others_come(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_it(per_school=1)
        schools = [make_school("Oakhurst Primary"), make_school("Larkfield Primary")]
    said = "At most 1 place for each school."
    assert (said in client.get(BOOK).text, said in client.get("/events/1-senco-forum-1/").text) == (True, True)
    assert outcome(book(client, school=str(schools[0].id))) == "confirmed"
    assert outcome(book(client, name="Ada", school=str(schools[0].id))) == "waiting"
    assert outcome(book(client, name="Uma", school=str(schools[1].id))) == "confirmed"
    assert outcome(book(client, name="Eve")) == "confirmed"


def test_before_booking_opens_pages_say_when(app: Flask, client: FlaskClient) -> None:
    opens = datetime(2027, 3, 8, 9, 0, tzinfo=UTC)
    set_up(app, opens_at=opens, per_school=2)
    sentence = "Booking opens on Monday 8 March, 9am."
    page = client.get(BOOK)
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert [words in page.text for words in (sentence, "<h1>Booking is not open yet</h1>", "2 places for each")] == [
        True
    ] * 3
    assert "Opens Mon 8 March" in client.get("/events/").text
    event_page = client.get("/events/1-senco-forum-1/").text
    assert [words in event_page for words in (sentence, "Opens Mon 8 March", f'href="{BOOK}"')] == [True, True, False]
    refused = book(client)
    assert (refused.status_code, outcome(refused), sentence in refused.text) == (409, "refused", True)
    with time_machine.travel(opens, tick=False):
        assert sentence not in client.get("/events/1-senco-forum-1/").text
        assert outcome(book(client)) == "confirmed"


def test_lists_and_the_event_say_that_it_is_by_invitation_and_hold_no_link(app: Flask, client: FlaskClient) -> None:
    set_up(app, who_may_book=WhoMayBook.INVITED, invitation_key="A" * 16)
    for path in ("/", "/events/", "/events/1-senco-forum-1/", BOOK):
        page = client.get(path).text
        assert "by invitation" in page.lower()
        assert "A" * 16 not in page
    assert f'href="{BOOK}"' not in client.get("/events/1-senco-forum-1/").text


def test_a_private_event_lets_people_be_kept_off_lists_and_tells_no_numbers(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_it(private=True, capacity=12)
        make_booking(event, "Ada Obi", "ada@home.example")
    page = client.get(BOOK).text
    assert "Keep my name off printed lists" in page
    assert re.search(r"\b(11|12)\b[^<]*(place|taken|left)", page) is None
    answer = book(client, unlisted="y", **{"places-0-name": "Sam Nair"})
    assert outcome(answer) == "confirmed"
    with app.app_context():
        places = db.session.query(Place).order_by(Place.id).all()
        assert [(place.name, place.unlisted) for place in places] == [
            ("Ada Obi", False),
            ("Priya Nair", True),
            ("Sam Nair", True),
        ]


def test_where_nothing_is_private_nobody_is_kept_off_a_list(app: Flask, client: FlaskClient) -> None:
    set_up(app)
    assert "printed lists" not in client.get(BOOK).text
    assert outcome(book(client, unlisted="y")) == "confirmed"
    with app.app_context():
        assert db.session.query(Place).one().unlisted is False


def test_whoever_may_not_change_to_the_last_minute_is_told_before_they_book(app: Flask, client: FlaskClient) -> None:
    set_up(app, changes_until_hours=48, promotion=Promotion.OFFER, capacity=0)
    said = "You can change or cancel until Monday 12 April, 1.30pm."
    page = client.get("/events/1-senco-forum-1/").text
    assert [words in page for words in (said, "We hold it for you and write at once: you accept it by a link.")] == [
        True,
        True,
    ]
    assert said in client.get(BOOK).text


def test_the_usual_event_says_nothing_of_rules_to_who_books(app: Flask, client: FlaskClient) -> None:
    set_up(app)
    assert "Booking" not in facts(client.get("/events/1-senco-forum-1/"))
