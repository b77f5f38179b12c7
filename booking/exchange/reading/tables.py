"""Tables: one thing a row. Ours has a fixed header; any other with a column of dates is read by its column names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from booking.exchange.reading.dates import find_dates, possible, weekday_number
from booking.exchange.reading.entries import Context, Entry, Issue
from booking.exchange.reading.lines import weekday_issue
from booking.exchange.reading.times import find_time
from booking.exchange.reading.titles import TEAM_ONLY, audience_of, category_of, kind_of, take_venue, tidy
from booking.exchange.reading.workbook import Cell, Sheet, Unreadable

NATIVE = (
    "date",
    "start",
    "end",
    "title",
    "category",
    "venue",
    "audience",
    "places",
    "per school",
    "closes",
    "kind",
    "visibility",
)
KINDS, VISIBILITIES = ("session", "deadline", "milestone"), ("public", "staff", "team")
_TITLE = re.compile(r"^(?:title|event|name|what|subject|session|topic|description)$")
_DATE = re.compile(r"\bdate\b|^when$|^day$")
_WEEKDAY = re.compile(r"weekday|^day of")
_TIME = re.compile(r"\btime\b|^start$")
_VENUE = re.compile(r"^(?:venue|where|location|place|room)$")
Record = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Header:
    """The row of column names, and each name's column."""

    row: int
    columns: dict[int, str]

    @property
    def is_native(self) -> bool:
        """Tell whether this is our own table."""
        names = set(self.columns.values())
        return {"date", "title"} <= names <= set(NATIVE)


def find_header(sheet: Sheet) -> Header | None:
    """Return the first row that names a column of dates and at least one more."""
    for row in sheet.rows[:20]:
        names = {cell.column: " ".join(cell.text.replace("_", " ").casefold().split()) for cell in row}
        is_dated = any(_DATE.search(name) and not _WEEKDAY.search(name) and len(name) < 40 for name in names.values())
        if is_dated and len(names) > 1 and not any(find_dates(name) for name in names.values()):
            return Header(row[0].row, names)
    return None


def read_table(sheet: Sheet, header: Header, context: Context) -> list[Entry]:
    """Return the entries of a table. Raises Unreadable with the row for a value of our own table that cannot be."""
    near = date(context.year + 1, 2, 1) if context.year else None
    entries = []
    for row in sheet.rows:
        if not row or row[0].row <= header.row:
            continue
        record = {header.columns[cell.column]: cell for cell in row if cell.column in header.columns}
        if header.is_native:
            entries += _native(record, row, near, context)
        else:
            entries += _row(record, header, near, context)
    return entries


def _day_of(cell: Cell | None, near: date | None) -> tuple[date | None, Issue | None, int | None]:
    """Return the day of a cell, what is wrong with it, and a weekday written beside it."""
    if cell is None:
        return None, Issue("date-missing", "There is no date. Which day is meant?"), None
    if isinstance(cell.value, date):
        day = possible(cell.value)
        return day, None if day else Issue("date-impossible", f"{cell.value.year} is no year of this calendar."), None
    found = find_dates(cell.text, near=near)
    if not found:
        return None, Issue("date-missing", f"“{cell.text[:40]}” is not a date."), None
    if found[0].day is None:
        return None, Issue("date-impossible", "There is no such day in the calendar, or no year."), None
    if found[0].is_week:
        return found[0].day, Issue("date-approximate", "Only the week is given; its Monday was taken."), None
    return found[0].day, None, found[0].weekday


def _row(record: Record, header: Header, near: date | None, context: Context) -> list[Entry]:
    """Return the entries of a row: one for each column of dates."""
    dated = [name for name in header.columns.values() if _DATE.search(name) and not _WEEKDAY.search(name)]
    if not any(name in record for name in dated):
        return []  # a footnote, or a heading
    title = next((cell for name, cell in record.items() if _TITLE.match(name)), None)
    entries = []
    for name in dated:
        if name not in record:
            continue
        about = name.replace("date", "").strip()
        entries.append(_dated(record, record[name], about, title.text if title else "", near, context))
    return entries


def _dated(record: Record, cell: Cell, about: str, title: str, near: date | None, context: Context) -> Entry:
    day, issue, weekday = _day_of(cell, near)
    own = title or {"closing": "Closing date", "": "Event"}.get(about, about.capitalize())
    words, venue = take_venue(own, context.venues)
    at = find_time(_beside(record, _TIME, about)) if _beside(record, _TIME, about) else None
    said = next((found.text for name, found in record.items() if _VENUE.match(name)), None)
    name = tidy(words) or own
    category = category_of(name)
    entry = Entry(
        text=" | ".join(found.text for found in record.values()),
        where=cell.where,
        title=name,
        date=day,
        start=at.start if at else None,
        end=at.end if at else None,
        kind=kind_of(name, has_time=at is not None and about != "closing"),
        category=category,
        venue=said or venue,
        audience=audience_of(name),
        visibility="team" if category in TEAM_ONLY else None,
    )
    if issue:
        entry.issues.append(issue)
    written = _beside(record, _WEEKDAY, about)
    if weekday is None and written and re.match(r"(?i)(mon|tue|wed|thu|fri|sat|sun)", written):
        weekday = weekday_number(written)
    if entry.date and weekday is not None:
        weekday_issue(entry, weekday)
    if at and at.ambiguous:
        entry.issues.append(Issue("time-ambiguous", "This time can be read in two ways. Which one is meant?"))
    return entry


