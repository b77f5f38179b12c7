"""What a claim reads grows with what waits, not with its square and not with what was sent before."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.core.clock import now
from booking.core.db import db
from booking.notifications.models import Message, MessageStatus
from booking.notifications.queries import next_in_turn
from tests.bench.mails import message_row
from tests.factories import make_event

OLD, FEW, MANY = 3_000, 250, 1_000


def add(number: int, **values: object) -> None:
    db.session.execute(sa.insert(Message), [message_row(n, text="", html="", **values) for n in range(number)])
    db.session.commit()


def work() -> int:
    """Return how much the database does for one claim: rows of all steps of its plan, or SQLite's instructions."""
    statement = next_in_turn(now() + timedelta(seconds=1), limit=100)
    if db.engine.dialect.name == "sqlite":
        done = 0

        def count() -> None:
            nonlocal done
            done += 1

        driver: Any = db.session.connection().connection.dbapi_connection
        driver.set_progress_handler(count, 100)
        assert len(db.session.scalars(statement).all()) == 100
        driver.set_progress_handler(None, 0)
        db.session.rollback()
        return done
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    explained = db.session.scalar(sa.text(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}".replace(":", r"\:")))
    db.session.rollback()
    (plan,) = explained if isinstance(explained, list) else json.loads(explained)
    return rows(plan["Plan"])


def rows(step: dict[str, Any]) -> int:
    own = (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
    return int(own) + sum(rows(one) for one in step.get("Plans", []))


@pytest.mark.both_databases
def test_a_claim_costs_in_proportion_to_what_waits(in_app: Flask) -> None:
    """The statistics are of a time at which nothing waited, as on the evening of the day before a great mailing."""
    long_ago, event_id = now() - timedelta(days=200), make_event().id
    add(OLD, status=MessageStatus.SENT, send_after=long_ago, created_at=long_ago, event_id=event_id)
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    add(FEW, event_id=event_id)
    few = work()
    add(MANY - FEW, event_id=event_id)
    assert work() < 1.5 * MANY / FEW * few
