"""Dates and weekdays as people type them. Nothing is corrected: what is odd is told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from booking.calendar.terms import FIRST_YEAR, LAST_YEAR
from booking.exchange.reading import date_patterns as shapes

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORTNIGHT, WEEK = timedelta(days=14), timedelta(days=6)
LONGEST_RANGE = timedelta(days=13)  # 14 days, the first and the last with them


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text: where it stands, the day (None if there is no such day), and how it was said.

    Dates of one list stand side by side: each ends where the next begins. Days within a range take no room.
    """

    start: int
    end: int
    day: date | None
    weekday: int | None
    is_week: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """One date or list of days with one month, and where its words stand; `numbers` are the days after a month."""

    start: int
    end: int
    day: int
    month: int
    year: int | None
    numbers: tuple["_Numbered", ...]
    may_follow: bool
    in_figures: bool


@dataclass(frozen=True, slots=True)
class _Numbered:
    """One day of a list: where its words begin, and whether a range goes on to the next."""

    start: int
    number: int
    weekday: int | None = None
    joined: str = ""


def find_dates(
    text: str, *, near: date | None = None, week: date | None = None, has_figures: bool = False
) -> list[FoundDate]:
    """Return the dates of a line in their order, each with a weekday that stands beside it.

    `2 & 3 December` are two, `2-4 December` three; a range of more than 14 days gives its first and its last.
    `near` gives the year where none is written: the one that brings the day closest. `10/9` is a date within a
    fortnight of the `week` in which the text stands, and anywhere in a text that `has_figures` for dates.
    """
    said: list[_Said] = []
    taken = bytearray(len(text))
    for pattern in shapes.PATTERNS:
        for match in pattern.finditer(text):
            one = _said(text, pattern, match, near)
            if not any(taken[one.start : one.end]):
                taken[one.start : one.end] = b"\1" * (one.end - one.start)
                said.append(one)
    if week or has_figures:
        said += _in_figures(text, taken, near, week)
    said.sort(key=lambda one: one.start)
    found: list[FoundDate] = []
    for index in reversed(range(len(said))):
        free_from = said[index - 1].end if index else 0
        found = _joined(text, _days_of(text, said[index], free_from, near, found), found)
    return found


def _in_figures(text: str, taken: bytearray, near: date | None, week: date | None) -> list[_Said]:
    """Return the days and months in figures; in a week, those which begin a line or follow `on`, `by` or a weekday."""
    found: list[_Said] = []
    for match in shapes.FIGURES.finditer(text):
        if any(taken[match.start() : match.end()]):
            continue
        follows = found and shapes.JOINED.fullmatch(text, found[-1].end, match.start())
        if week:
            day = _day(None, int(match["mon"]), int(match["day"]), week)
            is_near = day and week - FORTNIGHT <= day <= week + WEEK + FORTNIGHT
            if not is_near or not (
                follows or shapes.BEFORE_FIGURES.search(text, max(0, match.start() - 40), match.start())
            ):
                continue
        found.append(_said(text, shapes.FIGURES, match, near))
    return found


def _said(text: str, pattern: re.Pattern[str], match: re.Match[str], near: date | None) -> _Said:
    parts = match.groupdict()
    month = int(parts["mon"]) if parts.get("mon") else MONTHS.index(parts["month"][:3].lower()) + 1
    year, end = _year_of(text, match, near)
    numbers = tuple(_days_after(text, match))
    if parts.get("more") and not numbers:
        end, year = match.start("more"), None
    may_follow = pattern not in (shapes.ISO, shapes.SHORT, shapes.FIGURES, shapes.MONTH_FIRST)
    return _Said(match.start(), end, int(parts["day"]), month, year, numbers, may_follow, pattern is shapes.NUMBERS)


def _year_of(text: str, match: re.Match[str], near: date | None) -> tuple[int | None, int]:
    """Return the year and the end of the date. `2 Dec 26` has one if it is near, or nothing follows it."""
    parts = match.groupdict()
    if parts.get("year"):
        return int(parts["year"]), match.end()
    if parts.get("quoted"):
        return 2000 + int(parts["quoted"]), match.end()
    if parts.get("short"):
        year = 2000 + int(parts["short"])
        is_over = 2020 <= year <= 2049 and shapes.CLEARLY_OVER.match(text, match.end())
        if is_over or (near and abs(year - near.year) <= 2):
            return year, match.end()
        return None, len(text[: match.start("short")].rstrip(" \t,"))
    return None, match.end()


