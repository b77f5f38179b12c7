"""May it be booked, may it be changed, until when does a free place go on by itself: pure rules."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Promotion, WhoMayBook
from booking.calendar.terms import HalfTerm, is_school_day, school_day_before
from booking.calendar.wording import say_count, say_instant
from booking.core.clock import on_the_wall, wall
from booking.core.text import and_list

NOON = time(12, 0)
# An offer ends while people read mail: on a school day, between these hours; one that would not, ends at ten.
MORNING, EVENING, TEN = time(8, 0), time(18, 0), time(10, 0)
SHORTEST_OFFER = timedelta(hours=1)

# States move only along these.
MOVES: dict[PlaceStatus, frozenset[PlaceStatus]] = {
    PlaceStatus.WAITING: frozenset({PlaceStatus.CONFIRMED, PlaceStatus.OFFERED, PlaceStatus.CANCELLED}),
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
    SOON = "soon"
    INVITED = "invited"
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


def booking_state(event: Event, *, at: datetime, waiting: int = 0, invited: bool = False) -> BookingState:
    """Return whether this event can be booked at this instant.

    `waiting` is how many wait already; `invited` that whoever asks has the link of its invitation.
    """
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
    if event.who_may_book is WhoMayBook.INVITED and not invited:
        return BookingState(
            BookingCode.INVITED,
            "Booking is by invitation: use the link in the e-mail or letter that you had, or ask the partnership.",
        )
    if event.opens_at is not None and at < event.opens_at:
        return BookingState(BookingCode.SOON, f"Booking opens on {say_instant(event.opens_at)}.")
    if event.places_left is not None and event.places_left <= 0:
        return BookingState(BookingCode.FULL, "All places are taken. You can join the waiting list.")
    if waiting and event.places_left is not None:
        return BookingState(BookingCode.OPEN, "Some people are waiting for more places than are free at once.")
    return BookingState(BookingCode.OPEN, "There are places.")


def closes_at(event: Event) -> datetime:
    """Return the instant booking closes: what the organiser set, at the latest the start."""
    return min(event.closes_at, event.starts_at) if event.closes_at else event.starts_at


def only_schools(event: Event, *, at: datetime) -> bool:
    """Tell whether only schools of the area may book at this instant."""
    return event.who_may_book is WhoMayBook.SCHOOLS and (
        event.schools_first_until is None or at < event.schools_first_until
    )


def why_not_for(
    event: Event, *, from_school: bool, audience_id: int | None, at: datetime, is_for_them: bool = False
) -> tuple[str, str] | None:
    """Return the field and the sentence that say why somebody may not book, or None where they may.

    `is_for_them`: it has been looked up that the audience they named is one of the event's.
    """
    if only_schools(event, at=at) and not from_school:
        until = f" until {say_instant(event.schools_first_until)}" if event.schools_first_until else ""
        return "school", f"Booking is for our schools and settings{until}. Choose yours from the list."
    if event.who_may_book is WhoMayBook.AUDIENCE and not is_for_them and event.audiences:
        names = {audience.id: audience.name for audience in event.audiences}
        if audience_id not in names:
            return "audience", f"This is for {and_list(names.values())}. If that is you, choose it from the list."
    return None


def why_never(event: Event, *, from_school: bool, number: int, at: datetime) -> str:
    """Return why so many places can never be free at once as things are, in a sentence; nothing where they can."""
    if event.capacity is not None and number > event.capacity:
        return f"There are {say_count(event.capacity, 'place')} in all, so {number} cannot come together as yet."
    limited = event.per_school is not None and event.per_school_until is None and from_school
    if limited and number > (event.per_school or 0):
        return f"A school can have {say_count(event.per_school or 0, 'place')} here, so {number} cannot come together."
    return ""


def promotes_until(event: Event, terms: Collection[HalfTerm], days_off: Collection[date]) -> datetime:
    """Return until when a free place goes to who waits by itself.

    That is noon of the school day before: later nobody could count on reading the mail, so the organiser decides;
    or the start, where the event's rule says so. An offer needs its time before that.
    """
    if event.promotion is Promotion.OFFER:
        return last_call(event, terms, days_off) - SHORTEST_OFFER
    return event.starts_at if event.late_places_go_on else _noon_before(event, terms, days_off)


def last_call(event: Event, terms: Collection[HalfTerm], days_off: Collection[date]) -> datetime:
    """Return when the last offer of an event ends: noon of the school day before, or an hour before it starts."""
    an_hour_before = event.starts_at - timedelta(hours=1)
    if event.late_places_go_on and _in_school_hours(an_hour_before, terms, days_off):
        return an_hour_before
    return _noon_before(event, terms, days_off)


def _noon_before(event: Event, terms: Collection[HalfTerm], days_off: Collection[date]) -> datetime:
    return on_the_wall(school_day_before(event.day, terms, days_off), NOON)


def offered_until(event: Event, terms: Collection[HalfTerm], days_off: Collection[date], *, at: datetime) -> datetime:
    """Return until when a place that is offered at this instant is held.

    The event's hours, but near the day at most half of the time that is left; never at night, at a weekend or in the
    holidays: such an offer is held until ten of the next school day. At the latest until the event's last call.
    """
    last = last_call(event, terms, days_off)
    span = min(timedelta(hours=event.offer_hours), max((last - at) / 2, SHORTEST_OFFER))
    ends = at + span
    if not _in_school_hours(ends, terms, days_off):
        ends = _next_morning(ends, terms, days_off, last=last)
    return min(ends, last).replace(microsecond=0)


def _in_school_hours(at: datetime, terms: Collection[HalfTerm], days_off: Collection[date]) -> bool:
    there = wall(at)
    return MORNING <= there.time() <= EVENING and is_school_day(there.date(), terms, days_off)


def _next_morning(at: datetime, terms: Collection[HalfTerm], days_off: Collection[date], *, last: datetime) -> datetime:
    there = wall(at)
    day = there.date() if there.time() < MORNING else there.date() + timedelta(days=1)
    while not is_school_day(day, terms, days_off) and day < last.date():
        day += timedelta(days=1)
    return on_the_wall(day, TEN)


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


def is_to_come(event: Event, *, at: datetime) -> bool:
    """Tell whether an event is on and has not started."""
    return event.status is EventStatus.PUBLISHED and at < event.starts_at


def is_on_that_day(event: Event, day: date) -> bool:
    """Tell whether an event is held on this day: the host then sees who comes, and on no other day (rule 7)."""
    return event.status is EventStatus.PUBLISHED and event.day <= day <= (event.last_day or event.day)


def changes_until(event: Event) -> datetime:
    """Return until when bookers and attendees cancel and change by themselves: the event's rule."""
    return event.starts_at - timedelta(hours=event.changes_until_hours)


def can_cancel(event: Event, *, at: datetime) -> bool:
    """Tell whether places can still be given back, handed on and changed, while the event is on."""
    return event.status is not EventStatus.CANCELLED and at < changes_until(event)


def why_no_cancel(event: Event, places: Collection[Place], *, at: datetime) -> str:
    """Return why these active places cannot be given back (any more), in a sentence; nothing where they can.

    What is offered can be declined for as long as it is held.
    """
    only_offers = bool(places) and all(place.status is PlaceStatus.OFFERED for place in places)
    return "" if only_offers and not event.is_cancelled else why_no_change(event, at=at)


def why_no_change(event: Event, *, at: datetime) -> str:
    """Return why a booking of an event cannot be changed (any more), in a sentence; nothing where it can."""
    if can_cancel(event, at=at):
        return ""
    if event.status is EventStatus.CANCELLED or at >= event.starts_at:
        return "This event has started, is over or was cancelled, so its places cannot be given back or changed."
    return f"Bookings could be changed until {say_instant(changes_until(event))}. Ask the partnership now."
