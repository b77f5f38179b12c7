"""Reads of the organisers' desk."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from booking.bookings.models import Booking
from booking.calendar.models import Category, Event, EventStatus, Kind, Venue
from booking.calendar.queries import IN_ORDER, WITH_ITS_PARTS
from booking.calendar.terms import monday_of, school_year_of
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.slices import Slice, Spot, cut
from booking.directory.models import Person


def week(area_id: int, today: date) -> list[tuple[date, list[Event]]]:
    """Return the five days of this week (at a weekend, of the next), each with its events."""
    monday = monday_of(today + timedelta(days=2)) if today.weekday() >= 5 else monday_of(today)
    days = [monday + timedelta(days=number) for number in range(5)]
    events = db.session.scalars(
        sa.select(Event)
        .where(Event.area_id == area_id, Event.day.between(days[0], days[-1]), Event.status != EventStatus.DRAFT)
        .options(*WITH_ITS_PARTS)
        .order_by(*IN_ORDER)
    ).all()
    return [(day, [event for event in events if event.day == day]) for day in days]


def filling(area_id: int, today: date, *, limit: int = 8) -> Sequence[Event]:
    """Return the next sessions with a limit of places."""
    return db.session.scalars(
        sa.select(Event)
        .where(
            Event.area_id == area_id,
            Event.status == EventStatus.PUBLISHED,
            Event.kind == Kind.SESSION,
            Event.takes_bookings,
            Event.capacity.is_not(None),
            Event.day >= today,
        )
        .options(*WITH_ITS_PARTS)
        .order_by(*IN_ORDER)
        .limit(limit)
    ).all()


def count_drafts(area_id: int) -> int:
    """Return how many drafts there are."""
    chosen = (Event.area_id == area_id, Event.status == EventStatus.DRAFT)
    return db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(*chosen)) or 0


def drafts_by_year(area_id: int) -> dict[int, int]:
    """Return how many drafts each school year has; years without any are left out."""
    chosen = (Event.area_id == area_id, Event.status == EventStatus.DRAFT)
    days = db.session.scalars(sa.select(Event.day).where(*chosen).order_by(Event.day))
    return dict(Counter(school_year_of(day) for day in days))


def newest_bookings(area_id: int, *, limit: int = 8) -> Sequence[Booking]:
    """Return the newest bookings, with events and places."""
    return db.session.scalars(
        sa.select(Booking)
        .join(Booking.event)
        # As an expression: SQLite would begin with the events of the area, and sort all their bookings.
        .where(sa.func.coalesce(Event.area_id, 0) == area_id)
        .options(joinedload(Booking.event), selectinload(Booking.places), joinedload(Booking.school))
        .order_by(Booking.id.desc())
        .limit(limit)
    ).all()


def log_entries(area_id: int, *, event_id: int | None, at: Spot) -> Slice[AuditEntry]:
    """Return a page of the log, newest first."""
    # What is of no area is of each. As one expression: SQLite would look for both, and sort all that it finds.
    chosen: list[sa.ColumnElement[bool]] = [sa.func.coalesce(AuditEntry.area_id, area_id) == area_id]
    if event_id:
        chosen.append(sa.and_(AuditEntry.subject == "event", AuditEntry.subject_id == event_id))
    return cut(sa.select(AuditEntry).where(*chosen), AuditEntry.id, at=at, downwards=True)


def emails_of(person_ids: Collection[int]) -> dict[int, str]:
    """Return the addresses of these people, by id: what the log calls who had no name yet."""
    rows = db.session.execute(sa.select(Person.id, Person.email).where(Person.id.in_(person_ids)))
    return {row[0]: row[1] for row in rows}


def titles_of(event_ids: Collection[int], area_id: int) -> dict[int, str]:
    """Return the titles of these events, by id; those that are gone are left out."""
    rows = db.session.execute(sa.select(Event.id, Event.title).where(Event.id.in_(event_ids), Event.area_id == area_id))
    return {row[0]: row[1] for row in rows}


def list_events(area_id: int, *, today: date, show: str, words: str, category_id: int | None, at: Spot) -> Slice[Event]:
    """Return a page of events as organisers look for them."""
    chosen = [Event.area_id == area_id, _shown(show, today)]
    if words:
        chosen += [Event.title.icontains(word, autoescape=True) for word in words.split()]
    if category_id:
        chosen.append(Event.category_id == category_id)
    downwards = show in {"past", "cancelled"}
    return cut(sa.select(Event).where(*chosen), *IN_ORDER, at=at, downwards=downwards, options=WITH_ITS_PARTS)


def _shown(show: str, today: date) -> sa.ColumnElement[bool]:
    over = sa.func.coalesce(Event.last_day, Event.day)
    return {
        "drafts": Event.status == EventStatus.DRAFT,
        "cancelled": Event.status == EventStatus.CANCELLED,
        "past": sa.and_(Event.status != EventStatus.DRAFT, over < today),
    }.get(show, sa.and_(Event.status != EventStatus.DRAFT, over >= today))


def an_event_of(category: Category, today: date) -> Event | None:
    """Return the next event of a category, else its last one: to show how its mails look."""
    chosen = sa.select(Event).where(Event.category_id == category.id, Event.status != EventStatus.CANCELLED)
    chosen = chosen.options(*WITH_ITS_PARTS, joinedload(Event.area))
    coming = chosen.where(Event.day >= today).order_by(*IN_ORDER).limit(1)
    return db.session.scalar(coming) or db.session.scalar(chosen.order_by(Event.day.desc(), Event.id.desc()).limit(1))


def events_to_come_at(venue: Venue, today: date) -> Sequence[Event]:
    """Return the events to come at a venue that others have seen."""
    return db.session.scalars(
        sa.select(Event)
        .where(
            Event.venue_id == venue.id,
            Event.status == EventStatus.PUBLISHED,
            sa.func.coalesce(Event.last_day, Event.day) >= today,
        )
        .order_by(Event.id)
    ).all()


def find_event(event_id: int, area_id: int) -> Event | None:
    """Return an event of the area with all its parts, for who has the right to manage it."""
    return db.session.scalar(
        sa.select(Event)
        .where(Event.id == event_id, Event.area_id == area_id)
        .options(*WITH_ITS_PARTS, joinedload(Event.area), selectinload(Event.audiences))
    )
