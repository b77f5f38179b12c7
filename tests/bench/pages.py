"""The planner, the list and the home page with a hundred and with a thousand events."""

from datetime import UTC, datetime

import time_machine
from flask import Flask

from tests.bench import report, stage
from tests.bench.load import TIMES, alone
from tests.statements import statements

PAGES = {"planner": "/calendar/", "list": "/events/", "home page": "/"}
FEW, MANY = 100, 1000
# A day of autumn term, so that the list and the home page have most of the year before them.
A_DAY = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)


def run() -> None:
    """Print how long each page takes, and its SQL statements, which must not grow."""
    report.heading(
        f"Pages with {FEW} and with {MANY:,} events, all of one school year (the list shows 50 at a time)",
        f"The median of {TIMES} through the test client, one at a time, in a warm process.",
    )
    rows: list[tuple[object, ...]] = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, _), time_machine.travel(A_DAY):
            with app.app_context():
                stage.furnish()
                stage.add_events(range(FEW))
            few = {name: _measure(app, path) for name, path in PAGES.items()}
            with app.app_context():
                stage.add_events(range(FEW, MANY))
            many = {name: _measure(app, path) for name, path in PAGES.items()}
        rows += [_row(f"{backend}, {name}", few[name], many[name]) for name in PAGES]
    report.table(("", f"ms, {FEW}", f"ms, {MANY}", "ratio", f"SQL, {FEW}", f"SQL, {MANY}"), rows)


def _row(name: str, few: tuple[float, int], many: tuple[float, int]) -> tuple[object, ...]:
    return name, few[0], many[0], many[0] / few[0], few[1], many[1]


def _measure(app: Flask, path: str) -> tuple[float, int]:
    """Return the median time of the page in milliseconds, and its statements."""
    client = app.test_client()
    client.get(path)
    with statements(app) as seen:
        assert client.get(path).status_code == 200
    return alone(lambda: client.get(path))[0], report.without_begin(seen)
