"""Tables as people keep them: years left out, two days in a cell, times anywhere, footnotes, columns of all names."""

import io
import json
import re
from datetime import date, datetime, time
from itertools import product
from pathlib import Path

import pytest
import xlsxwriter
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from booking.calendar.terms import school_year_of
from booking.core.clock import today
from booking.exchange.reading import Context, Reading, Unreadable, read_file
from tests.databases import make_app
from tests.factories import make_area

NATIVE = "Date,Start,End,Title,Category,Venue,Audience,Places,Per school,Closes,Kind,Visibility"
SECOND, THIRD, FOURTH = "2026-12-02", "2026-12-03", "2026-12-04"


def table(*lines: str, name: str = "dates.csv", **context) -> Reading:
    return read_file(name, "\n".join(lines).encode(), Context(**context))


def only(*lines: str, **context) -> dict:
    (entry,) = table(*lines, **context).entries
    return entry.to_json()


def days(reading: Reading) -> list[str | None]:
    return [entry.to_json()["date"] for entry in reading.entries]


def titles(reading: Reading) -> list[str]:
    return [entry.title for entry in reading.entries]


def codes(entry: dict) -> dict[str, str | None]:
    return {issue["code"]: issue["suggestion"] for issue in entry["issues"]}


def alarms(reading: Reading) -> list[list[str]]:
    remarks = {"time-missing", "unknown-category"}
    return [[issue.code for issue in entry.issues if issue.code not in remarks] for entry in reading.entries]


def times(entry: dict) -> tuple[str | None, str | None]:
    return entry["start"], entry["end"]


def workbook(rows: list[list[object]], *names: str) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheets = [book.add_worksheet(name) for name in names or ["Dates"]]
        formats = {
            datetime: book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
            date: book.add_format({"num_format": "dd/mm/yyyy"}),
            time: book.add_format({"num_format": "hh:mm"}),
        }
        for sheet, (number, row) in product(sheets, enumerate(rows)):
            for column, value in enumerate(row):
                if type(value) in formats:
                    sheet.write_datetime(number, column, value, formats[type(value)])
                else:
                    sheet.write(number, column, value)
    return out.getvalue()


# Years that are left out

DECEMBER_AND_MARCH = ("2 December,SENCo forum,Oak Suite", "3 March,SENCo forum,Oak Suite")


@pytest.mark.parametrize("header", ["Date,Title,Venue", "When,Event,Place"])
@pytest.mark.parametrize(
    "above",
    ["Dates 2026-27,,", "2026/27 dates,,", "DSPL2 2026-2027,,", "Dates 26/27,,", "Autumn term 2026,,", "Spring 2027,,"],
)
def test_a_year_that_is_left_out_is_that_of_the_row_above_the_table(above, header) -> None:
    assert days(table(above, header, *DECEMBER_AND_MARCH, year=2020)) == [SECOND, "2027-03-03"]


@pytest.mark.parametrize("name", ["2026-27", "26-27", "Dates 2026-27"])
def test_a_year_that_is_left_out_is_that_of_the_name_of_the_sheet(name) -> None:
    rows = [["Date", "Title"], ["2 December", "SENCo forum"], ["3 March", "SENCo forum"]]
    assert days(read_file("a.xlsx", workbook(rows, name), Context(year=2020))) == [SECOND, "2027-03-03"]


def test_a_year_that_is_left_out_is_that_of_the_name_of_the_file_where_no_row_says_one() -> None:
    assert days(table("Date,Title", "2 December,Forum", name="dates-2026-27.csv", year=2020)) == [SECOND]


def test_a_year_that_is_left_out_is_the_school_year_of_the_other_rows() -> None:
    rows = ("Date,Title", "30.09.26,Forum", "2 December,Forum", "3 March,Forum", "14.07.27,Forum")
    assert days(table(*rows, year=2020)) == ["2026-09-30", SECOND, "2027-03-03", "2027-07-14"]


