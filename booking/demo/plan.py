"""The demonstration's year, moved onto the school year of any day. Pure."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path

from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.terms import HalfTerm, is_school_day, school_year_of, synthesise, year_days

ALWAYS_BOOKABLE = 20
BY_INVITATION = "Programmes and courses"
_FILE = Path(__file__).with_name("year.csv")
# Known half terms; other years are synthesised.
KNOWN_TERMS = {
    2023: ("0904-1020", "1030-1220", "0104-0216", "0226-0328", "0415-0524", "0603-0719"),
    2024: ("0902-1025", "1104-1220", "0106-0214", "0224-0404", "0422-0523", "0602-0723"),
    2025: ("0901-1024", "1103-1219", "0105-0213", "0223-0327", "0413-0522", "0601-0720"),
    2026: ("0901-1023", "1102-1218", "0104-0212", "0222-0325", "0412-0528", "0607-0721"),
}


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """One dated thing of the demonstration."""

    day: date
    starts: time | None
    ends: time | None
    title: str
    category: str
    venue: str
    audience: tuple[str, ...]
    places: int | None
    kind: str
    visibility: str

    @property
    def anybody_may_book(self) -> bool:
        """Tell whether it takes bookings without an account or an invitation."""
        return self.kind == "session" and self.visibility == "public" and self.category != BY_INVITATION


def terms_of(year: int) -> list[HalfTerm]:
    """Return the half terms of a school year: known ones, else likely ones."""
    if year not in KNOWN_TERMS:
        return synthesise(year)
    terms = []
    for number, text in enumerate(KNOWN_TERMS[year], start=1):
        first, last = (_day(year, part) for part in text.split("-"))
        terms.append(HalfTerm(year, number, first, last))
    return terms


def _day(year: int, text: str) -> date:
    month = int(text[:2])
    return date(year if month >= 8 else year + 1, month, int(text[2:]))


def plan(today: date) -> list[DemoEvent]:
    """Return what the demonstration shows on a day: this school year, and the next where few sessions are left."""
    year = school_year_of(today)
    events = plan_year(year)
    while sum(event.anybody_may_book and event.day > today for event in events) < ALWAYS_BOOKABLE:
        year += 1
        events += plan_year(year)
    return events


def years_of(events: Sequence[DemoEvent]) -> list[int]:
    """Return the school years that events fall into."""
    return sorted({school_year_of(event.day) for event in events})


def plan_year(year: int) -> list[DemoEvent]:
    """Return the year of the file, on the same half terms, weeks and weekdays of another school year."""
    terms = terms_of(year)
    days_off = bank_holidays(*year_days(year))
    return [_event(row, terms, days_off) for row in _rows()]


def _event(row: dict[str, str], terms: Sequence[HalfTerm], days_off: Collection[date]) -> DemoEvent:
    term = terms[int(row["half_term"]) - 1]
    week = min(int(row["week"]), term.weeks)
    wanted = term.first_monday + timedelta(days=7 * (week - 1) + int(row["weekday"]) - 1)
    return DemoEvent(
        day=_nearest_school_day(wanted, term, terms, days_off),
        starts=_time(row["start"]),
        ends=_time(row["end"]),
        title=row["title"],
        category=row["category"],
        venue=row["venue"],
        audience=tuple(part for part in row["audience"].split("; ") if part),
        places=int(row["places"]) if row["places"] else None,
        kind=row["kind"],
        visibility=row["visibility"],
    )


def _nearest_school_day(day: date, term: HalfTerm, terms: Sequence[HalfTerm], days_off: Collection[date]) -> date:
    day = min(max(day, term.first_day), term.last_day)
    near = (day + timedelta(days=step) for step in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5))
    return next(one for one in near if is_school_day(one, terms, days_off))


def _time(text: str) -> time | None:
    return time.fromisoformat(text) if text else None


@cache
def _rows() -> list[dict[str, str]]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
