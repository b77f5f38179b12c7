"""`python -m scheduler` as it runs: real processes, a real mail server, both databases."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.core.clock import now
from booking.core.db import atomic, db
from booking.core.heartbeat import HEARTBEAT, last_beat
from booking.notifications import outbox
from booking.notifications.models import Message, MessageStatus
from booking.notifications.outbox import Sender
from booking.reminders.actions import NewRule, set_event_rules
from booking.reminders.policy import Timing
from tests.databases import postgres_server
from tests.factories import make_booking, make_event
from tests.notifications.smtp import FussyServer, fussy_server
from tests.processes import command, free_port, scheduler

MANY = 100
STOPS_WITHIN = 10  # seconds; on an idle machine it is one
SENDER = Sender("Vale & Marsh", "team@vale-marsh.example", None)


@pytest.fixture
def server() -> Iterator[FussyServer]:
    with fussy_server() as server:
        yield server


def mail_to(server: FussyServer) -> dict[str, str]:
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(server.port)}


@contextmanager
def running(number: int, database_url: str, **settings: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Run so many schedulers; whatever happens, none of them is left."""
    started = [scheduler(database_url, **settings) for _ in range(number)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def once(database_url: str, **settings: str) -> tuple[int, str, str]:
    """Run `--once` to its end: exit status, standard output, standard error."""
    process = scheduler(database_url, "--once", **settings)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def stop(process: subprocess.Popen[str]) -> tuple[int, float]:
    """Stop it as a supervisor does: exit status, and after how many seconds."""
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=60), time.monotonic() - start


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


@atomic
def _post(number: int) -> None:
    for one in range(number):
        outbox.post(
            "sign_in",
            to=f"p{one:03}@school.example",
            to_name="Priya",
            sender=SENDER,
            link="https://x.example",
            code="123456",
        )


def post(app: Flask, number: int) -> list[str]:
    """Queue mails. Returns to whom."""
    with app.app_context():
        _post(number)
        return [email for (email,) in db.session.query(Message.to_email).order_by(Message.id)]


def states(app: Flask) -> Counter[tuple[str, int]]:
    with app.app_context():
        return Counter((str(message.status), message.tries) for message in db.session.query(Message))


def beats(app: Flask) -> bool:
    with app.app_context():
        return last_beat(HEARTBEAT) is not None


def all_sent(app: Flask) -> bool:
    """Ask in one small statement: it is asked again and again while schedulers need the processor."""
    with app.app_context():
        return not db.session.scalar(sa.select(sa.exists().where(Message.status != MessageStatus.SENT)))


@pytest.mark.both_databases
def test_several_schedulers_send_everything_once_are_seen_by_the_doctor_and_stop_when_told(
    app: Flask, database_url: str, server: FussyServer
) -> None:
    mails = post(app, MANY)
    with app.app_context(), time_machine.travel(now() - timedelta(days=100)):
        for number in range(5):
            event = make_event(f"Forum {number}", in_days=102)
            # It fell due yesterday, or before the holidays.
            set_event_rules(event, [NewRule(Timing(3))], by=None)
            make_booking(event, email=f"reminded{number}@school.example")
    with running(3 if "postgresql" in database_url else 2, database_url, **mail_to(server)) as processes:
        eventually(lambda: len(server.recipients) >= MANY + 5 and all_sent(app))
        eventually(lambda: beats(app))
        found = command(database_url, "doctor", **mail_to(server))
        assert (found.returncode, found.stdout.splitlines()) == (
            0,
            [
                f"ok     {name}"
                for name in ("settings", "database", "migrations", "mail server", "scheduler", "clock zone")
            ],
        )
        for process in processes:
            status, seconds = stop(process)
            assert status == 0
            assert seconds < STOPS_WITHIN
    assert once(database_url, **mail_to(server))[:2] == (0, "")  # it finds nothing to do
    assert sorted(server.recipients) == sorted([*mails, *(f"reminded{number}@school.example" for number in range(5))])
    assert states(app) == {("sent", 1): MANY + 5}


