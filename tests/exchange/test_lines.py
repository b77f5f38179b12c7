"""Dates and lines as people type them: several dates, short years, a time before its words."""

from datetime import date

import pytest

from booking.exchange.reading.dates import find_dates
from booking.exchange.reading.lines import Place, read_line

NEAR = date(2026, 11, 30)


def days(text: str, near: date | None = NEAR) -> list[str | None]:
    return [found.day.isoformat() if found.day else None for found in find_dates(text, near=near)]


def without_dates(text: str) -> str:
    for found in reversed(find_dates(text, near=NEAR)):
        text = text[: found.start] + " " + text[found.end :]
    return " ".join(text.split())


SECOND, THIRD, FOURTH = "2026-12-02", "2026-12-03", "2026-12-04"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2 & 3 December 2026", [SECOND, THIRD]),
        ("2, 3 and 4 December 2026", [SECOND, THIRD, FOURTH]),
        ("2, 3, and 4 December 2026", [SECOND, THIRD, FOURTH]),
        ("2-4 December 2026", [SECOND, THIRD, FOURTH]),
        ("2 – 4 December 2026", [SECOND, THIRD, FOURTH]),
        ("2 to 4 December 2026", [SECOND, THIRD, FOURTH]),
        ("2nd and 3rd Dec", [SECOND, THIRD]),
        ("2/3 December", [SECOND, THIRD]),
        ("Wed 2 & Thu 3 December", [SECOND, THIRD]),
        ("Wed-Fri 2-4 December", [SECOND, THIRD, FOURTH]),
        ("2 and 4 December", [SECOND, FOURTH]),
        ("December 2 & 3", [SECOND, THIRD]),
        ("December 2-4, 2026", [SECOND, THIRD, FOURTH]),
        ("02/12/2026 and 03/12/2026", [SECOND, THIRD]),
        ("02/12 & 03/12/2026", [SECOND, THIRD]),
        ("02 & 03.12.26", [SECOND, THIRD]),
        ("02.12.26 - 04.12.26", [SECOND, THIRD, FOURTH]),
        ("30 November & 1 December 2026", ["2026-11-30", "2026-12-01"]),
        ("29 November - 2 December", ["2026-11-29", "2026-11-30", "2026-12-01", SECOND]),
        ("2-16 December", [SECOND, "2026-12-16"]),
        ("02.12.26/03.12.26", [SECOND, THIRD]),
        ("30 & 31 November 2026", ["2026-11-30", None]),
        ("w/c 2 & 9 December", ["2026-11-30", "2026-12-07"]),
        ("w/c 30 November - 4 December", ["2026-11-30"]),
        ("w/c 2-4 December", ["2026-11-30"]),
    ],
)
def test_each_day_that_is_named_is_found(text, found) -> None:
    assert days(text) == found
    assert without_dates(f"{text} Forum") == "Forum"


@pytest.mark.parametrize(
    ("text", "found", "rest"),
    [
        ("Workshop 2 3 December", [THIRD], "Workshop 2"),
        ("Workshop 2, 3 December", [THIRD], "Workshop 2,"),
        ("LHNF Panel 1 - 3 December", [THIRD], "LHNF Panel 1 -"),
        ("Workshop 4 - 3 December", [THIRD], "Workshop 4 -"),
        ("LHNF Panel 1-02.12.26", [SECOND], "LHNF Panel 1-"),
        ("Forum 10-11, 3 December", [THIRD], "Forum 10-11,"),
        ("Forum 9.30-10.30 3 December", [THIRD], "Forum 9.30-10.30"),
        ("3 December 9.30-10.30 Forum", [THIRD], "9.30-10.30 Forum"),
        ("6/7 transition", [], "6/7 transition"),
        ("Workshops 2, 3 and 4 December", [SECOND, THIRD, FOURTH], "Workshops"),
        ("Workshop 1, 3 and 4 December", [THIRD, FOURTH], "Workshop 1,"),
        ("Years 5 & 6 9 December", ["2026-12-09"], "Years 5 & 6"),
        ("Years 5-6 forum", [], "Years 5-6 forum"),
        ("9.30-10.30 Training", [], "9.30-10.30 Training"),
        ("Dec 2, 10 places", [SECOND], ", 10 places"),
        ("Dec 2 and 3pm", [SECOND], "and 3pm"),
    ],
)
def test_numbers_beside_a_date_are_not_always_dates(text, found, rest) -> None:
    assert (days(text), without_dates(text)) == (found, rest)


def test_days_of_a_list_take_the_year_of_the_last_where_nothing_else_gives_one() -> None:
    assert days("30 December, 31 December and 2 January 2027", None) == ["2026-12-30", "2026-12-31", "2027-01-02"]
    assert days("2, 3 and 4 December 2026", None) == [SECOND, THIRD, FOURTH]


def test_each_weekday_stands_with_its_day() -> None:
    said = {text: [found.weekday for found in find_dates(text, near=NEAR)] for text in WEEKDAYS_BESIDE}
    assert said == WEEKDAYS_BESIDE


WEEKDAYS_BESIDE = {
    "Wed 2 & Thu 3 December": [2, 3],
    "Wed & Thu 2 & 3 December": [2, 3],
    "Wed-Fri 2-4 December": [2, None, 4],
    "Wednesdays 2 & 9 December": [2, 2],
    "2 & 3 December (Wed & Thu)": [2, 3],
    "Wed 2 - Fri 4 December": [2, None, 4],
    "2 and 3 December": [None, None],
}


