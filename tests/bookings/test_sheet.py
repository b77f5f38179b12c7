"""Who comes, as a file: columns of ours, columns like Eventbrite's, and nothing that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from python_calamine import CalamineWorkbook

from booking.bookings import lists, sheet
from booking.bookings.models import Place, PlaceStatus
from booking.core.db import db
from tests.factories import make_audience, make_booking, make_event, make_school

NOW = datetime(2027, 7, 1, 9, 0, tzinfo=UTC)  # ten o'clock in Britain


@pytest.fixture
def table(in_app: Flask) -> sheet.Table:
    return sheet.table(_places())


def _places() -> list[Place]:
    with time_machine.travel(NOW, tick=False):
        event, school = make_event(private=True), make_school("Oakhurst")
        booking = make_booking(event, "Ada Mary Obi", "ada@school.example", school=school)
        booking.needs, booking.reference = "Large print", "AAAA-BBBB"
        booking.audience_id = make_audience("Parents and carers").id
        booking.places[0].unlisted = True
        offered = make_booking(event, "Ben", "ben@school.example")
        offered.places[0].status, offered.places[0].offered_until = (
            PlaceStatus.OFFERED,
            datetime(2027, 7, 3, tzinfo=UTC),
        )
        offered.reference = "CCCC-DDDD"
        waiting = make_booking(event, "Cy Dent", "cy@school.example", status=PlaceStatus.WAITING)
        waiting.reference = "EEEE-FFFF"
        db.session.commit()
        return list(lists.each_place(event))


def read(parts: Iterable[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(parts).decode("utf-8-sig"))))


def test_a_line_says_all_that_the_list_shows(table: sheet.Table) -> None:
    at, ada, ben, cy = "2027-07-01 10:00", "ada@school.example", "ben@school.example", "cy@school.example"
    expected = [
        ["AAAA-BBBB", "Ada Mary Obi", ada, "Oakhurst", "confirmed", "", "Large print", "Ada Mary Obi", ada, at],
        ["CCCC-DDDD", "Ben", ben, "", "offered", "", "", "Ben", ben, at],
        ["EEEE-FFFF", "Cy Dent", cy, "", "waiting", "1", "", "Cy Dent", cy, at],
    ]
    more = [["Parents and carers", "", "yes"], ["", "2027-07-03 01:00", ""], ["", "", ""]]
    lines = [[*sheet.HEADER], *(line + rest for line, rest in zip(expected, more, strict=True))]
    assert read(table.as_csv()) == lines
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(table.as_xlsx()))
    assert workbook.get_sheet_by_index(0).to_python() == lines


def test_columns_can_be_those_of_eventbrite(in_app: Flask) -> None:
    places = _places()
    ids = [str(place.id) for place in places]
    assert read(sheet.table(places, like_eventbrite=True).as_csv()) == [
        [
            *("Order no.", "Order Date", "First Name", "Surname", "Email", "Quantity", "Ticket Type"),
            *("Attendee no.", "Attendee Status", "Buyer First Name", "Buyer Surname", "Buyer Email"),
            *("School", "Prepare", "Unlisted"),
        ],
        [
            *("AAAA-BBBB", "2027-07-01 10:00", "Ada Mary", "Obi", "ada@school.example", "1", "Place"),
            *(ids[0], "Attending", "Ada Mary", "Obi", "ada@school.example", "Oakhurst", "Large print", "yes"),
        ],
        [
            *("CCCC-DDDD", "2027-07-01 10:00", "Ben", "", "ben@school.example", "1", "Place"),
            *(ids[1], "Offered", "Ben", "", "ben@school.example", "", "", ""),
        ],
        [
            *("EEEE-FFFF", "2027-07-01 10:00", "Cy", "Dent", "cy@school.example", "1", "Place"),
            *(ids[2], "Waiting list", "Cy", "Dent", "cy@school.example", "", "", ""),
        ],
    ]


def test_every_status_has_a_word_there() -> None:
    assert set(sheet.THERE) == set(PlaceStatus)


@pytest.mark.parametrize("name", ["=1+1 Obi", "Ada =1+1", "+44 1632", "-2", "@SUM(A1)", "＝1+1", '=HYPERLINK("x")'])
@pytest.mark.parametrize("like_eventbrite", [False, True])
def test_nothing_somebody_typed_is_a_formula(in_app: Flask, name: str, like_eventbrite: bool) -> None:
    event = make_event()
    booking = make_booking(event, name, "eve@evil.example", school=make_school(name))
    booking.needs = name
    db.session.commit()
    table = sheet.table(list(lists.each_place(event)), like_eventbrite=like_eventbrite)
    (line,) = read(table.as_csv())[1:]
    assert [cell for cell in line if cell.startswith(("=", "+", "-", "@", "＝"))] == []
    cells = CalamineWorkbook.from_filelike(io.BytesIO(table.as_xlsx())).get_sheet_by_index(0).to_python()[1]
    assert {type(cell) for cell in cells} == {str}
