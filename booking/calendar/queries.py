"""Reads of the calendar. Every one of events goes through `visible`."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.elements import ColumnElement

from booking.calendar import grid
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.filters import Filters, Query, read_filters
from booking.calendar.models import (
    Audience,
    Category,
    Event,
    EventStatus,
    Kind,
    Series,
    Term,
    Venue,
    Visibility,
    WhoMayBook,
)
from booking.calendar.policy import ANYBODY, Reader, statuses, visibilities
from booking.calendar.terms import HalfTerm, calendars_begin, school_year_of, synthesise, year_days
from booking.core.clock import now
from booking.core.db import db
from booking.directory.models import Area

WITH_ITS_PARTS = (joinedload(Event.category), joinedload(Event.venue))
# What closing dates are for: by one statement, and by none where nothing is for anything.
WITH_PARENTS = selectinload(Event.closes_for)
NO_FILTERS = Filters()
# What has no time stands first on its day: databases differ in where they put what is missing.
IN_ORDER = (Event.day, sa.func.coalesce(Event.starts, time.min), Event.title, Event.id)


def visible(area_id: int, reader: Reader) -> ColumnElement[bool]:
    """Return the one condition for what a reader sees of an area's events."""
    return sa.and_(
        Event.area_id == area_id, Event.visibility.in_(visibilities(reader)), Event.status.in_(statuses(reader))
    )


def find_event(event_id: int, area_id: int, reader: Reader) -> Event | None:
    """Return the event with what its page shows, if this reader may see it."""
    return db.session.scalar(
        sa.select(Event)
        .where(Event.id == event_id, visible(area_id, reader))
        .options(*WITH_ITS_PARTS, joinedload(Event.area))
    )


def sessions_between(area_id: int, first: date, last: date) -> Sequence[Event]:
    """Return an area's sessions that are not called off, drafts too, which take place between two days."""
    return _between(area_id, Kind.SESSION, first, last)


def closing_dates_between(area_id: int, first: date, last: date) -> Sequence[Event]:
    """Return an area's closing dates that are not called off, drafts too, between two days."""
    return _between(area_id, Kind.DEADLINE, first, last)


def _between(area_id: int, kind: Kind, first: date, last: date) -> Sequence[Event]:
    not_off = Event.status != EventStatus.CANCELLED
    chosen = (Event.area_id == area_id, Event.kind == kind, not_off, Event.day.between(first, last))
    return db.session.scalars(
        sa.select(Event).where(*chosen).options(joinedload(Event.category)).order_by(*IN_ORDER)
    ).all()


def closing_dates_of(event: Event) -> Sequence[Event]:
    """Return all closing dates that are for an event, whoever sees them."""
    return db.session.scalars(sa.select(Event).where(Event.closes_for_id == event.id).order_by(Event.id)).all()


def closing_dates_for(event: Event, reader: Reader) -> Sequence[Event]:
    """Return the closing dates that are for an event, as far as this reader sees them and they are not called off."""
    for_it = (Event.closes_for_id == event.id, Event.status != EventStatus.CANCELLED)
    return db.session.scalars(sa.select(Event).where(visible(event.area_id, reader), *for_it).order_by(*IN_ORDER)).all()


def has_visibility(event_id: int, area_id: int, visibility: Visibility) -> bool:
    """Tell whether an event of an area is seen by just these readers: who should sign in is told so."""
    return bool(
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    Event.id == event_id,
                    Event.area_id == area_id,
                    Event.visibility == visibility,
                    Event.status != EventStatus.DRAFT,
                )
            )
        )
    )


def has_bookings(event_id: int) -> bool:
    """Tell whether anybody ever booked the event."""
    return bool(db.session.scalar(sa.select(Event.last_position + Event.taken).where(Event.id == event_id)))


def filters_of(query: Query, area: Area, reader: Reader) -> Filters:
    """Return the filters of an address, by the names that a reader knows of. Raises Refused for one that is none."""
    return read_filters(
        query,
        categories={category.slug for category in categories_seen(area.id, reader)},
        audiences={audience.slug for audience in audiences(area.id)},
        areas={area.slug},
    )


def list_events(
    area_id: int,
    reader: Reader,
    filters: Filters,
    *,
    today: date,
    limit: int | None = None,
    offset: int = 0,
    options: Sequence[ExecutableOption] = (),
) -> Sequence[Event]:
    """Return what the list shows, with categories and venues: coming events first, past ones newest first.

    `options` load more with them.
    """
    order = [column.desc() for column in IN_ORDER] if filters.past else list(IN_ORDER)
    statement = sa.select(Event).where(*_chosen(area_id, reader, filters, today)).options(*WITH_ITS_PARTS, *options)
    return db.session.scalars(statement.order_by(*order).limit(limit).offset(offset)).all()


