"""The year planner and the year line as values."""

from collections import Counter
from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.calendar import grid
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.grid import Load, YearPlan, plan_year
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.calendar.terms import HalfTerm, monday_of, synthesise, year_days

WEEK = timedelta(days=7)
YEAR = 2026


def entry(day: date, number: int = 1, **values) -> Event:
    """An event as the planner sees it, in no database."""
    given = {"kind": Kind.SESSION, "visibility": Visibility.PUBLIC, "status": EventStatus.PUBLISHED, "starts": None}
    return Event(**{"id": number, "title": f"Entry {number}", "day": day, **given, **values})


def plan(*entries: Event, today: date = date(2026, 8, 1), year: int = YEAR, terms: list[HalfTerm] | None = None):
    days_off = bank_holidays(*year_days(year))
    return plan_year(year, synthesise(year) if terms is None else terms, entries, today=today, days_off=days_off)


def cells(found: YearPlan) -> list[tuple[str, date | None, tuple[Event, ...]]]:
    """All places of the plan in which entries stand, in the order of the page."""
    listed = [("before", None, found.before)]
    for column in found.columns:
        listed += [("week", week.monday, week.entries) for week in column.weeks]
        listed.append((f"after {column.term.number}", None, column.holiday.entries))
    return listed


def week_of(found: YearPlan, day: date) -> grid.Week:
    return next(w for column in found.columns for w in column.weeks if w.monday == monday_of(day))


def days_of_year(year: int):
    return st.dates(*year_days(year))


@st.composite
def any_terms(draw, year: int) -> list[HalfTerm]:
    """Half terms as people may enter them: none, a few, with gaps, with two in one week."""
    days = sorted(draw(st.lists(days_of_year(year), min_size=12, max_size=12, unique=True)))
    terms = [HalfTerm(year, n + 1, days[2 * n], days[2 * n + 1]) for n in range(6)]
    kept = draw(st.sets(st.sampled_from(range(6)), max_size=6))
    return draw(st.permutations([term for n, term in enumerate(terms) if n in kept]))


@settings(deadline=None)  # the first look at a year's bank holidays is slow
@given(st.data())
def test_every_entry_stands_exactly_once_whatever_its_day_and_the_terms(data) -> None:
    year = data.draw(st.integers(1990, 2100))
    terms = data.draw(st.one_of(st.just(synthesise(year)), any_terms(year)))
    days = data.draw(st.lists(days_of_year(year), max_size=12))
    entries = [entry(day, number) for number, day in enumerate(days)]
    found = plan(*entries, year=year, terms=terms)
    assert Counter(one.id for _, _, shown in cells(found) for one in shown) == Counter(range(len(days)))
    for column in found.columns:
        for week in column.weeks:
            assert all(week.monday <= one.day < week.monday + WEEK for one in week.entries)
        assert all(column.term.last_day < one.day for one in column.holiday.entries)
    assert all(one.day < column.term.first_day for one in found.before for column in found.columns)


@settings(deadline=None)  # the first look at a year's bank holidays is slow
@given(st.integers(1990, 2150), st.data())
def test_on_likely_terms_an_entry_stands_in_its_week_or_in_its_holiday(year: int, data) -> None:
    day = data.draw(days_of_year(year))
    found = plan(entry(day), year=year)
    ((place, monday, _),) = [cell for cell in cells(found) if cell[2]]
    mondays = {term.first_monday + WEEK * n: term for term in synthesise(year) for n in range(term.weeks)}
    if monday_of(day) in mondays:
        assert (place, monday) == ("week", monday_of(day))
    else:
        earlier = [term.number for term in synthesise(year) if term.last_day < day]
        assert place == (f"after {max(earlier)}" if earlier else "before")


def test_where_two_half_terms_share_a_week_its_entries_stand_in_the_first() -> None:
    wednesday = date(2026, 10, 21)
    terms = [
        HalfTerm(YEAR, 1, date(2026, 9, 1), wednesday),
        HalfTerm(YEAR, 2, wednesday + timedelta(days=1), date(2026, 12, 18)),
    ]
    entries = [entry(wednesday + timedelta(days=n), number) for number, n in enumerate((-2, 0, 1, 4, 5))]
    found = plan(*entries, terms=terms)
    shared = [week for column in found.columns for week in column.weeks if week.monday == monday_of(wednesday)]
    assert [[one.id for one in week.entries] for week in shared] == [[0, 1, 2, 3], []]
    assert [one.id for one in found.columns[1].weeks[1].entries] == [4]


def test_entries_of_a_week_stand_in_the_order_of_their_days_and_times() -> None:
    thursday = date(2026, 11, 12)
    mixed = [
        entry(thursday, 1, title="Late", starts=time(16, 0)),
        entry(thursday, 2, title="Without a time"),
        entry(thursday - timedelta(days=3), 3, title="Monday", starts=time(17, 0)),
        entry(thursday + timedelta(days=3), 4, title="Sunday"),
        entry(thursday, 5, title="Early", starts=time(9, 0)),
        entry(thursday, 6, title="Also late", starts=time(16, 0)),
    ]
    shown = [one.title for one in week_of(plan(*mixed), thursday).entries]
    assert shown == ["Monday", "Without a time", "Early", "Also late", "Late", "Sunday"]


