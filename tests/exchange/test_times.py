"""Times in figures that need no am or pm: what is an hour, what is a number of the title."""

from datetime import date

import pytest

from booking.exchange.reading.lines import Place, read_line

DAY = "10.09.26: "
WEEK = Place("B3", date(2026, 9, 7), date(2027, 2, 1))


def told(text: str) -> tuple[str, str | None, str | None]:
    (entry,) = read_line(DAY + text, WEEK)
    found = entry.to_json()
    return found["title"], found["start"], found["end"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Coffee morning 10-11.30", ("Coffee morning", "10:00", "11:30")),
        ("Coffee morning, 10-11.30", ("Coffee morning", "10:00", "11:30")),
        ("Coffee morning: 10-11.30", ("Coffee morning", "10:00", "11:30")),
        ("Coffee morning 10 – 11.30", ("Coffee morning", "10:00", "11:30")),
        ("Coffee morning 10–11.30", ("Coffee morning", "10:00", "11:30")),
        ("Coffee morning 10 to 11.30", ("Coffee morning", "10:00", "11:30")),
        ("Coffee morning (10-11.30)", ("Coffee morning", "10:00", "11:30")),
        ("10-11.30 Coffee morning", ("Coffee morning", "10:00", "11:30")),
        ("SENCo forum 9-10:30", ("SENCo forum", "09:00", "10:30")),
        ("Drop in 1-2.30", ("Drop in", "13:00", "14:30")),
        ("Drop in 12-1.30", ("Drop in", "12:00", "13:30")),
        ("Training 9-3.30", ("Training", "09:00", "15:30")),
        ("Forum 9-11.30 Oak Suite", ("Forum Oak Suite", "09:00", "11:30")),
        ("Panel 1 9-11.30", ("Panel 1", "09:00", "11:30")),
        ("Workshop 9-11.30", ("Workshop", "09:00", "11:30")),
        ("Level 1 9-11.30", ("Level 1", "09:00", "11:30")),
        ("Years 5-6 forum 9-11.30", ("Years 5-6 forum", "09:00", "11:30")),
    ],
)
def test_a_range_whose_first_hour_has_no_minutes_keeps_its_start(text, found) -> None:
    assert told(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Forum 9-11", ("Forum", "09:00", "11:00")),
        ("Forum 9-12", ("Forum", "09:00", "12:00")),
        ("Forum 1-3", ("Forum", "13:00", "15:00")),
        ("Forum (9-11)", ("Forum", "09:00", "11:00")),
        ("Forum 9 - 11", ("Forum", "09:00", "11:00")),
        ("Forum 9 to 11", ("Forum", "09:00", "11:00")),
        ("9-11 Forum", ("Forum", "09:00", "11:00")),
        ("Forum 1000-1130", ("Forum", "10:00", "11:30")),
        ("Forum 0930 - 1100", ("Forum", "09:30", "11:00")),
        ("Forum 930-1130", ("Forum", "09:30", "11:30")),
        ("Forum at 2", ("Forum", "14:00", None)),
        ("Forum at 10, Oak Suite", ("Forum", "10:00", None)),
        ("Level 1 9-3", ("Level 1", "09:00", "15:00")),
        ("Workshops 9-3", ("Workshops", "09:00", "15:00")),
        ("Workshop 9-12", ("Workshop", "09:00", "12:00")),
        ("9-11 SENCo forum", ("SENCo forum", "09:00", "11:00")),
        ("9-3 Year 6 transition", ("Year 6 transition", "09:00", "15:00")),
        ("Forum at 2 in Oak Suite", ("Forum in Oak Suite", "14:00", None)),
        ("Panel 2 - 9-12", ("Panel 2", "09:00", "12:00")),
        ("Year 6 forum 9-11", ("Year 6 forum", "09:00", "11:00")),
    ],
)
def test_whole_hours_and_four_figures_are_times(text, found) -> None:
    assert told(text) == found


