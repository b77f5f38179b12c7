"""Invitations by mail and feeds are about the same event, and end right whatever comes late."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import icalendar
import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from booking.bookings import actions as bookings
from booking.bookings import changes
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Event, Series
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.tokens import new_key
from booking.directory.models import Person
from booking.notifications.models import Message
from booking.organiser import actions as organiser
from tests.factories import make_event, make_organiser, make_person, make_venue, save, the_area, values_of

PRIYA = Contact("Priya Nair", "priya@school.example")
HERSELF, DANIEL = NewPlace(PRIYA.name, PRIYA.email), NewPlace("Daniel Achebe", "daniel@school.example")
# Schools share addresses.
UMA, ADA = NewPlace("Uma Fenn", DANIEL.email), NewPlace("Ada Obi", "ada@school.example")
BEGIN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
OF_A_DATE = ("book", "move", "call off", "put back on")
OF_A_BOOKING = ("change date", "change date for them", "change date of one", "hand on", "cancel")


def invitations(to: str) -> list[tuple[str, icalendar.Event]]:
    """The calendar parts that somebody was sent, the first first: METHOD and the event."""
    rows = db.session.query(Message).filter_by(to_email=to).order_by(Message.id).all()
    parts = [icalendar.Calendar.from_ical(row.calendar) for row in rows if row.calendar]
    for row, part in zip([row for row in rows if row.calendar], parts, strict=True):
        assert str(part["METHOD"]) == row.calendar_method
    return [(str(part["METHOD"]), part.walk("VEVENT")[0]) for part in parts]


def kept(events: Iterable[icalendar.Event]) -> tuple[str, datetime] | None:
    """What stands in a calendar that got these in this order: RFC 5546, 2.1.5 says which of two counts."""
    held = None
    for event in events:
        if held is None or (event["SEQUENCE"], event["DTSTAMP"].dt) > (held["SEQUENCE"], held["DTSTAMP"].dt):
            held = event
    return held and (str(held["STATUS"]), held["DTSTART"].dt.astimezone(UTC))


@pytest.mark.usefixtures("in_app")
def test_who_leaves_an_event_that_goes_on_is_not_told_that_it_is_called_off() -> None:
    event = make_event("Workshop", venue_id=make_venue().id)
    bookings.cancel(bookings.book(event, by=PRIYA, places=[HERSELF]))
    method, left = invitations(PRIYA.email)[-1]
    assert (method, str(left["STATUS"]), str(left["SUMMARY"])) == ("CANCEL", "CANCELLED", "Workshop")
    assert str(left["DESCRIPTION"]).startswith("You have no place at this event any more.\n")
    assert "Declining" not in str(left["DESCRIPTION"])
    bookings.book(event, by=PRIYA, places=[HERSELF])
    organiser.cancel_event(event, by=make_organiser(), note="Snow.")
    method, off = invitations(PRIYA.email)[-1]
    assert (method, str(off["STATUS"]), str(off["SUMMARY"])) == ("CANCEL", "CANCELLED", "CANCELLED: Workshop")
    assert str(off["DESCRIPTION"]).startswith("This event has been cancelled. Snow.\n")
    assert "Declining" not in str(off["DESCRIPTION"])


@pytest.mark.usefixtures("in_app")
def test_a_private_event_is_private_in_the_calendar_of_who_comes() -> None:
    bookings.book(make_event("Evening for parents", private=True), by=PRIYA, places=[HERSELF])
    ((_, event),) = invitations(PRIYA.email)
    assert str(event["CLASS"]) == "PRIVATE"


@pytest.mark.usefixtures("in_app")
def test_cancelling_booking_again_and_moving_end_right_in_whatever_order_the_mails_come() -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        event, tom = make_event("Workshop"), make_organiser()
        for step in ("book", "cancel", "book", "move", "cancel", "book"):
            clock.shift(60)
            if step == "book":
                booking = bookings.book(event, by=PRIYA, places=[HERSELF, DANIEL])
            elif step == "cancel":
                bookings.cancel(booking)
            else:
                values = replace(values_of(event), day=event.day + timedelta(days=1))
                organiser.edit_event(event, values, by=tom, revision=event.revision)
        made = now()
        mine = invitations(PRIYA.email)
        assert [method for method, _ in mine] == ["REQUEST", "CANCEL", "REQUEST", "REQUEST", "CANCEL", "REQUEST"]
        numbers = [one["SEQUENCE"] for _, one in mine]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] >= event.sequence
        assert {str(one["UID"]) for _, one in mine} == {event.uid}
        assert mine[-1][1]["DTSTAMP"].dt == made
        assert {str(one["ATTENDEE"]) for _, one in mine} == {"mailto:priya@school.example"}
        assert {str(one["ATTENDEE"]) for _, one in invitations(DANIEL.email)} == {"mailto:daniel@school.example"}
        assert {one["ATTENDEE"].params["RSVP"] for _, one in mine} == {"FALSE"}
        for order in permutations(event for _, event in mine):
            assert kept(order) == ("CONFIRMED", event.starts_at)


@dataclass
class Year:
    """Two dates of a series, who books them, and all that may happen. What is refused changes nothing."""

    dates: tuple[Event, Event]
    team: Person
    booking: Booking | None = None

    @classmethod
    def begin(cls, team: Person) -> "Year":
        series = save(Series(area_id=the_area().id, name=new_key()))
        first, second = (make_event("Workshop", in_days=days, series_id=series.id) for days in (30, 60))
        return cls((first, second), team)

    def play(self, step: str, number: int) -> None:
        """Do one step, with one of the two dates where it is about a date, if it can be done just now."""
        event = self.dates[number]
        of_a_date = {"book": self._book, "move": self._move, "call off": self._call_off, "put back on": self._put_back}
        with suppress(Refused):
            if step in of_a_date:
                of_a_date[step](event)
            elif self.booking is not None:
                self._change(step, self.booking)

    def _book(self, event: Event) -> None:
        self.booking = bookings.book(event, by=PRIYA, places=[HERSELF, DANIEL, UMA])

    def _move(self, event: Event) -> None:
        values = replace(values_of(event), day=event.day + timedelta(days=1))
        organiser.edit_event(event, values, by=self.team, revision=event.revision)

    def _call_off(self, event: Event) -> None:
        organiser.cancel_event(event, by=self.team, note="The hall is flooded.")

    def _put_back(self, event: Event) -> None:
        organiser.restore_event(event, by=self.team)

    def _change(self, step: str, booking: Booking) -> None:
        other = self.dates[booking.event_id == self.dates[0].id]
        coming = [place for place in booking.places if place.status is not PlaceStatus.CANCELLED]
        if step == "change date":
            self.booking = changes.move(booking, to=other)
        elif step == "change date for them":
            self.booking = changes.move(booking, to=other, by=self.team)
        elif step == "change date of one":
            changes.move(booking, to=other, places=coming[-1:])
        elif step == "hand on" and coming:
            changes.swap(coming[-1], ADA if coming[-1].email != ADA.email else UMA)
        elif step == "cancel":
            bookings.cancel(booking)

    def right(self) -> dict[tuple[str, str], datetime]:
        """When each date is for who comes to it: what has to stand in their calendars."""
        comes = db.session.query(Place.email, Place.event_id).filter_by(status=PlaceStatus.CONFIRMED).all()
        on = [event for event in self.dates if not event.is_cancelled]
        return {
            (email, event.uid): event.starts_at for email, event_id in comes for event in on if event.id == event_id
        }


def received() -> dict[tuple[str, str], list[icalendar.Event]]:
    """What each address was sent about each UID, the first first."""
    found = defaultdict(list)
    for one in (HERSELF, DANIEL, ADA):
        for _, event in invitations(one.email):
            found[one.email, str(event["UID"])].append(event)
    return found


@pytest.mark.usefixtures("in_app")
def test_another_date_calling_off_and_putting_back_on_end_right_in_whatever_order_the_mails_come() -> None:
    with time_machine.travel(BEGIN, tick=False) as clock:
        year = Year.begin(make_organiser())
        for step in (
            ("book", 0),
            ("change date", 0),
            ("call off", 1),
            ("put back on", 1),
            ("change date for them", 0),
            ("call off", 0),
            ("put back on", 0),
        ):
            clock.shift(60)
            year.play(*step)
        first, second = year.dates
        found = received()
        on, off = ("CONFIRMED", first.starts_at), ("CANCELLED", second.starts_at)
        for one in (HERSELF, DANIEL):
            came = {event.uid: found[one.email, event.uid] for event in year.dates}
            assert [str(event["STATUS"]) for event in came[first.uid]] == [on[0], off[0], on[0], off[0], on[0]]
            assert [str(event["STATUS"]) for event in came[second.uid]] == [on[0], off[0], on[0], off[0]]
            # A calendar looks at each UID by itself, so how the two are mixed is no matter.
            assert {kept(order) for order in permutations(came[first.uid])} == {on}
            assert {kept(order) for order in permutations(came[second.uid])} == {off}


# Without shrinking, which takes long: a story has at most twelve steps.
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.reuse, Phase.generate],
)
@given(
    st.lists(
        st.tuples(st.sampled_from((*OF_A_DATE, *OF_A_BOOKING)), st.integers(0, 1), st.sampled_from((0, 60))),
        min_size=5,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_and_however_late_it_is_heard_calendars_say_who_comes_when(
    in_app: Flask, steps: list[tuple[str, int, int]], chance: Random
) -> None:
    db.session.query(Message).delete()  # of the story before
    with time_machine.travel(BEGIN, tick=False) as clock:
        year = Year.begin(make_person())
        year.play("book", 0)
        for step, number, seconds in steps:  # two within one second have the same DTSTAMP
            clock.shift(seconds)
            year.play(step, number)
            found = {key: chance.sample(events, len(events)) for key, events in received().items()}
            held = {key: kept(events) for key, events in found.items()}
            assert {key: when for key, (status, when) in held.items() if status == "CONFIRMED"} == year.right()


@pytest.mark.usefixtures("school_day")
def test_the_feed_and_the_invitation_speak_of_one_event(app: Flask) -> None:
    with app.app_context():
        event = make_event("Workshop")
        bookings.book(event, by=PRIYA, places=[HERSELF])
        ((_, invited),) = invitations(PRIYA.email)
        row = db.session.query(Message).filter_by(to_email=PRIYA.email).one()
    feed = icalendar.Calendar.from_ical(app.test_client().get("/feeds/calendar.ics").data)
    (shown,) = feed.walk("VEVENT")
    for name in ("UID", "SUMMARY", "STATUS", "URL"):
        assert invited[name] == shown[name]
    assert invited["DTSTART"].dt == shown["DTSTART"].dt
    assert str(invited["ORGANIZER"]) == "mailto:calendar@example.org"
    assert not {"ORGANIZER", "ATTENDEE"} & set(shown)
    for text in (row.text, row.html, str(invited["DESCRIPTION"])):
        assert "does not cancel the booking" in text
    file = icalendar.Calendar.from_ical(app.test_client().get(f"/events/{event.id}.ics").data)
    assert "METHOD" not in file
