"""Tables: one thing a row. Ours has a fixed header; any other with a column of dates is read by its column names."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from booking.calendar.terms import DAY
from booking.exchange.reading.cells import BEFORE_THE_FIRST, NOT_CERTAIN, Day, days_of, no_day
from booking.exchange.reading.dates import LONGEST_RANGE, WEEKDAYS, weekday_number
from booking.exchange.reading.entries import Context, Entry, Issue
from booking.exchange.reading.headers import DATED, Column, Header
from booking.exchange.reading.native import (
    KINDS,
    LONGEST_TITLE,
    VISIBILITIES,
    Wrong,
    close_by_the_start,
    closing,
    number,
    one_of,
    read_own,
    split,
)
from booking.exchange.reading.rows import Row, Said, finish, hear, time_of
from booking.exchange.reading.times import FoundTime, join_times
from booking.exchange.reading.titles import audience_of, category_of, kind_of, tidy, visibility_of
from booking.exchange.reading.workbook import Cell, Sheet, Workbook
from booking.exchange.reading.years import middle_of, year_above, year_in, year_of_rows

Value = TypeVar("Value")
_SPACES = re.compile(r"[^\S\n]{3,}")
_NOTHING = re.compile(r"[-–—]*|n/?a|none", re.IGNORECASE)
_NO_TIME = re.compile(r"\D*")
_ANYONE = re.compile(r"(?:open to )?(?:all|any(?:one|body)?|every(?:one|body)?)(?: welcome)?", re.IGNORECASE)
_NO_LIMIT = re.compile(r"unlimited|no (?:limit|maximum|max)|[-–—]|n/?a|tb[cad]", re.IGNORECASE)
_ABOUT_PLACES = re.compile(
    r"(?:max(?:imum)?\.?|up to|limited to)?\s*(\d+)\s*(?:places|people|max(?:imum)?\.?)?", re.IGNORECASE
)


@dataclass(slots=True)
class Table:
    """What was read of a table: its entries, and what had to be left out."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)

    def tell(self, code: str, message: str) -> None:
        """Name something that was left out, once."""
        if all(problem.message != message for problem in self.problems):
            self.problems.append(Issue(code, message))

    def leave_out(self, row: Row, reason: str) -> None:
        """Name a row that gives no entry."""
        self.tell("row-left-out", f"{row.name}: {reason}")

    def unless_wrong(self, row: Row, read: Callable[[], Value], instead: str) -> Value | None:
        """Return what is read; None for what cannot be, which is told with what was done instead."""
        try:
            return read()
        except Wrong as reason:
            self.tell("value-left-out", f"{row.name}: {reason} {instead}")
            return None


def read_table(sheet: Sheet, header: Header, context: Context, workbook: Workbook) -> Table:
    """Return the entries of a table. Raises Unreadable with the row for a value of our own table that cannot be."""
    table = Table()
    near = _year_of(sheet, header, context, workbook.file)
    of_the_sheet = f" of the sheet “{sheet.name}”" if len(workbook.sheets) > 1 else ""
    above: date | None = None
    for cells in map(sheet.with_merged, sheet.rows):
        if not cells or cells[0].row <= header.row or header.stands_again(cells):
            above = None
            continue
        row = Row(header, [_without_runs(cell) for cell in cells], f"Row {cells[0].row}{of_the_sheet}")
        if row.is_note(near):
            near = (len(cells) == 1 and year_in(cells[0].text)) or near
            continue
        read = len(table.entries)
        if header.is_native:
            table.entries += read_own(row, near, context)
        else:
            _read_row(row, near, context, table)
        above = _suggest_above(row, table.entries[read:], above)
    return table


def _suggest_above(row: Row, entries: list[Entry], above: date | None) -> date | None:
    """Suggest the date above for entries of a row with none, as where a date is typed once; return the row's own."""
    if row.first(*DATED):
        return next((entry.date for entry in reversed(entries)), None)
    for entry in entries if above else ():
        entry.issues = [
            replace(one, suggestion=f"{above}") if one.code == "date-missing" and not one.suggestion else one
            for one in entry.issues
        ]
    return next((entry.date for entry in reversed(entries) if entry.date), above)


def _without_runs(cell: Cell) -> Cell:
    """Return a cell without runs of spaces: a search goes through a run of thousands once for each of them."""
    return replace(cell, text=_SPACES.sub(" ", cell.text))


