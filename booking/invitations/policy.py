"""What has become of a school's invitation, and why an event invites nobody. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from booking.bookings.models import PlaceStatus
from booking.bookings.policy import BookingCode, booking_state
from booking.calendar.models import Event, Kind, Visibility


class Standing(StrEnum):
    """Where a school that is invited stands."""

    BOOKED = "booked"
    WAITING = "waiting"
    NO = "no"
    OPEN = "open"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class HeldPlaces:
    """What a school has of an event: its active places, and when it last gave one back."""

    statuses: tuple[PlaceStatus, ...] = ()
    given_back_at: datetime | None = None


NONE_HELD = HeldPlaces()


def standing(
    places: HeldPlaces,
    *,
    said_no_at: datetime | None,
    withdrawn_at: datetime | None,
    invited_at: datetime | None,
) -> Standing:
    """Return where a school stands: a booking counts whatever was said before.

    Who has given all places back since the last invitation cannot come: they are not asked again by themselves.
    """
    if PlaceStatus.CONFIRMED in places.statuses:
        return Standing.BOOKED
    if places.statuses:
        return Standing.WAITING
    if withdrawn_at is not None:
        return Standing.WITHDRAWN
    gave_back = places.given_back_at is not None and (invited_at is None or places.given_back_at > invited_at)
    return Standing.NO if said_no_at is not None or gave_back else Standing.OPEN


def why_nobody_is_invited(event: Event, *, at: datetime) -> str:
    """Return why nobody can be invited to an event (any more), in a sentence; nothing where they can."""
    state = booking_state(event, at=at, invited=True)
    sentences = {
        BookingCode.CANCELLED: "This event has been cancelled, so nobody is invited to it any more.",
        BookingCode.DRAFT: "This is a draft that nobody else sees. Publish it first, then invite.",
        BookingCode.PAST: "This event has started or is over, so nobody is invited to it any more.",
        BookingCode.CLOSED: "Booking has closed, so an invitation would lead nowhere. Change when it closes first.",
        BookingCode.SOON: f"{state.sentence} Invite from then on, so that the link in the mail leads somewhere.",
    }
    if event.kind is Kind.DEADLINE:
        return "A closing date asks schools by its returns, not by invitations."
    if event.visibility is Visibility.TEAM and event.status.value != "draft":
        return "Only the team sees this event. Change who sees it first, then invite."
    if state.code is BookingCode.NONE:
        return "Nobody needs to book this, so there is nothing to invite to."
    return sentences.get(state.code, "")


def count(standings: Iterable[Standing]) -> dict[Standing, int]:
    """Return how many schools stand where."""
    found: Collection[Standing] = list(standings)
    return {one: sum(other is one for other in found) for one in Standing}
