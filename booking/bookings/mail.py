"""The mails of bookings. Each recipient gets one, with their own link and, to their calendar, their own invitation.

Who booked reads of all places of the booking; an attendee only of their own (rule 7).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.bookings import limits, queries
from booking.bookings.attendees import by_booking
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.bookings.waiting import Free
from booking.calendar import ical, wording
from booking.calendar.entry import entry_of
from booking.calendar.mail import event_card, sender_of
from booking.calendar.models import Event, Promotion
from booking.calendar.when import When
from booking.core.addresses import absolute
from booking.core.clock import now
from booking.core.text import and_list, name_key
from booking.core.tokens import link_token
from booking.notifications import outbox
from booking.notifications.models import MailScope
from booking.notifications.outbox import Invitation, sender_address


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
        return and_list(place.name for place in self.places)


def booked(booking: Booking) -> None:
    """Tell the booker, and each attendee with an address, what became of a new booking."""
    _post(
        booking.event, [(booking, letter, _became(letter)) for letter in letters_of(booking, booking.places)], "REQUEST"
    )


def promoted(event: Event, places: Sequence[Place], *, accepted: bool = False) -> None:
    """Tell those who came up from the waiting list (or took what was offered), and who booked for them."""
    _post(event, _letters_by_booking(places, "confirmed" if accepted else "promoted"), "REQUEST")


def offered(event: Event, places: Sequence[Place], *, until: datetime) -> None:
    """Ask those for whom a place is held whether they take it, and who booked for them."""
    _post(event, _letters_by_booking(places, "offered"), "", until=wording.say_instant(until))


def offers_ended(event: Event, places: Sequence[Place]) -> None:
    """Tell those who did not answer in time that their place has gone on, and who booked for them."""
    _post(event, _letters_by_booking(places, "offer_ended"), "")


def _letters_by_booking(places: Sequence[Place], template: str) -> list[tuple[Booking, Letter, str]]:
    return [(booking, letter, template) for booking, mine in by_booking(places) for letter in letters_of(booking, mine)]


def swapped(booking: Booking, old: Place, new: Place) -> None:
    """Tell the booker and the new attendee of a swap, and the old one, out of whose calendar it goes.

    The two attendees hear nothing of each other (rule 7). A booker who was the old one reads it all in one mail.
    """
    until = wording.say_instant(new.offered_until) if new.offered_until else ""
    _post(
        booking.event,
        [(booking, letter, "swapped") for letter in letters_of(booking, [new])],
        "REQUEST",
        leaving=[Letter(booking.email, booking.name, (old,), "", is_booker=True)],
        before_name=old.name,
        successor=new,
        until=until,
    )
    _say_goodbye(booking, old, reason="swapped")


def readdressed(booking: Booking, old: Place, new: Place) -> None:
    """Send what an attendee has to know to their new address (without one, to the booker); the old one hears of it."""
    to = new.email or booking.email
    _post_anew(booking, [letter for letter in letters_of(booking, [new]) if letter.email == to])
    _say_goodbye(booking, old, reason="readdressed", to_the_booker_too=bool(new.email))


def booking_readdressed(
    booking: Booking, *, old_email: str, old_name: str, handed: Sequence[tuple[Place, Place]]
) -> None:
    """Send a booking to the booker's new address; the old one hears that nothing more comes."""
    places = _active(booking)
    link = letters_of(booking, [])[0].link
    _post_anew(booking, [Letter(booking.email, booking.name, tuple(places), link, is_booker=True)])
    gone = tuple(old for old, _ in handed) or tuple(places)
    goodbye = Letter(old_email, old_name, gone, "", is_booker=True)
    _post(booking.event, [(booking, goodbye, "swapped_out")], "CANCEL", reason="readdressed")


def _post_anew(booking: Booking, letters: Sequence[Letter]) -> None:
    for letter in letters:
        held = [place.offered_until for place in letter.places if place.status is PlaceStatus.OFFERED]
        until = wording.say_instant(min(one for one in held if one)) if held else ""
        _post(booking.event, [(booking, letter, "readdressed")], "REQUEST", until=until)


def _say_goodbye(booking: Booking, old: Place, *, reason: str, to_the_booker_too: bool = False) -> None:
    """Tell the old attendee of a place; the booker knows, but the event may have to leave their calendar."""
    own = old.email == booking.email
    if old.email and (not own or to_the_booker_too):
        letter = Letter(old.email, old.name, (old,), "", is_booker=own)
        _post(booking.event, [(booking, letter, "swapped_out")], "CANCEL", reason=reason)


def changed_date(booking: Booking, going: Sequence[Place], moved: Booking) -> None:
    """Confirm places on another date, and take the old date out of the calendars where it stands."""
    _post(moved.event, [(moved, letter, _became(letter)) for letter in letters_of(moved, moved.places)], "REQUEST")
    _post(
        booking.event,
        [(booking, letter, "left_date") for letter in letters_of(booking, going)],
        "CANCEL",
        now_at=event_card(moved.event),
    )


def places_cancelled(booking: Booking, places: Sequence[Place]) -> None:
    """Tell the booker and those whose places were given back; the event leaves their calendars."""
    _post(booking.event, [(booking, letter, "cancelled") for letter in letters_of(booking, places)], "CANCEL")