def _days_after(text: str, match: re.Match[str]) -> list[_Numbered]:
    """Return the further days of `December 2 & 3`; none where the numbers may be something else."""
    more = match.groupdict().get("more")
    if not more:
        return []
    has_year = match["year"] or match["quoted"]
    if not (has_year or shapes.SURELY_A_LIST.search(more) or shapes.CLEARLY_OVER.match(text, match.end("more"))):
        return []
    found = [
        _Numbered(match.start("more") + one.start(), int(one["day"]), joined=one["also"])
        for one in shapes.LISTED_AFTER.finditer(more)
    ]
    numbers = [int(match["day"]), *(one.number for one in found)]
    return found if numbers == sorted(set(numbers)) else []


def _days_of(text: str, said: _Said, free_from: int, near: date | None, following: list[FoundDate]) -> list[FoundDate]:
    """Return the days of one date or list; `following` are the dates after it, which may give it its year."""
    before = shapes.DAY_BEFORE.search(text, free_from, said.start)
    start = before.start() if before else said.start
    earlier = _days_before(text, said, free_from, start) if said.may_follow else []
    own = _Numbered(start, said.day, weekday_number(before["weekday"]) if before else None)
    named = [*earlier, own, *said.numbers]
    start, end, weekdays = _weekdays_beside(text, named, free_from, said.end)
    week = shapes.WEEK.search(text, free_from, start)
    start = week.start() if week else start
    if following and following[0].day and shapes.JOINED.fullmatch(text, end, following[0].start):
        near = following[0].day
    days = [
        FoundDate(one.start, one.start, _day(said.year, said.month, one.number, near), weekday, bool(week))
        for one, weekday in zip(named, weekdays, strict=True)
    ]
    # A range goes on from a day before the month by what follows the day, from one after it by what stands before.
    ranges = [bool(shapes.RANGE.fullmatch(one.joined)) for one in (*earlier, *said.numbers)]
    return _expanded(_side_by_side(days, start, end), ranges)


def _days_before(text: str, said: _Said, free_from: int, start: int) -> list[_Numbered]:
    """Return the days of `2, 3 and` before `4 December`: rising numbers that belong to no word before them."""
    listed = shapes.LIST_BEFORE.search(text, free_from, start)
    if not listed:
        return []
    found: list[_Numbered] = []
    for one in reversed(list(shapes.LISTED_BEFORE.finditer(text, listed.start(), start))):
        if not 1 <= int(one["day"]) < (found[0].number if found else said.day):
            break
        weekday = weekday_number(one["weekday"]) if one["weekday"] else None
        found.insert(0, _Numbered(one.start(), int(one["day"]), weekday, one["also"]))
    if found and shapes.NUMBERED_YEARS.search(text, free_from, found[0].start):
        return []
    bearer = shapes.NUMBERED.search(text, free_from, found[0].start) if found else None
    if bearer and said.in_figures:
        return []
    if bearer and not bearer["plural"]:
        word = found[0].joined.strip()
        is_apart = word in {",", ";", "to", "until", "till"} or (word in "-–—" and word != found[0].joined)
        return found[1:] if is_apart else found
    return found


def _weekdays_beside(text: str, named: list[_Numbered], free_from: int, end: int) -> tuple[int, int, list[int | None]]:
    """Return where the words begin and end with the weekdays beside them, and each day's weekday."""
    start, own = named[0].start, [one.weekday for one in named]
    if len(named) == 1:
        after = None if own[0] is not None else shapes.DAY_AFTER.search(text[end:])
        return (start, end + after.end(), [weekday_number(after["weekday"])]) if after else (start, end, own)
    before = shapes.DAYS_BEFORE.search(text, free_from, start)
    beside = before or (shapes.DAYS_AFTER.search(text[end:]) if own == [None] * len(own) else None)
    if not beside:
        return start, end, own
    start, end = (before.start(), end) if before else (start, end + beside.end())
    words: list[int | None] = [weekday_number(word) for word in shapes.ONE_DAY.findall(beside["weekdays"])]
    if len(words) == 1:
        words = words * len(named) if beside["plural"] else [*words, *own[1:]]
    elif shapes.RANGE.search(beside["weekdays"]) and len(named) > 2:
        words = []
    return start, end, words if len(words) == len(named) else own


