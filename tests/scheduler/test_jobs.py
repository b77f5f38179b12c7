"""Delivery when something is wrong: no mail is lost, none goes twice, and none holds up those behind it."""

import runpy
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from sqlalchemy.engine import make_url

from booking.core.clock import now
from booking.core.db import atomic, db, statements
from booking.core.heartbeat import HEARTBEAT, last_beat
from booking.notifications import actions, delivery, outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Sender
from booking.reminders.actions import NewRule, set_event_rules
from booking.reminders.policy import Timing
from scheduler import jobs
from scheduler.__main__ import run_once
from tests.databases import close, empty, make_app, postgres_server
from tests.factories import make_booking, make_event
from tests.notifications.smtp import FussyServer, dripping_server, fussy_server

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
def post(*to: str) -> list[str]:
    for email in to:
        outbox.post("sign_in", to=email, to_name="Priya", sender=SENDER, link="https://x.example", code="123456")
    return list(to)


def people(number: int) -> list[str]:
    return post(*(f"p{one:02}@school.example" for one in range(number)))


def states() -> list[tuple[str, int]]:
    db.session.expire_all()
    return [(str(m.status), m.tries) for m in db.session.query(Message).order_by(Message.id)]


def outcomes() -> list[str | None]:
    db.session.expire_all()
    return [message.outcome for message in db.session.query(Message).order_by(Message.id)]


@pytest.mark.both_databases
def test_a_mail_that_cannot_be_written_does_not_hold_up_those_behind_it(mailing: Flask, server: FussyServer) -> None:
    post("jörg@school.example", "priya@schülé.example", "a@b@c")
    good = people(3)
    assert jobs.deliver() == 6
    assert server.recipients == good
    assert states() == [("failed", 1)] * 3 + [("sent", 1)] * 3
    assert all(outcome.startswith("It cannot be written. ") for outcome in outcomes()[:3])


def test_a_mail_that_cannot_be_written_is_not_shown_as_sent_in_the_demonstration(demo_app: Flask) -> None:
    with demo_app.app_context():
        post("jörg@school.example", "p@school.example")
        jobs.deliver()
        assert states() == [("failed", 1), ("sent", 1)]


@pytest.mark.both_databases
def test_a_mail_at_which_the_server_cuts_the_line_costs_the_others_nothing(mailing: Flask, server: FussyServer) -> None:
    everyone = people(5)
    server.answers = {everyone[0]: "drop", f"data:{everyone[2]}": "drop"}
    jobs.deliver()
    assert server.recipients == [everyone[1], everyone[3], everyone[4]]
    assert states() == [("queued", 1), ("sent", 1), ("queued", 1), ("sent", 1), ("sent", 1)]


def test_a_server_that_cuts_every_line_is_left_alone_and_who_was_not_tried_has_lost_no_try(
    mailing: Flask, server: FussyServer
) -> None:
    everyone, at = people(6), now()
    server.answers = dict.fromkeys(everyone[:3], "drop")
    jobs.deliver()
    assert (server.connections, server.recipients) == (3, [])
    assert states() == [("queued", 1)] * 3 + [("queued", 0)] * 3
    for minutes in (1.1, 2.2):  # the three that are cut off wait longer each time, the others do not
        with time_machine.travel(at + timedelta(minutes=minutes)):
            jobs.deliver()
    assert server.recipients == everyone[3:]


def test_a_server_that_takes_two_mails_a_connection_gets_them_all(mailing: Flask, server: FussyServer) -> None:
    everyone, at = people(20), now()
    server.mails_per_connection = 2
    for minute in (0, 2, 5, 10):
        with time_machine.travel(at + timedelta(minutes=minute)):
            jobs.deliver()
    assert sorted(server.recipients) == everyone
    assert set(states()) <= {("sent", 1), ("sent", 2), ("sent", 3)}


