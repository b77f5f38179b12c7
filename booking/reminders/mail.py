"""The mail that reminds of a session."""

from collections.abc import Sequence
from typing import Any

from booking.bookings import queries as bookings_queries
from booking.bookings.mail import event_card, sender_of
from booking.bookings.models import Place
from booking.calendar.models import Event
from booking.calendar.wording import say_left
from booking.core.addresses import absolute
from booking.core.clock import today
from booking.core.tokens import link_token
from booking.notifications import outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Words

TEMPLATE = "reminder"


def reminders(event: Event, places: Sequence[Place]) -> dict[int, Message]:
    """Queue the reminders of these places. Returns the message that reminds of each, by place.

    An attendee with an address gets their own, which names nobody else, also where several share the address.
    Who has none, or the booker's, is named to the booker.
    """
    if not places:
        return {}
    bookings_queries.load_surroundings(event)
    letters: dict[tuple[int, int | None], list[Place]] = {}
    for place in places:
        letters.setdefault((place.booking_id, place.id if _has_own_letter(place) else None), []).append(place)
    return {place.id: message for mine in letters.values() for message in [_post(event, mine)] for place in mine}


def words_now(event: Event, places: Sequence[Place]) -> Words:
    """Return what the reminder of these places says as things are now: it may have waited since it was queued."""
    return outbox.write(TEMPLATE, **_context(event, places))


def _has_own_letter(place: Place) -> bool:
    return bool(place.email) and place.email != place.booking.email


def address_of(place: Place) -> str:
    """Return where the reminder of a place goes: to the attendee's own address, or to who booked."""
    return place.email if place.email and _has_own_letter(place) else place.booking.email


def _post(event: Event, places: Sequence[Place]) -> Message:
    return outbox.post(TEMPLATE, to=address_of(places[0]), event_id=event.id, **_context(event, places))


def _context(event: Event, places: Sequence[Place]) -> dict[str, Any]:
    first = places[0]
    if _has_own_letter(first):
        name, link = first.name, absolute("bookings.place", token=link_token(bookings_queries.PLACE_LINK, first.key))
    else:
        token = link_token(bookings_queries.BOOKING_LINK, first.booking.key)
        name, link = first.booking.name, absolute("bookings.booking", token=token)
    return {
        "to_name": name,
        "sender": sender_of(event),
        "event": event_card(event),
        "left": say_left(today(), event.day),
        "names": [place.name for place in places],
        "link": link,
    }
