"""One digest mail as a person reads it. `python -m tests.digests.golden > tests/data/digest.txt` writes it anew."""

import re
import sys
import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import time_machine

from booking.calendar.models import EventStatus, Kind, Visibility
from booking.core.db import db
from booking.digests import actions
from booking.digests.actions import Chosen
from booking.digests.models import DigestSubscription
from booking.notifications.models import Message
from tests.databases import close, make_app, new_sqlite
from tests.factories import (
    make_booking,
    make_category,
    make_contact,
    make_event,
    make_organiser,
    make_person,
    make_school,
    make_term,
    make_venue,
    the_area,
)

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WEEK = timedelta(weeks=1)
INTRODUCTION = """Thank you for coming to the forum in such numbers.

- The **slides** are [here](https://slides.example.org/forum).
- Snow: we write if anything is called off."""


def a_week() -> str:
    """Play two weeks in a database of its own; return Priya's second digest, subject and text."""
    with tempfile.TemporaryDirectory() as folder, time_machine.travel(SUNDAY) as clock:
        app = make_app(new_sqlite(Path(folder)))
        with app.app_context():
            _priya()
            moved, cancelled = _calendar()
            clock.move_to(datetime(2026, 11, 23, 7, 30, tzinfo=UTC))
            actions.send_due()
            moved.day, moved.starts, moved.ends = date(2026, 12, 10), time(9, 30), time(11, 0)
            cancelled.status = EventStatus.CANCELLED
            make_event("Emotion coaching, level 1", day=date(2027, 2, 3), category_id=make_category("Training").id)
            actions.introduce(the_area(), date(2026, 11, 30), INTRODUCTION, by=make_organiser())
            clock.move_to(datetime(2026, 11, 30, 7, 30, tzinfo=UTC))
            actions.send_due()
            message = db.session.query(Message).filter_by(kind="digest").order_by(Message.id.desc()).first()
            said = f"Subject: {message.subject}\n\n{message.text}"
        close(app)
    return re.sub(r"(/digest/(?:change|stop)/)\S+", r"\1…", said)


def _priya() -> None:
    email = "priya@school.example"
    make_person(email)
    make_contact(make_school("Oakhurst Primary School"), "office@school.example")  # so she is staff
    actions.ask(the_area(), email, Chosen())
    actions.confirm(db.session.query(DigestSubscription).one())


def _calendar():
    make_term(2026, 2, date(2026, 11, 2), date(2026, 12, 18))
    make_term(2026, 3, date(2027, 1, 5), date(2027, 2, 12))
    oak = make_venue(address="Long Meadow, Marsham").id
    forum = make_event("SENCo forum (2)", day=date(2026, 12, 2), venue_id=oak)
    make_booking(forum, "Priya Nair", "priya@school.example")
    private = make_event("Parents’ evening: managing big feelings", day=date(2026, 12, 9), private=True)
    make_booking(private, "Priya Nair", "priya@school.example")
    moved = make_event("Coffee morning", day=date(2026, 12, 8), category_id=make_category("Coffee morning").id)
    cancelled = make_event("Solution Circle", day=date(2026, 12, 4))
    panels = make_category("High needs funding").id
    make_event("LHNF panel 3", day=date(2026, 12, 11), kind=Kind.DEADLINE, starts=time(17, 0), category_id=panels)
    make_event("Planning meeting", day=date(2026, 12, 16), visibility=Visibility.STAFF, venue_id=oak)
    make_event("Budget return due", day=date(2026, 12, 18), kind=Kind.MILESTONE, starts=None)
    make_event("Team meeting", day=date(2026, 12, 3), visibility=Visibility.TEAM)
    return moved, cancelled


if __name__ == "__main__":
    sys.stdout.write(a_week())
