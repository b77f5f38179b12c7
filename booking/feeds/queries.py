"""What stands in feeds."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.filters import Filters
from booking.calendar.models import Category, Event, Kind
from booking.calendar.policy import ANYBODY, Reader
from booking.calendar.queries import IN_ORDER, WITH_ITS_PARTS, WITH_PARENTS, categories_seen, visible
from booking.calendar.queries import list_events as list_of_the_page
from booking.calendar.terms import calendars_begin
from booking.core.db import db
from booking.core.tokens import KEY_LENGTH
from booking.deadlines.models import Ask, OwedBy, Return, ReturnStatus
from booking.directory.models import Area, Person, Role, School, SchoolContact
from booking.directory.queries import in_office, naming

Column = InstrumentedAttribute[Any]
STAFF = Reader(staff=True)
# Of a closing date with what it asks, if it asks anything.
CONCERNS_ALL = sa.or_(Ask.event_id.is_(None), Ask.owed_by == OwedBy.ALL)
ACTIVE = (PlaceStatus.CONFIRMED, PlaceStatus.OFFERED, PlaceStatus.WAITING)


def public_events(area_id: int, filters: Filters, *, today: date) -> Sequence[Event]:
    """Return what everybody may see, past events of two school years and cancelled ones too, with their parts."""
    return list_of_the_page(area_id, ANYBODY, filters, today=today, options=[WITH_PARENTS])


def lasting(filters: Filters, *, today: date) -> Filters:
    """Return the filters as a feed keeps to them for a school year: neither what is over nor what is full drops out."""
    return replace(filters, first=filters.first or calendars_begin(today), past=False, only_free=False)


def find_public_category(area_id: int, slug: str) -> Category | None:
    """Return the category with this slug if everybody knows of it.

    One that everybody sees needs no event for that: its subscribers' calendars are emptied, and not told that it is
    gone. What is for others by itself is not told from what never was public, once nothing of it is any more.
    """
    return next((one for one in categories_seen(area_id, ANYBODY) if one.slug == slug), None)


def public_categories(area_id: int) -> Sequence[Category]:
    """Return the categories with anything that everybody may see, in their order."""
    return db.session.scalars(
        sa.select(Category)
        .where(
            Category.area_id == area_id, sa.exists().where(Event.category_id == Category.id, visible(area_id, ANYBODY))
        )
        .order_by(Category.position, Category.name)
    ).all()


def places_of(email: str, *, today: date) -> Sequence[Place]:
    """Return somebody's own active places since the school year before, with their events."""
    return db.session.scalars(
        sa.select(Place)
        .join(Place.event)
        .where(Place.email == email, Place.status.in_(ACTIVE), Event.day >= calendars_begin(today))
        .options(
            contains_eager(Place.event).joinedload(Event.category), contains_eager(Place.event).joinedload(Event.venue)
        )
        .order_by(Event.day, Event.starts, Place.id)
    ).all()


def events_of_school(school: School, *, today: date) -> Sequence[Event]:
    """Return the events, but private ones, at which somebody of a school has a place."""
    goes = sa.exists().where(
        Place.event_id == Event.id, Place.school_id == school.id, Place.status == PlaceStatus.CONFIRMED
    )
    from_staff = sa.and_(visible(school.area_id, STAFF), ~Event.private, Event.day >= calendars_begin(today))
    return db.session.scalars(
        sa.select(Event).where(from_staff, goes).options(*WITH_ITS_PARTS).order_by(*IN_ORDER)
    ).all()


def closing_dates(
    area_id: int, schools: Collection[School], *, today: date
) -> Sequence[tuple[Event, frozenset[ReturnStatus | None]]]:
    """Return the closing dates of these schools, each once with all their answers; cancelled ones too.

    One that asks other schools alone is none of theirs.
    """
    asked = sa.and_(School.area_id == Event.area_id, School.id.in_([school.id for school in schools]))
    rows = db.session.execute(
        sa.select(Event, Return.status)
        .join(School, asked)
        .outerjoin(Return, sa.and_(Return.event_id == Event.id, Return.school_id == School.id))
        .outerjoin(Ask, Ask.event_id == Event.id)
        .where(_closes(area_id, today), sa.or_(Return.id.is_not(None), CONCERNS_ALL))
        .options(*WITH_ITS_PARTS, WITH_PARENTS)
        .order_by(*IN_ORDER)
    )
    answers: dict[Event, set[ReturnStatus | None]] = defaultdict(set)
    for event, answer in rows:
        answers[event].add(answer)
    return [(event, frozenset(those)) for event, those in answers.items()]


