"""How a booking and a place stand, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.wording import say_instant, say_number
from booking.core.text import name_key


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A place that is no longer of this booking, or no longer its old attendee's: to whom or where it went."""

    name: str
    to_name: str = ""
    # Where it went to another date: that place.
    there: Place | None = None


def current(places: Sequence[Place]) -> list[Place]:
    """Return the places of a booking without those that went to somebody else or to another date."""
    return [place for place in places if place.became_id is None]


def passed_on(places: Sequence[Place], successors: dict[int, Place]) -> list[PassedOn]:
    """Return what became of the places that went on."""
    found = []
    for place in places:
        successor = successors.get(place.id)
        if successor is not None and successor.event_id != place.event_id:
            found.append(PassedOn(place.name, there=successor))
        elif successor is not None:
            found.append(PassedOn(place.name, to_name=successor.name))
    return found


def of_booking(booking: Booking) -> str:
    """Return the headline of a booker's page."""
    if booking.event.is_cancelled:
        return "This event has been cancelled"
    active = [place for place in booking.places if place.status is not PlaceStatus.CANCELLED]
    if not active:
        moved = not current(booking.places)
        return "Your booking has changed to another date" if moved else "Your booking is cancelled"
    offered = [place for place in active if place.status is PlaceStatus.OFFERED]
    if offered:
        return _held(offered, booking.email)
    confirmed = [place for place in active if place.status is PlaceStatus.CONFIRMED]
    waiting = [place for place in active if place.status is PlaceStatus.WAITING]
    if not waiting:
        return _booked(confirmed, booking.email)
    if confirmed:
        return f"{say_number(len(confirmed)).capitalize()} booked, {say_number(len(waiting))} waiting"
    is_own = len(waiting) == 1 and waiting[0].email == booking.email
    return "You are on the waiting list" if is_own else "On the waiting list"


def _held(offered: Sequence[Place], booker_email: str) -> str:
    until = say_instant(min(place.offered_until for place in offered if place.offered_until))
    if len(offered) > 1:
        return f"{say_number(len(offered)).capitalize()} places are held for you until {until}"
    whom = "you" if offered[0].email == booker_email else offered[0].name
    return f"A place is held for {whom} until {until}"


def _booked(confirmed: Sequence[Place], booker_email: str) -> str:
    if len(confirmed) == 1:
        return "You are booked" if confirmed[0].email == booker_email else f"{confirmed[0].name} is booked"
    return "Both places are booked" if len(confirmed) == 2 else f"All {len(confirmed)} places are booked"


def after_place(place: Place, successor: Place | None) -> str:
    """Return what the old attendee of a place is told to do; nothing where it is theirs."""
    if successor is None:
        return ""
    if successor.event_id != place.event_id:
        return "The e-mail about the other date has the link to it; this one shows nothing more."
    return "This link shows nothing more of it."


def of_place(place: Place, successor: Place | None) -> str:
    """Return the headline of an attendee's page. Nobody who came instead is named (rule 7)."""
    if place.event.is_cancelled:
        return "This event has been cancelled"
    if successor is not None:
        if successor.event_id != place.event_id:
            return "Your place has changed to another date"
        if name_key(successor.name) == name_key(place.name):
            return "This place goes with another e-mail address now"
        return "Your place has gone to somebody else"
    if place.status is PlaceStatus.OFFERED and place.offered_until:
        return f"A place is held for you until {say_instant(place.offered_until)}"
    return {
        PlaceStatus.CONFIRMED: "You have a place",
        PlaceStatus.WAITING: "You are on the waiting list",
    }.get(place.status, "Your place is cancelled")
