"""A database that is away, used up, full or read-only, and a Redis that hangs: what people and operators are told."""

import re
import socket
import sqlite3
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import Booking
from booking.core import health
from booking.core.db import db
from tests.databases import close, make_app, new_sqlite, postgres_database
from tests.factories import make_area, make_event
from tests.forms import form_at, outcome
from tests.processes import web

UNKNOWN = "We do not know whether it was taken: look for our email before you try again."
FORM = {"name": "Priya Nair", "email": "priya@school.example", "school": ""}
FULL = "the database cannot be written: its disk is full, or it has reached its greatest size"
READ_ONLY = "the database cannot be written: it is read-only"


def sentence(page) -> str:
    return re.search(r'<p class="lead">(.*?)</p>', page.text)[1]


def check_away(client: FlaskClient, form: dict[str, list[str]]) -> None:
    """Assert that a page and a form both say honestly what is known, and no more."""
    page = client.get("/events/1/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
    assert sentence(page) == "We cannot show this page just now. Try again in a minute."
    page = client.post("/events/1/book", data={**form, **FORM})
    assert (page.status_code, page.headers["Retry-After"], outcome(page)) == (503, "30", None)
    assert sentence(page) == UNKNOWN
    answer = client.get("/api/v1/events")
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "application/json", "30")
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "the database does not answer\n")
    assert client.get("/healthz").status_code == 200


def with_event(url: str) -> tuple[Flask, FlaskClient, dict[str, list[str]]]:
    """Return an application with one event, a browser, and its booking form as loaded."""
    app = make_app(url)
    with app.app_context():
        make_event(capacity=None)
    client = app.test_client()
    return app, client, form_at(client, "/events/1/book")


def test_a_database_that_goes_away_is_told_of_honestly(tmp_path: Path) -> None:
    url = new_sqlite(tmp_path)
    app, client, form = with_event(url)
    close(app)
    file = Path(url.removeprefix("sqlite:///"))
    file.rename(tmp_path / "elsewhere")
    file.mkdir()  # nothing can be opened there
    check_away(client, form)
    close(app)


def test_connections_that_are_all_in_use_are_told_of_honestly(tmp_path: Path) -> None:
    app, client, form = with_event(new_sqlite(tmp_path))
    with app.app_context(), ExitStack() as held:
        for _ in range(40):
            held.enter_context(db.engine.connect())
        db.engine.pool._timeout = 0.05
        check_away(client, form)
    close(app)


@contextmanager
def server(*, answers: bool) -> Iterator[tuple[int, list[int]]]:
    """Take connections and say nothing, or hang up at once; gives its port, and a row for each connection."""
    seen: list[int] = []
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:

        def take() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                seen.append(1)
                if answers:
                    connection.close()
                else:
                    kept.append(connection)

        threading.Thread(target=take, daemon=True).start()
        yield listening.getsockname()[1], seen
        listening.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()


def test_the_page_that_says_so_does_not_try_the_database_again() -> None:
    with server(answers=True) as (port, seen):
        url = f"postgresql+psycopg://u@127.0.0.1:{port}/calendar?sslmode=disable&gssencmode=disable"
        client = make_app(url).test_client()
        for path in ("/", "/events/", "/events/1/"):
            seen.clear()
            assert (client.get(path).status_code, len(seen)) == (503, 1)


def test_a_database_that_hangs_is_not_waited_for_long() -> None:
    with server(answers=False) as (port, _):
        client = make_app(f"postgresql+psycopg://u@127.0.0.1:{port}/calendar?sslmode=disable").test_client()
        began = time.monotonic()
        assert client.get("/").status_code == 503
        assert time.monotonic() - began < 8


def doctor_says(app: Flask) -> list[str]:
    lines = app.test_cli_runner().invoke(args=["doctor"]).stdout.splitlines()
    return [line for line in lines if "  database" in line]


def check_unwritable(app: Flask, client: FlaskClient, form: dict[str, list[str]], why: str, *, booked: int = 0) -> None:
    """Assert that pages are shown, nothing is taken, and operators are told why."""
    assert client.get("/events/").status_code == 200
    page = client.post("/events/1/book", data={**form, **FORM, "needs": "x" * 500})
    assert (page.status_code, page.headers["Retry-After"]) == (503, "30")
    assert sentence(page) == "Nothing has been changed. Try again later."
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, f"{why}\n")
    assert doctor_says(app) == [f"WRONG  database: {why}"]
    with app.app_context():
        assert db.session.query(Booking).count() == booked
    close(app)


