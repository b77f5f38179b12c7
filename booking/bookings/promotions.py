"""Let in who waits: at once, by an offer, or by the organiser's decision. Each under the event's lock."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from booking.bookings import history, limits, mail, policy, queries
from booking.bookings.attendees import become, by_booking
from booking.bookings.models import Place, PlaceStatus
from booking.bookings.waiting import Limit, Waiting, entries, short_of, take, who_is_next
from booking.calendar.models import Event, EventStatus, Promotion
from booking.calendar.wording import say_count
from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic, db, lock, one_by_one
from booking.core.errors import Refused, refuse_unless
from booking.core.origin import of_the_program
from booking.core.text import one_line
from booking.directory.models import Person
from booking.notifications.allowance import left_out_if_too_many


def is_on(event: Event) -> bool:
    """Tell whether a free place goes to the next who waits by itself."""
    at = now()
    if event.status is not EventStatus.PUBLISHED or event.promotion_paused or at >= event.starts_at:
        return False
    return at < policy.promotes_until(event, *queries.school_days_round(event))


@atomic
def settle(event: Event) -> list[Place]:
    """See to what is due at an event: offers that have ended, a limit that is lifted, free places for who waits.

    A place stays free only if nobody waiting fits, or while promotion is paused or over (rule 3). Returns the places
    that were given or offered.
    """
    lock(event)
    given, began = list[Place](), now()
    if event.status is EventStatus.PUBLISHED:
        _end_offers(event)
        if event.per_school is not None and not limits.limits_schools(event, at=began):
            limits.recount_schools(event)
        waiting = queries.waiting_places(event) if event.last_position else []
        if waiting and is_on(event):
            given = _give(event, who_fits(event, waiting))
    event.settle_at = _next_look(event, began)
    return given


def who_fits(event: Event, waiting: Sequence[Waiting]) -> list[int]:
    """Return the ids of those among who waits that could have what is free now, in their turn."""
    return who_is_next(waiting, limits.free(event, schools_of(waiting)))


def bring_up_to_date(event: Event) -> None:
    """Do first what fell due at an event before now, so that nobody who waits is overtaken by who comes after.

    Belongs under the event's lock.
    """
    if event.settle_at is not None and event.settle_at <= now():
        settle(event)


def settle_due() -> int:
    """See to every event where something is due. Returns how many; what goes wrong with one is raised at the end."""
    ids = db.session.scalars(sa.select(Event.id).where(Event.settle_at <= now()).order_by(Event.settle_at)).all()
    db.session.rollback()
    one_by_one(ids, _settle_one, "the places of event %s cannot be seen to")
    return len(ids)


@atomic
def _settle_one(event_id: int) -> int:
    event = db.session.get(Event, event_id)
    return len(settle(event)) if event is not None else 0


def _next_look(event: Event, began: datetime) -> datetime | None:
    """Return when the places of an event have to be looked at next by themselves; None where nothing will fall due.

    `began` is when the action did: a limit that is lifted while it runs falls due after it.
    """
    if event.status is not EventStatus.PUBLISHED:
        return None
    instants = [place.offered_until for place in _offers(event)]
    if limits.limits_schools(event, at=began):
        instants.append(event.per_school_until)
    return min((one for one in instants if one is not None), default=None)


def _offers(event: Event) -> Sequence[Place]:
    """Return the places that are offered. Whoever has an offer waited before, with a number."""
    return queries.offers_at(event) if event.last_position else []


def _end_offers(event: Event) -> None:
    """Take back what was offered and not answered in time."""
    at = now()
    ended = [place for place in _offers(event) if place.offered_until is not None and place.offered_until <= at]
    if not ended:
        return
    for place in ended:
        become(place, PlaceStatus.CANCELLED)
        place.cancelled_at = at
    limits.give_back(event, ended)
    for booking, mine in by_booking(ended):
        sentences = [(place, f"The offer to {place.name} ended without an answer") for place in mine]
        history.write_down(booking, sentences, who=history.PROGRAM)
    db.session.flush()
    with of_the_program():
        mail.offers_ended(event, ended)


def _give(event: Event, place_ids: Sequence[int], *, confirm: bool = False) -> list[Place]:
    """Give these waiting places what is free: confirmed, or offered where the event's rule says so."""
    if not place_ids:
        return []
    places = list(
        db.session.scalars(
            sa.select(Place)
            .where(Place.id.in_(place_ids))
            .order_by(Place.position)
            .options(selectinload(Place.booking))
        )
    )
    offer = event.promotion is Promotion.OFFER and not confirm
    until = policy.offered_until(event, *queries.school_days_round(event), at=now()) if offer else None
    for place in places:
        if until is None:
            become(place, PlaceStatus.CONFIRMED)
            place.confirmed_at = now()
        else:
            become(place, PlaceStatus.OFFERED)
            place.offered_until = until
    limits.take(event, places)
    for booking, mine in by_booking(places):
        became = "came up from the waiting list" if until is None else "was offered a place"
        history.write_down(booking, [(place, f"{place.name} {became}") for place in mine], who=history.PROGRAM)
    db.session.flush()
    if until is None:
        with of_the_program():
            mail.promoted(event, places)
    else:
        with of_the_program():
            mail.offered(event, places, until=until)
    return places