def moved(event: Event, bookings: Iterable[Booking], *, was: When) -> int:
    """Tell everyone with an active place that the event has moved; it moves in their calendars.

    Where the way to join on line is all that changed, it concerns those with a confirmed place.
    """
    changed = was.differs_from(When.of(event))
    only_the_link = changed == ["joining link"]
    letters = []
    for booking in bookings:
        told = [p for p in _active(booking) if p.status is PlaceStatus.CONFIRMED or not only_the_link]
        letters += [(booking, letter, "moved") for letter in letters_of(booking, told)] if told else []
    _post(event, letters, "REQUEST", was=event_card(event, was), changed=changed)
    return len(letters)


def event_cancelled(event: Event, bookings: Iterable[Booking]) -> int:
    """Tell everyone with an active place that the event is off; it leaves their calendars."""
    letters = _to_everyone(bookings, "event_cancelled")
    _post(event, letters, "CANCEL", note=event.cancel_note)
    return len(letters)


def event_restored(event: Event, bookings: Iterable[Booking]) -> int:
    """Tell everyone with an active place that the event is on after all; it comes back into their calendars."""
    letters = _to_everyone(bookings, "event_restored")
    _post(event, letters, "REQUEST")
    return len(letters)


def _to_everyone(bookings: Iterable[Booking], template: str) -> list[tuple[Booking, Letter, str]]:
    return [(booking, letter, template) for booking in bookings for letter in letters_of(booking, _active(booking))]


def already_booked(event: Event, *, to: str, to_name: str, sentence: str) -> None:
    """Tell one address that somebody of the request is booked already, with the way to their bookings."""
    queries.load_surroundings(event)
    outbox.post(
        "already_booked",
        to=to,
        to_name=to_name,
        sender=sender_of(event),
        event_id=event.id,
        scope=MailScope.PRIVATE if event.private else MailScope.PUBLIC,
        event=event_card(event),
        sentence=sentence,
        link=absolute("bookings.my"),
    )


def letters_of(booking: Booking, places: Sequence[Place]) -> list[Letter]:
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


def _why_waiting(left: Free, letter: Letter) -> str:
    """Return why these places wait, in a sentence: all are taken, or those of the school, or too few are free."""
    if left.get(limits.ALL_PLACES, 1) <= 0:
        return "All places are taken for now."
    if min(left.values(), default=1) <= 0:
        return "Your school has all its places for now."
    if len(letter.places) > 1:
        return "There is not room for all of you at once yet."
    return "There is no place yet that could be yours."


def _post(
    event: Event,
    letters: Sequence[tuple[Booking, Letter, str]],
    method: str,
    *,
    leaving: Sequence[Letter] = (),
    **context: Any,
) -> None:
    """Post each letter with its calendar part; `leaving` are places that the same mail takes out of a calendar."""
    if not letters:
        return
    queries.load_surroundings(event)
    invitations = _invitations(event, leaving, "CANCEL") if leaving else {}
    invitations |= _invitations(event, [letter for _, letter, _ in letters], method)
    schools = {place.school_id for _, letter, template in letters if template == "waiting" for place in letter.places}
    left = limits.free(event, schools) if schools else {}
    for booking, letter, template in letters:
        # A second letter to the same address in one go needs no second invitation.
        invitation = invitations.pop(letter.email, None)
        if template == "waiting":
            context["why_waiting"] = _why_waiting(left, letter)
        outbox.post(
            template,
            to=letter.email,
            to_name=letter.name,
            sender=sender_of(event),
            event_id=event.id,
            scope=MailScope.PRIVATE if event.private else MailScope.PUBLIC,
            invitation=invitation,
            in_calendar=invitation is not None,
            offers=event.promotion is Promotion.OFFER,
            event=event_card(event),
            reference=booking.reference,
            booked_by=booking.name,
            letter=letter,
            **context,
        )


def _invitations(event: Event, letters: Sequence[Letter], method: str) -> dict[str, Invitation]:
    """Return the calendar part of each address that holds (or held) a place of its own; none without a method.

    REQUEST goes to who has a confirmed place; CANCEL to who was sent a REQUEST and has none left.
    """
    if not method:
        return {}
    attending = {
        letter.email: place
        for letter in letters
        for place in letter.places
        if place.email == letter.email and (method == "CANCEL" or place.status is PlaceStatus.CONFIRMED)
    }
    if not attending:
        return {}
    if method == "CANCEL":
        invited = queries.addresses_invited(event, attending)
        still_coming = set() if event.is_cancelled else queries.confirmed_emails(event, attending)
        attending = {email: place for email, place in attending.items() if email in invited - still_coming}
    if not attending:
        return {}
    numbers = queries.next_invitation_numbers(event, attending)
    return {
        email: Invitation(_calendar_part(event, place, numbers[email], method), method)
        for email, place in attending.items()
    }


def _calendar_part(event: Event, place: Place, sequence: int, method: str) -> str:
    # Who leaves needs no way in; of a private event a shared calendar tells nobody.
    has_link = method == "REQUEST" and event.link_in_invitation and not event.private
    part = ical.invitation(
        entry_of(event, own=True, joining_link=event.joining_link if has_link else "", leaving=method == "CANCEL"),
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