def _beside(record: Record, pattern: re.Pattern[str], about: str) -> str:
    """Return the cell of a column that belongs to the same date: `closing time` to `closing date`."""
    names = [name for name in record if pattern.search(name) and not (pattern is _TIME and _WEEKDAY.search(name))]
    own = [name for name in names if about and name.startswith(about)]
    shared = [name for name in names if name.replace("time", "").strip() in {"", "start"}]
    chosen = own or shared
    return record[chosen[0]].text if chosen else ""


def _native(record: Record, row: list[Cell], near: date | None, context: Context) -> list[Entry]:
    """Return the entry of a row of our own table."""
    title, number = record.get("title"), row[0].row
    if title is None or (record.get("date") is None and (len(row) == 1 or title.text.startswith("*"))):
        if record.get("date") is not None:
            raise Unreadable(f"Row {number}: there is a date and no title. Fill in the title.")
        return []
    day, issue, weekday = _day_of(record.get("date"), near)
    name = tidy(title.text) or title.text
    kind = _one_of(record, "kind", KINDS, number) or kind_of(name, has_time="start" in record)
    category = record["category"].text if "category" in record else category_of(name)
    entry = Entry(
        text=" | ".join(cell.text for cell in row),
        where=record.get("date", title).where,
        title=name,
        date=day,
        start=_time(record, "start", number),
        end=_time(record, "end", number),
        kind=kind,
        category=category,
        venue=record["venue"].text if "venue" in record else None,
        audience=[part.strip() for part in re.split(r"[;,]", record["audience"].text) if part.strip()]
        if "audience" in record
        else [],
        capacity=_number(record, "places", number),
        visibility=_one_of(record, "visibility", VISIBILITIES, number),
        per_school=_number(record, "per school", number),
    )
    if issue:
        entry.issues.append(issue)
    if weekday is not None and entry.date:
        weekday_issue(entry, weekday)
    _refuse_what_cannot_be(entry, number)
    _read_closing(entry, record, number, near)
    return [entry]


def _refuse_what_cannot_be(entry: Entry, number: int) -> None:
    if len(entry.title) > 200:
        raise Unreadable(f"Row {number}: the title has more than 200 letters. Shorten it.")
    if entry.end and not entry.start:
        raise Unreadable(f"Row {number}: there is an end and no start. Fill in the start.")
    if entry.start and entry.end and entry.end <= entry.start:
        raise Unreadable(f"Row {number}: the end {entry.end:%H:%M} is not after the start {entry.start:%H:%M}.")


def _read_closing(entry: Entry, record: Record, number: int, near: date | None) -> None:
    cell = record.get("closes")
    if cell is None:
        return
    day, issue, _ = _day_of(cell, near or entry.date)
    if day is None or issue:
        raise Unreadable(
            f"Row {number}: “{cell.text[:40]}” under Closes is not a date. Write it like 2026-11-20 12:00."
        )
    text = re.sub(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}", " ", cell.text)
    at = find_time(text)
    entry.closes = datetime.combine(day, at.start if at and at.start else time(12, 0))
    entry.closes_has_time = bool(at and at.start)


def _one_of(record: Record, name: str, words: tuple[str, ...], number: int) -> str | None:
    cell = record.get(name)
    if cell is None:
        return None
    word = cell.text.casefold()
    if word not in words:
        raise Unreadable(f"Row {number}: “{cell.text[:40]}” under {name.capitalize()} is none of {', '.join(words)}.")
    return word


def _number(record: Record, name: str, number: int) -> int | None:
    cell = record.get(name)
    if cell is None:
        return None
    if not (cell.text.isascii() and cell.text.isdecimal() and int(cell.text) <= 100_000):
        raise Unreadable(f"Row {number}: “{cell.text[:40]}” under {name.capitalize()} is not a whole number.")
    return int(cell.text)


def _time(record: Record, name: str, number: int) -> time | None:
    cell = record.get(name)
    if cell is None:
        return None
    if isinstance(cell.value, time):
        return cell.value.replace(second=0, microsecond=0)
    exact = re.fullmatch(r"([01]?\d|2[0-3])[:.]([0-5]\d)", cell.text)
    if exact and (len(exact[1]) == 2 or int(exact[1]) > 6):
        return time(int(exact[1]), int(exact[2]))
    found = find_time(cell.text)
    if found is None or found.start is None:
        raise Unreadable(
            f"Row {number}: “{cell.text[:40]}” under {name.capitalize()} is not a time. Write it like 13:30."
        )
    return found.start
