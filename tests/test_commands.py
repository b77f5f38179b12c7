"""The commands as people and scripts run them: answers on standard output, everything else on standard error."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.bookings.models import Place
from booking.calendar.models import Event
from booking.core.clock import now
from booking.core.db import db
from booking.core.heartbeat import beat
from booking.directory.models import Person, School, SignIn
from booking.notifications.models import Message, MessageStatus
from booking.reminders.actions import NewRule, set_event_rules
from booking.reminders.policy import Timing
from tests.databases import close, make_app
from tests.factories import make_area, make_booking, make_event, save
from tests.notifications.smtp import smtp_server
from tests.processes import command, free_port, scheduler

DATA = Path(__file__).parent / "data"
YEAR, SCHOOLS = DATA / "dspl2-annual-calendar-2023-24.xlsx", DATA / "dspl2-schools.csv"
NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
Done = subprocess.CompletedProcess[str]


def inside(app: Flask, *arguments: str) -> Done:
    """Run a command within this process: what a process of its own would cost is a second each time."""
    result = app.test_cli_runner().invoke(args=arguments)
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


def answer(done: Done) -> str:
    """Return what a command answered; it went well and logged nothing."""
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refusal(done: Done) -> str:
    """Return the sentence with which a command refused; it answered nothing."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def count(app: Flask) -> dict[str, int]:
    with app.app_context():
        return {model.__tablename__: db.session.query(model).count() for model in (Event, Person, Place, School)}


def test_from_nothing_to_the_demonstration_and_a_check_of_its_bookings(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    app = make_app(url)
    assert refusal(inside(app, "demo", "load")).startswith("The database does not answer, or is not migrated")
    assert command(url, "db", "upgrade").returncode == 0
    loaded = re.fullmatch(
        r"The demonstration is loaded: (\d+) events\. The organiser is organiser@example\.org\.\n",
        answer(command(url, "demo", "load")),
    )
    before = count(app)
    assert loaded is not None
    assert before["events"] == int(loaded[1]) >= 40
    assert refusal(command(url, "demo", "load")) == (
        "This database is not empty. The demonstration only goes into an empty one."
    )
    assert answer(inside(app, "demo", "load", "--if-empty")) == ""
    assert count(app) == before
    assert answer(command(url, "bookings", "audit")) == "The bookings keep the rules.\n"
    close(app)


def test_the_audit_lists_what_breaks_the_rules_and_exits_1(app: Flask, database_url: str) -> None:
    with app.app_context():
        event = make_event(in_days=120, capacity=5)  # whatever the date, a free place still goes on by itself
        place = make_booking(event).places[0]
        db.session.execute(sa.text("UPDATE events SET taken = 3"))
        db.session.execute(sa.text("UPDATE places SET status = 'waiting', position = 7"))
        db.session.commit()
    done = command(database_url, "bookings", "audit")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        f"event {event.id}: says 3 places are taken, 0 are",
        f"event {event.id}: numbers of the waiting list are not in one order (rule 3)",
        f"event {event.id}: there is room, and place {place.id} waits (rule 3)",
    ]


@pytest.mark.parametrize(
    "url",
    [
        NOWHERE,
        "sqlite:///{folder}/none/there.db",
        "sqlite:////proc/nope/x.db",  # a folder that cannot be made
        "sqlite:///{folder}",
        "sqlite:///{folder}/text.db",
        "postgresql+psycopg://127.0.0.1:1/x?foo=1",
    ],
)
def test_a_dry_run_reads_the_real_year_without_any_database(tmp_path: Path, url: str) -> None:
    (tmp_path / "text.db").write_text("This is a text, and much longer than what a database begins with.")
    app = make_app(url.format(folder=tmp_path))
    reading = json.loads(answer(inside(app, "calendar", "import", str(YEAR), "--dry-run", "--json")))
    assert list(reading) == ["file", "layout", "entries", "problems"]
    assert (reading["file"], reading["layout"], len(reading["entries"])) == (YEAR.name, "grid", 82)
    fields = ["text", "where", "title", "date", "start", "end", "kind"]
    fields += ["category", "venue", "audience", "capacity", "visibility", "issues"]
    assert {tuple(entry) for entry in reading["entries"]} == {tuple(fields)}


