"""The year planner as a spreadsheet: which sheets are one, the week of each cell, and nothing lost."""

import csv
import io
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from booking.exchange.reading import Context, Reading, read_file
from booking.exchange.reading.notes import is_footnote

HALF_TERMS = ["Half term 1", "Half term 2", "Half term 3"]
OTHER_WEEKS = ["W/B 14.09.26", "W/B 21.09.26", "W/B 28.09.26"]


def read_rows(*rows: list[str], **context: object) -> Reading:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return read_file("plan.csv", out.getvalue().encode(), Context(**context))


def read_cell(*lines: str) -> Reading:
    return read_rows(["Calendar 2026-27"], HALF_TERMS, ["\n".join(lines)], *([week] for week in OTHER_WEEKS))


def told(reading: Reading) -> list[tuple[str, str | None, dict[str, str | None]]]:
    """Return title, date and alarms of each entry."""
    return [
        (
            entry.title,
            entry.date.isoformat() if entry.date else None,
            {issue.code: issue.suggestion for issue in entry.issues if issue.code.startswith("date-")},
        )
        for entry in reading.entries
    ]


def problems(reading: Reading) -> list[tuple[str, str]]:
    return [(problem.code, problem.message) for problem in reading.problems]


@pytest.mark.parametrize("header", [["Date", "Title", "Venue"], ["Date", "Event", "Where"], ["When", "What", "Where"]])
def test_a_table_with_weeks_in_its_column_of_dates_is_a_table(header: list[str]) -> None:
    weeks = [[f"w/c {day}.9.26", f"Forum {day}", "Oak Suite"] for day in (7, 14, 21)]
    reading = read_rows(header, *weeks, ["30.09.26", "Panel", "Oak Suite"])
    assert reading.layout in {"table", "native"}
    assert told(reading) == [
        ("Forum 7", "2026-09-07", {"date-approximate": None}),
        ("Forum 14", "2026-09-14", {"date-approximate": None}),
        ("Forum 21", "2026-09-21", {"date-approximate": None}),
        ("Panel", "2026-09-30", {}),
    ]


def test_our_own_table_with_weeks_for_dates_is_ours() -> None:
    reading = read_rows(
        ["Date", "Title", "Kind"],
        *([f"w/c {day}.9.26", f"Forum {day}", "session"] for day in (7, 14, 21)),
    )
    assert (reading.layout, [entry.title for entry in reading.entries]) == (
        "native",
        ["Forum 7", "Forum 14", "Forum 21"],
    )


def test_a_table_with_a_column_of_weeks_beside_that_of_dates_is_a_table() -> None:
    weeks = (
        ("W/B 7.9.26", "08.09.26", "Forum"),
        ("W/B 14.9.26", "15.09.26", "Circle"),
        ("W/B 21.9.26", "22.09.26", "Panel"),
    )
    reading = read_rows(["Week", "Date", "Title"], *map(list, weeks))
    assert (reading.layout, [entry.title for entry in reading.entries]) == ("table", ["Forum", "Circle", "Panel"])


def test_weeks_in_a_first_column_beside_key_dates_are_a_grid() -> None:
    reading = read_rows(
        ["Week", "Key dates", "Training"],
        ["W/B 7.9.26", "08.09.26: Closing date for panel 1\n09.09.26: Census", "10.09.26 Workshop 1 3.30pm"],
        ["W/B 14.9.26", "", ""],
        ["W/B 21.9.26", "22.09.26: Panel 1", ""],
    )
    assert reading.layout == "grid"
    assert [title for title, _, _ in told(reading)] == ["Closing date for panel 1", "Census", "Panel 1", "Workshop 1"]


@pytest.mark.parametrize("name", ["Date", "Week beginning", "Week"])
def test_half_terms_across_beside_a_column_of_dates_are_a_grid(name: str) -> None:
    reading = read_rows([name, "Half term 1", "Half term 2"], ["07/09/2026", "Forum", "Circle"])
    assert (reading.layout, told(reading)) == (
        "grid",
        [("Forum", None, {"date-missing": "2026-09-07"}), ("Circle", None, {"date-missing": "2026-09-07"})],
    )


def test_weeks_beside_each_column_of_events_are_those_of_its_rows() -> None:
    reading = read_rows(
        ["Week", "W/B", "Events", "W/B", "Events"],
        ["1", "07/09/2026", "08.09.26 Forum\nCensus", "02/11/2026", "10.11.26 Circle"],
    )
    assert (reading.layout, told(reading)) == (
        "grid",
        [
            ("Forum", "2026-09-08", {}),
            ("Census", None, {"date-missing": "2026-09-07"}),
            ("Circle", "2026-11-10", {"date-outside-week": None}),
        ],
    )


