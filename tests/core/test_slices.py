"""Long lists, a page at a time: nothing twice, nothing left out, there and back."""

from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.calendar.models import Event
from booking.calendar.queries import IN_ORDER
from booking.core.db import db
from booking.core.slices import MOST_COUNTED, Slice, Spot, count_some, cut, say_some
from tests.factories import make_area, make_event

ROWS = 23


def page(app: Flask, address: str, *, downwards: bool, limit: int = 5) -> Slice[Event]:
    with app.test_request_context(address):
        return cut(sa.select(Event), *IN_ORDER, at=Spot.of_the_address(), downwards=downwards, limit=limit)


def walk(app: Flask, address: str, side: str, *, downwards: bool) -> list[list[int]]:
    pages = []
    while address:
        found = page(app, address, downwards=downwards)
        pages.append([row.id for row in found.rows])
        address = getattr(found, side)
    return pages


@pytest.fixture
def in_order(in_app: Flask) -> list[int]:
    """Events of few days and times, so that many of them differ by their number alone."""
    for number in range(ROWS):
        make_event("Same", in_days=number % 3, starts=None, ends=None)
    return [row.id for row in db.session.scalars(sa.select(Event).order_by(*IN_ORDER))]


@pytest.mark.both_databases
@pytest.mark.parametrize("downwards", [False, True])
def test_all_pages_together_are_the_list_there_and_back(in_app: Flask, in_order: list[int], downwards: bool) -> None:
    expected = in_order[::-1] if downwards else in_order
    there = walk(in_app, "/x?q=a+b", "on", downwards=downwards)
    assert [row for rows in there for row in rows] == expected
    assert [len(rows) for rows in there] == [5, 5, 5, 5, 3]
    back = walk(in_app, f"/x?after={there[-2][-1]}", "back", downwards=downwards)
    assert back == there[::-1]


@pytest.mark.both_databases
def test_rows_that_come_in_meanwhile_move_nothing_to_another_page(in_app: Flask, in_order: list[int]) -> None:
    first = page(in_app, "/x", downwards=True)
    make_event("Later than all", in_days=9)
    second = page(in_app, first.on, downwards=True)
    assert [row.id for row in (*first.rows, *second.rows)] == in_order[::-1][:10]


def test_the_list_begins_where_a_row_is_gone_or_too_little_stands_before_it(in_app: Flask, in_order: list[int]) -> None:
    for query in ("after=999", "before=999", "after=x", "after=-1", f"before={in_order[2]}", "after=99999999999999"):
        found = page(in_app, f"/x?{query}", downwards=False)
        assert ([row.id for row in found.rows], found.back) == (in_order[:5], "")
        assert parse_qs(urlsplit(found.on).query) == {"after": [str(in_order[4])]}


def test_behind_the_last_row_nothing_stands_but_the_way_back(in_app: Flask, in_order: list[int]) -> None:
    found = page(in_app, f"/x?q=a&after={in_order[-1]}", downwards=False)
    assert (found.rows, found.back, found.on) == ([], "/x?q=a", "")


@pytest.mark.both_databases
def test_counts_stop_where_nobody_reads_on(in_app: Flask) -> None:
    area = make_area()
    for _ in range(3):
        make_event()
    assert count_some(Event.area_id == area.id) == 3
    assert count_some(Event.area_id == area.id, most=1) == 2
    said = [say_some(2, most=1), say_some(MOST_COUNTED + 1), say_some(MOST_COUNTED)]
    assert said == ["more than 1", "more than 500", "500"]
