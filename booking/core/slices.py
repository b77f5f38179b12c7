"""Long lists, a page at a time, without counting them; and counts that stop where nobody reads on.

A page begins after a row, or ends before one, by what the list is ordered by. So the hundredth page costs what the
first does, and nothing is shown twice, or left out, where rows come in meanwhile. Addresses carry that row's number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import request
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.elements import ColumnElement

from booking.core.db import db

PER_PAGE = 50
# So far is counted: whether 600 mails failed or 60,000, the same has to be done.
MOST_COUNTED = 500
AFTER, BEFORE = "after", "before"
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a page begins or ends: after a row of the list, or before one; at its beginning where neither is given."""

    after: int | None = None
    before: int | None = None

    @classmethod
    def of_the_address(cls) -> "Spot":
        """Return what the address of the page under way says; what is no number of a row says nothing."""
        return cls(_row_asked(AFTER), _row_asked(BEFORE))


BEGINNING = Spot()


@dataclass(frozen=True, slots=True)
class Slice(Generic[R]):
    """The rows of a page, and the addresses of the pages before it and after it; none where there is none."""

    rows: Sequence[R]
    back: str = ""
    on: str = ""


def cut(
    statement: sa.Select[R],
    *order: InstrumentedAttribute[Any] | ColumnElement[Any],
    at: Spot,
    downwards: bool = False,
    limit: int = PER_PAGE,
    options: Sequence[ExecutableOption] = (),
) -> Slice[R]:
    """Return a page of a list, in its order: never empty columns, the row's own number last, all up or all downwards.

    A row that has gone, or is not in the list any more, is as good as none: the list begins. So it does where too
    little stands before a row to fill a page.
    """
    goes_back = at.after is None and at.before is not None
    edge = _edge(statement, order, at.before if goes_back else at.after)
    if edge is None:
        return _read(statement, order, downwards=downwards, limit=limit, options=options)
    found = _read(
        statement.where(_beyond(order, edge, up=downwards == goes_back)),
        order,
        downwards=downwards != goes_back,
        limit=limit,
        options=options,
    )
    if not goes_back:
        return Slice(found.rows, _address(BEFORE, found.rows[0]) if found.rows else _address(BEFORE, None), found.on)
    if not found.on:
        return _read(statement, order, downwards=downwards, limit=limit, options=options)
    rows = found.rows[::-1]
    return Slice(rows, _address(BEFORE, rows[0]), _address(AFTER, rows[-1]))


def _edge(
    statement: sa.Select[R], order: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]], row: int | None
) -> Sequence[Any] | None:
    """Return what the list is ordered by, of one of its rows."""
    if row is None:
        return None
    only = statement.with_only_columns(*order, maintain_column_froms=True).where(order[-1] == row)
    return db.session.execute(only).one_or_none()


def _beyond(
    order: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]], edge: Sequence[Any], *, up: bool
) -> ColumnElement[bool]:
    # As a row compared with a row: an index in this order then leads to its first row.
    here = sa.tuple_(*order)
    there = sa.tuple_(*(sa.literal(value, column.type) for column, value in zip(order, edge, strict=True)))
    return here > there if up else here < there


def _read(
    statement: sa.Select[R],
    order: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    *,
    downwards: bool,
    limit: int,
    options: Sequence[ExecutableOption],
) -> Slice[R]:
    by = [column.desc() for column in order] if downwards else list(order)
    # One more than is shown tells whether the list goes on.
    rows = db.session.scalars(statement.options(*options).order_by(*by).limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    return Slice(rows, on=_address(AFTER, rows[-1]) if more else "")


def _address(side: str, row: Any) -> str:
    """Return the address of the page under way with another place in the list; of its beginning where no row is given.

    Written from the path that was asked for: names in the query must not become arguments of `url_for`.
    """
    kept = {name: value for name, value in request.args.to_dict().items() if name not in {AFTER, BEFORE}}
    if row is not None:
        kept[side] = str(row if isinstance(row, int) else row.id)
    query = urlencode(kept)
    return f"{request.path}?{query}" if query else request.path


def _row_asked(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def count_some(*chosen: ColumnElement[bool], most: int = MOST_COUNTED) -> int:
    """Return how many rows fit, or one more than the most that is counted."""
    some = sa.select(sa.literal(1)).where(*chosen).limit(most + 1).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def say_some(number: int, most: int = MOST_COUNTED) -> str:
    """Return a number that `count_some` counted: `12`, or `more than 500`."""
    return f"more than {most:,}" if number > most else f"{number:,}"
