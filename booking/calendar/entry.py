"""An event as its entry in a calendar: what anybody may see, or what somebody with a place may."""

from booking.calendar.ical import CalendarEntry
from booking.calendar.markup import as_text
from booking.calendar.models import Event, Kind
from booking.calendar.when import place_in_words
from booking.core.addresses import under_base

DECLINING = (
    "Declining in your calendar does not cancel the booking. To see or cancel it, use the link of the mail, or: "
)


def entry_of(event: Event, *, own: bool = False, joining_link: str = "", status: str = "") -> CalendarEntry:
    """Return the calendar entry of an event; `own` in the calendar of somebody with a place.

    People share calendars, so none holds the link of anybody's place. The `joining_link` is for an attendee's own
    invitation alone.
    """
    page = under_base(event.path)
    lines = [as_text(event.description)]
    if event.is_cancelled:
        lines.insert(0, " ".join(("This event has been cancelled.", event.cancel_note)).strip())
    if joining_link and not event.is_cancelled:
        lines.append(f"Join on line: {joining_link}")
    lines.append(f"{DECLINING}{under_base('/my/')}" if own else f"More, and booking: {page}")
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
        description="\n\n".join(line for line in lines if line),
        location=place_in_words(event),
        url=page,
        categories=(event.category.name,),
        changed_at=event.changed_at,
    )
