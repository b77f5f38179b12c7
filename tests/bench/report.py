"""What is printed: the machine, and small tables."""

import os
import platform
import sqlite3
from collections.abc import Sequence

import sqlalchemy as sa

from tests.bench.load import Measured
from tests.databases import postgres_server


def machine() -> str:
    """Return what the figures were measured on, in a line, with how busy it is already."""
    engine = sa.create_engine(postgres_server())
    with engine.connect() as connection:
        postgres = connection.exec_driver_sql("SHOW server_version").scalar_one().split()[0]
    engine.dispose()
    parts = [f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    parts += [f"SQLite {sqlite3.sqlite_version}", f"PostgreSQL {postgres}"]
    return f"{', '.join(parts)}; {busy()}"


def busy() -> str:
    """Return how busy the machine was in the last minute: figures of a busy one say little."""
    return f"load of the last minute {os.getloadavg()[0]:.2f}"


def heading(title: str, *lines: str) -> None:
    """Print what comes, and how it was measured."""
    print(f"\n{title}", *lines, sep="\n", flush=True)


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their names: the first column to the left, numbers to the right."""
    lines = [tuple(names), *(tuple(_written(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    for line in lines:
        first, *others = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([f"  {first}", *others]), flush=True)


def figures(measured: Measured) -> tuple[object, ...]:
    """Return what a row says of a load: in a second, p50, p95, errors, and what the clients took themselves."""
    times = measured.per_second, measured.percentile(50), measured.percentile(95)
    return *times, measured.errors.total(), f"{measured.own:.0%} of a core"


def errors(name: str, measured: Measured) -> list[str]:
    """Return a line for each kind of error."""
    return [f"{name}: {number} × {wrong}" for wrong, number in measured.errors.items() if number]


def lines(notes: Sequence[str]) -> None:
    """Print lines under a table."""
    print(*(f"  {note}" for note in notes), sep="\n", flush=True)


def without_begin(statements: Sequence[str]) -> int:
    """Return how many statements there are; BEGIN is one on SQLite alone, so it does not count."""
    return sum(not one.startswith("BEGIN") for one in statements)


def _written(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:,.0f}" if cell >= 100 else f"{cell:.1f}" if cell >= 10 else f"{cell:.2f}"
