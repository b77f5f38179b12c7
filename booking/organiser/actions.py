"""What organisers do to an event, with all that follows from it, in one transaction."""

from collections.abc import Sequence

from booking.bookings import actions as bookings
from booking.calendar import actions as calendar
from booking.calendar.actions import EventValues
from booking.calendar.models import Event, EventStatus
from booking.calendar.when import When
from booking.core.clock import now
from booking.core.db import atomic, lock
from booking.directory.models import Person
from booking.reminders import actions as reminders


@atomic
def edit_event(event: Event, values: EventValues, *, by: Person, revision: int) -> int:
    """Change an event; tell who booked where it moved; let in who waits where there is room. Returns how many mails."""
    was, capacity, category_id = When.of(event), event.capacity, event.category_id
    calendar.edit_event(event, values, by=by, revision=revision)
    told = 0
    on = event.status is EventStatus.PUBLISHED
    if on and When.of(event) != was and event.ends_at > now():
        told = bookings.tell_moved(event, was=was)
    if on and event.capacity != capacity:
        bookings.capacity_changed(event)
    # Who has just been told of the new day is not reminded of it at once; nor again because the kind was corrected.
    if event.day != was.day or (event.category_id != category_id and not event.own_reminders):
        reminders.pass_over_the_past(event)
    return told


@atomic
def publish_drafts(events: Sequence[Event], *, by: Person) -> int:
    """Put drafts on the calendar, all of them or none. Returns how many were drafts until now. Raises Refused."""
    lock(*events)
    drafts = [event for event in events if event.status is not EventStatus.PUBLISHED]
    for event in drafts:
        calendar.publish(event, by=by)
    return len(drafts)


@atomic
def cancel_event(event: Event, *, by: Person, note: str) -> int:
    """Call an event off and tell everyone with a place or on the waiting list. Returns how many mails."""
    if not calendar.cancel(event, by=by, note=note):
        return 0
    return bookings.tell_cancelled(event) if event.ends_at > now() else 0