def count_events(area_id: int, reader: Reader, filters: Filters, *, today: date) -> int:
    """Return how many events the list would show."""
    statement = sa.select(sa.func.count()).select_from(Event).where(*_chosen(area_id, reader, filters, today))
    return db.session.scalar(statement) or 0


def _chosen(area_id: int, reader: Reader, filters: Filters, today: date) -> list[ColumnElement[bool]]:
    conditions = [visible(area_id, reader), *_days(filters, today)]
    if filters.categories:
        conditions.append(Event.category.has(Category.slug.in_(filters.categories)))
    if filters.audiences:
        conditions.append(_for_audiences(filters))
    conditions += [Event.title.icontains(word, autoescape=True) for word in filters.words]
    if filters.only_free:
        free = sa.or_(Event.capacity.is_(None), Event.taken < Event.capacity)
        open_now = sa.or_(Event.opens_at.is_(None), Event.opens_at <= now())
        not_invited = Event.who_may_book != WhoMayBook.INVITED
        is_on = Event.status == EventStatus.PUBLISHED
        conditions.append(sa.and_(Event.takes_bookings, free, is_on, open_now, not_invited))
    return conditions


def _for_audiences(filters: Filters) -> ColumnElement[bool]:
    """Return the condition for what is for one of these audiences: what names none is for anyone."""
    return sa.or_(Event.audiences.any(Audience.slug.in_(filters.audiences)), ~Event.audiences.any())


def _days(filters: Filters, today: date) -> list[ColumnElement[bool]]:
    over = sa.func.coalesce(Event.last_day, Event.day)
    conditions: list[ColumnElement[bool]] = []
    if filters.first:
        conditions.append(over >= filters.first)
    if filters.last:
        conditions.append(Event.day <= filters.last)
    if filters.past:
        conditions.append(over < today)
    elif not filters.first and not filters.last:
        conditions.append(over >= today)
    return conditions


def year_events(area_id: int, year: int, reader: Reader, filters: Filters = NO_FILTERS) -> Sequence[Event]:
    """Return the events of a school year, with categories."""
    first, last = year_days(year)
    statement = sa.select(Event).where(visible(area_id, reader), Event.day.between(first, last))
    if filters.categories:
        statement = statement.where(Event.category.has(Category.slug.in_(filters.categories)))
    if filters.audiences:
        statement = statement.where(_for_audiences(filters))
    return db.session.scalars(statement.options(joinedload(Event.category)).order_by(*IN_ORDER)).all()


def next_events(area_id: int, reader: Reader, kind: Kind, *, today: date, limit: int) -> Sequence[Event]:
    """Return the next events of a kind that are on."""
    return db.session.scalars(
        sa.select(Event)
        .where(
            visible(area_id, reader),
            Event.kind == kind,
            sa.func.coalesce(Event.last_day, Event.day) >= today,
            Event.status == EventStatus.PUBLISHED,
        )
        .options(*WITH_ITS_PARTS)
        .order_by(*IN_ORDER)
        .limit(limit)
    ).all()


