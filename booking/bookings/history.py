"""What was done to a booking after it was made, and what somebody is told who changes what they saw before that."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from booking.bookings.models import Booking, BookingChange, Place
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused

BOOKER, ATTENDEE, TEAM, PROGRAM = "who booked", "the attendee", "the partnership", "the program"


class Stale(Refused):
    """Somebody else changed the booking since the page was loaded."""


def who(by_team: object, own: object) -> str:
    """Return who does something: the partnership, the attendee by their own link, or who booked."""
    if by_team:
        return TEAM
    return ATTENDEE if own else BOOKER


def write_down(booking: Booking, sentences: Iterable[tuple[Place | None, str]], *, who: str) -> None:
    """Raise the booking's revision, and keep what was done to which place and by whom. Belongs inside an action."""
    booking.revision += 1
    for place, sentence in sentences:
        db.session.add(
            BookingChange(
                booking_id=booking.id,
                place_id=place.id if place else None,
                revision=booking.revision,
                at=now(),
                who=who[:200],
                sentence=sentence[:500],
            )
        )


def refuse_stale(booking: Booking, seen: int | None, *, place: Place | None = None) -> None:
    """Raise Stale where the booking has changed since the revision that somebody saw; None looks at nothing.

    With a `place` (an attendee's own link) only what concerns that one counts and is told (rule 7).
    """
    if seen is None or booking.revision == seen:
        return
    if place is not None and place.became_id is not None:  # to whom is not for the old attendee to know
        raise Stale("This place has gone to somebody else, or to another date. Nothing was done now.")
    since = [
        change
        for change in changes_since(booking, seen)
        if place is None or change.place_id is None or change.place_id == place.id
    ]
    if not since:
        return
    told = " ".join(f"{change.sentence}." for change in since)
    raise Stale(f"This has changed since you opened the page: {told} Nothing was done now. Look, and try again.")


def changes_since(booking: Booking, revision: int) -> list[BookingChange]:
    """Return what was done to a booking after a revision, in order."""
    return list(
        db.session.scalars(
            sa.select(BookingChange)
            .where(BookingChange.booking_id == booking.id, BookingChange.revision > revision)
            .order_by(BookingChange.id)
        )
    )


def successors_of(places: Iterable[Place]) -> dict[int, Place]:
    """Return, by the id of the old one, the places that took the place of these: with their events and bookings."""
    became = {place.id: place.became_id for place in places if place.became_id is not None}
    if not became:
        return {}
    chosen = sa.select(Place).where(Place.id.in_(became.values()))
    found = db.session.scalars(chosen.options(joinedload(Place.event), joinedload(Place.booking))).all()
    by_id = {place.id: place for place in found}
    return {old_id: by_id[new_id] for old_id, new_id in became.items()}


def changes_of(booking_ids: Iterable[int]) -> list[BookingChange]:
    """Return all that was done to these bookings, in order."""
    chosen = BookingChange.booking_id.in_(list(booking_ids))
    return list(db.session.scalars(sa.select(BookingChange).where(chosen).order_by(BookingChange.id)))
