"""Who comes, by real forms: the list and why somebody waits, adding, changing, letting in, the list to sign."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings import actions, changes, lists, promotions, sheet
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit as problems
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Host, Promotion, Series
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.directory.models import RoleName, School
from booking.notifications.models import Message
from tests.factories import (
    make_audience,
    make_booking,
    make_event,
    make_organiser,
    make_school,
    make_venue,
    save,
    sign_in,
    the_area,
)
from tests.forms import Forms, errors, form_at, outcome, send, told
from tests.statements import statements

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term: free places go on by themselves
SOON = date(2027, 3, 15)


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def amina(app: Flask) -> FlaskClient:
    """The browser of a second organiser."""
    other = app.test_client()
    with app.app_context():
        sign_in(other, make_organiser("amina@vale-marsh.example"))
    return other


def path(event: Event, more: str = "") -> str:
    return f"/manage/events/{event.id}/places/{more}"


def book(event: Event, *people: str, school: School | None = None, together: bool = True, **more: Any) -> list[int]:
    """Book for these people, each with an address, in one booking; return the ids of their places."""
    places = [NewPlace(name, f"{name.split()[0].lower()}@school.example") for name in people]
    by = Contact(people[0], places[0].email, school.id if school else None)
    booking = actions.book(event, by=by, places=places, together=together, **more)
    ids = [place.id for place in booking.places]
    for row in list(db.session):  # an action forgets what was read before it
        db.session.refresh(row)
    return ids


def statuses(app: Flask) -> dict[str, str]:
    with app.app_context():
        return {p.name: str(p.status) for p in db.session.query(Place).order_by(Place.id)}


def log(app: Flask) -> list[tuple[str, dict[str, Any]]]:
    """Return what organisers did, but for what they opened."""
    with app.app_context():
        found = db.session.query(AuditEntry).order_by(AuditEntry.id)
        return [(row.action, row.detail) for row in found if not row.action.startswith("opened")]


def mails(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(m.kind, m.to_email) for m in db.session.query(Message).order_by(Message.id)]


def names(page: Any) -> list[str]:
    return re.findall(r'data-status="\w+"><th scope="row">([^<]+)<', page.text)


def reasons(page: Any) -> dict[str, str]:
    """Return why each of those who wait does, by name."""
    lines = re.findall(r'data-status="waiting"><th scope="row">([^<]+)<.*?</tr>', page.text, re.DOTALL)
    found = re.findall(r'data-status="waiting">.*?</tr>', page.text, re.DOTALL)
    said = [re.findall(r'<br><span class="small quiet">([^<]+)</span></td>\s*<td>', line)[0] for line in found]
    return dict(zip(lines, said, strict=True))


# The list


def test_the_list_says_why_each_has_not_been_let_in(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event, oak, elm = make_event(capacity=4, per_school=2), make_school("Oakhurst"), make_school("Elmwood")
        book(event, "Ada Obi", "Ben Carter", school=oak)
        book(event, "Cy Dent", school=oak)
        book(event, "Di Eames", school=elm)
        book(event, "Ed Frost", "Flo Grant", school=elm)
        book(event, "Gus Hale", "Hal Ives")
    page = tom.get(path(event))
    assert names(page) == [
        *("Di Eames", "Ada Obi", "Ben Carter", "Cy Dent"),
        *("Ed Frost", "Flo Grant", "Gus Hale", "Hal Ives"),
    ]
    assert reasons(page) == {
        "Cy Dent": "Their school has all its places.",
        "Ed Frost": "2 wait together and 1 place is free.",
        "Flo Grant": "2 wait together and 1 place is free.",
        "Gus Hale": "2 wait together and 1 place is free.",
        "Hal Ives": "2 wait together and 1 place is free.",
    }
    schools = re.findall(r'<th scope="row">(\w+)</th><td class="r">(\d of \d)</td><td class="r">(\d?)</td>', page.text)
    assert schools == [("Elmwood", "1 of 2", "2"), ("Oakhurst", "2 of 2", "1")]
    assert re.findall(r'<span class="num">(\d+)</span>', page.text) == ["1", "2", "3", "4", "5"]


def test_the_list_is_sifted_by_school_and_status_and_says_how_many_there_are(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event, oak, elm = make_event(capacity=2), make_school("Oakhurst"), make_school("Elmwood")
        book(event, "Ada Obi", school=oak)
        book(event, "Di Eames", school=elm)
        book(event, "Ben Carter", school=oak)
    assert names(tom.get(path(event, f"?school={oak.id}"))) == ["Ada Obi", "Ben Carter"]
    page = tom.get(path(event, f"?school={oak.id}&status=waiting"))
    assert names(page) == ["Ben Carter"]
    assert "1 of 3 shown." in page.text
    assert names(tom.get(path(event, "?school=x&status="))) == ["Di Eames", "Ada Obi", "Ben Carter"]
    assert names(tom.get(path(event, "?school=99999999999999999999&q=ada"))) == ["Ada Obi"]


def test_the_list_says_until_when_a_place_is_offered_and_what_people_are(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(day=SOON, capacity=1, promotion=Promotion.OFFER, offer_hours=24, private=True)
        (first,) = book(event, "Ada Obi")
        book(event, "Ben Carter", unlisted=True)
        audience = make_audience("Parents and carers")
        db.session.query(Booking).filter_by(name="Ben Carter").one().audience_id = audience.id
        db.session.commit()
        actions.cancel(db.session.get(Place, first).booking)
    page = tom.get(path(event, "?status=offered"))
    assert names(page) == ["Ben Carter"]
    assert "until Tue 2 March, 10am" in page.text
    assert "Parents and carers" in page.text
    assert "Off printed lists" in page.text
    assert re.findall(r"<li><b>(\d+)</b> (\w+)", page.text)[:2] == [("0", "confirmed"), ("1", "offered")]


def test_three_hundred_people_cost_as_many_statements_as_one(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=291, per_school=40, promotion_paused=True)

    def count(numbers: range) -> list[int]:
        with app.app_context():
            schools = [make_school() for _ in range(10)] if len(numbers) > 1 else [make_school()]
            for number in numbers:
                status = PlaceStatus.CONFIRMED if number < 290 else PlaceStatus.WAITING
                make_booking(event, f"Person {number}", school=schools[number % len(schools)], status=status)
            actions.limits_changed(db.session.get(Event, event.id))
        tom.get(path(event))  # what is kept in memory until the calendar changes is made now
        counts = []
        for query in ("?status=confirmed", "?status=waiting"):
            with statements(app) as seen:
                page = tom.get(path(event, query))
            assert page.status_code == 200
            assert len(page.data) < 200_000
            counts.append(len(seen))
        return counts

    assert count(range(289, 291)) == count(range(300))


def make_many(event: Event, number: int, **values: Any) -> None:
    """Add so many confirmed places of a booking of their own, as rows: Person 000, Person 001 and so on."""
    people = [
        {"event_id": event.id, "name": f"Person {n:03}", "email": f"p{n}@school.example", "created_at": now()}
        for n in range(number)
    ]
    keys = [f"{event.id}-{n}" for n in range(number)]
    ids = db.session.scalars(
        sa.insert(Booking).returning(Booking.id, sort_by_parameter_order=True),
        [{**who, "reference": key, "key": key, "form_key": key} for who, key in zip(people, keys, strict=True)],
    ).all()
    usual = {"status": PlaceStatus.CONFIRMED, "unlisted": False, "confirmed_at": now()}
    attendees = [{"attendee_key": f"{who['email']}|{who['name'].lower()}", **usual, **values} for who in people]
    rows = zip(people, keys, ids, attendees, strict=True)
    db.session.execute(sa.insert(Place), [{**who, "key": key, "booking_id": one, **of} for who, key, one, of in rows])
    db.session.merge(event).taken += number
    db.session.commit()


@pytest.mark.both_databases
def test_a_long_list_has_pages_and_says_what_is_not_limited_to_one(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=None)
        make_many(event, 230)
        make_booking(event, "Aaron", status=PlaceStatus.WAITING)
    pages, address = [], path(event)
    while address:
        pages.append(tom.get(address))
        address = next(iter(re.findall(r'<a href="([^"]+)" rel="next">', pages[-1].text)), "").replace("&amp;", "&")
    assert [name for page in pages for name in names(page)] == [f"Person {n:03}" for n in range(230)] + ["Aaron"]
    assert [len(names(page)) for page in pages] == [100, 100, 31]
    assert "100 people are on this page, of 231 in all." in pages[0].text
    assert "“Write to them” are not limited to this page" in pages[0].text
    assert [("<b>230</b> confirmed" in page.text, "<b>1</b> waiting" in page.text) for page in pages] == [
        (True, True)
    ] * 3
    (back,) = re.findall(r'<a href="([^"]+)" rel="prev">', pages[2].text)
    assert names(tom.get(back.replace("&amp;", "&"))) == names(pages[1])
    assert max(len(page.data) for page in pages) < 200_000


@pytest.mark.both_databases
def test_somebody_is_found_on_whatever_page_of_the_list(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=None)
        make_many(event, 120)
        zoe = make_booking(event, "Zoë O’Neill", "zo_e@school.example", school=make_school("Élan Primary"))
        zoe.reference, zoe.name = "7K2Q-M4TX", "Bürger Booker"
        db.session.commit()
    for words in ("zoe", "ZOË", "o'neill", "O’Neill", "zo_e@school", "elan", "7k2q-m4tx", "Bürger", "zoe primary"):
        assert names(tom.get(path(event, f"?q={words}"))) == ["Zoë O’Neill"], words
    assert names(tom.get(path(event, "?q=pers_n"))) == []  # no letter stands for any other
    assert names(tom.get(path(event, "?q=person+119"))) == ["Person 119"]
    page = tom.get(path(event, "?q=person"))
    assert (len(names(page)), "More people fit than one page shows." in page.text) == (100, True)


def test_files_and_the_list_to_sign_have_everybody_however_many(
    app: Flask, tom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 100)
    monkeypatch.setattr(sheet, "LINES_AT_ONCE", 100)
    with app.app_context():
        event = make_event(capacity=None)
        make_many(event, 230)
    answer = tom.get(path(event, "export.csv"), buffered=False)
    parts = list(answer.iter_encoded())
    assert len(parts) == 3
    assert b"".join(parts).decode("utf-8-sig").count("Person ") == 2 * 230
    assert tom.get(path(event, "print")).text.count(">Person ") == 230


def test_the_history_of_a_booking_says_who_did_what_and_is_written_down(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        (first,) = book(event, "Ada Obi")
        (second,) = book(event, "Ben Carter")
        actions.cancel(db.session.get(Place, first).booking)
        place = db.session.get(Place, second)
        changes.edit_place(place, name="Ben Carter-Hall", email="ben@school.example")
        reference = place.booking.reference
    page = tom.get(path(event, f"{second}/"))
    done = re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', page.text)
    assert done == [
        ("Booked", "for Ben Carter"),
        ("Ben Carter came up from the waiting list", "the program"),
        ("Ben Carter is written Ben Carter-Hall", "who booked"),
    ]
    with app.app_context():
        (line,) = db.session.query(AuditEntry).all()
        assert (line.action, line.subject_id, line.detail) == (
            "opened a booking of",
            event.id,
            {"reference": reference},
        )


def test_no_place_of_another_event_is_shown_or_changed(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event, other = make_event(), make_event("Another")
        (place,) = book(other, "Ada Obi")
    for page in ("", "edit", "booking", "swap", "move", "cancel", "beyond"):
        assert tom.get(path(event, f"{place}/{page}")).status_code == 404
    assert statuses(app) == {"Ada Obi": "confirmed"}


# Pause


def test_the_waiting_list_is_paused_and_goes_on(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        (first,) = book(event, "Ada Obi")
        book(event, "Ben Carter")
    page = tom.get(path(event))
    assert "Free places go to the next who waits by themselves." in page.text
    page = send(tom, path(event), path(event, "pause"))
    assert (outcome(page), told(page)) == ("saved", ["The waiting list is paused: you decide who is let in."])
    assert "The waiting list is paused: free places stay free" in page.text
    with app.app_context():
        actions.cancel(db.session.get(Place, first).booking)
    page = tom.get(path(event))
    assert reasons(page) == {"Ben Carter": "There is room; the waiting list is paused."}
    page = send(tom, path(event), path(event, "pause"))
    assert told(page) == ["The waiting list goes on. Ben Carter told by e-mail."]
    assert statuses(app) == {"Ada Obi": "cancelled", "Ben Carter": "confirmed"}
    assert [action for action, _ in log(app)] == [
        "paused the waiting list of",
        "let the waiting list go on of",
    ]


# Letting in


def test_somebody_is_let_in_out_of_turn_where_they_fit(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1, promotion_paused=True)
        (first,) = book(event, "Ada Obi")
        book(event, "Ben Carter")
        (third,) = book(event, "Cy Dent")
        actions.cancel(db.session.get(Place, first).booking)
    page = tom.post(path(event, f"{third}/let-in"), follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["Cy Dent let in, and told by e-mail."])
    assert statuses(app) == {"Ada Obi": "cancelled", "Ben Carter": "waiting", "Cy Dent": "confirmed"}


def test_somebody_is_let_in_once_by_a_button_pressed_twice(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1, promotion_paused=True)
        (first,) = book(event, "Ada Obi")
        (second,) = book(event, "Ben Carter")
        actions.cancel(db.session.get(Place, first).booking)
    pages = [tom.post(path(event, f"{second}/let-in"), follow_redirects=True) for _ in range(2)]
    assert [(page.status_code, outcome(page), told(page)) for page in pages] == [
        (200, "saved", ["Ben Carter let in, and told by e-mail."]),
        (200, "saved", ["Ben Carter has a place by now."]),
    ]
    with app.app_context():
        assert db.session.query(Message).filter_by(kind="promoted").count() == 1


def test_who_does_not_fit_is_let_in_beyond_the_limit_with_a_reason(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        oak = make_school("Oakhurst")
        event = make_event(capacity=2, per_school=2, venue_id=make_venue("Oak Suite", capacity=3).id)
        book(event, "Ada Obi", "Ben Carter", school=oak)
        third, fourth = book(event, "Cy Dent", "Di Eames", school=oak)
    page = tom.get(path(event))
    assert "let-in" not in page.text
    assert path(event, f"{third}/beyond") in page.text
    page = tom.get(path(event, f"{third}/beyond"))
    assert [re.sub("<.*?>", "", line) for line in re.findall(r"<li>(.*?)</li>", page.text.partition("<h1>")[2])][
        :5
    ] == [
        "The places in all are raised by 2, from 2 to 4.",
        "The places of Oakhurst are raised by 2, from 2 to 4.",
        "Oak Suite holds 3.",
        "They wait together, so 2 people come in: Cy Dent, Di Eames.",
        "Others who wait stay where they are.",
    ]
    page = send(tom, path(event, f"{third}/beyond"))
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [("reason", "Say why, in a few words: it goes into the log")]
    assert log(app) == []
    for _ in range(2):  # sent twice, it raises once
        page = send(tom, path(event, f"{fourth}/beyond"), reason="The county\r\nasked for both") if _ == 0 else page
    assert (outcome(page), told(page)) == ("saved", ["Cy Dent and Di Eames let in, and told by e-mail."])
    assert set(statuses(app).values()) == {"confirmed"}
    ((action, detail),) = log(app)
    assert (action, detail["reason"], detail["raised"]) == (
        "let in beyond the limit of",
        "The county asked for both",
        {"places in all": 2, "places of the school": 2},
    )
    assert "raised places in all by 2" in tom.get("/manage/log/").text
    with app.app_context():
        assert problems() == []


def test_a_form_beyond_the_limit_that_is_sent_twice_raises_once(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        book(event, "Ada Obi")
        (second,) = book(event, "Ben Carter")
    form = {**form_at(tom, path(event, f"{second}/beyond")), "reason": "A late referral"}
    for sentence in ("Ben Carter let in, and told by e-mail.", "Ben Carter has a place by now."):
        page = tom.post(path(event, f"{second}/beyond"), data=form, follow_redirects=True)
        assert (outcome(page), told(page)) == ("saved", [sentence])
    with app.app_context():
        assert db.session.get(Event, event.id).capacity == 2
    assert len(log(app)) == 1


def test_what_is_raised_is_what_the_page_said(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=2)
        book(event, "Ada Obi")
        second, _ = book(event, "Ben Carter", "Cy Dent")
    form = {**form_at(tom, path(event, f"{second}/beyond")), "reason": "A late referral"}
    with app.app_context():
        book(db.session.get(Event, event.id), "Di Eames")
    page = tom.post(path(event, f"{second}/beyond"), data=form)
    assert (page.status_code, outcome(page)) == (409, "refused")
    sentence = "What has to be raised has changed since you opened the page. Look, and try again."
    assert errors(page) == [("reason", sentence)]
    assert "The places in all are raised by 2, from 2 to 4." in page.text
    again = {**Forms(page).forms[path(event, f"{second}/beyond")]}
    assert again["reason"] == ["A late referral"]
    assert outcome(tom.post(path(event, f"{second}/beyond"), data=again, follow_redirects=True)) == "saved"


# Adding


def test_several_people_are_added_together_or_as_places_come(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event, school = make_event(capacity=2), make_school("Oakhurst")
        book(event, "Zoe Ash")
    add = path(event, "add")
    form = {**form_at(tom, add), "name": "Ada Obi", "email": "ada@school.example", "school": str(school.id)}
    more = tom.post(add, data={**form, "add": "1"})
    assert (more.status_code, "places-1-name" in more.text, outcome(more)) == (200, True, None)
    form |= {"places-0-name": "Ben Carter", "places-0-email": "ben@school.example", "places-1-name": "Cy Dent"}
    page = tom.post(add, data={**form, "fit": "as-they-come"}, follow_redirects=True)
    sentence = "Ada Obi is confirmed, Ben Carter is waiting and Cy Dent is waiting. They have an e-mail."
    assert (outcome(page), told(page)) == ("saved", [sentence])
    with app.app_context():
        booking = db.session.query(Booking).filter_by(name="Ada Obi").one()
        assert (booking.together, booking.school_id, len(booking.places)) == (False, school.id, 3)


def test_who_does_not_fit_is_added_beyond_the_limit_where_the_organiser_says_why(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event, school = make_event(capacity=1, per_school=1), make_school("Oakhurst")
        book(event, "Zoe Ash", school=school)
        book(event, "Yan Lee")
    add = path(event, "add")
    form = {**form_at(tom, add), "name": "Ada Obi", "email": "ada@school.example", "school": str(school.id)}
    page = tom.post(add, data={**form, "how": "beyond"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [("reason", "Say why, in a few words: it goes into the log")]
    assert Forms(page).forms[add]["how"] == ["beyond"]
    for _ in range(2):  # sent twice, it books and raises once
        page = tom.post(add, data={**form, "how": "beyond", "reason": "Missed off"}, follow_redirects=True)
        assert told(page) == ["Ada Obi is confirmed. They have an e-mail."]
    with app.app_context():
        assert db.session.get(Event, event.id).capacity == 2
        reference = db.session.query(Booking).filter_by(name="Ada Obi").one().reference
        assert problems() == []
    raised = {"places in all": 1, "places of the school": 1}
    assert log(app) == [
        ("let in beyond the limit of", {"reference": reference, "reason": "Missed off", "raised": raised})
    ]
    assert statuses(app)["Yan Lee"] == "waiting"


def test_who_fits_is_added_without_raising_anything(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=2)
    page = send(tom, path(event, "add"), name="Ada Obi", email="a@b.example", how="beyond", reason="In case")
    assert outcome(page) == "saved"
    ((action, detail),) = log(app)
    assert (action, set(detail), detail["reason"]) == ("booked a place at", {"reference", "reason"}, "In case")
    with app.app_context():
        assert db.session.get(Event, event.id).capacity == 2


def test_at_a_private_event_somebody_is_added_off_the_lists_and_companions_have_no_address(
    app: Flask, tom: FlaskClient
) -> None:
    with app.app_context():
        event = make_event(private=True)
        open_event = make_event("Open")
    form = form_at(tom, path(event, "add"))
    assert "places-0-email" not in form
    assert "unlisted" not in tom.get(path(open_event, "add")).text
    form |= {"name": "Ada Obi", "email": "ada@b.example", "unlisted": "y", "places-0-name": "Ben Obi"}
    page = tom.post(path(event, "add"), data=form, follow_redirects=True)
    assert outcome(page) == "saved"
    with app.app_context():
        assert [(p.name, p.email, p.unlisted) for p in db.session.query(Place)] == [
            ("Ada Obi", "ada@b.example", True),
            ("Ben Obi", None, True),
        ]


# Changing


@pytest.fixture
def closed(app: Flask) -> Event:
    """An event whose rule lets nobody but organisers change anything any more; three are booked by Ada."""
    with app.app_context():
        series = save(Series(area_id=the_area().id, name="Forums"))
        event = make_event(day=SOON, changes_until_hours=720, series_id=series.id)
        book(event, "Ada Obi", "Ben Carter", "Cy Dent")
        make_event("Forum (2)", day=SOON + timedelta(days=7), series_id=series.id, capacity=2)
        make_event("Elsewhere", day=SOON)
        db.session.query(Message).delete()
        db.session.commit()
        return event


def test_a_place_is_swapped_once_and_both_are_told(app: Flask, tom: FlaskClient, closed: Event) -> None:
    form = {**form_at(tom, path(closed, "2/swap")), "name": "Di Eames", "email": "di@school.example"}
    for _ in range(2):
        page = tom.post(path(closed, "2/swap"), data=form, follow_redirects=True)
        sentence = "Di Eames comes instead of Ben Carter. They have an e-mail."
        assert (outcome(page), told(page)) == ("saved", [sentence])
        assert page.request.path == path(closed, "4/")
    assert statuses(app) == {
        "Ada Obi": "confirmed",
        "Ben Carter": "cancelled",
        "Cy Dent": "confirmed",
        "Di Eames": "confirmed",
    }
    assert sorted({to for _, to in mails(app)}) == ["ada@school.example", "ben@school.example", "di@school.example"]
    assert [action for action, _ in log(app)] == ["swapped an attendee of"]


def test_details_are_put_right_by_an_organiser(app: Flask, tom: FlaskClient, closed: Event) -> None:
    page = send(tom, path(closed, "2/edit"), name="Benjamin Carter")
    assert (outcome(page), told(page), page.request.path) == ("saved", ["Saved."], path(closed, "2/"))
    form = {**form_at(tom, path(closed, "2/edit")), "email": "benjamin@school.example"}
    for _ in range(2):
        page = tom.post(path(closed, "2/edit"), data=form, follow_redirects=True)
        assert (outcome(page), page.request.path) == ("saved", path(closed, "4/"))
    page = send(tom, path(closed, "4/booking"), email="Head@School.example", name="Ada Obi-Lee", needs="Large print")
    assert outcome(page) == "saved"
    with app.app_context():
        booking = db.session.query(Booking).one()
        assert (booking.name, booking.email, booking.needs) == ("Ada Obi-Lee", "head@school.example", "Large print")
        active = [(p.name, p.email) for p in booking.places if p.status == "confirmed"]
        assert active == [
            ("Cy Dent", "cy@school.example"),
            ("Benjamin Carter", "benjamin@school.example"),
            ("Ada Obi-Lee", "head@school.example"),
        ]
    assert [action for action, _ in log(app)] == [
        "changed details of an attendee of",
        "changed details of an attendee of",
        "changed details of a booking of",
    ]


@pytest.mark.parametrize(
    ("page", "typed", "expected"),
    [
        ("2/edit", {"name": " "}, [("name", "Enter a name")]),
        ("2/edit", {"email": "ben"}, [("email", "Enter an e-mail address like name@school.example")]),
        ("2/booking", {"email": ""}, [("email", "Enter an e-mail address")]),
        ("2/booking", {"needs": "A" * 501}, [("needs", "Use at most 500 letters")]),
        ("2/swap", {"name": ""}, [("name", "Enter the name of who comes instead")]),
        ("2/move", {}, [("to", "Choose a date")]),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    app: Flask, tom: FlaskClient, closed: Event, page: str, typed: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    answer = send(tom, path(closed, page), **typed)
    assert (answer.status_code, outcome(answer), errors(answer)) == (422, "invalid", expected)
    kept = Forms(answer).forms[path(closed, page)]
    assert {name: kept[name] for name in typed} == {name: [value.strip()] for name, value in typed.items()}
    assert (log(app), mails(app)) == ([], [])


def test_one_place_or_the_whole_booking_changes_to_another_date(app: Flask, tom: FlaskClient, closed: Event) -> None:
    other = closed.id + 1
    page = tom.get(path(closed, "1/move"))
    assert re.findall(r'name="to" value="(\d+)"', page.text) == [str(other)]
    page = send(tom, path(closed, "1/move"), to=str(other), whose="all")
    assert (page.status_code, outcome(page), errors(page)[0][0]) == (409, "refused", "to")
    assert set(statuses(app).values()) == {"confirmed"}
    form = {**form_at(tom, path(closed, "2/move")), "to": str(other)}
    for _ in range(2):
        page = tom.post(path(closed, "2/move"), data=form, follow_redirects=True)
        assert (outcome(page), told(page)) == (
            "saved",
            ["Changed to Monday 22 March 2027. They have an e-mail."],
        )
    with app.app_context():
        moved = db.session.query(Place).filter_by(event_id=other).all()
        assert [(place.name, place.status) for place in moved] == [("Ben Carter", PlaceStatus.CONFIRMED)]
        assert problems() == []
    assert [action for action, _ in log(app)] == ["moved a booking to another date from"]
    for number in (str(closed.id + 2), "999", "x", str(closed.id)):
        page = tom.post(path(closed, "1/move"), data={**form_at(tom, path(closed, "1/move")), "to": number})
        assert (page.status_code, outcome(page)) == (409, "refused")
        assert errors(page) == [("to", "Choose another date of the same series.")]


def test_of_two_organisers_the_second_is_told_what_changed(
    app: Flask, tom: FlaskClient, amina: FlaskClient, closed: Event
) -> None:
    mine = {page: form_at(tom, path(closed, page)) for page in ("2/edit", "2/booking", "2/swap", "2/cancel")}
    assert outcome(send(amina, path(closed, "2/edit"), name="Benjamin Carter")) == "saved"
    sentence = (
        "This has changed since you opened the page: Ben Carter is written Benjamin Carter. "
        "Nothing was done now. Look, and try again."
    )
    typed = {
        "2/edit": {"name": "Benny Carter"},
        "2/booking": {"needs": "Large print"},
        "2/swap": {"name": "Di Eames", "email": "di@school.example"},
        "2/cancel": {},
    }
    for page, form in mine.items():
        answer = tom.post(path(closed, page), data={**form, **typed[page]})
        assert (answer.status_code, outcome(answer)) == (409, "refused")
        assert [said for _, said in errors(answer)] == [sentence]
        kept = Forms(answer).forms[path(closed, page)]
        assert {name: kept[name] for name in typed[page]} == {name: [value] for name, value in typed[page].items()}
    assert statuses(app) == {"Ada Obi": "confirmed", "Benjamin Carter": "confirmed", "Cy Dent": "confirmed"}
    # Having been told, they may go on from the page that told them.
    answer = tom.post(path(closed, "2/cancel"), data=Forms(answer).forms[path(closed, "2/cancel")])
    assert answer.status_code == 302
    assert statuses(app)["Benjamin Carter"] == "cancelled"


def test_a_change_by_the_booker_between_the_page_and_the_press_is_told(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=3)
        first, second = book(event, "Ada Obi", "Ben Carter")
    form = form_at(tom, path(event, f"{second}/cancel"))
    with app.app_context():
        actions.cancel(db.session.get(Place, first).booking, places=[db.session.get(Place, first)])
    page = tom.post(path(event, f"{second}/cancel"), data=form)
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert "Ada Obi’s place was cancelled." in page.text
    assert statuses(app) == {"Ada Obi": "cancelled", "Ben Carter": "confirmed"}


def test_a_place_is_cancelled_once_by_a_form_sent_twice(app: Flask, tom: FlaskClient, closed: Event) -> None:
    form = form_at(tom, path(closed, "2/cancel"))
    for _ in range(2):
        page = tom.post(path(closed, "2/cancel"), data=form, follow_redirects=True)
        assert (outcome(page), told(page)) == ("cancelled", ["Ben Carter’s place is cancelled. They have an e-mail."])
    assert [action for action, _ in log(app)] == ["cancelled a place at"]


def test_at_a_private_event_an_attendee_is_kept_off_the_lists_later_too(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(private=True)
        (place,) = book(event, "Ada Obi")
    assert "email" not in form_at(tom, path(event, f"{place}/edit"))
    assert "email" not in form_at(tom, path(event, f"{place}/swap"))
    page = send(tom, path(event, f"{place}/edit"), unlisted="y")
    assert (outcome(page), "Off printed lists" in page.text) == ("saved", True)
    with app.app_context():
        found = db.session.get(Place, place)
        assert (found.unlisted, found.email) == (True, "ada@school.example")


# The list to sign


def test_who_is_kept_off_lists_is_not_on_paper_where_the_organisers_list_is_printed(
    app: Flask, tom: FlaskClient
) -> None:
    with app.app_context():
        event = make_event("Coffee morning", private=True)
        book(event, "Sam Hidden", unlisted=True)
        book(event, "Ada Obi")
    page = tom.get(path(event)).text
    rows = dict(re.findall(r'<tr class="([^"]*)"[^>]*><th scope="row">([\w ]+)', page))
    assert {name: "screen-only" in kind for kind, name in rows.items()} == {"Sam Hidden": True, "Ada Obi": False}
    assert '<p class="print-only">1 more is not on this paper, as they asked.</p>' in page


def test_the_list_to_sign_leaves_out_who_asked_for_it_and_says_how_many(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event("Coffee morning", private=True, capacity=3)
        book(event, "Zoe Ash", needs="Large print", school=make_school("Oakhurst"))
        book(event, "Sam Hidden", unlisted=True)
        book(event, "Ada Obi")
        book(event, "Wai Ting")
    page = tom.get(path(event, "print"))
    assert re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td></td></tr>', page.text) == [
        ("Ada Obi", "", ""),
        ("Zoe Ash", "Oakhurst", "Large print"),
    ]
    assert "2 people on this list. 1 more comes and is not listed, as they asked." in page.text
    assert ("Sam Hidden" in page.text, "Wai Ting" in page.text, "@" in page.text.partition("<main")[2]) == (
        False,
        False,
        False,
    )
    with app.app_context():
        assert [row.action for row in db.session.query(AuditEntry)] == ["opened the list to sign of"]


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (datetime(2027, 3, 14, 23, 59, tzinfo=UTC), 403),
        (datetime(2027, 3, 15, 0, 0, tzinfo=UTC), 200),
        (datetime(2027, 3, 15, 23, 59, tzinfo=UTC), 200),
        (datetime(2027, 3, 16, 0, 0, tzinfo=UTC), 403),
    ],
)
def test_the_host_sees_the_list_to_sign_on_the_day_alone(
    app: Flask, client: FlaskClient, at: datetime, status: int
) -> None:
    with app.app_context():
        event = make_event(day=SOON, hosts=[Host(email="amina@vale-marsh.example")])
        book(event, "Ada Obi")
    with time_machine.travel(at, tick=False):
        with app.app_context():
            sign_in(client, make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR))
        page = client.get(path(event, "print"))
        assert (page.status_code, "Ada Obi" in page.text) == (status, status == 200)
        assert client.get(path(event)).status_code == 403
        link = path(event, "print") in client.get(event.path).text
        assert link == (status == 200)


def test_the_host_sees_nothing_of_what_is_called_off(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event(in_days=0, starts=time(23, 0), ends=time(23, 30), status=EventStatus.CANCELLED)
        make_booking(event, "Ada Obi")
        sign_in(client, make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR))
    assert client.get(path(event, "print")).status_code == 403


def test_who_was_offered_a_place_can_be_told_from_the_page_of_the_booking(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(day=SOON, capacity=1, promotion=Promotion.OFFER)
        (first,) = book(event, "Ada Obi")
        (second,) = book(event, "Ben Carter")
        actions.cancel(db.session.get(Place, first).booking)
        assert promotions.is_on(db.session.get(Event, event.id))
        assert now() == NOW
    page = tom.get(path(event, f"{second}/"))
    assert "until Wednesday 3 March, 10am" in page.text
    assert path(event, f"{second}/beyond") not in page.text


@pytest.mark.parametrize("page", ["", "edit", "booking", "swap", "move"])
def test_whose_details_were_opened_is_written_down(app: Flask, tom: FlaskClient, closed: Event, page: str) -> None:
    assert tom.get(path(closed, f"2/{page}")).status_code == 200
    with app.app_context():
        reference = db.session.query(Booking).one().reference
        lines = [(line.action, line.detail) for line in db.session.query(AuditEntry)]
    assert lines == [("opened a booking of", {"reference": reference})]


def test_what_has_started_or_was_called_off_is_not_changed_from_the_list(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        book(event, "Ada Obi")
        (second,) = book(event, "Ben Carter")
        event = db.session.get(Event, event.id)
        event.status = EventStatus.CANCELLED
        db.session.commit()
    page = tom.get(path(event)).text
    assert [
        act for act in ("cancel", "beyond", "let-in", "pause", "add") if f"/{act}" in page.partition("<main")[2]
    ] == []
    assert 'href="' + path(event, f"{second}/") + '"' in page
    for act, typed in (
        ("cancel", {}),
        ("edit", {"name": "Benny"}),
        ("swap", {"name": "Cy"}),
        ("booking", {"needs": "-"}),
    ):
        answer = send(tom, path(event, f"{second}/{act}"), **typed)
        assert (answer.status_code, outcome(answer)) == (409, "refused")
    answer = tom.post(path(event, f"{second}/beyond"), data={"reason": "x", "raises": ""})
    assert (answer.status_code, outcome(answer)) == (409, "refused")
    assert statuses(app) == {"Ada Obi": "confirmed", "Ben Carter": "waiting"}
    assert log(app) == []


@pytest.mark.both_databases
def test_two_organisers_who_let_the_same_person_in_raise_the_number_once(
    app: Flask, tom: FlaskClient, amina: FlaskClient
) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        book(event, "Ada Obi")
        (second,) = book(event, "Ben Carter")
    forms = [{**form_at(one, path(event, f"{second}/beyond")), "reason": "Referred late"} for one in (tom, amina)]
    for browser, form in zip((tom, amina), forms, strict=True):
        assert outcome(browser.post(path(event, f"{second}/beyond"), data=form, follow_redirects=True)) == "saved"
    with app.app_context():
        assert db.session.get(Event, event.id).capacity == 2
        assert problems() == []
    assert [kind for kind, _ in mails(app)] == ["confirmed", "waiting", "promoted"]
