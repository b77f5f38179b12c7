"""Spreadsheets as people type them. The golden file was read by a person, line by line, beside the sheet."""

import io
import json
import zipfile
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from booking.calendar.terms import HalfTerm
from booking.exchange.reading import Context, Unreadable, read_file
from booking.exchange.reading.lines import Place, read_line
from booking.exchange.reading.times import find_time

DATA = Path(__file__).parents[1] / "data"
YEAR = "dspl2-annual-calendar-2023-24"
KEYS = [
    "text",
    "where",
    "title",
    "date",
    "start",
    "end",
    "kind",
    "category",
    "venue",
    "audience",
    "capacity",
    "visibility",
    "issues",
]


def read(name: str, context: Context = Context()):  # noqa: B008
    return read_file(name, (DATA / name).read_bytes(), context)


def codes(entry) -> dict[str, str | None]:
    return {issue.code: issue.suggestion for issue in entry.issues}


def csv_file(*lines: str, name: str = "dates.csv", **context):
    return read_file(name, "\n".join(lines).encode(), Context(**context)).entries


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_the_real_year_is_read_as_a_person_reads_it(ending: str) -> None:
    reading = read(f"{YEAR}.{ending}")
    found = [
        [
            entry.to_json()["where"].removeprefix("2023-24!"),
            *(
                entry.to_json()[key]
                for key in ("title", "date", "start", "end", "kind", "category", "venue", "audience")
            ),
            codes(entry),
        ]
        for entry in reading.entries
    ]
    assert found == json.loads((DATA / "real-year-read.json").read_text("utf-8"))
    assert (reading.layout, len(found), reading.problems) == ("grid", 82, [])


def test_the_json_has_the_fields_of_the_contract() -> None:
    reading = read(f"{YEAR}.xlsx").to_json()
    assert list(reading) == ["file", "layout", "entries", "problems"]
    assert {tuple(entry) for entry in reading["entries"]} == {tuple(KEYS)}
    assert reading["entries"][0] == {
        "text": "04.09.23: Closing date for LHNF panel 1",
        "where": "2023-24!B3",
        "title": "Closing date for LHNF panel 1",
        "date": "2023-09-04",
        "start": None,
        "end": None,
        "kind": "deadline",
        "category": "High needs funding (LHNF)",
        "venue": None,
        "audience": [],
        "capacity": None,
        "visibility": None,
        "issues": [],
    }


def test_panels_with_printed_weekdays_are_two_entries_a_row_and_the_wrong_weekday_is_told() -> None:
    entries = read("lhnf-panels-area7.csv").entries
    assert (len(entries), {entry.kind for entry in entries}) == (36, {"session", "deadline"})
    wrong = [
        (entry.date.isoformat(), codes(entry)["weekday-mismatch"])
        for entry in entries
        if "weekday-mismatch" in codes(entry)
    ]
    assert wrong == [("2023-11-07", "2023-11-09")]
    assert {entry.start for entry in entries if entry.kind == "deadline"} == {time(17, 0)}


def test_a_leaflet_as_a_table_gives_times_and_venues() -> None:
    entry = read("solution-circles-2023-24.csv").entries[0]
    assert (entry.date, entry.start, entry.end, entry.title) == (
        date(2023, 10, 18),
        time(13, 30),
        time(15, 0),
        "Solution Circle",
    )
    assert entry.venue.startswith("The Oak Suite, Peartree")


@pytest.mark.parametrize(
    ("text", "start", "end", "rest"),
    [
        ("Forum 9.30am", "09:30", None, "Forum"),
        ("Board 130-3pm", "13:30", "15:00", "Board"),
        ("Forum 1pm- 2pm", "13:00", "14:00", "Forum"),
        ("9.30-10.30 Training", "09:30", "10:30", "Training"),
        ("Workshop 4.3.30pm", "15:30", None, "Workshop 4"),
        ("Workshop 13.30pm", None, None, "Workshop"),
        ("Returns by noon", "12:00", None, "Returns"),
        ("Due by 5pm", "17:00", None, "Due"),
        ("Circle 1:30-3.00pm", "13:30", "15:00", "Circle"),
        ("Clinic 11am to 1pm", "11:00", "13:00", "Clinic"),
        ("Clinic 10-1pm", "10:00", "13:00", "Clinic"),
        ("Meeting 2.15", "14:15", None, "Meeting"),
        ("Meeting 16:00", "16:00", None, "Meeting"),
    ],
)
def test_times_as_people_type_them(text, start, end, rest) -> None:
    found = find_time(text)
    assert found is not None
    said = [f"{at:%H:%M}" if at else None for at in (found.start, found.end)]
    assert (*said, " ".join(found.rest.split())) == (start, end, rest)
    assert found.ambiguous == (start is None)


