"""An organiser changes the numbers of an event, without the page."""

from booking.bookings import actions
from booking.calendar.models import Event
from booking.core.db import atomic, lock


@atomic
def change(event: Event, **values: object) -> None:
    """Change the capacity of an event, its places per school, or when these are lifted."""
    lock(event)
    for name, value in values.items():
        setattr(event, name, value)
    actions.limits_changed(event)
