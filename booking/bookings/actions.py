"""Book, cancel, tell: each one transaction under the event's lock, with exactly its messages."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from booking.bookings import history, limits, mail, policy, promotions, queries
from booking.bookings.attendees import (
    Contact,
    NewPlace,
    attendee_key,
    become,
    new_place,
    refuse_addresses_of_others,
    request_key,
)
from booking.bookings.models import TAKES_A_PLACE, Booking, Place, PlaceStatus
from booking.bookings.policy import BookingCode
from booking.bookings.waiting import short_of
from booking.calendar.actions import refuse_fewer_than_taken
from booking.calendar.models import Event
from booking.calendar.when import When
from booking.core.clock import now, today
from booking.core.db import atomic, db, lock
from booking.core.errors import Refused, refuse_unless
from booking.core.text import email_key, one_line, reference
from booking.core.tokens import new_key
from booking.directory.models import School
from booking.notifications import queries as message_queries
from booking.notifications.allowance import left_out_if_too_many

FOR_ORGANISERS = frozenset({BookingCode.CLOSED, BookingCode.SOON, BookingCode.INVITED})


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
    invited: bool = False,
    unlisted: bool = False,
    beyond: bool = False,
) -> Booking:
    """Book these places, or join the waiting list, all together or as places come.

    The same `form_key` at the same event, for the same people, gives the booking it made the first time. An
    organiser may book after booking closed, until the event starts, whoever the event is for; `beyond` raises what the
    places do not fit into (the caller writes down why). `invited` says that whoever books has the link of the
    invitation, `unlisted` keeps the attendees off printed lists. Raises Refused; then nothing has changed.
    """
    lock(event)
    promotions.bring_up_to_date(event)
    request = request_key(form_key or new_key(), by, places)
    keys = [attendee_key(place, booking_key="") for place in places if place.email]
    ground = queries.ground_for(event, form_key=request, school_id=by.school_id, audience_id=by.audience_id, keys=keys)
    if ground.made_id is not None:
        return queries.get_booking(ground.made_id)
    _refuse_what_cannot_be_booked(
        event, by, places, as_organiser=as_organiser, invited=invited, is_for_them=ground.is_for_them
    )
    if by.school_id is not None:
        _refuse_the_school(event, ground.school)
    booking = new_booking(
        event, by, places, together=together, form_key=request, needs=needs, unlisted=unlisted and event.private
    )
    _refuse_who_has_a_place(event, booking, ground.taken_key)
    if beyond:
        promotions.make_room(event, [limits.limits_of(event, by.school_id, at=now())] * len(places))
    fitting = booking.places if beyond else _fitting(event, booking, ground.counts)
    for place in booking.places:
        if place not in fitting:
            event.last_position += 1
            place.position = event.last_position
    db.session.add(booking)
    confirm(event, fitting)
    with db.session.no_autoflush:  # what is said needs no ids: booking and mails go to the database in one go
        mail.booked(booking)
    db.session.flush()
    return booking


def _refuse_what_cannot_be_booked(
    event: Event, by: Contact, places: Sequence[NewPlace], *, as_organiser: bool, invited: bool, is_for_them: bool
) -> None:
    state = policy.booking_state(event, at=now(), invited=invited)
    refuse_unless(state.can_book or (as_organiser and state.code in FOR_ORGANISERS), state.sentence)
    refuse_unless(places, "Name at least one person who comes.", field="name")
    refuse_unless(
        len(places) <= event.places_per_booking,
        f"One booking can hold at most {event.places_per_booking} places here. Take somebody out, or book twice.",
    )
    if event.private:
        refuse_addresses_of_others(by.email, places)
    if not as_organiser:
        why_not = policy.why_not_for(
            event,
            from_school=by.school_id is not None,
            audience_id=by.audience_id,
            at=now(),
            is_for_them=is_for_them,
        )
        if why_not:
            raise Refused(why_not[1], field=why_not[0])


def _refuse_the_school(event: Event, school: School | None) -> None:
    there = school is not None and school.area_id == event.area_id
    refuse_unless(there, "Choose your school from the list.", field="school")
    open_now = school is not None and (school.closed_on is None or school.closed_on > today())
    refuse_unless(open_now, "That school has closed. Choose another, or none.", field="school")


def new_booking(
    event: Event,
    by: Contact,
    places: Sequence[NewPlace],
    *,
    together: bool,
    form_key: str,
    needs: str,
    unlisted: bool = False,
) -> Booking:
    """Return a new booking, which is not in the database yet, with its places, which wait as yet."""
    booking = Booking(
        event=event,
        event_id=event.id,
        reference=reference(),
        key=new_key(),
        form_key=form_key,
        name=one_line(by.name),
        email=email_key(by.email),
        school_id=by.school_id,
        audience_id=by.audience_id,
        together=together,
        needs=needs,
        revision=1,
        created_at=now(),
    )
    booking.places.extend(new_place(booking, asked, unlisted=unlisted) for asked in places)
    return booking


def _refuse_who_has_a_place(event: Event, booking: Booking, taken_key: str | None) -> None:
    keys = [place.attendee_key for place in booking.places]
    for place in booking.places:
        if keys.count(place.attendee_key) > 1:
            raise Refused(f"{place.name} is named twice. Give each person one place.")
    for place in booking.places:
        if place.attendee_key == taken_key:
            has_room = has_room_for(event, booking.school_id, len(keys))
            raise AlreadyBooked(
                f"{place.name} already has a place at this event, or waits for one. Nothing was booked.",
                otherwise=PlaceStatus.CONFIRMED if has_room else PlaceStatus.WAITING,
            )


def _fitting(event: Event, booking: Booking, counts: Mapping[int, limits.Count]) -> list[Place]:
    """Return which of the new places free places are for: of a group that comes together all, or none."""
    places = list(booking.places)
    asked = limits.limits_of(event, booking.school_id, at=now())
    left = limits.free(event, [booking.school_id], counts=counts)
    if short_of([asked] * (len(places) if booking.together else 1), left) or _others_come_first(event):
        return []
    return places if booking.together else places[: min((left[one] for one in asked if one in left), default=None)]


def confirm(event: Event, places: Sequence[Place]) -> None:
    """Confirm new places that fit. Belongs under the event's lock."""
    for place in places:
        become(place, PlaceStatus.CONFIRMED)
        place.confirmed_at = now()
    limits.take(event, places)


