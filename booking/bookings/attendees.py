"""Who books and who comes, as somebody asks for it, and what an attendee is known by (rule 2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from booking.bookings import policy
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.core.clock import now
from booking.core.errors import refuse_unless
from booking.core.text import email_key, name_key, one_line
from booking.core.tokens import new_key

LONGEST_NAME_KEY = 140  # with an address of 254 it fits the column


@dataclass(frozen=True, slots=True)
class Contact:
    """Who books: a name, an e-mail address, and a school of the directory or none.

    `audience_id` is what they say they are, where an event is only for its audiences.
    """

    name: str
    email: str
    school_id: int | None = None
    audience_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewPlace:
    """One attendee asked for. A colleague may have no e-mail address."""

    name: str
    email: str = ""


def attendee_key(place: NewPlace, *, booking_key: str) -> str:
    """Return who somebody is (rule 2): address and name; without an address the name within the booking.

    Some letters become a dozen when names are made comparable: what does not fit the column is hashed.
    """
    name = name_key(place.name)
    if len(name) > LONGEST_NAME_KEY:
        name = sha256(name.encode()).hexdigest()
    return f"{email_key(place.email) or booking_key}|{name}"


def request_key(form_key: str, by: Contact, places: Sequence[NewPlace]) -> str:
    """Return what a request is known by: the rendered form and the people in it.

    Going back in the browser to book for somebody else sends the same form: that is another request.
    """
    people = [(email_key(by.email), name_key(by.name)), *((email_key(p.email), name_key(p.name)) for p in places)]
    return sha256(repr((form_key, people)).encode()).hexdigest()


def new_place(booking: Booking, asked: NewPlace, *, unlisted: bool = False) -> Place:
    """Return a new place of a booking, which waits as yet. It is not of the booking's `places` before that is said."""
    return Place(
        event_id=booking.event_id,
        event=booking.event,
        key=new_key(),
        name=one_line(asked.name),
        email=email_key(asked.email) or None,
        attendee_key=attendee_key(asked, booking_key=booking.key),
        school_id=booking.school_id,
        status=PlaceStatus.WAITING,
        created_at=now(),
        unlisted=unlisted,
    )


def by_booking(places: Iterable[Place]) -> list[tuple[Booking, list[Place]]]:
    """Return these places by their bookings, in order."""
    found: dict[int, list[Place]] = {}
    for place in places:
        found.setdefault(place.booking_id, []).append(place)
    return [(mine[0].booking, mine) for mine in found.values()]


def become(place: Place, status: PlaceStatus) -> None:
    """Let a place go from its status to another. Raises RuntimeError for a way that places do not go."""
    if not policy.may_move(place.status, status):
        raise RuntimeError(f"place {place.id} cannot go from {place.status} to {status}")
    place.status = status


def refuse_addresses_of_others(booker_email: str, places: Sequence[NewPlace]) -> None:
    """Refuse companions with an address at a private event: naming them would tell who is booked (rule 7)."""
    refuse_unless(
        not any(place.email for place in places if email_key(place.email) != email_key(booker_email)),
        "At this event we ask for no e-mail address but that of whoever books. Name the others without theirs.",
    )
