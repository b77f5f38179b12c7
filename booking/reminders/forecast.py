"""Seeing before sending: what will go, when, to how many; what has gone; and why somebody is left out."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus
from booking.calendar.wording import say_instant
from booking.core.clock import now, wall
from booking.core.db import db
from booking.core.slices import MOST_COUNTED, count_some
from booking.notifications.models import Message, MessageStatus
from booking.reminders import planning, policy, queries
from booking.reminders.models import Reminder, ReminderRule, ReminderRun, To
from booking.reminders.planning import HoursOfAreas
from booking.reminders.policy import KindHours, Occasion
from booking.reminders.recipients import LeftOut, count_readers, left_out, may_have, readers
from booking.reminders.wording import say_timing

FORTNIGHT = timedelta(days=14)
FELL_DUE, WENT = (f"came after it {had}, and had just heard of the event" for had in ("fell due", "went"))


@dataclass(frozen=True, slots=True)
class Coming:
    """A reminder that will go: when, of what, by which rules, to how many. `held` tells that something holds it."""

    at: datetime
    event: Event
    to: To
    rules: str
    count: int
    held: bool
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """A reminder that has been carried out: how many mails stand where in their life, or why it did not go.

    `reasons` are those of mails that failed or were dropped.
    """

    at: datetime
    to: To
    rules: str
    counts: Counter[MessageStatus] = field(default_factory=Counter)
    reasons: tuple[str, ...] = ()
    why_not: str = ""
    left_out: tuple[LeftOut, ...] = ()


def of_area(area_id: int, *, within: timedelta = FORTNIGHT) -> list[Coming]:
    """Return what will go in an area in the coming time, in order, in a fixed number of statements."""
    events = [event for event in queries.events_near(wall(now()).date()) if event.area_id == area_id]
    rules, held, hours = queries.rules_of_events(events), queries.pauses(), HoursOfAreas()
    runs, soon = queries.runs_of([event.id for event in events]), list[tuple[Event, Occasion]]()
    for event in events:
        done = queries.done_of(runs.get((event.id, event.day), []))
        to_go = _to_go(event, rules[event.id], hours.of(event.area, event.day), done)
        soon += [(event, one) for one in to_go if one.at <= now() + within]
    # Only of those: most events that are near have nothing to go, and some have a thousand people.
    counts = count_readers({event.id: event for event, _ in soon}.values())
    found = [
        Coming(one.at, event, one.rule.to, _say(one), counts[event.id, one.rule.to], queries.is_held(event, held))
        for event, one in soon
    ]
    return sorted(found, key=lambda one: (one.at, one.event.day, one.event.id))


def of_event(event: Event) -> tuple[list[Coming], list[Gone]]:
    """Return what will go for an event, of a draft once it is published, and what has gone for its present date."""
    runs = queries.runs_of([event.id]).get((event.id, event.day), [])
    if event.status is EventStatus.CANCELLED:
        return [], _gone(event, runs)
    rules, is_held = queries.rules_for(event), queries.is_held(event, queries.pauses())
    hours = planning.kind_hours(event.area, event.day)
    to_go = _to_go(event, rules, hours, queries.done_of(runs))
    if has_a_crowd(event):
        counts = count_readers([event])
        return [_counted(event, one, counts[event.id, one.rule.to], is_held=is_held) for one in to_go], _gone(
            event, runs
        )
    return [_coming(event, one, is_held=is_held) for one in to_go], _gone(event, runs)


def has_a_crowd(event: Event) -> bool:
    """Tell whether so many have to do with an event that who is left out is not told by name."""
    return count_some(Place.event_id == event.id, Place.status != PlaceStatus.CANCELLED) > MOST_COUNTED


def _counted(event: Event, occasion: Occasion, count: int, *, is_held: bool) -> Coming:
    return Coming(occasion.at, event, occasion.rule.to, _say(occasion), count, is_held)


def _coming(event: Event, occasion: Occasion, *, is_held: bool) -> Coming:
    found, to = readers(event, occasion.rule.to), occasion.rule.to
    late = [LeftOut(reader.name, FELL_DUE) for reader in found if reader.since >= occasion.at]
    left = (*left_out(event, to), *late)
    return Coming(occasion.at, event, to, _say(occasion), len(found) - len(late), is_held, left)


def _to_go(
    event: Event, rules: Sequence[ReminderRule], hours: KindHours, done: Collection[tuple[int, bool]]
) -> list[Occasion]:
    """Return the occasions that are not carried out, still of use, and for somebody: to come, or held."""
    times = planning.times_of(event)
    return [
        one
        for one in planning.plan_of(event, _for_somebody(event, rules), hours)
        if not all(key in done for key in one.keys) and now() < one.useful_until(times)
    ]


def _for_somebody(event: Event, rules: Sequence[ReminderRule]) -> list[ReminderRule]:
    return [rule for rule in rules if may_have(event, rule.to)]


def _say(occasion: Occasion) -> str:
    if occasion.extra:
        return "the first school morning, as the others go before the holiday"
    return ", ".join(say_timing(rule.timing) for rule in occasion.rules)


def _gone(event: Event, runs: Sequence[ReminderRun]) -> list[Gone]:
    found, is_crowd = [], bool(runs) and has_a_crowd(event)
    for run in runs:
        rule = queries.find_rule(run.rule_id)
        if rule is None or not may_have(event, rule.to):
            continue
        counts, reasons = _mails(run)
        if not counts and not run.why_not and _stood_for(run, runs):
            continue  # another one that fell due with it spoke for both
        late = () if run.why_not or is_crowd else tuple(_heard_nothing(event, run, rule.to))
        said = "the first school morning" if run.extra else say_timing(planning.timing_of(rule))
        found.append(Gone(run.at, rule.to, said, counts, reasons, run.why_not, late))
    return found


def _stood_for(run: ReminderRun, runs: Sequence[ReminderRun]) -> bool:
    return any(other is not run and other.at == run.at for other in runs)


def _of_run(run: ReminderRun) -> list[sa.ColumnElement[bool]]:
    return [
        Reminder.rule_id == run.rule_id,
        Reminder.event_id == run.event_id,
        Reminder.day == run.day,
        Reminder.extra == run.extra,
    ]


def _mails(run: ReminderRun) -> tuple[Counter[MessageStatus], tuple[str, ...]]:
    """Return how many mails stand where in their life, and why some did not go."""
    rows = db.session.execute(
        sa.select(Message.status, Message.outcome, sa.func.count(Message.id.distinct()))
        .join(Reminder, Reminder.message_id == Message.id)
        .where(*_of_run(run))
        .group_by(Message.status, Message.outcome)
    ).all()
    counts = Counter[MessageStatus]()
    for status, _, number in rows:
        counts[status] += number
    gone_wrong = {MessageStatus.FAILED, MessageStatus.DROPPED}
    return counts, tuple(sorted({outcome for status, outcome, _ in rows if status in gone_wrong and outcome}))


def _heard_nothing(event: Event, run: ReminderRun, to: To) -> list[LeftOut]:
    """Return who would be written to now and was not: they came after it fell due."""
    heard = set(db.session.scalars(sa.select(Reminder.recipient).where(*_of_run(run)))) | set(
        db.session.scalars(
            sa.select(Place.attendee_key).join(Reminder, Reminder.place_id == Place.id).where(*_of_run(run))
        )
    )
    return [LeftOut(reader.name, WENT) for reader in readers(event, to) if str(reader.key) not in heard]


def warnings(event: Event) -> list[str]:
    """Return what is odd about the dates of an event's reminders, in sentences."""
    rules = _for_somebody(event, queries.rules_for(event))
    if not rules or event.status is EventStatus.CANCELLED:
        return []
    hours, times = planning.kind_hours(event.area, event.day), planning.times_of(event)
    occasions = [one for one in planning.plan_of(event, rules, hours) if not one.after]
    if not times.is_deadline or not occasions:
        return []
    extra = [one for one in occasions if one.extra]
    if extra:
        return [
            f"All reminders of this closing date go before the holiday. One more goes on {say_instant(extra[0].at)}."
        ]
    if policy.precedes_a_holiday(wall(occasions[-1].at).date(), event.day, hours):
        return ["All reminders of this closing date go before the holiday, and it closes too early for one more."]
    return []
