"""What an area sets once and events then choose from: kinds, audiences, venues, and the half terms of a school year."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

import sqlalchemy as sa

from booking.calendar import queries
from booking.calendar.actions import venues_of
from booking.calendar.models import (
    RESERVED_SLUGS,
    Audience,
    Category,
    Event,
    EventStatus,
    Kind,
    Term,
    Venue,
    Visibility,
)
from booking.calendar.position import Position, say_position
from booking.calendar.terms import HalfTerm, year_days, year_name
from booking.core import audit
from booking.core.clock import now, today
from booking.core.db import atomic, db, lock, take_turns
from booking.core.errors import refuse_unless
from booking.core.text import name_key, one_line, paragraphs, slug
from booking.directory.models import Area, Person

HALF_TERMS = 6
LONGEST_SLUG = 56  # with room for a number


@dataclass(frozen=True, slots=True)
class KindValues:
    """What an organiser says of a kind of event. `with_drafts`: its drafts follow who sees it."""

    name: str
    letters: str
    colour: int
    visibility: Visibility
    with_drafts: bool = False


def kinds_of(area_id: int) -> str:
    """Return the name under which transactions that add a kind of event take turns."""
    return f"kinds of area {area_id}"


def audiences_of(area_id: int) -> str:
    """Return the name under which transactions that add an audience take turns."""
    return f"audiences of area {area_id}"


@atomic
def save_category(area: Area, category: Category | None, values: KindValues, *, by: Person) -> Category:
    """Add a kind of event, or change one; its address stays for life. Raises Refused for a name that is there."""
    # Events before turns and the area's version, as with every change of an event.
    other = category and (category.name, category.colour) != (one_line(values.name), values.colour)
    shown = queries.in_calendars(category, today=today()) if category and other else ()
    lock(*shown, *(queries.drafts_of_kind(category) if category and values.with_drafts else ()))
    take_turns(kinds_of(area.id))
    others = [one for one in queries.categories(area.id) if one is not category]
    _refuse_a_second(values.name, [one.name for one in others])
    if category is None:
        address = free_slug(values.name, RESERVED_SLUGS | {one.slug for one in others})
        category = Category(area_id=area.id, slug=address, position=len(others), visibility=values.visibility)
        db.session.add(category)
    category.name, category.letters = one_line(values.name), one_line(values.letters).upper()
    category.colour, category.visibility = values.colour, values.visibility
    db.session.flush()
    _show_in(shown)
    changed = _follow(category) if values.with_drafts else 0
    audit.record(
        "set the kind",
        "category",
        category.id,
        by=by,
        area_id=area.id,
        name=category.name,
        visibility=category.visibility,
        drafts=changed,
    )
    return category


def _show_in(events: Sequence[Event]) -> None:
    """Say of entries in calendars that they have changed; where nothing happens otherwise, SEQUENCE stays."""
    for event in events:
        event.changed_at = now()


def _follow(category: Category) -> int:
    """Change who sees the drafts that follow their kind; sessions that are no longer for the team take bookings.

    What is published was looked at by somebody who meant it so, and what says itself who sees it is right.
    """
    changed = [event for event in queries.drafts_of_kind(category) if event.visibility is not category.visibility]
    for event in changed:
        if event.visibility is Visibility.TEAM and event.kind is Kind.SESSION:
            event.takes_bookings = True
        event.visibility = category.visibility
        event.revision += 1
    return len(changed)


@atomic
def save_audience(area: Area, audience: Audience | None, *, name: str, is_families: bool, by: Person) -> Audience:
    """Add an audience, or change one; its address stays. Raises Refused for a name that is there."""
    take_turns(audiences_of(area.id))
    others = [one for one in queries.audiences(area.id) if one is not audience]
    _refuse_a_second(name, [one.name for one in others])
    if audience is None:
        audience = Audience(area_id=area.id, slug=free_slug(name, {one.slug for one in others}), position=len(others))
        db.session.add(audience)
    audience.name, audience.is_families = one_line(name), is_families
    db.session.flush()
    audit.record("set the audience", "audience", audience.id, by=by, area_id=area.id, name=audience.name)
    return audience


@dataclass(frozen=True, slots=True)
class VenueValues:
    """What an organiser says of a venue."""

    name: str
    address: str
    directions: str
    is_online: bool
    # How many people its room holds; None where that is not known.
    capacity: int | None = None
    position: Position | None = None

    def differ_from(self, venue: Venue) -> bool:
        """Tell whether calendars would say something else of the venue."""
        said = (one_line(self.name), one_line(self.address), self.position)
        return said != (venue.name, venue.address, venue.position)


@atomic
def save_venue(area: Area, venue: Venue | None, values: VenueValues, *, by: Person) -> Venue:
    """Add a venue, or change one. Raises Refused for a name that is there, and for what is on line with a position."""
    refuse_unless(
        values.position is None or not values.is_online, "What is on line has no place on a map.", field="position"
    )
    shown = queries.in_calendars(venue, today=today()) if venue and values.differ_from(venue) else ()
    lock(*shown)
    take_turns(venues_of(area.id))
    _refuse_a_second(values.name, [one.name for one in queries.venues(area.id) if one is not venue])
    if venue is None:
        venue = Venue(area_id=area.id)
        db.session.add(venue)
    venue.name, venue.address = one_line(values.name), one_line(values.address)
    venue.directions, venue.is_online = paragraphs(values.directions), values.is_online
    venue.capacity = values.capacity
    venue.latitude, venue.longitude = values.position or (None, None)
    db.session.flush()
    _show_in(shown)
    place = say_position(venue.position)
    audit.record("set the venue", "venue", venue.id, by=by, area_id=area.id, name=venue.name, position=place)
    return venue


@atomic
def set_half_terms(area: Area, year: int, terms: Sequence[HalfTerm], *, by: Person) -> None:
    """Set the six half terms of a school year in place of what was known. Raises Refused."""
    first, last = year_days(year)
    refuse_unless(len(terms) == HALF_TERMS, "Enter all six half terms.")
    for number, term in enumerate(terms, start=1):
        field = f"first_{number}"
        in_year = first <= term.first_day and term.last_day <= last
        refuse_unless(in_year, f"Half term {number} is not in the school year {year_name(year)}.", field=field)
        refuse_unless(term.first_day <= term.last_day, f"Half term {number} ends before it begins.", field=field)
    for number, (earlier, later) in enumerate(pairwise(terms), start=2):
        refuse_unless(
            earlier.last_day < later.first_day,
            f"Half term {number} begins before the one before it ends.",
            field=f"first_{number}",
        )
    take_turns(f"half terms of area {area.id}")
    db.session.execute(sa.delete(Term).where(Term.area_id == area.id, Term.year == year))
    for term in terms:
        row = Term(area_id=area.id, year=year, number=term.number, first_day=term.first_day, last_day=term.last_day)
        db.session.add(row)
    # Whether a free place goes on by itself hangs on what a school day is: the scheduler looks at all again.
    waits = (Event.area_id == area.id, Event.status == EventStatus.PUBLISHED, Event.last_position > 0)
    db.session.execute(sa.update(Event).where(*waits, Event.day >= today()).values(settle_at=now()))
    audit.record("set the half terms", "area", area.id, by=by, area_id=area.id, year=year_name(year))


def _refuse_a_second(name: str, others: Collection[str]) -> None:
    refuse_unless(one_line(name), "Enter a name.", field="name")
    there = {name_key(other) for other in others}
    refuse_unless(name_key(name) not in there, f"There is one called {one_line(name)} already.", field="name")


def free_slug(name: str, used: Collection[str]) -> str:
    """Return a slug of the name that is not used yet: itself, or with a number."""
    base = slug(name, otherwise="other")[:LONGEST_SLUG].rstrip("-")
    candidates = (base if number == 1 else f"{base}-{number}" for number in count(1))
    return next(one for one in candidates if one not in used)
