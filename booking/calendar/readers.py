"""Who reads the page under way, as far as seeing the calendar goes."""

from booking.calendar.policy import Reader
from booking.directory.guards import area, visitor


def reader() -> Reader:
    """Return what the visitor is to the area of the page."""
    who, area_id = visitor(), area().id
    return Reader(signed_in=who.is_signed_in, in_team=who.is_in_team(area_id), organiser=who.organises(area_id))