DATABASE_AWAY = "The database does not answer, or is not migrated: "


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "load"),
        ("demo", "load", "--if-empty"),
        ("calendar", "import", str(YEAR)),
        ("schools", "import", str(SCHOOLS)),
        ("people", "grant", "tom@vale-marsh.example", "organiser"),
        ("people", "sign-in-link", "tom@vale-marsh.example"),
        ("bookings", "audit"),
    ],
)
def test_while_the_database_is_away_each_command_says_so_in_one_line(arguments) -> None:
    assert refusal(inside(make_app(NOWHERE), *arguments)).startswith(f"{DATABASE_AWAY}connection failed: ")


@pytest.mark.parametrize("arguments", [("db", "upgrade"), ("db", "current"), ("bookings", "audit")])
def test_while_the_database_is_away_a_process_says_so_in_one_line(arguments) -> None:
    line = refusal(command(NOWHERE, *arguments)).removeprefix("Error: ")
    assert line.startswith(f"{DATABASE_AWAY}connection failed: ")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////proc/nope/x.db", "unable to open database file"),
        ("sqlite:///{folder}", "unable to open database file"),
        ("sqlite:///{folder}/text.db", "file is not a database"),
        ("postgresql+psycopg://127.0.0.1:1/x?foo=1", 'invalid connection option "foo"'),
    ],
)
def test_a_database_that_is_none_is_told_in_one_line(tmp_path: Path, url: str, reason: str) -> None:
    (tmp_path / "text.db").write_text("This is a text, and much longer than what a database begins with.")
    url = url.format(folder=tmp_path)
    assert refusal(inside(make_app(url), "bookings", "audit")) == f"{DATABASE_AWAY}{reason}"
    assert refusal(command(url, "db", "upgrade")) == f"Error: {DATABASE_AWAY}{reason}"
    once = scheduler(url, "--once")
    assert once.communicate(timeout=60) == ("", f"{DATABASE_AWAY}{reason}\n")
    assert once.returncode == 1
    assert f"WRONG  database: {reason}" in command(url, "doctor").stdout.splitlines()


def test_the_year_goes_in_once_and_what_cannot_be_read_changes_nothing(app: Flask, database_url: str) -> None:
    with app.app_context():
        make_area()

    def put_in(file: Path, *options: str) -> Done:
        return inside(app, "calendar", "import", str(file), *options)

    dry = answer(put_in(YEAR, "--dry-run"))
    assert dry.splitlines()[-1] == "A dry run: nothing was changed."
    assert count(app)["events"] == 0
    first, again = (answer(command(database_url, "calendar", "import", str(YEAR))).splitlines() for _ in range(2))
    assert first[0] == f"{YEAR.name}: 82 entries (grid)."
    assert "82 added (0 published, the rest as drafts), 0 there already." in first
    assert "0 added (0 published, the rest as drafts), 82 there already." in again
    before = count(app)
    assert before["events"] == 82
    bad = DATA.parent / "databases.py"
    assert re.fullmatch(r"databases\.py: .+\.", refusal(command(database_url, "calendar", "import", str(bad))))
    for file, options, sentence in (
        (bad, ("--dry-run",), r"databases\.py: .+\."),
        (DATA / "missing.xlsx", ("--dry-run", "--json"), r".*missing\.xlsx: No such file or directory"),
        (YEAR, ("--area", "elsewhere"), r"There is no area called elsewhere\."),
    ):
        assert re.fullmatch(sentence, refusal(put_in(file, *options)))
    assert count(app) == before


def test_schools_go_in_once_and_a_bad_file_is_refused_whole(app: Flask, database_url: str, tmp_path: Path) -> None:
    with app.app_context():
        make_area()

    def put_in(file: Path, *options: str) -> Done:
        return inside(app, "schools", "import", str(file), *options)

    assert answer(command(database_url, "schools", "import", str(SCHOOLS))) == "43 added, 0 changed, 0 unchanged.\n"
    assert answer(put_in(SCHOOLS, "--area", "vale-marsh")) == "0 added, 0 changed, 43 unchanged.\n"
    bad = tmp_path / "bad.csv"
    bad.write_text("URN,EstablishmentName\n117101,New School\nx,Another\n", encoding="utf-8")
    assert refusal(put_in(bad)) == "Row 3: “x” is not a URN. It is a number of six digits."
    assert "No such file" in refusal(put_in(tmp_path / "missing.csv"))
    assert count(app)["schools"] == 43


