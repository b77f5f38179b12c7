"""Schools are invited to an event, by real forms: the organiser's pages, the links of the mail, the board."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import Booking, PlaceStatus
from booking.bookings.queries import INVITATION_LINK
from booking.calendar.models import Event, EventStatus, Kind, Visibility, WhoMayBook
from booking.core.clock import now, today
from booking.core.db import db
from booking.core.tokens import link_token, new_key
from booking.directory.models import ContactRole, School, SchoolContact
from booking.invitations.models import Invitation, InvitedSchool
from booking.notifications.models import AddressPutAside, Message
from tests.factories import make_booking, make_contact, make_event, make_group, make_person, make_school, sign_in
from tests.forms import Forms, errors, outcome, send, told
from tests.statements import statements

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term
NAMES = ("Oakhurst Primary School", "Millbrook High School", "Foxglove Nursery")


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def event(app: Flask) -> Event:
    """A forum and three schools; the last has no SENCo."""
    with app.app_context():
        schools = [make_school(name) for name in NAMES]
        make_contact(schools[0], "priya@oakhurst.example", name="Priya Nair")
        make_contact(schools[1], "ravi@millbrook.example", name="Ravi Shah")
        return make_event("SENCo forum", day=date(2027, 4, 28))


def pages(event: Event) -> tuple[str, str, str]:
    board = f"/manage/events/{event.id}/invitations/"
    return board, f"{board}new", f"{board}again"


def invite(tom: FlaskClient, event: Event, **typed):
    """Compose, look at it, and send; return the page that follows."""
    _, path, _ = pages(event)
    form = Forms(tom.get(path)).forms[path]
    preview = tom.post(path, data={**form, "step": "preview", **typed})
    return tom.post(path, data={**Forms(preview).forms[path], "step": "send"}, follow_redirects=True)


def links(app: Flask, email: str) -> tuple[str, str]:
    """Return the addresses in the mail to somebody: to book, and to say no."""
    with app.app_context():
        text = db.session.query(Message).filter_by(kind="invitation", to_email=email).one().text
    book, no = re.search(
        r"^Book for .*?: http://[^/]+(/\S+)$.*^We cannot come: http://[^/]+(/\S+)$", text, re.MULTILINE | re.DOTALL
    ).groups()
    return book, no


def board(app: Flask, tom: FlaskClient, event: Event, show: str = "") -> dict[str, str]:
    page = tom.get(pages(event)[0] + (f"?show={show}" if show else "")).text
    rows = re.findall(r'<tr data-status="(\w+)".*?<th scope="row">(.*?)</th>', page, re.DOTALL)
    return {name: status for status, name in rows}


def test_an_organiser_looks_at_the_invitation_tries_it_and_sends_it(app: Flask, tom: FlaskClient, event: Event) -> None:
    home, path, _ = pages(event)
    assert f'href="{home}"' in tom.get(f"/manage/events/{event.id}/").text
    assert "No school is invited yet" in tom.get(home).text
    form = Forms(tom.get(path)).forms[path]
    assert (form["roles"], form["subject"]) == (["senco"], ["You are invited: [event]"])
    page = tom.post(path, data={**form, "text": "Dear [name] of [school],\n\nbring a [event] plan.", "step": "preview"})
    assert "2 e-mails would go" in page.text
    for words in ("Dear Ravi Shah of Millbrook", "Foxglove Nursery: no SENCo is named", "their-own-link"):
        assert words in page.text
    typed = Forms(page).forms[path]
    test = tom.post(path, data={**typed, "step": "test"})
    assert "A test is on the way to tom@vale-marsh.example" in test.text
    back = tom.post(path, data={**typed, "step": "edit"})
    assert Forms(back).forms[path]["text"] == ["Dear [name] of [school],\n\nbring a [event] plan."]
    with app.app_context():
        (tried,) = db.session.query(Message)
        assert (tried.to_email, tried.kind, tried.subject) == (
            "tom@vale-marsh.example",
            "test_of_an_invitation",
            "Test: You are invited: SENCo forum",
        )
        assert db.session.query(InvitedSchool).count() == 0
    sent = [tom.post(path, data={**typed, "step": "send"}, follow_redirects=True) for _ in range(2)]
    assert [(outcome(page), told(page)) for page in sent] == [("saved", ["2 e-mails on the way."])] * 2
    assert board(app, tom, event) == {NAMES[0]: "open", NAMES[1]: "open", NAMES[2]: "open"}
    assert "SENCo: no contact" in sent[0].text
    with app.app_context():
        assert db.session.query(Message).filter_by(kind="invitation").count() == 2


MAIL = """\
Dear Priya Nair,

