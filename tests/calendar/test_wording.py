"""How dates, times and numbers are said."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from booking.calendar import wording

MONDAY = date(2024, 3, 25)

SAID = [
    (wording.say_time, (None,), ""),
    (wording.say_time, (time(0, 0),), "midnight"),
    (wording.say_time, (time(0, 5),), "12.05am"),
    (wording.say_time, (time(9, 0),), "9am"),
    (wording.say_time, (time(11, 59),), "11.59am"),
    (wording.say_time, (time(12, 0),), "12 noon"),
    (wording.say_time, (time(12, 30),), "12.30pm"),
    (wording.say_time, (time(13, 30),), "1.30pm"),
    (wording.say_time, (time(23, 59),), "11.59pm"),
    (wording.say_times, (time(13, 0), time(14, 0)), "1pm to 2pm"),
    (wording.say_times, (time(11, 30), time(12, 0)), "11.30am to 12 noon"),
    (wording.say_times, (time(0, 0), time(1, 0)), "midnight to 1am"),
    (wording.say_times, (time(13, 0), None), "1pm"),
    (wording.say_times, (None, None), ""),
    (wording.say_weekday, (MONDAY,), "Monday"),
    (wording.say_weekday, (date(2024, 2, 29),), "Thursday"),
    (wording.say_month, (MONDAY,), "March 2024"),
    (wording.say_day, (MONDAY,), "Monday 25 March 2024"),
    (wording.say_day, (date(2024, 12, 1),), "Sunday 1 December 2024"),
    (wording.say_day_month, (MONDAY,), "25 March"),
    (wording.say_day_short, (MONDAY,), "Mon 25 March"),
    (wording.say_date, (MONDAY,), "Monday 25 March 2024"),
    (wording.say_date, (MONDAY, MONDAY), "Monday 25 March 2024"),
    (wording.say_date, (MONDAY, date(2024, 3, 27)), "Monday 25 to Wednesday 27 March 2024"),
    (wording.say_date, (MONDAY, date(2024, 4, 2)), "Monday 25 March to Tuesday 2 April 2024"),
    (wording.say_date, (MONDAY, date(2025, 3, 27)), "Monday 25 March 2024 to Thursday 27 March 2025"),
    (wording.say_instant, (datetime(2024, 3, 21, 12, 0, tzinfo=UTC),), "Thursday 21 March, 12 noon"),
    (wording.say_instant, (datetime(2024, 7, 21, 12, 0, 59, tzinfo=UTC),), "Sunday 21 July, 1pm"),  # summer time
    (wording.say_instant, (datetime(2024, 7, 21, 23, 0, tzinfo=UTC),), "Monday 22 July, midnight"),
    (wording.say_instant, (datetime(2024, 3, 31, 0, 59, tzinfo=UTC),), "Sunday 31 March, 12.59am"),
    (wording.say_instant, (datetime(2024, 3, 31, 1, 0, tzinfo=UTC),), "Sunday 31 March, 2am"),  # the clocks jump
    (wording.say_closing, (datetime(2024, 7, 21, 12, 0, tzinfo=UTC),), "Sunday 21 July, 1pm"),
    (wording.say_closing, (datetime(2024, 7, 21, 23, 0, tzinfo=UTC),), "at the end of Sunday 21 July"),
    (wording.say_instant_short, (datetime(2024, 3, 21, 12, 0, tzinfo=UTC),), "Thu 21 March, 12 noon"),
    (wording.say_instant_short, (datetime(2024, 10, 27, 1, 30, 5, tzinfo=UTC),), "Sun 27 October, 1.30am"),
    (wording.say_count, (0, "place"), "no places"),
    (wording.say_count, (1, "place"), "1 place"),
    (wording.say_count, (2, "place"), "2 places"),
    (wording.say_count, (1, "person", "people"), "1 person"),
    (wording.say_count, (0, "person", "people"), "no people"),
    (wording.say_count, (1000, "person", "people"), "1000 people"),
    (wording.say_number, (0,), "no"),
    (wording.say_number, (1,), "one"),
    (wording.say_number, (9,), "nine"),
    (wording.say_number, (10,), "10"),
    (wording.say_number, (-1,), "-1"),
]


@pytest.mark.parametrize(("say", "values", "words"), SAID)
def test_dates_times_and_numbers_are_said_in_one_way(say, values: tuple, words: str) -> None:
    assert say(*values) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-400, "over"),
        (-1, "over"),
        (0, "today"),
        (1, "tomorrow"),
        (2, "in 2 days"),
        (13, "in 13 days"),
        (14, "in 2 weeks"),
        (17, "in 2 weeks"),
        (18, "in 3 weeks"),
        (119, "in 17 weeks"),
        (120, "in 4 months"),
        (365, "in 12 months"),
    ],
)
def test_how_long_it_still_takes_is_said_the_rougher_the_longer(days: int, words: str) -> None:
    assert wording.say_left(MONDAY, MONDAY + timedelta(days=days)) == words


def test_every_month_and_weekday_has_its_name() -> None:
    assert [wording.say_month(date(2024, month, 1)) for month in range(1, 13)] == [
        date(2024, month, 1).strftime("%B %Y") for month in range(1, 13)
    ]
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    assert [wording.say_weekday(day) for day in week] == [day.strftime("%A") for day in week]


def test_templates_are_given_every_way_of_saying() -> None:
    assert sorted(wording.__all__) == sorted(name for name in vars(wording) if name.startswith("say_"))
