"""The school year: half terms, weeks, school days. Pure; terms are data, never constants.

A school year runs from 1 August to 31 July and is named by the calendar year it begins in.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.easter import easter

from booking.calendar.bank_holidays import bank_holidays

DAY = timedelta(days=1)
FRIDAY, SATURDAY = 4, 5
# A date outside them is a slip: 0204 for 2024, or the 9999 that means "no end" elsewhere.
FIRST_YEAR, LAST_YEAR = 1990, 2150
_YEAR_NAME = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class HalfTerm:
    """One of six: `year` is the one its school year begins in, `number` 1 to 6, both days are school days."""

    year: int
    number: int
    first_day: date
    last_day: date

    @property
    def first_monday(self) -> date:
        """The Monday of its week 1."""
        return monday_of(self.first_day)

    @property
    def weeks(self) -> int:
        """How many weeks it touches."""
        return (monday_of(self.last_day) - self.first_monday).days // 7 + 1


def monday_of(day: date) -> date:
    """Return the Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def school_year_of(day: date) -> int:
    """Return the school year a day belongs to: 2026 from 1 August 2026 to 31 July 2027."""
    return day.year if day.month >= 8 else day.year - 1


def year_days(year: int) -> tuple[date, date]:
    """Return the first and the last day of a school year."""
    return date(year, 8, 1), date(year + 1, 7, 31)


def calendars_begin(today: date) -> date:
    """Return the first day that calendars go back to: the beginning of the school year before this one."""
    return year_days(school_year_of(today) - 1)[0]


def year_name(year: int) -> str:
    """Return `2026-27` for 2026."""
    return f"{year}-{(year + 1) % 100:02d}"


def parse_year(name: str) -> int | None:
    """Return 2026 for `2026-27`; None for what is no school year."""
    found = _YEAR_NAME.fullmatch(name)
    if not found:
        return None
    year = int(found[1])
    return year if int(found[2]) == (year + 1) % 100 and FIRST_YEAR <= year <= LAST_YEAR else None


def synthesise(year: int) -> list[HalfTerm]:
    """Return likely half terms of an English school year, for where none are known yet."""
    autumn = max(_monday_near(date(year, 9, 1)), date(year, 9, 1))
    october = monday_of(date(year, 10, 31)) - timedelta(days=0 if date(year, 10, 31).weekday() >= FRIDAY else 7)
    christmas = _friday_on_or_before(date(year, 12, 22))
    january = christmas + timedelta(days=17)  # the Monday after a fortnight
    february = _monday_on_or_after(date(year + 1, 2, 12))
    easter_holiday = _easter_holiday(year + 1)
    may = monday_of(date(year + 1, 5, 31))  # the week of the late May bank holiday
    summer = _friday_on_or_before(date(year + 1, 7, 23))
    week = timedelta(days=7)
    days = [
        (autumn, october - timedelta(days=3)),
        (october + week, christmas),
        (january, february - timedelta(days=3)),
        (february + week, easter_holiday[0] - timedelta(days=3)),
        (easter_holiday[1], may - timedelta(days=3)),
        (may + week, summer),
    ]
    days_off = bank_holidays(*year_days(year))
    return [
        HalfTerm(year, number, _school_day(first, days_off, step=DAY), _school_day(last, days_off, step=-DAY))
        for number, (first, last) in enumerate(days, start=1)
    ]


def _school_day(day: date, days_off: Collection[date], *, step: timedelta) -> date:
    """Return the day, or the nearest school day inside its half term where it is a bank holiday."""
    return next(one for one in (day + step * n for n in range(7)) if is_school_day(one, (), days_off))


def _easter_holiday(year: int) -> tuple[date, date]:
    """Return the Monday the fortnight begins and the Monday school begins again.

    An Easter so early or late that a half term would be very short moves the fortnight towards the first of April.
    """
    start = monday_of(easter(year)) - timedelta(days=7)
    earliest, latest = _monday_on_or_after(date(year, 3, 25)), monday_of(date(year, 4, 9))
    start = min(max(start, earliest), latest)
    return start, start + timedelta(days=14)


def _monday_near(day: date) -> date:
    return monday_of(day + timedelta(days=3))


def _monday_on_or_after(day: date) -> date:
    return monday_of(day + timedelta(days=6))


def _friday_on_or_before(day: date) -> date:
    return day - timedelta(days=(day.weekday() - FRIDAY) % 7)


def is_school_day(day: date, terms: Iterable[HalfTerm], days_off: Collection[date]) -> bool:
    """Tell whether schools are open: in a half term, not at a weekend, not on a bank holiday (`days_off`).

    In a school year of which no half term is given, only weekends and bank holidays are days off.
    """
    if day.weekday() >= SATURDAY or day in days_off:
        return False
    of_that_year = [term for term in terms if term.year == school_year_of(day)]
    return not of_that_year or any(term.first_day <= day <= term.last_day for term in of_that_year)


def school_day_before(day: date, terms: Collection[HalfTerm], days_off: Collection[date]) -> date:
    """Return the last school day before a day; where there is none for a quarter, the weekday before."""
    for back in range(1, 93):
        earlier = day - timedelta(days=back)
        if is_school_day(earlier, terms, days_off):
            return earlier
    return next(d for d in (day - timedelta(days=back) for back in range(1, 4)) if d.weekday() < SATURDAY)


def week_of(day: date, terms: Iterable[HalfTerm]) -> tuple[HalfTerm, int] | None:
    """Return the half term and the number of the week a day is in, as the partnership counts; None in holidays."""
    for term in terms:
        if term.first_monday <= day <= monday_of(term.last_day) + timedelta(days=6):
            return term, (monday_of(day) - term.first_monday).days // 7 + 1
    return None
