"""The mail that reminds of a session."""

from collections.abc import Sequence

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

TEMPLATE = "reminder"


def reminders(event: Event, places: Sequence[Place]) -> dict[int, Message]:
    """Queue the reminders of these places. Returns the message that reminds of each, by place.

    An attendee with an address gets their own, which names nobody else. Who has none is named to the booker.
    """
    if not places:
        return {}
    bookings_queries.load_surroundings(event)
    to: dict[str, list[Place]] = {}
    for place in places:
        to.setdefault(place.email or place.booking.email, []).append(place)
    return {
        place.id: message for email, mine in to.items() for message in [_post(event, email, mine)] for place in mine
    }


def _post(event: Event, email: str, places: Sequence[Place]) -> Message:
    first = places[0]
    own = [place for place in places if place.email == email]
    is_booker = first.booking.email == email
    if own and not (is_booker and len(places) > 1):
        link = absolute("bookings.place", token=link_token(bookings_queries.PLACE_LINK, own[0].key))
    else:
        link = absolute("bookings.booking", token=link_token(bookings_queries.BOOKING_LINK, first.booking.key))
    return outbox.post(
        TEMPLATE,
        to=email,
        to_name=own[0].name if own else first.booking.name,
        sender=sender_of(event),
        event_id=event.id,
        event=event_card(event),
        left=say_left(today(), event.day),
        names=[place.name for place in places],
        link=link,
    )
