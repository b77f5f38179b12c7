"""An event as its entry in a calendar: what anybody may see, or what somebody with a place may."""

from datetime import timedelta

from booking.calendar.ical import CalendarEntry, Description
from booking.calendar.models import Event, EventStatus, Kind
from booking.calendar.palette import PALETTE
from booking.calendar.policy import ANYBODY, Reader, what_it_is_for
from booking.calendar.when import place_in_words
from booking.core.addresses import under_base

DECLINING = "Declining in your calendar does not cancel the booking. To see or cancel it, use the link of the mail, or:"

MY_BOOKINGS = "Your bookings:"
NO_PLACE = "You have no place at this event any more."


def entry_of(
    event: Event,
    *,
    own: bool = False,
    joining_link: str = "",
    status: str = "",
    alarms: tuple[timedelta, ...] = (),
    reader: Reader = ANYBODY,
    leaving: bool = False,
) -> CalendarEntry:
    """Return the calendar entry of an event; `own` in the calendar of somebody with a place, `leaving` with none left.

    People share calendars, so none holds the link of anybody's place. The `joining_link` is for an attendee's own
    invitation alone. What a closing date is for stands in it where the `reader` of the calendar sees that too.
    """
    page, is_draft = under_base(event.path), event.status is EventStatus.DRAFT
    if is_draft:
        status = "TENTATIVE"
    links = [("Join on line:", joining_link)] if joining_link and not event.is_cancelled else []
    if own and not leaving:
        links.append((MY_BOOKINGS if event.is_cancelled else DECLINING, under_base("/my/")))
    else:
        may_be_booked = event.kind is Kind.SESSION and not event.is_cancelled
        links.append(("More, and booking:" if may_be_booked else "More:", page))
    parent = what_it_is_for(event, reader)
    return CalendarEntry(
        uid=event.uid,
        sequence=event.sequence,
        title=event.title,
        day=event.day,
        starts=event.starts,
        ends=event.ends,
        last_day=event.last_day,
        is_deadline=event.kind is Kind.DEADLINE,
        blocks_time=event.kind is Kind.SESSION and event.starts is not None,
        status="CANCELLED" if event.is_cancelled else status or "CONFIRMED",
        description=Description(event.description, _said_first(event, leaving=leaving), tuple(links)),
        location=place_in_words(event),
        url=page,
        categories=(event.category.name,),
        changed_at=event.changed_at,
        colour=PALETTE[event.category.colour].name,
        alarms=alarms,
        is_draft=is_draft,
        position=event.venue.position if event.venue else None,
        parent_uid=parent.uid if parent else "",
        is_private=own and event.private,
    )


def _said_first(event: Event, *, leaving: bool) -> tuple[str, ...]:
    if event.is_cancelled:
        return (" ".join(("This event has been cancelled.", event.cancel_note)).strip(),)
    return (NO_PLACE,) if leaving else ()