def _year_of(sheet: Sheet, header: Header, context: Context, file: str) -> date | None:
    above = [cell.text for row in sheet.rows if row and row[0].row <= header.row for cell in row]
    dated = {number for number, column in header.columns.items() if column.role in DATED}
    below = [cell for row in sheet.rows for cell in row if cell.row > header.row and cell.column in dated]
    return year_above([sheet.name, *above], file) or year_of_rows(below) or _year_known(context)


def _year_known(context: Context) -> date | None:
    return middle_of(context.year) if context.year is not None else None


def _read_row(row: Row, near: date | None, context: Context, table: Table) -> None:
    """Add the entries of a row of another's table: one for each day of each column of dates."""
    title, dated = _title_of(row), _dated(row, near)
    if title is None and not row.has_date(near):
        title, dated = _words_for_a_date([cell for _, cell, _ in dated]), []
    if title is None and not dated:
        if row.all("start", "end", "time", "venue", "host", "audience", "category", "places", "closes"):
            table.leave_out(row, "there is neither a date nor a title. It was left out; fill them in.")
        return
    main = next(row.header.of("date", "week"), None)
    if title and not any(column.role != "due" for column, _, _ in dated) and (main or not dated):
        dated = [(main or next(row.header.of("due")), title, []), *dated]
    for column, cell, days in dated:
        words = _with_what(title.text, column, row.header) if title else _words_of(column, cell, row, near)
        heard = Said("", days, _time_for(row, column), _venue_of(row), None)
        _add(row, column, cell.where, hear(words, heard, near, context.venues), table)


def _add(row: Row, column: Column, where: str, said: Said, table: Table) -> None:
    if not said.title:
        table.leave_out(row, "there is a date and no title. It was left out; fill in the title.")
        return
    if len(said.title) > LONGEST_TITLE:
        only = f"Only the first {LONGEST_TITLE} can be kept."
        table.tell("value-left-out", f"{row.name}: the title has more than {LONGEST_TITLE} letters. {only}")
    for day in said.days or [no_day()]:
        table.entries.append(_entry(row, column, where, said, day, table))


def _words_for_a_date(cells: list[Cell]) -> Cell | None:
    """Return what stands as words where a date should, `6/7 transition`; but `TBC` is no title."""
    words = (cell for cell in cells if not _NOTHING.fullmatch(cell.text))
    return next((cell for cell in words if not NOT_CERTAIN.search(cell.text)), None)


def _title_of(row: Row) -> Cell | None:
    """Return what a row is called; where no column is for that, the first words of which no column tells the use."""
    if row.header.has_titles:
        return row.first("title", "words")
    unknown = [cell for _, cell in row.all("unknown") if re.search(r"[^\W\d_]{3}", cell.text)]
    if row.header.dates_tell:
        first = min(number for number, column in row.header.columns.items() if column.role in DATED)
        return next((cell for cell in unknown if cell.column < first), None)
    return unknown[0] if unknown else row.first("category")


def _with_what(title: str, column: Column, header: Header) -> str:
    """Return a title with what the dates of a column are of, where several columns tell: `Panel 1 Closing date`."""
    if header.has_titles or not header.dates_tell:
        return title
    if column.role == "due":
        return f"{title} {column.name.capitalize()}"
    is_one_of_several = len(list(header.of("date"))) > 1 and column.about not in title.casefold()
    return f"{title} {column.about.capitalize()}" if is_one_of_several else title


def _words_of(column: Column, cell: Cell, row: Row, near: date | None) -> str:
    """Return the title of a row that has none of its own: words beside the date, or what the column's dates are of."""
    beside = tidy(days_of(cell, near).rest)
    if re.search(r"[^\W\d_]{3}", beside) and not NOT_CERTAIN.search(beside):
        return beside
    if row.header.has_titles:
        return ""
    return (column.name if column.role == "due" else column.about).capitalize()


def _dated(row: Row, near: date | None) -> list[tuple[Column, Cell, list[Day]]]:
    """Return the row's cells of dates with their days; a day that is to come has an issue."""
    cells = row.all(*DATED)
    found = []
    for column, cell in cells:
        days = days_of(cell, near, are_weeks=column.role == "week").days
        if days or len(cells) == 1 or not _NOTHING.fullmatch(cell.text):
            found.append((column, cell, days or [no_day(cell.text)]))
    if found and found[0][0].role == "date":
        column, cell, days = found[0]
        found[0] = column, cell, _up_to(row.first("last date"), days, near)
    return found