@pytest.mark.parametrize("header", ["Date,Title,Venue", "When,Event,Place"])
def test_a_year_that_is_left_out_everywhere_is_the_school_year_that_is_known(header) -> None:
    rows = (*DECEMBER_AND_MARCH, "1 September,SENCo forum,", "20 July,SENCo forum,")
    assert days(table(header, *rows, year=2026)) == [SECOND, "2027-03-03", "2026-09-01", "2027-07-20"]


def test_a_date_without_a_year_asks_for_it_where_no_year_is_known() -> None:
    assert codes(only("Date,Title,Venue", "2 December,Forum,Oak Suite")) == {
        "date-missing": None,
        "time-missing": None,
        "unknown-category": None,
    }


def test_a_leap_day_of_a_school_year_without_one_is_impossible() -> None:
    reading = table("Date,Title", "29 February,Forum", "29 February 2028,Forum", year=2026, name="2026-27.csv")
    assert (days(reading), alarms(reading)) == ([None, "2028-02-29"], [["date-impossible"], []])


def test_each_part_of_a_sheet_has_its_own_year() -> None:
    lines = ("When,Event", "2026-27,", "2 December,Forum", "2027-28,", "2 December,Forum")
    assert days(table(*lines)) == [SECOND, "2027-12-02"]


def dry_run(app: Flask, file: Path) -> list[str | None]:
    result = app.test_cli_runner().invoke(args=["calendar", "import", str(file), "--dry-run", "--json"])
    return [entry["date"] for entry in json.loads(result.stdout)["entries"]]


@pytest.mark.parametrize("has_area", [True, False])
def test_the_command_takes_the_school_year_of_today(app: Flask, tmp_path: Path, has_area: bool) -> None:
    (tmp_path / "dates.csv").write_text("Date,Title\n2 December,Forum\n3 March,Forum\n")
    if has_area:
        with app.app_context():
            make_area()
    year = school_year_of(today())
    assert dry_run(app, tmp_path / "dates.csv") == [f"{year}-12-02", f"{year + 1}-03-03"]


def test_the_command_takes_the_school_year_of_today_without_a_database(tmp_path: Path) -> None:
    (tmp_path / "dates.csv").write_text("Date,Title\n2 December,Forum\n")
    app = make_app("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert dry_run(app, tmp_path / "dates.csv") == [f"{school_year_of(today())}-12-02"]


# Several days in a cell


@pytest.mark.parametrize("header", ["Date,Title,Venue", "When,Event,Place"])
@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("02/12/2026 and 03/12/2026", [SECOND, THIRD]),
        ('"02/12/2026\n03/12/2026"', [SECOND, THIRD]),
        ("2 & 3 December 2026", [SECOND, THIRD]),
        ("2-4 December 2026", [SECOND, THIRD, FOURTH]),
    ],
)
def test_each_day_of_a_cell_is_an_entry(header, cell, found) -> None:
    reading = table(header, f"{cell},SENCo forum,Oak Suite")
    assert (days(reading), set(titles(reading)), alarms(reading)) == (found, {"SENCo forum"}, [[]] * len(found))
    assert {entry.where for entry in reading.entries} == {"A2"}


@pytest.mark.parametrize("header", ["Date,Title,Venue", "When,Event,Place"])
def test_each_day_of_a_cell_has_its_own_time_or_that_of_the_cell(header) -> None:
    own = table(header, '"02/12/2026 9.30am\n03/12/2026 2pm",SENCo forum,')
    shared = table(header, "02/12/2026 and 03/12/2026 9.30-11am,SENCo forum,")
    assert [times(entry.to_json()) for entry in own.entries] == [("09:30", None), ("14:00", None)]
    assert [times(entry.to_json()) for entry in shared.entries] == [("09:30", "11:00")] * 2


def test_one_impossible_day_of_two_is_told() -> None:
    reading = table("Date,Title,Venue", "02/12/2026 and 31/11/2026,SENCo forum,Oak Suite")
    assert (days(reading), alarms(reading)) == ([SECOND, None], [[], ["date-impossible"]])