@pytest.mark.parametrize(
    ("text", "near", "found"),
    [
        ("Wed 2nd Dec 26", NEAR, SECOND),
        ("Wed 2nd Dec 26", None, SECOND),
        ("2 Dec 26: Forum", None, SECOND),
        ("2 December '26 Forum", None, SECOND),
        ("2 Dec 26 Forum 2pm", NEAR, SECOND),
        ("2 Dec 26 1.30pm Forum", NEAR, SECOND),
        ("2 Dec 25 Forum", NEAR, "2025-12-02"),
        ("2-Dec-26 Forum", NEAR, SECOND),
        ("02/Dec/2026 Forum", None, SECOND),
        ("2 Dec 9.30am", NEAR, SECOND),
        ("2 Dec 10-11am", date(2010, 12, 1), "2010-12-02"),
        ("2 Dec 10-11am", NEAR, SECOND),
        ("2 Dec 26 places", NEAR, SECOND),
        ("Dec 2 2pm", NEAR, SECOND),
        ("2 Dec 40 Forum", NEAR, SECOND),
        ("2 Dec 40 Forum", None, None),
        ("2 Dec 11.30 Forum", date(2011, 12, 1), "2011-12-02"),
    ],
)
def test_a_short_year_after_a_month_is_told_from_times_and_numbers(text, near, found) -> None:
    assert days(text, near) == [found]


@pytest.mark.parametrize(
    "text", ["2 Dec 26 places", "2 Dec 20 minutes", "2 Dec 10am", "2 Dec 11.30 Forum", "2 Dec 12-1pm"]
)
def test_what_is_no_year_stays_in_the_words(text) -> None:
    assert without_dates(text) == text.removeprefix("2 Dec ")


WEEK = Place("B3", date(2026, 9, 28), date(2027, 2, 1))


def told(text: str, place: Place = WEEK) -> list[tuple[str, str | None, str | None]]:
    return [
        (entry.title, entry.date and entry.date.isoformat(), entry.start and f"{entry.start:%H:%M}")
        for entry in read_line(text, place)
    ]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (
            "29.09.26: Forum 2pm and 30.09.26: Circle 1.30pm",
            [("Forum", "2026-09-29", "14:00"), ("Circle", "2026-09-30", "13:30")],
        ),
        (
            "29.09.26: Forum 2pm, 30.09.26: Circle",
            [("Forum", "2026-09-29", "14:00"), ("Circle", "2026-09-30", None)],
        ),
        (
            "Closing date 29.09.26 and panel 01.10.26 2pm",
            [("Closing date", "2026-09-29", None), ("panel", "2026-10-01", "14:00")],
        ),
        (
            "Forum 29.09.26 2pm and Circle 30.09.26 3pm",
            [("Forum", "2026-09-29", "14:00"), ("Circle", "2026-09-30", "15:00")],
        ),
        (
            "SENCo forums: 29.09.26 primary and 30.09.26 early years",
            [("SENCo forums: primary", "2026-09-29", None), ("SENCo forums: early years", "2026-09-30", None)],
        ),
        (
            "Forum 29.09.26 2pm and 30.09.26 1.30pm",
            [("Forum", "2026-09-29", "14:00"), ("Forum", "2026-09-30", "13:30")],
        ),
        (
            "30.09.26 and 01.10.26: Forum 2pm",
            [("Forum", "2026-09-30", "14:00"), ("Forum", "2026-10-01", "14:00")],
        ),
        (
            "Forum 30.09.26 & 01.10.26 2pm",
            [("Forum", "2026-09-30", "14:00"), ("Forum", "2026-10-01", "14:00")],
        ),
        (
            "29 & 30 September: Forum 2pm; 1 October: Circle",
            [("Forum", "2026-09-29", "14:00"), ("Forum", "2026-09-30", "14:00"), ("Circle", "2026-10-01", None)],
        ),
        (
            "01.10.26 Papers for 30.09.26 board",
            [("Papers for board", "2026-10-01", None), ("Papers for board", "2026-09-30", None)],
        ),
    ],
)
def test_dates_with_words_of_their_own_are_entries_of_their_own(text, entries) -> None:
    assert told(text) == entries
    assert {entry.text for entry in read_line(text, WEEK)} == {text}


@pytest.mark.parametrize(
    ("text", "title", "start", "kind"),
    [
        ("By noon on 4 December: forms due", "forms due", "12:00", "deadline"),
        ("By 5pm on Friday 4th December: LHNF forms", "LHNF forms", "17:00", "deadline"),
        ("LHNF forms by 4 December", "LHNF forms", None, "deadline"),
        ("4 December: LHNF forms by noon", "LHNF forms", "12:00", "deadline"),
        ("Forum on 4 December at 2pm", "Forum", "14:00", "session"),
        ("Friday 4 December: Forum", "Forum", None, "session"),
        ("From 4 December: Transition support", "Transition support", None, "milestone"),
        ("4 December: Workshop led by 2 SENCos", "Workshop led by 2 SENCos", None, "session"),
    ],
)
def test_a_date_among_words_leaves_a_tidy_title(text, title, start, kind) -> None:
    (entry,) = read_line(text, WEEK)
    said = (entry.title, entry.start and f"{entry.start:%H:%M}", entry.kind, entry.date)
    assert said == (title, start, kind, date(2026, 12, 4))


@pytest.mark.parametrize(
    "text", ["Tues 9.30am Forum", "Tues: Forum 9.30am", "Tues 29th Forum 9.30am", "Forum (Tues) 9.30am"]
)
def test_a_weekday_alone_suggests_its_day_of_the_week(text) -> None:
    (entry,) = read_line(text, WEEK)
    assert (entry.title, entry.date, entry.suggested_date) == ("Forum", None, date(2026, 9, 29))
