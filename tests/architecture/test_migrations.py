"""The migrations make exactly what the models say, there and back, and the database itself keeps the rules."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask, current_app
from flask_migrate import downgrade, upgrade

from booking.bookings.models import Booking, Place, PlaceStatus, SchoolCount
from booking.calendar.models import Event, Kind, Visibility
from booking.core.db import db
from booking.directory.models import RoleName
from booking.reminders.models import ReminderRule
from tests.databases import close, make_app, postgres_database
from tests.factories import make_booking, make_category, make_event, make_organiser, make_school, make_venue, save
from tests.processes import ROOT, command, environment


def tables() -> list[str]:
    with db.engine.connect() as connection:
        return sorted(sa.inspect(connection).get_table_names())


@pytest.fixture
def new_database(backend: str, tmp_path: Path) -> Iterator[str]:
    """A database of this test alone: empty on SQLite, migrated on PostgreSQL."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
    else:
        with postgres_database() as url:
            yield url


@pytest.mark.both_databases
def test_up_from_nothing_down_to_nothing_and_up_again(new_database: str) -> None:
    app = make_app(new_database)
    with app.app_context():
        upgrade()
        known = tables()
        assert known == sorted(["alembic_version", *db.metadata.tables])
        downgrade(revision="base")
        assert tables() == ["alembic_version"]
        upgrade()
        assert tables() == known
        assert make_event().id == 1
    close(app)


@pytest.mark.both_databases
def test_the_migrations_make_what_the_models_say(in_app: Flask) -> None:
    with db.engine.connect() as connection:
        options = current_app.extensions["migrate"].configure_args
        found = compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)
    assert found == []


@pytest.mark.both_databases
def test_the_migrations_make_every_check_of_the_models(in_app: Flask) -> None:
    inspector = sa.inspect(db.engine)
    there, wanted = set(), set()
    for table in db.metadata.sorted_tables:
        there |= {(table.name, found["name"]) for found in inspector.get_check_constraints(table.name)}
        checks = [one for one in table.constraints if isinstance(one, sa.CheckConstraint)]
        names = [str(one.name) for one in checks if one.name]
        wanted |= {(table.name, name if name.startswith("ck_") else f"ck_{table.name}_{name}") for name in names}
    assert wanted == there


@pytest.mark.both_databases
def test_flask_db_check_finds_nothing_to_do(database_url: str) -> None:
    done = command(database_url, "db", "check")
    assert (done.returncode, "No new upgrade operations detected" in done.stdout + done.stderr) == (0, True)


def test_the_program_is_found_from_any_folder(database_url: str, tmp_path: Path) -> None:
    env = environment(database_url) | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), "db", "current"]
    done = subprocess.run(line, env=env, cwd=tmp_path, text=True, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split()[1:]) == (0, ["(head)"])


def refused(statement: str, **values: object) -> str:
    """Return the name of the constraint that refuses this statement; fail where none does."""
    with pytest.raises(sa.exc.IntegrityError) as error:
        db.session.execute(sa.text(statement), values)
    db.session.rollback()
    return str(error.value.orig)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "position",
    [
        "latitude = 51.7",
        "longitude = 0.3",
        "latitude = 91.0, longitude = 0.3",
        "latitude = 51.7, longitude = 0.3, is_online = true",
    ],
)
def test_the_database_keeps_no_half_of_a_position(in_app: Flask, position: str) -> None:
    make_venue()
    assert "position" in refused(f"UPDATE venues SET {position}")


@pytest.mark.both_databases
def test_the_database_lets_only_closing_dates_be_for_another_event(in_app: Flask) -> None:
    panel, closing = make_event(), make_event(kind=Kind.DEADLINE)
    statement = "UPDATE events SET closes_for_id = :other WHERE id = :id"
    assert "only_deadlines_close" in refused(statement, other=closing.id, id=panel.id)
    assert "only_deadlines_close" in refused(statement, other=closing.id, id=closing.id)
    db.session.execute(sa.text(statement), {"other": panel.id, "id": closing.id})


@pytest.mark.both_databases
def test_the_database_never_lets_more_places_be_taken_than_there_are(in_app: Flask) -> None:
    event = make_event(capacity=2)
    assert "never_oversold" in refused("UPDATE events SET taken = 3 WHERE id = :id", id=event.id)
    assert "never_oversold" in refused("UPDATE events SET taken = -1 WHERE id = :id", id=event.id)
    db.session.execute(sa.text("UPDATE events SET taken = 2"))
    assert db.session.scalar(sa.select(Event.taken)) == 2
    db.session.commit()
    assert "never_oversold" in refused("UPDATE events SET capacity = 1 WHERE id = :id", id=event.id)
    assert "capacity" in refused("UPDATE events SET capacity = -1, taken = 0 WHERE id = :id", id=event.id)
    db.session.execute(sa.text("UPDATE events SET capacity = NULL, taken = 500"))
    db.session.commit()