def has_room_for(event: Event, school_id: int | None, number: int) -> bool:
    """Tell whether a newcomer may have so many of the free places.

    Nobody who waits is overtaken: while places go on by themselves, whoever waits does not fit; else, whoever of them
    would fit comes first, and the newcomer joins the end.
    """
    asked = limits.limits_of(event, school_id, at=now())
    if short_of([asked] * number, limits.free(event, [school_id])):
        return False
    return not _others_come_first(event)


def _others_come_first(event: Event) -> bool:
    """Tell whether somebody waits for what is free: places do not go on by themselves now, or have yet to."""
    return bool(event.last_position) and bool(promotions.who_fits(event, queries.waiting_places(event)))


@atomic
def cancel(
    booking: Booking,
    *,
    places: Sequence[Place] | None = None,
    as_organiser: bool = False,
    seen: int | None = None,
    own: Place | None = None,
) -> list[Place]:
    """Give back these places of a booking, or all that are active; what comes free goes on at once.

    Declining an offer is the same. Returns what was cancelled; nothing where all of it was cancelled before. Raises
    Refused once the event's rule says so, but for an organiser; Stale where the booking changed since the revision
    `seen`. `own` is the place of the attendee who cancels by their own link.
    """
    event = booking.event
    lock(event)
    ids = {place.id for place in (booking.places if places is None else places)}
    going = [place for place in booking.places if place.id in ids and place.status is not PlaceStatus.CANCELLED]
    why_not = policy.why_no_cancel(event, going, at=now())
    refuse_unless(not why_not or (as_organiser and not event.is_cancelled), why_not)
    handed_on = any(place.became_id for place in booking.places if place.id in ids)
    if not going and not handed_on:
        return []  # pressed twice: what was cancelled is cancelled
    history.refuse_stale(booking, seen, place=own)
    refuse_unless(going, "This place has gone to somebody else, or to another date, so it cannot be cancelled here.")
    return give_back(event, booking, going, who=history.who(as_organiser, own))


def give_back(event: Event, booking: Booking, going: Sequence[Place], *, who: str) -> list[Place]:
    """Cancel these active places, tell whom it concerns, and let in who waits. Belongs under the event's lock."""
    freed = [place for place in going if place.status in TAKES_A_PLACE]
    for place in going:
        become(place, PlaceStatus.CANCELLED)
        place.cancelled_at = now()
    limits.give_back(event, freed)
    history.write_down(booking, [(place, f"{place.name}’s place was cancelled") for place in going], who=who)
    db.session.flush()
    with left_out_if_too_many():  # nobody is kept from giving a place back
        mail.places_cancelled(booking, going)
    promotions.settle(event)
    return list(going)


@atomic
def limits_changed(event: Event) -> None:
    """Let in who waits after the organiser changed a number of places. Raises Refused below what is taken."""
    refuse_fewer_than_taken(event, event.capacity)
    db.session.flush()
    limits.recount_schools(event)
    promotions.settle(event)


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
def tell_restored(event: Event) -> int:
    """Tell everyone with a place, and everyone who waits, that the event is on after all. Returns how many mails."""
    lock(event)
    return mail.event_restored(event, queries.active_bookings(event))


@atomic
def answer_already_booked(event: Event, *, by: Contact, refusal: AlreadyBooked) -> None:
    """Tell by mail alone that somebody is booked already: on a private event the page does not (rule 7).

    Once a day is enough: a stranger must not fill a mailbox by it.
    """
    if message_queries.has_had("already_booked", event.id, email_key(by.email), since=now() - timedelta(days=1)):
        return
    mail.already_booked(event, to=email_key(by.email), to_name=one_line(by.name), sentence=refusal.sentence)