def test_a_role_and_a_link_to_sign_in_with_lead_to_the_desk(app: Flask, database_url: str) -> None:
    with app.app_context():
        make_area()
    granted = answer(command(database_url, "people", "grant", "Tom@Vale-Marsh.example", "organiser"))
    assert granted == "tom@vale-marsh.example is organiser of Vale & Marsh SEND Partnership.\n"
    granted = answer(inside(app, "people", "grant", "tom@vale-marsh.example", "administrator"))
    assert granted == "tom@vale-marsh.example is administrator.\n"
    printed = answer(command(database_url, "people", "sign-in-link", "tom@vale-marsh.example"))
    link = re.fullmatch(r"http://calendar\.example\.org(/sign-in/[\w-]{32})\n", printed)
    assert link is not None
    with app.app_context():
        assert (db.session.query(Message).count(), db.session.query(SignIn).count()) == (0, 1)
    client = app.test_client()
    assert client.get(link[1]).status_code == 200
    form = client.post(link[1])
    assert form.headers["Location"] == "/my/details"
    page = client.post(form.headers["Location"], data={"name": "Tom Okafor", "school": ""}, follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, "/manage/")
    assert app.test_client().post(link[1]).status_code == 409
    for arguments, sentence in (
        (("grant", "tom", "organiser"), "tom cannot be an e-mail address."),
        (("grant", "new@school.example", "organiser", "--area", "elsewhere"), "There is no area called elsewhere."),
        (("sign-in-link", "tom"), "tom cannot be an e-mail address."),
    ):
        assert refusal(inside(app, "people", *arguments)) == sentence
    king = inside(app, "people", "grant", "tom@vale-marsh.example", "king")
    assert (king.returncode, king.stdout, "'king' is not one of" in king.stderr) == (2, "", True)
    assert count(app)["people"] == 1


def test_the_doctor_finds_nothing_wrong_where_all_is_well(app: Flask, database_url: str) -> None:
    with smtp_server() as server:
        mail = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(server.port)}
        once = scheduler(database_url, "--once", **mail)
        assert once.wait(timeout=60) == 0
        once.communicate()
        done = command(database_url, "doctor", **mail)
    assert answer(done).splitlines() == [
        "ok     settings",
        "ok     database",
        "ok     migrations",
        "ok     mail server",
        "ok     scheduler",
        "ok     clock zone",
    ]