def test_a_first_and_a_last_date_are_a_range() -> None:
    header = "Start date,Start time,End date,End time,Subject,Location"
    reading = table(
        header,
        "02/12/2026,09:30,02/12/2026,11:00,SENCo forum,Oak Suite",
        "02/12/2026,09:30,04/12/2026,11:00,SEND conference,Oak Suite",
    )
    assert days(reading) == [SECOND, SECOND, THIRD, FOURTH]
    assert {times(entry.to_json()) for entry in reading.entries} == {("09:30", "11:00")}
    assert {entry.kind for entry in reading.entries} == {"session"}


# Times anywhere


@pytest.mark.parametrize("header", ["Date,Title,Venue", "When,Event,Place"])
@pytest.mark.parametrize(
    ("cell", "title", "found", "left"),
    [
        ("2026-12-02", "Coffee morning 10am", ("10:00", None), "Coffee morning"),
        ("2026-12-02", "Coffee morning 9.30-11am", ("09:30", "11:00"), "Coffee morning"),
        ("2026-12-02", "Workshop 4.3.30pm", ("15:30", None), "Workshop 4"),
        ("2 December 2026 9.30-11am", "Coffee morning", ("09:30", "11:00"), "Coffee morning"),
        ("02/12/2026 13:30", "Coffee morning", ("13:30", None), "Coffee morning"),
        ("2026-12-02T13:30:00", "Coffee morning", ("13:30", None), "Coffee morning"),
        ("Wed 02/12/26 1.30pm", "Coffee morning", ("13:30", None), "Coffee morning"),
    ],
)
def test_a_time_is_read_in_the_title_and_beside_the_date(header, cell, title, found, left) -> None:
    entry = only(header, f"{cell},{title},Oak Suite")
    assert (entry["date"], times(entry), entry["title"], entry["kind"]) == (SECOND, found, left, "session")


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("SENCo forum 9.30am", "SENCo forum"),
        ("Report of the 2pm group", "Report of the 2pm group"),
        ("Workshop 13.30pm", "Workshop 13.30pm"),
    ],
)
@pytest.mark.parametrize("header", ["Date,Start,Title", "When,Time,Event"])
def test_a_time_of_a_column_wins_and_another_in_the_title_stays(header, title, left) -> None:
    entry = only(header, f"2026-12-02,9.30,{title}")
    assert (times(entry), entry["title"]) == (("09:30", None), left)


def test_a_day_with_a_time_in_a_workbook_keeps_its_time() -> None:
    rows = [["Date", "Event", "Place"], [datetime(2026, 12, 3, 13, 30), "Governors", "Oak Suite"]]
    (entry,) = read_file("a.xlsx", workbook(rows)).entries
    found = entry.to_json()
    assert (found["date"], times(found), found["kind"]) == (THIRD, ("13:30", None), "session")


@pytest.mark.parametrize("header", ["Date,Start,End,Title", "When,From,To,Event", "Date,Start time,Finish,Event"])
@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("01:30", "", ("13:30", None)),
        ("1:30", "3:00", ("13:30", "15:00")),
        ("9.30-11am", "", ("09:30", "11:00")),
        ("9:30 - 11:00", "", ("09:30", "11:00")),
        ("9.30", "3pm", ("09:30", "15:00")),
        ("7.30", "9pm", ("19:30", "21:00")),
        ("9", "11", ("09:00", "11:00")),
        ("0930", "1100", ("09:30", "11:00")),
        ("09:30:00", "11:00:00", ("09:30", "11:00")),
        ("13.30-15.00pm", "", ("13:30", "15:00")),
        ("10am - noon", "", ("10:00", "12:00")),
        ("noon", "2pm", ("12:00", "14:00")),
        ("9.3", "", ("09:30", None)),
        ("12:30", "1:30", ("12:30", "13:30")),
    ],
)
def test_times_under_start_and_end(header, start, end, found) -> None:
    assert times(only(header, f"2026-12-02,{start},{end},SENCo forum")) == found


