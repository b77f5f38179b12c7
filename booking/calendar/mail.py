"""An event as every mail says it, and in whose name mail about it goes."""

from dataclasses import dataclass

from booking.calendar import wording
from booking.calendar.models import Event
from booking.calendar.position import map_address
from booking.calendar.when import When
from booking.core.addresses import absolute
from booking.notifications.outbox import Sender


def sender_of(event: Event) -> Sender:
    """Return in whose name mail about an event goes: its area's."""
    return Sender(event.area.name, event.area.email or None, event.area_id)


@dataclass(frozen=True, slots=True)
class EventCard:
    """An event as a mail says it. The joining link is for those with a place; the map shows where it is now."""

    title: str
    when: str
    where: str
    url: str
    joining_link: str
    map_url: str


def event_card(event: Event, when: When | None = None) -> EventCard:
    """Return an event in words, as it is now, or as it was."""
    when = when or When.of(event)
    times = wording.say_times(when.starts, when.ends)
    days = wording.say_date(when.day, when.last_day)
    return EventCard(
        title=event.title,
        when=f"{days}, {times}" if times else days,
        where=when.place,
        url=absolute("calendar.event", event_id=event.id, slug=event.slug),
        joining_link=event.joining_link,
        map_url=map_address(event.venue.position) if event.venue and event.venue.position else "",
    )