@pytest.mark.parametrize(
    "title",
    [
        "Ages 5-11 forum",
        "Years 9-11",
        "Years 9-11 forum",
        "Year 5-6",
        "Yr 3-4",
        "Y9-11",
        "KS1-2",
        "KS 1-2 forum",
        "Level 1-2",
        "Part 1-2",
        "Panels 1-3",
        "Workshops 1-3",
        "Session 1-2",
        "Data return 2023-2024",
        "Forum 5-11",
        "Support for 2-3 year olds",
        "Visit 9-11 pupils",
        "Support for 5-6 children",
        "1-2-1 meetings",
        "Room 9-11 visit",
        "Meeting at 2 Elm Road",
        "Places 100-120",
        "Forum 0-25",
    ],
)
def test_numbers_that_are_no_hours_stay_in_the_title(title) -> None:
    assert told(title) == (title, None, None)


@pytest.mark.parametrize(
    ("text", "title", "likely"),
    [
        ("Panel 1-2.30", "Panel", "13:00"),
        ("LHNF Panel 1-2.30", "LHNF Panel", "13:00"),
        ("Panel 1 - 2.30", "Panel 1", "14:30"),
        ("Level 1-2.30", "Level 1", "14:30"),
        ("Year 5-6.30", "Year 5", "18:30"),
        ("Workshop 2-3.30", "Workshop", "14:00"),
    ],
)
def test_a_number_that_may_be_that_of_the_title_is_asked_about(text, title, likely) -> None:
    (entry,) = read_line(DAY + text, WEEK)
    assert (entry.title, entry.start, entry.end) == (title, None, None)
    assert [(issue.code, issue.suggestion) for issue in entry.issues if issue.code.startswith("time")] == [
        ("time-ambiguous", likely)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Forum 13.30pm-15.00pm", ("Forum", "13:30", "15:00")),
        ("Forum 9am til 11", ("Forum", "09:00", "11:00")),
        ("Forum 9am till 11.30", ("Forum", "09:00", "11:30")),
        ("Forum 9am 'til 11", ("Forum", "09:00", "11:00")),
    ],
)
def test_a_pm_too_many_and_til_are_understood(text, found) -> None:
    assert told(text) == found


@pytest.mark.parametrize(
    ("text", "title", "venue"),
    [
        ("Forum 2pm - MS Teams", "Forum", "MS Teams"),
        ("Training via Zoom", "Training", "Zoom"),
        ("Forum via Teams", "Forum", "Teams"),
        ("Forum 2pm Zoom", "Forum", "Zoom"),
        ("Forum online", "Forum", "On line"),
        ("Forum 2pm on line", "Forum", "On line"),
        ("Forum on Zoom 2pm", "Forum", "Zoom"),
        ("Forum 2pm at The Hub", "Forum", "The Hub"),
        ("Forum 2pm at the Oak Suite", "Forum", "Oak Suite"),
        ("Briefing for behaviour teams", "Briefing for behaviour teams", None),
        ("Behaviour Teams", "Behaviour Teams", None),
        ("Training: keeping children safe online", "Training: keeping children safe online", None),
    ],
)
def test_where_people_meet_on_line_is_a_venue(text, title, venue) -> None:
    (entry,) = read_line(DAY + text, WEEK)
    assert (entry.title, entry.venue) == (title, venue)


@pytest.mark.parametrize(
    ("text", "title", "start"),
    [
        ("Last day for referrals", "Last day for referrals", None),
        ("Cut off for applications noon", "Cut off for applications", "12:00"),
        ("Cut-off for applications", "Cut-off for applications", None),
        ("Forms by 3", "Forms", "15:00"),
        ("LHNF closing", "LHNF closing", None),
    ],
)
def test_a_last_day_and_a_cut_off_are_deadlines(text, title, start) -> None:
    (entry,) = read_line(DAY + text, WEEK)
    found = entry.to_json()
    assert (found["title"], found["start"], found["kind"]) == (title, start, "deadline")


@pytest.mark.parametrize(
    ("text", "visibility"),
    [
        ("LHNF panel 1 9am", "team"),
        ("High needs funding panel", "team"),
        ("Transition planning meeting 2pm", "team"),
        ("Closing date for LHNF panel 1", None),
        ("LHNF briefing 9am", None),
        ("Transition workshop 9am", None),
        ("Board meeting", "team"),
    ],
)
def test_panels_and_planning_meetings_are_for_the_team(text, visibility) -> None:
    (entry,) = read_line(DAY + text, WEEK)
    assert entry.visibility == visibility