you are invited to SENCo forum, on Wednesday 28 April 2027, 1.30pm to 3.30pm. \
We would be glad to see somebody from Oakhurst Primary School.

Please book with the link below, or tell us that you cannot come: then we do not ask again.

SENCo forum
Wednesday 28 April 2027, 1.30pm to 3.30pm

Book for Oakhurst Primary School: http://calendar.example.org/events/1/book?invitation=TOKEN

We cannot come: http://calendar.example.org/invitations/TOKEN

About the event: http://calendar.example.org/events/1-senco-forum/

--
You get this as a contact of Oakhurst Primary School. \
The links are yours: they fill in your name. Answer this e-mail to reach Vale & Marsh SEND Partnership.
"""


def test_the_mail_says_what_when_where_and_has_both_links(app: Flask, tom: FlaskClient, event: Event) -> None:
    invite(tom, event)
    with app.app_context():
        message = db.session.query(Message).filter_by(to_email="priya@oakhurst.example").one()
        contact = db.session.query(SchoolContact).filter_by(email="priya@oakhurst.example").one()
        key = db.session.query(Invitation).filter_by(contact_id=contact.id).one().key
        token = link_token(INVITATION_LINK, key)
        assert (
            message.text.replace(token, "TOKEN").replace(app.config["BASE_URL"], "http://calendar.example.org") == MAIL
        )
        assert (message.subject, message.event_id, message.automatic) == ("You are invited: SENCo forum", 1, False)
        assert message.html.count(token) == 2
        number = message.id
    page = tom.get(f"/manage/outbox/{number}").text
    assert ("Dear Priya Nair" in page, token in page) == (True, False)


def test_the_link_fills_in_who_was_invited_and_books(app: Flask, tom: FlaskClient, event: Event) -> None:
    invite(tom, event)
    path, _ = links(app, "priya@oakhurst.example")
    stranger = app.test_client()
    form = Forms(stranger.get(path)).forms[path]
    with app.app_context():
        school = db.session.query(SchoolContact).filter_by(email="priya@oakhurst.example").one().school_id
    assert [form[name] for name in ("name", "email", "school")] == [
        ["Priya Nair"],
        ["priya@oakhurst.example"],
        [f"{school}"],
    ]
    page = stranger.post(path, data=form, follow_redirects=True)
    assert outcome(page) == "confirmed"
    assert board(app, tom, event)[NAMES[0]] == "booked"
    assert board(app, tom, event, "open") == {NAMES[1]: "open", NAMES[2]: "open"}
    assert board(app, tom, event, "booked") == {NAMES[0]: "booked"}


def test_the_link_of_an_invitation_books_what_is_by_invitation_and_that_event_alone(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    with app.app_context():
        db.session.get(Event, event.id).who_may_book = WhoMayBook.INVITED
        db.session.get(Event, event.id).invitation_key = new_key()
        db.session.commit()
        other = make_event("Another", who_may_book=WhoMayBook.INVITED, invitation_key=new_key())
    invite(tom, event)
    path, no = links(app, "priya@oakhurst.example")
    stranger = app.test_client()
    assert stranger.get(f"/events/{event.id}/book").status_code == 409
    assert stranger.get(path.replace(f"/{event.id}/", f"/{other.id}/")).status_code == 409
    assert outcome(send(stranger, path, path)) == "confirmed"
    # The event's own link is no invitation of a school.
    with app.app_context():
        shared = link_token(INVITATION_LINK, db.session.get(Event, event.id).invitation_key)
    assert stranger.get(f"/invitations/{shared}").status_code == 404
    assert stranger.get(f"{no[:-1]}!").status_code == 404


def test_no_is_said_by_a_press_and_not_by_a_look_and_may_be_said_twice(
    app: Flask, client: FlaskClient, tom: FlaskClient, event: Event
) -> None:
    invite(tom, event)
    book, path = links(app, "priya@oakhurst.example")
    for _ in range(2):  # a mail scanner follows the link
        page = client.get(path)
        assert (page.status_code, page.headers["Cache-Control"]) == (200, "private, no-store")
    assert client.head(path).status_code == 200
    assert board(app, tom, event)[NAMES[0]] == "open"
    assert "Can nobody from Oakhurst Primary School come?" in page.text
    page = send(client, path, reason="Exams that day")
    assert (outcome(page), told(page)) == ("saved", ["Thank you. We do not ask again."])
    page = send(client, path)
    assert (outcome(page), "You have told us that nobody from Oakhurst Primary School can come" in page.text) == (
        "saved",
        True,
    )
    found = tom.get(pages(event)[0]).text
    assert (board(app, tom, event)[NAMES[0]], "Exams that day" in found) == ("no", True)
    page = client.post(path, data={"reason": "x" * 201})
    assert (page.status_code, errors(page)) == (422, [("reason", "Use at most 200 letters")])
    assert Forms(page).forms[path]["reason"] == ["x" * 201]
    assert book in page.text  # they may change their mind
    assert outcome(send(client, book, book)) == "confirmed"
    assert board(app, tom, event)[NAMES[0]] == "booked"


def test_links_of_who_left_and_of_what_was_withdrawn_lead_nowhere(
    app: Flask, client: FlaskClient, tom: FlaskClient, event: Event
) -> None:
    invite(tom, event)
    priya, ravi = links(app, "priya@oakhurst.example"), links(app, "ravi@millbrook.example")
    with app.app_context():
        contact = db.session.query(SchoolContact).filter_by(email="priya@oakhurst.example").one()
        contact.ends_on, school_id = today() - timedelta(days=1), contact.school_id
        db.session.commit()
        other = db.session.query(SchoolContact).filter_by(email="ravi@millbrook.example").one().school_id
    page = tom.post(f"{pages(event)[0]}{other}/withdraw", follow_redirects=True)
    assert (outcome(page), board(app, tom, event)[NAMES[1]]) == ("saved", "withdrawn")
    assert tom.post(f"{pages(event)[0]}999/withdraw").status_code == 404
    for book, no in (priya, ravi):
        assert (client.get(no).status_code, client.post(no, data={}).status_code) == (410, 410)
        assert "Priya" not in client.get(book).text
    assert board(app, tom, event) == {NAMES[0]: "open", NAMES[1]: "withdrawn", NAMES[2]: "open"}
    assert school_id


def test_those_who_have_not_answered_are_invited_again_together_or_as_ticked(
    app: Flask, client: FlaskClient, tom: FlaskClient, event: Event
) -> None:
    invite(tom, event)
    path = pages(event)[2]
    send(client, links(app, "ravi@millbrook.example")[1])
    page = tom.get(path)
    assert "2 schools: those that have booked" in page.text
    refused = tom.post(path, data={**Forms(page).forms[path], "step": "preview"})
    assert (refused.status_code, "no contact for this" in refused.text) == (409, True)
    with time_machine.travel(NOW + timedelta(hours=2)):
        form = Forms(tom.get(path)).forms[path]
        preview = tom.post(path, data={**form, "subject": "Still room: [event]", "step": "preview"})
        assert "1 e-mail would go" in preview.text
        sent = Forms(preview).forms[path]
        for _ in range(2):
            page = tom.post(path, data={**sent, "step": "send"}, follow_redirects=True)
            assert told(page) == ["1 e-mail on the way."]
        assert "2 times" in page.text
        ticked = tom.get(f"{path}?ticked=y")
        assert (ticked.status_code, "Tick the schools first." in ticked.text) == (409, True)
        with app.app_context():
            ravi = db.session.query(SchoolContact).filter_by(email="ravi@millbrook.example").one().school_id
        assert "1 school: those" in tom.get(f"{path}?ticked=y&school={ravi}").text
    with app.app_context():
        rows = db.session.query(Message).filter_by(kind="invitation").order_by(Message.id).all()
        assert [row.to_email for row in rows].count("priya@oakhurst.example") == 2
        assert rows[-1].subject == "Still room: SENCo forum"


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"roles": []}, "roles", "Tick at least one role"),
        ({"subject": ""}, "subject", "Enter a subject"),
        ({"text": " "}, "text", "Enter what to say"),
        (
            {"text": "Dear [nmae]"},
            "text",
            "There is no merge word [nmae]. Did you mean [name]?",
        ),
    ],
)
def test_what_cannot_be_sent_is_told_and_what_was_typed_is_kept(
    app: Flask, tom: FlaskClient, event: Event, typed, field: str, sentence: str
) -> None:
    _, path, _ = pages(event)
    form = {**Forms(tom.get(path)).forms[path], "text": "My own words", **typed, "step": "send"}
    page = tom.post(path, data=form)
    assert (page.status_code, outcome(page), errors(page)) == (422, "invalid", [(field, sentence)])
    assert Forms(page).forms[path]["text"][0].strip() == form["text"].strip()
    with app.app_context():
        assert db.session.query(Message).count() == 0


def test_where_nobody_is_chosen_it_is_said_at_once(app: Flask, tom: FlaskClient, event: Event) -> None:
    _, path, _ = pages(event)
    with app.app_context():
        group = make_group("Pilot", [make_school("Vale End")])
    form = {**Forms(tom.get(path)).forms[path], "step": "preview", "groups": [f"{group.id}"], "phases": ["special"]}
    page = tom.post(path, data=form)
    assert (page.status_code, errors(page)) == (409, [("phases", "No school is all that is ticked. Tick less.")])
    page = tom.post(path, data={**form, "phases": []})
    assert page.status_code == 409
    assert "Nobody can be written to: the schools have no contact for this" in page.text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": EventStatus.CANCELLED}, "This event has been cancelled"),
        ({"status": EventStatus.DRAFT}, "Publish it first, then invite"),
        ({"day": date(2027, 2, 1)}, "has started or is over"),
        ({"visibility": Visibility.TEAM}, "Only the team sees this event"),
        ({"kind": Kind.DEADLINE, "takes_bookings": False}, "by its returns"),
    ],
)
def test_what_cannot_be_booked_invites_nobody(app: Flask, tom: FlaskClient, event: Event, values, words: str) -> None:
    _, path, again = pages(event)
    form = Forms(tom.get(path)).forms[path]
    with app.app_context():
        for name, value in values.items():
            setattr(db.session.get(Event, event.id), name, value)
        db.session.commit()
    assert words in tom.get(pages(event)[0]).text
    for page in (tom.get(path), tom.post(path, data={**form, "step": "send"}), tom.get(again)):
        assert (page.status_code, outcome(page), words in page.text) == (409, "refused", True)
    with app.app_context():
        assert db.session.query(Message).count() == 0


def test_of_a_private_event_a_link_tells_nothing_of_who_has_booked(
    app: Flask, client: FlaskClient, tom: FlaskClient, event: Event
) -> None:
    with app.app_context():
        db.session.get(Event, event.id).private = True
        db.session.commit()
    invite(tom, event)
    book, no = links(app, "priya@oakhurst.example")

    def look() -> list[str]:
        return [re.sub(r'name="(csrf_token|form_key)"[^>]*>', "", client.get(path).text) for path in (book, no)]

    before = [re.sub(r'value="[\w-]{16}"', "", text) for text in look()]
    with app.app_context():
        contact = db.session.query(SchoolContact).filter_by(email="priya@oakhurst.example").one()
        make_booking(db.session.get(Event, event.id), "Priya Nair", contact.email, school=contact.school)
    assert [re.sub(r'value="[\w-]{16}"', "", text) for text in look()] == before
    assert board(app, tom, event)[NAMES[0]] == "booked"


def test_mail_that_is_refused_is_shown_and_not_tried(app: Flask, tom: FlaskClient, event: Event) -> None:
    with app.app_context():
        db.session.add(AddressPutAside(email="priya@oakhurst.example", since=now(), reason="550 nobody"))
        db.session.commit()
    _, path, _ = pages(event)
    page = tom.post(path, data={**Forms(tom.get(path)).forms[path], "step": "preview"})
    assert ("1 e-mail would go" in page.text, "mail to Priya Nair is refused" in page.text) == (True, True)
    page = invite(tom, event)
    assert (told(page), "mail is refused" in page.text) == (["1 e-mail on the way."], True)


def test_the_board_costs_as_much_for_three_schools_as_for_one(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event("SENCo forum", day=date(2027, 4, 28))
    counts = []
    for numbers in ((1,), (2, 3)):
        with app.app_context():
            for number in numbers:
                school = make_school(f"School no {number}")
                make_contact(school, f"senco{number}@school.example")
                make_contact(school, f"head{number}@school.example", ContactRole.HEADTEACHER)
        invite(tom, event)
        with app.app_context():
            for school in db.session.query(School):
                make_booking(db.session.get(Event, event.id), status=PlaceStatus.WAITING, school=school)
        with statements(app) as seen:
            assert len(board(app, tom, event)) == numbers[-1]
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_somebody_signed_in_sees_whose_invitation_it_is(app: Flask, tom: FlaskClient, event: Event) -> None:
    invite(tom, event)
    path, _ = links(app, "priya@oakhurst.example")
    colleague = app.test_client()
    with app.app_context():
        sign_in(colleague, make_person("daniel@oakhurst.example", "Daniel Achebe"))
    assert Forms(colleague.get(path)).forms[path]["name"] == ["Priya Nair"]
    page = send(colleague, path, path, name="Daniel Achebe", email="daniel@oakhurst.example")
    assert outcome(page) == "confirmed"
    with app.app_context():
        assert db.session.query(Booking).one().name == "Daniel Achebe"