@atomic
def shorten_offers(event: Event) -> None:
    """Let no offer outlive an event that has moved nearer: hold it no longer than a new one, and say so by mail."""
    lock(event)
    found = _offers(event)
    if not found:
        return
    at = now()
    longest = policy.offered_until(event, *queries.school_days_round(event), at=at)
    longest = max(longest, min(at + policy.SHORTEST_OFFER, event.starts_at))
    shorter = [place for place in found if place.offered_until is not None and place.offered_until > longest]
    for place in shorter:
        place.offered_until = longest
    db.session.flush()
    mail.offered(event, shorter, until=longest)


@atomic
def accept(event: Event, places: Sequence[Place], *, seen: int | None = None, own: Place | None = None) -> list[Place]:
    """Take what was offered. Returns the places that are confirmed now. Raises Refused where the offer has ended.

    `own` is the place of the attendee who answers by their own link; `seen` the revision of the page.
    """
    lock(event)
    began = now()
    booking = places[0].booking
    bring_up_to_date(event)
    refuse_unless(
        policy.is_to_come(event, at=now()), "This event has started or was cancelled, so the offer has ended."
    )
    offered = [place for place in places if place.status is PlaceStatus.OFFERED]
    if not offered and any(place.status is PlaceStatus.CONFIRMED for place in places):
        return []  # pressed twice: what was accepted is accepted
    refuse_unless(offered, "This offer has ended, or was answered before. Book again to join the waiting list.")
    history.refuse_stale(booking, seen, place=own)
    for place in offered:
        become(place, PlaceStatus.CONFIRMED)
        place.confirmed_at, place.offered_until = now(), None
    who = history.who(None, own)
    history.write_down(booking, [(place, f"The offer to {place.name} was accepted") for place in offered], who=who)
    event.settle_at = _next_look(event, began)
    db.session.flush()
    with left_out_if_too_many():  # a place is kept for nobody who may not take it
        mail.promoted(event, offered, accepted=True)
    return offered


@atomic
def let_in(event: Event, place: Place, *, by: Person) -> list[Place]:
    """Let the entry of this waiting place in out of turn, where it fits: the organiser's decision. Raises Refused.

    A group that waits together comes in together. They are confirmed, also where others get an offer. Returns who was
    let in; nobody where they have their place by now.
    """
    lock(event)
    began = now()
    bring_up_to_date(event)
    if place.status is PlaceStatus.CONFIRMED:
        return []  # pressed twice
    entry = _entry_of(event, place)
    left = limits.free(event, schools_of(entry))
    short = short_of([one.limits for one in entry], left)
    if short:
        raise Refused(f"{say_what_is_short(short, left, len(entry))} Raise the number, or let them in beyond it.")
    given = _give(event, [one.place_id for one in entry], confirm=True)
    _audit("let in from the waiting list of", event, given, by=by)
    event.settle_at = _next_look(event, began)
    return given