@pytest.mark.parametrize("text", ["Years 5-6 forum", "Panel 4", "6/7 transition", "Group 1", "2023-24 plan"])
def test_numbers_that_are_no_times(text) -> None:
    assert find_time(text) is None


WEEK = Place("B3", date(2024, 11, 4), date(2025, 2, 1))


@pytest.mark.parametrize(
    ("text", "title", "days", "issues"),
    [
        ("04.11.24: Forum 9am", "Forum", ["2024-11-04"], {}),
        ("Mon 4 Nov Forum 9am", "Forum", ["2024-11-04"], {}),
        ("Tuesday 5th November 2024 Forum 9am", "Forum", ["2024-11-05"], {}),
        ("4/11/2024 Forum (Tues) 9am", "Forum", ["2024-11-04"], {"weekday-mismatch": "2024-11-05"}),
        ("2024-11-06 Forum 9am", "Forum", ["2024-11-06"], {}),
        ("31.02.25 Forum 9am", "Forum", [None], {"date-impossible": None}),
        ("w/c 2 December Census", "Census", ["2024-12-02"], {"date-approximate": None}),
        ("6/7 Transition Support Begins", "6/7 Transition Support Begins", [None], {"date-missing": "2024-11-04"}),
        ("05.11.24 and 07.11.24 Clinic 9am", "Clinic", ["2024-11-05", "2024-11-07"], {}),
        ("05.11.24 Forum (1) at The Oak Suite 9am", "Forum (1)", ["2024-11-05"], {}),
    ],
)
def test_dates_as_people_type_them(text, title, days, issues) -> None:
    entries = read_line(text, WEEK)
    assert [entry.date.isoformat() if entry.date else None for entry in entries] == days
    assert {entry.title for entry in entries} == {title}
    assert codes(entries[0]) == issues


def test_holidays_are_told_where_terms_are_known() -> None:
    terms = [
        HalfTerm(2024, 1, date(2024, 9, 2), date(2024, 10, 25)),
        HalfTerm(2024, 2, date(2024, 11, 4), date(2024, 12, 20)),
    ]
    lines = ("Date,Time,Title", "28.10.24,9am,SENCo forum", "26.12.24,9am,SENCo forum", "05.11.24,9am,SENCo forum")
    assert [list(codes(entry)) for entry in csv_file(*lines, terms=terms)] == [["holiday"], ["holiday"], []]
    assert [list(codes(entry)) for entry in csv_file(*lines)] == [[], ["holiday"], []]


NATIVE = "Date,Start,End,Title,Category,Venue,Audience,Places,Per school,Closes,Kind,Visibility"


def test_our_own_table_is_read_whole() -> None:
    row = "2026-11-25,13:30,15:30,Forum,SENCo forum,Oak Suite,SENCos; Headteachers,30,2,2026-11-24 12:00,session,public"
    (entry,) = csv_file(NATIVE, row)
    assert entry.to_json() | {"text": ""} == {
        "text": "",
        "where": "A2",
        "title": "Forum",
        "date": "2026-11-25",
        "start": "13:30",
        "end": "15:30",
        "kind": "session",
        "category": "SENCo forum",
        "venue": "Oak Suite",
        "audience": ["SENCos", "Headteachers"],
        "capacity": 30,
        "visibility": "public",
        "issues": [],
    }
    assert (entry.per_school, f"{entry.closes:%Y-%m-%d %H:%M}") == (2, "2026-11-24 12:00")


