"""Who may see what is on the calendar. Pure."""

from dataclasses import dataclass

from booking.calendar.models import Event, EventStatus, Visibility


@dataclass(frozen=True, slots=True)
class Reader:
    """What somebody is to an area, as far as seeing its calendar goes."""

    staff: bool = False
    in_team: bool = False
    organiser: bool = False


ANYBODY = Reader()


def visibilities(reader: Reader) -> frozenset[Visibility]:
    """Return which entries a reader sees."""
    if reader.in_team or reader.organiser:
        return frozenset(Visibility)
    return frozenset({Visibility.PUBLIC, Visibility.STAFF} if reader.staff else {Visibility.PUBLIC})


def statuses(reader: Reader) -> frozenset[EventStatus]:
    """Return at which point of its life a reader sees an event: drafts are the organisers' own."""
    return frozenset(EventStatus) if reader.organiser else frozenset({EventStatus.PUBLISHED, EventStatus.CANCELLED})


def may_see(event: Event, reader: Reader) -> bool:
    """Tell whether this reader may see this event."""
    return event.visibility in visibilities(reader) and event.status in statuses(reader)


def what_it_is_for(event: Event, reader: Reader) -> Event | None:
    """Return what a closing date is for, where this reader sees that too."""
    there = event.closes_for
    return there if there is not None and may_see(there, reader) else None