def _up_to(cell: Cell | None, days: list[Day], near: date | None) -> list[Day]:
    """Return a first day and those after it up to a last day; of more than 14 the first and the last."""
    last = days_of(cell, near).days if cell else []
    first = days[0].day
    if len(days) != 1 or first is None or len(last) != 1:
        return days
    end = last[0].day
    if end is None or end < first:
        return [*days, replace(last[0], issue=last[0].issue or BEFORE_THE_FIRST)]
    if end - first > LONGEST_RANGE:
        return [*days, replace(last[0], at=None)]
    return [replace(days[0], day=first + number * DAY) for number in range((end - first).days + 1)]


def _time_for(row: Row, column: Column) -> FoundTime | None:
    """Return the time that stands beside a date: `closing time` goes with `closing date`, `time` with the event's."""
    first = _beside(row, column, "start") or _beside(row, column, "time")
    last = _beside(row, column, "end")
    found = join_times(first, last)
    if found is None and not _NO_TIME.fullmatch(first + last):
        return FoundTime("", None, ambiguous=True)
    return found


def _beside(row: Row, column: Column, role: str) -> str:
    """Return the text of a column with this role that belongs to a column of dates, or to none."""
    cells = [(_owner(one, row.header), cell) for one, cell in row.all(role)]
    own = [cell.text for owner, cell in cells if owner is column]
    shared = [cell.text for owner, cell in cells if owner is None and column.role != "due"]
    return next(iter([*own, *shared]), "")


def _owner(column: Column, header: Header) -> Column | None:
    keys = ((one, one.about or one.name.removesuffix(" date")) for one in header.of(*DATED))
    return next((one for one, key in keys if column.name.startswith(key)), None)


def _venue_of(row: Row) -> str | None:
    places = [cell.text for _, cell in row.all("venue")] or [cell.text for _, cell in row.all("host")][:1]
    return ", ".join(dict.fromkeys(places)) or None


def _entry(row: Row, column: Column, where: str, said: Said, day: Day, table: Table) -> Entry:
    at = time_of(said, day)
    kind, category = _kind_and_category(row, table)
    category = category or category_of(said.title)
    has_start = at is not None and at.start is not None
    if kind is None:
        is_due = column.role == "due" or said.is_due
        kind = "deadline" if is_due else kind_of(said.title, has_time=at is not None)
    entry = Entry(
        text=row.text,
        where=where,
        title=said.title,
        date=day.day,
        start=at.start if at else None,
        end=at.end if at and has_start else None,
        kind=kind,
        category=category,
        venue=said.venue,
        audience=_audience_of(row, said.title),
        capacity=_places(row, "places", table),
        visibility=_visibility(row, visibility_of(said.title, kind, category), table),
        per_school=_places(row, "per school", table),
    )
    _read_closing(entry, row, table)
    written = _beside(row, column, "weekday")[:3].casefold()
    weekdays = [day.weekday, said.weekday]
    if written in WEEKDAYS and len(said.days) == 1 and day.weekday is None:
        weekdays.append(weekday_number(written))
    return finish(entry, day, weekdays, at)


def _audience_of(row: Row, title: str) -> list[str]:
    cell = row.first("audience")
    if cell is None:
        return audience_of(title)
    return [] if _ANYONE.fullmatch(cell.text) else split(cell)


def _kind_and_category(row: Row, table: Table) -> tuple[str | None, str | None]:
    """Return both, each None where it is not said; a column Kind or Type may be for either."""
    kind, category = row.first("kind"), row.first("category")
    if category and not kind and category.text.casefold() in KINDS:
        return category.text.casefold(), None
    if kind and not category and kind.text.casefold() not in KINDS:
        return None, kind.text
    said = table.unless_wrong(row, lambda: one_of(kind, "Kind", KINDS), "It was left out.")
    return said, category.text if category else None


def _places(row: Row, role: str, table: Table) -> int | None:
    named = row.all(role)
    if not named or _NO_LIMIT.fullmatch(named[0][1].text):
        return None
    column, cell = named[0]
    about = _ABOUT_PLACES.fullmatch(cell.text)
    said = replace(cell, text=about[1]) if about else cell
    return table.unless_wrong(row, lambda: number(said, column.name.capitalize()), "It was left out.")


def _visibility(row: Row, usual: str | None, table: Table) -> str | None:
    cell = row.first("visibility")
    if cell is None:
        return usual
    said = table.unless_wrong(row, lambda: one_of(cell, "Visibility", VISIBILITIES), "It is for the team only.")
    return said or "team"


def _read_closing(entry: Entry, row: Row, table: Table) -> None:
    closes = table.unless_wrong(row, lambda: closing(row.first("closes"), entry.date), "It was left out.")
    entry.closes, entry.closes_has_time = closes or (None, False)
    if not table.unless_wrong(row, lambda: close_by_the_start(entry), "It was left out."):
        entry.closes = None
