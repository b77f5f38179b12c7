"""What a cell of a table says: its days, each with what is wrong and the time beside it."""

import re
from dataclasses import dataclass, replace
from datetime import date

from booking.exchange.reading.dates import FoundDate, find_dates, monday_of_week, possible
from booking.exchange.reading.entries import Issue
from booking.exchange.reading.lines import ONLY_THE_WEEK
from booking.exchange.reading.times import FoundTime, read_time
from booking.exchange.reading.workbook import Cell

_HALF_A_YEAR = 184
_SOME_YEAR = date(2024, 1, 31)
_OF_A_STAMP = re.compile(r"(?<=\d)T(?=\d{1,2}:\d{2})|(?<=\d:\d{2}):\d{2}(?:\.\d+)?Z?\b")
NOT_CERTAIN = re.compile(
    r"\b(?:tb[cad]|to be (?:confirmed|agreed)|provisional(?:ly)?|approx(?:imately)?|circa)\b|\?", re.IGNORECASE
)
_IMPOSSIBLE = Issue("date-impossible", "There is no such day in the calendar.")
_NO_YEAR = Issue("date-missing", "There is no year. Which day is meant?")
BEFORE_THE_FIRST = Issue("date-approximate", "The last day stands before the first.")
_PERHAPS = Issue("date-approximate", "The date is not certain yet, by what is written beside it.")


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is named, None where there is no such day or no date at all; and what stands beside it."""

    day: date | None
    issue: Issue | None = None
    weekday: int | None = None
    at: FoundTime | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a text, none or many, and its other words."""

    days: list[Day]
    rest: str


def no_day(text: str = "") -> Day:
    """Return what stands for the day of a row without one; `text` is what stands in its place."""
    what = f"“{text[:40]}” is not a date." if text else "There is no date. Which day is meant?"
    return Day(None, Issue("date-missing", what))


def days_of(cell: Cell, near: date | None, *, are_weeks: bool = False) -> Days:
    """Return the days of a cell that is there for dates; `near` gives the year where none is written."""
    if not isinstance(cell.value, date):
        return days_in(cell.text, near, are_weeks=are_weeks, has_figures=True)
    day = possible(cell.value)
    issue = None if day else Issue("date-impossible", f"{cell.value.year} is no year of this calendar.")
    if day and are_weeks:
        day, issue = monday_of_week(day), ONLY_THE_WEEK
    return Days([Day(day, issue, at=read_time(cell.text.removeprefix(cell.value.isoformat())))], "")


def days_in(text: str, near: date | None, *, are_weeks: bool = False, has_figures: bool = False) -> Days:
    """Return the days of a text with their times: each its own, or else that of the next one, or the last.

    `13/11` is a date in a text that `has_figures` for dates.
    """
    text = _OF_A_STAMP.sub(lambda found: " " if found[0] == "T" else "", text)
    found = find_dates(text, near=near, has_figures=has_figures)
    if not found:
        return Days([], text)
    edges = [*(one.start for one in found), len(text)]
    parts = [text[: edges[0]], *(text[one.end : edge] for one, edge in zip(found, edges[1:], strict=True))]
    times = [read_time(part) for part in parts]
    rest = " ".join(at.rest if at else part for part, at in zip(parts, times, strict=True))
    perhaps = _PERHAPS if NOT_CERTAIN.search(rest) else None
    days = []
    for one, at in zip(found, _spread(times[1:], times[0]), strict=True):
        day = replace(one, day=monday_of_week(one.day), is_week=True) if are_weeks else one
        if one.day and _is_leap_day_of_another_year(text, one.day, near):
            day = replace(one, day=None)
        issue = _wrong(text, day, near) or perhaps
        days.append(Day(day.day, issue, None if day.is_week else day.weekday, at))
    return Days(days, rest)


def _is_leap_day_of_another_year(text: str, day: date, near: date | None) -> bool:
    if near is None or abs(day - near).days <= _HALF_A_YEAR:
        return False
    return all(one.day != day for one in find_dates(text, has_figures=True))


def _wrong(text: str, found: FoundDate, near: date | None) -> Issue | None:
    if found.day is None:
        some_year = find_dates(text, near=_SOME_YEAR, has_figures=True) if near is None else []
        return _NO_YEAR if any(one.day and one.start == found.start for one in some_year) else _IMPOSSIBLE
    return ONLY_THE_WEEK if found.is_week else None


def _spread(times: list[FoundTime | None], before: FoundTime | None) -> list[FoundTime | None]:
    known = next((at for at in reversed(times) if at), before)
    spread: list[FoundTime | None] = []
    for at in reversed(times):
        known = at or known
        spread.insert(0, known)
    return spread
