"""Post what is due, set rules, and say before sending whether a reminder is still wanted."""

from collections.abc import Sequence
from datetime import time

import sqlalchemy as sa

from booking.bookings.models import Place
from booking.calendar.models import Category, Event, EventStatus
from booking.core import audit
from booking.core.clock import now, today
from booking.core.db import atomic, db, lock, one_by_one, take_turns
from booking.core.errors import refuse_unless
from booking.directory.models import Person
from booking.notifications import outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Words
from booking.reminders import mail, policy, queries
from booking.reminders.models import Reminder, ReminderRule

MOST_RULES = 5
Times = Sequence[tuple[int, time]]


def post_due() -> int:
    """Queue every reminder that is due, event by event. Returns how many mails.

    What is due is derived from rows, so any number of processes may do this, at any time. What goes wrong with one
    event is raised after all others have been seen to.
    """
    ids = queries.events_to_look_at(today())
    db.session.rollback()
    return one_by_one(ids, _post_if_due, "the reminders of event %s cannot be queued")


def _post_if_due(event_id: int) -> int:
    return post_for(event_id) if _is_anything_due(event_id) else 0


def _is_anything_due(event_id: int) -> bool:
    """Look without the lock first: a scheduler that has nothing to do should stand in nobody's way."""
    event = db.session.get(Event, event_id)
    found = bool(event and _due(event, queries.confirmed_places(event)))
    db.session.rollback()
    return found


@atomic
def post_for(event_id: int) -> int:
    """Queue the reminders that are due for one event, under its lock. Returns how many mails."""
    event = db.session.get(Event, event_id)
    if event is None:
        return 0
    lock(event)
    if event.status is not EventStatus.PUBLISHED:
        return 0
    places = {place.id: place for place in queries.confirmed_places(event)}
    found = _due(event, list(places.values()))
    for one in found:
        for rule_id in one.passed_over:
            _record(event, rule_id, one.holder)
    messages = mail.reminders(event, [places[one.holder.place_id] for one in found])
    for one in found:
        _record(event, one.rule_id, one.holder, messages[one.holder.place_id])
    return len({id(message) for message in messages.values()})


def _due(event: Event, places: Sequence[Place]) -> list[policy.Due]:
    return policy.due(
        day=event.day,
        starts_at=event.starts_at,
        rules=[policy.Rule(rule.id, rule.days_before, rule.at, rule.active_since) for rule in queries.rules_for(event)],
        holders=[
            policy.Holder(place.id, recipient_key(place), place.confirmed_at or place.created_at) for place in places
        ],
        done=queries.done_for(event),
        at=now(),
    )


def recipient_key(place: Place) -> str:
    """Return whom a reminder of this place is counted for: the attendee, who is told apart from all others."""
    return place.attendee_key


def _record(event: Event, rule_id: int, holder: policy.Holder, message: Message | None = None) -> None:
    if message is not None and message.id is None:
        db.session.flush()
    db.session.add(
        Reminder(
            rule_id=rule_id,
            event_id=event.id,
            day=event.day,
            recipient=holder.recipient,
            place_id=holder.place_id,
            message_id=message.id if message else None,
            created_at=now(),
        )
    )


def still_wanted(message: Message) -> str | None:
    """Return why a message should not go any more, or None: looked at right before it is sent.

    A reminder that still goes says what is so by now: it may have waited for the mail server over night, and
    "tomorrow" has become "today", the event begins an hour earlier, or one of two colleagues does not come. Who gave
    their place away and has it back is reminded of the one they have now.
    """
    if message.kind != mail.TEMPLATE:
        return None
    reminder = queries.reminder_of(message)
    event = db.session.get(Event, message.event_id) if message.event_id else None
    if reminder is None or event is None:
        return "what it reminds of is gone"
    if event.status is not EventStatus.PUBLISHED:
        return "the event was cancelled"
    if event.day != reminder.day:
        return "the event has moved"
    if now() >= event.starts_at:
        return "the event has begun"
    places = queries.places_held_now(event, queries.places_reminded_by(message))
    if not places:
        return "the place was given back"
    if mail.address_of(places[0]) != message.to_email:
        _remind_anew(message)
        return "the booking has another e-mail address"
    words = mail.words_now(event, places)
    if words != Words(message.subject, message.text, message.html):
        outbox.rewrite(message, words)
    return None


@atomic
def _remind_anew(message: Message) -> None:
    """Forget that this message was to remind, so that another does, to the address of now."""
    db.session.execute(sa.delete(Reminder).where(Reminder.message_id == message.id))


@atomic
def set_category_rules(category: Category, times: Times, *, by: Person | None) -> None:
    """Set when the events of a category are reminded of. A rule newly switched on never mails for the past."""
    take_turns(f"reminders of category {category.id}")
    _set(ReminderRule.category_id == category.id, times, category_id=category.id)
    audit.record("set the reminders of", "category", category.id, by=by, area_id=category.area_id, times=_words(times))


@atomic
def set_event_rules(event: Event, times: Times | None, *, by: Person | None) -> None:
    """Give an event its own reminders (none is possible), or with None those of its category again.

    Those of the category do not mail for the time before either.
    """
    lock(event)
    had_own = event.own_reminders
    _set(ReminderRule.event_id == event.id, times or (), event_id=event.id)
    event.own_reminders = times is not None
    db.session.flush()
    if had_own and not event.own_reminders:
        pass_over_the_past(event)
    audit.record(
        "set the reminders of",
        "event",
        event.id,
        by=by,
        area_id=event.area_id,
        times=None if times is None else _words(times),
    )


@atomic
def pass_over_the_past(event: Event) -> None:
    """Take as done what is due by rules that the event has only just got: they do not mail for the past."""
    lock(event)
    for one in _due(event, queries.confirmed_places(event)):
        for rule_id in (*one.passed_over, one.rule_id):
            _record(event, rule_id, one.holder)


def _set(owner: sa.ColumnElement[bool], times: Times, **owner_values: int) -> None:
    refuse_unless(len(set(times)) == len(times), "Two reminders are at the same time. Take one of them out.")
    refuse_unless(len(times) <= MOST_RULES, f"At most {MOST_RULES} reminders are possible.")
    in_reach = all(0 <= days_before <= policy.MOST_DAYS_BEFORE for days_before, _ in times)
    refuse_unless(in_reach, f"A reminder goes 0 to {policy.MOST_DAYS_BEFORE} days before.")
    known = {(rule.days_before, rule.at): rule for rule in queries.all_rules_of(owner)}
    for key, rule in known.items():
        if rule.active != (key in times):
            rule.active = key in times
            rule.active_since = now()
    for days_before, at in times:
        if (days_before, at) not in known:
            db.session.add(
                ReminderRule(days_before=days_before, at=at, active_since=now(), active=True, **owner_values)
            )


def _words(times: Times) -> list[str]:
    return [f"{days} days before at {at:%H:%M}" for days, at in times]
