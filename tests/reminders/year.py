"""A school year of the demonstration, played day by day, as a list of mails that a person can read.

`python -m tests.reminders.year > tests/data/year-of-mails.txt` writes it anew, after a look at what differs.
"""

import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import time_machine

from booking.bookings import actions as bookings
from booking.bookings import changes
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind
from booking.core.db import db
from booking.deadlines.models import Ask, Return
from booking.demo import people
from booking.demo.load import load
from booking.directory.models import Area, Person, School
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message, MessageStatus
from booking.organiser import actions as organiser
from booking.reminders.actions import go_on, pause, post_due
from scheduler.jobs import still_wanted
from tests.databases import close, make_app, new_sqlite
from tests.factories import values_of

BRITAIN = ZoneInfo("Europe/London")
GOLDEN = Path(__file__).parents[1] / "data" / "year-of-mails.txt"
FIRST, LAST = date(2026, 9, 1), date(2027, 7, 23)
# A week without any scheduler, and some days in which the team holds all reminders.
OUTAGE = (date(2027, 2, 1), date(2027, 2, 8))
PAUSE = (date(2027, 4, 19), date(2027, 4, 21))
# Seldom enough to be quick, often enough to see that each goes in its hour.
LOOKS_AT = (time(8, 0), time(9, 0), time(12, 0), time(15, 45), time(16, 0))


def wall(day: date, at: time) -> datetime:
    return datetime.combine(day, at, BRITAIN)


@dataclass
class Year:
    """What happens besides: people book and give back, events move and are called off."""

    guests: Iterator[tuple[str, str]]

    @property
    def team(self) -> Person:
        return db.session.query(Person).filter_by(email=people.TEAM[0][0]).one()

    def coming(self, first: date, last: date) -> list[Event]:
        rows = db.session.query(Event).filter(
            Event.kind == Kind.SESSION, Event.takes_bookings, Event.status == EventStatus.PUBLISHED
        )
        return rows.filter(Event.day.between(first, last)).order_by(Event.day, Event.starts, Event.id).all()

    def book_the_next_weeks(self, day: date) -> None:
        """Three bookings for each session of the month after next, one of them for two."""
        school = db.session.query(School).order_by(School.name).first()
        for event in self.coming(day + timedelta(days=40), day + timedelta(days=70)):
            for number in range(3):
                name, email = next(self.guests)
                places = [NewPlace(name, email), NewPlace("Daniel Achebe")][: 1 + (number == 1 and not event.private)]
                bookings.book(event, by=Contact(name, email, school.id), places=places, invited=True)

    def give_back(self, day: date) -> None:
        """The first who comes to each session of the next fortnight does not come after all."""
        for event in self.coming(day + timedelta(days=2), day + timedelta(days=14)):
            place = (
                db.session.query(Place)
                .filter_by(event_id=event.id, status=PlaceStatus.CONFIRMED)
                .order_by(Place.id)
                .first()
            )
            if place is not None:
                bookings.cancel(db.session.get(Booking, place.booking_id), places=[place])

    def swap(self, day: date) -> None:
        """A colleague comes instead, at each session of the next ten days."""
        for event in self.coming(day + timedelta(days=1), day + timedelta(days=10)):
            place = (
                db.session.query(Place)
                .filter_by(event_id=event.id, status=PlaceStatus.CONFIRMED)
                .order_by(Place.id.desc())
                .first()
            )
            if place is not None and not event.private:
                name, email = next(self.guests)
                changes.swap(place, NewPlace(name, email))

    def move(self, day: date) -> None:
        """The next session goes to two days later."""
        event = self.coming(day + timedelta(days=5), day + timedelta(days=30))[0]
        values = replace(values_of(event), day=event.day + timedelta(days=2))
        organiser.edit_event(event, values, by=self.team, revision=event.revision)

    def call_off(self, day: date) -> None:
        event = self.coming(day + timedelta(days=3), day + timedelta(days=30))[0]
        organiser.cancel_event(event, by=self.team, note="The speaker is ill.")

    def pause(self, _day: date) -> None:
        pause(area=db.session.query(Area).one(), by=self.team)

    def go_on(self, _day: date) -> None:
        go_on(area=db.session.query(Area).one(), by=self.team)


