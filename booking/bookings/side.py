"""The side answer: "can I still come?", in the same place of each row, bold words first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from booking.bookings.policy import BookingCode, booking_state, closes_at
from booking.calendar.models import Event, Kind, WhoMayBook
from booking.calendar.wording import last_day_of, say_count, say_day_short, say_left, say_time
from booking.core.clock import wall


@dataclass(frozen=True, slots=True)
class Side:
    """What stands beside an event in a list."""

    bold: str = ""
    quiet: str = ""
    pill: str = ""


def sides(events: Sequence[Event], *, at: datetime, waiting: Mapping[int, int]) -> dict[int, Side]:
    """Return the side answer of each event by its id."""
    return {event.id: side(event, at=at, waiting=waiting.get(event.id, 0)) for event in events}


def side(event: Event, *, at: datetime, waiting: int = 0) -> Side:
    """Return the side answer of one event."""
    if event.is_cancelled:
        return Side(pill="Cancelled")
    if event.kind is Kind.DEADLINE:
        return _deadline(event, wall(at).date())
    if event.kind is Kind.MILESTONE:
        return Side(quiet="for information")
    code = booking_state(event, at=at).code
    if code is BookingCode.OPEN:
        return Side(_left(event), f"book by {say_day_short(last_day_of(closes_at(event)))}")
    if code is BookingCode.FULL:
        # The numbers of a private event would tell whether a booking was new (rule 7).
        return Side(pill="Full", quiet=f"{waiting} waiting" if waiting and not event.private else "waiting list open")
    if code is BookingCode.NONE:
        return Side("Just come", "no booking") if event.ends_at > at else Side(quiet="over")
    if code is BookingCode.INVITED:
        return Side("By invitation")
    if code is BookingCode.SOON and event.opens_at is not None:
        return Side(f"Opens {say_day_short(wall(event.opens_at).date())}")
    if code is BookingCode.CLOSED:
        return Side(pill="Closed", quiet="booking has closed")
    return Side(quiet="over") if code is BookingCode.PAST else Side()


def _left(event: Event) -> str:
    if event.places_left is None:
        return "Open to all" if event.who_may_book is WhoMayBook.ANYONE else "Places left"
    return "Places left" if event.private else f"{say_count(event.places_left, 'place')} left"


def _deadline(event: Event, today: date) -> Side:
    return Side(f"By {say_time(event.starts)}" if event.starts else "Closes", say_left(today, event.day))
