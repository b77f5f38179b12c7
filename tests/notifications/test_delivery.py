"""Delivery through a real SMTP server."""

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from email.utils import getaddresses
from html.parser import HTMLParser
from quopri import decodestring

import icalendar
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.bookings import actions as bookings
from booking.bookings.attendees import Contact, NewPlace
from booking.core.clock import now
from booking.core.db import atomic, db, statements
from booking.core.text import one_line
from booking.directory.actions import ask_to_sign_in
from booking.notifications import actions, delivery, mime, outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Sender, sender_address
from booking.notifications.verdict import Drop
from booking.organiser import actions as organiser
from tests.databases import close, make_app
from tests.factories import make_event, make_organiser, values_of
from tests.notifications.smtp import Server, smtp_server

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day")]
SUBJECT_WORDS = ["Booked:", "SENCo", "café", "–", "Monday", "1.30pm", "x" * 90, "李小龍", "🎉", "a,b;", "=?utf-8?q?x?="]
SENDER = Sender("Vale & Marsh", "team@vale-marsh.example", None)


@pytest.fixture
def server() -> Iterator[Server]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def mailing(database_url: str, server: Server) -> Iterator[Flask]:
    app = make_app(database_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(server.port))
    with app.app_context():
        yield app
    close(app)


@atomic
def post(to: str = "priya@school.example", **values) -> Message:
    message = outbox.post("sign_in", to=to, to_name="Priya", sender=SENDER, link="https://x.example", code="123456")
    for name, value in values.items():
        setattr(message, name, value)
    db.session.flush()
    return message


def deliver(**more):
    return delivery.deliver_due(worker="w1", limit=50, still_wanted=more.get("still_wanted", lambda message: None))


def states() -> list[tuple[str, int]]:
    db.session.expire_all()
    return [(str(m.status), m.tries) for m in db.session.query(Message).order_by(Message.id)]


def test_a_batch_goes_through_one_connection_each_mail_once(mailing: Flask, server: Server) -> None:
    for number in range(5):
        post(f"p{number}@school.example")
    assert deliver().sent == 5
    assert deliver().touched == 0
    assert (server.connections, sorted(server.recipients)) == (1, [f"p{number}@school.example" for number in range(5)])
    assert states() == [("sent", 1)] * 5


def test_headers_are_ours_and_cannot_be_injected(mailing: Flask, server: Server) -> None:
    message = post(
        subject="Hello\r\nBcc: evil@example.org", to_name='Priya\r\nX-Evil: "yes"', from_name="Vale & Marsh\n"
    )
    deliver()
    (mail,) = server.mails
    assert mail["From"] == "Vale & Marsh <calendar@example.org>"
    assert mail["Reply-To"] == "team@vale-marsh.example"
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "Hello Bcc: evil@example.org"
    assert "Bcc" not in mail
    assert "X-Evil" not in mail


def unfolded(raw: bytes) -> str:
    """The subject as RFC 5322, 2.2.3 and RFC 2047, 6.2 say to read it, without Python's parser."""
    field = re.search(rb"^Subject: (.*\r\n(?:[ \t].*\r\n)*)", raw, re.MULTILINE)[1]
    assert max(len(line) for line in f"Subject: {field.decode('ascii')}".split("\r\n")) <= 78
    line = re.sub(rb"\r\n(?=[ \t])", b"", field).removesuffix(b"\r\n").decode("ascii")
    line = re.sub(r"(\?=)[ \t]+(?==\?)", r"\1", line)
    return re.sub(r"=\?utf-8\?([bq])\?([^?]*)\?=", decoded, line)


def decoded(word: re.Match[str]) -> str:
    """An encoded word by itself (RFC 2047, 4): no character is cut in two."""
    as_bytes = b64decode(word[2]) if word[1] == "b" else decodestring(word[2].replace("_", " "))
    return as_bytes.decode()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SUBJECT_WORDS) | st.text(max_size=20), min_size=1, max_size=20))
