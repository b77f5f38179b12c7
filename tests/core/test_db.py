"""The database: instants, atomic actions, locks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Event

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.calendar.models import Event as CalendarEvent
from booking.core.clock import now
from booking.core.db import atomic, db, lock, take_turns
from booking.core.errors import Refused
from booking.core.heartbeat import Heartbeat, beat, last_beat
from tests import databases
from tests.factories import make_event

AT_ONCE = 12


@atomic
def write(name: str, at: datetime) -> None:
    db.session.add(Heartbeat(name=name, at=at))


def names() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Heartbeat.name).order_by(Heartbeat.name)))


@pytest.mark.both_databases
def test_an_instant_comes_back_as_the_same_instant_in_utc(in_app: Flask) -> None:
    told = datetime(2027, 6, 1, 13, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    write("one", told)
    db.session.expire_all()
    found = last_beat("one")
    assert found == told
    assert found is not None
    assert found.tzinfo is UTC
    assert db.session.scalar(sa.select(Heartbeat.name).where(Heartbeat.at == told)) == "one"


def test_a_time_without_a_zone_is_refused(in_app: Flask) -> None:
    with pytest.raises(sa.exc.StatementError, match="an instant needs its zone"):
        write("one", datetime(2027, 6, 1, 13, 30))
    assert names() == []


def test_an_atomic_action_is_kept_whole_or_not_at_all(in_app: Flask) -> None:
    @atomic
    def two(second: str) -> None:
        write("first", now())
        write(second, now())
        if second == "bad":
            raise Refused("No.")

    with pytest.raises(Refused):
        two("bad")
    assert names() == []
    two("second")
    assert names() == ["first", "second"]


@pytest.mark.both_databases
def test_an_error_of_the_database_keeps_nothing_and_the_next_action_goes_on(in_app: Flask) -> None:
    @atomic
    def twice() -> None:
        for _ in range(2):
            db.session.execute(sa.insert(Heartbeat).values(name="one", at=now()))

    with pytest.raises(sa.exc.IntegrityError):
        twice()
    assert names() == []
    write("one", now())
    assert names() == ["one"]


def test_a_change_outside_an_atomic_action_is_found_out(in_app: Flask) -> None:
    db.session.add(Heartbeat(name="stray", at=now()))
    with pytest.raises(RuntimeError, match="outside an atomic action"):
        write("one", now())
    assert names() == []


def test_each_statement_sees_what_was_committed_last_whatever_the_server_would_do(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", r"-c default_transaction_isolation=repeatable\ read")
    app = databases.make_app(postgres_url)
    with app.app_context():
        assert db.session.scalar(sa.text("SHOW transaction_isolation")) == "read committed"
    databases.close(app)


@pytest.mark.both_databases
def test_an_atomic_action_reads_afresh_what_was_loaded_before(app: Flask) -> None:
    with app.app_context():
        event_id = make_event(capacity=3).id

    @atomic
    def raise_it(event: CalendarEvent) -> None:
        event.capacity = (event.capacity or 0) + 1

    with app.app_context():
        mine = db.session.get(CalendarEvent, event_id)
        assert mine is not None
        assert mine.capacity == 3
        with app.app_context():
            raise_it(db.session.get(CalendarEvent, event_id))
        raise_it(mine)
        assert mine.capacity == 5


def test_a_lock_belongs_inside_an_atomic_action(in_app: Flask) -> None:
    event = make_event()
    with pytest.raises(RuntimeError, match="inside an atomic action"):
        lock(event)
    with pytest.raises(RuntimeError, match="inside an atomic action"):
        take_turns("anything")


def test_a_lock_changes_nothing_that_people_or_feeds_see(in_app: Flask) -> None:
    event = make_event()
    before = (event.changed_at, event.revision, event.sequence, event.lock_count)
    atomic(lambda: lock(event))()
    assert (event.changed_at, event.revision, event.sequence, event.lock_count) == (*before[:3], before[3] + 1)


@pytest.mark.both_databases
def test_what_was_removed_in_the_meantime_is_refused(app: Flask) -> None:
    with app.app_context():
        event_id = make_event().id
    with app.app_context():
        event = db.session.get(CalendarEvent, event_id)
        assert event is not None
        with app.app_context():
            db.session.delete(db.session.get(CalendarEvent, event_id))
            db.session.commit()
        with pytest.raises(Refused, match="removed in the meantime"):
            atomic(lambda: lock(event))()


@pytest.mark.both_databases
def test_under_the_lock_nobody_counts_past_another(app: Flask) -> None:
    with app.app_context():
        event_id = make_event(capacity=None).id
    barrier = Barrier(AT_ONCE)

    @atomic
    def take_one(event: CalendarEvent) -> None:
        lock(event)
        event.taken += 1

    def run(_number: int) -> None:
        with app.app_context():
            event = db.session.get(CalendarEvent, event_id)
            assert event is not None
            barrier.wait(timeout=30)
            take_one(event)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, range(AT_ONCE)))
    with app.app_context():
        assert db.session.get(CalendarEvent, event_id).taken == AT_ONCE


@pytest.mark.both_databases
def test_two_actions_that_lock_the_same_rows_never_wait_for_each_other_in_a_circle(app: Flask) -> None:
    with app.app_context():
        ids = [make_event().id for _ in range(2)]
    barrier = Barrier(2)

    @atomic
    def take_both(events: list[CalendarEvent]) -> None:
        lock(*events)

    def run(order: list[int]) -> None:
        for _ in range(5):
            with app.app_context():
                events = [db.session.get(CalendarEvent, event_id) for event_id in order]
                barrier.wait(timeout=30)
                take_both(events)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, (ids, ids[::-1])))
    with app.app_context():
        assert [db.session.get(CalendarEvent, event_id).lock_count for event_id in ids] == [10, 10]


@pytest.mark.both_databases
def test_who_takes_turns_sees_what_the_one_before_wrote(app: Flask) -> None:
    barrier = Barrier(AT_ONCE)

    @atomic
    def only_one() -> None:
        take_turns("the first heartbeat")
        if db.session.get(Heartbeat, "only") is None:
            db.session.add(Heartbeat(name="only", at=now()))

    def run(_number: int) -> None:
        with app.app_context():
            barrier.wait(timeout=30)
            only_one()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, range(AT_ONCE)))
    with app.app_context():
        assert names() == ["only"]


@pytest.mark.both_databases
def test_who_only_reads_waits_for_nobody_who_writes(app: Flask) -> None:
    wrote, read = Event(), Event()

    @atomic
    def slowly() -> None:
        write("slow", now())
        db.session.flush()
        wrote.set()
        assert read.wait(timeout=30)

    def writer() -> None:
        with app.app_context():
            slowly()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(writer)
        assert wrote.wait(timeout=30)
        with app.app_context():
            assert names() == []
        read.set()
        done.result(timeout=30)
    with app.app_context():
        assert names() == ["slow"]


def test_a_heartbeat_is_one_row_that_moves(in_app: Flask) -> None:
    assert last_beat("job") is None
    beat("job")
    first = last_beat("job")
    beat("job")
    assert names() == ["job"]
    assert last_beat("job") > first


@pytest.mark.both_databases
def test_the_database_minds_references(in_app: Flask) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        make_event(venue_id=999)
