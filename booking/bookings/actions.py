"""Book, cancel, promote: each one transaction under the event's lock, with exactly its messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from booking.bookings import mail, policy, queries
from booking.bookings.models import TAKES_A_PLACE, Booking, Place, PlaceStatus
from booking.bookings.waiting import Waiting, who_is_next
from booking.calendar.actions import refuse_fewer_than_taken
from booking.calendar.models import Event
from booking.calendar.when import When
from booking.core.clock import now, today
from booking.core.db import atomic, db, lock
from booking.core.errors import Refused, refuse_unless
from booking.core.text import email_key, name_key, one_line
from booking.core.tokens import new_key
from booking.directory.models import School
from booking.notifications import queries as message_queries

FLOOD, FLOOD_WITHIN = 60, timedelta(hours=1)
LONGEST_NAME_KEY = 140  # with an address of 254 it fits the column


@dataclass(frozen=True, slots=True)
class Contact:
    """Who books: a name, an e-mail address, and a school of the directory or none."""

    name: str
    email: str
    school_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewPlace:
    """One attendee asked for. A colleague may have no e-mail address."""

    name: str
    email: str = ""


class AlreadyBooked(Refused):
    """Somebody of the request holds an active place already.

    `otherwise` is what the request would have come to: what a private event answers a stranger (rule 7).
    """

    def __init__(self, sentence: str, *, otherwise: PlaceStatus) -> None:
        super().__init__(sentence)
        self.otherwise = otherwise


@atomic
def book(
    event: Event,
    *,
    by: Contact,
    places: Sequence[NewPlace],
    together: bool = True,
    form_key: str = "",
    needs: str = "",
    as_organiser: bool = False,
    limited: bool = False,
) -> Booking:
    """Book these places, or join the waiting list, all together or as places come.

    The same `form_key` at the same event, for the same people, gives the booking it made the first time. An
    organiser may book after booking closed, until the event starts. `limited` counts how much mail the addresses
    of the request have had of late, so that nobody is flooded by a stranger. Raises Refused; then nothing has changed.
    """
    lock(event)
    request = _request_key(form_key or new_key(), by, places)
    made = queries.find_by_form(event, request)
    if made is not None:
        return made
    _refuse_what_cannot_be_booked(event, by, places, as_organiser=as_organiser)
    if limited:
        _refuse_a_flood(by, places)
    booking = _new_booking(event, by, places, together=together, form_key=request, needs=needs)
    _refuse_who_has_a_place(event, booking)
    _share_out(event, booking)
    db.session.add(booking)
    event.taken += sum(place.status in TAKES_A_PLACE for place in booking.places)
    db.session.flush()
    mail.booked(booking)
    return booking


def _request_key(form_key: str, by: Contact, places: Sequence[NewPlace]) -> str:
    """Return what a request is known by: the rendered form and the people in it.

    Going back in the browser to book for somebody else sends the same form: that is another request.
    """
    people = [(email_key(by.email), name_key(by.name)), *((email_key(p.email), name_key(p.name)) for p in places)]
    return sha256(repr((form_key, people)).encode()).hexdigest()


def _refuse_what_cannot_be_booked(event: Event, by: Contact, places: Sequence[NewPlace], *, as_organiser: bool) -> None:
    state = policy.booking_state(event, at=now())
    late = as_organiser and state.code is policy.BookingCode.CLOSED
    refuse_unless(state.can_book or late, state.sentence)
    refuse_unless(places, "Name at least one person who comes.", field="name")
    refuse_unless(
        len(places) <= event.places_per_booking,
        f"One booking can hold at most {event.places_per_booking} places here. Take somebody out, or book twice.",
    )
    # A stranger could else find out who is booked by naming them as a companion (rule 7).
    refuse_unless(
        not event.private or not any(place.email for place in places if email_key(place.email) != email_key(by.email)),
        "At this event we ask for no e-mail address but that of whoever books. Name the others without theirs.",
    )
    if by.school_id is not None:
        school = db.session.get(School, by.school_id)
        there = school is not None and school.area_id == event.area_id
        refuse_unless(there, "Choose your school from the list.", field="school")
        open_now = school is not None and (school.closed_on is None or school.closed_on > today())
        refuse_unless(open_now, "That school has closed. Choose another, or none.", field="school")


def _refuse_a_flood(by: Contact, places: Sequence[NewPlace]) -> None:
    addresses = {email_key(by.email), *(email_key(place.email) for place in places if place.email)}
    had = queries.most_places_since(addresses, now() - FLOOD_WITHIN)
    refuse_unless(had < FLOOD, "That is too much for one address within an hour. Wait, or ask the partnership.")


def _new_booking(
    event: Event, by: Contact, places: Sequence[NewPlace], *, together: bool, form_key: str, needs: str
) -> Booking:
    booking = Booking(
        event=event,
        key=new_key(),
        form_key=form_key,
        name=one_line(by.name),
        email=email_key(by.email),
        school_id=by.school_id,
        together=together,
        needs=needs,
        created_at=now(),
    )
    for asked in places:
        booking.places.append(
            Place(
                event=event,
                key=new_key(),
                name=one_line(asked.name),
                email=email_key(asked.email) or None,
                attendee_key=attendee_key(asked, booking_key=booking.key),
                school_id=by.school_id,
                status=PlaceStatus.WAITING,
                created_at=booking.created_at,
            )
        )
    return booking


def attendee_key(place: NewPlace, *, booking_key: str) -> str:
    """Return who somebody is (rule 2): address and name; without an address the name within the booking.

    Some letters become a dozen when names are made comparable: what does not fit the column is hashed.
    """
    name = name_key(place.name)
    if len(name) > LONGEST_NAME_KEY:
        name = sha256(name.encode()).hexdigest()
    return f"{email_key(place.email) or booking_key}|{name}"


def _refuse_who_has_a_place(event: Event, booking: Booking) -> None:
    keys = [place.attendee_key for place in booking.places]
    for place in booking.places:
        if keys.count(place.attendee_key) > 1:
            raise Refused(f"{place.name} is named twice. Give each person one place.")
    taken = queries.active_attendee_keys(event, keys)
    for place in booking.places:
        if place.attendee_key in taken:
            raise AlreadyBooked(
                f"{place.name} already has a place at this event, or waits for one. Nothing was booked.",
                otherwise=PlaceStatus.CONFIRMED if _has_room(event, len(keys)) else PlaceStatus.WAITING,
            )


def _share_out(event: Event, booking: Booking) -> None:
    """Give the new places what is free; what does not fit waits with the next numbers."""
    if _has_room(event, len(booking.places) if booking.together else 1):
        fitting = booking.places if booking.together else booking.places[: event.places_left]
        for place in fitting:
            _confirm(place)
    for place in booking.places:
        if place.status is PlaceStatus.WAITING:
            event.last_position += 1
            place.position = event.last_position


def _has_room(event: Event, number: int) -> bool:
    """Tell whether a newcomer may have so many of the free places.

    Nobody who waits is overtaken: while places go on by themselves, whoever waits does not fit;
    later the organiser decides among them, so the newcomer joins the end.
    """
    free = event.places_left
    return (free is None or free >= number) and (not queries.anybody_waits(event) or promotion_is_on(event))


def promotion_is_on(event: Event) -> bool:
    """Tell whether a free place still goes to the next who waits by itself."""
    at = now()
    return at < policy.promotes_until(event, *queries.school_days_round(event)) and at < event.starts_at


def _confirm(place: Place) -> None:
    place.status = PlaceStatus.CONFIRMED
    place.confirmed_at = now()


@atomic
def cancel(booking: Booking, *, places: Sequence[Place] | None = None, as_organiser: bool = False) -> list[Place]:
    """Give back these places of a booking, or all that are active; what comes free goes on at once.

    Returns what was cancelled; nothing where all of it was cancelled before. Raises Refused once the
    event has started, but for an organiser.
    """
    event = booking.event
    lock(event)
    refuse_unless(
        policy.can_cancel(event, at=now()) or (as_organiser and not event.is_cancelled),
        "This event has started, is over or was cancelled, so its places cannot be given back.",
    )
    ids = {place.id for place in (booking.places if places is None else places)}
    going = [place for place in booking.places if place.id in ids and place.status is not PlaceStatus.CANCELLED]
    if not going:
        return []
    freed = sum(place.status in TAKES_A_PLACE for place in going)
    for place in going:
        place.status = PlaceStatus.CANCELLED
        place.cancelled_at = now()
    event.taken -= freed
    db.session.flush()
    mail.places_cancelled(booking, going)
    promote(event)
    return going


@atomic
def promote(event: Event) -> list[Place]:
    """Give free places to who is next, while that happens by itself. Returns who got one."""
    lock(event)
    if not policy.can_cancel(event, at=now()) or not promotion_is_on(event):
        return []
    return _give(event, who_is_next(_waiting(event), event.places_left))


@atomic
def let_in(event: Event, place: Place) -> list[Place]:
    """Let the entry of this waiting place in where it fits: the organiser's decision. Raises Refused.

    A group that waits together comes in together.
    """
    lock(event)
    refuse_unless(policy.can_cancel(event, at=now()), "The event has started or was cancelled.")
    refuse_unless(place.status is PlaceStatus.WAITING, f"{place.name} is not waiting any more.")
    entry = [one for one in _waiting(event) if one.place_id == place.id or _same_group(one, place)]
    free = event.places_left
    refuse_unless(
        free is None or len(entry) <= free,
        f"{len(entry)} would come in, and {free} of {event.capacity} places are free. Raise the number first.",
    )
    return _give(event, [one.place_id for one in entry])


def _same_group(one: Waiting, place: Place) -> bool:
    return one.together and one.booking_id == place.booking_id


def _waiting(event: Event) -> list[Waiting]:
    return [
        Waiting(place_id, booking_id, position, together)
        for place_id, booking_id, position, together in queries.waiting_rows(event)
    ]


def _give(event: Event, place_ids: Sequence[int]) -> list[Place]:
    if not place_ids:
        return []
    places = db.session.scalars(
        sa.select(Place).where(Place.id.in_(place_ids)).order_by(Place.position).options(selectinload(Place.booking))
    ).all()
    for place in places:
        _confirm(place)
    event.taken += len(places)
    db.session.flush()
    mail.promoted(event, places)
    return list(places)


@atomic
def capacity_changed(event: Event) -> None:
    """Let in who waits after the organiser changed the number of places. Raises Refused below what is taken."""
    refuse_fewer_than_taken(event, event.capacity)
    db.session.flush()
    promote(event)


@atomic
def tell_moved(event: Event, *, was: When) -> int:
    """Tell everyone with a place, and everyone who waits, that the event has moved. Returns how many mails."""
    lock(event)
    return mail.moved(event, queries.active_bookings(event), was=was)


@atomic
def tell_cancelled(event: Event) -> int:
    """Tell everyone with a place, and everyone who waits, that the event is off. Returns how many mails."""
    lock(event)
    return mail.event_cancelled(event, queries.active_bookings(event))


@atomic
def answer_already_booked(event: Event, *, by: Contact, refusal: AlreadyBooked) -> None:
    """Tell by mail alone that somebody is booked already: on a private event the page does not (rule 7).

    Once a day is enough: a stranger must not fill a mailbox by it.
    """
    if message_queries.has_had("already_booked", event.id, email_key(by.email), since=now() - timedelta(days=1)):
        return
    mail.already_booked(event, to=email_key(by.email), to_name=one_line(by.name), sentence=refusal.sentence)


def audit() -> list[str]:
    """Return where the data break rules 1 to 3 of the domain; nothing where they are kept."""
    return list(chain(_counts_wrong(), _doubles(), _order_wrong()))


def _counts_wrong() -> list[str]:
    problems = []
    for event_id, capacity, taken, counted in queries.counted_places():
        if taken != counted:
            problems.append(f"event {event_id}: says {taken} places are taken, {counted} are")
        if capacity is not None and counted > capacity:
            problems.append(f"event {event_id}: {counted} places are taken of {capacity} (rule 1)")
    return problems


def _doubles() -> list[str]:
    return [
        f"event {event_id}: an attendee holds {count} active places (rule 2): places {ids}"
        for event_id, count, ids in queries.attendees_with_several_places()
    ]


def _order_wrong() -> list[str]:
    problems = []
    for event in queries.events_where_somebody_waits():
        numbers = [row.position for row in _waiting(event)]
        if len(set(numbers)) != len(numbers) or any(not 1 <= number <= event.last_position for number in numbers):
            problems.append(f"event {event.id}: numbers of the waiting list are not in one order (rule 3)")
        fitting = who_is_next(_waiting(event), event.places_left)
        if fitting and policy.can_cancel(event, at=now()) and promotion_is_on(event):
            problems.append(
                f"event {event.id}: {event.places_left} places are free and place {fitting[0]} waits (rule 3)"
            )
    return problems
