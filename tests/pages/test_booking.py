"""Booking by posting real forms, without scripts."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings import actions
from booking.bookings.models import Booking, Place
from booking.calendar import actions as calendar
from booking.calendar.models import Event, EventStatus, Visibility
from booking.core.clock import now
from booking.core.db import db
from booking.notifications.models import Message
from booking.reminders.actions import NewRule, set_category_rules
from booking.reminders.policy import Timing
from tests.databases import close, make_app
from tests.factories import make_booking, make_contact, make_event, make_person, make_school, sign_in
from tests.forms import errors
from tests.statements import statements

FORM = {"name": "Priya Nair", "email": "priya@school.example", "school": ""}


def outcome(page) -> str:
    return re.search(r'<main[^>]*data-outcome="(\w+)"', page.text)[1]


def rendered(client: FlaskClient, path: str) -> dict[str, str]:
    """The hidden fields of a form, as rendered."""
    page = client.get(path).text
    return {"form_key": re.search(r'name="form_key"[^>]*value="([^"]+)"', page)[1]}


def setup_event(app: Flask, **values):
    with app.app_context():
        return make_event(**values)


def test_a_guest_books_for_herself_and_two_colleagues(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event, school = make_event(), make_school("Oakhurst Primary")
    form = {**FORM, "school": str(school.id), "places-0-name": "Daniel Achebe", "places-0-email": "d@school.example"}
    page = client.post(f"/events/{event.id}/book", data={**form, "places-1-name": "Ada Obi"}, follow_redirects=True)
    assert (page.status_code, outcome(page)) == (200, "confirmed")
    assert re.findall(r'data-status="(\w+)"', page.text) == ["confirmed"] * 3
    assert page.request.path.startswith("/bookings/")
    with app.app_context():
        places = db.session.query(Place).order_by(Place.id).all()
        assert [(place.name, place.email) for place in places] == [
            ("Priya Nair", "priya@school.example"),
            ("Daniel Achebe", "d@school.example"),
            ("Ada Obi", None),
        ]
        assert {place.school_id for place in places} == {school.id}


def test_the_booker_may_stay_at_home(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, "not_attending": "y", "places-0-name": "Ada Obi"}
    page = client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)
    assert outcome(page) == "confirmed"
    with app.app_context():
        assert [place.name for place in db.session.query(Place)] == ["Ada Obi"]


def test_wrong_input_keeps_what_was_typed_and_says_how_to_mend_it(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {
        "name": "",
        "email": "priya@oakhurst",
        "school": "",
        "places-0-name": "",
        "places-0-email": "d@school.example",
    }
    page = client.post(f"/events/{event.id}/book", data={**form, "needs": "Large print"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert re.findall(r'<a href="(#[^"]+)">([^<]+)</a>', page.text.split("<h1>")[0])[-3:] == [
        ("#name", "Enter your name"),
        ("#email", "Enter an e-mail address like name@school.example"),
        ("#places-0-name", "Enter your colleague’s name, or empty the e-mail address too"),
    ]
    for field in ("name", "email", "places-0-name"):
        assert f'id="{field}-error"' in page.text
        assert re.search(rf'id="{field}" [^>]*aria-describedby="{field}-error" aria-invalid="true"', page.text)
    assert 'value="priya@oakhurst"' in page.text
    assert ">Large print</textarea>" in page.text
    with app.app_context():
        assert db.session.query(Booking).count() == 0


def test_a_school_that_was_tampered_with_is_refused(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    page = client.post(f"/events/{event.id}/book", data={**FORM, "school": "999"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert "Choose your school from the list" in page.text


def test_adding_a_colleague_loses_nothing(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, "places-0-name": "Daniel", "places-1-name": "Ada"}
    more = client.post(f"/events/{event.id}/book", data={**form, "add": "1"})
    assert more.status_code == 200
    assert re.findall(r'id="places-(\d)-name" name="places-\d-name" type="text" value="(\w*)"', more.text) == [
        ("0", "Daniel"),
        ("1", "Ada"),
        ("2", ""),
    ]
    assert 'value="priya@school.example"' in more.text


def test_who_is_emptied_does_not_come(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, "places-0-name": "", "places-0-email": "", "places-1-name": "Ada Obi"}
    assert outcome(client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)) == "confirmed"
    with app.app_context():
        assert [place.name for place in db.session.query(Place).order_by(Place.id)] == ["Priya Nair", "Ada Obi"]


@pytest.mark.parametrize(("capacity", "words"), [(30, "Book"), (0, "Join the waiting list")])
def test_the_button_that_books_is_there_once_and_is_the_one_that_enter_presses(
    app: Flask, client: FlaskClient, capacity, words
) -> None:
    event = setup_event(app, capacity=capacity)
    page = client.get(f"/events/{event.id}/book").text
    form = re.search(r'<form method="post" action="/events/\d+/book".*?</form>', page, re.DOTALL)[0]
    buttons = re.findall(r"<button([^>]*)>([^<]*)</button>", form)
    assert [text for _, text in buttons] == [words, "Add another colleague"]  # Enter presses the first in the source
    assert ["name=" in attributes for attributes, _ in buttons] == [False, True]


@pytest.mark.usefixtures("school_day")
def test_the_pages_of_a_booking_say_when_reminders_go(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event(in_days=6)  # Monday 30 November: a reminder a week before would have gone already
        set_category_rules(event.category, [NewRule(Timing(days)) for days in (7, 4, 1)], by=None)
        assert event.id
    form = {**FORM, "places-0-name": "Daniel Achebe", "places-0-email": "d@school.example"}
    page = client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)
    assert "We will send reminders on Thursday 26 November and on Friday 27 November." in page.text
    with app.app_context():
        text = db.session.query(Message).filter_by(to_email="d@school.example").one().text
    place = re.search(r"http://calendar.example.org(/places/\S+)", text)[1]
    assert "We will remind you on Thursday 26 November and on Friday 27 November." in client.get(place).text
    with app.app_context():
        full, soon = make_event(in_days=6, capacity=0).id, make_event(in_days=1).id
    alone = client.post(f"/events/{full}/book", data=FORM, follow_redirects=True).text
    late = client.post(f"/events/{soon}/book", data=FORM, follow_redirects=True).text
    assert [words in one for one in (alone, late) for words in ("We will remind", "We will send")] == [False] * 4


def test_the_same_form_sent_twice_shows_the_first_outcome_again(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app, capacity=1)
    form = {**FORM, **rendered(client, f"/events/{event.id}/book")}
    first, again = (client.post(f"/events/{event.id}/book", data=form, follow_redirects=True) for _ in range(2))
    assert (outcome(first), outcome(again)) == ("confirmed", "confirmed")
    assert first.request.path == again.request.path
    with app.app_context():
        assert db.session.query(Place).count() == 1


def sent_again(client: FlaskClient, event, form: dict[str, str]):
    return client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)


def test_a_form_sent_again_after_its_place_was_cancelled_shows_the_first_outcome_and_how_it_stands(
    app: Flask, client: FlaskClient
) -> None:
    event = setup_event(app)
    form = {**FORM, **rendered(client, f"/events/{event.id}/book")}
    first = sent_again(client, event, form)
    client.post(f"{first.request.path}cancel")
    client.get(first.request.path)
    again = sent_again(client, event, form)
    assert (again.status_code, outcome(again), again.request.path) == (200, "confirmed", first.request.path)
    assert re.findall(r'data-status="(\w+)"', again.text) == ["cancelled"]
    assert "You have sent this form before. This is how it stands now." in again.text
    later = client.get(first.request.path)
    assert (outcome(later), "sent this form before" in later.text) == ("cancelled", False)


@pytest.mark.usefixtures("school_day")
def test_a_form_sent_again_after_its_place_came_up_from_the_list_still_says_waiting(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        other = make_booking(event)
    form = {**FORM, **rendered(client, f"/events/{event.id}/book")}
    assert outcome(sent_again(client, event, form)) == "waiting"
    with app.app_context():
        actions.cancel(db.session.get(Booking, other.id))
    again = sent_again(client, event, form)
    assert (outcome(again), re.findall(r'data-status="(\w+)"', again.text)) == ("waiting", ["confirmed"])


def test_a_form_sent_again_after_the_event_was_cancelled_shows_the_first_outcome(
    app: Flask, client: FlaskClient
) -> None:
    event = setup_event(app)
    form = {**FORM, **rendered(client, f"/events/{event.id}/book")}
    sent_again(client, event, form)
    call_off(app, event)
    again = sent_again(client, event, form)
    assert (outcome(again), re.findall(r'data-status="(\w+)"', again.text)) == ("confirmed", ["cancelled"])


def test_a_form_of_a_private_event_sent_again_after_a_cancellation_is_answered_as_at_first(
    app: Flask, client: FlaskClient
) -> None:
    event = setup_event(app, private=True)
    form = {**FORM, **rendered(client, f"/events/{event.id}/book")}
    assert outcome(sent_again(client, event, form)) == "confirmed"
    with app.app_context():
        actions.cancel(db.session.query(Booking).one())
    assert outcome(sent_again(client, event, form)) == "confirmed"


def call_off(app: Flask, event) -> None:
    with app.app_context():
        calendar.cancel(db.session.get(Event, event.id), by=None, note="The speaker is ill.")


def test_every_page_of_a_booking_says_that_the_event_was_cancelled(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event, person = make_event(capacity=2), make_person("priya@school.example")
        attendee = make_person("d@school.example", name="Daniel Achebe")
    form = {**FORM, "places-0-name": "Daniel Achebe", "places-0-email": attendee.email, "places-1-name": "Ada Obi"}
    booked = client.post(f"/events/{event.id}/book", data={**form, "fit": "as-they-come"}, follow_redirects=True)
    assert re.findall(r'data-status="(\w+)"', booked.text) == ["confirmed", "confirmed", "waiting"]
    with app.app_context():
        text = db.session.query(Message).filter_by(to_email=attendee.email).one().text
    place = re.search(r"http://calendar.example.org(/places/\S+)", text)[1]
    call_off(app, event)
    for path, rows in ((booked.request.path, 3), (place, 1)):
        page = client.get(path)
        assert (page.status_code, outcome(page)) == (200, "cancelled")
        assert re.findall(r'data-status="(\w+)"', page.text) == ["cancelled"] * rows
        assert "<h1>This event has been cancelled</h1>" in page.text
        assert "The speaker is ill." in page.text
        assert [word in page.text for word in ("Confirmed", "Waiting", "in the queue")] == [False] * 3
    for who, number in ((person, 3), (attendee, 1)):
        sign_in(client, who)
        page = client.get("/my/")
        assert re.findall(r'data-status="(\w+)"', page.text) == ["cancelled"] * number
        assert ("Event cancelled" in page.text, "Confirmed" in page.text) == (True, False)


def test_a_new_form_of_somebody_already_booked_is_refused(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    client.post(f"/events/{event.id}/book", data={**FORM, **rendered(client, f"/events/{event.id}/book")})
    page = client.post(f"/events/{event.id}/book", data={**FORM, **rendered(client, f"/events/{event.id}/book")})
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert "Priya Nair already has a place at this event" in page.text
    assert 'value="priya@school.example"' in page.text


def test_a_full_event_lets_people_wait(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event(capacity=1)
        make_booking(event)
    assert "Join the waiting list" in client.get(f"/events/{event.id}/book").text
    page = client.post(f"/events/{event.id}/book", data=FORM, follow_redirects=True)
    assert outcome(page) == "waiting"
    assert "number 1 in the queue" in page.text


def test_the_least_good_of_mixed_places_is_the_outcome(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app, capacity=1)
    form = {**FORM, "places-0-name": "Ada Obi", "fit": "as-they-come"}
    page = client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)
    assert outcome(page) == "waiting"
    assert re.findall(r'data-status="(\w+)"', page.text) == ["confirmed", "waiting"]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "changed",
    [{"form_key": "a" * 100}, {"name": "ﷺ" * 100}, {"name": "\0Priya"}, {"needs": "\0" * 10}, {"school": "9" * 30}],
)
def test_what_nobody_types_is_kept_or_refused_but_no_error(app: Flask, client: FlaskClient, changed) -> None:
    event = setup_event(app)
    for _ in range(2):
        page = client.post(f"/events/{event.id}/book", data={**FORM, **changed}, follow_redirects=True)
        assert page.status_code in {200, 400, 409, 422}


@pytest.mark.parametrize("field", ["places-²-name", f"places-{'1' * 5000}-name", "places--1-name", "places-x-name"])
def test_a_field_that_is_not_ours_is_no_field(app: Flask, client: FlaskClient, field) -> None:
    event = setup_event(app)
    page = client.post(f"/events/{event.id}/book", data={**FORM, field: "Ada"}, follow_redirects=True)
    assert re.findall(r'data-status="(\w+)"', page.text) == ["confirmed"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Win at https://evil.example/", "Enter a name, not the address of a web page"),
        ("See www.evil.example", "Enter a name, not the address of a web page"),
        ("\u200b", "Enter a name with letters"),
        ("12", "Enter a name with letters"),
    ],
)
def test_a_name_is_a_name(app: Flask, client: FlaskClient, name, sentence) -> None:
    event = setup_event(app)
    page = client.post(f"/events/{event.id}/book", data={**FORM, "name": name})
    assert (page.status_code, f'<a href="#name">{sentence}</a>' in page.text) == (422, True)


def test_nobody_is_flooded_by_a_strangers_bookings(database_url: str) -> None:
    limited = make_app(database_url, RATE_LIMITS="on")
    with limited.app_context():
        event = make_event(capacity=None, places_per_booking=50)
        other = make_event(private=True)
    client = limited.test_client()
    answers = []
    for number in range(3):
        group = {f"places-{n}-name": f"Name {'i' * number} {'v' * n}" for n in range(6)}
        group |= {f"places-{n}-email": f"victim+{number}{n}@school.example" for n in range(6)}
        form = {"name": "Ada", "email": f"a{number}@x.example", **group}
        answers.append(client.post(f"/events/{event.id}/book", data=form))
    assert [answer.status_code for answer in answers] == [302, 302, 409]
    assert "a lot of email to that address in the last hour" in answers[2].text
    for _ in range(4):
        client.post(f"/events/{other.id}/book", data=FORM)
    with limited.app_context():
        mine = db.session.query(Message).filter_by(to_email=FORM["email"], event_id=other.id)
        assert [message.kind for message in mine.order_by(Message.id)] == ["confirmed", "already_booked"]
    close(limited)


def test_going_back_to_book_for_somebody_else_books_for_them(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, **rendered(client, f"/events/{event.id}/book")}
    other = {**form, "name": "Ravi Shah", "email": "ravi@school.example"}
    paths = [
        client.post(f"/events/{event.id}/book", data=one).headers["Location"] for one in (form, other, other, form)
    ]
    assert [path == paths[0] for path in paths] == [True, False, False, True]
    assert paths[1] == paths[2]
    with app.app_context():
        assert [place.name for place in db.session.query(Place).order_by(Place.id)] == ["Priya Nair", "Ravi Shah"]


def test_each_attendee_of_an_office_address_gets_the_link_of_their_own_place(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, "places-0-name": "Ada Obi", "places-1-name": "Ben Fenn"}
    form |= {f"places-{n}-email": "office@school.example" for n in range(2)}
    client.post(f"/events/{event.id}/book", data=form)
    with app.app_context():
        mails = db.session.query(Message).filter_by(to_email="office@school.example").order_by(Message.id).all()
        links = [re.search(r"http://calendar.example.org(/places/\S+)", mail.text)[1] for mail in mails]
        assert [bool(mail.calendar) for mail in mails] == [True, False]
    for link, name, other in zip(links, ("Ada", "Ben"), ("Ben", "Ada"), strict=True):
        page = client.get(link)
        assert (name in page.text, other in page.text) == (True, False)
        assert page.headers["Cache-Control"] == "private, no-store"


def test_the_page_of_a_booking_costs_the_same_however_many_wait(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app, capacity=0)
    client.get("/")  # the line under the masthead is kept from now on
    counted = []
    for number in (0, 2):
        form = {**FORM, "name": f"Priya {number}", **{f"places-{n}-name": f"Ada {n}" for n in range(number)}}
        path = client.post(f"/events/{event.id}/book", data=form).headers["Location"]
        with statements(app) as seen:
            page = client.get(path)
        counted.append(len(seen))
    assert "number 4 in the queue" in page.text
    assert counted[0] == counted[1]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": EventStatus.CANCELLED}, "has been cancelled"),
        ({"in_days": -2}, "has started or is over"),
        ({"closes_at": now() - timedelta(minutes=1)}, "Booking has closed"),
        ({"takes_bookings": False}, "Nobody needs to book this"),
    ],
)
def test_what_cannot_be_booked_says_why(app: Flask, client: FlaskClient, values, sentence) -> None:
    event = setup_event(app, **values)
    page = client.get(f"/events/{event.id}/book")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert sentence in page.text
    sent = client.post(f"/events/{event.id}/book", data=FORM)
    assert (sent.status_code, outcome(sent)) == (409, "refused")
    assert sentence in sent.text


def test_a_staff_event_asks_a_guest_to_sign_in(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event, person = make_event(visibility=Visibility.STAFF), make_person("priya@school.example")
        make_contact(make_school(), person.email)
    assert client.get(f"/events/{event.id}/book").headers["Location"] == f"/sign-in?next=/events/{event.id}/book"
    sign_in(client, person)
    page = client.get(f"/events/{event.id}/book")
    assert page.status_code == 200
    assert 'value="priya@school.example"' in page.text


def test_a_team_event_and_a_draft_do_not_exist_for_others(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        team, draft = make_event(visibility=Visibility.TEAM), make_event(status=EventStatus.DRAFT)
    assert [client.get(f"/events/{event.id}/book").status_code for event in (team, draft)] == [404, 404]


def test_the_booker_cancels_one_place_then_all(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, "places-0-name": "Ada Obi"}
    booked = client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)
    one, everything = re.findall(r'href="(/bookings/[^"]+/cancel/\d+)"', booked.text)[1], booked.request.path + "cancel"
    assert "Ada Obi" in client.get(one).text
    page = client.post(one, follow_redirects=True)
    assert outcome(page) == "cancelled"
    assert re.findall(r'data-status="(\w+)"', page.text) == ["confirmed", "cancelled"]
    page = client.post(everything, follow_redirects=True)
    assert re.findall(r'data-status="(\w+)"', page.text) == ["cancelled", "cancelled"]
    assert "Your booking is cancelled" in page.text


def test_an_attendee_sees_and_cancels_only_their_own_place(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    form = {**FORM, "places-0-name": "Daniel Achebe", "places-0-email": "d@school.example", "places-1-name": "Ada Obi"}
    client.post(f"/events/{event.id}/book", data=form)
    with app.app_context():
        text = db.session.query(Message).filter_by(to_email="d@school.example").one().text
    link = re.search(r"http://calendar.example.org(/places/\S+)", text)[1]
    page = client.get(link)
    assert outcome(page) == "confirmed"
    assert "Daniel Achebe" in page.text
    assert "Ada Obi" not in page.text
    assert outcome(client.post(f"{link}cancel", follow_redirects=True)) == "cancelled"
    with app.app_context():
        assert [str(place.status) for place in db.session.query(Place).order_by(Place.id)] == [
            "confirmed",
            "cancelled",
            "confirmed",
        ]


@pytest.mark.parametrize(
    "path", ["/bookings/nonsense/", "/places/nonsense/", "/bookings/%C3%A4/", "/bookings/" + "a" * 38 + "/"]
)
def test_a_link_that_we_did_not_make_leads_nowhere(app: Flask, client: FlaskClient, path) -> None:
    setup_event(app)
    page = client.get(path)
    assert page.status_code == 404
    assert "what is on" in page.text


def test_the_link_of_a_booking_does_not_open_a_place(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    path = client.post(f"/events/{event.id}/book", data=FORM).headers["Location"]
    assert client.get(path.replace("/bookings/", "/places/")).status_code == 404


@pytest.mark.parametrize("capacity", [30, 0, None])
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_private_event_answers_alike_whether_or_not_somebody_is_booked(
    app: Flask, client: FlaskClient, capacity, signed_in
) -> None:
    with app.app_context():
        event = make_event(private=True, capacity=capacity)
        person = make_person("stranger@school.example")
    if signed_in:
        sign_in(client, person)
    seen = []
    for names in (["Priya Nair", "Ada Obi"], ["Priya Nair", "Ravi Shah"]):
        before = [
            _shown(client.get(path)) for path in (f"/events/{event.id}-x/", f"/events/{event.id}/book", "/events/")
        ]
        form = {**FORM, "name": names[0], "places-0-name": names[1], "places-0-email": "ada@school.example"}
        form |= rendered(client, f"/events/{event.id}/book")
        page = client.post(f"/events/{event.id}/book", data=form, follow_redirects=True)
        seen.append((before, page.status_code, outcome(page), _shown(page)))
    assert seen[0][1:3] == (200, "waiting" if capacity == 0 else "confirmed")
    assert all(one == seen[0] for one in seen)
    with app.app_context():
        kinds = [(message.kind, message.to_email) for message in db.session.query(Message).order_by(Message.id)]
        first = "waiting" if capacity == 0 else "confirmed"
        assert kinds == [(first, "priya@school.example"), ("already_booked", "priya@school.example")]
        assert [place.email for place in db.session.query(Place).order_by(Place.id)] == ["priya@school.example", None]


def _shown(page) -> str:
    """A page without what differs at every request."""
    return re.sub(r'name="(csrf_token|form_key)"[^>]*value="[^"]+"', "", page.text)


def test_names_in_any_script_are_kept(app: Flask, client: FlaskClient) -> None:
    event = setup_event(app)
    name = "Siân O’Brien-Çelik 李小龍"
    page = client.post(f"/events/{event.id}/book", data={**FORM, "name": name}, follow_redirects=True)
    assert name in page.text


def test_my_bookings_shows_what_i_booked_and_what_was_booked_for_me(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        mine, given = make_event("Mine"), make_event("Given to me")
        person = make_person("priya@school.example")
    client.post(f"/events/{mine.id}/book", data=FORM)
    other = {
        "name": "Tom",
        "email": "tom@school.example",
        "places-0-name": "Priya Nair",
        "places-0-email": person.email,
    }
    client.post(f"/events/{given.id}/book", data=other)
    assert client.get("/my/").headers["Location"] == "/sign-in?next=/my/"
    sign_in(client, person)
    page = client.get("/my/").text
    assert re.findall(r'ev__title"><a href="/(\w+)/[^"]+">([^<]+)<', page) == [
        ("bookings", "Mine"),
        ("places", "Given to me"),
    ]
    assert "/feeds/my/" in page


@pytest.mark.parametrize("number", [49, 60, 999])
def test_more_people_than_the_form_reads_are_refused_and_nobody_is_left_out(
    app: Flask, client: FlaskClient, number: int
) -> None:
    event = setup_event(app, capacity=None, places_per_booking=50)
    form = FORM | {f"places-{n}-name": f"Colleague {n}" for n in range(49)}
    page = client.post(f"/events/{event.id}/book", data={**form, f"places-{number}-name": "Ada Obi"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert "One booking can hold 50 places here. Take somebody out" in page.text
    with app.app_context():
        assert db.session.query(Booking).count() == 0
    page = client.post(f"/events/{event.id}/book", data={**form, f"places-{number}-name": "  "}, follow_redirects=True)
    assert (page.status_code, outcome(page)) == (200, "confirmed")
    with app.app_context():
        assert db.session.query(Place).count() == 50


def test_a_companion_where_the_event_takes_none_is_refused_at_a_field_that_is_there(
    app: Flask, client: FlaskClient
) -> None:
    event = setup_event(app, places_per_booking=1)
    page = client.post(f"/events/{event.id}/book", data={**FORM, "places-0-name": "Ada Obi"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [("name", "One booking can hold 1 place here. Take somebody out")]
