"""Reads of bookings and places."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from booking.bookings import limits
from booking.bookings.models import TAKES_A_PLACE, Booking, InvitationCount, Place, PlaceStatus, SchoolCount
from booking.bookings.waiting import Waiting
from booking.calendar import queries as calendar_queries
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.models import Category, Event, EventStatus, Venue, event_audiences
from booking.calendar.terms import HalfTerm
from booking.core.clock import now, today
from booking.core.db import Base, db
from booking.core.tokens import key_of
from booking.directory.models import Area, School

ACTIVE = [status for status in PlaceStatus if status is not PlaceStatus.CANCELLED]
BOOKING_LINK, PLACE_LINK, INVITATION_LINK = "booking", "place", "invitation"
SURROUNDINGS = {"area", "category", "venue"}
INVITATION_COUNTS = Base.metadata.tables[InvitationCount.__tablename__]


@dataclass(frozen=True, slots=True)
class Ground:
    """What has to be known before a place is booked, read in one statement under the event's lock."""

    # The booking that this rendered form made before.
    made_id: int | None
    school: School | None
    # One attendee who has a place already.
    taken_key: str | None
    # That the audience the booker named is one of the event's.
    is_for_them: bool
    # What the school holds, where its places are counted.
    counts: dict[int, limits.Count]


def ground_for(
    event: Event, *, form_key: str, school_id: int | None, audience_id: int | None, keys: Collection[str]
) -> Ground:
    """Return what a booking stands on. Area, category and venue of the event are read along: the mail says them."""
    asked = {"event_id": event.id, "form_key": form_key, "school_id": school_id, "keys": list(keys)}
    asked["audience_id"] = audience_id
    row = db.session.execute(_ground(), asked).one()
    _keep_surroundings(event, row[0], row[1], row[2])
    made_id, taken_key, is_for_them, *count = row[4:]
    counts = {school_id: limits.Count(school_id, *count)} if school_id is not None and count[0] is not None else {}
    return Ground(made_id, row[3], taken_key, is_for_them, counts)


@cache
def _ground() -> sa.Select[Any]:
    """Built once: a booking asks for it while others wait for the lock."""
    event_id: sa.BindParameter[int] = sa.bindparam("event_id")
    made = sa.select(Booking.id).where(Booking.event_id == event_id, Booking.form_key == sa.bindparam("form_key"))
    # The literal condition is that of the partial index, which is found only by it.
    taken = sa.select(sa.func.min(Place.attendee_key)).where(
        Place.event_id == event_id,
        Place.attendee_key.in_(sa.bindparam("keys", expanding=True)),
        sa.text("places.status <> 'cancelled'"),
    )
    is_for_them = sa.exists().where(
        event_audiences.c.event_id == event_id, event_audiences.c.audience_id == sa.bindparam("audience_id")
    )
    counts = sa.and_(SchoolCount.event_id == event_id, SchoolCount.school_id == School.id)
    return (
        _surroundings()
        .add_columns(School, made.scalar_subquery(), taken.scalar_subquery(), is_for_them)
        .add_columns(SchoolCount.taken, SchoolCount.extra, SchoolCount.most)
        .outerjoin(School, School.id == sa.bindparam("school_id"))
        .outerjoin(SchoolCount, counts)
    )


def get_booking(booking_id: int) -> Booking:
    """Return a booking with its places."""
    return db.session.get_one(Booking, booking_id, options=[selectinload(Booking.places)])


def find_by_form(event: Event, form_key: str) -> Booking | None:
    """Return the booking that this rendered form made, if it did."""
    return db.session.scalar(
        sa.select(Booking)
        .where(Booking.event_id == event.id, Booking.form_key == form_key)
        .options(selectinload(Booking.places))
    )


def find_booking(token: str) -> Booking | None:
    """Return the booking whose link this is, with its event and places."""
    key = key_of(BOOKING_LINK, token)
    if key is None:
        return None
    return db.session.scalar(
        sa.select(Booking)
        .where(Booking.key == key)
        .options(
            joinedload(Booking.event).joinedload(Event.venue),
            joinedload(Booking.event).joinedload(Event.category),
            joinedload(Booking.school),
            selectinload(Booking.places),
        )
    )


def is_invited(event: Event, token: str) -> bool:
    """Tell whether this token is that of the link by which the event is booked by invitation."""
    key = key_of(INVITATION_LINK, token)
    return key is not None and key == event.invitation_key


def find_place(token: str) -> Place | None:
    """Return the place whose link this is, with its event; its booking, but none of that one's other places."""
    key = key_of(PLACE_LINK, token)
    if key is None:
        return None
    return db.session.scalar(
        sa.select(Place)
        .where(Place.key == key)
        .options(
            joinedload(Place.event).joinedload(Event.venue),
            joinedload(Place.event).joinedload(Event.category),
            joinedload(Place.booking),
        )
    )


def load_surroundings(event: Event) -> None:
    """Load area, category and venue of an event, where they are not, in one statement: what a mail about it says."""
    if SURROUNDINGS & sa.inspect(event).unloaded:
        _keep_surroundings(event, *db.session.execute(_surroundings(), {"event_id": event.id}).one())


