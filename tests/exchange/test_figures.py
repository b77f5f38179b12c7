"""Day and month in figures, footnotes and weekdays: what is a date, what is a title, what is neither."""

import csv
import io

import pytest

from booking.exchange.reading import Context, Reading, read_file

HALF_TERMS = ["Half term 1", "Half term 2", "Half term 3"]
NATIVE = "Date,Start,End,Title,Category,Venue,Audience,Places,Per school,Closes,Kind,Visibility"


def read_cell(*lines: str) -> Reading:
    out = io.StringIO()
    cell = "\n".join(["W/B 07.09.26", *lines])
    csv.writer(out).writerows([["Calendar 2026-27"], HALF_TERMS, [cell], ["W/B 14.09.26"], ["W/B 21.09.26"]])
    return read_file("plan.csv", out.getvalue().encode(), Context())


def table(*lines: str, **context) -> Reading:
    return read_file("dates.csv", "\n".join(lines).encode(), Context(**context))


def told(reading: Reading) -> list[tuple[str, str | None]]:
    return [(entry.title, entry.to_json()["date"]) for entry in reading.entries]


def codes(reading: Reading) -> list[dict[str, str | None]]:
    remarks = {"time-missing", "unknown-category"}
    return [
        {issue.code: issue.suggestion for issue in entry.issues if issue.code not in remarks}
        for entry in reading.entries
    ]


@pytest.mark.parametrize(
    ("line", "title", "day", "start"),
    [
        ("10/9 Coffee morning 10am", "Coffee morning", "2026-09-10", "10:00"),
        ("10/09 Coffee morning 10am", "Coffee morning", "2026-09-10", "10:00"),
        ("10.9 Coffee morning 10am", "Coffee morning", "2026-09-10", "10:00"),
        ("10.09 Coffee morning 10am", "Coffee morning", "2026-09-10", "10:00"),
        ("10/9: Coffee morning 10am", "Coffee morning", "2026-09-10", "10:00"),
        ("10/9 10am Coffee morning", "Coffee morning", "2026-09-10", "10:00"),
        ("Thu 10/9 Coffee morning", "Coffee morning", "2026-09-10", None),
        ("Coffee morning Thu 10/9", "Coffee morning", "2026-09-10", None),
        ("Coffee on 10/9", "Coffee", "2026-09-10", None),
        ("8/9 Forum", "Forum", "2026-09-08", None),
        ("Closing date by noon 25/9", "Closing date", "2026-09-25", "12:00"),
        ("Closing date 25/9 noon", "Closing date", "2026-09-25", "12:00"),
        ("Forum (10/9) 2pm", "Forum", "2026-09-10", "14:00"),
        ("w/c 14/9 Census", "Census", "2026-09-14", None),
        ("Forms by 25/9", "Forms", "2026-09-25", None),
    ],
)
def test_day_and_month_in_figures_near_their_week_are_a_date(line, title, day, start) -> None:
    (entry,) = read_cell(line).entries
    found = entry.to_json()
    assert (found["title"], found["date"], found["start"]) == (title, day, start)


def test_two_days_in_figures_are_two_entries() -> None:
    assert told(read_cell("8/9 & 10/9 Forum")) == [("Forum", "2026-09-08"), ("Forum", "2026-09-10")]


@pytest.mark.parametrize(
    "title",
    ["6/7 transition", "8/9 transition", "Years 8/9 forum", "6/7 Forum", "Forum 1/2", "8/10 Forum", "Scored 8/9 Forum"],
)
def test_figures_that_are_no_day_of_about_that_week_stay_in_the_title(title) -> None:
    reading = read_cell(title)
    assert (told(reading), codes(reading)) == ([(title, None)], [{"date-missing": "2026-09-07"}])


@pytest.mark.parametrize("line", ["9.10-10.10 Forum", "9.10am Forum", "9.10 - 10.10 Forum"])
def test_times_at_the_start_of_a_line_are_no_dates(line) -> None:
    reading = read_cell(line)
    assert [(entry.title, entry.date, f"{entry.start:%H:%M}") for entry in reading.entries] == [
        ("Forum", None, "09:10")
    ]


@pytest.mark.parametrize("header", ["Date,Title", "When,Event"])
@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("13/11", "2026-11-13"),
        ("13.11", "2026-11-13"),
        ("3/2", "2027-02-03"),
        ("Fri 13/11", "2026-11-13"),
        ("13/11 9.30am", "2026-11-13"),
        ("2026/11/13", "2026-11-13"),
        ("2026.11.13", "2026-11-13"),
        ("31/11", None),
    ],
)
def test_day_and_month_in_a_column_of_dates_are_a_date(header, cell, day) -> None:
    reading = table(header, f"{cell},Forum 10am", year=2026)
    assert [entry.to_json()["date"] for entry in reading.entries] == [day]
    assert codes(reading) == ([{}] if day and "9.30" not in cell else codes(reading))


