"""What stands in feeds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.filters import Filters
from booking.calendar.models import Category, Event, EventStatus, Kind
from booking.calendar.policy import ANYBODY
from booking.calendar.queries import IN_ORDER, WITH_ITS_PARTS, visible
from booking.calendar.queries import list_events as list_of_the_page
from booking.calendar.terms import school_year_of, year_days
from booking.core.db import db
from booking.core.tokens import key_of
from booking.directory.models import Person


def since(today: date) -> date:
    """Return the first day feeds go back to: the beginning of the school year before this one."""
    return year_days(school_year_of(today) - 1)[0]


def public_events(area_id: int, filters: Filters, *, today: date) -> Sequence[Event]:
    """Return what everybody may see, past events of two school years and cancelled ones too, with their parts."""
    return list_of_the_page(area_id, ANYBODY, filters, today=today)


def lasting(filters: Filters, *, today: date) -> Filters:
    """Return the filters as a feed keeps to them for a school year: neither what is over nor what is full drops out."""
    return replace(filters, first=filters.first or since(today), past=False, only_free=False)


def find_public_category(area_id: int, slug: str) -> Category | None:
    """Return the category with this slug if it has anything that everybody may see."""
    return db.session.scalar(
        sa.select(Category).where(
            Category.area_id == area_id,
            Category.slug == slug,
            sa.exists().where(Event.category_id == Category.id, visible(area_id, ANYBODY)),
        )
    )


def public_categories(area_id: int) -> Sequence[Category]:
    """Return the categories with anything that everybody may see, in their order."""
    return db.session.scalars(
        sa.select(Category)
        .where(
            Category.area_id == area_id, sa.exists().where(Event.category_id == Category.id, visible(area_id, ANYBODY))
        )
        .order_by(Category.position, Category.name)
    ).all()


def find_subscriber(token: str) -> Person | None:
    """Return the person whose feed this is."""
    key = key_of("feed", token)
    return db.session.scalar(sa.select(Person).where(Person.feed_key == key)) if key else None


def places_of(email: str, *, today: date) -> Sequence[Place]:
    """Return somebody's own active places since the school year before, with their events."""
    return db.session.scalars(
        sa.select(Place)
        .join(Place.event)
        .where(
            Place.email == email,
            Place.status.in_([PlaceStatus.CONFIRMED, PlaceStatus.WAITING]),
            Event.day >= since(today),
        )
        .options(
            contains_eager(Place.event).joinedload(Event.category), contains_eager(Place.event).joinedload(Event.venue)
        )
        .order_by(Event.day, Event.starts, Place.id)
    ).all()


def closing_dates(area_id: int, *, today: date) -> Sequence[Event]:
    """Return an area's closing dates that staff of its schools see, cancelled ones too."""
    from_staff = sa.and_(Event.area_id == area_id, Event.visibility != "team", Event.status != EventStatus.DRAFT)
    return db.session.scalars(
        sa.select(Event)
        .where(from_staff, Event.kind == Kind.DEADLINE, Event.day >= since(today))
        .options(*WITH_ITS_PARTS)
        .order_by(*IN_ORDER)
    ).all()
