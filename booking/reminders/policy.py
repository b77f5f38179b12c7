"""Which reminders are due, for whom. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from booking.core.clock import on_the_wall

DEFAULT_RULES = ((7, time(8, 0)), (1, time(8, 0)))
MOST_DAYS_BEFORE = 60


@dataclass(frozen=True, slots=True)
class Rule:
    """So many days before, at this time on the wall; never for a time before it was switched on."""

    id: int
    days_before: int
    at: time
    active_since: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """A confirmed place, and since when it is."""

    place_id: int
    recipient: str
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to post; `passed_over` are earlier rules that this one stands for as well."""

    rule_id: int
    holder: Holder
    passed_over: tuple[int, ...]


def due_at(rule: Rule, day: date) -> datetime:
    """Return the instant at which a rule falls due for a date."""
    return on_the_wall(day - timedelta(days=rule.days_before), rule.at)


def due(
    *,
    day: date,
    starts_at: datetime,
    rules: Iterable[Rule],
    holders: Sequence[Holder],
    done: Iterable[tuple[int, str]],
    at: datetime,
) -> list[Due]:
    """Return what is due for an event on this day: at most one reminder a recipient at a time.

    `done` are (rule id, recipient) carried out already. Who got the place after a rule fell due has just had the
    confirmation, so that rule passes them by. Where several are due after an outage, the latest goes.
    """
    if at >= starts_at:
        return []
    fallen = sorted(
        (rule for rule in rules if rule.active_since <= due_at(rule, day) <= at), key=lambda rule: due_at(rule, day)
    )
    done = set(done)
    found = []
    for holder in holders:
        mine = [rule for rule in fallen if holder.confirmed_at < due_at(rule, day)]
        if mine and (mine[-1].id, holder.recipient) not in done:
            open_before = [rule.id for rule in mine[:-1] if (rule.id, holder.recipient) not in done]
            found.append(Due(mine[-1].id, holder, tuple(open_before)))
    return found
