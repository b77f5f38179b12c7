"""Invitations by mail and feeds are about the same event, and end right whatever comes late."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import icalendar
import pytest
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.attendees import Contact, NewPlace
from booking.core.clock import now
from booking.core.db import db
from booking.notifications.models import Message
from booking.organiser import actions as organiser
from tests.factories import make_event, make_organiser, make_venue, values_of

PRIYA = Contact("Priya Nair", "priya@school.example")
HERSELF, DANIEL = NewPlace(PRIYA.name, PRIYA.email), NewPlace("Daniel Achebe", "daniel@school.example")


def invitations(to: str) -> list[tuple[str, icalendar.Event]]:
    """The calendar parts that somebody was sent, the first first: METHOD and the event."""
    rows = db.session.query(Message).filter_by(to_email=to).order_by(Message.id).all()
    parts = [icalendar.Calendar.from_ical(row.calendar) for row in rows if row.calendar]
    for row, part in zip([row for row in rows if row.calendar], parts, strict=True):
        assert str(part["METHOD"]) == row.calendar_method
    return [(str(part["METHOD"]), part.walk("VEVENT")[0]) for part in parts]


def kept(messages) -> tuple[str, datetime] | None:
    """What stands in a calendar that got these messages in this order: RFC 5546, 2.1.5 says which of two counts."""
    held = None
    for _, event in messages:
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
    with time_machine.travel(datetime(2026, 11, 24, 10, 0, tzinfo=UTC), tick=False) as clock:
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
        for order in permutations(mine):
            assert kept(order) == ("CONFIRMED", event.starts_at)


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