def test_a_list_with_a_column_of_weeks_and_one_of_titles_is_a_table() -> None:
    rows = [[f"W/C {day:02}/09/2026", "Forum", "Oak Suite"] for day in (7, 14, 21)]
    reading = read_rows(["Week commencing", "Event", "Venue"], *rows)
    assert (reading.layout, [(entry.title, entry.venue) for entry in reading.entries]) == (
        "table",
        [("Forum", "Oak Suite")] * 3,
    )


def test_a_week_among_the_lines_of_a_cell_is_an_entry_and_no_new_head() -> None:
    reading = read_cell("W/B 07.09.26", "08.09.26: Forum", "w/c 2 December Census", "10.09.26: Circle")
    assert told(reading) == [
        ("Forum", "2026-09-08", {}),
        ("Census", "2026-11-30", {"date-approximate": None, "date-outside-week": None}),
        ("Circle", "2026-09-10", {}),
    ]


def test_words_beside_the_week_of_a_cell_are_an_entry_of_that_week() -> None:
    reading = read_cell("W/B 07.09.26 - Book scrutiny", "08.09.26: Forum")
    assert told(reading) == [("Book scrutiny", "2026-09-07", {"date-approximate": None}), ("Forum", "2026-09-08", {})]
    assert reading.entries[0].text == "W/B 07.09.26 - Book scrutiny"


@pytest.mark.parametrize(
    "head", ["W/B 07.09.26", "W/B 07/09.26", "Week 2\nW/B 07.09.26", "***W/B 7 September (week 2)"]
)
def test_a_head_alone_is_no_entry(head: str) -> None:
    reading = read_cell(head, "08.09.26: Forum", "Census")
    assert told(reading) == [("Forum", "2026-09-08", {}), ("Census", None, {"date-missing": "2026-09-07"})]
    assert reading.problems == []


def test_two_weeks_in_one_cell_are_two_heads() -> None:
    reading = read_cell("W/B 31.08.26", "Forum", "W/B 07.09.26", "Circle")
    assert told(reading) == [
        ("Forum", None, {"date-missing": "2026-08-31"}),
        ("Circle", None, {"date-missing": "2026-09-07"}),
    ]


def test_half_terms_and_footnotes_are_no_entries() -> None:
    reading = read_cell("W/B 07.09.26", "HALF TERM", "* dates may change", "*** school closed on 8.9.26")
    assert (told(reading), reading.problems) == ([], [])


def test_a_star_before_a_date_in_a_week_is_a_bullet() -> None:
    assert told(read_cell("W/B 07.09.26", "* 08.09.26: Forum 9am")) == [("Forum", "2026-09-08", {})]


def test_what_begins_with_a_half_term_is_read() -> None:
    reading = read_cell("W/B 07.09.26", "Half term 1 review 08.09.26")
    assert told(reading) == [("Half term 1 review", "2026-09-08", {})]


@pytest.mark.parametrize("week", ["04/09/2026", "w/b 4.9.26", "Fri 4 Sept 2026", "2026-09-04"])
def test_a_week_in_a_first_column_is_that_of_its_row(week: str) -> None:
    reading = read_rows(
        ["Week beginning", "Primary", "Early years"],
        [week, "02.09.26 Forum 9am\nCensus", "09.09.26 Circle"],
        ["w/b 7.9.26", "", "Panel"],
    )
    assert reading.layout == "grid"
    assert told(reading) == [
        ("Forum", "2026-09-02", {}),
        ("Census", None, {"date-missing": "2026-08-31"}),
        ("Circle", "2026-09-09", {"date-outside-week": None}),
        ("Panel", None, {"date-missing": "2026-09-07"}),
    ]
    assert reading.problems == []


def test_typed_dates_at_the_left_of_each_half_term_are_its_weeks() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Plan")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, ["Half term 1", "", "Half term 2", ""])
        sheet.write_datetime(1, 0, date(2026, 9, 7), day)
        sheet.write(1, 1, "Census\n15.09.26 Forum")
        sheet.write_datetime(1, 2, date(2026, 11, 2), day)
        sheet.write(1, 3, "03.11.26 Circle\n10.10.26 Panel")
    reading = read_file("plan.xlsx", out.getvalue())
    assert told(reading) == [
        ("Census", None, {"date-missing": "2026-09-07"}),
        ("Forum", "2026-09-15", {"date-outside-week": None}),
        ("Circle", "2026-11-03", {}),
        ("Panel", "2026-10-10", {"date-outside-week": None}),
    ]
    assert [entry.where for entry in reading.entries] == ["Plan!B2", "Plan!B2", "Plan!D2", "Plan!D2"]