@pytest.mark.parametrize("name", ["Time", "Times", "Time range", "Start", "Time of event", "Start/finish time"])
def test_a_range_in_one_column_is_a_start_and_an_end(name) -> None:
    entry = only(f"Date,{name},Event,Place", "2026-12-02,1:30-3.00,SENCo forum,Oak Suite")
    assert times(entry) == ("13:30", "15:00")


@pytest.mark.parametrize("header", [["Date", "Start", "End", "Title"], ["When", "From", "To", "Event"]])
def test_hours_one_to_six_of_a_workbook_are_afternoon(header) -> None:
    row = [date(2026, 12, 2), time(1, 30), time(3, 0), "SENCo forum"]
    (entry,) = read_file("a.xlsx", workbook([header, row])).entries
    assert times(entry.to_json()) == ("13:30", "15:00")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Date,Time,Event,Place", "2026-12-02,13.30pm,Workshop,Oak Suite"),
        ("When,Event,Place", "2026-12-02,Workshop 13.30pm,Oak Suite"),
        ("Date,Start,Title", "2026-12-02,13.30pm,Workshop"),
        ("Date,Title", "2026-12-02,Workshop 13.30pm"),
        ("Date,Title,Venue", "2026-12-02 13.30pm,Workshop,Oak Suite"),
    ],
)
def test_a_time_that_can_be_read_in_two_ways_has_a_suggestion(header, row) -> None:
    entry = only(header, row)
    assert (times(entry), codes(entry)) == ((None, None), {"time-ambiguous": "15:30"})


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("When,From,To,Event", "2026-12-02,14:00,13:00,SENCo forum"),
        ("When,From,To,Event", "2026-12-02,,13:00,SENCo forum"),
        ("When,From,To,Event", "2026-12-02,9.30-11am,12:00,SENCo forum"),
        ("When,Time,Event", "2026-12-02,25:00,SENCo forum"),
    ],
)
def test_times_of_other_tables_that_cannot_be_raise_an_alarm(header, row) -> None:
    assert alarms(table(header, row)) == [["time-ambiguous"]]


def test_thousands_of_spaces_take_no_time() -> None:
    entry = only("When,Time,Event", f"2026-12-02,9{' ' * 30_000}am,Forum 9{' ' * 30_000}x")
    assert times(entry) == ("09:00", None)


@pytest.mark.parametrize("said", ["TBC", "All day", "after school"])
def test_words_under_time_are_no_time_and_no_alarm(said) -> None:
    assert codes(only("When,Time,Event", f"2026-12-02,{said},SENCo forum")) == {"time-missing": None}


def test_a_closing_date_is_a_deadline_and_does_not_take_the_time_of_the_meeting() -> None:
    reading = table("Event,Date,Time,Closing date,Venue", "LHNF panel,02/12/2026,9.30am,20/11/2026,Oak Suite")
    assert [(entry.title, entry.kind, entry.to_json()["date"], entry.start) for entry in reading.entries] == [
        ("LHNF panel", "session", SECOND, time(9, 30)),
        ("LHNF panel", "deadline", "2026-11-20", None),
    ]


# Footnotes, headings and rows that lack something


@pytest.mark.parametrize("header", ["When,Event,Place", "Date,Title,Venue"])
@pytest.mark.parametrize(
    "row",
    [
        "* a footnote,,",
        "All dates may change.,,",
        "All dates may change,,",
        ",All dates may change.,",
        "*,Dates may change,",
        ",* a footnote,",
        "Autumn term,,",
        "December 2026,,",
        "Half term 2,,",
    ],
)
def test_a_footnote_and_a_heading_are_no_entries(header, row) -> None:
    reading = table(header, "2026-12-02,SENCo forum,Oak Suite", row)
    assert (titles(reading), reading.problems) == (["SENCo forum"], [])