def other_dates(event: Event, reader: Reader, *, limit: int = 12) -> Sequence[Event]:
    """Return the dates of the event's category in its school year, itself among them."""
    first, last = year_days(school_year_of(event.day))
    found = db.session.scalars(
        sa.select(Event)
        .where(
            visible(event.area_id, reader),
            Event.category_id == event.category_id,
            Event.kind == event.kind,
            Event.day.between(first, last),
            sa.or_(Event.status == EventStatus.PUBLISHED, Event.id == event.id),
        )
        .options(joinedload(Event.venue))
        .order_by(*IN_ORDER)
    ).all()
    here = next(number for number, other in enumerate(found) if other.id == event.id) if event in found else 0
    start = max(0, min(here - limit // 2, len(found) - limit))
    return found[start : start + limit]


def categories(area_id: int) -> Sequence[Category]:
    """Return an area's categories in their order."""
    return db.session.scalars(
        sa.select(Category).where(Category.area_id == area_id).order_by(Category.position, Category.name)
    ).all()


def categories_seen(area_id: int, reader: Reader) -> Sequence[Category]:
    """Return the categories that a reader knows of, in their order: not what is the team's own, but for its events."""
    known = sa.or_(
        Category.visibility.in_(visibilities(reader)),
        sa.exists().where(Event.category_id == Category.id, visible(area_id, reader)),
    )
    statement = sa.select(Category).where(Category.area_id == area_id, known)
    return db.session.scalars(statement.order_by(Category.position, Category.name)).all()


def drafts_of_kind(category: Category) -> Sequence[Event]:
    """Return the drafts of a category of which nothing was said but by their category who sees them."""
    chosen = (Event.category_id == category.id, Event.status == EventStatus.DRAFT, ~Event.own_visibility)
    return db.session.scalars(sa.select(Event).where(*chosen).order_by(Event.id)).all()


def in_calendars(what: Category | Venue, *, today: date) -> Sequence[Event]:
    """Return the events of a kind or at a venue that calendars show, by their ids: feeds begin with the last year."""
    own = Event.category_id == what.id if isinstance(what, Category) else Event.venue_id == what.id
    over = sa.func.coalesce(Event.last_day, Event.day)
    return db.session.scalars(sa.select(Event).where(own, over >= calendars_begin(today)).order_by(Event.id)).all()


def audiences(area_id: int) -> Sequence[Audience]:
    """Return an area's audiences in their order."""
    return db.session.scalars(
        sa.select(Audience).where(Audience.area_id == area_id).order_by(Audience.position, Audience.name)
    ).all()


def venues(area_id: int) -> Sequence[Venue]:
    """Return an area's venues by name."""
    return db.session.scalars(sa.select(Venue).where(Venue.area_id == area_id).order_by(Venue.name)).all()


def series(area_id: int) -> Sequence[Series]:
    """Return an area's series by name."""
    return db.session.scalars(sa.select(Series).where(Series.area_id == area_id).order_by(Series.name)).all()


def coming_by_category(area_id: int, reader: Reader, *, today: date) -> list[tuple[Category, int]]:
    """Return the categories that have something coming, with how many dates the list shows of each."""
    rows = db.session.execute(
        sa.select(Category, sa.func.count(Event.id))
        .join(Event, Event.category_id == Category.id)
        .where(*_chosen(area_id, reader, NO_FILTERS, today))
        .group_by(*sa.inspect(Category).columns)
        .order_by(Category.position, Category.name)
    )
    return [(row[0], row[1]) for row in rows]


def half_terms(area_id: int, year: int) -> list[HalfTerm]:
    """Return the six half terms of a school year: as the area set them, else likely ones."""
    return _half_terms(area_id, [year])


def terms_around(area_id: int, day: date) -> list[HalfTerm]:
    """Return the half terms of the school year of a day and of the one before it."""
    year = school_year_of(day)
    return _half_terms(area_id, [year - 1, year])


def half_terms_around(area_id: int, year: int) -> list[HalfTerm]:
    """Return the half terms of a school year, of the one before it and of the one after."""
    return _half_terms(area_id, [year - 1, year, year + 1])


def known_half_terms(area_id: int, *years: int) -> list[HalfTerm]:
    """Return the half terms that the area set for these school years."""
    rows = db.session.scalars(sa.select(Term).where(Term.area_id == area_id, Term.year.in_(years))).all()
    return sorted(HalfTerm(row.year, row.number, row.first_day, row.last_day) for row in rows)


def _half_terms(area_id: int, years: Sequence[int]) -> list[HalfTerm]:
    known = known_half_terms(area_id, *years)
    missing = [year for year in years if not any(term.year == year for term in known)]
    return sorted([*known, *(term for year in missing for term in synthesise(year))])


def years_with_events(area_id: int, reader: Reader) -> list[int]:
    """Return the school years from the first event to the last."""
    first, last = db.session.execute(
        sa.select(sa.func.min(Event.day), sa.func.max(Event.day)).where(visible(area_id, reader))
    ).one()
    return list(range(school_year_of(first), school_year_of(last) + 1)) if first else []


def year_line(area: Area, today: date) -> grid.YearLine:
    """Return the line under the masthead: of what everybody sees, kept until the calendar changes."""
    return _year_line(area.id, area.calendar_version, today, str(db.engine.url))


@lru_cache(maxsize=32)
def _year_line(area_id: int, _version: int, today: date, _database: str) -> grid.YearLine:
    return grid.year_line(plan_of_year(area_id, school_year_of(today), ANYBODY, today=today), today=today)


def plan_of_year(
    area_id: int, year: int, reader: Reader, *, today: date, filters: Filters = NO_FILTERS
) -> grid.YearPlan:
    """Return the planner of a school year as this reader sees it."""
    first, last = year_days(year)
    return grid.plan_year(
        year,
        half_terms(area_id, year),
        year_events(area_id, year, reader, filters),
        today=today,
        days_off=bank_holidays(first, last + timedelta(days=31)),
    )
