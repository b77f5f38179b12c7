"""Where an invited school stands, and which events invite nobody; without a database."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from booking.bookings.models import PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Visibility, WhoMayBook
from booking.invitations.policy import HeldPlaces, Standing, count, standing, why_nobody_is_invited

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def stands(*statuses: PlaceStatus, back: datetime | None = None, no: bool = False, withdrawn: bool = False) -> Standing:
    return standing(
        HeldPlaces(statuses, back),
        said_no_at=NOW if no else None,
        withdrawn_at=NOW if withdrawn else None,
        invited_at=NOW,
    )


def test_a_booking_counts_whatever_was_said_before() -> None:
    assert stands(PlaceStatus.CONFIRMED) is Standing.BOOKED
    assert stands(PlaceStatus.CONFIRMED, PlaceStatus.WAITING, no=True) is Standing.BOOKED
    assert stands(PlaceStatus.CONFIRMED, withdrawn=True) is Standing.BOOKED


@pytest.mark.parametrize("status", [PlaceStatus.WAITING, PlaceStatus.OFFERED, PlaceStatus.PENDING])
def test_who_has_no_place_yet_waits(status: PlaceStatus) -> None:
    assert stands(status, no=True) is Standing.WAITING


def test_who_gave_the_places_back_since_the_invitation_cannot_come() -> None:
    assert stands() is Standing.OPEN
    assert stands(no=True) is Standing.NO
    assert stands(back=NOW + DAY) is Standing.NO
    assert stands(back=NOW - DAY) is Standing.OPEN  # they were invited after that
    assert stands(PlaceStatus.CONFIRMED, back=NOW + DAY) is Standing.BOOKED
    assert stands(no=True, withdrawn=True) is Standing.WITHDRAWN


def test_schools_are_counted_where_they_stand() -> None:
    found = count([Standing.OPEN, Standing.NO, Standing.OPEN])
    assert {one: number for one, number in found.items() if number} == {Standing.OPEN: 2, Standing.NO: 1}


def event(**values) -> Event:
    given = {"kind": Kind.SESSION, "status": EventStatus.PUBLISHED, "visibility": Visibility.PUBLIC, "taken": 0}
    given |= {
        "takes_bookings": True,
        "who_may_book": WhoMayBook.INVITED,
        "day": date(2027, 3, 9),
        "starts": time(9, 30),
    }
    return Event(**{**given, **values})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, ""),
        ({"capacity": 3, "taken": 3}, ""),  # they join the waiting list
        ({"visibility": Visibility.STAFF}, ""),
        ({"status": EventStatus.CANCELLED}, "This event has been cancelled"),
        ({"status": EventStatus.DRAFT}, "Publish it first"),
        ({"status": EventStatus.DRAFT, "visibility": Visibility.TEAM}, "Publish it first"),
        ({"day": date(2027, 3, 1), "starts": time(10, 0)}, "has started or is over"),
        ({"visibility": Visibility.TEAM}, "Only the team sees this event"),
        ({"takes_bookings": False}, "Nobody needs to book this"),
        ({"kind": Kind.DEADLINE, "takes_bookings": False}, "by its returns"),
        ({"closes_at": NOW}, "Booking has closed"),
        ({"opens_at": NOW + DAY}, "Booking opens on Tuesday 2 March, 10am. Invite from then on"),
    ],
)
def test_an_event_that_cannot_be_booked_invites_nobody_and_says_why(values, words: str) -> None:
    found = why_nobody_is_invited(event(**values), at=NOW)
    assert (words in found, bool(found)) == (True, bool(words))
