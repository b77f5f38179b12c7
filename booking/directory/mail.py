"""The mails of the directory: to sign in, and to whom a school names."""

from datetime import datetime

from booking.core.addresses import absolute
from booking.core.db import db
from booking.directory import queries
from booking.directory.models import Area, SchoolContact
from booking.directory.wording import SAY_ROLE
from booking.notifications import outbox
from booking.notifications.models import MailScope
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
        scope=MailScope.SIGN_IN,
        useless_after=good_until,
        link=address,
        code=code,
    )


def named(contact: SchoolContact) -> None:
    """Tell somebody that their school names them for a role, and who said so."""
    area = db.session.get_one(Area, contact.school.area_id)
    outbox.post(
        "named_contact",
        to=contact.email,
        to_name=contact.name,
        sender=Sender(area.name, area.email or None, area.id),
        school=contact.school.name,
        role=SAY_ROLE[contact.role],
        named_by=contact.named_by,
        partnership=area.name,
        link=absolute("deadlines.school_contacts", school_id=contact.school_id),
    )
