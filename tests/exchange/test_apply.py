import json
from datetime import date, time
from pathlib import Path

import pytest
from flask import Flask

from booking.bookings.policy import booking_state
from booking.bookings.side import side
from booking.calendar.models import Category, Event, EventStatus, Kind, Visibility
from booking.calendar.rules import BookingRules, rules_of
from booking.core.clock import now, on_the_wall
from booking.core.db import db
from booking.exchange import apply
from booking.exchange.reading import read_file
from tests.databases import make_app
from tests.factories import make_area, make_category

YEAR = Path(__file__).parents[1] / "data" / "dspl2-annual-calendar-2023-24.xlsx"
HEADER = "Date,Start,End,Title,Category,Venue,Audience,Places,Per school,Closes,Kind,Visibility"


def put_in(*rows: str, publish: bool = False):
    reading = read_file("dates.csv", "\n".join([HEADER, *rows]).encode())
    return apply.apply(db.session.query(apply.Area).one(), reading, publish=publish)


def events() -> list[tuple[str, str, str, str]]:
    rows = db.session.query(Event).order_by(Event.day, Event.id)
    return [(event.title, str(event.status), str(event.visibility), str(event.kind)) for event in rows]


@pytest.mark.both_databases
def test_the_real_year_goes_in_once(in_app: Flask) -> None:
    area = make_area()
    reading = read_file(YEAR.name, YEAR.read_bytes())
    first = apply.apply(area, reading, publish=False)
    assert (first.added, first.published, first.unchanged, len(first.left_out)) == (82, 0, 0, 0)
    again = apply.apply(area, read_file(YEAR.name, YEAR.read_bytes()), publish=False)
    assert (again.added, again.unchanged) == (0, 82)
    assert db.session.query(Event).count() == 82
    assert {str(event.status) for event in db.session.query(Event)} == {"draft"}
    assert {str(category.visibility) for category in db.session.query(Category)} == {"team"}
    found = {one.day: one.closes_for.day for one in first.closing_dates}
    assert found == {
        date(2023, 9, 4): date(2023, 9, 18),
        date(2023, 10, 2): date(2023, 10, 16),
        date(2023, 11, 6): date(2023, 11, 20),
        date(2024, 1, 4): date(2024, 1, 15),
        date(2024, 1, 29): date(2024, 2, 12),  # of panel 5, which the file calls panel 4
        date(2024, 3, 4): date(2024, 3, 18),
        date(2024, 4, 25): date(2024, 5, 9),
        date(2024, 5, 20): date(2024, 6, 10),  # whose number the file left out
        date(2024, 6, 17): date(2024, 7, 1),
    }
    undated = db.session.query(Event).filter(Event.title == "SEND Benching marking").one()
    assert undated.day == date(2024, 4, 22)


def test_publish_publishes_what_raised_no_alarm_and_is_meant_for_others(in_app: Flask) -> None:
    make_area()
    done = put_in(
        "2026-11-25,13:30,15:30,Forum,SENCo forum,Oak Suite,SENCos,30,,2026-11-24 12:00,session,public",
        "2026-11-26,13:30,,Secret,SENCo forum,,,,,,session,",
        "2026-11-28,13:30,,On a Saturday,SENCo forum,,,,,,session,public",
        "2026-11-27,12:00,,Return,Returns,,,,,,deadline,staff",
        publish=True,
    )
    assert (done.added, done.published, done.new_categories) == (4, 2, ["SENCo forum", "Returns"])
    assert events() == [
        ("Forum", "published", "public", "session"),
        ("Secret", "draft", "team", "session"),
        ("Return", "published", "staff", "deadline"),
        ("On a Saturday", "draft", "public", "session"),
    ]
    forum = db.session.query(Event).filter_by(title="Forum").one()
    assert (forum.capacity, forum.venue.name, [a.name for a in forum.audiences]) == (30, "Oak Suite", ["SENCos"])
    assert forum.closes_at.isoformat() == "2026-11-24T12:00:00+00:00"


@pytest.mark.both_databases
def test_places_for_each_school_are_kept_and_a_second_import_changes_nothing(in_app: Flask) -> None:
    make_category("SENCo forum")
    rows = (
        "2099-11-25,13:30,,Forum,SENCo forum,,,30,2,,session,",
        "2099-11-26,13:30,,Panel,SENCo forum,,,,3,,session,team",
        "2099-11-27,12:00,,Return,SENCo forum,,,,4,,deadline,",
        "2099-11-28,13:30,,Open,SENCo forum,,,30,,,session,",
    )
    assert put_in(*rows).added == 4
    limits = {event.title: event.per_school for event in db.session.query(Event)}
    assert limits == {"Forum": 2, "Panel": 3, "Return": None, "Open": None}
    event = db.session.query(Event).filter_by(title="Forum").one()
    event.per_school = 5  # the team changed it meanwhile
    db.session.commit()
    again = put_in(*rows)
    assert (again.added, again.unchanged) == (0, 4)
    assert db.session.query(Event).filter_by(title="Forum").one().per_school == 5
    assert {rules_of(one) for one in db.session.query(Event)} == {BookingRules(per_school=n) for n in (5, 3, None)}


