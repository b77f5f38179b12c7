"""The year planner as values: half terms across, weeks down, holidays between. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from itertools import zip_longest

from booking.calendar.models import Event, Kind, Visibility
from booking.calendar.terms import HalfTerm, monday_of, week_of, year_days, year_name
from booking.calendar.wording import say_day_month, say_weekday

WEEK = timedelta(days=6)
SATURDAY = 5
BUSY = 4
HIGHEST_BAR = 5
_AFTER = {
    1: "Half-term holiday",
    2: "Christmas holiday",
    3: "Half-term holiday",
    4: "Easter holiday",
    5: "Half-term holiday",
}


@dataclass(frozen=True, slots=True)
class Load:
    """How much schools are asked for in a week: how many things, and how many of them are due."""

    asked: int
    due: int

    @property
    def others(self) -> int:
        """What is asked without being due."""
        return self.asked - self.due

    @property
    def is_busy(self) -> bool:
        """Tell whether it is much for one week."""
        return self.asked >= BUSY


@dataclass(frozen=True, slots=True)
class Week:
    """One week of a half term; `number` counts from 1."""

    number: int
    monday: date
    is_now: bool
    is_done: bool
    days_off: tuple[str, ...]
    entries: tuple[Event, ...]

    @property
    def load(self) -> Load:
        """What schools are asked for that week."""
        return load_of(self.entries)


@dataclass(frozen=True, slots=True)
class Holiday:
    """What lies between two half terms; entries that fall into it are kept."""

    name: str
    first_day: date
    last_day: date | None
    bank_holidays: tuple[date, ...]
    entries: tuple[Event, ...]

    @property
    def words(self) -> str:
        """Its dates, and the bank holidays in it, in words."""
        days = f"from {say_day_month(self.first_day)}"
        if self.last_day:
            days = f"{say_day_month(self.first_day)} to {say_day_month(self.last_day)}"
            if self.first_day.month == self.last_day.month:
                days = f"{self.first_day.day} to {say_day_month(self.last_day)}"
        if not self.bank_holidays:
            return days
        one = "bank holiday" if len(self.bank_holidays) == 1 else "bank holidays"
        *first, last = [say_day_month(day) for day in self.bank_holidays]
        return f"{days}; {one} {' and '.join(part for part in (', '.join(first), last) if part)}"


@dataclass(frozen=True, slots=True)
class Column:
    """A half term with its weeks and the holiday after it."""

    term: HalfTerm
    weeks: tuple[Week, ...]
    holiday: Holiday

    @property
    def holiday_row(self) -> int:
        """The row of the grid at which the holiday begins."""
        return len(self.weeks) + 1


@dataclass(frozen=True, slots=True)
class YearPlan:
    """A school year: six columns, and what lies before the first."""

    year: int
    before: tuple[Event, ...]
    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        """How many rows the longest column takes, with its holiday."""
        return max((column.holiday_row for column in self.columns), default=0)


def load_of(entries: Iterable[Event]) -> Load:
    """Return what schools are asked for: not what is for the team or for information."""
    asked = [
        e
        for e in entries
        if e.visibility is not Visibility.TEAM and e.kind is not Kind.MILESTONE and not e.is_cancelled
    ]
    return Load(len(asked), sum(e.kind is Kind.DEADLINE for e in asked))


def plan_year(
    year: int, terms: Sequence[HalfTerm], entries: Iterable[Event], *, today: date, days_off: Mapping[date, str]
) -> YearPlan:
    """Lay a year's entries out. Each appears exactly once: in its week, in a holiday, or before the first term."""
    terms = sorted(terms)
    cells = _Cells(terms, entries)
    columns = []
    for term, following in zip_longest(terms, terms[1:]):
        weeks = tuple(_week(term, number, cells, today, days_off) for number in range(1, term.weeks + 1))
        columns.append(Column(term, weeks, _holiday(term, following, cells, days_off)))
    return YearPlan(year, tuple(cells.before), tuple(columns))


