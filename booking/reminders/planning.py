"""The plan of an event's reminders as its rows say: its rules, the terms, the kind hours of its area."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache, lru_cache

from booking.calendar import queries as calendar_queries
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.models import Event, Kind
from booking.calendar.terms import HalfTerm, is_school_day, school_year_of, year_days
from booking.deadlines.queries import closes_at
from booking.directory.models import Area
from booking.reminders.models import ReminderRule
from booking.reminders.policy import EventTimes, KindHours, Occasion, Rule, Timing, plan


def times_of(event: Event) -> EventTimes:
    """Return when an event is."""
    is_deadline = event.kind is Kind.DEADLINE
    starts_at = closes_at(event) if is_deadline else event.starts_at
    ends_at = starts_at if is_deadline else event.ends_at
    return EventTimes(event.day, event.last_day or event.day, starts_at, ends_at, is_deadline)


def timing_of(rule: ReminderRule) -> Timing:
    """Return when a rule wants to go."""
    return Timing(rule.number, rule.unit, rule.at, rule.after)


def rule_of(rule: ReminderRule, event: Event) -> Rule:
    """Return a rule as it holds for an event: not for a time before it was switched on, or the event was published."""
    since = max(rule.active_since, event.published_at) if event.published_at else rule.active_since
    return Rule(rule.id, timing_of(rule), since, rule.to)


def plan_of(event: Event, rules: Sequence[ReminderRule], hours: KindHours) -> list[Occasion]:
    """Return the occasions of an event in their order."""
    return plan([rule_of(rule, event) for rule in rules], times_of(event), hours)


def kind_hours(area: Area, day: date) -> KindHours:
    """Return when mail may reach people of an area around a day."""
    terms = calendar_queries.half_terms_around(area.id, school_year_of(day))
    return KindHours(area.kind_from, area.kind_until, _school_days(tuple(terms)))


@lru_cache(maxsize=64)
def _school_days(terms: tuple[HalfTerm, ...]) -> Callable[[date], bool]:
    """Return the question whether schools are open, answered once for each day."""
    first, last = year_days(terms[0].year)[0], year_days(terms[-1].year)[1]
    days_off = bank_holidays(first, last)
    return cache(lambda day: is_school_day(day, terms, days_off))


class HoursOfAreas:
    """Kind hours for one pass of the scheduler: each area and school year is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], KindHours] = {}

    def of(self, area: Area, day: date) -> KindHours:
        """Return when mail may reach people of an area around a day."""
        key = (area.id, school_year_of(day))
        if key not in self._known:
            self._known[key] = kind_hours(area, day)
        return self._known[key]


def instants_to_come(occasions: Sequence[Occasion], *, at: datetime) -> list[datetime]:
    """Return when those that have not fallen due do."""
    return [one.at for one in occasions if one.at > at]
