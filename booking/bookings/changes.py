"""Change one's mind: hand a place to a colleague, put details right, change to another date. Under the event's lock."""

from collections.abc import Sequence

from booking.bookings import actions, history, limits, mail, policy, promotions, queries
from booking.bookings.attendees import (
    Contact,
    NewPlace,
    attendee_key,
    become,
    new_place,
    refuse_addresses_of_others,
)
from booking.bookings.models import TAKES_A_PLACE, Booking, Place, PlaceStatus
from booking.bookings.policy import BookingCode
from booking.calendar.models import Event, Visibility, WhoMayBook
from booking.calendar.wording import say_count, say_day
from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic, db, lock
from booking.core.errors import Refused, refuse_unless
from booking.core.text import email_key, name_key, one_line, paragraphs
from booking.core.tokens import new_key
from booking.directory.models import Person

CANCELLED_BEFORE = "This place was cancelled, so it cannot be changed any more."
BOOKING_CANCELLED = "This booking was cancelled, so it cannot be changed any more."
STAYS_WITH_ITS_ADDRESS = (
    "Here a booking stays with its e-mail address. Cancel it and book again with the right one, or ask the partnership."
)
# Who may know of one date may know of another that is for as many people, or more.
WIDEST_FIRST = (Visibility.PUBLIC, Visibility.STAFF, Visibility.TEAM)


def _refuse_no_change(event: Event, by: Person | None) -> None:
    """Refuse what comes after the event's rule; an organiser may until the event is over."""
    why_not = policy.why_no_change(event, at=now())
    in_time = by is not None and not event.is_cancelled and now() < event.ends_at
    refuse_unless(not why_not or in_time, why_not)


@atomic
def swap(
    place: Place,
    to: NewPlace,
    *,
    by: Person | None = None,
    seen: int | None = None,
    own: bool = False,
) -> Place:
    """Hand a place to a colleague, who gets it as it is: confirmed, offered, or with its number on the waiting list.

    Returns the colleague's place. The old link shows nothing of theirs. `by` is an organiser, `own` says that the
    attendee does it by their own link, `seen` is the revision of the page. Raises Refused; then nothing has changed.
    """
    event, booking = place.event, place.booking
    lock(event)
    promotions.bring_up_to_date(event)
    key = attendee_key(to, booking_key=booking.key)
    made = _handed_on_before(place, key)
    if made is not None:
        return made
    _refuse_no_change(event, by)
    history.refuse_stale(booking, seen, place=place if own else None)
    refuse_unless(place.status is not PlaceStatus.CANCELLED, CANCELLED_BEFORE)
    _refuse_somebody_else(event, booking, to)
    refuse_unless(
        key != place.attendee_key, f"{place.name} has this place already. Enter who comes instead.", field="name"
    )
    _refuse_who_is_there(event, to, key)
    successor = _hand_on(place, to)
    sentence = f"{place.name}’s place went to {successor.name}"
    history.write_down(booking, [(place, sentence)], who=history.who(by, own))
    if by is not None:
        _audit("swapped an attendee of", event, by, reference=booking.reference)
    db.session.flush()
    mail.swapped(booking, place, successor)
    return successor


def _handed_on_before(place: Place, key: str) -> Place | None:
    """Return the place of who it has gone to already, where the same form is sent again."""
    made = db.session.get(Place, place.became_id) if place.became_id else None
    is_theirs = made is not None and made.event_id == place.event_id and made.attendee_key == key
    return made if is_theirs and made is not None and made.status is not PlaceStatus.CANCELLED else None


def _refuse_somebody_else(event: Event, booking: Booking, to: NewPlace) -> None:
    refuse_unless(one_line(to.name), "Enter the name of who comes instead.", field="name")
    if event.private:
        refuse_addresses_of_others(booking.email, [to])


def _refuse_who_is_there(event: Event, to: NewPlace, key: str) -> None:
    there = key in queries.active_attendee_keys(event, [key])
    refuse_unless(not there, f"{one_line(to.name)} already has a place at this event, or waits for one.", field="name")