@cache
def _surroundings() -> sa.Select[Area, Category, Venue]:
    return (
        sa.select(Area, Category, Venue)
        .select_from(Event)
        .join(Event.area)
        .join(Event.category)
        .outerjoin(Event.venue)
        .where(Event.id == sa.bindparam("event_id"))
    )


def _keep_surroundings(event: Event, area: Area, category: Category, venue: Venue | None) -> None:
    # The session holds rows weakly: what nobody keeps would be read again, one by one.
    set_committed_value(event, "area", area)
    set_committed_value(event, "category", category)
    set_committed_value(event, "venue", venue)


def next_invitation_numbers(event: Event, emails: Collection[str]) -> dict[str, int]:
    """Raise and return the number of calendar messages to each address; never below the event's SEQUENCE."""
    # Rows as parameters: SQLAlchemy compiles what holds them in its own text anew each time.
    rows = [{"event_id": event.id, "email": email, "sequence": event.sequence} for email in sorted(emails)]
    return {row[0]: row[1] for row in db.session.execute(_one_more_invitation(db.engine.dialect.name), rows)}


@cache
def _one_more_invitation(dialect: str) -> sa.Executable:
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    statement = insert(INVITATION_COUNTS)
    least, one_more = statement.excluded.sequence, INVITATION_COUNTS.c.sequence + 1
    return statement.on_conflict_do_update(
        index_elements=["event_id", "email"], set_={"sequence": sa.case((one_more > least, one_more), else_=least)}
    ).returning(INVITATION_COUNTS.c.email, INVITATION_COUNTS.c.sequence)


def addresses_invited(event: Event, emails: Collection[str]) -> set[str]:
    """Return which of these addresses have had a calendar message about the event."""
    chosen = (InvitationCount.event_id == event.id, InvitationCount.email.in_(emails))
    return set(db.session.scalars(sa.select(InvitationCount.email).where(*chosen)))


def confirmed_emails(event: Event, emails: Collection[str]) -> set[str]:
    """Return which of these addresses have a confirmed place at the event."""
    found = db.session.scalars(
        sa.select(Place.email).where(
            Place.event_id == event.id, Place.email.in_(emails), Place.status == PlaceStatus.CONFIRMED
        )
    )
    return {email for email in found if email}


def active_attendee_keys(event: Event, keys: Collection[str]) -> set[str]:
    """Return which of these attendees hold an active place at the event."""
    # The literal condition is that of the partial index, which is found only by it.
    chosen = (Place.event_id == event.id, Place.attendee_key.in_(keys), sa.text("places.status <> 'cancelled'"))
    return set(db.session.scalars(sa.select(Place.attendee_key).where(*chosen)))


def has_active_places(event: Event) -> bool:
    """Tell whether anybody has a place at the event, or waits for one."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Place.event_id == event.id, Place.status.in_(ACTIVE)))))


def waiting_places(event: Event, *, booking_ids: Collection[int] | None = None) -> list[Waiting]:
    """Return everyone who waits (of these bookings), in order, with what they count against now."""
    at = now()
    of_them = [] if booking_ids is None else [Place.booking_id.in_(booking_ids)]
    rows = db.session.execute(
        sa.select(Place.id, Place.booking_id, Place.position, Booking.together, Place.school_id)
        .join(Booking)
        .where(Place.event_id == event.id, Place.status == PlaceStatus.WAITING, *of_them)
        .order_by(Place.position)
    )
    return [Waiting(row[0], row[1], row[2] or 0, row[3], limits.limits_of(event, row[4], at=at)) for row in rows]


def offers_at(event: Event) -> Sequence[Place]:
    """Return the places that are offered at an event, with their bookings."""
    return db.session.scalars(
        sa.select(Place)
        .where(Place.event_id == event.id, Place.status == PlaceStatus.OFFERED)
        .options(joinedload(Place.booking))
        .order_by(Place.position)
    ).all()


def dates_of_series(event: Event) -> Sequence[Event]:
    """Return the other dates of an event's series that are on and to come, with their venues."""
    return db.session.scalars(
        sa.select(Event)
        .where(
            Event.series_id == event.series_id,
            Event.id != event.id,
            Event.status == EventStatus.PUBLISHED,
            Event.takes_bookings,
            Event.day >= today(),
        )
        .options(joinedload(Event.venue))
        .order_by(*calendar_queries.IN_ORDER)
    ).all()


def places_in_queue(places: Sequence[Place]) -> dict[int, int]:
    """Return how far each waiting one of these places of an event has come: 1 is next."""
    waiting = [place for place in places if place.status is PlaceStatus.WAITING]
    if not waiting:
        return {}
    numbers = db.session.scalars(
        sa.select(sa.func.coalesce(Place.position, 0))
        .where(Place.event_id == waiting[0].event_id, Place.status == PlaceStatus.WAITING)
        .order_by(Place.position)
    ).all()
    # One that came up from the list between the two reads is where it would have been: next.
    return {place.id: bisect_left(numbers, place.position or 0) + 1 for place in waiting}