def closing_dates_for_all(area_id: int, *, today: date) -> Sequence[Event]:
    """Return the closing dates that concern all schools, cancelled ones too; of no school does this tell anything."""
    return db.session.scalars(
        sa.select(Event)
        .outerjoin(Ask, Ask.event_id == Event.id)
        .where(_closes(area_id, today), CONCERNS_ALL)
        .options(*WITH_ITS_PARTS, WITH_PARENTS)
        .order_by(*IN_ORDER)
    ).all()


def _closes(area_id: int, today: date) -> sa.ColumnElement[bool]:
    return sa.and_(visible(area_id, STAFF), Event.kind == Kind.DEADLINE, Event.day >= calendars_begin(today))


State = list[tuple[str, int, str]]


def state_of_person(key: str, *, today: date) -> State | None:
    """Return, by one statement, all that decides on a day what stands in the feeds of the person with this key.

    Which schools name them decides whose answers count; which one they say they are from is no right.
    None where nobody has it any more.
    """
    me = Person.feed_key == key
    speaks = _speaks(today)
    return _state(
        today,
        _line("person", Person.id, Person.school_id).where(me),
        _line("role", Role.id, Role.role).join(Role.person).where(me),
        _line("place", Place.event_id, Place.status)
        .join(Person, Person.email == Place.email)
        .where(me, Place.status.in_(ACTIVE)),
        _line("named", SchoolContact.school_id, SchoolContact.school_id).join(Person, speaks).where(me),
        _line("return", Return.event_id, Return.status, Return.school_id)
        .join(SchoolContact, SchoolContact.school_id == Return.school_id)
        .join(Person, speaks)
        .where(me),
    )


def state_of_school(key: str, *, today: date) -> State | None:
    """Return, by one statement, all that decides on a day what stands in a school's feed: `key_of_contact`, or its own.

    None where no school has the key any more, and for a contact from the day after they left.
    """
    school, contact = key[:KEY_LENGTH], key[KEY_LENGTH:]
    we = School.feed_key == school
    if contact:
        named = sa.select(SchoolContact.school_id).join(Person, _speaks(today)).where(Person.feed_key == contact)
        we = sa.and_(we, School.id.in_(named))
    return _state(
        today,
        _line("school", School.id, School.name).where(we),
        _line("place", Place.event_id, Place.status).join(Place.school).where(we),
        _line("return", Return.event_id, Return.status).join(Return.school).where(we),
    )


def _speaks(today: date) -> sa.ColumnElement[bool]:
    """Return the condition for a contact of that day and the person they are."""
    return sa.and_(SchoolContact.email == Person.email, in_office(today))


def key_of_contact(school: School, person: Person) -> str:
    """Return the key of a school's feed for one of its contacts.

    It holds who they are, and not their row of the contacts: that may be put right, and then says somebody else.
    """
    return school.feed_key + person.feed_key


def _line(what: str, number: Column, *values: Column) -> sa.Select[str, int, str]:
    first, *others = (sa.cast(value, sa.String(200)) for value in values)
    return sa.select(sa.literal(what), number, sum((" " + one for one in others), first))


def _state(today: date, whose: sa.Select[str, int, str], *others: sa.Select[str, int, str]) -> State | None:
    area = _line("area", Area.id, Area.calendar_version)
    # Which schools a closing date asks stands in their returns; that it asks not all of them, here alone.
    not_all = _line("ask", Ask.event_id, Ask.owed_by).join(Ask.event)
    not_all = not_all.where(Ask.owed_by != OwedBy.ALL, Event.day >= calendars_begin(today))
    rows = db.session.execute(sa.union(whose, area, not_all, *others))
    found = sorted((str(what), int(number), str(value)) for what, number, value in rows)
    has_owner = any(what in {"person", "school"} for what, _, _ in found)
    return found if has_owner else None


def person_with(key: str) -> Person:
    """Return the person with this feed key, with what they are in the area."""
    return db.session.scalars(sa.select(Person).where(Person.feed_key == key)).one()


def school_with(key: str) -> School:
    """Return the school whose feed this is the key of; a contact's too."""
    return db.session.scalars(sa.select(School).where(School.feed_key == key[:KEY_LENGTH])).one()


def schools_that_name(email: str) -> Sequence[School]:
    """Return the schools that name this address as a contact today, closed ones too; what somebody says is no right."""
    return db.session.scalars(sa.select(School).where(School.id.in_(naming(email))).order_by(School.name)).all()


def all_events(area_id: int, reader: Reader, *, today: date) -> Sequence[Event]:
    """Return all that a reader sees since the school year before, with their parts."""
    return list_of_the_page(area_id, reader, Filters(first=calendars_begin(today)), today=today, options=[WITH_PARENTS])
