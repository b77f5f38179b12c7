"""Post what is due, set rules and pauses, and say before sending whether a reminder is still wanted."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa

from booking.calendar.models import Category, Event, EventStatus
from booking.calendar.wording import say_time
from booking.core import audit
from booking.core.clock import now, wall
from booking.core.db import atomic, db, lock, one_by_one, take_turns
from booking.core.errors import refuse_unless
from booking.core.tokens import new_key
from booking.directory.models import Area, Person
from booking.notifications import outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Words
from booking.notifications.verdict import Drop, Hold, Verdict
from booking.reminders import mail, planning, policy, queries, words
from booking.reminders.models import Reminder, ReminderPause, ReminderRule, ReminderRun, Subscription, To, Unit
from booking.reminders.planning import HoursOfAreas
from booking.reminders.policy import Due, EventTimes, Occasion, Timing
from booking.reminders.recipients import STATUS_OF, Reader, readers
from booking.reminders.wording import say_rule

log = logging.getLogger(__name__)
MOST_RULES = 8
TOO_MANY = f"At most {MOST_RULES} reminders are possible."
TOO_LATE, SWITCHED_ON_LATER = "it would have come too late", "the event got this rule later"


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule as an organiser says it. Without own words the usual ones go."""

    timing: Timing
    to: To = To.PLACES
    subject: str = ""
    text: str = ""


THE_SAME = "Two reminders are the same. Take one of them out."
DEFAULT_RULES = (NewRule(Timing(7)), NewRule(Timing(1)))
# Of a closing date: to schools that have not answered, and the day after the list to the organiser.
DEADLINE_RULES = (
    NewRule(Timing(10, Unit.SCHOOL_DAYS), To.SCHOOLS),
    NewRule(Timing(3, Unit.SCHOOL_DAYS), To.SCHOOLS),
    NewRule(Timing(1, Unit.SCHOOL_DAYS), To.SCHOOLS),
    NewRule(Timing(1, Unit.DAYS, time(9, 0), after=True), To.ORGANISERS),
)
Rules = Sequence[NewRule]


def post_due() -> int:
    """Queue every reminder that is due, event by event. Returns how many mails.

    What is due is derived from rows, so any number of processes may do this, at any time. What goes wrong with one
    event is raised after all others have been seen to.
    """
    try:
        ids = events_due(now())
    except sa.exc.DBAPIError:
        raise
    except Exception:  # one bad row must not hold up the others: each event is looked at by itself
        log.exception("what is due cannot be told at one look")
        db.session.rollback()
        ids = [event.id for event in queries.events_near(wall(now()).date())]
    db.session.rollback()
    return one_by_one(ids, post_for, "the reminders of event %s cannot be queued")


def events_due(at: datetime) -> list[int]:
    """Return the ids of events of which something fell due by an instant and is not carried out.

    Read without a lock: a scheduler that has nothing to do should stand in nobody's way, and read little.
    """
    events, held, hours = queries.events_near(wall(at).date()), queries.pauses(), HoursOfAreas()
    rules, runs = queries.rules_of_events(events), queries.runs_of([event.id for event in events])
    due = []
    for event in events:
        if queries.is_held(event, held):
            continue
        occasions = planning.plan_of(event, rules[event.id], hours.of(event.area, event.day))
        done = queries.done_of(runs.get((event.id, event.day), []))
        if policy.fallen(occasions, done=done, at=at):
            due.append(event.id)
    return due


@atomic
def post_for(event_id: int) -> int:
    """Queue the reminders that are due for one event, under its lock. Returns how many mails."""
    event = db.session.get(Event, event_id)
    if event is None:
        return 0
    lock(event)
    if event.status is not EventStatus.PUBLISHED or queries.is_held(event, queries.pauses()):
        return 0
    found, done = _fallen(event)
    times = planning.times_of(event)
    useful = [one for one in found if now() < one.useful_until(times)]
    posted = sum(_post(event, to, [one for one in useful if one.rule.to is to]) for to in _in_turn(useful))
    for one in found:
        _write_down(event, one, done, why_not="" if one in useful else TOO_LATE)
    return posted


def _in_turn(occasions: Collection[Occasion]) -> list[To]:
    return [to for to in To if any(one.rule.to is to for one in occasions)]


