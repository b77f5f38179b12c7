"""Public feeds given again without the application: never behind, never different, never without bound."""

import gzip
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import brotli
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as listener

from booking.calendar import ical
from booking.calendar.models import Event
from booking.calendar.terms import year_days
from booking.core.clock import now, today
from booking.core.db import db
from booking.feeds import age, files, queries, views
from booking.feeds import kept as kept_answers
from booking.feeds.cache import Store, encoding_for, feeds
from tests import shared
from tests.databases import close, make_app
from tests.factories import make_area, make_event

PATH = "/feeds/calendar.ics"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A Tuesday in November, on which the test moves on as it wants."""
    with time_machine.travel(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)) as clock:
        yield clock


@pytest.fixture
def kept(app: Flask, client: FlaskClient, clock: time_machine.Traveller) -> str:
    """A feed that is kept: the calendar has not changed for a minute. Gives its ETag."""
    with app.app_context():
        make_event("Old title")
    clock.shift(60)
    return client.get(PATH).headers["ETag"]


def rename(app: Flask, title: str) -> None:
    with app.app_context():
        db.session.query(Event).one().title = title
        db.session.commit()


def test_asking_again_costs_one_indexed_query(
    database_url: str, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def trace(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(seen.append)

    listener.listen(sa.Engine, "connect", trace)
    try:
        app = make_app(database_url)
        with app.app_context():
            make_event()
        clock.shift(60)
        client = app.test_client()
        etag = client.get(PATH).headers["ETag"]
        for headers, status in (({}, 200), ({"If-None-Match": etag}, 304)):
            seen.clear()
            assert client.get(PATH, headers=headers).status_code == status
            assert seen == ["SELECT id, calendar_version FROM areas ORDER BY id LIMIT 2"]
        with app.app_context():
            (plan,) = db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {seen[0]}"))
        assert "TEMP B-TREE" not in plan[3]  # it goes along the primary key
        close(app)
    finally:
        listener.remove(sa.Engine, "connect", trace)


@pytest.mark.both_databases
def test_a_change_by_another_process_is_seen_at_the_very_next_request(
    app: Flask, client: FlaskClient, database_url: str, kept: str, clock: time_machine.Traveller
) -> None:
    other = make_app(database_url)
    for title in ("New title", "Newer title"):
        clock.shift(60)
        assert client.get(PATH, headers={"If-None-Match": kept}).status_code == 304
        rename(other, title)
        for _ in range(2):
            answer = client.get(PATH, headers={"If-None-Match": kept})
            assert (answer.status_code, title in answer.text) == (200, True)
        kept = answer.headers["ETag"]
    close(other)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("encoding", ["", "gzip", "br"])
def test_what_is_given_again_is_the_answer_of_the_application(
    app: Flask, client: FlaskClient, database_url: str, encoding: str
) -> None:
    client.get(PATH, headers={"Accept-Encoding": encoding})
    fresh = make_app(database_url)
    for method in ("GET", "HEAD"):
        first, again = (
            browser.open(PATH, method=method, headers={"Accept-Encoding": encoding})
            for browser in (fresh.test_client(), client)
        )
        assert (again.status, again.data, list(again.headers)) == (first.status, first.data, list(first.headers))
    # Both are the middleware's own; this is what the application says by itself.
    alone = make_app(database_url)
    alone.wsgi_app = Flask.wsgi_app.__get__(alone)
    bare = alone.test_client().get(PATH, headers={"Accept-Encoding": encoding})
    bare.headers.pop("Date")  # the server says it
    assert dict(bare.headers) == dict(client.get(PATH, headers={"Accept-Encoding": encoding}).headers)
    for one in (fresh, alone):
        close(one)


def test_a_304_keeps_the_headers_that_protect_and_none_of_a_body(client: FlaskClient, kept: str) -> None:
    date = client.get(PATH).headers["Last-Modified"]
    answer = client.get(PATH, headers={"If-None-Match": kept})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", kept)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert not {"Content-Type", "Content-Length", "Content-Encoding", "Set-Cookie"} & set(answer.headers.keys())
    by_date = client.get(PATH, headers={"If-Modified-Since": date})
    assert by_date.status_code == 304
    both = {"If-None-Match": '"another"', "If-Modified-Since": date}
    assert client.get(PATH, headers=both).status_code == 200
    for several in (f'"another", {kept}', f"W/{kept}", "*"):
        assert client.get(PATH, headers={"If-None-Match": several}).status_code == 304


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_wants_only_what_it_knows_is_answered_as_by_the_application(
    client: FlaskClient, kept: str, database_url: str, method: str, same: bool
) -> None:
    headers = {"If-Match": kept if same else '"another"'}
    alone = make_app(database_url)
    alone.wsgi_app = Flask.wsgi_app.__get__(alone)
    first, again = (browser.open(PATH, method=method, headers=headers) for browser in (alone.test_client(), client))
    assert (again.status_code, again.data, list(again.headers)) == (first.status_code, first.data, list(first.headers))
    assert again.status_code == (200 if same else 412)
    close(alone)


@pytest.mark.usefixtures("kept")
def test_each_client_gets_the_encoding_that_it_asks_for(client: FlaskClient) -> None:
    found = {name: client.get(PATH, headers={"Accept-Encoding": name}) for name in ("", "gzip", "gzip, br", "zstd")}
    plain = found[""].data
    assert found["zstd"].data == plain
    assert gzip.decompress(found["gzip"].data) == brotli.decompress(found["gzip, br"].data) == plain
    assert [answer.headers.get("Content-Encoding") for answer in found.values()] == [None, "gzip", "br", None]
    assert len({found[name].headers["ETag"] for name in ("", "gzip", "gzip, br")}) == 3
    assert {answer.headers["Vary"] for answer in found.values()} == {"Accept-Encoding"}


def test_an_encoding_is_used_only_where_it_is_asked_for_by_name() -> None:
    cases = {"": "", "*": "", "identity": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0.1, gzip": "gzip"}
    cases |= {"gzip;q=0": "", "br;q=0, gzip;q=0.5": "gzip", "GZIP": "gzip", "zstd": ""}
    assert {asked: encoding_for(asked) for asked in cases} == cases


@pytest.mark.usefixtures("kept")
def test_on_the_first_day_of_a_school_year_older_events_have_left(
    client: FlaskClient, clock: time_machine.Traveller
) -> None:
    first_day = datetime.combine(year_days(2028)[0], time(9), UTC)
    clock.move_to(first_day - timedelta(days=1))
    assert "Old title" in client.get(PATH).text
    clock.move_to(first_day)
    assert "Old title" not in client.get(PATH).text


@pytest.mark.parametrize("after", [timedelta(), timedelta(milliseconds=900), timedelta(minutes=1)])
@pytest.mark.usefixtures("kept")
def test_on_the_first_day_of_a_school_year_a_date_alone_does_not_pass_for_what_is_there_now(
    client: FlaskClient, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, after: timedelta
) -> None:
    monkeypatch.setattr(age, "WRITTEN_AT", datetime(2026, 1, 1, tzinfo=UTC))  # whenever these tests run
    midnight = datetime(2028, 7, 31, 23, tzinfo=UTC)  # of the first of August, on the wall in Britain
    clock.move_to(midnight - timedelta(minutes=1), tick=False)
    before = client.get(PATH)
    assert before.headers["Last-Modified"] == "Sat, 31 Jul 2027 23:00:00 GMT"
    clock.move_to(midnight + after, tick=False)
    for _ in range(2):
        dated = client.get(PATH, headers={"If-Modified-Since": before.headers["Last-Modified"]})
        assert (dated.status_code, "Old title" in dated.text) == (200, False)
    clock.shift(60)
    again = client.get(PATH, headers={"If-Modified-Since": dated.headers["Last-Modified"]})
    assert again.status_code == (200 if after < timedelta(seconds=1) else 304)
    assert client.get(PATH).headers["Last-Modified"] == "Mon, 31 Jul 2028 23:00:00 GMT"


@pytest.mark.usefixtures("kept")
def test_after_an_update_a_date_alone_does_not_pass_for_what_the_program_writes_now(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    dated = {"If-Modified-Since": client.get(PATH).headers["Last-Modified"]}
    assert client.get(PATH, headers=dated).status_code == 304
    monkeypatch.setattr(age, "WRITTEN_AT", now())
    clock.shift(60)
    shared.forget()  # it is another process then
    assert client.get(PATH, headers=dated).status_code == 200
    with app.app_context():
        event = db.session.query(Event).one()
    assert client.get(f"/events/{event.id}.ics", headers=dated).status_code == 200
    dated = {"If-Modified-Since": client.get(PATH).headers["Last-Modified"]}
    assert client.get(PATH, headers=dated).status_code == 304


def test_the_program_is_as_old_as_its_files_and_no_younger_than_now(clock: time_machine.Traveller) -> None:
    changed = age.WRITTEN_AT - timedelta(hours=1)
    newest = max(Path(module.__file__).stat().st_mtime for module in (age, files, ical, kept_answers, queries, views))
    assert datetime.fromtimestamp(newest, UTC) <= age.WRITTEN_AT
    clock.move_to(age.WRITTEN_AT + timedelta(seconds=1))
    assert age.last_changed(changed, day=today()) == age.WRITTEN_AT
    clock.move_to(age.WRITTEN_AT - timedelta(seconds=1))
    assert age.last_changed(changed, day=today()) < age.WRITTEN_AT


def test_what_is_kept_for_https_is_not_given_without(database_url: str, clock: time_machine.Traveller) -> None:
    app = make_app(database_url, BASE_URL="https://calendar.example.org")
    with app.app_context():
        make_event()
    clock.shift(60)
    client = app.test_client()
    for _ in range(2):
        safe = client.get(PATH, base_url="https://calendar.example.org")
        assert (safe.status_code, "Strict-Transport-Security" in safe.headers) == (200, True)
        plain = client.get(PATH, base_url="http://calendar.example.org")
        assert (plain.status_code, plain.headers["Location"]) == (302, f"https://calendar.example.org{PATH}")
    close(app)


@pytest.mark.usefixtures("kept")
def test_with_a_second_area_nothing_is_given_from_what_was_kept(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
    assert client.get(PATH).status_code == 503


def test_a_refusal_is_not_kept_and_a_database_that_is_away_is_owned_up_to(client: FlaskClient, kept: str) -> None:
    for _ in range(2):
        wrong = client.get(f"{PATH}?category=nothing")
        assert (wrong.status_code, wrong.headers["Cache-Control"]) == (400, "no-store")
        assert client.get(f"{PATH}?category=nothing", headers={"If-None-Match": kept}).status_code == 400
    away = make_app("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    away.config["PROPAGATE_EXCEPTIONS"] = False
    assert away.test_client().get(PATH).status_code == 503
    close(away)


@pytest.mark.usefixtures("kept")
def test_any_number_of_queries_takes_a_bounded_space(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = app.extensions["kept answers"]
    for store in (answers, feeds):
        monkeypatch.setattr(store, "most", 100_000)
    for number in range(150):
        assert "VCALENDAR" in client.get(f"{PATH}?q=title+{number}").text
    assert 0 < answers.weight <= 100_000
    assert 0 < feeds.weight <= 100_000
    assert "Old title" in client.get(f"{PATH}?q=title").text


def test_a_store_drops_what_was_not_used_for_the_longest_time() -> None:
    store: Store[str] = Store(4 * 1100, weigh=lambda value: 76)
    for key in "abcd":
        store.put(key, key)
    assert store.find("a") == "a"
    store.put("e", "e")
    assert [store.find(key) for key in "abcde"] == ["a", None, "c", "d", "e"]
    store.put("e", "again")
    assert (store.find("e"), len(store), store.weight) == ("again", 4, 4400)
    assert store.get("e", lambda: "never made") == "again"