def test_a_public_session_takes_bookings_without_an_account(in_app: Flask) -> None:
    make_category("SENCo forum")
    put_in("2099-11-25,13:30,,Forum,SENCo forum,,,,,,session,", publish=True)
    event = db.session.query(Event).one()
    assert (event.visibility, event.kind, event.status) == (Visibility.PUBLIC, Kind.SESSION, EventStatus.PUBLISHED)
    assert booking_state(event, at=now()).can_book


def test_a_public_session_without_a_time_takes_bookings_until_its_day_begins(in_app: Flask) -> None:
    make_category("SENCo forum")
    put_in("2026-12-02,,,Forum,SENCo forum,,,,,,session,public", publish=True)
    event = db.session.query(Event).one()
    assert booking_state(event, at=on_the_wall(date(2026, 12, 1), time(23, 59))).can_book
    assert not booking_state(event, at=on_the_wall(date(2026, 12, 2), time(0, 0))).can_book
    assert side(event, at=on_the_wall(date(2026, 12, 1), time(9, 0))).quiet == "book by Tue 1 December"


def test_who_sees_an_entry_is_its_own_where_its_row_says_so(in_app: Flask) -> None:
    make_area()
    put_in("2026-12-02,,,A,Forum,,,,,,session,team", "2026-12-03,,,B,Forum,,,,,,session,")
    assert [(one.title, one.own_visibility) for one in db.session.query(Event).order_by(Event.id)] == [
        ("A", True),
        ("B", False),
    ]


def test_when_bookings_close_is_kept_for_a_session_of_the_team(in_app: Flask) -> None:
    make_area()
    put_in(
        "2026-12-02,9:30,,A,Forum,,,,,2026-11-25 17:00,session,team",
        "2026-12-03,9:30,,B,Forum,,,,,2026-11-25 17:00,deadline,team",
    )
    assert [(one.title, one.takes_bookings, one.closes_at) for one in db.session.query(Event).order_by(Event.id)] == [
        ("A", False, on_the_wall(date(2026, 11, 25), time(17, 0))),
        ("B", False, None),
    ]


def test_two_alike_on_one_day_are_two_events_and_stay_two(in_app: Flask) -> None:
    make_area()
    rows = ["2026-11-25,13:30,,Clinic,Clinics,,,,,,session,public"] * 2
    assert put_in(*rows).added == 2
    assert (put_in(*rows).added, db.session.query(Event).count()) == (0, 2)


def test_a_category_may_not_take_an_address_of_ours(in_app: Flask) -> None:
    make_area()
    put_in("2026-11-25,13:30,,Day,Calendar,,,,,,session,public")
    assert db.session.query(Category).one().slug == "calendar-2"


def run(app: Flask, *arguments: str):
    return app.test_cli_runner().invoke(args=["calendar", "import", *arguments])


def test_a_dry_run_gives_one_json_object_and_changes_nothing(app: Flask) -> None:
    with app.app_context():
        make_area()
    result = run(app, str(YEAR), "--dry-run", "--json")
    assert (result.exit_code, len(json.loads(result.stdout)["entries"])) == (0, 82)
    with app.app_context():
        assert db.session.query(Event).count() == 0


def test_a_dry_run_works_without_a_database() -> None:
    app = make_app("postgresql+psycopg://nobody@127.0.0.1:1/none")
    result = run(app, str(YEAR), "--dry-run", "--json")
    assert (result.exit_code, json.loads(result.stdout)["layout"]) == (0, "grid")


def test_the_summary_names_each_slip_and_its_suggestion(app: Flask) -> None:
    with app.app_context():
        make_area()
    result = run(app, str(YEAR))
    assert result.exit_code == 0
    assert "82 entries (grid)" in result.stdout
    assert "date-outside-week: 01.03.2023 is not in the week of 26.02.2024" in result.stdout
    assert "Perhaps 2024-03-01." in result.stdout
    assert "82 added (0 published, the rest as drafts), 0 there already." in result.stdout
    assert "look whether that is right:\n  Closing date for LHNF panel 1, " in result.stdout
    slip = "  Closing date for LHNF Panel 5, Monday 29 January 2024: for LHNF Panel 4, Monday 12 February 2024\n"
    assert slip in result.stdout


@pytest.mark.parametrize("name", ["missing.xlsx", "bad.xlsx"])
def test_a_file_that_cannot_be_read_ends_with_1_and_a_sentence(app: Flask, tmp_path: Path, name) -> None:
    (tmp_path / "bad.xlsx").write_bytes(b"no spreadsheet")
    result = run(app, str(tmp_path / name), "--dry-run", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert name in result.stderr


def test_an_unknown_area_is_refused(app: Flask) -> None:
    with app.app_context():
        make_area()
    result = run(app, str(YEAR), "--area", "nowhere")
    assert (result.exit_code, result.stderr) == (1, "There is no area called nowhere.\n")