def _side_by_side(days: list[FoundDate], start: int, end: int) -> list[FoundDate]:
    """Return days of one list with their places: the first from `start`, each up to the next, the last up to `end`."""
    begins = [start, *(one.start for one in days[1:])]
    return [
        replace(one, start=first, end=last) for one, first, last in zip(days, begins, [*begins[1:], end], strict=True)
    ]


def _joined(text: str, days: list[FoundDate], following: list[FoundDate]) -> list[FoundDate]:
    """Return days and those after them as one list where only `and`, a comma or a dash stands between."""
    between = text[days[-1].end : following[0].start] if following else ""
    if not following or not between.strip() or not shapes.JOINED.fullmatch(between):
        return [*days, *following]
    days[-1] = replace(days[-1], end=following[0].start)
    edge = [days[-1], following[0]]
    return [*days[:-1], *_expanded(edge, [bool(shapes.RANGE.fullmatch(between))]), *following[1:]]


def _expanded(days: list[FoundDate], ranges: list[bool]) -> list[FoundDate]:
    """Return days with those that a range leaves unsaid; of a week, `w/c 2-6 December`, its Monday only."""
    found = [_monday(days[0])]
    for one, from_the_last in zip(days[1:], ranges, strict=True):
        first = found[-1]
        if from_the_last and first.is_week:
            found[-1] = replace(first, end=one.end)
            continue
        if from_the_last and first.day and one.day and one.day - first.day <= LONGEST_RANGE:
            unsaid = [first.day + timedelta(days=number) for number in range(1, (one.day - first.day).days)]
            found += [FoundDate(one.start, one.start, day, None, False) for day in unsaid]
        found.append(_monday(one))
    return found


def _monday(found: FoundDate) -> FoundDate:
    return replace(found, day=monday_of_week(found.day)) if found.is_week else found


def without_dates(text: str, dates: Sequence[FoundDate]) -> str:
    """Return a text without these dates, which stand in it in this order."""
    for found in reversed(dates):
        text = text[: found.start] + " " + text[found.end :]
    return text


def monday_of_week(day: date | None) -> date | None:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday()) if day else None


def _day(year: int | None, month: int, day: int, near: date | None) -> date | None:
    if year is not None:
        return _date(year, month, day)
    if near is None:
        return None
    days = [found for number in (near.year - 1, near.year, near.year + 1) if (found := _date(number, month, day))]
    return min(days, key=lambda one: abs((one - near).days), default=None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return possible(date(year, month, day))
    except ValueError:
        return None


def possible(day: date) -> date | None:
    """Return the day; None for one in a year that no calendar of ours is about."""
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def weekday_number(word: str) -> int:
    """Return 0 for Monday, however it is shortened."""
    return WEEKDAYS.index(word[:3].lower())


def take_weekday(text: str) -> tuple[str, int | None]:
    """Take a weekday in brackets, beside a time or at the end out of a title; return the rest and the weekday."""
    for pattern in (shapes.DAY_IN_BRACKETS, shapes.DAY_BEFORE_A_TIME, shapes.DAY_AFTER_A_TIME, shapes.DAY_LAST):
        match = pattern.search(text)
        if match and not shapes.NAMES_A_DAY.search(text[: match.start("weekday")]):
            return f"{text[: match.start('taken')]} {text[match.end('taken') :]}", weekday_number(match["weekday"])
    return text, None


def take_first_weekday(text: str) -> tuple[str, int | None]:
    """Take a weekday off the start of a line, `Tues: Forum` or `Tues 9.30am Forum`; return the rest and the weekday."""
    match = shapes.DAY_FIRST.match(text)
    return (text[match.end() :], weekday_number(match["weekday"])) if match else (text, None)


def only_weekday(text: str) -> int | None:
    """Return the weekday that is all a text says."""
    match = shapes.DAY_ALONE.fullmatch(text)
    return weekday_number(match["weekday"]) if match else None
