"""What organisers do to an event, with all that follows from it, in one transaction."""

from collections.abc import Sequence

from booking.bookings import actions as bookings
from booking.bookings import promotions
from booking.bookings import queries as bookings_queries
from booking.calendar import actions as calendar
from booking.calendar import catalogue
from booking.calendar import queries as calendar_queries
from booking.calendar.actions import EventValues
from booking.calendar.catalogue import VenueValues
from booking.calendar.models import Event, EventStatus, Venue
from booking.calendar.when import When
from booking.calendar.wording import say_day, say_time
from booking.core.clock import now, today
from booking.core.db import atomic, lock
from booking.core.errors import Refused, refuse_unless
from booking.deadlines import actions as deadlines
from booking.deadlines.actions import AskValues
from booking.deadlines.models import Answer
from booking.directory import contacts
from booking.directory import queries as directory
from booking.directory.models import Area, Person, SchoolGroup
from booking.organiser import queries
from booking.reminders import actions as reminders
from booking.reminders import queries as reminder_queries
from booking.reminders.models import To


@atomic
def edit_event(event: Event, values: EventValues, *, by: Person, revision: int) -> int:
    """Change an event; tell who booked where it moved; let in who waits where there is room. Returns how many mails.

    Raises Refused for a move into the past of what people have booked, and what `calendar.edit_event` raises.
    """
    was, numbers, category_id, was_over = When.of(event), _numbers(event), event.category_id, event.ends_at <= now()
    calendar.edit_event(event, values, by=by, revision=revision)
    if not was_over and (event.day, event.starts) != (was.day, was.starts):
        _refuse_the_past(event)
        promotions.shorten_offers(event)
    if not event.takes_bookings and bookings_queries.has_active_places(event):
        raise Refused("People have booked this, or wait. Cancel their places first.", field="takes_bookings")
    told = _tell_if_moved(event, was)
    if _numbers(event) != numbers:
        bookings.limits_changed(event)
    elif event.status is EventStatus.PUBLISHED:
        promotions.settle(event)  # near the old day a free place may have waited for the organiser's decision
    # Who has just been told of the new day is not reminded of it at once; nor again because the kind was corrected.
    if event.day != was.day or (event.category_id != category_id and not event.own_reminders):
        reminders.pass_over_the_past(event)
    return told


def _numbers(event: Event) -> tuple[object, ...]:
    return event.capacity, event.per_school, event.per_school_until


def _refuse_the_past(event: Event) -> None:
    """Raise Refused where people would find a place of theirs in the past: they hear nothing of it and cannot cancel.

    What was over before is another matter: there the record is put right.
    """
    if event.status is not EventStatus.PUBLISHED or not bookings_queries.has_active_places(event):
        return
    why = "People have booked: nobody would hear of it."
    refuse_unless(
        event.day >= today(), f"{say_day(event.day)} is in the past; choose a day to come. {why}", field="day"
    )
    refuse_unless(
        event.starts is None or event.starts_at > now(),
        f"{say_time(event.starts)} today is in the past; choose a time to come. {why}",
        field="starts",
    )


def _tell_if_moved(event: Event, was: When) -> int:
    if event.status is not EventStatus.PUBLISHED or When.of(event) == was or event.ends_at <= now():
        return 0
    return bookings.tell_moved(event, was=was)


@atomic
def save_venue(area: Area, venue: Venue | None, values: VenueValues, *, by: Person) -> int:
    """Add a venue, or change one; whoever is to come there hears of a new name or address. Returns how many mails."""
    events: list[Event] = []
    if venue and values.differ_from(venue):
        lock(*calendar_queries.in_calendars(venue, today=today()))  # all of them at once, in the order of their ids
        events = list(queries.events_to_come_at(venue, today()))
    before, position = [When.of(event) for event in events], venue.position if venue else None
    catalogue.save_venue(area, venue, values, by=by)
    told = 0
    for event, was in zip(events, before, strict=True):
        if When.of(event) != was or values.position != position:  # that alone nobody is written to about
            calendar.show_the_change(event)
            told += _tell_if_moved(event, was)
    return told


@atomic
def publish_drafts(events: Sequence[Event], *, by: Person) -> int:
    """Put drafts on the calendar, all of them or none. Returns how many were drafts until now. Raises Refused."""
    lock(*events)
    drafts = [event for event in events if event.status is not EventStatus.PUBLISHED]
    for event in drafts:
        calendar.publish(event, by=by)
        promotions.settle(event)  # from now on a limit that is lifted on a day falls due by itself
    return len(drafts)


@atomic
def cancel_event(event: Event, *, by: Person, note: str) -> int:
    """Call an event off and tell everyone with a place or on the waiting list. Returns how many mails."""
    if not calendar.cancel(event, by=by, note=note):
        return 0
    return bookings.tell_cancelled(event) if event.ends_at > now() else 0


@atomic
def restore_event(event: Event, *, by: Person) -> int:
    """Put an event back on and tell everyone with a place or on the waiting list. Returns how many mails.

    Nobody is reminded besides of what fell due while it was off. Raises Refused for what is over.
    """
    if not calendar.restore(event, by=by):
        return 0
    told = bookings.tell_restored(event)
    promotions.settle(event)
    reminders.pass_over_the_past(event)
    return told


@atomic
def set_ask(event: Event, values: AskValues, *, by: Person) -> bool:
    """Set what a closing date asks of schools, and see that they are reminded. Returns whether reminders were added.

    Where no rule writes to schools, the event gets the usual ones beside those it has.
    """
    deadlines.set_ask(event, values, by=by, groups=directory.groups_of(event.area_id))
    rules = reminder_queries.rules_for(event)
    if values.answer is Answer.NONE or any(rule.to is To.SCHOOLS for rule in rules):
        return False
    kept = [reminders.new_of(rule) for rule in rules]
    reminders.set_event_rules(event, [*kept, *reminders.DEADLINE_RULES][: reminders.MOST_RULES], by=by)
    return True


@atomic
def delete_group(group: SchoolGroup, *, by: Person) -> None:
    """Delete a group of schools where nothing to come is asked of it. Raises Refused with what is."""
    deadlines.forget_group(group.id)
    contacts.delete_group(group, by=by)