@pytest.mark.parametrize("header", ["When,Event,Place", "Date,Title,Venue"])
@pytest.mark.parametrize(
    ("row", "title"),
    [
        ("6/7 transition,,", "6/7 transition"),
        (",Sports day,", "Sports day"),
        (",Sports day,Oak Suite", "Sports day"),
        ("TBC,Sports day,Oak Suite", "Sports day"),
        ("TBC,Bring your own lunch.,", "Bring your own lunch"),
    ],
)
def test_a_row_without_a_date_is_an_entry_that_asks_for_it(header, row, title) -> None:
    reading = table(header, "2026-12-02,SENCo forum,Oak Suite", row)
    assert (titles(reading), days(reading)) == (["SENCo forum", title], [SECOND, None])
    assert alarms(reading) == [[], ["date-missing"]]


def test_the_date_of_a_title_is_read_where_there_is_no_other() -> None:
    entry = only("When,Event,Place", ",SENCo forum 2 December 2026 9.30am,Oak Suite")
    assert (entry["date"], entry["title"], times(entry)) == (SECOND, "SENCo forum", ("09:30", None))


def test_the_same_date_and_a_weekday_in_brackets_are_taken_out_of_a_title() -> None:
    entry = only("When,Event,Place", "2026-12-02,02.12.26: SENCo forum (Thurs),Oak Suite")
    assert (entry["title"], codes(entry)) == ("SENCo forum", {"weekday-mismatch": THIRD, "time-missing": None})


def test_a_row_with_a_date_and_no_title_is_left_out_by_name() -> None:
    reading = table("When,Event,Place", "2026-12-02,SENCo forum,Oak Suite", "2026-12-03,,Oak Suite")
    assert titles(reading) == ["SENCo forum"]
    assert [problem.to_json() for problem in reading.problems] == [
        {
            "code": "row-left-out",
            "message": "Row 3: there is a date and no title. It was left out; fill in the title.",
            "suggestion": None,
        }
    ]


def test_a_title_without_words_is_none() -> None:
    reading = table("When,Event,Place", "2026-12-03,-,Hall")
    assert (reading.entries, [problem.code for problem in reading.problems]) == ([], ["row-left-out"])
    with pytest.raises(Unreadable, match=r"^Row 2: “-” is no title. Fill in the title.$"):
        table("Date,Title,Venue", "2026-12-03,-,Hall")


@pytest.mark.parametrize("header", ["When,Event,Place", "Date,Title,Venue"])
def test_a_title_that_is_no_more_than_a_time_stays_as_it_is(header) -> None:
    entry = only(header, "2026-12-03,10am,Hall")
    assert (entry["title"], times(entry)) == ("10am", ("10:00", None))


@pytest.mark.parametrize("row", ["TBC,,Hall", ",,Hall", "-,,Hall"])
def test_a_row_without_date_and_title_is_left_out_by_name(row) -> None:
    reading = table("When,Event,Place", row)
    assert [(problem.code, problem.message) for problem in reading.problems] == [
        ("row-left-out", "Row 2: there is neither a date nor a title. It was left out; fill them in.")
    ]
    assert reading.entries == []


def test_a_title_that_is_longer_than_can_be_kept_is_named() -> None:
    reading = table("When,Event", f"2026-12-03,{'x' * 201}")
    assert [problem.message for problem in reading.problems] == [
        "Row 2: the title has more than 200 letters. Only the first 200 can be kept."
    ]


def test_a_row_of_one_of_several_sheets_is_named_with_its_sheet() -> None:
    rows = [["When", "Event"], ["2026-12-02", ""], ["2026-12-03", "Forum"]]
    reading = read_file("a.xlsx", workbook(rows, "Autumn", "Spring"))
    assert [problem.message for problem in reading.problems] == [
        f"Row 2 of the sheet “{name}”: there is a date and no title. It was left out; fill in the title."
        for name in ("Autumn", "Spring")
    ]