@pytest.mark.both_databases
def test_one_that_is_killed_loses_nothing_and_doubles_one_mail_at_most(
    app: Flask, database_url: str, server: FussyServer
) -> None:
    mails = post(app, 40)
    server.seconds_per_mail = 0.2
    with running(1, database_url, **mail_to(server)) as (process,):
        eventually(lambda: len(server.mails) == 5)
        process.kill()  # while the server has the fifth mail and has not said yes yet
        process.wait()
        server.seconds_per_mail = 0
    with app.app_context():
        db.session.execute(
            sa.update(Message)
            .where(Message.status == MessageStatus.CLAIMED)
            .values(claimed_until=now() - timedelta(seconds=1))
        )
        db.session.commit()
    assert once(database_url, **mail_to(server))[0] == 0
    assert set(server.recipients) == set(mails)
    doubled = [number for number in Counter(mail["Message-ID"] for mail in server.mails).values() if number > 1]
    assert doubled in ([], [2])
    assert len(server.mails) == len(mails) + len(doubled)
    assert all_sent(app)


@pytest.mark.both_databases
def test_one_that_is_told_to_stop_ends_soon_and_the_next_takes_up_what_is_left(
    app: Flask, database_url: str, server: FussyServer
) -> None:
    mails = post(app, MANY)
    server.seconds_per_mail = 0.3
    with running(1, database_url, **mail_to(server)) as (process,):
        eventually(lambda: len(server.mails) >= 3)
        status, seconds = stop(process)
        assert status == 0
        assert seconds < STOPS_WITHIN
    sent = len(server.mails)
    assert sent < MANY
    assert states(app) == {("sent", 1): sent, ("queued", 0): MANY - sent}
    server.seconds_per_mail = 0
    assert once(database_url, **mail_to(server))[0] == 0
    assert sorted(server.recipients) == mails
    assert states(app) == {("sent", 1): MANY}


def test_told_to_stop_it_leaves_a_server_that_does_not_answer(
    app: Flask, database_url: str, server: FussyServer
) -> None:
    post(app, 1)
    server.seconds_per_mail = 15
    with running(1, database_url, **mail_to(server)) as (process,):
        eventually(lambda: len(server.mails) == 1)
        status, seconds = stop(process)
    assert status == 0
    assert seconds < STOPS_WITHIN
    assert states(app) == {("claimed", 0): 1}


def test_mail_stays_queued_while_the_server_is_away(app: Flask, database_url: str) -> None:
    post(app, 30)
    assert once(database_url, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(free_port()))[:2] == (0, "")
    assert states(app) == {("queued", 1): 30}


@contextmanager
def empty_postgres_database() -> Iterator[str]:
    """A database without a single table."""
    admin = sa.create_engine(postgres_server(), isolation_level="AUTOCOMMIT")
    name = f"booking_test_{uuid4().hex[:10]}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield postgres_server().set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def test_a_database_that_is_not_migrated_is_named_in_one_line(tmp_path: Path) -> None:
    with empty_postgres_database() as postgres_url:
        for database_url in (f"sqlite:///{tmp_path / 'empty.db'}", postgres_url):
            status, out, err = once(database_url)
            assert (status, out, len(err.splitlines())) == (1, "", 1)
            assert err.startswith("The database does not answer, or is not migrated: ")


def test_the_demonstration_delivers_to_its_mailbox_within_five_seconds(demo_app: Flask, database_url: str) -> None:
    with running(1, database_url, DEMO="1"):
        eventually(lambda: beats(demo_app))
        post(demo_app, 3)
        eventually(lambda: all_sent(demo_app))
    with demo_app.app_context():
        assert all(message.sent_at - message.created_at < timedelta(seconds=5) for message in db.session.query(Message))
    page = demo_app.test_client().get("/mailbox/").text
    assert [page.count(f"p{number:03}@school.example") > 0 for number in range(3)] == [True] * 3
