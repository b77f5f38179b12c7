"""Create, edit, publish, cancel: what organisers do to events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from booking.calendar import queries
from booking.calendar import rules as booking_rules
from booking.calendar.models import (
    MIDNIGHT,
    Category,
    Event,
    EventStatus,
    Host,
    Kind,
    Series,
    Venue,
    Visibility,
    WhoMayBook,
)
from booking.calendar.rules import BookingRules
from booking.calendar.wording import say_count, say_day
from booking.core import audit
from booking.core.clock import now, on_the_wall
from booking.core.db import atomic, db, lock, take_turns
from booking.core.errors import Refused, refuse_unless
from booking.core.text import and_list, email_key, one_line, paragraphs
from booking.core.tokens import new_key
from booking.directory.models import Area, Person

# What a calendar client shows: a change of these raises SEQUENCE (RFC 5545, 3.8.7.4).
SHOWN = (
    "title",
    "description",
    "kind",
    "status",
    "day",
    "last_day",
    "starts",
    "ends",
    "venue_id",
    "category_id",
    "visibility",
    "closes_for_id",
)


# Who hosts or leads an event, in their order: name (may be empty) and e-mail address.
Hosts = tuple[tuple[str, str], ...]


class Stale(Refused):
    """Somebody else changed the event since the form was loaded."""


@dataclass(frozen=True, slots=True)
class EventValues:
    """What an organiser says of an event."""

    title: str
    category_id: int
    kind: Kind
    visibility: Visibility
    private: bool
    audience_ids: tuple[int, ...]
    day: date
    last_day: date | None
    starts: time | None
    ends: time | None
    venue: str
    description: str
    cost: str
    joining_link: str
    takes_bookings: bool
    capacity: int | None
    places_per_booking: int
    closes_at: datetime | None
    rules: BookingRules = field(default_factory=BookingRules)
    hosts: Hosts = ()
    # Of a closing date: the event that it is for.
    closes_for_id: int | None = None


@atomic
def create_event(area: Area, values: EventValues, *, by: Person | None, import_key: str | None = None) -> Event:
    """Add a draft. Raises Refused."""
    lock(*_what_it_is_for(values))
    event = Event(area_id=area.id, import_key=import_key, status=EventStatus.DRAFT, created_at=now(), changed_at=now())
    event.taken = event.last_position = event.sequence = 0
    event.revision = 1
    _write(event, values)
    db.session.add(event)
    db.session.flush()
    audit.record("created", "event", event.id, by=by, area_id=area.id, title=event.title)
    return event


@atomic
def edit_event(event: Event, values: EventValues, *, by: Person | None, revision: int) -> dict[str, list[str]]:
    """Change an event; `revision` is the one the form was loaded with. Returns what changed: field to [old, new].

    Raises Stale where somebody was quicker, and Refused. A change that calendars show raises SEQUENCE.
    """
    lock(event, *_what_it_is_for(values))
    if event.revision != revision:
        raise Stale(
            "Somebody else has changed this event since you opened it. Open it again in another window, "
            "see what changed, and put your change in there. Nothing of yours was saved."
        )
    before = _snapshot(event)
    _write(event, values)
    db.session.flush()
    after = _snapshot(event)
    changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if changed:
        event.revision += 1
        if set(changed) & set(SHOWN):
            show_the_change(event)
        audit.record("edited", "event", event.id, by=by, area_id=event.area_id, changed=changed)
    return changed


@atomic
def publish(event: Event, *, by: Person | None) -> None:
    """Put a draft on the calendar. Raises Refused for what was cancelled."""
    lock(event)
    refuse_unless(
        event.status is not EventStatus.CANCELLED,
        "A cancelled event cannot be published again. Put it back on from its page.",
    )
    if event.status is EventStatus.PUBLISHED:
        return
    event.status = EventStatus.PUBLISHED
    event.published_at = event.changed_at = now()
    event.revision += 1
    audit.record("published", "event", event.id, by=by, area_id=event.area_id)


@atomic
def cancel(event: Event, *, by: Person | None, note: str = "") -> bool:
    """Call an event off: it stays on the calendar as cancelled. Returns whether it was on until now."""
    lock(event)
    refuse_unless(event.status is not EventStatus.DRAFT, "This is a draft: nobody has seen it. Delete it instead.")
    if event.status is EventStatus.CANCELLED:
        return False
    event.status = EventStatus.CANCELLED
    event.cancelled_at = now()
    event.cancel_note = one_line(note)[:300]
    event.revision += 1
    show_the_change(event)
    audit.record("cancelled", "event", event.id, by=by, area_id=event.area_id, note=event.cancel_note)
    return True


@atomic
def restore(event: Event, *, by: Person | None) -> bool:
    """Put an event back on that was called off. Returns whether it was off until now.

    Raises Refused for what is over: nobody could come.
    """
    lock(event)
    refuse_unless(event.status is not EventStatus.DRAFT, "This is a draft: publish it instead.")
    if event.status is EventStatus.PUBLISHED:
        return False
    refuse_unless(event.ends_at > now(), "The day of this event has passed, so it cannot be put back on.")
    event.status, event.cancelled_at, event.cancel_note = EventStatus.PUBLISHED, None, ""
    event.revision += 1
    show_the_change(event)
    audit.record("put back on", "event", event.id, by=by, area_id=event.area_id)
    return True


@atomic
def delete_draft(event: Event, *, by: Person) -> None:
    """Delete a draft, which nobody but organisers has seen. Raises Refused for anything else."""
    lock(event, *queries.closing_dates_of(event))
    closing_dates = queries.closing_dates_of(event)
    refuse_unless(event.status is EventStatus.DRAFT, "Only a draft can be deleted. Cancel the event instead.")
    refuse_unless(not queries.has_bookings(event.id), "Somebody booked this event before. Cancel it instead.")
    for one in closing_dates:
        one.closes_for = None
        one.revision += 1
        show_the_change(one)
        audit.record("edited", "event", one.id, by=by, area_id=one.area_id, changed={"closes_for": [event.title, ""]})
    db.session.flush()
    audit.record("deleted the draft", "event", event.id, by=by, area_id=event.area_id, title=event.title)
    db.session.delete(event)


@atomic
def new_invitation(event: Event, *, by: Person) -> None:
    """Make a new link for an event that is booked by invitation; the old one stops. Raises Refused."""
    lock(event)
    refuse_unless(
        event.who_may_book is WhoMayBook.INVITED, "This event is not booked by invitation, so it has no such link."
    )
    event.invitation_key = new_key()
    event.revision += 1
    audit.record("made a new invitation link for", "event", event.id, by=by, area_id=event.area_id)


def show_the_change(event: Event) -> None:
    """Raise SEQUENCE: people should see what changed (RFC 5545, 3.8.7.4). Belongs inside an action.

    Of a draft nobody has a copy but the team, whose calendars go by the time of the change.
    """
    if event.status is not EventStatus.DRAFT:
        event.sequence += 1
    event.changed_at = now()


def _write(event: Event, values: EventValues) -> None:
    _refuse_what_cannot_be(event, values)
    # Looked up before anything is written: a query in between would send half of the change to the database.
    category = _of_area(Category, values.category_id, event.area_id)
    audiences = [one for one in queries.audiences(event.area_id) if one.id in values.audience_ids]
    closes_for = _closes_for(event, values)
    known_hosts = {host.email: host for host in event.hosts}
    rules = _rules_that_count(values)
    booking_rules.refuse_rules_that_cannot_be(
        rules,
        for_somebody=bool(audiences),
        private=values.private,
        closes_at=values.closes_at,
        starts_at=on_the_wall(values.day, values.starts or MIDNIGHT),
    )
    # The series first: a new venue raises the area's version, and turns are taken before that.
    series = find_or_create_series(event.area_id, rules.series)
    venue = find_or_create_venue(event.area_id, values.venue)
    event.title = one_line(values.title)
    event.category, event.category_id = category, category.id
    event.own_visibility = bool(event.own_visibility) or event.visibility is not values.visibility
    event.kind, event.visibility, event.private = values.kind, values.visibility, values.private
    event.closes_for, event.closes_for_id = closes_for, values.closes_for_id
    event.audiences = audiences
    event.day, event.last_day = values.day, values.last_day
    event.starts, event.ends = values.starts, values.ends
    event.venue, event.venue_id = venue, venue.id if venue else None
    event.description, event.cost = paragraphs(values.description), one_line(values.cost)
    event.joining_link = values.joining_link.strip()
    is_session = values.kind is Kind.SESSION
    event.takes_bookings = values.takes_bookings and is_session
    event.capacity = values.capacity if is_session else None
    event.places_per_booking = values.places_per_booking
    event.closes_at = values.closes_at if event.takes_bookings else None
    booking_rules.write_rules(event, rules, series)
    event.hosts = _hosts(known_hosts, values.hosts)


def _hosts(known: Mapping[str, Host], said: Hosts) -> list[Host]:
    """Return who hosts in this order. Who stays keeps since when they have: what went before is not sent to others."""
    named = {email_key(email): one_line(name)[:120] for name, email in said}
    hosts = [known.get(email) or Host(email=email, since=now()) for email in named]
    for position, host in enumerate(hosts):
        host.name, host.position = named[host.email], position
    return hosts


def _rules_that_count(values: EventValues) -> BookingRules:
    """Return the rules that are kept: those of a session, and when booking opens only where it is booked."""
    if values.kind is not Kind.SESSION:
        return BookingRules()
    return values.rules if values.takes_bookings else replace(values.rules, opens_at=None)


def _refuse_what_cannot_be(event: Event, values: EventValues) -> None:
    refuse_unless(one_line(values.title), "Enter a title.", field="title")
    if event.taken or event.last_position:
        still_booked = values.kind is Kind.SESSION and (values.takes_bookings or not event.taken)
        refuse_unless(still_booked, "People have booked this. Cancel their places first.", field="takes_bookings")
    if values.kind is Kind.DEADLINE and event.kind is Kind.SESSION and event.id:
        names = and_list([one.title for one in queries.closing_dates_of(event)])
        refuse_unless(not names, f"{names} is for this event. Say there first what else it is for.", field="kind")
    refuse_fewer_than_taken(event, values.capacity)
    refuse_unless(
        values.last_day is None or values.last_day > values.day, "The last day is before the first.", field="last_day"
    )
    in_order = values.ends is None or (
        values.starts is not None and (values.last_day is not None or values.ends > values.starts)
    )
    refuse_unless(in_order, "The end is before the start.", field="ends")


def refuse_fewer_than_taken(event: Event, capacity: int | None) -> None:
    """Raise Refused where there would be fewer places than are taken (rule 1)."""
    taken = event.taken or 0
    refuse_unless(
        capacity is None or capacity >= taken,
        f"{say_count(taken, 'place is', 'places are')} taken already, so there cannot be fewer. Cancel places first.",
        field="capacity",
    )


def _what_it_is_for(values: EventValues) -> Sequence[Event]:
    """Return the event that a closing date is for, to be locked with it: a draft may be deleted meanwhile."""
    found = db.session.get(Event, values.closes_for_id) if values.closes_for_id else None
    return [found] if found else []


def _closes_for(event: Event, values: EventValues) -> Event | None:
    """Return what a closing date is for. Raises Refused for what is none, and for an event that is over by then."""
    if values.closes_for_id is None:
        return None
    refuse_unless(
        values.kind is Kind.DEADLINE,
        "Only a closing date is for another event. Choose “Nothing on the calendar”, or make this a closing date.",
        field="closes_for",
    )
    found = db.session.get(Event, values.closes_for_id)
    if found is None or found.area_id != event.area_id or found.kind is Kind.DEADLINE or found is event:
        raise Refused("Choose another event from the list.", field="closes_for")
    refuse_unless(
        (found.last_day or found.day) >= values.day,
        f"{found.title} is before this closing date, on {say_day(found.day)}. Check both days.",
        field="closes_for",
    )
    return found


def _of_area(model: type[Category], row_id: int, area_id: int) -> Category:
    row = db.session.get(model, row_id)
    if row is None or row.area_id != area_id:
        raise Refused("Choose a kind from the list.", field="category")
    return row


def find_or_create_venue(area_id: int, name: str) -> Venue | None:
    """Return the area's venue of this name, whatever the case; made where there is none. Belongs inside an action."""
    name = one_line(name)[:120]
    if not name:
        return None
    found = _venue_called(name, area_id)
    if found is None:
        take_turns(venues_of(area_id))
        found = _venue_called(name, area_id)
    if found is not None:
        return found
    venue = Venue(area_id=area_id, name=name)
    venue.is_online = name.casefold() in {"on line", "online", "ms teams", "teams", "zoom"}
    db.session.add(venue)
    db.session.flush()
    return venue