def test_a_table_without_a_column_of_titles_finds_them_elsewhere() -> None:
    assert titles(table("Date,Thing,Venue", "2026-12-02,SENCo forum,Oak Suite")) == ["SENCo forum"]
    assert titles(table("Date,,Venue", "2026-12-02,SENCo forum,Oak Suite")) == ["SENCo forum"]
    assert titles(table("Date,Venue", "2 December 2026: SENCo forum,Oak Suite")) == ["SENCo forum"]
    assert titles(table("Date,Category,Venue", "2 December 2026,SENCo forum,Oak Suite")) == ["SENCo forum"]


def test_a_head_that_stands_again_is_no_entry() -> None:
    lines = ("When,Event", "2026-12-02,Forum", "When,Event", "2026-12-03,Forum")
    assert days(table(*lines)) == [SECOND, THIRD]


def test_the_row_that_names_most_columns_is_the_head() -> None:
    assert titles(table("Our dates,for you,", "Dates,Event,Place", "2026-12-02,Forum,Hall")) == ["Forum"]


def test_a_provisional_date_is_not_certain() -> None:
    reading = table("When,Event", "2 December 2026 (TBC),SENCo forum")
    assert (days(reading), alarms(reading)) == ([SECOND], [["date-approximate"]])


def test_a_column_of_weekdays_is_not_one_of_dates() -> None:
    reading = table("Day,Date,Event", "Wednesday,2026-12-02,SENCo forum", "Wed,2026-12-03,SENCo forum")
    assert (days(reading), alarms(reading)) == ([SECOND, THIRD], [[], ["weekday-mismatch"]])


# Our own table refuses what cannot be


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "2026-12-02,,,Forum,,,,0,,,,",
            "Row 2: “0” under Places is not a whole number from 1. Leave it empty for no limit.",
        ),
        (
            "2026-12-02,,,Forum,,,,,0,,,",
            "Row 2: “0” under Per school is not a whole number from 1. Leave it empty for no limit.",
        ),
        ("2026-12-02,9:30,,Forum,,,,,,2026-12-03,,", "Row 2: bookings close on 03.12.2026, after the day 02.12.2026."),
        (
            "2026-12-02,9:30,,Forum,,,,,,2026-12-02 10:00,,",
            "Row 2: bookings close at 10:00 on the day, after the start 09:30.",
        ),
        (
            "2026-12-02,,,Forum,,,,,,2026-12-03 09:00,,",
            "Row 2: bookings close on 03.12.2026, after the day 02.12.2026.",
        ),
        (
            "2 & 3 December 2026,9:30,,Forum,,,,,,2026-12-03 09:00,,",
            "Row 2: bookings close on 03.12.2026, after the day 02.12.2026.",
        ),
        ("2026-12-02,9.30-11am,12:00,Forum,,,,,,,,", "Row 2: the end 12:00 is not that of “9.30-11am” under Start."),
        ("2026-12-02,,11:00,Forum,,,,,,,,", "Row 2: there is an end and no start. Fill in the start."),
        (",,,,SENCo forum,Oak Suite,,,,,,", "Row 2: there is no title. Fill in the title."),
    ],
)
def test_a_row_of_our_table_that_cannot_be_is_refused(row, reason) -> None:
    with pytest.raises(Unreadable) as refused:
        table(NATIVE, row)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("closes", "found"),
    [
        ("2026-12-02 09:30", "2026-12-02 09:30"),
        ("2026-12-02", "2026-12-02 09:30"),
        ("2026-12-01", "2026-12-01 12:00"),
        ("1 December 2026 by 5pm", "2026-12-01 17:00"),
        ("1 December", "2026-12-01 12:00"),
    ],
)
def test_bookings_close_by_the_start(closes, found) -> None:
    (entry,) = table(NATIVE, f"2026-12-02,9:30,,Forum,,,,,,{closes},,").entries
    assert f"{entry.closes:%Y-%m-%d %H:%M}" == found


def test_a_closing_time_of_a_workbook_is_kept() -> None:
    rows = [["Date", "Title", "Closes"], [date(2026, 12, 2), "Forum", datetime(2026, 11, 20, 9, 0)]]
    (entry,) = read_file("a.xlsx", workbook(rows)).entries
    assert (entry.closes, entry.closes_has_time) == (datetime(2026, 11, 20, 9, 0), True)