def _fallen(event: Event) -> tuple[list[Occasion], set[tuple[int, bool]]]:
    """Return what has fallen due for an event and is not carried out, and the keys of what is."""
    occasions = planning.plan_of(event, queries.rules_for(event), planning.kind_hours(event.area, event.day))
    done = queries.done_of(queries.runs_of([event.id]).get((event.id, event.day), []))
    return policy.fallen(occasions, done=done, at=now()), done


def _post(event: Event, to: To, occasions: Sequence[Occasion]) -> int:
    """Queue what one kind of reader gets of these occasions; write down who got what. Returns how many mails."""
    found = policy.share(occasions, readers(event, to))
    sent, rows = 0, []
    for occasion in occasions:
        mine = {one.recipient.key: one for one in found if one.occasion is occasion}
        rule = queries.find_rule(occasion.rule.id)
        assert rule is not None
        posted = mail.post(event, rule, [_reader(one) for one in mine.values()])
        db.session.flush()  # so that the messages have their numbers
        sent += len(posted)
        rows += [row for message, those in posted for one in those for row in _rows(event, mine[one.key], message)]
    if rows:
        db.session.execute(sa.insert(Reminder), rows)
    return sent


def _reader(due: Due) -> Reader:
    assert isinstance(due.recipient, Reader)
    return due.recipient


def _rows(event: Event, due: Due, message: Message) -> list[dict[str, Any]]:
    """Return what is written down of a reminder; the ones it stands for as well are passed over and carry no mail."""
    reader = _reader(due)
    speaking = due.occasion.keys[-1]
    passed = [key for one in due.passed_over for key in one.keys] + due.occasion.keys[:-1]
    shared = {"event_id": event.id, "day": event.day, "recipient": str(reader.key), "created_at": now()}
    shared["place_id"] = reader.place.id if reader.place else None
    return [
        {**shared, "rule_id": key[0], "extra": key[1], "message_id": message.id if key == speaking else None}
        for key in (*passed, speaking)
    ]


def _write_down(event: Event, occasion: Occasion, done: Collection[tuple[int, bool]], *, why_not: str = "") -> None:
    for rule_id, extra in occasion.keys:
        if (rule_id, extra) not in done:
            db.session.add(
                ReminderRun(
                    rule_id=rule_id,
                    event_id=event.id,
                    day=event.day,
                    extra=extra,
                    fell_due=occasion.at,
                    at=now(),
                    why_not=why_not,
                )
            )


def still_wanted(message: Message) -> Verdict:
    """Return why a reminder should not go any more or not yet; None for that it goes, and for any other message.

    One that still goes says what is so by now: it may have waited for the mail server over night, and
    "tomorrow" has become "today", the event begins an hour earlier, or one of two colleagues does not come. Who gave
    their place away and has it back is reminded of the one they have now.
    """
    if not mail.is_reminder(message):
        return None
    carried = queries.reminders_of(message)
    event = db.session.get(Event, message.event_id) if message.event_id else None
    rule = queries.find_rule(carried[0].rule_id) if carried else None
    if event is None or rule is None:
        return Drop("what it reminds of is gone")
    reason = _why_not(event, rule, carried[0], planning.times_of(event))
    if reason:
        return Drop(reason)
    if queries.is_held(event, queries.pauses()):
        return Hold("reminders are paused")
    return _as_of_now(message, event, rule, carried)


def _why_not(event: Event, rule: ReminderRule, reminder: Reminder, times: EventTimes) -> str | None:
    """Return why a rule has nothing to say of an event any more, or None."""
    if event.status is not EventStatus.PUBLISHED:
        return "the event was cancelled"
    if event.day != reminder.day:
        return "the event has moved"
    if not rule.after and now() >= times.starts_at:
        return "the closing time has passed" if times.is_deadline else "the event has begun"
    if rule.after and now() >= reminder.created_at + policy.USEFUL_AFTER:
        return "the event was too long ago"
    return None


