"""When the reminders of an event go, and who gets which. Pure.

A rule asks for an instant; kind hours move it: none goes at night, at weekends or in holidays. What goes before an
event is moved back to the school day before, what goes after it on to the next. Reminders that then fall together
become one occasion.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from booking.core.clock import on_the_wall, wall
from booking.reminders.models import To, Unit

EIGHT = time(8, 0)
LONGEST = timedelta(days=60)
# What is written after an event is of use for so long after it should have gone.
USEFUL_AFTER = timedelta(days=14)
# No holiday is longer; beyond it the calendar of terms is of no help.
LONGEST_HOLIDAY = 92
DAY = timedelta(days=1)
_LENGTHS = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.WEEKS: timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long before it starts, or after it ends; `at` is a time on the wall, None for minutes and hours."""

    number: int
    unit: Unit = Unit.DAYS
    at: time | None = EIGHT
    after: bool = False

    @property
    def length(self) -> timedelta:
        """About how long that is."""
        return self.number * _LENGTHS.get(self.unit, DAY)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it holds for one event: never for a time before `since`."""

    id: int
    timing: Timing
    since: datetime
    to: To = To.PLACES


@dataclass(frozen=True, slots=True)
class EventTimes:
    """When an event is. A deadline starts and ends at its closing time."""

    day: date
    last_day: date
    starts_at: datetime
    ends_at: datetime
    is_deadline: bool = False


@dataclass(frozen=True, slots=True)
class KindHours:
    """When mail may reach people: from one time to another on school days."""

    first: time
    last: time
    is_school_day: Callable[[date], bool]

    def clamp(self, at: time) -> time:
        """Return the nearest time within the hours."""
        return min(max(at, self.first), self.last)

    def school_day_before(self, day: date) -> date:
        """Return the last school day before a day; where no term is near, the weekday before."""
        return self._beside(day, -DAY)

    def school_day_after(self, day: date) -> date:
        """Return the first school day after a day; where no term is near, the weekday after."""
        return self._beside(day, DAY)

    def _beside(self, day: date, step: timedelta) -> date:
        days = (day + step * number for number in range(1, LONGEST_HOLIDAY + 1))
        near = (day + step * number for number in (1, 2, 3))
        return next((one for one in days if self.is_school_day(one)), next(one for one in near if one.weekday() < 5))


@dataclass(frozen=True, slots=True)
class Occasion:
    """An instant at which one reminder goes, for these rules; the last of them, the nearest to the event, speaks.

    `extra` is the one more that goes on the morning of a closing date right after a holiday.
    """

    at: datetime
    rules: tuple[Rule, ...]
    extra: bool = False

    @property
    def rule(self) -> Rule:
        """The rule that speaks."""
        return self.rules[-1]

    @property
    def after(self) -> bool:
        """Tell whether it goes after the event."""
        return self.rule.timing.after

    @property
    def keys(self) -> list[tuple[int, bool]]:
        """What is written down when it has been carried out."""
        return [(rule.id, self.extra) for rule in self.rules]

    def useful_until(self, times: EventTimes) -> datetime:
        """Return the instant from which it says nothing of use."""
        return self.at + USEFUL_AFTER if self.after else times.starts_at


def asked_for(timing: Timing, times: EventTimes, hours: KindHours) -> datetime:
    """Return the instant that a rule asks for, before kind hours move it."""
    if timing.at is None:
        return times.ends_at + timing.length if timing.after else times.starts_at - timing.length
    if timing.unit is not Unit.SCHOOL_DAYS:
        return on_the_wall(times.last_day + timing.length if timing.after else times.day - timing.length, timing.at)
    day = times.last_day if timing.after else times.day
    for _ in range(timing.number):
        day = hours.school_day_after(day) if timing.after else hours.school_day_before(day)
    return on_the_wall(day, timing.at)


def kindly(asked: datetime, hours: KindHours, *, after: bool) -> datetime:
    """Return the instant to which kind hours move another: back to the school day before, or on to the next."""
    there = wall(asked)
    day, at = there.date(), there.time()
    if not hours.is_school_day(day):
        beside = hours.school_day_after(day) if after else hours.school_day_before(day)
        return on_the_wall(beside, hours.clamp(at))
    if hours.first <= at <= hours.last:
        return asked
    if after:
        return on_the_wall(day if at < hours.first else hours.school_day_after(day), hours.first)
    return on_the_wall(day if at > hours.last else hours.school_day_before(day), hours.last)


def due_at(rule: Rule, times: EventTimes, hours: KindHours) -> datetime:
    """Return the instant at which a rule falls due for an event."""
    return kindly(asked_for(rule.timing, times, hours), hours, after=rule.timing.after)


def plan(rules: Iterable[Rule], times: EventTimes, hours: KindHours) -> list[Occasion]:
    """Return the occasions of an event in their order; those before a rule was switched on are left out.

    What goes to the same people and lands on one day becomes one: for a closing date always, for a session where
    kind hours brought them together.
    """
    found: list[Occasion] = []
    asked_by = sorted(
        ((asked_for(rule.timing, times, hours), rule.id, rule) for rule in rules), key=lambda one: one[:2]
    )
    for asked, _, rule in asked_by:
        at = kindly(asked, hours, after=rule.timing.after)
        if at >= rule.since:
            _add(found, rule, at, together=times.is_deadline or at != asked)
    found += _after_the_holiday(found, times, hours)
    return sorted(found, key=lambda one: (one.at, one.rule.id))


def _add(found: list[Occasion], rule: Rule, at: datetime, *, together: bool) -> None:
    """Add a rule to the last occasion before the event for the same readers where they fall together; else its own."""
    last = next((one for one in reversed(found) if one.rule.to is rule.to and not one.after), None)
    if not rule.timing.after and last and (at == last.at or (together and wall(at).date() == wall(last.at).date())):
        found[found.index(last)] = Occasion(max(at, last.at), (*last.rules, rule))
    else:
        found.append(Occasion(at, (rule,)))


def _after_the_holiday(found: Sequence[Occasion], times: EventTimes, hours: KindHours) -> list[Occasion]:
    """Return one more occasion for each kind of recipient of whom all others would precede a holiday."""
    if not times.is_deadline:
        return []
    nearest = {one.rule.to: one for one in found if not one.after}  # in their order: the last one stays
    at = on_the_wall(times.day, hours.clamp(EIGHT))
    return [
        Occasion(at, (one.rule,), extra=True)
        for one in nearest.values()
        if precedes_a_holiday(wall(one.at).date(), times.day, hours) and at < times.starts_at
    ]


def precedes_a_holiday(day: date, closing: date, hours: KindHours) -> bool:
    """Tell whether schools are closed from the day after one day until a closing date, and not for a weekend only."""
    between = [day + DAY * number for number in range(1, (closing - day).days)]
    return (
        hours.is_school_day(closing)
        and not any(hours.is_school_day(one) for one in between)
        and any(one.weekday() < 5 for one in between)
    )


def fallen(occasions: Iterable[Occasion], *, done: Collection[tuple[int, bool]], at: datetime) -> list[Occasion]:
    """Return the occasions that have fallen due and are not carried out yet: `done` are their keys."""
    return [one for one in occasions if one.at <= at and not all(key in done for key in one.keys)]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a reminder may go to: `key` names them for good, `since` is when they became one."""

    key: Hashable
    since: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to post; `passed_over` are earlier occasions that this one stands for as well."""

    occasion: Occasion
    recipient: Recipient
    passed_over: tuple[Occasion, ...] = ()


def share(found: Sequence[Occasion], recipients: Sequence[Recipient]) -> list[Due]:
    """Return who gets what of occasions to the same kind of recipient that fell due since the last look.

    Who became a recipient after an occasion fell due has just heard of the event, so it passes them by. Where several
    fell due after an outage, the one nearest to the event goes; each of those after an event says something else.
    """
    before = [one for one in found if not one.after]
    shared = []
    for recipient in recipients:
        mine = [one for one in before if recipient.since < one.at]
        if mine:
            shared.append(Due(mine[-1], recipient, tuple(mine[:-1])))
        shared += [Due(one, recipient) for one in found if one.after and recipient.since < one.at]
    return shared