# Columns of all names


@pytest.mark.parametrize(
    "venue", ["Venue", "Location", "Room", "Host", "Where", "Place", "Venue/location", "Host school"]
)
def test_a_place_is_read_whatever_its_column_is_called(venue) -> None:
    assert only(f"When,Event,{venue}", "2026-12-02,Forum,Oak Suite")["venue"] == "Oak Suite"


def test_a_room_in_a_school_is_both() -> None:
    entry = only("When,Event,Venue,Room,Host", "2026-12-02,Forum,Peartree School,Oak Suite,Jo Smith")
    assert entry["venue"] == "Peartree School, Oak Suite"


def test_another_place_in_the_title_stays() -> None:
    entry = only("When,Event,Venue", "2026-12-02,Forum (Elm Room),Peartree School")
    assert (entry["title"], entry["venue"]) == ("Forum (Elm Room)", "Peartree School")


@pytest.mark.parametrize("header", ["When,Event", "Date,Title"])
def test_the_place_in_a_title_is_read_where_no_column_gives_one(header) -> None:
    entry = only(header, "2026-12-02,Forum (Oak Suite) 9.30am")
    assert (entry["title"], entry["venue"]) == ("Forum", "Oak Suite")


@pytest.mark.parametrize("name", ["Places", "Capacity", "Max", "Max places", "Maximum number", "Number of places"])
@pytest.mark.parametrize(
    ("said", "found"), [("30", 30), ("30 places", 30), ("max. 30", 30), ("", None), ("no limit", None)]
)
def test_places_are_read_whatever_their_column_is_called(name, said, found) -> None:
    reading = table(f"When,Event,{name}", f"2026-12-02,Forum,{said}")
    assert ([entry.capacity for entry in reading.entries], reading.problems) == ([found], [])


NO_PLACES = "Row 2: “{}” under Capacity is not a whole number from 1. Leave it empty for no limit. It was left out."


@pytest.mark.parametrize("said", ["0", "lots"])
def test_places_that_are_no_number_are_named(said) -> None:
    reading = table("When,Event,Capacity", f"2026-12-02,Forum,{said}")
    assert [(problem.code, problem.message) for problem in reading.problems] == [
        (
            "value-left-out",
            NO_PLACES.format(said),
        )
    ]
    assert [entry.capacity for entry in reading.entries] == [None]


@pytest.mark.parametrize("name", ["Category", "Type", "Kind", "Event type", "Type of event"])
def test_a_category_is_read_whatever_its_column_is_called(name) -> None:
    assert only(f"When,Event,{name}", "2026-12-02,Autumn,SENCo forum")["category"] == "SENCo forum"


@pytest.mark.parametrize("name", ["Audience", "Who for", "Who is it for?", "For", "Target audience"])
def test_an_audience_is_read_whatever_its_column_is_called(name) -> None:
    lines = (f"When,Event,{name}", "2026-12-02,Forum,SENCos; Headteachers", "2026-12-03,Forum,Everyone")
    assert [entry.audience for entry in table(*lines).entries] == [["SENCos", "Headteachers"], []]


def test_a_column_more_than_our_own_loses_none_of_ours() -> None:
    reading = table(
        f"{NATIVE},Notes",
        "2026-12-02,13:30,15:30,Census,Returns,Oak Suite,SENCos; Headteachers,30,2,2026-12-01 12:00,milestone,staff,x",
        "2026-12-03,9:30,,Forum,SENCo forum,,,,,soon,party,world,",
    )
    first, second = reading.entries
    assert reading.layout == "table"
    assert first.to_json() | {"text": ""} == {
        "text": "",
        "where": "A2",
        "title": "Census",
        "date": SECOND,
        "start": "13:30",
        "end": "15:30",
        "kind": "milestone",
        "category": "Returns",
        "venue": "Oak Suite",
        "audience": ["SENCos", "Headteachers"],
        "capacity": 30,
        "visibility": "staff",
        "issues": [
            {
                "code": "unknown-category",
                "message": "There is no kind of event called “Returns” yet.",
                "suggestion": None,
            }
        ],
    }
    assert (first.per_school, first.closes) == (2, datetime(2026, 12, 1, 12, 0))
    # Who may see it is not clear: it is not shown to others.
    assert (second.kind, second.visibility, second.closes) == ("session", "team", None)
    assert [problem.message for problem in reading.problems] == [
        "Row 3: “party” under Kind is none of session, deadline, milestone. It was left out.",
        "Row 3: “world” under Visibility is none of public, staff, team. It is for the team only.",
        "Row 3: “soon” under Closes is not a date. Write it like 2026-11-20 12:00. It was left out.",
    ]