@pytest.mark.parametrize(
    ("values", "load"),
    [
        ([{}], Load(1, 0)),
        ([{"visibility": Visibility.STAFF}], Load(1, 0)),
        ([{"kind": Kind.DEADLINE}, {}], Load(2, 1)),
        ([{"visibility": Visibility.TEAM}, {"kind": Kind.DEADLINE, "visibility": Visibility.TEAM}], Load(0, 0)),
        ([{"kind": Kind.MILESTONE}], Load(0, 0)),
        ([{"status": EventStatus.CANCELLED}, {"kind": Kind.DEADLINE, "status": EventStatus.CANCELLED}], Load(0, 0)),
        ([{}] * 3, Load(3, 0)),
        ([{}] * 3 + [{"kind": Kind.DEADLINE}], Load(4, 1)),
    ],
)
def test_a_weeks_load_is_what_schools_are_asked_for(values: list[dict], load: Load) -> None:
    day = date(2026, 11, 12)
    week = week_of(plan(*(entry(day, n, **given) for n, given in enumerate(values))), day)
    assert (week.load, week.load.others, week.load.is_busy) == (load, load.asked - load.due, load.asked >= 4)
    assert len(week.entries) == len(values)


@pytest.mark.parametrize(
    ("today", "now", "done"),
    [
        (date(2026, 8, 30), [], 0),
        (date(2026, 8, 31), [date(2026, 8, 31)], 0),  # school begins on the Tuesday
        (date(2026, 9, 1), [date(2026, 8, 31)], 0),
        (date(2026, 11, 8), [date(2026, 11, 2)], 8),  # a Sunday
        (date(2026, 11, 9), [date(2026, 11, 9)], 9),  # the Monday after
        (date(2026, 12, 25), [], 15),
        (date(2027, 7, 31), [], 40),
    ],
)
def test_this_week_and_those_that_are_done_are_known(today: date, now: list[date], done: int) -> None:
    weeks = [week for column in plan(today=today).columns for week in column.weeks]
    assert [week.monday for week in weeks if week.is_now] == now
    assert len([week for week in weeks if week.is_done]) == done


def test_holidays_have_their_names_dates_and_bank_holidays() -> None:
    found = plan()
    assert [(column.holiday.name, column.holiday.words) for column in found.columns] == [
        ("Half-term holiday", "26 to 30 October"),
        ("Christmas holiday", "21 December to 1 January; bank holidays 25 December, 28 December and 1 January"),
        ("Half-term holiday", "15 to 19 February"),
        ("Easter holiday", "26 March to 9 April; bank holidays 26 March and 29 March"),
        ("Half-term holiday", "31 May to 4 June; bank holiday 31 May"),
        ("Summer holiday", "from 26 July"),
    ]
    assert [column.holiday_row for column in found.columns] == [9, 8, 7, 6, 8, 8]
    assert found.rows == 9


def test_a_week_says_which_of_its_days_are_off() -> None:
    terms = [
        HalfTerm(2024, 3, date(2025, 1, 6), date(2025, 2, 12)),  # ends on a Wednesday
        HalfTerm(2024, 4, date(2025, 2, 24), date(2025, 4, 17)),  # ends on the day before Good Friday
        HalfTerm(2024, 5, date(2025, 4, 22), date(2025, 5, 23)),  # begins on the Tuesday after Easter
    ]
    found = plan(year=2024, terms=terms)
    assert {week.monday: week.days_off for column in found.columns for week in column.weeks if week.days_off} == {
        date(2025, 2, 10): ("Holiday from Thu 13",),
        date(2025, 4, 14): ("Holiday from Fri 18",),
        date(2025, 4, 21): ("Holiday to Mon 21",),
        date(2025, 5, 5): ("Bank holiday Mon 5",),
    }


def test_a_year_of_which_some_half_terms_are_known_shows_those() -> None:
    known = [HalfTerm(2026, 2, date(2026, 11, 2), date(2026, 12, 18))]
    found = plan(entry(date(2026, 9, 9), 1), entry(date(2027, 5, 5), 2), terms=known)
    assert [one.id for one in found.before] == [1]
    assert [(c.term.number, c.holiday.name, [one.id for one in c.holiday.entries]) for c in found.columns] == [
        (2, "Summer holiday", [2])
    ]
    nothing = plan(entry(date(2026, 9, 9), 1), terms=[])
    assert (len(nothing.before), nothing.columns, nothing.rows) == (1, (), 0)


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 8, 1), ("Saturday 1 August", "before the school year 2026-27")),
        (date(2026, 8, 31), ("Monday 31 August", "before the school year 2026-27")),
        (date(2026, 9, 1), ("Tuesday 1 September", "half term 1, week 1")),
        (date(2026, 10, 25), ("Sunday 25 October", "half term 1, week 8")),
        (date(2026, 10, 26), ("Monday 26 October", "Half-term holiday")),
        (date(2026, 12, 25), ("Friday 25 December", "Christmas holiday")),
        (date(2027, 4, 1), ("Thursday 1 April", "Easter holiday")),
        (date(2027, 4, 12), ("Monday 12 April", "half term 5, week 1")),
        (date(2027, 7, 31), ("Saturday 31 July", "Summer holiday")),
    ],
)
def test_the_year_line_says_where_in_the_year_we_are(today: date, words: tuple[str, str]) -> None:
    line = grid.year_line(plan(today=today), today=today)
    assert (line.today_words, line.place_words) == words
    assert (line.year, line.monday) == (2026, monday_of(today))


def test_the_year_line_draws_a_bar_for_each_week_and_none_too_high() -> None:
    today = date(2026, 11, 12)
    asked = [entry(today, number) for number in range(7)] + [entry(today + WEEK, 8), entry(date(2026, 10, 28), 9)]
    line = grid.year_line(plan(*asked, today=today), today=today)
    assert [len(group) for group in line.groups] == [8, 7, 6, 5, 7, 7]
    second = [(bar.level, bar.state) for bar in line.groups[1]]
    assert second == [(0, "done"), (5, "now"), (1, "ahead"), *[(0, "ahead")] * 4]
    assert {bar.level for number in (0, 2, 3, 4, 5) for bar in line.groups[number]} == {0}
