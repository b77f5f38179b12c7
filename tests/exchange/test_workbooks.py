"""Whole files: merged cells, hidden sheets, dates typed once, short planners, and tables with two dates a row."""

import csv
import io
from datetime import date

import pytest
import xlsxwriter

from booking.core.apart import apart
from booking.core.errors import Refused
from booking.exchange.reading import Context, Reading, Unreadable, read_file
from tests.exchange import grown

REMARKS = {"time-missing", "unknown-category"}


def table(*lines: str, **context) -> Reading:
    return read_file("dates.csv", "\n".join(lines).encode(), Context(**context))


def told(reading: Reading) -> list[tuple[str, str | None, dict[str, str | None]]]:
    return [
        (
            entry.title,
            entry.to_json()["date"],
            {issue.code: issue.suggestion for issue in entry.issues if issue.code not in REMARKS},
        )
        for entry in reading.entries
    ]


def workbook(fill) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        fill(book, book.add_format({"num_format": "dd/mm/yyyy"}))
    return out.getvalue()


@pytest.mark.parametrize("header", [["Date", "Title"], ["When", "Event"]])
def test_the_date_of_merged_cells_is_that_of_all_their_rows(header) -> None:
    def fill(book, day) -> None:
        sheet = book.add_worksheet("Dates")
        sheet.write_row(0, 0, header)
        sheet.merge_range(1, 0, 3, 0, date(2026, 12, 2), day)
        for row, title in enumerate(["Forum", "Circle", "Panel", "Sports day"], start=1):
            sheet.write(row, 1, title)

    reading = read_file("a.xlsx", workbook(fill))
    assert told(reading) == [
        ("Forum", "2026-12-02", {}),
        ("Circle", "2026-12-02", {}),
        ("Panel", "2026-12-02", {}),
        ("Sports day", None, {"date-missing": "2026-12-02"}),
    ]
    assert [entry.where for entry in reading.entries] == ["Dates!A2", "Dates!A3", "Dates!A4", "Dates!B5"]


def test_a_title_of_merged_cells_is_that_of_all_their_rows() -> None:
    def fill(book, _day) -> None:
        sheet = book.add_worksheet("Dates")
        sheet.write_row(0, 0, ["Date", "Title"])
        sheet.merge_range(1, 1, 2, 1, "Forum")
        sheet.write(1, 0, "02.12.26")
        sheet.write(2, 0, "03.12.26")
        sheet.merge_range(3, 0, 3, 1, "Dates may change")

    reading = read_file("a.xlsx", workbook(fill))
    assert told(reading) == [("Forum", "2026-12-02", {}), ("Forum", "2026-12-03", {})]


@pytest.mark.parametrize("header", ["Date,Title", "When,Event"])
def test_a_date_that_is_typed_once_is_suggested_for_the_rows_below(header) -> None:
    reading = table(header, "2026-12-02,Forum", ",Circle", "TBC,Panel", "2026-12-03,Clinic", ",Workshop")
    assert told(reading) == [
        ("Forum", "2026-12-02", {}),
        ("Circle", None, {"date-missing": "2026-12-02"}),
        ("Panel", None, {"date-missing": None}),
        ("Clinic", "2026-12-03", {}),
        ("Workshop", None, {"date-missing": "2026-12-03"}),
    ]


def test_no_date_is_suggested_across_an_empty_row() -> None:
    reading = table("When,Event", "2026-12-02,Forum", ",", ",Circle")
    assert told(reading)[1:] == [("Circle", None, {"date-missing": None})]