@pytest.mark.parametrize("name", ["Deadline", "Due", "Return by", "Due date", "Deadline for replies"])
def test_a_column_of_deadlines_is_one_of_dates(name) -> None:
    entry = only(f"Event,{name}", "SENCo survey,20/11/2026")
    assert (entry["title"], entry["date"], entry["kind"]) == ("SENCo survey", "2026-11-20", "deadline")


@pytest.mark.parametrize("name", ["Date added", "Last updated date", "Date booked"])
def test_the_date_of_an_entry_in_a_list_is_not_that_of_the_event(name) -> None:
    assert days(table(f"{name},When,Event", "2026-09-01,2026-12-02,Forum")) == [SECOND]


def test_the_words_of_a_row_are_all_kept() -> None:
    assert only("When,Event,Notes", "2026-12-02,Forum,Bring lunch,and a pen")["text"] == (
        "2026-12-02 | Forum | Bring lunch | and a pen"
    )


# Whatever is typed, no row with a title is lost

word = st.text("abcdefghijkl ", min_size=1, max_size=12).map(str.strip).filter(bool).map(lambda text: f"x{text}")
date_cell = st.one_of(
    st.just(""),
    st.sampled_from(
        ["TBC", "* TBC", "31/02/2026", "2 & 3 December 2026", "2-4 December", "w/c 2 December", "02/12/2026 13:30"]
    ),
    st.dates(date(2026, 9, 1), date(2027, 7, 20)).map(lambda day: f"{day:%d.%m.%y}"),
    word,
)
other_cell = st.one_of(
    st.just(""), st.sampled_from(["0", "9.30-11am", "25:00", "01:30", "team", "*", "2026-12-02"]), word
)
names = st.lists(
    st.sampled_from(
        [
            "Start",
            "End",
            "Time",
            "Venue",
            "Places",
            "Kind",
            "Closes",
            "Visibility",
            "Who for",
            "Notes",
            "Day",
            "End date",
            "Date",
            "",
        ]
    ),
    max_size=4,
)


@given(names, st.lists(st.tuples(date_cell, word, st.lists(other_cell, max_size=4)), min_size=1, max_size=4))
def test_every_row_with_a_title_is_an_entry_or_is_named(columns, rows) -> None:
    header = ",".join(["Date", "Title", *columns])
    lines = [",".join([day, title, *others]) for day, title, others in rows]
    named, refusal = "", ""
    read: set[str] = set()
    try:
        reading = table(header, *lines, year=2026)
        read = {entry.where.lstrip("ABCDEFGH") for entry in reading.entries}
        named = " ".join(problem.message for problem in reading.problems)
    except Unreadable as refused:
        refusal = str(refused)
    lost = [number for number in range(2, len(rows) + 2) if str(number) not in read and f"Row {number}:" not in named]
    assert lost == [] or re.match(r"Row \d+: ", refusal)


@given(st.dates(date(2026, 9, 1), date(2027, 7, 20)), st.booleans())
def test_a_day_without_its_year_is_read_back_within_the_school_year(day, is_native) -> None:
    header = "Date,Title" if is_native else "When,Event"
    assert days(table(header, f"{day.day} {day:%B},Forum", year=2026)) == [day.isoformat()]
