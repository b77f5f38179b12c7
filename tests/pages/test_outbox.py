"""The outbox by real forms: the life of each message, addresses put aside, sending again."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, url_for
from flask.testing import FlaskClient

from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.notifications.actions import FORGET_AT_ONCE, KEEP_BODIES, forget_bodies
from booking.notifications.models import AddressPutAside, Message, MessageStatus
from scheduler import jobs
from tests.bench.mails import message_row
from tests.factories import the_area
from tests.forms import Forms, outcome, told


def log(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.query(AuditEntry).order_by(AuditEntry.id)
        return [(row.actor_name, row.action) for row in rows]


def message(status: MessageStatus = MessageStatus.FAILED, to: str = "priya@school.example", **values: Any) -> Message:
    """Add a message of the area, as a row only."""
    row = Message(kind="confirmed", to_email=to, to_name="Priya", from_name="", subject="Booked", text="", html="")
    row.area_id, row.message_id, row.priority, row.status = the_area().id, f"<{to}{status}@x>", 1, status
    row.created_at = row.send_after = now()
    for name, value in values.items():
        setattr(row, name, value)
    db.session.add(row)
    db.session.commit()
    return row


def test_the_outbox_finds_nobody_by_the_code_they_sign_in_with(app: Flask, tom: FlaskClient) -> None:
    app.test_client().post("/sign-in", data={"email": "head@vale-marsh.example"})
    with app.app_context():
        code = db.session.query(Message).one().subject[:6]
    assert code not in tom.get("/manage/outbox/").text
    assert "head@vale-marsh.example" in tom.get("/manage/outbox/?q=head").text
    assert "head@vale-marsh.example" not in tom.get(f"/manage/outbox/?q={code}").text


def test_the_outbox_shows_what_became_of_each_mail_and_sends_a_failed_one_again(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        failed = message(outcome="550 No such user", tries=1, created_at=now() - timedelta(days=5))
        sent = message(MessageStatus.SENT, "ada@school.example", subject="100% sent")
        message(MessageStatus.QUEUED, "ravi@school.example", tries=2)
        foreign = message(MessageStatus.FAILED, "elsewhere@school.example", area_id=None)
    page = tom.get("/manage/outbox/")
    assert re.findall(r"<b>(\d+)</b> ([a-z ]+)<", page.text) == [
        ("1", "waiting to go"),
        ("0", "going now"),
        ("1", "refused"),
    ]

    def shown(query: str) -> list[str]:
        return re.findall(r'data-label="To">([^<]+)<', tom.get(f"/manage/outbox/{query}").text)

    assert shown("") == ["ravi@school.example", "ada@school.example", "priya@school.example"]
    assert shown("?status=failed") == ["priya@school.example"]
    assert shown("?status=nonsense") == shown("")
    assert shown("?q=ADA@") == shown("?q=100%25+sent") == ["ada@school.example"]
    assert shown("?q=nothing") == []
    assert "Refused: 550 No such user" in page.text
    assert [path for path in Forms(page).forms if path.endswith("/resend")] == [f"/manage/outbox/{failed.id}/resend"]
    again = tom.post(f"/manage/outbox/{failed.id}/resend", follow_redirects=True)
    assert (outcome(again), told(again)) == ("saved", ["It is queued again."])
    with app.app_context():
        row = db.session.get(Message, failed.id)
        assert (str(row.status), row.tries, row.send_after <= now()) == ("queued", 0, True)
        assert row.created_at > now() - timedelta(minutes=5)
        assert row.message_id == failed.message_id
    page = tom.post(f"/manage/outbox/{failed.id}/resend")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert "Only a message that failed or was sent can be sent again." in page.text
    assert sent.id
    assert [tom.post(f"/manage/outbox/{number}/resend").status_code for number in (foreign.id, 999)] == [404, 404]
    assert [action for _, action in log(app) if "again" in action] == ["sent a message again"]


def test_the_outbox_never_shows_a_code_to_sign_in(app: Flask, tom: FlaskClient) -> None:
    app.test_client().post("/sign-in", data={"email": "boss@vale-marsh.example"})
    with app.app_context():
        code = re.search(r"\d{6}", db.session.query(Message).one().subject)[0]
    page = tom.get("/manage/outbox/")
    assert ("Sign-in code" in page.text, code in page.text) == (True, False)


def test_of_a_mail_that_was_sent_a_copy_goes_with_an_id_of_its_own(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        sent = message(MessageStatus.SENT, text="Hello", html="<p>Hello</p>", sent_at=now(), message_id="<1@x.example>")
    assert outcome(tom.post(f"/manage/outbox/{sent.id}/resend", follow_redirects=True)) == "saved"
    with app.app_context():
        first, copy = db.session.query(Message).order_by(Message.id)
        assert (str(first.status), str(copy.status), copy.text, copy.to_email) == (
            "sent",
            "queued",
            "Hello",
            sent.to_email,
        )
        assert copy.message_id != first.message_id
        assert copy.message_id.endswith("@x.example>")


def test_pressing_twice_sends_one_copy(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        sent = message(MessageStatus.SENT, text="Hello", html="<p>Hello</p>", sent_at=now(), message_id="<1@x.example>")
    pages = [tom.post(f"/manage/outbox/{sent.id}/resend", follow_redirects=True) for _ in range(2)]
    assert [outcome(page) for page in pages] == ["saved", "refused"]
    assert "A copy of it is on its way already." in pages[1].text
    with app.app_context():
        assert db.session.query(Message).count() == 2


REFUSED = {
    "a code": ({"kind": "sign_in"}, "A sign-in code is good once."),
    "an old one": ({"has_body": False}, "It is too old: what it said is not kept."),
    "a late one": ({"useless_after": now() - timedelta(days=1)}, "It would come too late."),
}


@pytest.mark.parametrize(("values", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_of_no_use_any_more_is_not_sent_again(app: Flask, tom: FlaskClient, values, sentence: str) -> None:
    with app.app_context():
        sent = message(MessageStatus.SENT, **values)
    page = tom.post(f"/manage/outbox/{sent.id}/resend")
    assert (page.status_code, outcome(page), sentence in page.text) == (409, "refused", True)
    page = tom.get(f"/manage/outbox/{sent.id}")
    assert (sentence in page.text, "/resend" in page.text) == (True, False)
    with app.app_context():
        assert db.session.query(Message).count() == 1


def test_a_message_tells_its_life_and_what_it_says_without_anybodys_own_links(app: Flask, tom: FlaskClient) -> None:
    text = (
        "Booked: SENCo forum\nhttp://calendar.example.org/bookings/AbC-123 and http://calendar.example.org/places/x-Y\n"
        "http://calendar.example.org/events/1/book?invitation=secret\nAbout: http://calendar.example.org/events/1-forum/"
    )
    with app.app_context():
        late = message(MessageStatus.QUEUED, tries=3, text=text, outcome="451 Try later", tried_at=now())
        held = message(MessageStatus.QUEUED, "ada@school.example", outcome="reminders are paused")
        third = message(MessageStatus.SENT, "uma@school.example", tries=3, sent_at=now(), tried_at=now())
        code = message(
            MessageStatus.SENT, "x@school.example", kind="sign_in", subject="123456 is your code", text="123456"
        )
        foreign = message(MessageStatus.SENT, "elsewhere@school.example", area_id=None)
    page = tom.get(f"/manage/outbox/{late.id}").text
    assert "Tried 3 times, and goes on trying: 451 Try later" in page
    assert "About: http://calendar.example.org/events/1-forum/" in page
    assert page.count("(their own link)") == 3
    assert [secret in page for secret in ("AbC-123", "x-Y", "secret")] == [False] * 3
    assert "Held: reminders are paused" in tom.get(f"/manage/outbox/{held.id}").text
    assert "Sent at the third try" in tom.get(f"/manage/outbox/{third.id}").text
    page = tom.get(f"/manage/outbox/{code.id}").text
    assert ("123456" in page, "is shown to nobody" in page) == (False, True)
    assert [tom.get(f"/manage/outbox/{number}").status_code for number in (foreign.id, 999)] == [404, 404]
    assert {action for _, action in log(app)} == {"opened a message of"}


def test_no_page_that_is_somebodys_right_is_shown_in_the_outbox(app: Flask, tom: FlaskClient) -> None:
    """Whatever page comes to be: what leads to it by a token is masked, in every place of its address."""
    rules = [rule for rule in app.url_map.iter_rules() if "token" in rule.arguments]
    assert len(rules) > 15
    with app.app_context(), app.test_request_context():
        values = [{name: "SeCrEt-1" if name == "token" else 7 for name in rule.arguments} for rule in rules]
        links = [url_for(rule.endpoint, **one, _external=True) for rule, one in zip(rules, values, strict=True)]
        links += [f"{link}?from=mail" for link in links]
        text = "\n".join([*links, *(f"({link})," for link in links)])
        sent = message(MessageStatus.SENT, text=text, sent_at=now())
    assert text.count("SeCrEt-1") == 4 * len(rules)
    page = tom.get(f"/manage/outbox/{sent.id}").text
    assert "SeCrEt-1" not in page
    assert page.count("(their own link)") >= 4 * len(rules)


def test_bodies_of_years_are_emptied_in_one_run_batch_by_batch(app: Flask) -> None:
    old = {"created_at": now() - timedelta(days=400), "status": MessageStatus.SENT}
    number = 2 * FORGET_AT_ONCE + 1
    with app.app_context():
        db.session.execute(sa.insert(Message), [message_row(n, text="Hello", html="", **old) for n in range(number)])
        db.session.commit()
        assert jobs.forget_old_bodies() == number
        assert db.session.query(Message).filter(Message.has_body).count() == 0
        assert jobs.forget_old_bodies() == 0


def test_what_a_message_said_is_emptied_after_ninety_days_and_the_rest_is_kept(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        text = {"text": "Hello", "html": "<p>Hello</p>"}
        old = now() - KEEP_BODIES - timedelta(minutes=1)
        gone = message(MessageStatus.SENT, created_at=old, calendar="BEGIN:VCALENDAR", **text)
        waits = message(MessageStatus.QUEUED, "ada@school.example", created_at=old, **text)
        young = message(MessageStatus.SENT, "uma@school.example", created_at=old + timedelta(minutes=2), **text)
        assert [forget_bodies(), forget_bodies()] == [1, 0]
        rows = [db.session.get(Message, one.id) for one in (gone, waits, young)]
        assert [(row.text, row.html, row.calendar, row.has_body) for row in rows] == [
            ("", "", None, False),
            ("Hello", "<p>Hello</p>", None, True),
            ("Hello", "<p>Hello</p>", None, True),
        ]
    page = tom.get(f"/manage/outbox/{gone.id}").text
    assert ("is not kept longer than 90 days" in page, "priya@school.example" in page) == (True, True)


def test_an_address_put_aside_is_shown_to_the_area_that_wrote_to_it_and_used_again(
    app: Flask, tom: FlaskClient
) -> None:
    with app.app_context():
        message(outcome="550 5.1.1 No such user")
        for email in ("priya@school.example", "elsewhere@school.example"):
            db.session.add(AddressPutAside(email=email, since=now(), reason="550 5.1.1 No such user"))
        db.session.commit()
    page = tom.get("/manage/outbox/")
    assert ("Addresses put aside" in page.text, "elsewhere@school.example" in page.text) == (True, False)
    assert "/manage/outbox/use-again" in Forms(page).forms
    for other in ("elsewhere@school.example", "nobody@school.example", ""):
        assert outcome(tom.post("/manage/outbox/use-again", data={"email": other})) == "refused"
    page = tom.post("/manage/outbox/use-again", data={"email": "priya@school.example"}, follow_redirects=True)
    assert (outcome(page), told(page)[0][:44]) == ("saved", "Mail goes to priya@school.example again. Wha")
    assert "Addresses put aside" not in page.text
    with app.app_context():
        assert [row.email for row in db.session.query(AddressPutAside)] == ["elsewhere@school.example"]
    assert ("Tom Okafor", "used again an address that was put aside") in log(app)


def fill(app: Flask, number: int, **values: Any) -> None:
    """Add so many messages of the area, each a minute after the one before, to p0@, p1@ and so on."""
    with app.app_context():
        usual = {"area_id": the_area().id, "status": MessageStatus.SENT, "text": "", "html": ""}
        first = now() - timedelta(days=30)
        rows = [
            message_row(n, **{**usual, "created_at": first + timedelta(minutes=n), **values}) for n in range(number)
        ]
        db.session.execute(sa.insert(Message), rows)
        db.session.commit()


def to(page: Any) -> list[str]:
    return re.findall(r'data-label="To">([^<]+)<', page.text)


def links(page: Any) -> dict[str, str]:
    return {rel: path.replace("&amp;", "&") for path, rel in re.findall(r'<a href="([^"]+)" rel="(\w+)">', page.text)}


@pytest.mark.both_databases
def test_the_outbox_goes_from_newer_to_older_and_back_by_links_alone(app: Flask, tom: FlaskClient) -> None:
    fill(app, 120)
    first = tom.get("/manage/outbox/?status=sent")
    second = tom.get(links(first)["next"])
    third = tom.get(links(second)["next"])
    numbers = [[int(address[1:].partition("@")[0]) for address in to(page)] for page in (first, second, third)]
    assert numbers == [[*range(119, 69, -1)], [*range(69, 19, -1)], [*range(19, -1, -1)]]
    assert [sorted(links(page)) for page in (first, second, third)] == [["next"], ["next", "prev"], ["prev"]]
    assert to(tom.get(links(third)["prev"])) == to(second)
    assert to(tom.get(links(second)["prev"])) == to(first)
    assert "status=sent" in links(third)["prev"]
    assert re.sub(r"<[^>]+>", "", re.search(r'<nav class="pager".*?</nav>', second.text, re.DOTALL)[0]).split() == [
        "←", "Newer", "Older", "→",
    ]  # fmt: skip


@pytest.mark.both_databases
def test_an_address_is_found_whole_or_by_its_beginning_however_old_its_mails_are(
    app: Flask, tom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("booking.notifications.queries.LOOKED_THROUGH", 10)
    fill(app, 30)
    with app.app_context():
        message(MessageStatus.SENT, "Ann_b@school.example".lower(), created_at=now() - timedelta(days=900))
        message(
            MessageStatus.SENT, "annxb@school.example", created_at=now() - timedelta(days=901), message_id="<7@x.y>"
        )
        message(MessageStatus.SENT, "anne@elsewhere.example", created_at=now() - timedelta(days=901), area_id=None)
    page = tom.get("/manage/outbox/?q=ANN")
    assert to(page) == ["ann_b@school.example", "annxb@school.example"]
    assert re.findall(r'href="/manage/outbox/\?q=([^"]+)"', page.text) == [
        "ann_b@school.example",
        "annxb@school.example",
    ]
    assert to(tom.get("/manage/outbox/?q=ann_b")) == ["ann_b@school.example"]
    assert to(tom.get("/manage/outbox/?q=annxb@school.example ")) == ["annxb@school.example"]
    assert (
        to(tom.get("/manage/outbox/?q=7@x.y")) == to(tom.get("/manage/outbox/?q=<7@x.y>")) == ["annxb@school.example"]
    )
    assert to(tom.get("/manage/outbox/?q=ann&status=failed")) == []
    assert to(tom.get("/manage/outbox/?q=anne")) == []
    # Any other part of an address, or of a subject, is looked for in the newest messages alone, and the page says so.
    assert to(tom.get("/manage/outbox/?q=29@school")) == ["p29@school.example"]
    assert to(tom.get("/manage/outbox/?q=19@school")) == []
    assert len(to(tom.get("/manage/outbox/?q=booked:"))) == 10
    assert "in the newest 10 messages" in page.text


@pytest.mark.both_databases
def test_of_many_addresses_that_begin_so_the_first_are_named(app: Flask, tom: FlaskClient) -> None:
    fill(app, 25)
    page = tom.get("/manage/outbox/?q=p")
    assert len(re.findall(r'href="/manage/outbox/\?q=p[^"]+"', page.text)) == 20
    assert "and more. Type more of the address to see the others" in page.text
    assert "and more." not in tom.get("/manage/outbox/?q=p1").text


def test_what_failed_is_counted_as_far_as_it_matters(app: Flask, tom: FlaskClient) -> None:
    fill(app, 501, status=MessageStatus.FAILED)
    assert "<b>more than 500</b> refused" in tom.get("/manage/outbox/").text
    assert "<b>more than 500</b> <span>e-mails refused" in tom.get("/manage/").text


def test_of_many_addresses_put_aside_the_newest_are_shown_and_any_is_found(app: Flask, tom: FlaskClient) -> None:
    fill(app, 22)
    with app.app_context():
        for n in range(22):
            since = now() - timedelta(days=n)
            db.session.add(AddressPutAside(email=f"p{n}@school.example", since=since, reason="550"))
        db.session.commit()
    page = tom.get("/manage/outbox/")
    assert (page.text.count(": 550\n"), "These are the newest 20." in page.text) == (20, True)
    page = tom.get("/manage/outbox/?q=p21@")
    assert re.findall(r"<b>(p\d+@school.example)</b>, since", page.text) == ["p21@school.example"]
    page = tom.post("/manage/outbox/use-again", data={"email": "p21@school.example"}, follow_redirects=True)
    assert outcome(page) == "saved"
