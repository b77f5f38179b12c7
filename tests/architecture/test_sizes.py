"""A page of the organisers costs about the same whatever has been sent, booked and done in years.

Counted in steps of SQLite's machine: rows that are counted, sorted or passed over take steps too, though none is
fetched; unlike times they are the same on every run. Times on both databases: `make bench ONLY=long`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from booking.core.db import db
from booking.directory.models import RoleName
from tests.bench import long
from tests.databases import close, make_app, new_sqlite
from tests.factories import make_organiser, sign_in

FEW, MANY = 20_000, 200_000
STEPS = 100
# What a page may take however little there is, in steps: where both are below it, their ratio says nothing.
LITTLE = 20_000
# A page of a full list, in bytes.
LONG = 150_000
# All of one event's people are sorted to show a page of them in the order of schools and names, or counted: as many as
# that event has, whatever was in years before it.
OF_ONE_EVENT = {
    "who comes",
    "who comes, found",
    "who comes, waiting",
    "event, invitations",
    "event, reminders",
}
# Whole by their purpose; or a question about one event or place in a state that the others there are not in.
NOT_LISTS = {
    "/manage/events/<int:event_id>/places/export.<any(xlsx, csv):kind>",
    "/manage/events/<int:event_id>/places/print",
    "/manage/events/<int:event_id>/places/<int:place_id>/beyond",
    "/manage/events/<int:event_id>/restore",
    "/manage/events/<int:event_id>/invitations/again",
}


class Counter:
    """Steps of SQLite's machine, in hundreds."""

    steps = 0

    def count(self) -> int:
        """Count a hundred; 0 lets the statement go on."""
        self.steps += 1
        return 0


@contextmanager
def counted(app: Flask) -> Iterator[Counter]:
    """Count what the application has SQLite do meanwhile."""
    counter = Counter()

    def watch(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.set_progress_handler(counter.count, STEPS)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "checkout", watch)
    try:
        yield counter
    finally:
        event.remove(engine, "checkout", watch)


def steps_of_pages(folder: Path, size: int) -> dict[str, tuple[int, int]]:
    """Return what each page takes with so many messages: steps, and bytes of its answer."""
    app = make_app(new_sqlite(folder))
    with app.app_context():
        ids = long.fill(size)
    client = app.test_client()
    with app.app_context():
        sign_in(client, make_organiser(role=RoleName.ADMINISTRATOR))
    found = {}
    for name, path in long.pages(ids).items():
        client.get(path)  # what is kept in memory until the calendar changes is made now
        with counted(app) as counter:
            answer = client.get(path)
        assert answer.status_code == 200, path
        found[name] = (counter.steps * STEPS, len(answer.data))
    close(app)
    return found


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, tuple[int, int]]]:
    """What each page takes with few rows, and with ten times as many."""
    return [steps_of_pages(tmp_path_factory.mktemp("long"), size) for size in (FEW, MANY)]


def test_no_page_counts_or_reads_what_years_have_left_behind(sizes: list[dict[str, tuple[int, int]]]) -> None:
    few, many = sizes
    grown = {
        name: (few[name][0], many[name][0])
        for name in few
        if name not in OF_ONE_EVENT and many[name][0] > max(3 * few[name][0], LITTLE)
    }
    assert grown == {}


def test_no_page_grows_with_its_list(sizes: list[dict[str, tuple[int, int]]]) -> None:
    few, many = sizes
    assert {name: many[name][1] for name in few if many[name][1] > max(few[name][1] * 3 // 2, LONG)} == {}


def test_the_benchmark_and_this_test_ask_for_every_page_of_the_organisers(app: Flask) -> None:
    ids = long.Ids(event=1, closing_date=1, place=1, message=1, rule=1, email="x", week="2026-11-23")
    asked = {path.partition("?")[0] for path in long.pages(ids).values()}
    adapter = app.url_map.bind("localhost")
    endpoints = {adapter.match(path)[0] for path in asked}
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/manage") and "GET" in rule.methods]
    assert len(rules) > 40
    assert sorted(rule.rule for rule in rules if rule.endpoint not in endpoints and rule.rule not in NOT_LISTS) == []