def _as_of_now(message: Message, event: Event, rule: ReminderRule, carried: Sequence[Reminder]) -> Verdict:
    """Let a reminder say what is so now; drop it where nobody it is for is left."""
    mine = _readers_now(event, rule.to, carried)
    if not mine:
        return Drop(_GONE[rule.to])
    letter = mail.letter_to(event, rule.to, mine)
    if letter.email != message.to_email:
        _remind_at_the_new_address(event, rule, carried, mine)
        return Drop("the booking has another e-mail address")
    said = mail.words_now(event, rule, letter)
    if said != Words(message.subject, message.text, message.html):
        outbox.rewrite(message, said)
    return None


_GONE = {
    To.PLACES: "the place was given back",
    To.WAITING: "nobody it is for waits any more",
    To.SUBSCRIBERS: "they do not want these e-mails any more, or have a place",
    To.HOSTS: "they are not host any more",
    To.ORGANISERS: "they do not belong to the team any more",
    To.SCHOOLS: "the school has answered",
    To.HEADTEACHERS: "the school has answered",
}


def _readers_now(event: Event, to: To, carried: Sequence[Reminder]) -> list[Reader]:
    """Return the readers of a message who still are ones, in the order it was queued with."""
    if to not in STATUS_OF:
        keys = {reminder.recipient for reminder in carried}
        return [reader for reader in readers(event, to) if reader.key in keys]
    reminded = queries.places_of([reminder.place_id for reminder in carried if reminder.place_id])
    held = queries.places_now(event, reminded, STATUS_OF[to])
    return [Reader(place.attendee_key, place.created_at, "", place.name, place) for place in held]


@atomic
def _remind_at_the_new_address(
    event: Event, rule: ReminderRule, carried: Sequence[Reminder], mine: Sequence[Reader]
) -> None:
    """Queue the same reminder for the address that the booking has now."""
    for message, _ in mail.post(event, rule, mine):
        db.session.flush()
        for reminder in carried:
            db.session.merge(reminder).message_id = message.id


@atomic
def set_category_rules(category: Category, rules: Rules, *, by: Person | None) -> None:
    """Set when the events of a category are reminded of. A rule newly switched on never mails for the past."""
    take_turns(f"reminders of category {category.id}")
    _set(ReminderRule.category_id == category.id, rules, category_id=category.id)
    audit.record("set the reminders of", "category", category.id, by=by, area_id=category.area_id, rules=_said(rules))


@atomic
def set_event_rules(event: Event, rules: Rules | None, *, by: Person | None) -> None:
    """Give an event its own reminders (none is possible), or with None those of its category again.

    Those of the category do not mail for the time before either.
    """
    lock(event)
    had_own = event.own_reminders
    _set(ReminderRule.event_id == event.id, rules or (), event_id=event.id)
    event.own_reminders = rules is not None
    db.session.flush()
    if had_own and not event.own_reminders:
        pass_over_the_past(event)
    said = None if rules is None else _said(rules)
    audit.record("set the reminders of", "event", event.id, by=by, area_id=event.area_id, rules=said)


def _said(rules: Rules) -> list[str]:
    return [say_rule(one.timing, one.to) + (" in own words" if one.text else "") for one in rules]


@atomic
def pass_over_the_past(event: Event) -> None:
    """Take as done what is due by rules that the event has only just got: they do not mail for the past."""
    lock(event)
    found, done = _fallen(event)
    for one in found:
        _write_down(event, one, done, why_not=SWITCHED_ON_LATER)


def _set(owner: sa.ColumnElement[bool], rules: Rules, **owner_values: int) -> None:
    """Write the rules of an owner. One that stays keeps its row, so that what it has done stays done."""
    rules = [checked(one) for one in rules]
    _refuse_too_many_or_the_same(rules)
    wanted = {(one.to, one.timing): one for one in rules}
    known = {(row.to, planning.timing_of(row)): row for row in queries.all_rules_of(owner)}
    for key, row in known.items():
        if row.active != (key in wanted):
            row.active, row.active_since = key in wanted, now()
        if key in wanted:
            row.subject, row.text = wanted[key].subject, wanted[key].text
    for key, one in wanted.items():
        if key not in known:
            db.session.add(unsaved(one, active=True, active_since=now(), **owner_values))


def _refuse_too_many_or_the_same(rules: Rules) -> None:
    refuse_unless(len(rules) <= MOST_RULES, TOO_MANY)
    keys = [(one.to, one.timing) for one in rules]
    refuse_unless(len(set(keys)) == len(keys), THE_SAME)