HAPPENS: dict[date, list[str]] = {
    **{date(2026, month, 5): ["book_the_next_weeks"] for month in (10, 11, 12)},
    **{date(2027, month, 5): ["book_the_next_weeks"] for month in (1, 2, 3, 4, 5)},
    date(2026, 9, 24): ["give_back"],
    date(2026, 11, 12): ["swap"],
    date(2026, 11, 27): ["give_back"],
    date(2027, 5, 13): ["give_back"],
    date(2027, 1, 14): ["move"],
    date(2027, 3, 1): ["call_off"],
    date(2027, 3, 11): ["give_back", "swap"],
    PAUSE[0]: ["pause"],
    PAUSE[1]: ["go_on"],
    date(2027, 6, 10): ["move", "call_off"],
}


def days() -> Iterator[date]:
    return (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))


def is_away(day: date) -> bool:
    """Tell whether no scheduler runs on a day."""
    return OUTAGE[0] <= day < OUTAGE[1]


def play() -> list[tuple[datetime, str, list[str]]]:
    """Play the year in an empty database. Returns each mail that went: when, its subject, to whom."""
    with time_machine.travel(wall(FIRST, time(6, 0)), tick=False):
        load()
        for table in (Return, Ask):  # closing dates have a list of their own
            db.session.execute(sa.delete(table))
        db.session.commit()
        year = Year(iter((f"Guest {n}", f"guest{n}@school.example") for n in range(1, 10_000)))
        beginning = db.session.scalar(sa.select(sa.func.max(Message.id)))
    for day in days():
        for name in HAPPENS.get(day, ()):
            _at(wall(day, time(10, 30)), getattr(year, name), day)
        for at in LOOKS_AT[: 1 if day.weekday() >= 5 else None]:
            if not is_away(day):
                _at(wall(day, at), _look)
    db.session.expire_all()
    sent = db.session.query(Message).filter(Message.id > beginning, Message.status == MessageStatus.SENT)
    mails: dict[tuple[datetime, str], list[str]] = defaultdict(list)
    for message in sent.order_by(Message.sent_at, Message.id):
        mails[message.sent_at, message.subject].append(message.to_email)
    return [(at, subject, to) for (at, subject), to in mails.items()]


def _at(instant: datetime, do: Callable[..., object], *arguments: object) -> None:
    with time_machine.travel(instant, tick=False):
        do(*arguments)


def _look() -> None:
    post_due()
    while deliver_due(worker="w", limit=200, still_wanted=still_wanted).touched:
        pass


def written(mails: list[tuple[datetime, str, list[str]]]) -> str:
    """Return the list as a person reads it: days, times, subjects, to whom."""
    lines, day = (
        [f"The mails of {FIRST:%d %B %Y} to {LAST:%d %B %Y}, by scheduler passes at some hours of each day."],
        None,
    )
    for at, subject, to in mails:
        there = at.astimezone(BRITAIN)
        if there.date() != day:
            day = there.date()
            lines += ["", f"{day:%A %d %B %Y}"]
        people_told = ", ".join(sorted(address.partition("@")[0] for address in to))
        lines += textwrap.wrap(
            f"  {there:%H:%M}  {subject}", width=116, subsequent_indent="         ", break_on_hyphens=False
        )
        lines += textwrap.wrap(
            f"         {len(to)}: {people_told}", width=116, subsequent_indent="         ", break_on_hyphens=False
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    app = make_app(new_sqlite(Path(tempfile.mkdtemp())), DEMO="1")
    with app.app_context():
        sys.stdout.write(written(play()))
    close(app)
