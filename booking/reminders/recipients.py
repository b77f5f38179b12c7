"""Whom a rule writes to, and why somebody is left out: one way for all kinds of recipients."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Event, Host, Kind, Visibility
from booking.core.clock import today
from booking.core.db import db
from booking.deadlines import queries as deadlines
from booking.deadlines.models import Answer, Ask, Return, ReturnStatus
from booking.directory.models import ContactRole, Person, Role, RoleName, SchoolContact
from booking.directory.queries import in_office
from booking.reminders.models import Subscription, To
from booking.reminders.policy import Recipient

# `key` of a place is its attendee, told apart from all others; of everybody else their address.
OF_SCHOOLS = frozenset({To.SCHOOLS, To.HEADTEACHERS})
STATUS_OF = {To.PLACES: PlaceStatus.CONFIRMED, To.WAITING: PlaceStatus.WAITING}


@dataclass(frozen=True, slots=True)
class Reader(Recipient):
    """Somebody a reminder may go to: a place, or an address with a name."""

    email: str
    name: str
    place: Place | None = None
    subscription_key: str = ""
    owed: Return | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Who hears nothing, and why, in words."""

    name: str
    why: str


def may_have(event: Event, to: To) -> bool:
    """Tell whether an event may have readers of a kind: where nobody books, nobody has a place or waits for one."""
    if to in OF_SCHOOLS:
        return event.kind is Kind.DEADLINE
    return event.takes_bookings or to not in STATUS_OF


def readers(event: Event, to: To) -> Sequence[Reader]:
    """Return whom a rule of this kind writes to at an event, as things are now."""
    return _SOURCES[to](event)


def count_readers(events: Collection[Event]) -> Counter[tuple[int, To]]:
    """Return how many readers each rule would have at each of these events now, by the event’s id."""
    ids, found = [event.id for event in events], Counter[tuple[int, To]]()
    by_status = sa.select(Place.event_id, Place.status, sa.func.count()).where(Place.event_id.in_(ids))
    kinds = {status: to for to, status in STATUS_OF.items()}
    for event_id, status, number in db.session.execute(by_status.group_by(Place.event_id, Place.status)):
        if status in kinds:
            found[event_id, kinds[status]] = number
    hosts = sa.select(Host.event_id, sa.func.count()).where(Host.event_id.in_(ids)).group_by(Host.event_id)
    for event_id, number in db.session.execute(hosts):
        found[event_id, To.HOSTS] = number
    team = sa.select(Role.area_id, sa.func.count()).where(Role.role == RoleName.ORGANISER).group_by(Role.area_id)
    teams: dict[int | None, int] = {row[0]: row[1] for row in db.session.execute(team)}
    for event in events:
        found[event.id, To.ORGANISERS] = teams.get(event.area_id, 0)
    for event_id, number in db.session.execute(_count_subscribers(ids)):
        found[event_id, To.SUBSCRIBERS] = number
    for event_id, number in db.session.execute(_count_contacts(ids, Ask.role, Answer.REQUIRED, Answer.OPTIONAL)):
        found[event_id, To.SCHOOLS] = number
    for event_id, number in db.session.execute(_count_contacts(ids, ContactRole.HEADTEACHER, Answer.REQUIRED)):
        found[event_id, To.HEADTEACHERS] = number
    return found


def _count_contacts(ids: Collection[int], role: Any, *answers: Answer) -> sa.Select[int, int]:
    """Count the contacts of today, for a role, of schools that still owe an answer."""
    theirs = sa.and_(SchoolContact.school_id == Return.school_id, SchoolContact.role == role, in_office(today()))
    return (
        sa.select(Return.event_id, sa.func.count(SchoolContact.id))
        .join(Ask, Ask.event_id == Return.event_id)
        .join(SchoolContact, theirs)
        .where(Return.event_id.in_(ids), Return.status == ReturnStatus.OUTSTANDING, Ask.answer.in_(answers))
        .group_by(Return.event_id)
    )


def _count_subscribers(ids: Collection[int]) -> sa.Select[int, int]:
    has_a_place = sa.exists().where(
        Place.event_id == Event.id,
        Place.status != PlaceStatus.CANCELLED,
        Booking.id == Place.booking_id,
        sa.func.coalesce(Place.email, Booking.email) == Person.email,
    )
    is_in_the_team = sa.exists().where(
        Role.person_id == Person.id, sa.or_(Role.area_id.is_(None), Role.area_id == Event.area_id)
    )
    return (
        sa.select(Event.id, sa.func.count())
        .join(Subscription, Subscription.category_id == Event.category_id)
        .join(Person, Person.id == Subscription.person_id)
        .where(Event.id.in_(ids), ~has_a_place, sa.or_(Event.visibility != Visibility.TEAM, is_in_the_team))
        .group_by(Event.id)
    )


def left_out(event: Event, to: To) -> list[LeftOut]:
    """Return who has to do with an event and yet is not written to by a rule of this kind, each with the reason."""
    if to is To.SUBSCRIBERS:
        booked = {place.email or place.booking.email for place in _active_places(event)}
        return [
            LeftOut(person.name or person.email, "has a place or waits, and is written to as such")
            if person.email in booked
            else LeftOut(person.name or person.email, "may not see this event")
            for person, _ in _subscriptions(event)
            if person.email in booked or not _may_see(person, event)
        ]
    if to in OF_SCHOOLS:
        return _schools_left_out(event)
    if to not in STATUS_OF:
        return []
    others = [place for place in _active_places(event) if place.status is not STATUS_OF[to]]
    return [LeftOut(place.name, _WHY_LEFT_OUT[place.status]) for place in others]