@atomic
def let_in_beyond(event: Event, place: Place, *, by: Person, reason: str) -> list[Place]:
    """Let the entry of this waiting place in, and raise what it does not fit into in the same act. Raises Refused.

    The reason is asked for, and written into the log. Others who wait stay where they are.
    """
    lock(event)
    began = now()
    bring_up_to_date(event)
    refuse_unless(one_line(reason), "Say why, in a few words: it goes into the log.", field="reason")
    entry = _entry_of(event, place)
    raised = make_room(event, [one.limits for one in entry])
    given = _give(event, [one.place_id for one in entry], confirm=True)
    _audit("let in beyond the limit of", event, given, by=by, reason=one_line(reason)[:300], raised=raised)
    event.settle_at = _next_look(event, began)
    return given


def make_room(event: Event, asked: Sequence[tuple[Limit, ...]]) -> dict[str, int]:
    """Raise every limit that these places do not fit into, by what is missing. Returns which, by how many places.

    Belongs under the event's lock, before the places are given: what is raised is taken in the same action.
    """
    raised = {}
    for limit, number in missing(event, asked).items():
        limits.make_room(event, limit, number)
        raised["places in all" if limit == limits.ALL_PLACES else "places of the school"] = number
    db.session.flush()
    return raised


def missing(event: Event, asked: Sequence[tuple[Limit, ...]]) -> dict[Limit, int]:
    """Return the limits that have no room for these places, each with how many are missing."""
    left = limits.free(event, _schools(asked))
    take(left, asked)
    return {limit: -number for limit, number in left.items() if number < 0}


@atomic
def pause(event: Event, *, by: Person, paused: bool) -> list[Place]:
    """Stop free places from going on by themselves, or let them again. Returns who came in by it."""
    lock(event)
    if event.promotion_paused == paused:
        return []
    event.promotion_paused = paused
    event.revision += 1
    words = "paused the waiting list of" if paused else "let the waiting list go on of"
    audit.record(words, "event", event.id, by=by, area_id=event.area_id)
    return settle(event)


def _audit(action: str, event: Event, places: Sequence[Place], *, by: Person, **detail: object) -> None:
    numbers = [place.id for place in places]
    audit.record(action, "event", event.id, by=by, area_id=event.area_id, places=numbers, **detail)


def _entry_of(event: Event, place: Place) -> Sequence[Waiting]:
    refuse_unless(policy.is_to_come(event, at=now()), "The event has started or was cancelled.")
    found = [entry for entry in entries(queries.waiting_places(event)) if place.id in {one.place_id for one in entry}]
    refuse_unless(found, f"{place.name} is not waiting any more.")
    return found[0]


def schools_of(waiting: Iterable[Waiting]) -> set[int]:
    """Return the schools whose limits these places count against."""
    return _schools(place.limits for place in waiting)


def _schools(asked: Iterable[tuple[Limit, ...]]) -> set[int]:
    return {limit[1] for one in asked for limit in one if isinstance(limit, tuple)}


@dataclass(frozen=True, slots=True)
class WhyWaiting:
    """Why an entry of the waiting list has not been let in, in a sentence, and how many it would be."""

    sentence: str
    size: int
    fits: bool


def say_why_waiting(event: Event, *, booking_ids: Collection[int] | None = None) -> dict[int, WhyWaiting]:
    """Return for each waiting place (of these bookings) why it has not been offered anything."""
    waiting = queries.waiting_places(event, booking_ids=booking_ids)
    left = limits.free(event, schools_of(waiting))
    held = "" if is_on(event) else _why_held(event)
    reasons = {}
    for entry in entries(waiting):
        short = short_of([place.limits for place in entry], left)
        sentence = say_what_is_short(short, left, len(entry)) if short else held or "It is their turn."
        for place in entry:
            reasons[place.place_id] = WhyWaiting(sentence, len(entry), not short)
    return reasons


def _why_held(event: Event) -> str:
    if event.promotion_paused:
        return "There is room; the waiting list is paused."
    return "There is room; so near to the day you decide."


def say_what_is_short(short: Collection[Limit], left: dict[Limit, int], size: int) -> str:
    """Return why an entry does not fit: `All places are taken.` or `3 wait together and 1 place is free.`."""
    limit = limits.ALL_PLACES if limits.ALL_PLACES in short else next(iter(short))
    room = max(left[limit], 0)
    if limit == limits.ALL_PLACES:
        if not room:
            return "All places are taken."
        return f"{size} wait together and {say_count(room, 'place is', 'places are')} free."
    if not room:
        return "Their school has all its places."
    return f"{size} wait together and their school can have {say_count(room, 'place')} more."
