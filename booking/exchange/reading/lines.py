"""One typed line, such as `20.09.23: P/S Senco forum (1) 9.30am`, to entries."""

from dataclasses import dataclass
from datetime import date, timedelta

from booking.exchange.reading.dates import FoundDate, find_dates, take_first_weekday
from booking.exchange.reading.entries import Entry, Issue
from booking.exchange.reading.pieces import Piece, pieces_of
from booking.exchange.reading.times import FoundTime
from booking.exchange.reading.titles import audience_of, category_of, kind_of, take_venue, tidy, visibility_of

ONLY_THE_WEEK = Issue("date-approximate", "Only the week is given; its Monday was taken.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: its cell, and the week of the grid where there is one.

    `near` gives dates their year, `day` is the day that is suggested for a line without a date.
    """

    where: str
    week: date | None = None
    near: date | None = None
    day: date | None = None


def read_line(text: str, place: Place, venues: tuple[str, ...] = ()) -> list[Entry]:
    """Return the entries of a line: one for each date in it; one without a date where there is none.

    There are none where no words are left that could be a title.
    """
    dates = find_dates(text, near=place.near or place.week, week=place.week)
    words, weekday = (text, None) if dates else take_first_weekday(text)
    return [entry for piece in pieces_of(words, dates) for entry in _entries(text, piece, weekday, place, venues)]


def _entries(text: str, piece: Piece, weekday: int | None, place: Place, venues: tuple[str, ...]) -> list[Entry]:
    rest, venue = take_venue(piece.words, venues)
    title = tidy(rest) or tidy(piece.words)
    said = piece.weekday if weekday is None else weekday
    days: list[FoundDate | None] = [*piece.dates] or [None]
    return [_entry(text, title, place, day, said, piece, venue) for day in days] if title else []


def _entry(
    text: str,
    title: str,
    place: Place,
    found: FoundDate | None,
    weekday: int | None,
    piece: Piece,
    venue: str | None,
) -> Entry:
    category, at = category_of(title), piece.at
    kind = "deadline" if piece.is_due else kind_of(title, has_time=at is not None)
    entry = Entry(
        text=text,
        where=place.where,
        title=title,
        date=found.day if found else None,
        start=at.start if at else None,
        end=at.end if at else None,
        kind=kind,
        category=category,
        venue=venue,
        audience=audience_of(title),
        visibility=visibility_of(title, kind, category),
    )
    _about_the_date(entry, found, weekday, place)
    said = found.weekday if found and found.weekday is not None else weekday
    if entry.date and said is not None and not (found and found.is_week):
        weekday_issue(entry, said)
    time_issue(entry, at)
    return entry


def _about_the_date(entry: Entry, found: FoundDate | None, weekday: int | None, place: Place) -> None:
    if found is None:
        meant = place.day or place.week
        if place.week and weekday is not None:
            meant = place.week + timedelta(days=weekday)
        message = "There is no date. Which day is meant?"
        entry.issues.append(Issue("date-missing", message, meant.isoformat() if meant else None))
    elif found.day is None:
        entry.issues.append(Issue("date-impossible", "There is no such day in the calendar.", None))
    elif found.is_week:
        entry.issues.append(ONLY_THE_WEEK)


def time_issue(entry: Entry, at: FoundTime | None) -> None:
    """Tell where a time can be read in two ways; suggest the likelier one."""
    if at and at.ambiguous:
        likely = f"{at.likely:%H:%M}" if at.likely else None
        message = "This time can be read in two ways. Which one is meant?"
        entry.issues.append(Issue("time-ambiguous", message, likely))


def weekday_issue(entry: Entry, said: int) -> None:
    """Tell where a weekday does not belong to the date; suggest that weekday of the same week."""
    assert entry.date is not None
    if entry.date.weekday() == said:
        return
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    meant = entry.date + timedelta(days=said - entry.date.weekday())
    message = f"{entry.date:%d.%m.%Y} is a {names[entry.date.weekday()]}, and {names[said]} is written."
    entry.issues.append(Issue("weekday-mismatch", message, meant.isoformat()))