def _hand_on(place: Place, to: NewPlace) -> Place:
    """Make a place for who comes instead, with all that the old one had. The counts stay as they are."""
    booking, status, position, until = place.booking, place.status, place.position, place.offered_until
    successor = new_place(booking, to, unlisted=place.unlisted)
    successor.school_id = place.school_id
    become(place, PlaceStatus.CANCELLED)
    place.cancelled_at, place.position, place.offered_until = now(), None, None
    db.session.flush()  # a number of the waiting list is given once: it has to be free first
    successor.status, successor.position, successor.offered_until = status, position, until
    successor.confirmed_at = now() if status is PlaceStatus.CONFIRMED else None
    booking.places.append(successor)
    db.session.flush()
    place.became_id = successor.id
    return successor


@atomic
def edit_place(
    place: Place,
    *,
    name: str,
    email: str,
    unlisted: bool | None = None,
    by: Person | None = None,
    seen: int | None = None,
    own: bool = False,
) -> Place:
    """Put an attendee's details right. Another e-mail address gets the mails, and a link of its own, from now on.

    `unlisted` is who is kept off printed lists (private events). Returns the attendee's place: a new one where the
    address changed. Raises Refused; then nothing has changed.
    """
    event, booking = place.event, place.booking
    lock(event)
    to = NewPlace(name, email)
    key = attendee_key(to, booking_key=booking.key)
    made = _handed_on_before(place, key)
    if made is not None:
        return made
    _refuse_no_change(event, by)
    if _says_the_same(place, to, unlisted):
        return place
    history.refuse_stale(booking, seen, place=place if own else None)
    refuse_unless(place.status is not PlaceStatus.CANCELLED, CANCELLED_BEFORE)
    refuse_unless(one_line(name), "Enter a name.", field="name")
    changed = []
    another_address = email_key(email) != (place.email or "")
    if another_address:
        _refuse_somebody_else(event, booking, to)  # first: a private event tells nobody who is there
    if key != place.attendee_key:
        _refuse_who_is_there(event, to, key)
    if another_address:
        old, place = place, _hand_on(place, to)
        changed.append(f"{place.name} has another e-mail address")
        db.session.flush()
        mail.readdressed(booking, old, place)
    elif one_line(name) != place.name:
        changed.append(f"{place.name} is written {one_line(name)}")
        place.name, place.attendee_key = one_line(name), key
    if unlisted is not None and event.private and unlisted != place.unlisted:
        place.unlisted = unlisted
        changed.append(f"{place.name} is {'kept off' if unlisted else 'on'} the printed list")
    if changed:
        history.write_down(booking, [(place, one) for one in changed], who=history.who(by, own))
        if by is not None:
            _audit("changed details of an attendee of", event, by, reference=booking.reference)
    db.session.flush()
    return place


def _says_the_same(place: Place, to: NewPlace, unlisted: bool | None) -> bool:
    """Tell whether these details are the attendee's already: sent twice, or nothing was changed on the page."""
    same = (one_line(to.name), email_key(to.email) or None) == (place.name, place.email)
    return same and unlisted in (None, place.unlisted) and place.status is not PlaceStatus.CANCELLED