def checked(rule: NewRule) -> NewRule:
    """Return a rule as it is kept. Raises Refused, with the field, for one that cannot be."""
    timing = rule.timing
    refuse_unless(
        timing.number >= 0 and timing.length <= policy.LONGEST,
        f"A reminder goes at most {policy.LONGEST.days} days before or after.",
        field="number",
    )
    to_the_minute = timing.unit in {Unit.MINUTES, Unit.HOURS}
    refuse_unless(
        to_the_minute == (timing.at is None), "Minutes and hours need no time of day; the others do.", field="at"
    )
    refuse_unless(
        not (timing.after and rule.to in {To.WAITING, To.SUBSCRIBERS}),
        "After the event only those with a place, hosts and the team are written to.",
        field="to",
    )
    subject, text = words.tidy(rule.subject, rule.text)
    return replace(rule, subject=subject, text=text)


@atomic
def set_kind_hours(area: Area, first: time, last: time, *, by: Person) -> None:
    """Set between which times reminders may reach people of an area. Raises Refused."""
    refuse_unless(first < last, "The end has to be after the beginning.", field="last")
    area.kind_from, area.kind_until = first, last
    audit.record(
        "set when reminders may go in",
        "area",
        area.id,
        by=by,
        area_id=area.id,
        hours=f"{say_time(first)} to {say_time(last)}",
    )


@atomic
def pause(*, area: Area | None, event: Event | None = None, by: Person) -> None:
    """Hold the reminders of an event, of an area, or (with neither) of the whole installation."""
    take_turns("pauses of reminders")
    area_id = area.id if area and event is None else None
    if queries.find_pause(area_id, event.id if event else None) is None:
        db.session.add(ReminderPause(area_id=area_id, event_id=event.id if event else None, since=now()))
        _record_pause("paused the reminders of", area, event, by)


@atomic
def go_on(*, area: Area | None, event: Event | None = None, by: Person) -> None:
    """Let them go again. What fell due meanwhile and is still of use goes once."""
    take_turns("pauses of reminders")
    found = queries.find_pause(area.id if area and event is None else None, event.id if event else None)
    if found is not None:
        db.session.delete(found)
        _record_pause("let go on the reminders of", area, event, by)


def _record_pause(what: str, area: Area | None, event: Event | None, by: Person) -> None:
    if event is not None:
        audit.record(what, "event", event.id, by=by, area_id=event.area_id)
    else:
        audit.record(
            what,
            "area" if area else "installation",
            area.id if area else None,
            by=by,
            area_id=area.id if area else None,
        )


@atomic
def send_test(event: Event, new: NewRule, *, to: Person) -> None:
    """Mail a reminder as it would be to who asks for it, about somebody invented. Raises Refused."""
    mail.test_to(event, unsaved(checked(new)), to=to)


def new_of(rule: ReminderRule) -> NewRule:
    """Return a rule as an organiser would say it."""
    return NewRule(planning.timing_of(rule), rule.to, rule.subject, rule.text)


def unsaved(new: NewRule, **more: Any) -> ReminderRule:
    """Return a rule as a row that belongs to no session: to try, to show, or to be added with its owner."""
    timing = new.timing
    return ReminderRule(
        to=new.to,
        after=timing.after,
        number=timing.number,
        unit=timing.unit,
        at=timing.at,
        subject=new.subject,
        text=new.text,
        **more,
    )


@atomic
def subscribe(person: Person, categories: Collection[Category]) -> None:
    """Set of which categories somebody is told; the others stop."""
    take_turns(f"subscriptions of {person.id}")
    known = {one.category_id: one for one in queries.subscriptions_of(person.id)}
    wanted = {category.id for category in categories}
    for category_id, one in known.items():
        if category_id not in wanted:
            db.session.delete(one)
    for category_id in sorted(wanted - known.keys()):
        db.session.add(Subscription(person_id=person.id, category_id=category_id, key=new_key(), since=now()))


@atomic
def stop(key: str) -> bool:
    """End the subscription whose link this is. Returns whether there was one."""
    found = queries.find_subscription(key)
    if found is not None:
        db.session.delete(found)
    return found is not None
