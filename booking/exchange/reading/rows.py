"""A row of a table: its cells by what their columns are for, and what its title says besides."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from booking.exchange.reading.cells import Day, Days, days_in, days_of
from booking.exchange.reading.dates import find_dates, take_weekday, without_dates
from booking.exchange.reading.entries import Entry
from booking.exchange.reading.headers import DATED, Column, Header
from booking.exchange.reading.lines import ONLY_THE_WEEK, time_issue, weekday_issue
from booking.exchange.reading.notes import is_footnote
from booking.exchange.reading.pieces import is_due_by_a_time
from booking.exchange.reading.times import FoundTime, find_time
from booking.exchange.reading.titles import take_venue, tidy
from booking.exchange.reading.workbook import Cell
from booking.exchange.reading.years import year_in

UNNAMED = Column("", "unknown")
_SENTENCE = re.compile(
    r"[.!]$|^(?:please|notes?\b|n\.?b\b|all (?:dates|times)|(?:dates|times) (?:may|are|will))", re.IGNORECASE
)
_STAMP = re.compile(r"(?:last )?(?:updated?|revised|version|correct|printed|as (?:of|at))\b", re.IGNORECASE)
_TELLS = re.compile(r"\b(?:may|might|will|can|should|must|are|is|please|subject to|contact)\b", re.IGNORECASE)
_HEADING = re.compile(
    r"(?:autumn|spring|summer|half|school|term|year|\d|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|[-/–]|\s)+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row below its header, and how a message names it."""

    header: Header
    cells: list[Cell]
    name: str

    @property
    def text(self) -> str:
        """The row's own words."""
        return " | ".join(cell.text for cell in self.cells)

    def all(self, *roles: str) -> list[tuple[Column, Cell]]:
        """Return the filled cells of the columns with these roles, left to right."""
        named = [(self.header.columns.get(cell.column, UNNAMED), cell) for cell in self.cells]
        return [(column, cell) for column, cell in named if column.role in roles]

    def first(self, *roles: str) -> Cell | None:
        """Return the first filled cell of the first of these roles that has one."""
        return next((cell for role in roles for _, cell in self.all(role)), None)

    def has_date(self, near: date | None) -> bool:
        """Tell whether a column of dates holds one."""
        return any(days_of(cell, near).days for _, cell in self.all(*DATED))

    def is_note(self, near: date | None) -> bool:
        """Tell whether a row is a footnote, or a heading over the rows below it."""
        words, is_alone, title = self.cells[0].text, len(self.cells) == 1, self.first("title")
        if is_alone and (words.startswith("*") or _STAMP.match(words)):
            return True
        if self.has_date(near) or (title and days_in(title.text, near).days):
            return False
        if title and title.text.startswith("*"):
            return True
        if words.startswith("*") and (title is None or (len(self.cells) == 2 and not words.strip("* "))):
            return True
        return is_alone and (is_footnote(words) or _is_note(words, is_title=title is not None))


def _is_note(words: str, *, is_title: bool) -> bool:
    if _HEADING.fullmatch(words) and not words.isdecimal():
        return bool(re.search(r"[a-z]", words, re.IGNORECASE) or year_in(words))
    tells = not is_title and len(words.split()) > 2 and _TELLS.search(words)
    return bool(tells or _SENTENCE.search(words))


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says, wherever it says it; the title is without what was read out of it."""

    title: str
    days: list[Day]
    at: FoundTime | None
    venue: str | None
    weekday: int | None
    is_due: bool = False


def hear(title: str, said: Said, near: date | None, venues: Collection[str]) -> Said:
    """Return what columns and title say. The columns win, and what contradicts them stays in the title.

    The title is empty where it has no words at all.
    """
    found = _days_beside(title, said.days, near)
    rest, weekday = take_weekday(found.rest)
    written, known = find_time(rest), [at for at in (said.at, *(day.at for day in found.days)) if at]
    at, is_due = said.at, is_due_by_a_time(rest)
    if written and all(_agree(one, written) for one in known):
        rest, at = written.rest, _both(at, written) if at else written
    name, (without, place) = tidy(rest), take_venue(rest, venues)
    venue = said.venue
    if place and (venue is None or place.casefold() in venue.casefold()):
        rest, venue = without, venue or place
    return Said(tidy(rest) or name or tidy(title), found.days, at, venue, weekday, is_due)


def _days_beside(title: str, days: list[Day], near: date | None) -> Days:
    """Return the days of a row, those of its title where it has no others; and the title without them."""
    if not days:
        return days_in(title, near)
    known = {day.day for day in days}
    again = [one for one in find_dates(title, near=near) if one.day and one.day in known and not one.is_week]
    return Days(days, without_dates(title, again))


def time_of(said: Said, day: Day) -> FoundTime | None:
    """Return the time of one of a row's days; ambiguous where the row contradicts itself."""
    if day.at is None or said.at is None:
        return said.at or day.at
    if _agree(said.at, day.at):
        return _both(said.at, day.at)
    return FoundTime("", None, ambiguous=True, likely=said.at.start or said.at.likely)


def _agree(one: FoundTime, other: FoundTime) -> bool:
    if one.start is None or other.start is None:  # an end alone, to which the other is the start
        return bool(one.end and other.start and not other.end and other.start < one.end)
    return one.start == other.start and (not one.end or not other.end or one.end == other.end)


def _both(one: FoundTime, other: FoundTime) -> FoundTime:
    return FoundTime("", one.start or other.start, one.end or other.end)


def finish(entry: Entry, day: Day, weekdays: Collection[int | None], at: FoundTime | None) -> Entry:
    """Add to an entry what is odd about its day and its time."""
    if day.issue:
        entry.issues.append(day.issue)
    for weekday in dict.fromkeys(weekdays):
        if entry.date and weekday is not None and day.issue is not ONLY_THE_WEEK:
            weekday_issue(entry, weekday)
    time_issue(entry, at)
    return entry