@atomic
def edit_booking(
    booking: Booking,
    *,
    name: str,
    email: str,
    needs: str,
    by: Person | None = None,
    seen: int | None = None,
) -> Booking:
    """Put right who booked, and what to prepare. With another address the booking gets a new link, sent there.

    The old link shows nothing any more: it may have gone to somebody else. Raises Refused; then nothing has changed.
    """
    event = booking.event
    lock(event)
    _refuse_no_change(event, by)
    if (one_line(name), email_key(email), paragraphs(needs)) == (booking.name, booking.email, booking.needs):
        return booking
    history.refuse_stale(booking, seen)
    refuse_unless(any(place.status is not PlaceStatus.CANCELLED for place in booking.places), BOOKING_CANCELLED)
    refuse_unless(one_line(name), "Enter a name.", field="name")
    refuse_unless(email_key(email), "Enter an e-mail address.", field="email")
    # Else the answer would tell whether whoever has the new address is booked (rule 7).
    stays = by is not None or not event.private or email_key(email) == booking.email
    refuse_unless(stays, STAYS_WITH_ITS_ADDRESS, field="email")
    changed = []
    old_email, old_name = booking.email, booking.name
    if paragraphs(needs) != booking.needs:
        booking.needs = paragraphs(needs)
        changed.append("What to prepare was changed")
    if one_line(name) != booking.name:
        changed.append(f"{booking.name} is written {one_line(name)}")
        booking.name = one_line(name)
    if email_key(email) != old_email:
        changed.append("The booker has another e-mail address")
        _readdress(booking, email_key(email), old_email, old_name)
    if changed:
        history.write_down(booking, [(None, one) for one in changed], who=history.who(by, None))
        if by is not None:
            _audit("changed details of a booking of", event, by, reference=booking.reference)
    db.session.flush()
    return booking


def _readdress(booking: Booking, email: str, old_email: str, old_name: str) -> None:
    """Send a booking to another address: its own place goes along, and the old link stops."""
    booking.email, booking.key = email, new_key()
    for place in booking.places:
        if not place.email:  # known by name within the booking, by its key
            place.attendee_key = attendee_key(NewPlace(place.name), booking_key=booking.key)
    # Colleagues who share the office's address keep it, and have their own link there.
    own = [
        place
        for place in booking.places
        if place.status is not PlaceStatus.CANCELLED
        and place.email == old_email
        and name_key(place.name) == name_key(old_name)
    ]
    handed: list[tuple[Place, Place]] = []
    for place in own:
        to = NewPlace(booking.name, email)
        _refuse_who_is_there(booking.event, to, attendee_key(to, booking_key=booking.key))
        handed.append((place, _hand_on(place, to)))
    db.session.flush()
    mail.booking_readdressed(booking, old_email=old_email, old_name=old_name, handed=handed)


def dates_to_move_to(booking: Booking, *, number: int = 1, as_organiser: bool = False) -> list[Event]:
    """Return the other dates of the event's series that can be booked now and have so many places free."""
    return [
        one
        for one in dates_of_series(booking, as_organiser=as_organiser)
        if _can_take(one, booking, number, as_organiser=as_organiser)
    ]


def dates_of_series(booking: Booking, *, as_organiser: bool = False) -> list[Event]:
    """Return the other dates of the event's series that who booked may know of, the full ones too."""
    event = booking.event
    if event.series_id is None:
        return []
    return [one for one in queries.dates_of_series(event) if as_organiser or _may_know(event, one)]


def _may_know(event: Event, other: Event) -> bool:
    """Tell whether who booked one date may know of another: it is for no fewer people, and no more private."""
    if other.private and not event.private:
        return False  # who tries to move others there would learn whether they are booked (rule 7)
    invited = other.who_may_book is not WhoMayBook.INVITED or event.who_may_book is WhoMayBook.INVITED
    return invited and WIDEST_FIRST.index(other.visibility) <= WIDEST_FIRST.index(event.visibility)


def _can_take(to: Event, booking: Booking, number: int, *, as_organiser: bool) -> bool:
    code = policy.booking_state(to, at=now(), invited=True).code
    if not (code is BookingCode.OPEN or (as_organiser and code in actions.FOR_ORGANISERS)):
        return False
    is_for_them = as_organiser or _why_not_for(to, booking) is None
    return is_for_them and number <= to.places_per_booking and actions.has_room_for(to, booking.school_id, number)


def _why_not_for(to: Event, booking: Booking) -> tuple[str, str] | None:
    return policy.why_not_for(to, from_school=booking.school_id is not None, audience_id=booking.audience_id, at=now())