def test_columns_may_be_missing_and_footnotes_are_no_entries() -> None:
    entries = csv_file("Date,Title", "2026-11-25,SENCo forum", ",* dates may change", ",Sports day")
    assert [(entry.title, list(codes(entry))) for entry in entries] == [
        ("SENCo forum", ["time-missing"]),
        ("Sports day", ["date-missing", "time-missing", "unknown-category"]),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-11-25,25:00,,Forum,,,,,,,,", "Row 2: “25:00” under Start is not a time"),
        ("2026-11-25,14:00,13:00,Forum,,,,,,,,", "Row 2: the end 13:00 is not after the start 14:00"),
        ("2026-11-25,,,Forum,,,,lots,,,,", "Row 2: “lots” under Places is not a whole number"),
        ("2026-11-25,,,Forum,,,,,,,party,", "Row 2: “party” under Kind is none of session, deadline, milestone"),
        ("2026-11-25,,,Forum,,,,,,,,world", "Row 2: “world” under Visibility is none of public, staff, team"),
        ("2026-11-25,,,,Cat,,,,,,,", "Row 2: there is a date and no title"),
        ("2026-11-25,,,Forum,,,,,,soon,,", "Row 2: “soon” under Closes is not a date"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number_and_the_reason(row, reason) -> None:
    with pytest.raises(Unreadable) as refused:
        csv_file(NATIVE, row)
    assert str(refused.value).startswith(reason)


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * 210_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"", "The file is empty"),
        ("a.xls", b"abc", "A .xls file cannot be read"),
        ("a.pdf", b"%PDF", "A .pdf file cannot be read"),
        ("a.xlsx", b"PK not really", "This is not a spreadsheet"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "The file is protected by a password"),
        ("a.csv", b"Name,Colour\nAda,red\n", "There is no calendar in this file"),
        ("a.csv", b"a\0b,c\n", "This is not a CSV file"),
        # Named: its bytes say when it was packed, and every test process has to call a test the same.
        pytest.param("a.xlsx", zip_bomb(), "The file unpacks to more than 20 MB", id="zip bomb"),
    ],
)
def test_what_is_no_calendar_is_refused_in_a_sentence(name, data, reason) -> None:
    with pytest.raises(Unreadable) as refused:
        read_file(name, data)
    assert str(refused.value).startswith(reason)


def test_typed_days_and_times_of_a_workbook_are_read() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Dates")
        for column, name in enumerate(("Date", "Start", "Title")):
            sheet.write(0, column, name)
        sheet.write_datetime(1, 0, date(2026, 11, 25), book.add_format({"num_format": "dd/mm/yyyy"}))
        sheet.write_datetime(1, 1, time(9, 30), book.add_format({"num_format": "hh:mm"}))
        sheet.write(1, 2, "Forum")
    (entry,) = read_file("a.xlsx", out.getvalue()).entries
    assert (entry.where, entry.date, entry.start, entry.title) == ("Dates!A2", date(2026, 11, 25), time(9, 30), "Forum")


def test_windows_letters_and_semicolons_are_read() -> None:
    (entry,) = read_file("a.csv", "Date;Title;Venue\n25.11.2026;Café – été;Hall\n".encode("cp1252")).entries
    assert entry.title == "Café – été"


def test_a_cell_far_out_is_refused_before_it_takes_the_memory() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Date", "Title"])
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(Unreadable, match="row 1048576 and column 16384"):
        read_file("a.xlsx", out.getvalue())


@pytest.mark.parametrize("day", ["9999-12-31", "31.12.9999", "0204-03-01", "1.1.2151"])
def test_a_year_that_no_calendar_is_about_is_no_date(day) -> None:
    (entry,) = csv_file("Date,Title", f"{day},Policy review")
    assert (entry.date, list(codes(entry))[0]) == (None, "date-impossible")


def test_dates_typed_as_dates_far_away_and_null_characters_do_no_harm() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Date", "Title"])
        sheet.write_datetime(1, 0, datetime(9999, 12, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write(1, 1, "Policy review")
        sheet.write(2, 0, "2026-11-25")
        sheet.write(2, 1, "Fo_x0000_rum")
    far, odd = read_file("a.xlsx", out.getvalue()).entries
    assert (far.date, list(codes(far))[0]) == (None, "date-impossible")
    assert "\0" not in odd.title


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.xlsx", "a"]))
def test_any_bytes_are_read_or_refused(data, name) -> None:
    with suppress(Unreadable):  # any other exception fails the test
        assert read_file(name, data).layout in {"grid", "table", "native"}


words = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)


@given(st.lists(st.lists(words, min_size=1, max_size=4), min_size=1, max_size=6))
def test_any_grid_of_words_gives_entries_that_can_be_found_in_their_cells(grid) -> None:
    out = io.StringIO()
    import csv

    csv.writer(out).writerows([["Date", "Title", "Time"], *grid, ["W/B 04.11.24"], ["W/B 11.11.24"], ["W/B 18.11.24"]])
    try:
        reading = read_file("a.csv", out.getvalue().encode("utf-8", "replace"))
    except Unreadable:
        return
    for entry in reading.entries:
        assert entry.title
        assert entry.where[0].isalpha()


@given(st.dates(date(2024, 11, 4), date(2024, 11, 8)), st.integers(1, 9))
def test_a_typed_date_in_its_week_is_read_back(day, number) -> None:
    cell = f'"W/B 04.11.24\n{day:%d.%m.%y}: SENCo forum ({number}) 9.30am"'
    lines = ("Half term 1,Half term 2", cell, "W/B 11.11.24", "W/B 18.11.24")
    (entry,) = csv_file(*lines)
    assert (entry.date, entry.title, entry.start, codes(entry)) == (day, f"SENCo forum ({number})", time(9, 30), {})