def test_a_hidden_sheet_is_left_out_by_name() -> None:
    def fill(book, _day) -> None:
        for name, title in (("Dates", "Forum"), ("Old", "Circle"), ("Older", "Panel")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Date", "Title"])
            sheet.write_row(1, 0, ["02.12.26", title])
            if name == "Old":
                sheet.hide()
            if name == "Older":
                sheet.very_hidden()

    reading = read_file("a.xlsx", workbook(fill))
    assert told(reading) == [("Forum", "2026-12-02", {})]
    assert [(problem.code, problem.message) for problem in reading.problems] == [
        (
            "sheet-left-out",
            "The sheet “Old” is hidden and was left out. Show it in your spreadsheet program to read it.",
        ),
        (
            "sheet-left-out",
            "The sheet “Older” is hidden and was left out. Show it in your spreadsheet program to read it.",
        ),
    ]


@pytest.mark.parametrize("name", ["Panel", "Which panel"])
def test_the_first_words_of_a_row_name_both_its_dates(name) -> None:
    reading = table(f"{name},Closing date,Panel date", "LHNF Panel 1,02/12/2026,16/12/2026")
    assert [(entry.title, entry.to_json()["date"], entry.kind, entry.visibility) for entry in reading.entries] == [
        ("LHNF Panel 1 Closing date", "2026-12-02", "deadline", None),
        ("LHNF Panel 1", "2026-12-16", "session", "team"),
    ]


WEEK_ONE, WEEK_TWO, WEEK_THREE = date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21)


def test_weeks_that_are_typed_as_dates_above_their_entries_are_weeks() -> None:
    def fill(book, day) -> None:
        sheet = book.add_worksheet("Plan")
        sheet.write_row(0, 0, ["Half term 1", "Half term 2"])
        sheet.write_datetime(1, 0, WEEK_ONE, day)
        sheet.write(2, 0, "08.09.26 Forum\n15.09.26 Circle\nCensus")
        sheet.write_datetime(3, 0, WEEK_TWO, day)
        sheet.write(4, 0, "15.09.26 Panel\n25.09.26 Clinic")
        sheet.write_datetime(1, 1, date(2026, 11, 2), day)
        sheet.write(2, 1, "10.11.26 Workshop")

    assert told(read_file("plan.xlsx", workbook(fill))) == [
        ("Forum", "2026-09-08", {}),
        ("Circle", "2026-09-15", {"date-outside-week": None}),
        ("Census", None, {"date-missing": "2026-09-07"}),
        ("Panel", "2026-09-15", {}),
        ("Clinic", "2026-09-25", {"date-outside-week": None}),
        ("Workshop", "2026-11-10", {"date-outside-week": None}),
    ]


@pytest.mark.parametrize("weeks", [["W/B 14.09.26\n15.09.26 Panel"], []])
def test_a_planner_with_one_or_two_weeks_is_read(weeks) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["W/B 07.09.26\n08.09.26 Forum\nCensus"], *([week] for week in weeks)])
    reading = read_file("plan.csv", out.getvalue().encode())
    assert reading.layout == "grid"
    assert told(reading) == [
        ("Forum", "2026-09-08", {}),
        ("Census", None, {"date-missing": "2026-09-07"}),
        *([("Panel", "2026-09-15", {})] * len(weeks)),
    ]


def test_a_sheet_with_a_week_in_a_sentence_is_no_planner() -> None:
    with pytest.raises(Unreadable, match="There is no calendar in this file"):
        table("Name,Colour", "Ada,we start w/b 07.09.26", "W/B is short for week beginning,")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_csv_in_sixteen_bits_with_its_mark_is_read(encoding) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    data = f"{mark}Date,Title\r\n2026-12-02,Café forum\r\n".encode(encoding)
    assert told(read_file("a.csv", data)) == [("Café forum", "2026-12-02", {})]


@pytest.mark.parametrize("name", list(grown.books()))
def test_a_workbook_that_grows_ends_in_a_sentence_and_its_reader_alone_ends(name: str) -> None:
    """Read in this process, most of them would end it."""
    with pytest.raises((Unreadable, Refused)) as refused:
        apart(read_file, f"{name}.xlsx", grown.books()[name])
    assert str(refused.value).endswith((".", "?"))


def test_what_is_longer_than_two_hundred_letters_names_no_column() -> None:
    header = "Date,Event,{}"
    assert [entry.venue for entry in table(header.format("Venue" + " x" * 90), "2026-12-02,Forum,Hall").entries] == [
        "Hall"
    ]
    assert [entry.venue for entry in table(header.format("Venue" + " x" * 99), "2026-12-02,Forum,Hall").entries] == [
        None
    ]
