"""Where the weeks of a grid stand: at the top of a cell, at its left, or over its column."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from booking.exchange.reading.dates import find_dates, monday_of_week
from booking.exchange.reading.workbook import Cell, Sheet

_ODD_DATE = re.compile(r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{2,4})")
_HEAD = re.compile(
    r"^[\s*]*(?:w\s?[/.]?\s?[bc]|week\s+(?:beginning|commencing|starting))\b\.?\s*[:–—-]?\s*", re.IGNORECASE
)
_NAME = re.compile(
    r"\W*(?:w\s?[/.]?\s?[bc]|weeks?|week\s+(?:beginning|commencing|starting|of))(?:\s+date)?\W*", re.IGNORECASE
)
_NUMBER = re.compile(r"\W*(?:(?:week|wk)\s*(?:\d{1,2}|[ab])\b)?\W*", re.IGNORECASE)
_HALF_TERM = re.compile(r"\bhalf[\s-]*term\s*\d|\b(?:autumn|spring|summer)\s*(?:term)?\s*[12]\b", re.IGNORECASE)
Spot = tuple[int, int]


def split_head(line: str, near: date | None) -> tuple[date | None, str] | None:
    """Return the Monday that `W/B 04.09.23 Inset` names and the words beside it; None for a line that is no head.

    The Monday is None where its date cannot be read: `15/07.24` can.
    """
    head = _HEAD.match(line)
    if not head:
        return None
    text = line[head.end() :]
    odd = _ODD_DATE.match(text)
    if odd:
        found, end = find_dates(odd.expand(r"\g<day>.\g<month>.\g<year>"), near=near), odd.end()
    else:
        found = [one for one in find_dates(text, near=near, has_figures=True)[:1] if not text[: one.start].strip()]
        end = _end_of_week(text, near) if found else 0
    day = monday_of_week(found[0].day) if found else None
    words = text[end:]
    return day, "" if is_number(words) else words.strip(" \t:;,–—-*")


def _end_of_week(text: str, near: date | None) -> int:
    """Return where the date of a week ends; `7-11 September` is one."""
    return find_dates(f"w/c {text}", near=near, has_figures=True)[0].end - len("w/c ")


def week_alone(cell: Cell, near: date | None) -> date | None:
    """Return the Monday of a cell that holds a week or a date and nothing else but the week's number."""
    if isinstance(cell.value, date):
        return monday_of_week(cell.value)
    lines = [line.strip() for line in cell.text.split("\n") if not is_number(line)]
    if len(lines) != 1:
        return None
    if head := split_head(lines[0], near):
        return None if head[1] else head[0]
    return _day_alone(lines[0], near)


def _day_alone(line: str, near: date | None) -> date | None:
    found = find_dates(line, near=near)
    if not found or found[0].start or any(one.end < other.start for one, other in pairwise(found)):
        return None
    return monday_of_week(found[0].day) if is_number(line[found[-1].end :]) else None


def is_name(text: str) -> bool:
    """Tell whether a column is called `Week`, `W/B` or the like."""
    return bool(_NAME.fullmatch(text))


def is_number(text: str) -> bool:
    """Tell whether a text says no more than `Week 3` or `(wk B)`."""
    return bool(_NUMBER.fullmatch(text))


def names_half_term(text: str) -> bool:
    """Tell whether a cell is about `Half term 1`, `Autumn 2` or the like."""
    return bool(_HALF_TERM.search(text))