def test_a_subject_comes_back_word_by_word_however_it_is_folded(in_app: Flask, words: list[str]) -> None:
    subject = one_line(" ".join(words))[:300].strip()
    message = Message(
        id=1, to_email="p@x.example", to_name="Priya", from_name="Vale", subject=subject, text="", html=""
    )
    message.message_id, message.created_at = "<1@x.example>", now()
    raw = mime.write(message, sender=sender_address())
    assert str(message_from_bytes(raw, policy=default)["Subject"]) == unfolded(raw) == subject


EVIL = "=?utf-8?q?=0D=0ABcc:_evil?= Ädä"
NAMES = [
    EVIL,
    "=?utf-8?q?a=00b?=",
    "=?utf-8?q?=2C_x=40evil=2Eexample=2C?= Priya",
    'a\\"b',
    "x" * 200,
    "a@b.example, c",
    "\ud800",
]
name_of_any_kind = st.one_of(
    st.sampled_from(NAMES),
    st.text(max_size=120),
    st.text(st.sampled_from('=?utf-8q_0DA\r\n\0",<>@\\ é(:;'), max_size=60),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name_of_any_kind, name_of_any_kind, name_of_any_kind)
def test_whatever_people_are_called_a_mail_is_written_to_one_address_and_gives_the_names_back(
    in_app: Flask, who: str, sender: str, subject: str
) -> None:
    message = Message(
        id=1,
        to_email="p@x.example",
        to_name=who,
        from_name=sender,
        subject=subject,
        text=who,
        html=who,
        reply_to="r@x.example",
    )
    message.message_id, message.created_at = "<1@x.example>", now()
    raw = mime.write(message, sender="team@x.example")
    mail = message_from_bytes(raw, policy=default)
    assert sorted(mail.keys()) == sorted(
        ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    )
    plainly = message_from_bytes(raw)
    for header, typed, address in (("To", who, "p@x.example"), ("From", sender, "team@x.example")):
        name = one_line(typed.encode("utf-8", "replace").decode())
        ((shown, found),) = getaddresses([plainly[header]])
        assert (found, str(make_header(decode_header(shown)))) == (address, name)
        # The newer reader of the standard library shows a space between two encoded words of a name.
        (one,) = mail[header].addresses
        assert (one.addr_spec, one.display_name.replace(" ", "")) == (address, name.replace(" ", ""))
    assert str(mail["Subject"]) == one_line(subject.encode("utf-8", "replace").decode())
    assert b"\0" not in raw
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))


def test_a_mail_that_cannot_be_written_fails_at_once_and_holds_up_no_later_one(mailing: Flask, server: Server) -> None:
    """Only an address can be so; it used to be tried for three days, and what came later waited behind it."""
    message = post("priya@school.example", reply_to="=?utf-8?q?=0D=0ABcc:_evil?=@x.example")
    post("priya@school.example")
    done = deliver()
    assert (done.failed, done.postponed, done.sent, states()) == (1, 0, 1, [("failed", 1), ("sent", 1)])
    assert db.session.get(Message, message.id).outcome.startswith("It cannot be written.")


def test_a_recipient_refused_for_good_fails_with_the_servers_words_and_the_others_go(
    mailing: Flask, server: Server
) -> None:
    server.answers["gone@school.example"] = "550 No such user here"
    post("gone@school.example")
    post("here@school.example")
    done = deliver()
    assert (done.failed, done.sent, server.recipients) == (1, 1, ["here@school.example"])
    assert states() == [("failed", 1), ("sent", 1)]
    assert db.session.query(Message).order_by(Message.id).first().outcome == "550 No such user here"


@pytest.mark.parametrize("answer", ["451 Try later", "drop"])
@pytest.mark.parametrize("when", ["", "data:"])
def test_what_is_refused_for_now_or_cut_off_is_tried_again(mailing: Flask, server: Server, answer, when) -> None:
    server.answers[f"{when}slow@school.example"] = answer
    post("slow@school.example")
    assert deliver().postponed == 1
    assert states() == [("queued", 1)]
    server.answers.clear()
    assert deliver().touched == 0
    with time_machine.travel(now() + timedelta(seconds=61)):
        assert deliver().sent == 1
    assert server.recipients == ["slow@school.example"]