def _schools_left_out(event: Event) -> list[LeftOut]:
    """Return the schools that are not written to: they have answered, or have nobody to write to."""
    alone = {school.id for school in deadlines.without_contact(event)}
    return [
        LeftOut(row.school.name, "has no contact to write to")
        if row.school_id in alone
        else LeftOut(row.school.name, "has answered, or is excused")
        for row in deadlines.returns_of(event.id)
        if row.school_id in alone or row.status is not ReturnStatus.OUTSTANDING
    ]


_WHY_LEFT_OUT = {
    PlaceStatus.CONFIRMED: "has a place",
    PlaceStatus.WAITING: "waits and has no place yet",
    PlaceStatus.OFFERED: "has not answered the offer of a place yet",
    PlaceStatus.PENDING: "has no place before it is approved",
}


def _confirmed(event: Event) -> list[Reader]:
    return _of_places(event, PlaceStatus.CONFIRMED)


def _waiting(event: Event) -> list[Reader]:
    return _of_places(event, PlaceStatus.WAITING)


def _of_places(event: Event, status: PlaceStatus) -> list[Reader]:
    return [
        Reader(place.attendee_key, _since(place), address_of(place), place.name, place)
        for place in places_at(event, status)
    ]


def places_at(event: Event, status: PlaceStatus) -> Sequence[Place]:
    """Return the places with a status at an event, with their bookings."""
    return db.session.scalars(
        sa.select(Place)
        .where(Place.event_id == event.id, Place.status == status)
        .options(joinedload(Place.booking))
        .order_by(Place.id)
    ).all()


def _since(place: Place) -> datetime:
    """Return since when a place is what it is: whoever waits, since they asked."""
    return (place.confirmed_at if place.status is PlaceStatus.CONFIRMED else None) or place.created_at


def has_own_letter(place: Place) -> bool:
    """Tell whether an attendee is written to at an address of their own."""
    return bool(place.email) and place.email != place.booking.email


def address_of(place: Place) -> str:
    """Return where the reminder of a place goes: to the attendee's own address, or to who booked."""
    return place.email if place.email and has_own_letter(place) else place.booking.email


def _subscribers(event: Event) -> list[Reader]:
    """Who asked for the category, may see the event, and hears nothing of it as somebody with a place."""
    booked = {place.email or place.booking.email for place in _active_places(event)}
    return [
        Reader(person.email, subscription.since, person.email, person.name or person.email, None, subscription.key)
        for person, subscription in _subscriptions(event)
        if person.email not in booked and _may_see(person, event)
    ]


def _subscriptions(event: Event) -> Iterable[tuple[Person, Subscription]]:
    rows = db.session.execute(
        sa.select(Person, Subscription)
        .join(Subscription, Subscription.person_id == Person.id)
        .where(Subscription.category_id == event.category_id)
        .options(joinedload(Person.roles))
        .order_by(Person.id)
    ).unique()
    return [(row[0], row[1]) for row in rows]


def _active_places(event: Event) -> Sequence[Place]:
    active = (Place.event_id == event.id, Place.status != PlaceStatus.CANCELLED)
    return db.session.scalars(
        sa.select(Place).where(*active).options(joinedload(Place.booking)).order_by(Place.id)
    ).all()


def _may_see(person: Person, event: Event) -> bool:
    return event.visibility is not Visibility.TEAM or any(
        role.area_id in (None, event.area_id) for role in person.roles
    )


def _hosts(event: Event) -> list[Reader]:
    rows = db.session.scalars(sa.select(Host).where(Host.event_id == event.id).order_by(Host.position, Host.email))
    return [Reader(host.email, host.since, host.email, host.name or host.email) for host in rows]


def _organisers(event: Event) -> list[Reader]:
    people = db.session.scalars(
        sa.select(Person)
        .join(Role, Role.person_id == Person.id)
        .where(Role.role == RoleName.ORGANISER, Role.area_id == event.area_id)
        .order_by(Person.id)
    )
    return [Reader(one.email, one.created_at, one.email, one.name or one.email) for one in people]


def _schools(event: Event) -> list[Reader]:
    return _contacts(deadlines.to_remind(event))


def _headteachers(event: Event) -> list[Reader]:
    return _contacts(deadlines.to_remind(event, ContactRole.HEADTEACHER))


def _contacts(found: Sequence[tuple[Return, SchoolContact]]) -> list[Reader]:
    """Each contact of each school, who may be one of two schools: those are two letters, each with its own link."""
    return [
        Reader(
            f"{row.school_id}|{contact.email}",
            max(row.created_at, contact.created_at),
            contact.email,
            contact.name,
            owed=row,
        )
        for row, contact in found
    ]


_SOURCES: dict[To, Callable[[Event], list[Reader]]] = {
    To.PLACES: _confirmed,
    To.WAITING: _waiting,
    To.SUBSCRIBERS: _subscribers,
    To.HOSTS: _hosts,
    To.ORGANISERS: _organisers,
    To.SCHOOLS: _schools,
    To.HEADTEACHERS: _headteachers,
}
