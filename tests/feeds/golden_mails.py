"""The mails of two bookings from beginning to end, whole, as they leave over SMTP, so that a person can read them.

`python -m tests.feeds.golden_mails` writes `tests/data/mails/` anew, after a look at what differs. Each mail is a file
named after the step of the story, the mail's template, and who gets it.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path

import time_machine

from booking.bookings import actions as bookings
from booking.bookings import changes
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place
from booking.bookings.queries import BOOKING_LINK, PLACE_LINK
from booking.calendar.models import Event, Series
from booking.core.clock import now
from booking.core.db import db
from booking.core.tokens import link_token
from booking.notifications.delivery import deliver_due
from booking.notifications.models import Message
from booking.organiser import actions as organiser
from booking.reminders.actions import still_wanted
from tests.databases import close, make_app, new_sqlite
from tests.factories import make_event, make_organiser, make_venue, save, the_area, values_of
from tests.notifications.smtp import Server, smtp_server

FOLDER = Path(__file__).parents[1] / "data" / "mails"
TUESDAY = datetime(2027, 2, 23, 10, 0, tzinfo=UTC)
# A step each hour, and its mails go a while after they were made.
STEP, LATER = timedelta(hours=1), timedelta(minutes=20)

TITLE = "Café for SENCos 🎉: sleep, food & feelings"
JOINING_LINK = "https://meet.example.org/cafe?room=1&name=senco"
DESCRIPTION = """Bring **one case** that you would like to talk about:

- what you tried; what helped
- what [the toolkit](https://resources.example.org/toolkit?level=1&part=2) says"""

PRIYA = NewPlace("Priya Nair", "priya@school.example")
ZOE = NewPlace("Zoë Achebe", "zoe@school.example")
UMA = NewPlace("Uma Fenn")
ADA = NewPlace("Ada Obi", "ada@school.example")
RAVI = NewPlace("Ravi Shah", "ravi@school.example")


@dataclass(frozen=True)
class Sent:
    """A mail as the server got it, with its name, and when it was made."""

    name: str
    made: datetime
    mail: EmailMessage


def story() -> Iterator[None]:
    """Do one step after the other. The event moves into summer time, and the other date has its time there."""
    team, series = make_organiser(), save(Series(area_id=the_area().id, name="Cafés"))
    there = make_venue(address="Long Meadow, Marsham MM1 2AB").id
    values = {"venue_id": there, "series_id": series.id, "description": DESCRIPTION, "joining_link": JOINING_LINK}
    event = make_event(TITLE, day=date(2027, 3, 16), capacity=3, **values)
    other = make_event(TITLE, day=date(2027, 4, 27), starts=time(9, 30), ends=time(11, 0), **values)

    booking = bookings.book(event, by=Contact(PRIYA.name, PRIYA.email), places=[PRIYA, ZOE, UMA])
    yield
    moved = replace(values_of(event), day=date(2027, 4, 20), starts=time(14, 0), ends=time(15, 45))
    organiser.edit_event(event, moved, by=team, revision=event.revision)
    yield
    organiser.cancel_event(event, by=team, note="The hall is flooded.")
    yield
    organiser.restore_event(event, by=team)
    yield
    bookings.book(event, by=Contact(ADA.name, ADA.email), places=[ADA])
    yield
    booking = changes.move(booking, to=other)  # and Ada comes up from the waiting list
    yield
    changes.swap(booking.places[1], RAVI)
    yield
    bookings.cancel(booking)
    yield


@dataclass(frozen=True)
class Played:
    """The mails in the order in which they were made, what is random in them, and the public feed at the end."""

    mails: tuple[Sent, ...]
    random: dict[str, str]
    feed: bytes


def play() -> Played:
    """Play the story in a database of its own, with a mail server of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        smtp_server() as server,
        time_machine.travel(TUESDAY, tick=False) as clock,
    ):
        app = make_app(new_sqlite(Path(folder)), MAIL_SERVER="127.0.0.1", MAIL_PORT=str(server.port))
        with app.app_context():
            made = {}
            for number, _ in enumerate(story(), 1):
                fresh = db.session.query(Message).filter(Message.sent_at.is_(None)).order_by(Message.id)
                for message in fresh.all():
                    name = f"{number}-{message.kind}-{message.to_email.partition('@')[0]}"
                    made[message.message_id] = (name, now())
                clock.shift(LATER)
                while deliver_due(worker="w", limit=50, still_wanted=still_wanted).touched:
                    pass
                clock.shift(STEP - LATER)
            random = _random()
        feed = app.test_client().get("/feeds/calendar.ics").data
        close(app)
    return Played(tuple(_in_order(server, made)), random, feed)


def _in_order(server: Server, made: dict[str, tuple[str, datetime]]) -> Iterator[Sent]:
    by_id = {str(mail["Message-ID"]): mail for mail in server.mails}
    assert len(by_id) == len(server.mails)
    assert by_id.keys() == made.keys()
    for message_id, (name, at) in made.items():
        yield Sent(name, at, by_id[message_id])


def _random() -> dict[str, str]:
    """Return what is random in the mails, and the word that a stored mail has for it.

    These alone differ from one play to the next, and each word says whose it is, so that a mail with somebody else's
    link is not taken for the same: the tokens of links, the references of bookings, the UIDs of events, and what
    stands before the @ of a Message-ID. The boundary between parts is the same in all mails, so it is kept.
    """
    words = {event.uid: f"<uid: event {event.id}>" for event in db.session.query(Event)}
    for booking in db.session.query(Booking):
        whose = f"booking of {booking.name}, event {booking.event_id}"
        words[link_token(BOOKING_LINK, booking.key)] = f"<link: {whose}>"
        words[booking.reference] = f"<reference: {whose}>"
    for place in db.session.query(Place):
        words[link_token(PLACE_LINK, place.key)] = f"<link: place of {place.name}, event {place.event_id}>"
    for message in db.session.query(Message):
        words[message.message_id.strip("<>").partition("@")[0]] = "<message>"
    return words


def sections(sent: Sent, random: dict[str, str]) -> dict[str, str]:
    """Return a mail as a person reads it: the subject, the headers of the mail as they are, then each part.

    A part is its headers as they are and what it says: decoded, calendars unfolded.
    """
    found = {"subject": str(sent.mail["Subject"]), "headers": _headers(sent.mail), **_parts(sent.mail, "part ")}
    return {title: _with_words(text, random).strip("\n") for title, text in found.items()}


def _parts(mail: EmailMessage, number: str) -> dict[str, str]:
    found = {}
    for count, part in enumerate(mail.iter_parts(), 1):
        title = f"{number}{count}: {part.get_content_type()}"
        if part.is_multipart():
            found |= {title: _headers(part), **_parts(part, f"{number}{count}.")}
        else:
            found[title] = f"{_headers(part)}\n\n{_said(part)}"
    return found


def _headers(part: EmailMessage) -> str:
    """Return headers in their order, folded and encoded as they are."""
    return _lines("\n".join(f"{name}: {value}" for name, value in part.raw_items()))


def _said(part: EmailMessage) -> str:
    text = _lines(part.get_content())
    return re.sub(r"\n[ \t]", "", text) if part.get_content_type() == "text/calendar" else text


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _with_words(text: str, random: dict[str, str]) -> str:
    for value, word in random.items():
        text = text.replace(value, word)
    return text


def written(found: dict[str, str]) -> str:
    """Return the file of a mail."""
    return "\n\n".join(f"=== {title}\n{text}" for title, text in found.items()) + "\n"


def stored() -> dict[str, dict[str, str]]:
    """Return the sections of each mail that is stored, by its name."""
    return {path.stem: _read(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.txt"))}


def _read(text: str) -> dict[str, str]:
    titled = (part.partition("\n") for part in re.split(r"(?:\A|\n\n)=== ", text)[1:])
    return {title: said.rstrip("\n") for title, _, said in titled}


if __name__ == "__main__":
    played = play()
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for sent in played.mails:
        (FOLDER / f"{sent.name}.txt").write_text(written(sections(sent, played.random)), encoding="utf-8")