def test_the_waits_grow_as_promised() -> None:
    waits = [actions.wait_after(tries) for tries in range(10)]
    assert waits[0] < timedelta(minutes=2)
    assert sum(waits[:3], timedelta()) < timedelta(minutes=8)
    assert waits == sorted(waits)
    assert max(waits) == timedelta(hours=1)


def test_a_server_that_is_away_delays_mail_and_loses_none(database_url: str) -> None:
    with smtp_server() as gone:
        port = gone.port
    app = make_app(database_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(port))
    with app.app_context():
        for number in range(3):
            post(f"p{number}@school.example")
        assert deliver().postponed == 3
        assert states() == [("queued", 1)] * 3
    close(app)


def test_after_three_days_it_is_given_up_and_shown(mailing: Flask, server: Server) -> None:
    server.answers["slow@school.example"] = "451 Try later"
    post("slow@school.example", created_at=now() - timedelta(days=4), tries=actions.FEWEST_TRIES)
    deliver()
    assert states() == [("failed", actions.FEWEST_TRIES)]


def test_after_a_week_without_a_scheduler_mail_is_tried_as_often_as_ever(mailing: Flask, server: Server) -> None:
    server.answers["slow@school.example"] = "451 Greylisted, try later"
    post("slow@school.example", created_at=now() - timedelta(days=7))
    deliver()
    assert states() == [("queued", 1)]


def test_what_a_dead_worker_had_is_taken_up_after_its_lease(mailing: Flask, server: Server) -> None:
    post()
    (taken,) = actions.claim(worker="dead", limit=10)
    assert deliver().touched == 0
    with time_machine.travel(now() + timedelta(minutes=4, seconds=59)):
        assert deliver().sent == 1
        with statements() as run:
            assert actions.mark_sent(taken, worker="dead", run=run) is False


def test_two_workers_never_take_the_same_message(mailing: Flask) -> None:
    for number in range(10):
        post(f"p{number}@school.example")
    first, second = actions.claim(worker="a", limit=6), actions.claim(worker="b", limit=6)
    assert (len(first), len(second)) == (6, 4)
    assert not {m.id for m in first} & {m.id for m in second}


def test_what_is_not_wanted_any_more_is_dropped_with_the_reason(mailing: Flask, server: Server) -> None:
    post()
    assert deliver(still_wanted=lambda message: Drop("the event was cancelled")).dropped == 1
    assert states() == [("dropped", 0)]
    assert server.mails == []


def test_a_cancellation_waits_for_the_invitation_that_it_calls_back(mailing: Flask, server: Server) -> None:
    server.answers["data:p@school.example"] = "451 Try later"
    event = make_event()
    booked = bookings.book(
        event, by=Contact("Priya", "p@school.example"), places=[NewPlace("Priya", "p@school.example")]
    )
    assert deliver().postponed == 1
    bookings.cancel(booked)
    server.answers.clear()
    assert deliver().touched == 0
    with time_machine.travel(now() + timedelta(seconds=61)):
        assert [deliver().sent, deliver().sent] == [1, 1]
    methods = [list(mail.iter_parts())[-1].get_param("method") for mail in server.mails]
    assert methods == ["REQUEST", "CANCEL"]


def test_a_code_that_has_run_out_is_not_sent_and_one_that_was_sent_is_forgotten(mailing: Flask, server: Server) -> None:
    ask_to_sign_in("priya@school.example", origin="1.2.3.4", next_page="", limit_origin=False)
    assert deliver().sent == 1
    assert re.match(r"\d{6} is your code", server.mails[0]["Subject"])
    ask_to_sign_in("priya@school.example", origin="1.2.3.4", next_page="", limit_origin=False)
    with time_machine.travel(now() + timedelta(minutes=15, seconds=1)):
        assert deliver().dropped == 1
    db.session.expire_all()
    sent, late = db.session.query(Message).order_by(Message.id)
    assert (sent.subject, sent.text, sent.html) == ("Sign-in code", "", "")
    assert late.outcome == "it would come too late"


