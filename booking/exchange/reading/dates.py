"""Dates and weekdays as people type them. Nothing is corrected: what is odd is told."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from booking.calendar.terms import FIRST_YEAR, LAST_YEAR

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon(?:day)?|tues?(?:day)?|wed(?:s|nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_ISO = re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<mon>\d{1,2})-(?P<day>\d{1,2})(?!\d)")
# The same mark twice, and no am or pm after it: `9.30-10.30` and `Workshop 4.3.30pm` are times.
_NUMBERS = re.compile(
    r"(?<![\d./])(?P<day>\d{1,2})\s?(?P<mark>[./-])\s?(?P<mon>\d{1,2})\s?(?P=mark)\s?(?P<year>\d{4}|\d{2})(?!\d|\s*[ap]\.?m\b)",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b\.?(?:,?\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"\b{_MONTH}\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*[.:]\d)(?:,?\s+(?P<year>\d{{4}}))?", re.IGNORECASE
)
# `6/7 transition` means years 6 and 7; without a year, numbers are a date only at the start of a line, before a colon.
_SHORT = re.compile(r"^(?P<day>\d{1,2})[./](?P<mon>\d{1,2})(?=\s*:)(?P<year>)")
_WEEK = re.compile(r"\bw\s?/?\s?[cb]\b\.?:?\s*|\bweek\s+(?:commencing|beginning)\s*:?\s*", re.IGNORECASE)
_DAY_BEFORE = re.compile(rf"(?P<weekday>\b{_WEEKDAY})\.?,?\s*$", re.IGNORECASE)
_DAY_AFTER = re.compile(rf"^\s*[,(]?\s*(?P<weekday>{_WEEKDAY})\b\.?\)?(?!\s+[a-z])", re.IGNORECASE)
_DAY_IN_BRACKETS = re.compile(rf"\(\s*(?P<weekday>{_WEEKDAY})\.?\s*\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text: where it stands, the day (None if there is no such day), and how it was said."""

    start: int
    end: int
    day: date | None
    weekday: int | None
    is_week: bool


def find_dates(text: str, *, near: date | None = None) -> list[FoundDate]:
    """Return the dates of a line in their order, each with a weekday that stands beside it.

    `near` gives the year where none is written: the one that brings the day closest.
    """
    found: list[FoundDate] = []
    for pattern in (_ISO, _NUMBERS, _WORDS, _MONTH_FIRST, _SHORT):
        for match in pattern.finditer(text):
            if all(match.end() <= other.start or match.start() >= other.end for other in found):
                found.append(_found(text, match, near))
    return sorted(found, key=lambda one: one.start)


def _found(text: str, match: re.Match[str], near: date | None) -> FoundDate:
    parts = match.groupdict()
    month = int(parts["mon"]) if parts.get("mon") else MONTHS.index(parts["month"][:3].lower()) + 1
    day = _day(parts.get("year") or "", month, int(parts["day"]), near)
    start, end, weekday = match.start(), match.end(), None
    before, after = _DAY_BEFORE.search(text[:start]), _DAY_AFTER.search(text[end:])
    if before:
        start, weekday = before.start(), weekday_number(before["weekday"])
    elif after:
        end, weekday = end + after.end(), weekday_number(after["weekday"])
    week = _WEEK.search(text[:start])
    is_week = bool(week and week.end() == start)
    if week and is_week:
        start = week.start()
    return FoundDate(start, end, monday_of_week(day) if is_week else day, weekday, is_week)


def monday_of_week(day: date | None) -> date | None:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday()) if day else None


def _day(year: str, month: int, day: int, near: date | None) -> date | None:
    if year:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
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
    """Take a weekday in brackets out of a title; return the rest and the weekday."""
    match = _DAY_IN_BRACKETS.search(text)
    if not match:
        return text, None
    return (text[: match.start()] + " " + text[match.end() :]), weekday_number(match["weekday"])