def test_a_database_that_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    app, client, _ = with_event(new_sqlite(tmp_path))
    with app.app_context():
        before = db.session.execute(sa.text("PRAGMA data_version")).scalar()
    assert (client.get("/readyz").status_code, doctor_says(app)) == (200, ["ok     database"])
    with app.app_context():
        assert db.session.execute(sa.text("SELECT count(*) FROM heartbeats")).scalar() == 0
        assert db.session.execute(sa.text("PRAGMA data_version")).scalar() == before
        assert db.session.execute(sa.text("PRAGMA busy_timeout")).scalar() == 30_000
    close(app)


def test_a_full_database_is_told_of(tmp_path: Path) -> None:
    app, client, form = with_event(new_sqlite(tmp_path))
    fill_up(app)
    booked = 0  # a few rows still go into pages that are there
    while client.post("/events/1/book", data=another(client, booked)).status_code == 302:
        booked += 1
        assert booked < 30
    check_unwritable(app, client, form, FULL, booked=booked)


def another(client: FlaskClient, number: int) -> dict[str, object]:
    """Return the form of a booking by somebody new."""
    return {**form_at(client, "/events/1/book"), **FORM, "email": f"p{number}@school.example"}


def fill_up(app: Flask) -> None:
    """Write rows until the database refuses one for want of room, and let nobody have more."""
    file = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:  # each row by itself
        connection.execute("CREATE TABLE filler (text)")
        # So many that the table has its root and leaves: each leaf more is then one page, so that none is left over.
        connection.executemany("INSERT INTO filler VALUES (?)", [["x" * 1000]] * 10)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            connection.executemany("INSERT INTO filler VALUES (?)", (["x" * 1000] for _ in range(100_000)))
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    with app.app_context():
        sa.event.listen(db.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages}"))
        db.engine.dispose()


def test_a_disk_without_room_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, client, _ = with_event(new_sqlite(tmp_path))
    monkeypatch.setattr(health, "ENOUGH_SPACE", 2**62)  # more than any disk has
    assert (client.get("/readyz").text, doctor_says(app)) == (f"{FULL}\n", [f"WRONG  database: {FULL}"])
    close(app)


def test_a_read_only_file_is_told_of(tmp_path: Path) -> None:
    url = new_sqlite(tmp_path)
    app, _, _ = with_event(url)
    close(app)
    read_only = make_app(f"sqlite:///file:{url.removeprefix('sqlite:///')}?mode=ro&uri=true")
    client = read_only.test_client()
    check_unwritable(read_only, client, form_at(client, "/events/1/book"), READ_ONLY)


def test_a_read_only_postgresql_is_told_of() -> None:
    with postgres_database() as url:
        app, client, form = with_event(url)
        with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            name = db.engine.url.database
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        close(app)
        check_unwritable(app, client, form, READ_ONLY)


@pytest.mark.both_databases
def test_a_redis_that_hangs_costs_no_booking_and_is_left_alone_for_a_while(app: Flask, database_url: str) -> None:
    with app.app_context():
        make_area()
        make_event(capacity=None)
    with (
        server(answers=False) as (port, seen),
        web(database_url, workers=1, RATE_LIMITS="on", REDIS_URL=f"redis://127.0.0.1:{port}/0") as address,
    ):
        began = time.monotonic()
        outcomes = [book(f"{address}/events/1/book", number) for number in range(10)]
        took = time.monotonic() - began
    assert outcomes == ["confirmed"] * 10
    assert took < 10
    assert len(seen) <= 2 + took / 2  # not one for each request


def book(address: str, number: int) -> str:
    """Book through a browser of one's own; return what became of it."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(address, timeout=20).read().decode()
    hidden = dict(re.findall(r'name="(csrf_token|form_key)"[^>]*value="([^"]+)"', page))
    form = {**FORM, **hidden, "email": f"p{number}@school.example"}
    answer = browser.open(address, urllib.parse.urlencode(form).encode(), timeout=20).read().decode()
    return re.search(r'data-outcome="(\w+)"', answer)[1]
