"""A row of our own table: what cannot be is refused with the row and the reason."""

import re
from datetime import date, datetime, time

from booking.exchange.reading.cells import Day, days_of, no_day
from booking.exchange.reading.entries import Context, Entry
from booking.exchange.reading.rows import Row, Said, finish, hear, time_of
from booking.exchange.reading.times import FoundTime, join_times, read_time
from booking.exchange.reading.titles import category_of, kind_of
from booking.exchange.reading.workbook import Cell, Unreadable

KINDS, VISIBILITIES = ("session", "deadline", "milestone"), ("public", "staff", "team")
MOST_PLACES = 100_000
LONGEST_TITLE = 200
NOON = time(12, 0)


class Wrong(Exception):
    """A value that cannot be: the reason, to stand behind the name of its row."""


def read_own(row: Row, near: date | None, context: Context) -> list[Entry]:
    """Return the entries of a row, one for each of its days. Raises Unreadable."""
    try:
        return _entries(row, near, context)
    except Wrong as reason:
        raise Unreadable(f"{row.name}: {reason}") from None


def _entries(row: Row, near: date | None, context: Context) -> list[Entry]:
    when = row.first("date")
    title = row.first("title") or (when if when and len(row.cells) == 1 and not row.has_date(near) else None)
    if title is None:
        missing = "there is a date and no title" if row.has_date(near) else "there is no title"
        raise Wrong(f"{missing}. Fill in the title.")
    own = days_of(when, near).days if when else []
    place = row.first("venue")
    days = own or ([no_day(when.text)] if when else [])
    said = hear(title.text, Said("", days, _time(row), place.text if place else None, None), near, context.venues)
    if not said.title:
        raise Wrong(f"“{title.text[:40]}” is no title. Fill in the title.")
    if len(said.title) > LONGEST_TITLE:
        raise Wrong(f"the title has more than {LONGEST_TITLE} letters. Shorten it.")
    entries = [_entry(row, said, day, (when or title).where) for day in said.days or [no_day()]]
    _read_closing(entries, row.first("closes"), near)
    return entries


def _entry(row: Row, said: Said, day: Day, where: str) -> Entry:
    at, category = time_of(said, day), row.first("category")
    if at and at.start is None and at.end:
        raise Wrong("there is an end and no start. Fill in the start.")
    usual = "deadline" if said.is_due else kind_of(said.title, has_time=at is not None)
    entry = Entry(
        text=row.text,
        where=where,
        title=said.title,
        date=day.day,
        start=at.start if at else None,
        end=at.end if at else None,
        kind=one_of(row.first("kind"), "Kind", KINDS) or usual,
        category=category.text if category else category_of(said.title),
        venue=said.venue,
        audience=split(row.first("audience")),
        capacity=number(row.first("places"), "Places"),
        visibility=one_of(row.first("visibility"), "Visibility", VISIBILITIES),
        per_school=number(row.first("per school"), "Per school"),
    )
    return finish(entry, day, (day.weekday, said.weekday), at)


def _time(row: Row) -> FoundTime | None:
    """Return the time by Start and End; only what can be read in two ways is let through to be asked about."""
    first, last = row.first("start"), row.first("end")
    begins, ends = _time_under(first, "Start"), _time_under(last, "End")
    at = join_times(first.text if first else "", last.text if last else "")
    if begins and ends and at and at.ambiguous and not (begins.ambiguous or ends.ambiguous):
        if begins.end:
            assert first is not None
            raise Wrong(f"the end {ends.start:%H:%M} is not that of “{first.text[:40]}” under Start.")
        raise Wrong(f"the end {ends.start:%H:%M} is not after the start {begins.start:%H:%M}.")
    return at


def _time_under(cell: Cell | None, name: str) -> FoundTime | None:
    found = read_time(cell.text) if cell else None
    if cell and not found:
        raise Wrong(f"“{cell.text[:40]}” under {name} is not a time. Write it like 13:30.")
    return found


def one_of(cell: Cell | None, name: str, words: tuple[str, ...]) -> str | None:
    """Return the one of these words that a cell says. Raises Wrong."""
    if cell is None or cell.text.casefold() in words:
        return cell.text.casefold() if cell else None
    raise Wrong(f"“{cell.text[:40]}” under {name} is none of {', '.join(words)}.")


def number(cell: Cell | None, name: str) -> int | None:
    """Return the number of a cell. Raises Wrong."""
    if cell is None:
        return None
    if not (cell.text.isascii() and cell.text.isdecimal() and 1 <= int(cell.text) <= MOST_PLACES):
        raise Wrong(f"“{cell.text[:40]}” under {name} is not a whole number from 1. Leave it empty for no limit.")
    return int(cell.text)


def split(cell: Cell | None) -> list[str]:
    """Return the names in a cell."""
    return [part.strip() for part in re.split(r"[;,\n]", cell.text) if part.strip()] if cell else []


def closing(cell: Cell | None, near: date | None) -> tuple[datetime | None, bool]:
    """Return when bookings close by a cell, at noon where it says no time, and whether it says one. Raises Wrong."""
    if cell is None:
        return None, False
    days = days_of(cell, near).days
    if len(days) != 1 or days[0].day is None or days[0].issue:
        raise Wrong(f"“{cell.text[:40]}” under Closes is not a date. Write it like 2026-11-20 12:00.")
    at = days[0].at.start if days[0].at else None
    return datetime.combine(days[0].day, at or NOON), at is not None


def _read_closing(entries: list[Entry], cell: Cell | None, near: date | None) -> None:
    days = [entry.date for entry in entries if entry.date]
    closes, has_time = closing(cell, near or min(days, default=None))
    for entry in entries:
        entry.closes, entry.closes_has_time = closes, has_time
        close_by_the_start(entry)


def close_by_the_start(entry: Entry) -> bool:
    """Let bookings of a day on which they close without a time close by its start. Raises Wrong if they close later."""
    if entry.closes is None or entry.date is None or entry.closes.date() < entry.date:
        return True
    if entry.closes.date() > entry.date:
        raise Wrong(f"bookings close on {entry.closes:%d.%m.%Y}, after the day {entry.date:%d.%m.%Y}.")
    if entry.start and entry.closes.time() > entry.start:
        if entry.closes_has_time:
            raise Wrong(f"bookings close at {entry.closes:%H:%M} on the day, after the start {entry.start:%H:%M}.")
        entry.closes = datetime.combine(entry.date, entry.start)
    return True