@atomic
def move(
    booking: Booking,
    *,
    to: Event,
    places: Sequence[Place] | None = None,
    by: Person | None = None,
    seen: int | None = None,
) -> Booking:
    """Change these places of a booking (or all) to another date of the same series, where they are all free.

    In one step that cannot lose both: either they are confirmed there and given back here, or nothing changes.
    Returns the new booking. Raises Refused.
    """
    event = booking.event
    lock(event, to)
    promotions.bring_up_to_date(event)
    promotions.bring_up_to_date(to)
    ids = {place.id for place in (booking.places if places is None else places)}
    chosen = [place for place in booking.places if place.id in ids]
    going = [place for place in chosen if place.status is not PlaceStatus.CANCELLED]
    made = None if going else _moved_before(chosen, to)
    if made is not None:
        return made
    _refuse_no_change(event, by)
    history.refuse_stale(booking, seen)
    refuse_unless(going, CANCELLED_BEFORE)
    _refuse_another_date(event, to, booking, going, by)
    moved = _booked_anew(booking, to, going)
    freed = [place for place in going if place.status in TAKES_A_PLACE]
    for place, successor in zip(going, moved.places, strict=True):
        become(place, PlaceStatus.CANCELLED)
        place.cancelled_at, place.became_id = now(), successor.id
    limits.give_back(event, freed)
    sentences = [(place, f"{place.name} changed to {say_day(to.day)}") for place in going]
    history.write_down(booking, sentences, who=history.who(by, None))
    if by is not None:
        _audit("moved a booking to another date from", event, by, reference=booking.reference, to=moved.reference)
    db.session.flush()
    mail.changed_date(booking, going, moved)
    promotions.settle(event)
    return moved


def _moved_before(places: Sequence[Place], to: Event) -> Booking | None:
    """Return the booking on the other date, where the same form is sent again."""
    successors = [db.session.get(Place, place.became_id) for place in places if place.became_id]
    return next((one.booking for one in successors if one is not None and one.event_id == to.id), None)


def _refuse_another_date(event: Event, to: Event, booking: Booking, going: Sequence[Place], by: Person | None) -> None:
    same_series = event.series_id is not None and to.series_id == event.series_id and to.id != event.id
    refuse_unless(
        same_series and (by is not None or _may_know(event, to)), "Choose another date of the same series.", field="to"
    )
    if to.private:
        refuse_addresses_of_others(booking.email, [NewPlace(place.name, place.email or "") for place in going])
    state = policy.booking_state(to, at=now(), invited=True)
    open_to = state.code in {BookingCode.OPEN, BookingCode.FULL} or (
        by is not None and state.code in actions.FOR_ORGANISERS
    )
    refuse_unless(open_to, state.sentence, field="to")
    if by is None:
        why_not = _why_not_for(to, booking)
        refuse_unless(why_not is None, why_not[1] if why_not else "", field="to")
    refuse_unless(
        len(going) <= to.places_per_booking,
        f"One booking can hold at most {to.places_per_booking} places on that date.",
        field="to",
    )
    room = actions.has_room_for(to, booking.school_id, len(going))
    refuse_unless(
        room,
        f"There is no room for {say_count(len(going), 'person', 'people')} on {say_day(to.day)} any more. "
        "Your places here are as they were. Choose another date.",
        field="to",
    )
    # Who has no address is told apart by name within a booking, and this will be a new one.
    keys = {place.id: place.attendee_key for place in going if place.email}
    taken = queries.active_attendee_keys(to, keys.values())
    for place in going:
        if keys.get(place.id) in taken:
            raise Refused(f"{place.name} already has a place on {say_day(to.day)}, or waits for one.", field="to")


def _booked_anew(booking: Booking, to: Event, going: Sequence[Place]) -> Booking:
    moved = actions.new_booking(
        to,
        Contact(booking.name, booking.email, booking.school_id, booking.audience_id),
        [NewPlace(place.name, place.email or "") for place in going],
        together=booking.together,
        form_key=new_key(),
        needs=booking.needs,
    )
    for place, successor in zip(going, moved.places, strict=True):
        successor.unlisted = place.unlisted
    db.session.add(moved)
    actions.confirm(to, moved.places)
    db.session.flush()
    return moved


def _audit(action: str, event: Event, by: Person, **detail: object) -> None:
    audit.record(action, "event", event.id, by=by, area_id=event.area_id, **detail)
