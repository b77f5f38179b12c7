"""The mail with which somebody signs in."""

from datetime import datetime

from booking.core.addresses import absolute
from booking.directory import queries
from booking.notifications import outbox
from booking.notifications.outbox import Priority, Sender


def sign_in(email: str, *, link: str, code: str, good_until: datetime) -> None:
    """Mail a link and a code, as long as they are good."""
    area = queries.find_area()
    sender = Sender(area.name, None, area.id) if area else Sender("Calendar & bookings", None, None)
    address = absolute("directory.confirm_sign_in", token=link)
    outbox.post(
        "sign_in",
        to=email,
        to_name="",
        sender=sender,
        priority=Priority.NOW,
        useless_after=good_until,
        link=address,
        code=code,
    )