def test_day_and_month_in_a_column_of_dates_may_be_two_days() -> None:
    assert told(table("When,Event", "13/11 & 14/11,Forum", year=2026)) == [
        ("Forum", "2026-11-13"),
        ("Forum", "2026-11-14"),
    ]


def test_years_six_and_seven_in_a_column_of_dates_are_no_date() -> None:
    assert told(table("When,Event,Place", "2026-12-02,Forum,Hall", "6/7 transition,,")) == [
        ("Forum", "2026-12-02"),
        ("6/7 transition", None),
    ]


NOTES = [
    "¹ venue to follow",
    "Key: red = closed",
    "Footnote: please book",
    "NB dates may change",
    "N.B. dates may change",
    "Note: bring lunch",
    "All dates subject to change",
    "TBC",
    "n/a",
    "-",
]


@pytest.mark.parametrize("note", NOTES)
def test_a_footnote_in_a_week_is_no_entry(note) -> None:
    reading = read_cell("08.09.26 Forum 9am", note)
    assert (told(reading), reading.problems) == ([("Forum", "2026-09-08")], [])


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("row", ["{},", ",{}"])
@pytest.mark.parametrize("header", ["Date,Title", "When,Event"])
def test_a_footnote_below_a_table_is_no_entry(header, row, note) -> None:
    reading = table(header, "2026-12-02,Forum", row.format(note))
    assert (told(reading), reading.problems) == ([("Forum", "2026-12-02")], [])


@pytest.mark.parametrize(
    "line", ["NB 09.09.26 Forum", "Key stage 2 forum", "Notes workshop", "All dates day", "Forum TBC", "Notebook day"]
)
def test_words_that_only_look_like_a_footnote_are_an_entry(line) -> None:
    assert len(read_cell(line).entries) == 1


@pytest.mark.parametrize(
    "line",
    [
        "Coffee morning Thurs 10am",
        "Coffee morning 10am Thurs",
        "Coffee morning 10am on Thursday",
        "Coffee morning on Thursday at 10am",
        "Coffee morning - Thursday 10am",
        "Coffee morning Thurs 10am (Oak Suite)",
        "Coffee morning Thurs 10am at Oak Suite",
    ],
)
def test_a_weekday_beside_a_time_or_at_the_end_is_no_part_of_the_title(line) -> None:
    reading = read_cell(line)
    assert (told(reading), codes(reading)) == ([("Coffee morning", None)], [{"date-missing": "2026-09-10"}])


@pytest.mark.parametrize("header", ["Date,Title", "When,Event"])
@pytest.mark.parametrize(
    ("title", "left", "issues"),
    [
        ("Forum Thurs 10am", "Forum", {}),
        ("Forum Fri 10am", "Forum", {"weekday-mismatch": "2026-09-11"}),
        ("Forum Thursday", "Forum", {}),
        ("Friday forum", "Friday forum", {}),
        ("Friday forum 10am", "Friday forum", {}),
        ("Fri Workshop", "Fri Workshop", {}),
        ("Good Friday", "Good Friday", {}),
        ("Bank holiday Monday", "Bank holiday Monday", {}),
        ("Forum every Friday", "Forum every Friday", {}),
        ("Fun in the sun", "Fun in the sun", {}),
        ("Friday", "Friday", {}),
    ],
)
def test_a_weekday_that_is_a_name_stays_in_the_title(header, title, left, issues) -> None:
    reading = table(header, f"2026-09-10,{title}")
    assert (told(reading), codes(reading)) == ([(left, "2026-09-10")], [issues])


def test_a_week_and_a_date_on_one_line_are_one_entry() -> None:
    reading = read_file(
        "plan.csv", b"Half term 1,Half term 2\nW/B 07.09.26 08.09.26 Forum 9am,\nW/B 14.09.26,\n", Context()
    )
    assert (told(reading), codes(reading)) == ([("Forum", "2026-09-08")], [{}])
    assert reading.entries[0].text == "W/B 07.09.26 08.09.26 Forum 9am"


def test_a_week_in_figures_is_the_week_of_its_cell() -> None:
    reading = read_file("plan.csv", b'Plan 2026-27\nHalf term 1,Half term 2\n"W/B 7/9\n8/9 Forum\n15/9 Circle",\n')
    assert told(reading) == [("Forum", "2026-09-08"), ("Circle", "2026-09-15")]
    assert codes(reading) == [{}, {"date-outside-week": None}]


@pytest.mark.parametrize("week", ["W.C. 2 December 2026", "W.C 2 December 2026", "w.b. 2 December 2026"])
def test_a_week_with_full_stops_is_a_week(week) -> None:
    reading = table("When,Event", f"{week},Census")
    assert (told(reading), codes(reading)) == ([("Census", "2026-11-30")], [{"date-approximate": None}])


def test_thousands_of_spaces_after_a_time_take_no_time() -> None:
    (entry,) = read_cell(f"08.09.26 Forum 10am{' ' * 30_000}x").entries
    assert entry.title == "Forum x"