def waiting_counts(event_ids: Collection[int]) -> dict[int, int]:
    """Return how many places wait at each of these events; events where nobody waits are left out."""
    rows = db.session.execute(
        sa.select(Place.event_id, sa.func.count())
        .where(Place.event_id.in_(event_ids), Place.status == PlaceStatus.WAITING)
        .group_by(Place.event_id)
    )
    return {row[0]: row[1] for row in rows}


def active_bookings(event: Event) -> Sequence[Booking]:
    """Return the bookings with an active place at the event, each with all its places."""
    return db.session.scalars(
        sa.select(Booking)
        .where(Booking.event_id == event.id, Booking.places.any(Place.status != PlaceStatus.CANCELLED))
        .order_by(Booking.id)
        .options(selectinload(Booking.places))
    ).all()


def place_at(event: Event, place_id: int) -> Place | None:
    """Return one place of an event, with its booking and all places of that: what an organiser changes."""
    return db.session.scalar(
        sa.select(Place)
        .where(Place.id == place_id, Place.event_id == event.id)
        .options(
            joinedload(Place.booking).options(
                joinedload(Booking.school), joinedload(Booking.audience), selectinload(Booking.places)
            ),
            joinedload(Place.school),
        )
    )


def bookings_of(email: str) -> Sequence[Booking]:
    """Return what somebody booked, with events and places, the next first."""
    return db.session.scalars(
        sa.select(Booking)
        .join(Booking.event)
        .where(Booking.email == email)
        .options(
            contains_eager(Booking.event).joinedload(Event.category),
            contains_eager(Booking.event).joinedload(Event.venue),
            selectinload(Booking.places),
        )
        .order_by(Event.day, Event.starts, Booking.id)
    ).all()


def places_booked_for(email: str) -> Sequence[Place]:
    """Return the places that others booked for somebody, with events."""
    return db.session.scalars(
        sa.select(Place)
        .join(Place.booking)
        .join(Place.event)
        .where(Place.email == email, Booking.email != email)
        .options(
            contains_eager(Place.event).joinedload(Event.category),
            contains_eager(Place.event).joinedload(Event.venue),
            contains_eager(Place.booking),
        )
        .order_by(Event.day, Event.starts, Place.id)
    ).all()


def school_days_round(event: Event) -> tuple[list[HalfTerm], set[date]]:
    """Return the half terms and the bank holidays from now until an event, and before it: what a school day is."""
    days_off = set(bank_holidays(min(today(), event.day - timedelta(days=120)), event.day))
    return calendar_queries.terms_around(event.area_id, event.day), days_off


def counted_places() -> Iterable[tuple[int, int | None, int, int]]:
    """Return (event id, capacity, places it says are taken, places that are) for every event."""
    counted = (
        sa.select(Place.event_id, sa.func.count().label("places"))
        .where(Place.status.in_(TAKES_A_PLACE))
        .group_by(Place.event_id)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(Event.id, Event.capacity, Event.taken, sa.func.coalesce(counted.c.places, 0))
        .outerjoin(counted, counted.c.event_id == Event.id)
        .order_by(Event.id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def held_by_schools() -> list[tuple[int, int, int]]:
    """Return (event id, school id, places taken) wherever schools hold places at an event that limits them."""
    rows = db.session.execute(
        sa.select(Place.event_id, Place.school_id, sa.func.count())
        .join(Place.event)
        .where(Event.per_school.is_not(None), Place.status.in_(TAKES_A_PLACE), Place.school_id.is_not(None))
        .group_by(Place.event_id, Place.school_id)
    )
    return [(row[0], row[1] or 0, row[2]) for row in rows]


def school_counts() -> Sequence[SchoolCount]:
    """Return all counts of schools."""
    return db.session.scalars(sa.select(SchoolCount)).all()


def events_that_limit_schools(*, at: datetime) -> dict[int, int]:
    """Return the places per school of the events that limit them at this instant, by event id."""
    limited = sa.or_(Event.per_school_until.is_(None), Event.per_school_until > at)
    rows = db.session.execute(sa.select(Event.id, Event.per_school).where(Event.per_school.is_not(None), limited))
    return {row[0]: row[1] or 0 for row in rows}


def attendees_with_several_places() -> Iterable[tuple[int, int, str]]:
    """Return (event id, how many, their ids) of attendees with more than one active place."""
    several = (
        sa.select(Place.event_id, Place.attendee_key)
        .where(Place.status.in_(ACTIVE))
        .group_by(Place.event_id, Place.attendee_key)
        .having(sa.func.count() > 1)
    )
    found = []
    for event_id, key in db.session.execute(several):
        ids = db.session.scalars(
            sa.select(Place.id).where(Place.event_id == event_id, Place.attendee_key == key, Place.status.in_(ACTIVE))
        ).all()
        found.append((event_id, len(ids), ", ".join(str(one) for one in sorted(ids))))
    return found


def events_where_somebody_waits() -> Sequence[Event]:
    """Return the events that have a waiting list."""
    return db.session.scalars(
        sa.select(Event)
        .where(sa.exists().where(Place.event_id == Event.id, Place.status == PlaceStatus.WAITING))
        .order_by(Event.id)
    ).all()