@pytest.mark.both_databases
def test_the_database_never_lets_an_attendee_hold_two_active_places(in_app: Flask) -> None:
    event, other = make_event(), make_event()
    ids = [make_booking(event, "Ada Obi", f"ada{n}@school.example").places[0].id for n in range(2)]
    same = "UPDATE places SET attendee_key = 'ada' WHERE id = :id"
    db.session.execute(sa.text(same), {"id": ids[0]})
    db.session.commit()
    for status in ("confirmed", "pending", "offered"):
        db.session.execute(
            sa.text("UPDATE places SET status = :status, offered_until = CURRENT_TIMESTAMP WHERE id = :id"),
            {"status": status, "id": ids[1]},
        )
        db.session.commit()
        assert "attendee" in refused(same, id=ids[1])
    db.session.execute(sa.text("UPDATE places SET status = 'cancelled' WHERE id = :id"), {"id": ids[1]})
    db.session.execute(sa.text(same), {"id": ids[1]})
    elsewhere = make_booking(other, "Ada Obi").places[0].id
    db.session.execute(sa.text(same), {"id": elsewhere})
    db.session.commit()
    assert "attendee" in refused("UPDATE places SET status = 'confirmed' WHERE id = :id", id=ids[1])


@pytest.mark.both_databases
def test_the_database_keeps_one_order_of_the_waiting_list(in_app: Flask) -> None:
    event = make_event(capacity=0)
    first, second = (make_booking(event, status=PlaceStatus.WAITING).places[0].id for _ in range(2))
    assert "position" in refused("UPDATE places SET position = 1 WHERE id = :id", id=second)
    assert "waits_with_a_number" in refused("UPDATE places SET position = NULL WHERE id = :id", id=first)
    assert "placestatus" in refused("UPDATE places SET status = 'perhaps' WHERE id = :id", id=first)
    assert "is_offered_for_a_time" in refused("UPDATE places SET status = 'offered' WHERE id = :id", id=first)


@pytest.mark.both_databases
def test_the_database_never_lets_a_school_hold_more_than_its_places(in_app: Flask) -> None:
    event, school = make_event(per_school=2), make_school()
    db.session.add(SchoolCount(event_id=event.id, school_id=school.id, taken=2, extra=0, most=2))
    db.session.commit()
    assert "within_the_limit" in refused("UPDATE school_counts SET taken = 3")
    assert "within_the_limit" in refused("UPDATE school_counts SET most = 1")
    assert "within_the_limit" in refused("UPDATE school_counts SET taken = -1")


@pytest.mark.both_databases
def test_the_database_books_a_form_once_and_only_sessions(in_app: Flask) -> None:
    event = make_event()
    one, two = make_booking(event), make_booking(event)
    take_over = "UPDATE bookings SET form_key = :key WHERE id = :id"
    assert "form_key" in refused(take_over, key=one.form_key, id=two.id)
    assert "only_sessions_are_booked" in refused("UPDATE events SET kind = 'deadline' WHERE id = :id", id=event.id)
    deadline = make_event(kind=Kind.DEADLINE)
    assert "only_sessions_are_booked" in refused("UPDATE events SET takes_bookings = true WHERE id = :i", i=deadline.id)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("titled", "title = ''"),
        ("times_in_order", "ends = starts"),
        ("ends_after_a_start", "starts = NULL"),
        ("days_in_order", "last_day = day"),
        ("places_per_booking", "places_per_booking = 0"),
        ("eventstatus", "status = 'perhaps'"),
        ("whomaybook", "who_may_book = 'nobody'"),
        ("invites_by_a_link", "who_may_book = 'invited'"),
        ("per_school", "per_school = 0"),
        ("promotion", "promotion = 'perhaps'"),
        ("offer_hours", "offer_hours = 0"),
        ("changes_until_hours", "changes_until_hours = -1"),
    ],
)
def test_the_database_takes_no_event_that_cannot_be(in_app: Flask, constraint: str, change: str) -> None:
    make_event()
    assert constraint in refused(f"UPDATE events SET {change}")


