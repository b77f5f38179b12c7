"""The closing dates of the demonstration's year, played with schools that answer each in its way.

`python -m tests.deadlines.year > tests/data/year-of-returns.txt` writes the list anew, after a look at what differs.
"""

import sys
import tempfile
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import time_machine

from booking.calendar.models import Category, Event
from booking.core.clock import now
from booking.core.db import db
from booking.deadlines import actions, queries
from booking.deadlines.models import Answer, Ask, Return, ReturnStatus
from booking.deadlines.policy import Said
from booking.demo import people
from booking.demo.load import ASKS, WITH_THREE, WITHOUT_SENCO, load
from booking.directory.models import Person, School, SchoolContact
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message, MessageStatus
from booking.reminders.actions import post_due, set_category_rules
from scheduler.jobs import still_wanted
from tests.databases import close, make_app, new_sqlite

BRITAIN = ZoneInfo("Europe/London")
GOLDEN = Path(__file__).parents[1] / "data" / "year-of-returns.txt"
FIRST, LAST = date(2026, 9, 1), date(2027, 7, 23)
LOOKS_AT = (time(8, 0), time(9, 0), time(16, 0))
# On which days before the closing date a school of this way answers; a minus is after it.
WAYS = {
    "early": (13,),
    "after the first reminder": (8,),
    "twice": (8, 4),
    "on the last day": (0,),
    "late": (-1,),
    "never": (),
}


def wall(day: date, at: time) -> datetime:
    return datetime.combine(day, at, BRITAIN)


@dataclass
class Played:
    """What schools said, in its order: when, of which closing date, which school, what, and in which way."""

    answers: list[tuple[datetime, int, str, str]] = field(default_factory=list)

    def answer(self, day: date) -> None:
        """Let each school answer in its way; of what is optional only one in three says anything."""
        asked = sa.select(Event).join(Ask).where(Event.day.between(day - timedelta(days=1), day + timedelta(days=13)))
        for event in db.session.scalars(asked.order_by(Event.day, Event.id)).all():
            optional = queries.find_ask(event.id).answer is Answer.OPTIONAL
            for number, row in enumerate(queries.returns_of(event.id)):
                way = list(WAYS)[number % len(WAYS)]
                if (event.day - day).days in WAYS[way] and not (optional and number % 3):
                    self._say(event, row, way, self._what(number, optional=optional))

    def _what(self, number: int, *, optional: bool) -> Said:
        if optional and number % 4 == 0:
            return Said.NOT_THIS_YEAR
        return Said.NOTHING if number % 5 == 0 else Said.SUBMITTED

    def _say(self, event: Event, row: Return, way: str, said: Said) -> None:
        if row.status is not ReturnStatus.OUTSTANDING and way != "twice":
            return  # said for the whole year before
        actions.answer(row, said, who=f"{row.school.name}, {way}")
        self.answers.append((now(), event.id, row.school.name, f"{said}, {way}"))

    def chase(self, day: date) -> None:
        """On the morning of a closing date that each has to answer the team chases."""
        for event in db.session.scalars(
            sa.select(Event).join(Ask).where(Event.day == day, Ask.answer == Answer.REQUIRED)
        ).all():
            actions.chase(event, by=db.session.query(Person).first())


def play() -> Played:
    """Play the year in an empty database, with the rules of closing dates alone."""
    played = Played()
    with time_machine.travel(wall(FIRST, time(6, 0)), tick=False):
        load()
        _keep_a_dozen_schools()
        db.session.execute(sa.delete(Message))
        db.session.commit()
        for category in db.session.query(Category):
            if category.name not in ASKS:
                set_category_rules(category, [], by=None)
    day = FIRST
    while day <= LAST:
        if day.weekday() < 5:
            for at in LOOKS_AT:
                with time_machine.travel(wall(day, at), tick=False):
                    _look()
            with time_machine.travel(wall(day, time(10, 30)), tick=False):
                played.chase(day)
                played.answer(day)
                _look()
        day += timedelta(days=1)
    db.session.expire_all()
    return played


def _keep_a_dozen_schools() -> None:
    """Let the others be closed: a dozen hold every way of answering, a school without contact and one with three."""
    named = {WITHOUT_SENCO, WITH_THREE, people.SENCO[2]}
    schools = db.session.query(School).order_by(School.name).all()
    kept = {school.id for school in schools if school.name in named} | {school.id for school in schools[:9]}
    db.session.execute(sa.update(School).where(School.id.not_in(kept)).values(closed_on=FIRST))
    db.session.execute(sa.delete(Return).where(Return.school_id.not_in(kept)))
    db.session.execute(
        sa.update(Return).values(status=ReturnStatus.OUTSTANDING, number=None, answered_at=None, answered_by="")
    )


def _look() -> None:
    actions.keep_in_step()
    post_due()
    while deliver_due(worker="w", limit=200, still_wanted=still_wanted).touched:
        pass


def mails_of(event: Event) -> Sequence[Message]:
    """The mails about a closing date that went, in their order."""
    sent = db.session.query(Message).filter_by(event_id=event.id, status=MessageStatus.SENT)
    return sent.order_by(Message.sent_at, Message.id).all()


def written(played: Played) -> str:
    """Return the list as a person reads it: for each closing date who was mailed what, and who said what."""
    schools = {contact.email: contact.school.name for contact in db.session.query(SchoolContact)}
    lines = [f"Who was mailed what about the closing dates of {FIRST:%d %B %Y} to {LAST:%d %B %Y}, and who answered."]
    asked = sa.select(Event).join(Ask).where(Event.day <= LAST).order_by(Event.day, Event.id)
    for event in db.session.scalars(asked).all():
        rows, ask = queries.returns_of(event.id), queries.find_ask(event.id)
        what = "owe an answer" if ask.answer is Answer.REQUIRED else "may send something"
        head = f"{event.title}, closes {event.day:%A %d %B %Y}, {event.starts:%H:%M}: {len(rows)} schools {what}"
        lines += ["", head, *_days(event, played, schools)]
    return "\n".join(lines) + "\n"


def _days(event: Event, played: Played, schools: dict[str, str]) -> Iterator[str]:
    told: dict[tuple[datetime, str], list[str]] = defaultdict(list)
    for message in mails_of(event):
        told[message.sent_at, message.subject].append(schools.get(message.to_email, message.to_email))
    said: dict[tuple[datetime, str], list[str]] = defaultdict(list)
    for at, event_id, school, words in played.answers:
        if event_id == event.id:
            said[at, words].append(school)
    entries = [(at, 1, f"“{subject.replace(event.title, '…')}”", names) for (at, subject), names in told.items()]
    entries += [(at, 0, f"answer {words}:", names) for (at, words), names in said.items()]
    for at, _, words, names in sorted(entries):
        counted = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in sorted(Counter(names).items()))
        line = f"{at.astimezone(BRITAIN):%a %d %b %H:%M}  {words} {len(names)}: {counted}"
        yield from textwrap.wrap(line, 118, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)


if __name__ == "__main__":
    app = make_app(new_sqlite(Path(tempfile.mkdtemp())), DEMO="1")
    with app.app_context():
        sys.stdout.write(written(play()))
    close(app)