class Text(HTMLParser):
    """The words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = False

    def handle_starttag(self, tag, attrs) -> None:
        self.hidden = tag in {"title", "style"}
        self.words += [value for name, value in attrs if name == "href"]

    def handle_endtag(self, tag) -> None:
        self.hidden = False

    def handle_data(self, data) -> None:
        if not self.hidden:
            self.words += data.split()


def parts(mail) -> dict[str, str]:
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()][:2] == ["text/plain", "text/html"]
    return {part.get_content_type(): part.get_content() for part in mail.iter_parts()}


def test_text_html_and_calendar_of_each_mail_say_the_same(mailing: Flask, server: Server) -> None:
    organiser_person = make_organiser()
    event = make_event("Forum, north & south", capacity=1, joining_link="https://meet.example.org/abc?a=1&b=2")
    booked = bookings.book(
        event, by=Contact("Priya Nair", "p@school.example"), places=[NewPlace("Priya Nair", "p@school.example")]
    )
    bookings.book(event, by=Contact("Ada Obi", "a@school.example"), places=[NewPlace("Ada Obi", "a@school.example")])
    bookings.cancel(booked)
    values = replace(values_of(event), day=event.day + timedelta(days=1), venue="Oak Suite")
    organiser.edit_event(event, values, by=organiser_person, revision=event.revision)
    organiser.cancel_event(event, by=organiser_person, note="The hall is flooded")
    organiser.restore_event(event, by=organiser_person)
    assert [deliver().sent for _ in range(5)] == [2, 2, 1, 1, 1]  # to each person one after the other
    kinds = [(m.kind, m.calendar_method) for m in db.session.query(Message).order_by(Message.id)]
    assert kinds == [
        ("confirmed", "REQUEST"),
        ("waiting", None),
        ("cancelled", "CANCEL"),
        ("promoted", "REQUEST"),
        ("moved", "REQUEST"),
        ("event_cancelled", "CANCEL"),
        ("event_restored", "REQUEST"),
    ]
    by_id = {mail["Message-ID"]: mail for mail in server.mails}
    sequences = []
    for message in db.session.query(Message).order_by(Message.id):
        mail = by_id[message.message_id]
        found = parts(mail)
        reader = Text()
        reader.feed(found["text/html"])
        html = set(reader.words)
        text = re.sub(r"[-:()]", " ", found["text/plain"]).split()
        missing = [word for word in text if word not in re.sub(r"[-:()]", " ", " ".join(html)).split()]
        assert missing == [], (message.kind, missing)
        if message.calendar_method:
            part = list(mail.iter_parts())[-1]
            assert (part.get_content_type(), part.get_param("method")) == ("text/calendar", message.calendar_method)
            calendar = icalendar.Calendar.from_ical(part.get_content())
            (entry,) = calendar.walk("VEVENT")
            assert str(calendar["METHOD"]) == message.calendar_method
            assert str(entry["ORGANIZER"]) == "mailto:calendar@example.org"
            assert str(entry["ATTENDEE"]) == f"mailto:{message.to_email}"
            assert str(entry["UID"]) == event.uid
            assert str(entry["STATUS"]) == ("CANCELLED" if message.calendar_method == "CANCEL" else "CONFIRMED")
            sequences.append((message.to_email, int(entry["SEQUENCE"])))
    assert sequences == [
        ("p@school.example", 0),
        ("p@school.example", 1),
        ("a@school.example", 0),
        ("a@school.example", 1),
        ("a@school.example", 2),
        ("a@school.example", 3),  # what was on again has the last word, in whatever order they are read
    ]
    confirmed = db.session.query(Message).filter_by(kind="confirmed").one()
    assert "https://meet.example.org/abc" in parts(by_id[confirmed.message_id])["text/plain"]


def test_the_lines_of_a_mail_are_as_long_as_allowed(mailing: Flask) -> None:
    event = make_event("é" * 200, description="ü " * 4000)
    bookings.book(event, by=Contact("李" * 40, "p@school.example"), places=[NewPlace("李" * 40, "p@school.example")])
    message = db.session.scalars(sa.select(Message)).one()
    raw = mime.write(message, sender=sender_address())
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