@pytest.mark.both_databases
def test_the_database_gives_each_role_once_and_in_its_scope(in_app: Flask) -> None:
    boss = make_organiser("boss@vale-marsh.example", RoleName.ADMINISTRATOR)
    tom = make_organiser()
    add = "INSERT INTO roles (person_id, area_id, role) VALUES (:person, :area, :role)"
    assert "roles" in refused(add, person=boss.id, area=None, role="administrator")
    assert "roles" in refused(add, person=tom.id, area=1, role="organiser")
    assert "scope" in refused(add, person=tom.id, area=None, role="organiser")
    assert "scope" in refused(add, person=tom.id, area=1, role="administrator")


@pytest.mark.both_databases
def test_the_database_keeps_addresses_of_kinds_apart_from_those_of_the_program(in_app: Flask) -> None:
    category = make_category()
    for slug in ("calendar", "my", "school"):
        assert "slug" in refused("UPDATE categories SET slug = :slug WHERE id = :id", slug=slug, id=category.id)


@pytest.mark.both_databases
def test_every_reference_has_an_index(in_app: Flask) -> None:
    inspector = sa.inspect(db.engine)
    without = []
    for table in db.metadata.sorted_tables:
        first_columns = {index["column_names"][0] for index in inspector.get_indexes(table.name)}
        first_columns |= {one["column_names"][0] for one in inspector.get_unique_constraints(table.name)}
        first_columns |= set(inspector.get_pk_constraint(table.name)["constrained_columns"][:1])
        for key in inspector.get_foreign_keys(table.name):
            if key["constrained_columns"][0] not in first_columns:
                without.append(f"{table.name}.{key['constrained_columns'][0]}")
    assert without == []


@pytest.mark.both_databases
def test_events_made_by_hand_before_0002_do_not_follow_their_kind(new_database: str) -> None:
    app = make_app(new_database)
    with app.app_context():
        upgrade()
        make_event("By hand")
        make_event("From a file", import_key="1")
        make_event("From a file, seen by staff", import_key="2", visibility=Visibility.STAFF)
        downgrade(revision="0001")
        upgrade()
        found = db.session.execute(sa.select(Event.title, Event.own_visibility).order_by(Event.id)).all()
        assert [tuple(row) for row in found] == [
            ("By hand", True),
            ("From a file", False),
            ("From a file, seen by staff", True),
        ]
    close(app)


@pytest.mark.both_databases
def test_0003_keeps_what_is_booked_there_and_back(new_database: str) -> None:
    app = make_app(new_database)
    with app.app_context():
        upgrade()
        event = make_event(capacity=2)
        make_booking(event, "Ada Obi")
        make_booking(event, "Ravi Shah", status=PlaceStatus.WAITING)
        db.session.execute(sa.text("UPDATE events SET taken = 2"))
        offer = "UPDATE places SET status = 'offered', offered_until = CURRENT_TIMESTAMP WHERE position = 1"
        db.session.execute(sa.text(offer))
        db.session.commit()
        downgrade(revision="0002")
        db.session.rollback()
        there = db.session.execute(sa.text("SELECT name, status FROM places ORDER BY id")).all()
        assert [tuple(row) for row in there] == [("Ada Obi", "confirmed"), ("Ravi Shah", "waiting")]
        assert db.session.scalar(sa.text("SELECT taken FROM events")) == 1
        db.session.rollback()
        upgrade()
        assert db.session.query(Booking).count() == 2
        assert [(place.status, place.unlisted) for place in db.session.query(Place).order_by(Place.id)] == [
            (PlaceStatus.CONFIRMED, False),
            (PlaceStatus.WAITING, False),
        ]
    close(app)


@pytest.mark.both_databases
def test_0011_writes_merge_words_as_those_of_messages_there_and_back(new_database: str) -> None:
    app = make_app(new_database)
    with app.app_context():
        upgrade()
        words = {"subject": "Soon: [event]", "text": "Dear [name],\n\nit is [left], at [where]."}
        rule = save(ReminderRule(category_id=make_category().id, number=1, at=time(8), **words))
        db.session.rollback()
        downgrade(revision="0010")
        before = ("Soon: {title}", "Dear {name},\n\nit is {when}, at {place}.")
        assert tuple(db.session.execute(sa.text("SELECT subject, text FROM reminder_rules")).one()) == before
        db.session.rollback()
        upgrade()
        db.session.refresh(rule)
        assert {"subject": rule.subject, "text": rule.text} == words
    close(app)
