"""The rules for booking an event in words: for whoever would like to come, and for organisers. Pure."""

from datetime import datetime

from booking.bookings.limits import limits_schools
from booking.bookings.policy import changes_until, only_schools
from booking.calendar.models import Event, Promotion, WhoMayBook
from booking.calendar.wording import say_count, say_instant
from booking.core.text import and_list


def for_bookers(event: Event, *, at: datetime, invited: bool = False) -> list[str]:
    """Return the sentences that whoever would like to book should know beforehand; none of who has booked.

    `invited`: whoever reads it has the link of the invitation.
    """
    said = []
    if event.opens_at is not None and at < event.opens_at:
        said.append(f"Booking opens on {say_instant(event.opens_at)}.")
    said += [] if invited else _who_may(event, at)
    if limits_schools(event, at=at):
        assert event.per_school is not None
        until = f" until {say_instant(event.per_school_until)}" if event.per_school_until else ""
        said.append(f"At most {say_count(event.per_school, 'place')} for each school{until}.")
    if event.changes_until_hours:
        said.append(f"You can change or cancel until {say_instant(changes_until(event))}.")
    return said


def _who_may(event: Event, at: datetime) -> list[str]:
    if event.who_may_book is WhoMayBook.INVITED:
        return ["Booking is by invitation."]
    if event.who_may_book is WhoMayBook.AUDIENCE and event.audiences:
        return [f"Only for {and_list(audience.name for audience in event.audiences)}: the form asks what you are."]
    if not only_schools(event, at=at):
        return []
    if event.schools_first_until is None:
        return ["Only for our schools and settings."]
    return [f"Our schools and settings first, until {say_instant(event.schools_first_until)}. Then everybody may book."]


def for_organisers(event: Event) -> list[tuple[str, str]]:
    """Return the rules of an event that differ from the usual ones: what each is about, and its words."""
    if not event.takes_bookings:
        return []
    return [*_who_and_when(event), *_limits(event), *_waiting(event), *_afterwards(event)]


def _who_and_when(event: Event) -> list[tuple[str, str]]:
    said = [("Booking opens", say_instant(event.opens_at))] if event.opens_at else []
    if event.who_may_book is WhoMayBook.AUDIENCE:
        said.append(("Who may book", "whom it is for: they say so themselves"))
    elif event.who_may_book is WhoMayBook.INVITED:
        said.append(("Who may book", "whoever has the link of the invitation"))
    elif event.who_may_book is WhoMayBook.SCHOOLS and event.schools_first_until:
        said.append(("Who may book", f"our schools until {say_instant(event.schools_first_until)}, then everybody"))
    elif event.who_may_book is WhoMayBook.SCHOOLS:
        said.append(("Who may book", "our schools only"))
    return said


def _limits(event: Event) -> list[tuple[str, str]]:
    if event.per_school is None:
        return []
    lifted = f", lifted on {say_instant(event.per_school_until)}" if event.per_school_until else ""
    return [("For each school", f"{say_count(event.per_school, 'place')} at most{lifted}")]


def _waiting(event: Event) -> list[tuple[str, str]]:
    said = []
    if event.promotion is Promotion.OFFER:
        said.append(("A free place", f"is offered to who waits, and held for {say_count(event.offer_hours, 'hour')}"))
    if event.late_places_go_on:
        said.append(("Near the day", "a free place goes on to who waits until it starts"))
    if event.promotion_paused:
        said.append(("Waiting list", "paused: free places do not go on by themselves"))
    return said


def _afterwards(event: Event) -> list[tuple[str, str]]:
    said = []
    if event.changes_until_hours:
        said.append(("Bookers may change", f"until {say_instant(changes_until(event))}"))
    if event.joining_link and not event.link_in_invitation:
        said.append(("Joining link", "not in calendar entries"))
    if event.series:
        said.append(("Series", f"{event.series.name}: who booked one date may change to another"))
    return said


def say_crowded(event: Event) -> str:
    """Return how an event has more places than its room holds, in a sentence; nothing where it has not."""
    room = event.venue.capacity if event.venue else None
    if event.venue is None or room is None or not event.takes_bookings:
        return ""
    if event.capacity is None:
        return f"{event.venue.name} holds {room}; this event has no limit of places."
    if event.capacity <= room:
        return ""
    return f"{event.venue.name} holds {room}; this event has {say_count(event.capacity, 'place')}."