@pytest.mark.parametrize(
    ("url", "settings", "wrong"),
    [
        (
            "sqlite:///{folder}/new.db",
            {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": "1", "BASE_URL": ""},
            {
                "settings": r"BASE_URL is not set: links in e-mails would lead nowhere",
                "migrations": r"the database is at migration None, not \w+: run flask db upgrade",
                "mail server": r".*refused.*",
                "scheduler": r"unknown: the database does not answer, or is not migrated",
            },
        ),
        (
            NOWHERE,
            {},
            {
                "database": r".*127\.0\.0\.1.*",
                "migrations": r"the database does not answer",
                "mail server": r"MAIL_SERVER is not set: no mail leaves",
                "scheduler": r"unknown: the database does not answer, or is not migrated",
            },
        ),
    ],
)
def test_the_doctor_names_what_is_wrong_and_exits_1(tmp_path: Path, url: str, settings, wrong) -> None:
    done = command(url.format(folder=tmp_path), "doctor", **settings)
    assert (done.returncode, done.stderr) == (1, "")
    found = dict(re.findall(r"^WRONG  ([a-z ]+): (.*)$", done.stdout, re.MULTILINE))
    assert set(found) == set(wrong)
    assert [name for name, sentence in wrong.items() if not re.fullmatch(sentence, found[name], re.IGNORECASE)] == []
    assert len(done.stdout.splitlines()) == 6


def settings_line(**settings: str) -> str:
    return command("sqlite://", "doctor", **settings).stdout.splitlines()[0]


def test_the_doctor_takes_an_address_of_this_machine_where_it_was_set() -> None:
    here = "http://127.0.0.1:5080"
    assert settings_line(BASE_URL=here) == "ok     settings"
    assert settings_line(BASE_URL="", PORT="5080") == (
        "WRONG  settings: BASE_URL is not set: links in e-mails would lead nowhere"
    )


def test_the_doctor_asks_redis_where_there_should_be_one() -> None:
    def lines(url: str) -> list[str]:
        return [line for line in command("sqlite://", "doctor", REDIS_URL=url).stdout.splitlines() if "redis" in line]

    port = free_port()
    assert lines("") == []
    (line,) = lines(f"redis://:hunter2@127.0.0.1:{port}/0")
    assert re.fullmatch(
        rf"WRONG  redis: REDIS_URL: .*127\.0\.0\.1:{port}\. Connection refused\. "
        r"Until it answers, each process counts limits for itself",
        line,
    )
    with socket.socket() as silent:  # something listens, and never says a word
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert lines(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")[0].startswith("WRONG  redis: ")
    if shutil.which("redis-server"):
        with redis_server(port):
            assert lines(f"redis://127.0.0.1:{port}/0") == ["ok     redis"]


@contextmanager
def redis_server(port: int) -> Iterator[None]:
    """Start a Redis of our own."""
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(timeout=10)


def test_the_doctor_misses_a_scheduler_that_stopped_or_never_ran(app: Flask) -> None:
    done = inside(app, "doctor")
    assert (done.returncode, done.stdout.splitlines()[4]) == (
        1,
        "WRONG  scheduler: it has never run: start `python -m scheduler`",
    )
    with app.app_context():
        db.session.execute(sa.text("INSERT INTO heartbeats VALUES ('scheduler', '2026-01-01 00:00:00')"))
        db.session.commit()
    done = inside(app, "doctor")
    assert re.fullmatch(r"WRONG  scheduler: last seen \d+ minutes ago: start .*", done.stdout.splitlines()[4])
    assert done.returncode == 1
    with app.app_context():
        db.session.execute(sa.text("UPDATE heartbeats SET at = '2100-01-01 00:00:00'"))
        db.session.commit()
    assert inside(app, "doctor").stdout.splitlines()[4].startswith("WRONG  scheduler: last seen in the future: ")


def test_the_doctor_sees_a_scheduler_that_does_not_keep_up(app: Flask) -> None:
    with app.app_context():
        beat("scheduler")
        make_message(send_after=now() - timedelta(minutes=25))
    done = inside(app, "doctor")
    line = "WRONG  scheduler: mail has been due for 25 minutes: look into its log"
    assert (done.returncode, done.stdout.splitlines()[4]) == (1, line)
    with app.app_context():
        db.session.execute(sa.text("DELETE FROM messages"))
        db.session.commit()
        with time_machine.travel(now() - timedelta(days=100)):
            event = make_event(in_days=101)
            set_event_rules(event, [NewRule(Timing(3))], by=None)
    line = "WRONG  scheduler: reminders have been due for ten minutes: look into its log"
    assert inside(app, "doctor").stdout.splitlines()[4] == line


def test_the_doctor_finds_nothing_wrong_where_mail_waits_for_the_rate_that_was_set(app: Flask) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], mail_per_minute=2)
    with app.app_context():
        beat("scheduler")
        make_message(send_after=now() - timedelta(minutes=25))
        for number, ago in ((2, 70), (3, 69)):
            tried_at = now() - timedelta(seconds=ago)
            make_message(message_id=f"<{number}@x>", status=MessageStatus.SENT, send_after=now(), tried_at=tried_at)
    assert inside(app, "doctor").stdout.splitlines()[4].startswith("ok")
    with app.app_context():
        db.session.execute(sa.text("DELETE FROM messages WHERE message_id = '<3@x>'"))
        db.session.commit()
    assert "mail has been due for 25 minutes" in inside(app, "doctor").stdout.splitlines()[4]


def test_the_figures_are_for_this_machine_and_name_nobody(app: Flask) -> None:
    with app.app_context():
        beat("scheduler")
        make_message(send_after=now() - timedelta(minutes=25))
        make_message(send_after=now() + timedelta(minutes=25), message_id="<2@x>")
    answer = app.test_client().get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    figures = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert figures['booking_messages{status="queued"}'] == "2.0"
    assert figures['booking_messages{status="failed"}'] == "0.0"
    assert 1500 <= float(figures["booking_oldest_due_message_age_seconds"]) < 1560
    assert float(figures["booking_scheduler_heartbeat_age_seconds"]) < 60
    assert figures["booking_events_with_late_reminders"] == "0.0"
    assert "priya" not in answer.text
    for elsewhere in ({"REMOTE_ADDR": "203.0.113.7"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}):
        assert app.test_client().get("/metrics", environ_overrides=elsewhere).status_code == 404


def make_message(**values) -> None:
    given = {
        "kind": "confirmed",
        "to_email": "priya@school.example",
        "to_name": "Priya",
        "from_name": "",
        "subject": "",
    }
    given |= {"text": "", "html": "", "message_id": "<1@x>", "priority": 1, "created_at": now()}
    save(Message(**{**given, **values}))
