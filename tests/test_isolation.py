"""Tests share an application, a database and a process: none finds anything of the one before."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from booking.core.clock import now
from booking.core.db import db
from booking.directory.models import Area
from tests.databases import make_app
from tests.factories import make_event, make_organiser, sign_in

OFTEN = 31  # one origin may ask to sign in thirty times an hour


# Run after each other in one test process, in any order.
@pytest.mark.xdist_group("isolation")
@pytest.mark.both_databases
@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_finds_all_as_new_whatever_the_one_before_left(
    app: Flask, client: FlaskClient, database_url: str, turn: str
) -> None:
    assert rows(app) == 0
    assert "LEFT" not in app.config
    assert app.config["WTF_CSRF_ENABLED"] is True
    assert 429 not in ask_often(client)
    assert client.get("/manage/").status_code == 302
    with app.app_context():
        first = make_event(f"Forum of the {turn}", in_days=1)
        assert (first.id, db.session.get(Area, first.area_id).id) == (1, 1)
        # Right after a change no answer is kept in front of the application.
        db.session.execute(sa.update(Area).values(calendar_changed_at=now() - timedelta(hours=1)))
        db.session.commit()
    # Both are kept in memory by numbers, which are the same in every turn.
    assert f"Forum of the {turn}" in client.get("/feeds/calendar.ics").text
    assert client.get("/").text.count("Forum of the") == client.get("/").text.count(f"Forum of the {turn}") > 0
    leave_all_behind(app, client, database_url)


def rows(app: Flask) -> int:
    with app.app_context():
        tables = db.metadata.sorted_tables
        return sum(db.session.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables)


def ask_often(client: FlaskClient) -> list[int]:
    return [client.post("/sign-in", data={"email": ""}).status_code for _ in range(OFTEN)]


def leave_all_behind(app: Flask, client: FlaskClient, database_url: str) -> None:
    """Rows, a session, settings, a transaction that is open, and limits of which nothing is left."""
    with app.app_context():
        sign_in(client, make_organiser())
    assert client.get("/manage/").status_code == 200
    limited = make_app(database_url, RATE_LIMITS="on")
    assert ask_often(limited.test_client())[-1] == 429
    assert ask_often(client)[-1] == 429  # of this process: what it is, and what its neighbours must not find
    app.config.update(WTF_CSRF_ENABLED=False, LEFT="behind")
    with limited.app_context():
        db.session.scalar(sa.select(Area.name))


def test_what_an_application_is_made_of_cannot_change_while_tests_share_it(app: Flask) -> None:
    for change in (
        lambda: app.add_url_rule("/broken", view_func=lambda: ""),
        lambda: app.before_request(lambda: None),
        lambda: app.register_error_handler(404, lambda _: ""),
        lambda: app.context_processor(dict),
    ):
        with pytest.raises(AssertionError, match="can no longer be called on the application"):
            change()
