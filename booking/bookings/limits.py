"""What the places of an event count against, how many are left of each, and the counts themselves.

Two limits so far: all places of the event (`events.taken` of `capacity`), and the places of each school
(`school_counts`). Both are written under the event's lock, and the database refuses what would break them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, NoReturn

import sqlalchemy as sa

from booking.bookings.models import TAKES_A_PLACE, Place, SchoolCount
from booking.bookings.waiting import Limit
from booking.calendar.models import Event
from booking.calendar.wording import say_count
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused, refuse_unless
from booking.directory.models import School

ALL_PLACES = "all places"
MOST_PLACES = 100_000


class Count(NamedTuple):
    """The count of one school at an event."""

    school_id: int
    taken: int
    extra: int
    most: int


def of_school(school_id: int) -> Limit:
    """Return the limit of the places of one school."""
    return ("school", school_id)


def limits_schools(event: Event, *, at: datetime) -> bool:
    """Tell whether the places per school are limited at this instant."""
    return event.per_school is not None and (event.per_school_until is None or at < event.per_school_until)


def limits_of(event: Event, school_id: int | None, *, at: datetime) -> tuple[Limit, ...]:
    """Return what a place of this school (or of none) counts against at an event."""
    if school_id is not None and limits_schools(event, at=at):
        return (ALL_PLACES, of_school(school_id))
    return (ALL_PLACES,)


def free(
    event: Event, school_ids: Iterable[int | None], *, counts: Mapping[int, Count] | None = None
) -> dict[Limit, int]:
    """Return how many places are left, in all and for each of these schools; what has no limit is not named.

    `counts` of these schools, where they have been read under the same lock.
    """
    left: dict[Limit, int] = {}
    if event.places_left is not None:
        left[ALL_PLACES] = event.places_left
    schools = {school_id for school_id in school_ids if school_id is not None}
    if schools and limits_schools(event, at=now()):
        counts = _counts(event, schools) if counts is None else counts
        for school_id in schools:
            count = counts.get(school_id)
            left[of_school(school_id)] = count.most - count.taken if count else event.per_school or 0
    return left


def take(event: Event, places: Iterable[Place]) -> None:
    """Count these places as taken. Belongs under the event's lock."""
    _change(event, places, 1)


def give_back(event: Event, places: Iterable[Place]) -> None:
    """Count these places as free again. Belongs under the event's lock."""
    _change(event, places, -1)


def _change(event: Event, places: Iterable[Place], step: int) -> None:
    places = list(places)
    if not places:
        return
    event.taken += step * len(places)
    of_schools = Counter(place.school_id for place in places if place.school_id is not None)
    if of_schools and limits_schools(event, at=now()):
        _add(event, {school_id: step * number for school_id, number in of_schools.items()})


def _add(event: Event, taken: Mapping[int, int], *, extra: int = 0) -> None:
    """Add to the counts of schools; a school that has none yet gets one.

    An INSERT with ON CONFLICT would not do: PostgreSQL checks the row that is not inserted as well.
    """
    for school_id, number in sorted(taken.items()):
        changed = db.session.execute(
            sa.update(SchoolCount)
            .where(SchoolCount.event_id == event.id, SchoolCount.school_id == school_id)
            .values(taken=SchoolCount.taken + number, extra=SchoolCount.extra + extra, most=SchoolCount.most + extra)
            .returning(SchoolCount.school_id)
        ).all()
        if not changed:
            most = (event.per_school or 0) + extra
            row = {"event_id": event.id, "school_id": school_id, "taken": number, "extra": extra, "most": most}
            db.session.execute(sa.insert(SchoolCount).values(row))


def _counts(event: Event, school_ids: Collection[int]) -> dict[int, Count]:
    return {count.school_id: count for count in _read(event, SchoolCount.school_id.in_(school_ids))}


def schools_counted(event: Event) -> list[Count]:
    """Return the counts of the schools that hold places at an event, where these are limited."""
    return _read(event)


def _read(event: Event, *chosen: sa.ColumnElement[bool]) -> list[Count]:
    rows = db.session.execute(
        sa.select(SchoolCount.school_id, SchoolCount.taken, SchoolCount.extra, SchoolCount.most)
        .where(SchoolCount.event_id == event.id, *chosen)
        .order_by(SchoolCount.school_id)
    )
    return [Count(*row) for row in rows]


def make_room(event: Event, limit: Limit, number: int) -> None:
    """Raise one limit by so many places: the organiser lets somebody in beyond it."""
    if limit == ALL_PLACES:
        assert event.capacity is not None
        refuse_unless(event.capacity + number <= MOST_PLACES, f"An event has at most {MOST_PLACES:,} places.")
        event.capacity += number
        event.revision += 1  # a form that was opened before would take it back
    else:
        assert isinstance(limit, tuple)
        _add(event, {limit[1]: 0}, extra=number)


def recount_schools(event: Event) -> None:
    """Make the counts of schools anew after their limit was changed, set, or lifted.

    What schools have beyond it was let in by an organiser, and stays theirs. Raises Refused where a school that was
    never let in beyond the limit holds more than the new one. Belongs under the event's lock.
    """
    if not limits_schools(event, at=now()):
        db.session.execute(sa.delete(SchoolCount).where(SchoolCount.event_id == event.id))
        return
    assert event.per_school is not None
    held = _held_by_schools(event)
    extras = {count.school_id: _extra_now(event.per_school, count, held) for count in schools_counted(event)}
    rows = []
    for school_id in sorted({*extras, *held}):
        taken, extra = held.get(school_id, 0), extras.get(school_id, 0)
        if taken > event.per_school + extra:
            _refuse_the_limit(school_id, taken)
        rows.append({"event_id": event.id, "school_id": school_id, "taken": taken, "extra": extra})
    db.session.execute(sa.delete(SchoolCount).where(SchoolCount.event_id == event.id))
    if rows:
        db.session.execute(sa.insert(SchoolCount), [{**row, "most": event.per_school + row["extra"]} for row in rows])


def _extra_now(per_school: int, count: Count, held: Mapping[int, int]) -> int:
    """Return what a school has beyond the limit; a higher limit takes up what was let in beyond the lower one."""
    is_raised = per_school > count.most - count.extra
    return min(count.extra, max(held.get(count.school_id, 0) - per_school, 0)) if is_raised else count.extra


def _refuse_the_limit(school_id: int, taken: int) -> NoReturn:
    with db.session.no_autoflush:
        school = db.session.get(School, school_id)
    raise Refused(
        f"{school.name if school else 'A school'} has {say_count(taken, 'place')} already, so the number for "
        "each school cannot be lower. Cancel places first, or enter a higher number.",
        field="per_school",
    )


def _held_by_schools(event: Event) -> dict[int, int]:
    rows = db.session.execute(
        sa.select(Place.school_id, sa.func.count())
        .where(Place.event_id == event.id, Place.status.in_(TAKES_A_PLACE), Place.school_id.is_not(None))
        .group_by(Place.school_id)
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}
