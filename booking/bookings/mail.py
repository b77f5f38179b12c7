"""The mails of bookings. Each recipient gets one, with their own link and, to their calendar, their own invitation.

Who booked reads of all places of the booking; an attendee only of their own (rule 7).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from booking.bookings import queries
from booking.bookings.models import Booking, InvitationCount, Place, PlaceStatus
from booking.calendar import ical, wording
from booking.calendar.entry import entry_of
from booking.calendar.models import Event
from booking.calendar.when import When
from booking.core.addresses import absolute
from booking.core.clock import now
from booking.core.db import db
from booking.core.text import name_key
from booking.core.tokens import link_token
from booking.notifications import outbox
from booking.notifications.outbox import Invitation, Sender, sender_address


@dataclass(frozen=True, slots=True)
class Letter:
    """One recipient of a mail about a booking, and the places it is about."""

    email: str
    name: str
    places: tuple[Place, ...]
    link: str
    is_booker: bool

    @property
    def is_own(self) -> bool:
        """Tell whether it is about a place of the recipient alone, and not one of who they booked for."""
        first = self.places[0]
        own = first.email == self.email and name_key(first.name) == name_key(self.name)
        return not self.is_booker or (len(self.places) == 1 and own)

    @property
    def names(self) -> str:
        """Who the places are for."""
        *others, last = (place.name for place in self.places)
        return f"{', '.join(others)} and {last}" if others else last


def booked(booking: Booking) -> None:
    """Tell the booker, and each attendee with an address, what became of a new booking."""
    _post(
        booking.event, [(booking, letter, _became(letter)) for letter in _letters(booking, booking.places)], "REQUEST"
    )


def promoted(event: Event, places: Sequence[Place]) -> None:
    """Tell those who came up from the waiting list, and who booked for them."""
    letters = []
    for booking in {place.booking for place in places}:
        mine = [place for place in places if place.booking is booking]
        letters += [(booking, letter, "promoted") for letter in _letters(booking, mine)]
    _post(event, letters, "REQUEST")


def places_cancelled(booking: Booking, places: Sequence[Place]) -> None:
    """Tell the booker and those whose places were given back; the event leaves their calendars."""
    _post(booking.event, [(booking, letter, "cancelled") for letter in _letters(booking, places)], "CANCEL")


def moved(event: Event, bookings: Iterable[Booking], *, was: When) -> int:
    """Tell everyone with an active place that the event has moved; it moves in their calendars.

    Where the way to join on line is all that changed, it concerns those with a confirmed place.
    """
    changed = was.differs_from(When.of(event))
    only_the_link = changed == ["joining link"]
    letters = []
    for booking in bookings:
        told = [p for p in _active(booking) if p.status is PlaceStatus.CONFIRMED or not only_the_link]
        letters += [(booking, letter, "moved") for letter in _letters(booking, told)] if told else []
    _post(event, letters, "REQUEST", was=event_card(event, was), changed=changed)
    return len(letters)


def event_cancelled(event: Event, bookings: Iterable[Booking]) -> int:
    """Tell everyone with an active place that the event is off; it leaves their calendars."""
    letters = [
        (booking, letter, "event_cancelled") for booking in bookings for letter in _letters(booking, _active(booking))
    ]
    _post(event, letters, "CANCEL", note=event.cancel_note)
    return len(letters)


def already_booked(event: Event, *, to: str, to_name: str, sentence: str) -> None:
    """Tell one address that somebody of the request is booked already, with the way to their bookings."""
    queries.load_surroundings(event)
    outbox.post(
        "already_booked",
        to=to,
        to_name=to_name,
        sender=sender_of(event),
        event_id=event.id,
        event=event_card(event),
        sentence=sentence,
        link=absolute("bookings.my"),
    )


def sender_of(event: Event) -> Sender:
    """Return in whose name mail about an event goes: its area's."""
    return Sender(event.area.name, event.area.email or None, event.area_id)


