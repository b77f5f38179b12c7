"""The year of dates that are written without one: said above the table, or else that of the other rows."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from booking.calendar.terms import DAY, school_year_of, year_days
from booking.exchange.reading.dates import MONTHS, find_dates, possible, without_dates
from booking.exchange.reading.workbook import Cell

_PAIR = re.compile(r"(?<![\d./])(?P<first>20\d{2}|(?<!-)[2-4]\d)\s?[-/–]\s?(?:20)?(?P<second>\d{2})(?![\d/]|[.-]\d)")
_TERM = re.compile(
    r"\b(?P<term>autumn|spring|summer)\s*(?:term\s*)?(?:[12]\s*)?,?\s*(?P<year>20\d{2})\b", re.IGNORECASE
)
_MONTH = re.compile(rf"\b(?P<month>{'|'.join(MONTHS)})[a-z]*\.?,?\s*(?P<year>20\d{{2}})\b", re.IGNORECASE)
_ALONE = re.compile(r"(?<!\d)20\d{2}(?!\d)")


def middle_of(year: int) -> date:
    """Return the day from which every day of a school year is nearest within that year."""
    first, last = year_days(year)
    return first + (last - first + DAY) // 2


def year_in(text: str) -> date | None:
    """Return the middle of the school year that a heading names: `2026-27`, `Autumn term 2026`, `September 2026`."""
    text = without_dates(text, find_dates(text))
    for pair in _PAIR.finditer(text):
        if int(pair["second"]) == (int(pair["first"]) + 1) % 100:
            return middle_of(2000 + int(pair["first"]) % 100)
    if term := _TERM.search(text):
        return middle_of(int(term["year"]) - (term["term"].casefold() != "autumn"))
    if month := _MONTH.search(text):
        return middle_of(school_year_of(date(int(month["year"]), MONTHS.index(month["month"].lower()) + 1, 1)))
    return None


def year_above(texts: Sequence[str], file: str) -> date | None:
    """Return the middle of the year that the sheet's name, the rows above the table or the file's name tell.

    A number alone, `Dates 2027`, is a year from January to December.
    """
    found = next((year for text in (*texts, file) if (year := year_in(text))), None)
    if found:
        return found
    alone = {int(year) for text in texts for year in _ALONE.findall(without_dates(text, find_dates(text)))}
    return date(alone.pop(), 7, 2) if len(alone) == 1 else None


def year_of_rows(cells: Iterable[Cell]) -> date | None:
    """Return the middle of the school year to which most of the dates with a year belong."""
    years = Counter(school_year_of(day) for cell in cells for day in _dated(cell))
    return middle_of(years.most_common(1)[0][0]) if years else None


def _dated(cell: Cell) -> list[date]:
    if isinstance(cell.value, date):
        return [day] if (day := possible(cell.value)) else []
    return [found.day for found in find_dates(cell.text) if found.day]
