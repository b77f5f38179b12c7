"""The year planner as a spreadsheet: half terms across, weeks down, several entries in a cell."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from booking.exchange.reading.dates import find_dates
from booking.exchange.reading.entries import Context, Entry, Issue
from booking.exchange.reading.lines import Place, read_line
from booking.exchange.reading.workbook import Cell, Sheet

_HALF_TERM = re.compile(r"\bhalf[\s-]*term\s*\d|\b(?:autumn|spring|summer)\s*(?:term)?\s*[12]\b", re.IGNORECASE)
_WEEK_HEAD = re.compile(r"^[\s*]*w\s?/?\s?[bc]\b\.?:?\s*|^[\s*]*week\s+(?:beginning|commencing)\s*:?\s*", re.IGNORECASE)
_ODD_DATE = re.compile(r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{2,4})")
_SCHOOL_YEAR = re.compile(r"\b(?P<year>20\d{2})\s?[-/–]\s?(?:20)?\d{2}\b")
WEEK = timedelta(days=6)


def is_grid(sheet: Sheet) -> bool:
    """Tell whether half terms are named across, or cells begin with `W/B`."""
    half_terms = any(sum(bool(_HALF_TERM.search(cell.text)) for cell in row) >= 2 for row in sheet.rows)
    heads = sum(bool(_WEEK_HEAD.match(cell.text)) for row in sheet.rows for cell in row)
    return heads >= 3 or (half_terms and heads >= 1)


def read_grid(sheet: Sheet, context: Context) -> list[Entry]:
    """Return the entries of a grid, half term by half term and week by week."""
    near = _middle_of_the_year(sheet, context)
    cells = [cell for row in sheet.rows for cell in row if _belongs_to_the_grid(cell)]
    entries: list[Entry] = []
    for cell in sorted(cells, key=lambda one: (one.column, one.row)):
        entries.extend(_read_cell(cell, near, tuple(context.venues)))
    return entries


def _belongs_to_the_grid(cell: Cell) -> bool:
    first = cell.text.split("\n", 1)[0]
    if _WEEK_HEAD.match(first):
        return True
    is_head = bool(_HALF_TERM.search(first)) or cell.column == 1 or cell.row == 1
    return not is_head and not first.lstrip().startswith("*") and bool(find_dates(first))


def _middle_of_the_year(sheet: Sheet, context: Context) -> date | None:
    titles = [cell.text for row in sheet.rows[:3] for cell in row] + [sheet.name]
    match = next((found for text in titles if (found := _SCHOOL_YEAR.search(text))), None)
    year = int(match["year"]) if match else context.year
    return date(year + 1, 2, 1) if year else None


def _read_cell(cell: Cell, near: date | None, venues: tuple[str, ...]) -> Iterator[Entry]:
    lines = [line.strip() for line in cell.text.split("\n") if line.strip()]
    week = None
    for line in lines:
        head = _WEEK_HEAD.match(line)
        if head:
            week = week_of_head(line[head.end() :], near)
            continue
        if line.startswith("*"):
            continue  # a footnote
        for entry in read_line(line, Place(cell.where, week, week or near), venues):
            _outside_its_week(entry, week)
            yield entry


def week_of_head(text: str, near: date | None) -> date | None:
    """Return the Monday of `04.09.23`, of `15/07.24`, of `4 September`."""
    match = _ODD_DATE.search(text)
    found = find_dates(match.expand(r"\g<day>.\g<month>.\g<year>") if match else text, near=near)
    day = found[0].day if found else None
    return day - timedelta(days=day.weekday()) if day else None


def _outside_its_week(entry: Entry, week: date | None) -> None:
    """Tell where a date is not in the week it stands in; suggest the day of the same number within that week."""
    if week is None or entry.date is None or week <= entry.date <= week + WEEK:
        return
    days = [week + timedelta(days=number) for number in range(7)]
    meant = next((day for day in days if day.day == entry.date.day), None)
    message = f"{entry.date:%d.%m.%Y} is not in the week of {week:%d.%m.%Y} in which it stands."
    entry.issues.append(Issue("date-outside-week", message, meant.isoformat() if meant else None))