@dataclass(frozen=True, slots=True)
class EventCard:
    """An event as a mail says it. The joining link is for those with a place."""

    title: str
    when: str
    where: str
    url: str
    joining_link: str


def event_card(event: Event, when: When | None = None) -> EventCard:
    """Return an event in words, as it is now, or as it was."""
    when = when or When.of(event)
    times = wording.say_times(when.starts, when.ends)
    days = wording.say_date(when.day, when.last_day)
    return EventCard(
        title=event.title,
        when=f"{days}, {times}" if times else days,
        where=when.place,
        url=absolute("calendar.event", event_id=event.id, slug=event.slug),
        joining_link=event.joining_link,
    )


def _letters(booking: Booking, places: Sequence[Place]) -> list[Letter]:
    """Return one letter to the booker about all these places, and one for each place with another address.

    Schools share office addresses: each mail there is about one attendee, with that one's own link.
    """
    booking_link = absolute("bookings.booking", token=link_token(queries.BOOKING_LINK, booking.key))
    letters = [Letter(booking.email, booking.name, tuple(places), booking_link, is_booker=True)]
    for place in places:
        if place.email and place.email != booking.email:
            link = absolute("bookings.place", token=link_token(queries.PLACE_LINK, place.key))
            letters.append(Letter(place.email, place.name, (place,), link, is_booker=False))
    return letters


def _active(booking: Booking) -> list[Place]:
    return [place for place in booking.places if place.status is not PlaceStatus.CANCELLED]


def _became(letter: Letter) -> str:
    return "confirmed" if any(place.status is PlaceStatus.CONFIRMED for place in letter.places) else "waiting"


def _post(event: Event, letters: Sequence[tuple[Booking, Letter, str]], method: str, **context: Any) -> None:
    if not letters:
        return
    queries.load_surroundings(event)
    invitations = _invitations(event, [letter for _, letter, _ in letters], method)
    for booking, letter, template in letters:
        outbox.post(
            template,
            to=letter.email,
            to_name=letter.name,
            sender=sender_of(event),
            event_id=event.id,
            # A second letter to the same address in one go needs no second invitation.
            invitation=invitations.pop(letter.email, None),
            event=event_card(event),
            reference=booking.reference,
            booked_by=booking.name,
            letter=letter,
            **context,
        )


def _invitations(event: Event, letters: Sequence[Letter], method: str) -> dict[str, Invitation]:
    """Return the calendar part of each address that holds (or held) a place of its own.

    REQUEST goes to who has a confirmed place; CANCEL to who was sent a REQUEST and has none left.
    """
    attending = {
        letter.email: place
        for letter in letters
        for place in letter.places
        if place.email == letter.email and (method == "CANCEL" or place.status is PlaceStatus.CONFIRMED)
    }
    if not attending:
        return {}
    counts = queries.invitation_counts(event, attending)
    if method == "CANCEL":
        still_coming = set() if event.is_cancelled else queries.confirmed_emails(event, attending)
        attending = {
            email: place for email, place in attending.items() if email in counts and email not in still_coming
        }
    return {
        email: Invitation(_calendar_part(event, place, _next_number(event, email, counts), method), method)
        for email, place in attending.items()
    }


def _next_number(event: Event, email: str, counts: dict[str, InvitationCount]) -> int:
    """Raise and return the number of calendar messages to this address; never below the event's SEQUENCE."""
    count = counts.get(email)
    if count is None:
        count = InvitationCount(event_id=event.id, email=email, sequence=event.sequence)
        db.session.add(count)
    else:
        count.sequence = max(count.sequence + 1, event.sequence)
    return count.sequence


def _calendar_part(event: Event, place: Place, sequence: int, method: str) -> str:
    part = ical.invitation(
        entry_of(event, own=True, joining_link="" if event.private else event.joining_link),
        ical.Attendance(
            organiser_email=sender_address(),
            organiser_name=event.area.name,
            attendee_email=place.email or "",
            attendee_name=place.name,
        ),
        method=method,
        sequence=sequence,
        stamp=now(),
    )
    return part.decode()
