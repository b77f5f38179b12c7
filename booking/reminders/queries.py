"""Reads of reminder rules, and of who is to be reminded."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind
from booking.core.clock import wall
from booking.core.db import db
from booking.notifications.models import Message
from booking.reminders.models import Reminder, ReminderRule
from booking.reminders.policy import MOST_DAYS_BEFORE, Rule, due_at

LONGEST = timedelta(days=MOST_DAYS_BEFORE + 1)


def events_to_look_at(today: date) -> Sequence[int]:
    """Return the ids of coming sessions with somebody to remind."""
    return db.session.scalars(
        sa.select(Event.id)
        .where(
            Event.status == EventStatus.PUBLISHED,
            Event.day.between(today, today + LONGEST),
            Event.kind == Kind.SESSION,
            Event.taken > 0,
        )
        .order_by(Event.day, Event.id)
    ).all()


def rules_for(event: Event) -> Sequence[ReminderRule]:
    """Return the rules that hold for an event: its own, or those of its category."""
    owner = (
        ReminderRule.event_id == event.id
        if event.own_reminders
        else sa.and_(ReminderRule.category_id == event.category_id, ReminderRule.event_id.is_(None))
    )
    return _rules(owner)


def days_to_come(event: Event, *, at: datetime) -> list[date]:
    """Return the days on which whoever has a place at this instant is still reminded, in order."""
    rules = [Rule(rule.id, rule.days_before, rule.at, rule.active_since) for rule in rules_for(event)]
    instants = sorted(due_at(rule, event.day) for rule in rules if rule.active_since <= due_at(rule, event.day))
    return list(dict.fromkeys(wall(one).date() for one in instants if at < one < event.starts_at))


def rules_of_category(category_id: int) -> Sequence[ReminderRule]:
    """Return the rules of a category that are switched on, the earliest reminder first."""
    return _rules(ReminderRule.category_id == category_id)


def rules_of_event(event_id: int) -> Sequence[ReminderRule]:
    """Return an event's own rules that are switched on, the earliest reminder first."""
    return _rules(ReminderRule.event_id == event_id)


def _rules(owner: sa.ColumnElement[bool]) -> Sequence[ReminderRule]:
    return db.session.scalars(
        sa.select(ReminderRule)
        .where(owner, ReminderRule.active)
        .order_by(ReminderRule.days_before.desc(), ReminderRule.at)
    ).all()


def all_rules_of(owner: sa.ColumnElement[bool]) -> Sequence[ReminderRule]:
    """Return the rules of an owner, those switched off too: a rule keeps its row for good."""
    return db.session.scalars(sa.select(ReminderRule).where(owner)).all()


def confirmed_places(event: Event) -> Sequence[Place]:
    """Return the confirmed places at an event, with their bookings."""
    return db.session.scalars(
        sa.select(Place)
        .where(Place.event_id == event.id, Place.status == PlaceStatus.CONFIRMED)
        .options(joinedload(Place.booking))
        .order_by(Place.id)
    ).all()


def done_for(event: Event) -> set[tuple[int, str]]:
    """Return (rule id, recipient) of what has been carried out for the event's present date.

    Whose name was put right since is the same recipient under both names.
    """
    rows = db.session.execute(
        sa.select(Reminder.rule_id, Reminder.recipient, Place.attendee_key)
        .outerjoin(Place, Place.id == Reminder.place_id)
        .where(Reminder.event_id == event.id, Reminder.day == event.day)
    )
    return {(rule_id, name) for rule_id, *names in rows for name in names if name is not None}


def reminder_of(message: Message) -> Reminder | None:
    """Return the reminder that a message carries, if it carries one."""
    return db.session.scalar(
        sa.select(Reminder).where(Reminder.message_id == message.id).order_by(Reminder.id).limit(1)
    )


def places_held_now(event: Event, reminded: Sequence[Place]) -> list[Place]:
    """Return the confirmed ones of these places; for one that is not any more, that of the same attendee, if any."""
    gone = {place.attendee_key: place for place in reminded if place.status is not PlaceStatus.CONFIRMED}
    held = [place for place in reminded if place.status is PlaceStatus.CONFIRMED]
    if gone:
        held += db.session.scalars(
            sa.select(Place)
            .where(
                Place.event_id == event.id,
                Place.status == PlaceStatus.CONFIRMED,
                Place.attendee_key.in_(gone),
                # One mail is about one booking: another one has a link of its own.
                Place.booking_id.in_({place.booking_id for place in reminded}),
            )
            .options(joinedload(Place.booking))
            .order_by(Place.id)
        )
    return held


def places_reminded_by(message: Message) -> Sequence[Place]:
    """Return the places that a reminder mail is about, with their bookings, in the order it was queued with."""
    return db.session.scalars(
        sa.select(Place)
        .join(Reminder, Reminder.place_id == Place.id)
        .where(Reminder.message_id == message.id)
        .options(joinedload(Place.booking))
        .order_by(Place.id)
    ).all()
