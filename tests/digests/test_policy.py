"""When the digest goes, and what it says to whom: pure rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.calendar.models import Visibility
from booking.calendar.terms import HalfTerm, is_school_day
from booking.digests.policy import (
    Change,
    Choice,
    Edition,
    Entry,
    News,
    entry_from,
    goes_on,
    heading_of,
    headings_of,
    is_too_late,
    news_since,
)
from booking.digests.wording import say_news, say_when

MONDAY = date(2026, 11, 23)
TERMS = [
    HalfTerm(2026, 2, date(2026, 11, 2), date(2026, 12, 18)),
    HalfTerm(2026, 3, date(2027, 1, 5), date(2027, 2, 12)),
]
GUESTS, STAFF = {Visibility.PUBLIC}, {Visibility.PUBLIC, Visibility.STAFF}


def entry(number: int = 1, in_days: int = 3, **values) -> Entry:
    usual = {
        "id": number,
        "title": f"Forum {number}",
        "kind": "session",
        "visibility": "public",
        "is_cancelled": False,
        "day": MONDAY + timedelta(days=in_days),
        "last_day": None,
        "starts": time(13, 30),
        "ends": time(15, 30),
        "place": "Oak Suite",
        "category_id": 1,
        "category": "SENCo forum",
        "letters": "SF",
        "colour": 1,
    }
    return Entry(**{**usual, **values})


def edition(*entries: Entry, before: list[Entry] | None = None, weeks: int = 4) -> Edition:
    until = MONDAY + timedelta(weeks=weeks, days=-1)
    kept = None if before is None else tuple(before)
    return Edition(MONDAY, until, tuple(entries), kept, headings_of(MONDAY, until, TERMS))


def school(day: date) -> bool:
    return is_school_day(day, TERMS, ())


def titles(found: Edition, visibilities: set[Visibility], choice: Choice = Choice()) -> list[str]:  # noqa: B008
    return [one.title for week in found.read_by(visibilities, choice).weeks for one in week.entries]


@pytest.mark.parametrize(
    ("week", "weekday", "day"),
    [
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
        (date(2026, 11, 23), 4, date(2026, 11, 27)),
        # School begins again on a Tuesday; the week before is a holiday.
        (date(2027, 1, 4), 0, date(2027, 1, 5)),
        (date(2026, 12, 28), 0, None),
    ],
)
def test_it_goes_on_its_weekday_or_the_school_day_next_to_it(week: date, weekday: int, day: date | None) -> None:
    assert goes_on(week, weekday, school) == day


def test_where_no_school_day_follows_in_the_week_it_goes_on_the_one_before() -> None:
    assert goes_on(date(2026, 11, 23), 4, lambda day: day.weekday() in {1, 2}) == date(2026, 11, 25)


def test_it_is_too_late_after_two_days_and_not_before() -> None:
    due = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert not is_too_late(due, due + timedelta(days=2))
    assert is_too_late(due, due + timedelta(days=2, seconds=1))


def test_weeks_are_called_as_the_partnership_counts_them() -> None:
    assert heading_of(MONDAY, TERMS) == "Half term 2, week 4: from Monday 23 November"
    assert heading_of(date(2026, 12, 21), TERMS) == "Holidays: from Monday 21 December"


def test_dates_are_told_week_by_week_as_far_as_it_looks() -> None:
    under_way = entry(1, -2, last_day=MONDAY + timedelta(days=1))
    found = edition(under_way, entry(2), entry(3, 7), entry(4, 13), entry(5, 14), weeks=2).read_by(GUESTS)
    assert [(week.heading, [one.id for one in week.entries]) for week in found.weeks] == [
        ("Half term 2, week 4: from Monday 23 November", [1, 2]),
        ("Half term 2, week 5: from Monday 30 November", [3, 4]),
    ]


def test_guests_are_told_what_is_public_and_staff_what_is_theirs_too() -> None:
    found = edition(entry(1), entry(2, visibility="staff"), before=[])
    assert titles(found, GUESTS) == ["Forum 1"]
    assert titles(found, STAFF) == ["Forum 1", "Forum 2"]
    assert [one.entry.id for one in found.read_by(GUESTS).news] == [1]
    assert [one.entry.id for one in found.read_by(STAFF).news] == [1, 2]


def test_what_was_for_staff_and_is_for_everybody_is_new_to_guests_only() -> None:
    found = edition(entry(1), before=[entry(1, visibility="staff")])
    assert found.read_by(GUESTS).news == (News(Change.NEW, entry(1)),)
    assert found.read_by(STAFF).news == ()


def test_a_choice_keeps_kinds_and_audiences_and_what_is_for_anyone() -> None:
    found = edition(
        entry(1), entry(2, audience_ids=(7,)), entry(3, audience_ids=(8, 9)), entry(4, category_id=2), before=[]
    )
    for choice, expected in (
        (Choice(), [1, 2, 3, 4]),
        (Choice(frozenset({2})), [4]),
        (Choice(audience_ids=frozenset({9})), [1, 3, 4]),
        (Choice(frozenset({1}), frozenset({7})), [1, 2]),
    ):
        told = found.read_by(GUESTS, choice)
        assert [one.id for week in told.weeks for one in week.entries] == expected
        assert [one.entry.id for one in told.news] == expected


def test_the_first_issue_has_no_news() -> None:
    assert edition(entry()).read_by(GUESTS).news == ()


def test_what_is_new_moved_and_cancelled_is_told_once_and_in_that_order() -> None:
    moved = replace(entry(2), day=MONDAY + timedelta(days=9), starts=time(9, 0), ends=None)
    called_off = replace(entry(3), is_cancelled=True)
    found = news_since([entry(2), entry(3), entry(4)], [called_off, moved, entry(4), entry(1)], on=MONDAY)
    assert found == [
        News(Change.NEW, entry(1)),
        News(Change.MOVED, moved, entry(2)),
        News(Change.CANCELLED, called_off, entry(3)),
    ]
    assert [say_news(one) for one in found] == [
        "Thu 26 November, 1.30pm to 3.30pm",
        "now Wed 2 December, 9am (it was Thu 26 November, 1.30pm to 3.30pm)",
        "was to be on Thu 26 November, 1.30pm to 3.30pm",
    ]


def test_another_place_is_a_move_and_another_title_is_none() -> None:
    found = news_since([entry(1), entry(2)], [entry(1, place=""), entry(2, title="Forum two")], on=MONDAY)
    assert [(one.entry.id, say_news(one)) for one in found] == [
        (1, "now Thu 26 November, 1.30pm to 3.30pm, place to be said (it was Oak Suite)")
    ]


def test_what_came_and_went_in_between_is_not_told() -> None:
    assert news_since([], [entry(1, is_cancelled=True)], on=MONDAY) == []


def test_what_moved_there_and_back_is_not_told_and_what_moved_twice_is_told_once() -> None:
    first, second = entry(1, 3), entry(1, 20)
    assert news_since([first], [first], on=MONDAY) == []
    assert news_since([first], [second], on=MONDAY) == [News(Change.MOVED, second, first)]


def test_what_was_cancelled_is_told_once_and_not_again_the_week_after() -> None:
    off = entry(1, is_cancelled=True)
    assert news_since([off], [off], on=MONDAY) == []


def test_what_was_cancelled_and_is_on_again_is_new() -> None:
    assert news_since([entry(1, is_cancelled=True)], [entry(1)], on=MONDAY) == [News(Change.NEW, entry(1))]


def test_of_what_is_over_nothing_is_told() -> None:
    assert news_since([], [entry(1, -1)], on=MONDAY) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "deadline", "starts": time(17, 0), "ends": None}, "Thu 26 November, by 5pm"),
        ({"kind": "deadline", "starts": None, "ends": None}, "Thu 26 November"),
        ({"last_day": date(2026, 11, 27), "starts": None, "ends": None}, "Thu 26 November to Fri 27 November"),
        ({"starts": time(9, 0), "ends": None}, "Thu 26 November, 9am"),
    ],
)
def test_when_something_is_stands_in_few_words(values: dict, said: str) -> None:
    assert say_when(entry(**values)) == said


entries = st.builds(
    entry,
    st.integers(1, 9),
    st.integers(-5, 60),
    visibility=st.sampled_from(["public", "staff"]),
    is_cancelled=st.booleans(),
    category_id=st.integers(1, 3),
    audience_ids=st.lists(st.integers(1, 3), unique=True).map(tuple),
    last_day=st.none() | st.dates(date(2027, 6, 1), date(2027, 7, 1)),
    starts=st.none() | st.times().map(lambda at: at.replace(tzinfo=None)),
)
calendars = st.lists(entries, unique_by=lambda one: one.id).map(lambda found: sorted(found, key=lambda one: one.day))


@given(entries)
def test_what_is_stored_comes_back_as_it_was(one: Entry) -> None:
    assert entry_from(one.as_json()) == one


@given(calendars, calendars, st.sets(st.integers(1, 3)), st.sets(st.integers(1, 3)))
def test_nobody_is_told_of_what_they_may_not_see_or_did_not_choose(
    before: list[Entry], now: list[Entry], kinds: set[int], audiences: set[int]
) -> None:
    choice = Choice(frozenset(kinds), frozenset(audiences))
    told = edition(*now, before=before).read_by(GUESTS, choice)
    shown = [one for week in told.weeks for one in week.entries]
    for one in (*shown, *(news.entry for news in told.news)):
        assert one.visibility == "public"
        assert choice.takes(one)
    assert all(news.was is None or news.was.visibility == "public" for news in told.news)
    assert not any(one.is_cancelled for one in shown)
    assert len({news.entry.id for news in told.news}) == len(told.news)
