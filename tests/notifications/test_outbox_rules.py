"""What the outbox holds to besides: one-press unsubscribing, addresses put aside, holding, and a rate."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.calendar.models import Event
from booking.core.clock import now
from booking.core.db import atomic, db
from booking.notifications import actions, delivery, mime, outbox
from booking.notifications.models import AddressPutAside, Message
from booking.notifications.outbox import Sender, sender_address
from booking.notifications.queries import oldest_due
from booking.notifications.verdict import Drop, Hold
from booking.notifications.wording import say_life
from scheduler import jobs
from tests.databases import close, make_app
from tests.factories import make_event
from tests.notifications.smtp import FussyServer, fussy_server

pytestmark = pytest.mark.both_databases
SENDER = Sender("Vale & Marsh", "team@vale-marsh.example", None)


@pytest.fixture
def server() -> Iterator[FussyServer]:
    with fussy_server() as server:
        yield server


@pytest.fixture
def mailing(database_url: str, server: FussyServer) -> Iterator[Flask]:
    app = make_app(database_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(server.port))
    with app.app_context():
        yield app
    close(app)


@atomic
def post(*to: str, kind: str = "confirmed", **values) -> None:
    for email in to:
        message = outbox.post(
            "sign_in", kind=kind, to=email, to_name="Priya", sender=SENDER, link="https://x.example", code="1", **values
        )
        assert message


def deliver(still_wanted=lambda message: None):
    return delivery.deliver_due(worker="w1", limit=50, still_wanted=still_wanted)


def states() -> list[tuple[str, int]]:
    db.session.expire_all()
    return [(str(m.status), m.tries) for m in db.session.query(Message).order_by(Message.id)]


def outcomes() -> list[str | None]:
    db.session.expire_all()
    return [message.outcome for message in db.session.query(Message).order_by(Message.id)]


def test_a_mail_that_one_may_stop_carries_the_button_of_mail_clients(mailing: Flask, server: FussyServer) -> None:
    post("priya@school.example", unsubscribe="https://x.example/stop/1")
    post("ada@school.example")
    post("ravi@school.example", unsubscribe="https://x.example/stop\r\nBcc: evil@example.org")
    deliver()
    first, second, third = server.mails
    assert first["List-Unsubscribe"] == "<https://x.example/stop/1>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (second["List-Unsubscribe"], second["List-Unsubscribe-Post"]) == (None, None)
    assert third["Bcc"] is None


def test_the_button_of_mail_clients_holds_a_long_address_as_it_is(mailing: Flask, server: FussyServer) -> None:
    """Folded as words (RFC 2047) it would be decoded by libraries, and by no mail client (RFC 8058, 3.1)."""
    link = f"https://x.example/reminders/stop/{'Ab-_' * 50}"
    post("priya@school.example", unsubscribe=link)
    raw = mime.write(db.session.query(Message).one(), sender=sender_address())
    assert f"\r\nList-Unsubscribe:\r\n <{link}>\r\n".encode() in raw
    deliver()
    assert server.mails[0]["List-Unsubscribe"].strip() == f"<{link}>"


OF_THE_ADDRESS = (
    "550 5.1.1 No such user",
    "553 5.1.3 Bad syntax",
    "550 5.2.1 Disabled",
    "550 No such user",
    "551 Gone",
    "550 Unknown user",
    "550 Unrouteable address",
    "550 Requested action not taken: mailbox unavailable",
)
OF_US = (
    "550 5.7.1 You are on a list",
    "554 5.7.26 Not signed",
    "552 5.2.2 Mailbox full",
    "554 No",
    "550 5.4.1 Relay",
    "550 5.1.7 Sender's address is wrong",
    "550 5.1.8 Sender address rejected: Domain not found",
    "550 5.1.90 You have reached your limit of recipients for today",
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    "550 Administrative prohibition",
    "550 relay not permitted",
    "550 Sender verify failed",
    "550 Rejected: high probability of spam",
)


@pytest.mark.parametrize("answer", OF_THE_ADDRESS)
def test_an_address_where_nobody_is_is_put_aside_until_it_answers_again(
    mailing: Flask, server: FussyServer, answer: str
) -> None:
    server.answers["gone@school.example"] = answer
    post("gone@school.example")
    deliver()
    assert [row.reason for row in db.session.query(AddressPutAside)] == [answer]
    server.recipients.clear()
    post("gone@school.example", "here@school.example")
    assert (deliver().failed, server.recipients) == (1, ["here@school.example"])
    assert states() == [("failed", 1), ("failed", 0), ("sent", 1)]
    assert outcomes()[1] == f"Not tried, as the address was put aside on {now():%d %B %Y}: {answer}"
    server.answers.clear()
    post("gone@school.example", kind="sign_in")  # somebody waits for it
    assert deliver().sent == 1
    assert db.session.query(AddressPutAside).count() == 0
    post("gone@school.example")
    assert deliver().sent == 1


@pytest.mark.parametrize("answer", OF_US)
def test_an_address_is_not_put_aside_for_what_the_server_has_against_us(
    mailing: Flask, server: FussyServer, answer: str
) -> None:
    server.answers["here@school.example"] = answer
    post("here@school.example")
    deliver()
    assert (states(), outcomes()) == ([("failed", 1)], [answer])
    assert db.session.query(AddressPutAside).count() == 0


@pytest.mark.parametrize("answer", ["550 5.1.1 No such user", "450 4.1.1 Not now"])
def test_what_is_refused_after_the_text_or_for_now_says_nothing_of_the_address(
    mailing: Flask, server: FussyServer, answer: str
) -> None:
    server.answers["data:here@school.example" if answer.startswith("5") else "here@school.example"] = answer
    post("here@school.example")
    deliver()
    assert db.session.query(AddressPutAside).count() == 0


def test_sending_again_uses_the_address_again(mailing: Flask, server: FussyServer) -> None:
    server.answers["gone@school.example"] = "550 5.1.1 No such user"
    post("gone@school.example")
    deliver()
    server.answers.clear()
    actions.resend(db.session.query(Message).one(), by=None)
    assert deliver().sent == 1
    assert db.session.query(AddressPutAside).count() == 0


def test_what_is_held_goes_later_and_has_lost_no_try(mailing: Flask, server: FussyServer) -> None:
    post("priya@school.example")
    assert deliver(lambda message: Hold("reminders are paused")).postponed == 1
    assert (states(), outcomes()) == ([("queued", 0)], ["reminders are paused"])
    assert deliver().touched == 0
    with time_machine.travel(now() + timedelta(minutes=5, seconds=1)):
        assert deliver().sent == 1
    assert (states(), outcomes()) == ([("sent", 1)], [None])


def test_what_is_held_holds_up_no_other_mail_about_the_event(mailing: Flask, server: FussyServer) -> None:
    event_id = make_event().id
    post("priya@school.example", kind="reminder", event_id=event_id)
    deliver(lambda message: Hold("reminders are paused"))
    post("priya@school.example", kind="cancelled", event_id=event_id)
    assert deliver().sent == 1
    assert states() == [("queued", 0), ("sent", 1)]


def test_what_was_put_off_and_then_held_says_so_and_begins_its_tries_anew(mailing: Flask, server: FussyServer) -> None:
    server.answers["priya@school.example"] = "451 Later"
    event_id = make_event().id
    post("priya@school.example", kind="reminder", event_id=event_id)
    deliver()
    with time_machine.travel(now() + timedelta(minutes=2)):
        deliver(lambda message: Hold("reminders are paused"))
        assert states() == [("queued", 0)]
        assert say_life(db.session.query(Message).one()) == "Held: reminders are paused"
        server.answers.clear()
        post("priya@school.example", kind="cancelled", event_id=event_id)
        assert deliver().sent == 1


def test_mail_that_waits_behind_another_of_its_event_is_not_late(mailing: Flask, server: FussyServer) -> None:
    """What was refused for now goes on being tried: nobody has to look into the scheduler for it."""
    server.answers["priya@school.example"] = "451 Later"
    event_id = make_event().id
    at = now()
    with time_machine.travel(at, tick=False):
        post("priya@school.example", event_id=event_id)
        deliver()
        post("priya@school.example", "ada@school.example", event_id=event_id)
        assert oldest_due(at) == at
        deliver()
    assert oldest_due(at + timedelta(seconds=30)) is None
    assert oldest_due(at + timedelta(seconds=61)) == at + timedelta(minutes=1)


@pytest.fixture
def slowly(database_url: str, server: FussyServer) -> Iterator[Flask]:
    app = make_app(database_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(server.port), MAIL_PER_MINUTE="5")
    with app.app_context():
        yield app
    close(app)


def test_no_more_mails_go_in_a_minute_than_may_and_the_urgent_ones_first(slowly: Flask, server: FussyServer) -> None:
    at = now()
    with time_machine.travel(at, tick=False):
        post(*(f"p{n}@school.example" for n in range(8)))
        post("waits@school.example", kind="sign_in", priority=outbox.Priority.NOW)
        assert [jobs.deliver(), jobs.deliver()] == [5, 0]
        assert server.recipients[0] == "waits@school.example"
    with time_machine.travel(at + timedelta(seconds=59), tick=False):
        assert jobs.deliver() == 0
    with time_machine.travel(at + timedelta(seconds=61), tick=False):
        assert jobs.deliver() == 4
    assert len(set(server.recipients)) == 9


def test_several_workers_hold_one_rate_together(slowly: Flask, server: FussyServer) -> None:
    server.seconds_per_mail = 0.05
    post(*(f"p{n:02}@school.example" for n in range(20)))

    def work(number: int) -> int:
        with slowly.app_context():
            return delivery.deliver_due(worker=f"w{number}", limit=3, still_wanted=lambda message: None).sent

    with ThreadPoolExecutor(4) as pool:
        sent = sum(pool.map(work, range(4)))
    assert (sent, len(server.recipients)) == (5, 5)


def test_the_rate_is_not_used_up_by_a_worker_that_died(slowly: Flask, server: FussyServer) -> None:
    post(*(f"p{n}@school.example" for n in range(7)))
    at = now()
    with time_machine.travel(at, tick=False):
        assert len(actions.claim(worker="dead", limit=20, per_minute=5)) == 5
        assert deliver().touched == 0
    with time_machine.travel(at + actions.LEASE + timedelta(seconds=1), tick=False):
        assert deliver().sent == 5
        assert deliver().touched == 0


def test_a_long_queue_goes_through_a_connection_for_each_batch_each_mail_once(
    mailing: Flask, server: FussyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 20)
    everyone = [f"p{n:03}@school.example" for n in range(120)]
    post(*everyone)
    assert jobs.deliver() == 120
    assert sorted(server.recipients) == everyone
    assert server.connections == 6
    assert set(states()) == {("sent", 1)}


def test_what_is_urgent_does_not_wait_until_a_slow_server_has_taken_a_batch(
    mailing: Flask, server: FussyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BATCH_SECONDS", 0.3)
    server.seconds_per_mail = 0.2
    post(*(f"p{n}@school.example" for n in range(4)))

    def somebody_asks_for_a_code(message: Message) -> None:
        if message.to_email == "p0@school.example":
            post("waits@school.example", kind="sign_in", priority=outbox.Priority.NOW)

    monkeypatch.setattr(jobs, "still_wanted", somebody_asks_for_a_code)
    jobs.deliver()
    assert server.recipients == [f"{who}@school.example" for who in ("p0", "p1", "waits", "p2", "p3")]
    assert states() == [("sent", 1)] * 5


def test_each_mail_is_looked_at_as_things_are_when_its_turn_comes(
    mailing: Flask, server: FussyServer, database_url: str
) -> None:
    """Another process puts the event off while the first mail of a batch is under way."""
    event_id = make_event("Forum").id
    post("first@school.example", "second@school.example")
    other = sa.create_engine(database_url)
    kept = []

    def is_called_so(message: Message) -> Drop | None:
        event = db.session.get_one(Event, event_id)
        kept.append(event)
        if event.title != "Forum":
            return Drop("it is called otherwise")
        with other.begin() as connection:
            connection.execute(sa.text("UPDATE events SET title = 'Put off' WHERE id = :id"), {"id": event_id})
        return None

    done = deliver(is_called_so)
    other.dispose()
    assert (done.sent, done.dropped, server.recipients) == (1, 1, ["first@school.example"])


def test_what_a_slow_server_leaves_of_a_batch_keeps_its_turn_and_its_age(
    mailing: Flask, server: FussyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 3)
    monkeypatch.setattr(delivery, "BATCH_SECONDS", 0.05)
    server.seconds_per_mail = 0.1
    at = now() - timedelta(hours=1)
    with time_machine.travel(at, tick=False):
        post(*(f"p{n}@school.example" for n in range(6)))
    delivery.deliver_due(worker="w1", limit=3, still_wanted=lambda message: None)
    assert oldest_due(now()) == at
    jobs.deliver()
    assert server.recipients == [f"p{n}@school.example" for n in range(6)]


def test_two_workers_that_learn_at_once_that_nobody_is_there_both_record_it(
    mailing: Flask, server: FussyServer
) -> None:
    server.answers["gone@school.example"] = "550 5.1.1 No such user"
    post("gone@school.example", "gone@school.example")
    together = Barrier(2)

    def work(number: int) -> int:
        with mailing.app_context():

            def wait(_message: Message) -> None:
                together.wait(timeout=20)

            return delivery.deliver_due(worker=f"w{number}", limit=1, still_wanted=wait).failed

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(work, range(2))) == [1, 1]
        assert [row.email for row in db.session.query(AddressPutAside)] == ["gone@school.example"]
        actions.take_back("gone@school.example")
        post("gone@school.example", "gone@school.example")