@dataclass
class _Cells:
    """Entries by the Monday of their week, by the half term before their holiday, or before all of it."""

    terms: Sequence[HalfTerm]
    all_entries: Iterable[Event]
    weeks: dict[date, list[Event]] = field(default_factory=dict)
    holidays: dict[int, list[Event]] = field(default_factory=dict)
    before: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        for entry in sorted(self.all_entries, key=lambda e: (e.day, e.starts or time.min, e.title, e.id)):
            self._cell(entry.day).append(entry)

    def _cell(self, day: date) -> list[Event]:
        if week_of(day, self.terms):
            return self.weeks.setdefault(monday_of(day), [])
        earlier = [term.number for term in self.terms if term.last_day < day]
        return self.holidays.setdefault(max(earlier), []) if earlier else self.before


def _week(term: HalfTerm, number: int, cells: _Cells, today: date, days_off: Mapping[date, str]) -> Week:
    monday = term.first_monday + timedelta(days=7 * (number - 1))
    is_first_to_claim = week_of(monday, cells.terms) == (term, number)
    return Week(
        number=number,
        monday=monday,
        is_now=monday <= today <= monday + WEEK,
        is_done=monday + WEEK < today,
        days_off=tuple(_days_off(term, monday, days_off)),
        entries=tuple(cells.weeks.get(monday, ())) if is_first_to_claim else (),
    )


def _days_off(term: HalfTerm, monday: date, bank_holidays: Mapping[date, str]) -> Iterable[str]:
    """Return what is closed in a week: bank holidays, and the days before or after the half term."""
    friday = monday + timedelta(days=4)
    for day in sorted(day for day in bank_holidays if max(monday, term.first_day) <= day <= min(friday, term.last_day)):
        yield f"Bank holiday {_short(day)}"
    if monday < term.first_day:
        yield f"Holiday to {_short(term.first_day - timedelta(days=1))}"
    if term.last_day < friday:
        yield f"Holiday from {_short(term.last_day + timedelta(days=1))}"


def _short(day: date) -> str:
    return f"{say_weekday(day)[:3]} {day.day}"


def _holiday(term: HalfTerm, following: HalfTerm | None, cells: _Cells, bank_holidays: Mapping[date, str]) -> Holiday:
    first = _next_weekday(term.last_day)
    last = _weekday_before(following.first_day) if following else None
    until = last or year_days(term.year)[1]
    return Holiday(
        name=_AFTER.get(term.number, "Summer holiday") if following else "Summer holiday",
        first_day=first,
        last_day=last,
        bank_holidays=tuple(sorted(day for day in bank_holidays if first <= day <= until and day.weekday() < SATURDAY)),
        entries=tuple(cells.holidays.get(term.number, ())),
    )


def _next_weekday(day: date) -> date:
    return next(d for d in (day + timedelta(days=n) for n in (1, 2, 3)) if d.weekday() < SATURDAY)


def _weekday_before(day: date) -> date:
    return next(d for d in (day - timedelta(days=n) for n in (1, 2, 3)) if d.weekday() < SATURDAY)


@dataclass(frozen=True, slots=True)
class Bar:
    """One school week of the year line: how tall, and where it stands to today."""

    level: int
    state: str


@dataclass(frozen=True, slots=True)
class YearLine:
    """The line under the masthead: where in the year we are, and how much each week asks."""

    today_words: str
    place_words: str
    year: int
    monday: date
    groups: tuple[tuple[Bar, ...], ...]


def year_line(plan: YearPlan, *, today: date) -> YearLine:
    """Return the year line of a plan."""
    groups = tuple(tuple(_bar(week) for week in column.weeks) for column in plan.columns)
    return YearLine(
        f"{say_weekday(today)} {say_day_month(today)}", _place(plan, today), plan.year, monday_of(today), groups
    )


def _bar(week: Week) -> Bar:
    state = "now" if week.is_now else "done" if week.is_done else "ahead"
    return Bar(min(week.load.asked, HIGHEST_BAR), state)


def _place(plan: YearPlan, today: date) -> str:
    terms: Collection[HalfTerm] = [column.term for column in plan.columns]
    found = week_of(today, terms)
    if found and found[0].first_day <= today <= _sunday(found[0].last_day):
        return f"half term {found[0].number}, week {found[1]}"
    passed = [column for column in plan.columns if column.term.last_day < today]
    return passed[-1].holiday.name if passed else f"before the school year {year_name(plan.year)}"


def _sunday(day: date) -> date:
    return monday_of(day) + WEEK
