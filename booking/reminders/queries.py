"""Reads of reminder rules, of what has been carried out, and of what a queued reminder is about."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from booking.bookings.models import Place
from booking.calendar.models import Category, Event, EventStatus
from booking.core.clock import wall
from booking.core.db import db
from booking.notifications.models import Message
from booking.reminders import planning, policy
from booking.reminders.models import Reminder, ReminderPause, ReminderRule, ReminderRun, Subscription, To

# Kind hours may move a reminder by a long holiday, either way.
REACH = policy.LONGEST + timedelta(days=policy.LONGEST_HOLIDAY)
OF_AN_EVENT = (joinedload(Event.area), joinedload(Event.category))


def events_near(today: date, *, back: timedelta = REACH, ahead: timedelta = REACH) -> Sequence[Event]:
    """Return the events that are on and have a rule, whose reminders may go about this day, with area and category."""
    own = sa.exists().where(ReminderRule.event_id == Event.id, ReminderRule.active)
    of_its_kind = sa.exists().where(ReminderRule.category_id == Event.category_id, ReminderRule.active)
    return db.session.scalars(
        sa.select(Event)
        .where(
            Event.status == EventStatus.PUBLISHED,
            Event.day.between(today - back, today + ahead),
            sa.or_(sa.and_(Event.own_reminders, own), sa.and_(~Event.own_reminders, of_its_kind)),
        )
        .options(*OF_AN_EVENT)
        .order_by(Event.day, Event.id)
    ).all()


def rules_of_events(events: Collection[Event]) -> dict[int, list[ReminderRule]]:
    """Return the rules that hold for each of these events, by its id: its own, or those of its category."""
    own = [event.id for event in events if event.own_reminders]
    kinds = {event.category_id for event in events if not event.own_reminders}
    of_event: dict[int | None, list[ReminderRule]] = defaultdict(list)
    of_kind: dict[int | None, list[ReminderRule]] = defaultdict(list)
    for rule in _rules(sa.or_(ReminderRule.event_id.in_(own), ReminderRule.category_id.in_(kinds))):
        (of_event if rule.event_id else of_kind)[rule.event_id or rule.category_id].append(rule)
    return {event.id: of_event[event.id] if event.own_reminders else of_kind[event.category_id] for event in events}


def rules_for(event: Event) -> Sequence[ReminderRule]:
    """Return the rules that hold for an event: its own, or those of its category."""
    return rules_of_events([event])[event.id]


def rules_of_category(category_id: int) -> Sequence[ReminderRule]:
    """Return the rules of a category that are switched on."""
    return _rules(ReminderRule.category_id == category_id)


def rules_of_event(event_id: int) -> Sequence[ReminderRule]:
    """Return an event's own rules that are switched on."""
    return _rules(ReminderRule.event_id == event_id)


def rules_of_area(area_id: int) -> dict[int, list[ReminderRule]]:
    """Return the rules of each category of an area that are switched on, by the category's id."""
    kinds = sa.select(Category.id).where(Category.area_id == area_id)
    found: dict[int, list[ReminderRule]] = defaultdict(list)
    for rule in _rules(ReminderRule.category_id.in_(kinds)):
        found[rule.category_id or 0].append(rule)
    return found


def _rules(owner: sa.ColumnElement[bool]) -> Sequence[ReminderRule]:
    rows = db.session.scalars(sa.select(ReminderRule).where(owner, ReminderRule.active).order_by(ReminderRule.id))
    return sorted(rows, key=_in_order)


def _in_order(rule: ReminderRule) -> tuple[timedelta, int]:
    """The earliest reminder first, as far as that can be said without a date."""
    timing = planning.timing_of(rule)
    at = timedelta(hours=rule.at.hour, minutes=rule.at.minute) if rule.at else timedelta()
    return (timing.length if rule.after else -timing.length) + at, rule.id


def all_rules_of(owner: sa.ColumnElement[bool]) -> Sequence[ReminderRule]:
    """Return the rules of an owner, those switched off too: a rule keeps its row for good."""
    return db.session.scalars(sa.select(ReminderRule).where(owner).order_by(ReminderRule.id)).all()


