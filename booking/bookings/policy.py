"""May it be booked, may it be cancelled, does a free place still go on by itself: pure rules."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind
from booking.calendar.terms import HalfTerm, school_day_before
from booking.core.clock import on_the_wall

NOON = time(12, 0)

# States move only along these.
MOVES: dict[PlaceStatus, frozenset[PlaceStatus]] = {
    PlaceStatus.WAITING: frozenset({PlaceStatus.CONFIRMED, PlaceStatus.CANCELLED}),
    PlaceStatus.CONFIRMED: frozenset({PlaceStatus.CANCELLED}),
    PlaceStatus.OFFERED: frozenset({PlaceStatus.CONFIRMED, PlaceStatus.CANCELLED}),
    PlaceStatus.PENDING: frozenset({PlaceStatus.CONFIRMED, PlaceStatus.WAITING, PlaceStatus.CANCELLED}),
    PlaceStatus.CANCELLED: frozenset(),
}

# From the best to the least good: what a booking as a whole has come to.
FROM_BEST = (
    PlaceStatus.CONFIRMED,
    PlaceStatus.OFFERED,
    PlaceStatus.PENDING,
    PlaceStatus.WAITING,
    PlaceStatus.CANCELLED,
)


class BookingCode(StrEnum):
    """Whether an event can be booked, and if not, why."""

    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"
    PAST = "past"
    CANCELLED = "cancelled"
    NONE = "none"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class BookingState:
    """Whether an event can be booked, in a word and in a sentence for whoever would like to."""

    code: BookingCode
    sentence: str

    @property
    def can_book(self) -> bool:
        """Tell whether a form makes sense: for a place, or for the waiting list."""
        return self.code in {BookingCode.OPEN, BookingCode.FULL}


def booking_state(event: Event, *, at: datetime, waiting: int = 0) -> BookingState:
    """Return whether this event can be booked at this instant. `waiting` is how many wait already."""
    if event.status is EventStatus.CANCELLED:
        return BookingState(BookingCode.CANCELLED, "This event has been cancelled, so it cannot be booked.")
    if event.status is EventStatus.DRAFT:
        return BookingState(BookingCode.DRAFT, "This event has not been published yet, so it cannot be booked.")
    if event.kind is not Kind.SESSION or not event.takes_bookings:
        return BookingState(BookingCode.NONE, "Nobody needs to book this.")
    if at >= event.starts_at:
        return BookingState(BookingCode.PAST, "This event has started or is over, so it cannot be booked any more.")
    if at >= closes_at(event):
        return BookingState(BookingCode.CLOSED, "Booking has closed. Ask the partnership whether there is still room.")
    if event.places_left is not None and event.places_left <= 0:
        return BookingState(BookingCode.FULL, "All places are taken. You can join the waiting list.")
    if waiting and event.places_left is not None:
        return BookingState(BookingCode.OPEN, "Some people are waiting for more places than are free at once.")
    return BookingState(BookingCode.OPEN, "There are places.")


def closes_at(event: Event) -> datetime:
    """Return the instant booking closes: what the organiser set, at the latest the start."""
    return min(event.closes_at, event.starts_at) if event.closes_at else event.starts_at


def promotes_until(event: Event, terms: Collection[HalfTerm], days_off: Collection[date]) -> datetime:
    """Return until when a free place goes to who waits by itself: noon of the school day before.

    Later than that nobody could count on reading the mail, so the organiser decides.
    """
    return on_the_wall(school_day_before(event.day, terms, days_off), NOON)


def may_move(old: PlaceStatus, new: PlaceStatus) -> bool:
    """Tell whether a place may go from one status to the other."""
    return new in MOVES[old]


def least_good(statuses: Collection[PlaceStatus]) -> PlaceStatus:
    """Return what a booking has come to: the least good status of its places."""
    return max(statuses, key=FROM_BEST.index)


def as_it_stands(event: Event, place: Place) -> PlaceStatus:
    """Return what has become of a place: it went with its event where that was called off."""
    return PlaceStatus.CANCELLED if event.status is EventStatus.CANCELLED else place.status


def first_outcome(places: Collection[Place]) -> PlaceStatus:
    """Return what a booking came to when it was made: whoever had to wait keeps the number for good."""
    return PlaceStatus.CONFIRMED if all(place.position is None for place in places) else PlaceStatus.WAITING


def can_cancel(event: Event, *, at: datetime) -> bool:
    """Tell whether places at this event can still be given back: until it starts, while it is on."""
    return event.status is not EventStatus.CANCELLED and at < event.starts_at