def test_further_rows_of_a_week_belong_to_it() -> None:
    reading = read_rows(
        ["Week beginning", "Primary"],
        ["W/B 07.09.26", "Forum"],
        ["", "Circle"],
        ["W/B 14.09.26", "Panel"],
        ["", ""],
        ["", "Key: dates may change"],
    )
    assert told(reading) == [
        ("Forum", None, {"date-missing": "2026-09-07"}),
        ("Circle", None, {"date-missing": "2026-09-07"}),
        ("Panel", None, {"date-missing": "2026-09-14"}),
    ]
    assert problems(reading) == [
        (
            "line-left-out",
            "“Key: dates may change” in B6 stands in no week and does not begin with a date, so it was left out.",
        )
    ]


def test_weekdays_across_suggest_their_day() -> None:
    reading = read_rows(
        ["Week beginning", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
        ["07/09/2026", "", "Forum 9am", "", "10.09.26 Panel", "Friday coffee morning"],
    )
    assert told(reading) == [
        ("Forum", None, {"date-missing": "2026-09-08"}),
        ("Panel", "2026-09-10", {}),
        ("Friday coffee morning", None, {"date-missing": "2026-09-11"}),
    ]


def test_weeks_across_are_those_of_the_cells_under_them() -> None:
    reading = read_rows(
        ["", "W/B 07.09.26", "W/B 14.09.26", "W/B 21.09.26"],
        ["Primary", "Forum", "21.09.26 Circle", ""],
        ["Early years", "", "", "Panel"],
    )
    assert told(reading) == [
        ("Forum", None, {"date-missing": "2026-09-07"}),
        ("Circle", "2026-09-21", {"date-outside-week": None}),
        ("Panel", None, {"date-missing": "2026-09-21"}),
    ]
    assert reading.problems == []


def test_a_week_of_another_half_term_is_not_that_of_a_cell_without_one() -> None:
    reading = read_rows(HALF_TERMS, ["W/B 07.09.26", "Inset", "W/B 04.01.27"], ["", "W/B 09.11.26", "03.02.27 Forum"])
    assert told(reading) == [("Forum", "2027-02-03", {})]
    assert problems(reading) == [
        ("line-left-out", "“Inset” in B2 stands in no week and does not begin with a date, so it was left out.")
    ]


def test_a_line_without_words_and_a_week_without_a_date_are_told() -> None:
    reading = read_cell("W/B tbc", "08.09.26", "09.09.26: 2pm")
    assert (told(reading), problems(reading)) == (
        [],
        [
            ("week-unreadable", "“W/B tbc” in A3 names no week that can be read. Write it like W/B 07.09.26."),
            ("line-left-out", "“08.09.26” in A3 has no words that could be a title, so it was left out."),
            ("line-left-out", "“09.09.26: 2pm” in A3 has no words that could be a title, so it was left out."),
        ],
    )


def test_a_day_on_a_line_of_its_own_is_suggested_for_the_lines_under_it() -> None:
    reading = read_cell(
        "W/B 07.09.26", "Tues 8 Sept", "Forum 9am", "Wednesday", "Circle", "Thursday:", "11.09.26 Panel"
    )
    assert told(reading) == [
        ("Forum", None, {"date-missing": "2026-09-08"}),
        ("Circle", None, {"date-missing": "2026-09-09"}),
        ("Panel", "2026-09-11", {}),
    ]
    assert problems(reading) == [
        ("line-left-out", "“Thursday:” in A3 has no words that could be a title, so it was left out.")
    ]


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
pieces = st.one_of(
    words,
    st.sampled_from(
        ["08.09.26:", "2 & 3 December", "w/c 7 Sept", "9.30am", "Forum", "6/7", "W/B", "and", "by noon", "Week"]
    ),
    st.dates(date(2026, 9, 1), date(2027, 7, 20)).map(lambda day: f"{day:%d.%m.%y}"),
)
lines = st.lists(pieces, min_size=1, max_size=5).map(" ".join)


@given(st.lists(lines, min_size=1, max_size=5), st.booleans())
def test_no_line_of_a_week_is_lost(typed: list[str], at_the_left: bool) -> None:
    cell = [f"Ω{number} {line}" for number, line in enumerate(typed)]
    if at_the_left:
        rows = [["Week beginning", "Primary"], ["07/09/2026", "\n".join(cell)]]
        reading = read_rows(*rows, *([week] for week in OTHER_WEEKS))
    else:
        reading = read_cell("W/B 07.09.26", *cell)
    for line in cell:
        assert any(entry.text == line for entry in reading.entries) or any(
            f"“{line}”" in problem.message for problem in reading.problems
        )


@given(st.lists(lines, min_size=1, max_size=4))
def test_no_line_of_a_cell_is_lost_whatever_it_begins_with(typed: list[str]) -> None:
    reading = read_cell("W/B 07.09.26", *typed)
    said = [entry.text for entry in reading.entries] + [problem.message for problem in reading.problems]
    for line in typed:
        if not (line.startswith("*") or is_footnote(line)) and any(word in line for word in ("Forum", "noon")):
            assert any(line in text for text in said)
