"""The mail that chases a return; reminders of closing dates say the same."""

from collections.abc import Sequence
from typing import Any

from booking.calendar.mail import event_card, sender_of
from booking.calendar.models import Event
from booking.core.addresses import absolute
from booking.core.clock import now
from booking.core.db import db
from booking.core.tokens import link_token
from booking.deadlines import queries
from booking.deadlines.models import Answer, Ask, Chase, Return
from booking.directory.models import SchoolContact
from booking.notifications import outbox

CHASE = "chase"


def link_of(row: Return) -> str:
    """Return the whole address of a return's page: whoever has it may answer for the school."""
    return absolute("deadlines.answer", token=link_token(queries.RETURN_LINK, row.key))


def what_is_asked(event: Event, ask: Ask) -> dict[str, Any]:
    """Return what a mail says of what is to be done."""
    return {
        "fill_in": ask.link,
        "goes_to": ask.goes_to,
        "must_answer": ask.answer is Answer.REQUIRED,
        "is_over": now() >= queries.closes_at(event),
    }


def chase(event: Event, found: Sequence[tuple[Return, SchoolContact]]) -> None:
    """Write to each contact what their school owes, with their school's own link."""
    ask = queries.find_ask(event.id)
    assert ask is not None
    for row, contact in found:
        message = outbox.post(
            CHASE,
            to=contact.email,
            to_name=contact.name,
            sender=sender_of(event),
            event_id=event.id,
            event=event_card(event),
            school=row.school.name,
            link=link_of(row),
            **what_is_asked(event, ask),
        )
        db.session.add(Chase(message=message, return_id=row.id))