def find_rule(rule_id: int) -> ReminderRule | None:
    """Return a rule."""
    return db.session.get(ReminderRule, rule_id)


def days_to_come(event: Event, *, at: datetime) -> list[date]:
    """Return the days on which whoever has a place at this instant is still reminded, in order."""
    rules = [rule for rule in rules_for(event) if rule.to is To.PLACES and not rule.after]
    if not rules:
        return []
    occasions = planning.plan_of(event, rules, planning.kind_hours(event.area, event.day))
    starts_at = planning.times_of(event).starts_at
    return list(
        dict.fromkeys(wall(one).date() for one in planning.instants_to_come(occasions, at=at) if one < starts_at)
    )


def runs_of(event_ids: Collection[int]) -> dict[tuple[int, date], list[ReminderRun]]:
    """Return what has been carried out for these events, by event and the date it was for."""
    found: dict[tuple[int, date], list[ReminderRun]] = defaultdict(list)
    if event_ids:
        rows = db.session.scalars(
            sa.select(ReminderRun).where(ReminderRun.event_id.in_(event_ids)).order_by(ReminderRun.fell_due)
        )
        for run in rows:
            found[run.event_id, run.day].append(run)
    return found


def done_of(runs: Collection[ReminderRun]) -> set[tuple[int, bool]]:
    """Return the keys of occasions that have been carried out."""
    return {(run.rule_id, run.extra) for run in runs}


def pauses() -> Sequence[ReminderPause]:
    """Return all that holds reminders just now."""
    return db.session.scalars(sa.select(ReminderPause).order_by(ReminderPause.id)).all()


def find_pause(area_id: int | None, event_id: int | None) -> ReminderPause | None:
    """Return the pause of just this event, of just this area, or (with neither) of the whole installation."""
    return db.session.scalar(
        sa.select(ReminderPause).where(
            ReminderPause.area_id.is_(None) if area_id is None else ReminderPause.area_id == area_id,
            ReminderPause.event_id.is_(None) if event_id is None else ReminderPause.event_id == event_id,
        )
    )


def is_held(event: Event, pauses: Collection[ReminderPause]) -> bool:
    """Tell whether one of these pauses holds the reminders of an event."""
    return any(
        pause.event_id == event.id if pause.event_id else pause.area_id in (None, event.area_id) for pause in pauses
    )


def reminders_of(message: Message) -> Sequence[Reminder]:
    """Return the reminders that a message carries, in the order it was queued with."""
    return db.session.scalars(
        sa.select(Reminder).where(Reminder.message_id == message.id).order_by(Reminder.place_id, Reminder.id)
    ).all()


def places_of(ids: Collection[int]) -> list[Place]:
    """Return these places with their bookings, in their order."""
    statement = sa.select(Place).where(Place.id.in_(ids)).options(joinedload(Place.booking)).order_by(Place.id)
    return list(db.session.scalars(statement))


def places_now(event: Event, reminded: Sequence[Place], status: str) -> list[Place]:
    """Return those of these places with this status; for one that is not so any more, that of the same attendee."""
    gone = {place.attendee_key for place in reminded if place.status != status}
    held = [place for place in reminded if place.status == status]
    if gone:
        held += db.session.scalars(
            sa.select(Place)
            .where(
                Place.event_id == event.id,
                Place.status == status,
                Place.attendee_key.in_(gone),
                # One mail is about one booking: another one has a link of its own.
                Place.booking_id.in_({place.booking_id for place in reminded}),
            )
            .options(joinedload(Place.booking))
            .order_by(Place.id)
        )
    return held


def subscriptions_of(person_id: int) -> Sequence[Subscription]:
    """Return of which categories somebody asked to be told."""
    return db.session.scalars(sa.select(Subscription).where(Subscription.person_id == person_id)).all()


def find_subscription(key: str) -> Subscription | None:
    """Return the subscription whose link this is."""
    return db.session.scalar(sa.select(Subscription).where(Subscription.key == key))


def kind_of(subscription: Subscription) -> Category | None:
    """Return the category that a subscription is of."""
    return db.session.get(Category, subscription.category_id)
