"""Reads of who comes to an event, as long as such a list may be: a page of it, what it counts, all of it in parts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import ColumnElement

from booking.bookings.models import TAKES_A_PLACE, Booking, Place, PlaceStatus
from booking.calendar.models import Event
from booking.core.db import db
from booking.core.slices import Slice, Spot, cut
from booking.core.text import name_key
from booking.directory.models import School

PEOPLE_PER_PAGE = 100
AT_ONCE = 1_000
_ESCAPE = "/"
_STATUSES = {PlaceStatus.CONFIRMED: 0, PlaceStatus.OFFERED: 1, PlaceStatus.WAITING: 2, PlaceStatus.CANCELLED: 4}
_WAITED = Place.status.in_([PlaceStatus.WAITING, PlaceStatus.OFFERED])
# Confirmed by school and name, who has an offer, who waits in their order, who cancelled.
IN_ORDER: tuple[ColumnElement[object], ...] = (
    sa.case(*((Place.status == status, number) for status, number in _STATUSES.items()), else_=3),
    sa.case((_WAITED, sa.func.coalesce(Place.position, 0)), else_=0),
    sa.func.coalesce(School.name, ""),
    sa.func.lower(Place.name),
)
WITH_ITS_PARTS = (joinedload(Place.booking).joinedload(Booking.audience), joinedload(Place.school))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which places of an event are asked for."""

    words: str = ""
    status: str = ""
    school_id: int | None = None

    def __bool__(self) -> bool:
        return bool(self.words or self.status or self.school_id)


def page_of_places(event: Event, chosen: Chosen, *, at: Spot) -> Slice[Place]:
    """Return a page of the places asked for, with bookings and schools, in the order of the list."""
    statement = sa.select(Place.id).outerjoin(Place.school).where(Place.event_id == event.id, *_conditions(chosen))
    if chosen.words:
        statement = statement.join(Place.booking)
    # Numbers first: all of an event's people are sorted, and whole rows would take several times as long.
    found = cut(statement, *IN_ORDER, Place.id, at=at, limit=PEOPLE_PER_PAGE)
    rows = db.session.scalars(sa.select(Place).where(Place.id.in_(found.rows)).options(*WITH_ITS_PARTS)).all()
    by_number = {place.id: place for place in rows}
    return Slice([by_number[number] for number in found.rows], found.back, found.on)


def _conditions(chosen: Chosen) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.status:
        known = chosen.status in set(PlaceStatus)
        found.append(Place.status == PlaceStatus(chosen.status) if known else sa.false())
    if chosen.school_id:
        found.append(Place.school_id == chosen.school_id)
    if chosen.words:
        found.append(_has(chosen.words))
    return found


def _has(words: str) -> ColumnElement[bool]:
    """Return the condition for a place that has all these words: in its name, address, school, booker or reference.

    Accents make no difference in names of attendees and schools; a booker is found as they are spelt, too.
    """
    compared = sa.and_(*(_has_word(word) for word in name_key(words).split()))
    return sa.or_(compared, sa.and_(*(Booking.name.icontains(word, autoescape=True) for word in words.split())))


def _has_word(word: str) -> ColumnElement[bool]:
    literally = word.replace(_ESCAPE, _ESCAPE * 2).replace("%", f"{_ESCAPE}%").replace("_", f"{_ESCAPE}_")
    return sa.or_(
        # What an attendee is told apart by ends with the name as it is compared.
        Place.attendee_key.like(f"%|%{literally}%", escape=_ESCAPE),
        Place.email.contains(word, autoescape=True),
        School.name_key.contains(word, autoescape=True),
        Place.name.icontains(word, autoescape=True),
        Booking.name.icontains(word, autoescape=True),
        Booking.reference.icontains(word, autoescape=True),
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many places of an event stand where, of how many schools they are, how many bookings have needs."""

    confirmed: int
    offered: int
    waiting: int
    all_of_them: int
    schools: int
    needs: int


def tally(event: Event) -> Tally:
    """Return what the list of an event counts, of all its pages. Each count is read from an index alone."""
    by_status = sa.select(Place.status, sa.func.count()).where(Place.event_id == event.id).group_by(Place.status)
    stand: dict[PlaceStatus, int] = {row[0]: row[1] for row in db.session.execute(by_status)}
    comes = (Place.event_id == event.id, Place.status != PlaceStatus.CANCELLED)
    schools = sa.select(sa.func.count(Place.school_id.distinct())).where(*comes)
    active = sa.exists().where(Place.booking_id == Booking.id, Place.status != PlaceStatus.CANCELLED)
    # The literal condition is that of the partial index, which is found only by it.
    needs = sa.select(sa.func.count()).where(Booking.event_id == event.id, sa.text("bookings.needs <> ''"), active)
    return Tally(
        confirmed=stand.get(PlaceStatus.CONFIRMED, 0),
        offered=stand.get(PlaceStatus.OFFERED, 0),
        waiting=stand.get(PlaceStatus.WAITING, 0),
        all_of_them=sum(stand.values()),
        schools=db.session.scalar(schools) or 0,
        needs=db.session.scalar(needs) or 0,
    )


def waiting_together(booking_ids: Collection[int]) -> dict[int, int]:
    """Return how many places wait in each of these bookings; those where only one does are left out."""
    rows = db.session.execute(
        sa.select(Place.booking_id, sa.func.count())
        .where(Place.booking_id.in_(booking_ids), Place.status == PlaceStatus.WAITING)
        .group_by(Place.booking_id)
        .having(sa.func.count() > 1)
    )
    return {row[0]: row[1] for row in rows}


def schools_at(event: Event) -> list[tuple[int, str]]:
    """Return the schools that places at an event are of, by name."""
    theirs = sa.select(Place.school_id).where(Place.event_id == event.id)
    these = sa.select(School.id, School.name).where(School.id.in_(theirs)).order_by(School.name, School.id)
    rows = db.session.execute(these)
    return [(row[0], row[1]) for row in rows]


def taken_and_waiting(event: Event) -> list[tuple[int, str, int, int]]:
    """Return (school id, its name, places it takes, places it waits for) of schools at an event, by name."""
    takes = sa.func.count(sa.case((Place.status.in_(TAKES_A_PLACE), 1)))
    waits = sa.func.count(sa.case((Place.status == PlaceStatus.WAITING, 1)))
    rows = db.session.execute(
        sa.select(School.id, School.name, takes, waits)
        .join(Place, Place.school_id == School.id)
        .where(Place.event_id == event.id, Place.status != PlaceStatus.CANCELLED)
        .group_by(School.id, School.name)
        .order_by(School.name, School.id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def each_place(event: Event) -> Iterator[Place]:
    """Give every place at an event with its booking and school, read in parts: a file of them is made of it."""
    last = 0
    while some := _places_after(event, last):
        yield from some
        last = some[-1].id


def _places_after(event: Event, last: int) -> Sequence[Place]:
    return db.session.scalars(
        sa.select(Place)
        .where(Place.event_id == event.id, Place.id > last)
        .options(*WITH_ITS_PARTS)
        .order_by(Place.id)
        .limit(AT_ONCE)
    ).all()


def count_active_bookings(event: Event) -> int:
    """Return how many bookings have an active place at an event: so many hear of what becomes of it."""
    active = (Place.event_id == event.id, Place.status != PlaceStatus.CANCELLED)
    return db.session.scalar(sa.select(sa.func.count(Place.booking_id.distinct())).where(*active)) or 0