@dataclass(frozen=True, slots=True)
class Weeks:
    """The weeks of a sheet by row and column: those with a cell of their own, and all."""

    alone: dict[Spot, date]
    all: dict[Spot, date]
    columns: frozenset[int]
    headed: frozenset[int]
    half_terms: frozenset[int]
    over: dict[int, tuple[int, date]]
    gaps: tuple[int, ...]
    headings: dict[Spot, date]

    def of(self, cell: Cell) -> date | None:
        """Return the week of a cell: that at its left, else the last above in a column of weeks, or the one over it."""
        return self._at_the_left(cell) or self._heading_above(cell) or self._over(cell)

    def _heading_above(self, cell: Cell) -> date | None:
        """Return the last of the weeks that stand in a column above their entries, unless an empty row lies between."""
        gap = max((gap for gap in self.gaps if gap < cell.row), default=0)
        rows = [row for row, column in self.headings if column == cell.column and gap < row < cell.row]
        return self.headings[max(rows), cell.column] if rows else None

    def _at_the_left(self, cell: Cell) -> date | None:
        if cell.column in self.headed:
            return None  # its cells have weeks of their own
        for column in range(cell.column - 1, 0, -1):
            if column in self.half_terms and cell.column in self.half_terms:
                continue
            week = self.all.get((cell.row, column)) or self._above(cell.row, column)
            if week:
                return week
        return None

    def _above(self, row: int, column: int) -> date | None:
        """Return the last week above in a column of weeks, unless an empty row lies between."""
        if column not in self.columns:
            return None
        gap = max((gap for gap in self.gaps if gap < row), default=0)
        last = max((number for number, other in self.alone if other == column and gap < number < row), default=None)
        return self.alone[last, column] if last else None

    def _over(self, cell: Cell) -> date | None:
        if cell.column not in self.over:
            return None
        row, week = self.over[cell.column]
        return week if row < cell.row else None


def weeks_of(sheet: Sheet, near: date | None) -> Weeks:
    """Return where the weeks of a sheet stand."""
    cells = [cell for row in sheet.rows for cell in row]
    alone = {(cell.row, cell.column): week for cell in cells if (week := week_alone(cell, near))}
    weeks = {(cell.row, cell.column): week for cell in cells if (week := _at_the_top(cell, near))} | alone
    first = min((row for row, _ in weeks), default=1)
    below = Counter(cell.column for cell in cells if cell.row >= first)
    with_week = _by_column(weeks)
    half_terms = frozenset(cell.column for cell in cells if cell.row < first and names_half_term(cell.text))
    columns = frozenset(column for column, number in _by_column(alone).items() if number == below[column])
    return Weeks(
        alone,
        weeks,
        columns=columns,
        headed=frozenset(column for column, number in with_week.items() if number * 2 > below[column]),
        half_terms=half_terms,
        over={column: over for column, over in _across(alone, with_week).items() if column not in half_terms},
        gaps=tuple(number for number, row in enumerate(sheet.rows, start=1) if not row),
        headings=_headings(cells, columns, half_terms, near),
    )


def _at_the_top(cell: Cell, near: date | None) -> date | None:
    lines = [line for line in cell.text.split("\n") if not is_number(line)]
    head = split_head(lines[0], near) if lines else None
    return head[0] if head else None


def _headings(
    cells: list[Cell], columns: frozenset[int], half_terms: frozenset[int], near: date | None
) -> dict[Spot, date]:
    """Return the Mondays, without W/B, that stand alone above their entries: in half terms, or several in a column."""
    found = {
        (cell.row, cell.column): monday
        for cell in cells
        if cell.column not in columns and (monday := _monday_alone(cell, near))
    }
    number = _by_column(found)
    return {spot: monday for spot, monday in found.items() if spot[1] in half_terms or number[spot[1]] >= 2}


def _monday_alone(cell: Cell, near: date | None) -> date | None:
    monday = week_alone(cell, near)
    if isinstance(cell.value, date):
        return monday if monday == cell.value else None
    days = [found.day for found in find_dates(cell.text, near=near) if not found.is_week]
    return monday if monday and days == [monday] and not is_head(cell.text) else None


def is_head(text: str) -> bool:
    """Tell whether a text begins with W/B or the like."""
    return bool(_HEAD.match(text))


def _by_column(spots: Iterable[Spot]) -> Counter[int]:
    return Counter(column for _, column in spots)


def _across(alone: dict[Spot, date], with_week: Counter[int]) -> dict[int, tuple[int, date]]:
    """Return the week over each column, with its row, where weeks go across: some side by side, one a column."""
    single = {spot: week for spot, week in alone.items() if with_week[spot[1]] == 1}
    side_by_side = Counter(row for row, _ in single)
    return {column: (row, week) for (row, column), week in single.items() if side_by_side[row] >= 2}
