"""Writing to the people of an event by real forms: to whom, how it looks, what each gets, and once."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings import actions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event, Promotion
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.directory.models import School
from booking.notifications.models import Message
from tests.factories import make_event, make_school
from tests.forms import Forms, errors, form_at, outcome, told

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
KNOWN = "You can use [name], [event], [when], [where] and [link]."


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def book(event: Event, *people: tuple[str, str], by: tuple[str, str] | None = None, school: School | None = None):
    booker = Contact(*(by or people[0]), school.id if school else None)
    actions.book(event, by=booker, places=[NewPlace(*one) for one in people])


@pytest.fixture
def event(app: Flask) -> Event:
    """Priya books for herself and two who share an office address; Ada waits, Ben has an offer."""
    with app.app_context():
        event, school = make_event("Forum", day=date(2027, 3, 15), capacity=4), make_school("Oakhurst")
        office = "office@oak.example"
        priya = ("Priya Nair", "priya@oak.example")
        book(event, priya, ("Daniel Achebe", office), ("Uma Fenn", office), school=school)
        event = db.session.get(Event, event.id)
        event.promotion = Promotion.OFFER
        db.session.commit()
        book(event, ("Gone Away", "gone@elm.example"))
        book(event, ("Ben Carter", "ben@elm.example"))
        book(event, ("Ada Obi", "ada@elm.example"))
        actions.cancel(db.session.query(Booking).filter_by(name="Gone Away").one())
        db.session.query(Message).delete()
        db.session.commit()
        event = db.session.get(Event, event.id)
        db.session.refresh(event)
        return event


def address(event: Event) -> str:
    return f"/manage/events/{event.id}/places/message"


def write(tom: FlaskClient, event: Event, step: str, form: dict[str, Any] | None = None, **typed: Any):
    form = form or form_at(tom, address(event))
    message = {"subject": "About [event]", "text": "Dear [name],\n\nplease bring a pen."}
    return tom.post(address(event), data={**form, **message, **typed, "step": step}, follow_redirects=True)


def sent(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(m.to_email, m.to_name) for m in db.session.query(Message).order_by(Message.id)]


@pytest.mark.parametrize(
    ("to", "school", "expected"),
    [
        (
            "confirmed",
            "",
            [
                ("priya@oak.example", "Priya Nair"),
                ("office@oak.example", "Daniel Achebe"),
                ("office@oak.example", "Uma Fenn"),
            ],
        ),
        ("waiting", "", [("ada@elm.example", "Ada Obi")]),
        ("offered", "", [("ben@elm.example", "Ben Carter")]),
        (
            "all",
            "1",
            [
                ("priya@oak.example", "Priya Nair"),
                ("office@oak.example", "Daniel Achebe"),
                ("office@oak.example", "Uma Fenn"),
            ],
        ),
        (
            "all",
            "",
            [
                ("priya@oak.example", "Priya Nair"),
                ("office@oak.example", "Daniel Achebe"),
                ("office@oak.example", "Uma Fenn"),
                ("ben@elm.example", "Ben Carter"),
                ("ada@elm.example", "Ada Obi"),
            ],
        ),
    ],
)
def test_a_message_goes_to_those_it_is_for_and_to_each_once(
    app: Flask, tom: FlaskClient, event: Event, to: str, school: str, expected: list[tuple[str, str]]
) -> None:
    page = write(tom, event, "preview", to=to, school=school)
    assert (page.status_code, sent(app)) == (200, [])
    number = "1 e-mail" if len(expected) == 1 else f"{len(expected)} e-mails"
    assert f"<h1>{number} would go</h1>" in page.text
    page = tom.post(address(event), data={**Forms(page).forms[address(event)], "step": "send"}, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", [f"{number} on the way."])
    assert sent(app) == expected


def test_each_gets_their_own_words_and_link_and_nobody_else_is_named(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    write(
        tom,
        event,
        "send",
        subject="[Name], about [event]",
        text="Dear [ name ],\n\n[event] is on [when]\nat [where].\n\nSee [link] & <b>come</b> [1]",
    )
    with app.app_context():
        priya, daniel, uma = db.session.query(Message).order_by(Message.id)
        assert [m.subject for m in (priya, daniel, uma)] == [
            f"{name}, about Forum" for name in ("Priya Nair", "Daniel Achebe", "Uma Fenn")
        ]
        when = "Monday 15 March 2027, 1.30pm to 3.30pm"
        link = re.search(r"http://\S+/places/\S+/", daniel.text)[0]
        assert daniel.text.split("\n\n")[:4] == [
            "Dear Daniel Achebe,",
            f"Forum is on {when}\nat a place to be announced.",
            f"See {link} & <b>come</b> [1]",
            f"Forum\n{when}",
        ]
        assert "Priya Nair gave this address for Daniel Achebe." in daniel.text
        assert f'<a href="{link}" rel="noopener">{link}</a> &amp; &lt;b&gt;come&lt;/b&gt; [1]</p>' in daniel.html
        assert daniel.html.count("<p style") == 6
        links = {
            m.to_name: set(re.findall(r"http://\S+/(?:places|bookings)/\S+/", m.text)) for m in (priya, daniel, uma)
        }
        assert {name: len(found) for name, found in links.items()} == {
            "Priya Nair": 1,
            "Daniel Achebe": 1,
            "Uma Fenn": 1,
        }
        assert len(set.union(*links.values())) == 3
        for mine, others in ((daniel, ("Uma", "Ada", "Ben")), (uma, ("Daniel", "Ada", "Ben")), (priya, ("Ada", "Ben"))):
            for part in (mine.subject, mine.text, mine.html):
                assert [name for name in others if name in part] == []
        assert {(m.reply_to, m.automatic, m.from_name) for m in (priya, daniel, uma)} == {
            ("team@vale-marsh.example", False, "Vale & Marsh SEND Partnership")
        }


def test_who_is_in_several_bookings_gets_one_mail_with_each_link(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
        ada, ben = ("Ada Obi", "ada@elm.example"), ("Ben Carter", "ben@elm.example")
        book(event, ben, by=ada)
        book(event, ada, by=("Head Teacher", "head@elm.example"))
        db.session.query(Message).delete()
        db.session.commit()
        db.session.refresh(db.session.get(Event, event.id))
    write(tom, event, "send")
    with app.app_context():
        found = {m.to_name: m.text for m in db.session.query(Message)}
    assert sorted(found) == ["Ada Obi", "Ben Carter", "Head Teacher"]
    assert re.findall(r"^(Your \w+ \(.*?\)): http", found["Ada Obi"], re.MULTILINE) == [
        "Your booking (Ben Carter)",
        "Your place (Ada Obi)",
    ]


def test_the_preview_shows_the_mail_of_one_of_them_without_their_link(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    page = write(tom, event, "preview", text="Dear [name],\n\nsee [link] and <script>")
    shown = re.search(r'<p class="letter__text">(.*?)</p>', page.text, re.DOTALL)[1]
    link = "http://calendar.example.org/bookings/their-own-link/"
    assert shown.startswith(f"Dear Priya Nair,\n\nsee {link} and &lt;script&gt;")
    assert "<b>About Forum</b>" in page.text
    with app.app_context():
        keys = [row.key for row in [*db.session.query(Booking), *db.session.query(Place)]]
    assert [key for key in keys if key in page.text] == []


def test_what_was_typed_is_kept_when_it_is_changed_once_more(tom: FlaskClient, event: Event) -> None:
    typed = {"to": "waiting", "subject": "“Hello” & [name]", "text": "One\n\nTwo <three>"}
    page = write(tom, event, "preview", **typed)
    hidden = Forms(page).forms[address(event)]
    page = tom.post(address(event), data={**hidden, "step": "edit"})
    assert (page.status_code, outcome(page)) == (200, None)
    kept = Forms(page).forms[address(event)]
    assert {name: kept[name] for name in typed} == {name: [value] for name, value in typed.items()}
    assert kept["form_key"] == hidden["form_key"]


@pytest.mark.both_databases
def test_a_message_sent_twice_goes_once_and_another_one_goes_too(app: Flask, tom: FlaskClient, event: Event) -> None:
    form = form_at(tom, address(event))
    for _ in range(2):
        page = write(tom, event, "send", form)
        assert (outcome(page), told(page)) == ("saved", ["3 e-mails on the way."])
    assert len(sent(app)) == 3
    write(tom, event, "send", form, text="I forgot: the hall has moved.")
    assert len(sent(app)) == 6
    with app.app_context():
        lines = db.session.query(AuditEntry).filter_by(action="wrote to the people of").order_by(AuditEntry.id).all()
        assert [{name: line.detail[name] for name in line.detail if name != "form"} for line in lines] == [
            {"message": "About [event]", "to": "confirmed", "told": 3},
            {"message": "About [event]", "to": "confirmed", "told": 3},
        ]
        assert [line.actor_name for line in lines] == ["Tom Okafor", "Tom Okafor"]
    page = tom.get("/manage/log/").text
    assert "message: About [event]; to: confirmed; told: 3" in page
    assert "form:" not in page


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"subject": " ", "text": "\n"}, [("subject", "Enter a subject"), ("text", "Enter what to say")]),
        ({"text": "Dear [nmae] and [Child]"}, [("text", f"There is no merge word [nmae] and [Child]. {KNOWN}")]),
        ({"subject": "[colour]"}, [("subject", f"There is no merge word [colour]. {KNOWN}")]),
        ({"subject": "A" * 151}, [("subject", "Use at most 150 letters")]),
        ({"text": "A" * 5001}, [("text", "Use at most 5,000 letters")]),
        ({"school": "999"}, [("school", "Choose a school from the list")]),
        ({"to": "everyone"}, [("to", "Not a valid choice.")]),
    ],
)
@pytest.mark.parametrize("step", ["preview", "send"])
def test_what_cannot_be_sent_is_told_at_its_field_and_kept(
    app: Flask, tom: FlaskClient, event: Event, step: str, typed: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    page = write(tom, event, step, **typed)
    assert (page.status_code, outcome(page), errors(page)) == (422, "invalid", expected)
    kept = Forms(page).forms[address(event)]
    assert {n: kept[n] for n in typed if n in {"subject", "text"}} == {
        n: [value.strip()] for n, value in typed.items() if n in {"subject", "text"}
    }
    assert sent(app) == []


@pytest.mark.parametrize("step", ["preview", "send"])
def test_nobody_to_write_to_is_told(app: Flask, tom: FlaskClient, event: Event, step: str) -> None:
    page = write(tom, event, step, to="waiting", school="1")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page) == [("to", "There is nobody to write to. Choose somebody else.")]


def test_nothing_typed_becomes_a_header(app: Flask, tom: FlaskClient, event: Event) -> None:
    evil = "Hello\r\nBcc: eve@evil.example\u2028[name]"
    write(tom, event, "send", subject=evil, to="waiting")
    with app.app_context():
        (message,) = db.session.query(Message)
        assert message.subject == "Hello Bcc: eve@evil.example Ada Obi"
        assert message.to_email == "ada@elm.example"


def test_a_name_with_a_merge_word_stays_a_name(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
        book(event, ("Ada [link]", "ada@elm.example"))
        db.session.query(Message).delete()
        db.session.commit()
        db.session.refresh(db.session.get(Event, event.id))
    write(tom, event, "send", subject="[name]", text="Dear [name]")
    with app.app_context():
        (message,) = db.session.query(Message)
        assert (message.subject, message.text.partition("\n")[0]) == ("Ada [link]", "Dear Ada [link]")