def venues_of(area_id: int) -> str:
    """Return the name under which transactions that add a venue take turns."""
    return f"venues of area {area_id}"


def _venue_called(name: str, area_id: int) -> Venue | None:
    return next((venue for venue in queries.venues(area_id) if venue.name.casefold() == name.casefold()), None)


def find_or_create_series(area_id: int, name: str) -> Series | None:
    """Return the area's series of this name, whatever the case; made where there is none. Belongs inside an action."""
    name = one_line(name)[:120]
    if not name:
        return None
    found = _series_called(name, area_id)
    if found is None:
        take_turns(f"series of area {area_id}")
        found = _series_called(name, area_id)
    if found is None:
        found = Series(area_id=area_id, name=name)
        db.session.add(found)
        db.session.flush()
    return found


def _series_called(name: str, area_id: int) -> Series | None:
    return next((one for one in queries.series(area_id) if one.name.casefold() == name.casefold()), None)


def _snapshot(event: Event) -> dict[str, str]:
    names: Sequence[str] = (
        *SHOWN,
        "private",
        "cost",
        "joining_link",
        "takes_bookings",
        "capacity",
        "places_per_booking",
        "closes_at",
        *booking_rules.COLUMNS,
    )
    shot = {name: _said(getattr(event, name)) for name in names}
    shot["closes_for"] = event.closes_for.title if event.closes_for else ""
    shot["series"] = event.series.name if event.series else ""
    shot["audiences"] = ", ".join(audience.name for audience in event.audiences)
    shot["hosts"] = ", ".join(f"{host.name} <{host.email}>" if host.name else host.email for host in event.hosts)
    return shot


def _said(value: Any) -> str:
    return "" if value is None else str(value)