WRONG = {
    "the greeting": ({}, {"greeting": "550 Not you"}, "550"),
    "the sender": ({}, {"sender": "550 Not from here"}, "550"),
    "the log-in": (
        {"MAIL_USERNAME": "us", "MAIL_PASSWORD": "secret"},
        {"knows_password": False},
        "SMTPAuthenticationError",
    ),
    "a password that cannot be sent": (
        {"MAIL_USERNAME": "us", "MAIL_PASSWORD": "schlüssel"},
        {},
        "UnicodeEncodeError",
    ),
    "encryption": ({"MAIL_USE_TLS": "1"}, {}, "SMTPNotSupportedError"),
    "no server": ({"MAIL_SERVER": ""}, {}, "MAIL_SERVER is not set: no mail leaves"),
    "a name that nobody has": ({"MAIL_SERVER": "mail.invalid"}, {}, "gaierror"),
}


@pytest.mark.parametrize(("settings", "behaviour", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_the_server_or_our_settings_delays_mail_and_loses_none(
    database_url: str, settings, behaviour, words
) -> None:
    with fussy_server(**behaviour) as server:
        where = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(server.port)}
        wrong = make_app(database_url, **{**where, **settings})
        with wrong.app_context():
            everyone = people(2)
            assert jobs.deliver() == 2
            assert states() == [("queued", 1)] * 2
            assert all(words in outcome for outcome in outcomes())
        close(wrong)
        server.greeting, server.sender, server.knows_password = "", "250 OK", True
        right = make_app(database_url, **where)
        with right.app_context(), time_machine.travel(now() + timedelta(minutes=2)):
            assert jobs.deliver() == 2
        close(right)
        assert server.recipients == everyone


def test_a_server_that_hangs_is_not_waited_for_for_ever(
    mailing: Flask, server: FussyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TIME_OUT_SECONDS", 0.3)
    server.seconds_per_mail = 1
    people(5)
    jobs.deliver()
    assert states() == [("queued", 1)] * 3 + [("queued", 0)] * 2


def test_the_lease_outlasts_the_slowest_server() -> None:
    every_seconds = next(job.every_seconds for job in jobs.JOBS if job.name == "delivery")
    # The RSET after the one before, and the mail; the lease begins anew right before each mail.
    assert timedelta(seconds=2 * delivery.CONVERSATION_SECONDS) < actions.LEASE
    assert actions.LEASE + timedelta(seconds=2 * every_seconds) < timedelta(minutes=5)


@pytest.mark.parametrize("greeting", [b"", b"220 here\r\n250 OK\r\n"], ids=["from the start", "at the mail"])
def test_a_server_that_sends_a_byte_now_and_then_is_left_in_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    """Each byte comes within the time-out of a single wait."""
    monkeypatch.setattr(delivery, "CONVERSATION_SECONDS", 0.3)
    with dripping_server(greeting) as drips:
        app = make_app(database_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(drips.port))
        with app.app_context():
            people(1)
            jobs.deliver()
            assert states() == [("queued", 1)]
        close(app)
    assert drips.was_cut_off


@pytest.mark.both_databases
def test_what_another_worker_has_taken_meanwhile_is_not_sent_a_second_time(mailing: Flask, server: FussyServer) -> None:
    """Both clocks are put forward in mid-batch, by more than a lease."""
    people(3)
    taken: list[str] = []

    def is_taken_by_another(message: Message) -> None:
        if not taken:
            with time_machine.travel(now() + timedelta(minutes=5)):
                taken.extend(one.to_email for one in actions.claim(worker="another", limit=10))

    delivery.deliver_due(worker="w", limit=10, still_wanted=is_taken_by_another)
    assert len(taken) == 3
    assert server.recipients == []
    assert states() == [("claimed", 0)] * 3


@pytest.mark.both_databases
@pytest.mark.parametrize("wrong_by", [timedelta(minutes=-3), timedelta(minutes=3)])
def test_a_worker_whose_clock_is_three_minutes_wrong_takes_nothing_from_another(
    mailing: Flask, server: FussyServer, wrong_by: timedelta
) -> None:
    everyone, at = people(3), now()
    with time_machine.travel(at + max(timedelta(), -wrong_by)):
        claimed = actions.claim(worker="this one", limit=10)
    with time_machine.travel(at + max(timedelta(), wrong_by)):
        assert jobs.deliver() == 0
    with statements() as run:
        recorded = [actions.mark_sent(message, worker="this one", run=run) for message in claimed]
    assert recorded == [True] * len(everyone)


@pytest.mark.filterwarnings("ignore:'scheduler.jobs' found in sys.modules")
def test_two_processes_never_have_the_same_name() -> None:
    names = {runpy.run_module("scheduler.jobs")["WORKER"] for _ in range(3)}
    assert len(names) == 3
    assert all(len(name) <= Message.__table__.c.claimed_by.type.length for name in names)


@pytest.mark.both_databases
def test_told_to_stop_it_ends_the_mail_it_is_at_and_gives_the_others_back(
    mailing: Flask, server: FussyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = people(30)
    done = {"still_wanted": 0}

    def stop_at_the_third(message: Message) -> None:
        done["still_wanted"] += 1
        if done["still_wanted"] == 3:
            jobs.stopping.set()

    monkeypatch.setattr(jobs, "still_wanted", stop_at_the_third)
    try:
        assert jobs.deliver() == 30
    finally:
        jobs.stopping.clear()
    assert server.recipients == everyone[:3]
    assert states() == [("sent", 1)] * 3 + [("queued", 0)] * 27
    assert jobs.deliver() == 27
    assert sorted(server.recipients) == everyone


def test_a_database_that_goes_away_after_the_servers_yes_does_not_double_the_mail(
    postgres_url: str, server: FussyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is closed while the server has the mail, until we have noticed: what was sent is recorded then."""
    app = make_app(postgres_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(server.port))
    empty(app)
    name = make_url(postgres_url).database
    admin = sa.create_engine(postgres_server(), isolation_level="AUTOCOMMIT")
    cut = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    server.seconds_per_mail = 0.5

    def be_away_at_each_mail() -> None:
        with admin.connect() as connection:
            for number in (1, 2):
                eventually(lambda number=number: len(server.mails) >= number)
                connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
                try:
                    connection.execute(cut, {"name": name})
                    eventually(lambda number=number: "is away" in " ".join(caplog.messages[-1:]))
                    caplog.clear()
                finally:
                    connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        everyone = people(2)
        away = pool.submit(be_away_at_each_mail)
        delivered = delivery.deliver_due(worker="w", limit=10, still_wanted=looks_at_the_database)
        away.result()
        assert (delivered.sent, server.recipients) == (2, everyone)
        assert states() == [("sent", 1)] * 2
    admin.dispose()
    close(app)


def looks_at_the_database(message: Message) -> None:
    """Leave a transaction open, as every look does."""
    db.session.execute(sa.text("SELECT 1"))


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def test_an_event_with_a_bad_row_does_not_hold_up_the_others(
    mailing: Flask, server: FussyServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Its rule says a time that is none: somebody wrote into the database by hand."""
    with time_machine.travel(now() - timedelta(days=100)):
        events = [make_event(title, in_days=101) for title in ("Bad", "Good")]
        for event in events:
            set_event_rules(event, [NewRule(Timing(2)), NewRule(Timing(1))], by=None)
            make_booking(event, email=f"{event.title.lower()}@school.example")
    db.session.execute(
        sa.text("UPDATE reminder_rules SET at = 'half eight' WHERE event_id = :id"), {"id": events[0].id}
    )
    db.session.commit()
    assert run_once(mailing) == 1
    assert server.recipients == ["good@school.example"]
    assert f"the reminders of event {events[0].id} cannot be queued" in caplog.messages
    assert last_beat(HEARTBEAT) is not None
