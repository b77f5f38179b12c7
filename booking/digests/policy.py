"""When the digest goes, and what it says to whom. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from booking.calendar.models import Visibility
from booking.calendar.terms import HalfTerm, monday_of, week_of
from booking.calendar.wording import say_day_month
from booking.core.text import slug

# Later than this it is not news any more.
USEFUL_FOR = timedelta(days=2)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def goes_on(week: date, weekday: int, is_school_day: Callable[[date], bool]) -> date | None:
    """Return the day of a week (its Monday) on which the digest goes: the weekday, or the school day next to it.

    The next one first; none in a week without school.
    """
    days = [week + DAY * number for number in range(5)]
    open_days = [day for day in days if is_school_day(day)]
    wanted = days[weekday]
    return next((day for day in open_days if day >= wanted), open_days[-1] if open_days else None)


def is_too_late(due: datetime, at: datetime) -> bool:
    """Tell whether what was due then is stale by now."""
    return at > due + USEFUL_FOR


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as an issue tells it: what was true that day."""

    id: int
    title: str
    kind: str
    visibility: str
    is_cancelled: bool
    day: date
    last_day: date | None
    starts: time | None
    ends: time | None
    place: str
    category_id: int
    category: str
    letters: str
    colour: int
    audience_ids: tuple[int, ...] = ()

    @property
    def is_deadline(self) -> bool:
        """Tell whether something is due."""
        return self.kind == "deadline"

    @property
    def slug(self) -> str:
        """The words of its address."""
        return slug(self.title)

    @property
    def over(self) -> date:
        """Its last day."""
        return self.last_day or self.day

    @property
    def when(self) -> tuple[object, ...]:
        """When and where it is: what makes another of it a move."""
        return (self.day, self.last_day, self.starts, self.ends, self.place)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def entry_from(stored: Mapping[str, Any]) -> Entry:
    """Return an entry as it was stored."""
    values = {field.name: stored[field.name] for field in fields(Entry)}
    for name in ("day", "last_day"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    for name in ("starts", "ends"):
        values[name] = time.fromisoformat(values[name]) if values[name] else None
    return Entry(**{**values, "audience_ids": tuple(values["audience_ids"])})


def _plain(value: object) -> object:
    if isinstance(value, date | time):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


class Change(StrEnum):
    """What became of an event since the last issue."""

    NEW = "new"
    MOVED = "moved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class News:
    """One event that is not as the last issue told it; `was` is what it told, where it did."""

    change: Change
    entry: Entry
    was: Entry | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader wants to hear of; nothing chosen is everything."""

    category_ids: frozenset[int] = frozenset()
    audience_ids: frozenset[int] = frozenset()

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry is of a chosen kind, and for a chosen audience; what names none is for anyone."""
        of_kind = not self.category_ids or entry.category_id in self.category_ids
        audiences = set(entry.audience_ids)
        return of_kind and (not self.audience_ids or not audiences or bool(self.audience_ids & audiences))


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True)
class Week:
    """The dates of one week."""

    heading: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What an issue says to a reader."""

    weeks: tuple[Week, ...] = ()
    news: tuple[News, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether it says nothing."""
        return not self.weeks and not self.news


@dataclass(frozen=True, slots=True)
class Edition:
    """An issue before anybody reads it: the calendar on a day, and as the issue before told it, where one did."""

    on: date
    until: date
    entries: tuple[Entry, ...]
    before: tuple[Entry, ...] | None
    headings: Mapping[date, str]

    def read_by(self, visibilities: Collection[Visibility], choice: Choice = EVERYTHING) -> Told:
        """Return what it says to who sees this much of the calendar and chose this of it."""
        seen = [one for one in self.entries if one.visibility in visibilities]
        coming = [one for one in seen if not one.is_cancelled and one.day <= self.until and choice.takes(one)]
        weeks = tuple(
            Week(self.headings[monday], tuple(those))
            for monday, those in groupby(coming, key=lambda one: monday_of(max(one.day, self.on)))
        )
        if self.before is None:
            return Told(weeks)
        before = [one for one in self.before if one.visibility in visibilities]
        return Told(weeks, tuple(one for one in news_since(before, seen, on=self.on) if choice.takes(one.entry)))


def news_since(before: Iterable[Entry], entries: Sequence[Entry], *, on: date) -> list[News]:
    """Return what is new, moved or cancelled since, each event once, of what is not over.

    What came and went in between is not told, and what moved twice is told with the first and the last of its dates.
    """
    known = {one.id: one for one in before}
    found = []
    for entry in entries:
        was = known.get(entry.id)
        told = was is not None and not was.is_cancelled
        if entry.is_cancelled:
            if told:
                found.append(News(Change.CANCELLED, entry, was))
        elif not told:
            found.append(News(Change.NEW, entry))
        elif was is not None and was.when != entry.when:
            found.append(News(Change.MOVED, entry, was))
    order = list(Change)
    return sorted(
        (one for one in found if one.entry.over >= on), key=lambda one: (order.index(one.change), one.entry.day)
    )


def headings_of(on: date, until: date, terms: Collection[HalfTerm]) -> dict[date, str]:
    """Return how each week from one day to another is called, by its Monday."""
    mondays, monday = [], monday_of(on)
    while monday <= until:
        mondays.append(monday)
        monday += WEEK
    return {one: heading_of(one, terms) for one in mondays}


def heading_of(monday: date, terms: Collection[HalfTerm]) -> str:
    """Return `Half term 2, week 3: from Monday 16 November`."""
    found = week_of(monday, terms)
    from_monday = f"from Monday {say_day_month(monday)}"
    return f"Half term {found[0].number}, week {found[1]}: {from_monday}" if found else f"Holidays: {from_monday}"
