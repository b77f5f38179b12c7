"""The demonstration as its visitors meet it: served, with a scheduler, rows to look at, and a mailbox."""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page

from booking.bookings import actions, changes, policy, queries
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.models import Audience, Event, EventStatus, Kind, Promotion, Series, Venue, Visibility, WhoMayBook
from booking.core.clock import now, today
from booking.core.db import Base, db
from booking.core.tokens import link_token, new_key
from booking.deadlines.actions import answer
from booking.deadlines.models import Answer, Ask, ReturnStatus
from booking.deadlines.policy import Said
from booking.deadlines.queries import RETURN_LINK, returns_of
from booking.digests.models import DigestIssue, DigestSubscription
from booking.digests.queries import CONFIRM_LINK, OWN_LINK
from booking.directory import actions as directory
from booking.directory.models import Person, SchoolContact
from booking.directory.queries import find_person
from booking.invitations.models import InvitedSchool
from booking.invitations.queries import board
from booking.notifications.models import Message, MessageStatus
from booking.reminders.mail import SUBSCRIPTION_LINK
from booking.reminders.models import Subscription
from tests import databases, processes
from tests.factories import make_area, make_booking, make_category, make_event, make_organiser, make_person, sign_in

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
BROWSER_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
ORGANISER, LEAD, SENCO, NEWCOMER = "organiser@example.org", "lead@example.org", "senco@example.org", "new@example.org"
MAIL_ARRIVES_WITHIN = 5.0
_MAIL = re.compile(r'<th scope="row"><a href="([^"]+)">(.*?)</a></th><td data-label="To">(.*?)</td>')


def find_browser() -> str:
    """Return the path of a browser. Raises RuntimeError where there is none: tests must not pass by leaving it out."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise RuntimeError(f"NO BROWSER: install chromium; looked for {', '.join(BROWSERS)}")
    return found


@dataclass(frozen=True, slots=True)
class Site:
    """A served installation: its address, its rows by name, and the session cookie of each person."""

    address: str
    known: SimpleNamespace
    sessions: dict[str, str]


@contextmanager
def demonstration(folder: Path) -> Iterator[Site]:
    """Serve a freshly loaded demonstration with more rows of its kind, and run its scheduler."""
    url = databases.new_sqlite(folder)
    with processes.web(url, DEMO="1") as address:
        loaded = processes.command(url, "demo", "load", DEMO="1", BASE_URL=address)
        assert loaded.returncode == 0, loaded.stderr
        app = databases.make_app(url, DEMO="1", BASE_URL=address)
        with app.app_context():
            make_person(NEWCOMER, name="")
            known = rows()
        site = Site(address, known, _sessions(app, ORGANISER, LEAD, SENCO, NEWCOMER))
        databases.close(app)
        scheduler = processes.scheduler(url, DEMO="1", BASE_URL=address)
        try:
            yield site
        finally:
            scheduler.terminate()
            scheduler.communicate(timeout=20)


@contextmanager
def empty_installation(folder: Path) -> Iterator[Site]:
    """Serve an installation that has an area and an organiser, and nothing else."""
    url = databases.new_sqlite(folder)
    app = databases.make_app(url)
    with app.app_context():
        make_area()
        make_organiser(ORGANISER)
    sessions = _sessions(app, ORGANISER)
    databases.close(app)
    with processes.web(url, workers=1, DEMO="1") as address:
        yield Site(address, SimpleNamespace(), sessions)


def _sessions(app: Flask, *emails: str) -> dict[str, str]:
    """Return the cookie with which each of these people is signed in."""
    cookies = {}
    for email in emails:
        client = app.test_client()
        with app.app_context():
            person = find_person(email)
        sign_in(client, person)
        cookies[email] = client.get_cookie("session").value
    return cookies


def rows() -> SimpleNamespace:
    """Add to the demonstration what its pages may have to show besides, and return all of it by name."""
    known = SimpleNamespace(full=_full_event(), other_day=school_days()[1], **_events())
    known.deadline, known.milestone = (_next(kind) for kind in (Kind.DEADLINE, Kind.MILESTONE))
    _book(known)
    known.sign_in_link = directory.sign_in_link(SENCO)
    known.asks = db.session.scalars(
        sa.select(Event).join(Ask).where(Ask.answer == Answer.REQUIRED).order_by(Event.day).limit(1)
    ).one()
    known.returns = {
        name: link_token(RETURN_LINK, row.key)
        for name, status in (("open", ReturnStatus.OUTSTANDING), ("done", ReturnStatus.SUBMITTED))
        for row in [next(one for one in returns_of(known.asks.id) if one.status is status)]
    }
    known.inviting = db.session.scalars(sa.select(Event).join(InvitedSchool).distinct()).one()
    lines = board(known.inviting)
    known.invitations = {
        name: link_token(queries.INVITATION_LINK, row.invitations[0].key)
        for name, row in (
            ("open", next(one.row for one in lines if one.contacts and not one.row.said_no_at)),
            ("no", next(one.row for one in lines if one.row.said_no_at)),
        )
    }
    own = db.session.scalars(sa.select(SchoolContact).where(SchoolContact.email == SENCO)).one()
    known.own_school = {"school_id": own.school_id}
    known.own_contact = {"school_id": own.school_id, "contact_id": own.id}
    subscription = db.session.scalars(sa.select(Subscription)).first()
    known.optional = db.session.scalars(
        sa.select(Event).join(Ask).where(Ask.answer == Answer.OPTIONAL).order_by(Event.day.desc()).limit(1)
    ).one()
    silent = returns_of(known.optional.id)[0]
    answer(silent, Said.NOT_THIS_YEAR, who="Priya Nair")
    known.returns["silent"] = link_token(RETURN_LINK, silent.key)
    known.subscription, known.stopped = (link_token(SUBSCRIPTION_LINK, key) for key in (subscription.key, new_key()))
    known.digest = _digest()
    refused = db.session.scalars(sa.select(Message).order_by(Message.id).limit(1)).one()
    refused.status, refused.outcome = MessageStatus.FAILED, "550 5.1.1 There is no mailbox of that name here"
    sent = sa.select(Message).where(Message.calendar.is_not(None), Message.status == MessageStatus.SENT)
    known.mail = db.session.scalars(sent).first()
    db.session.commit()
    kept = ("id", "title", "slug", "path", "day", "subject")
    for name, row in vars(known).items():
        if isinstance(row, Base):  # a row outlives its session as plain values
            setattr(known, name, SimpleNamespace(**{key: getattr(row, key) for key in kept if hasattr(row, key)}))
    return known


def _digest() -> dict[str, str]:
    """Add somebody who has not confirmed; return the links of the weekly mail, and the week of its last issue."""
    subscriber = db.session.scalars(sa.select(DigestSubscription).order_by(DigestSubscription.id)).first()
    waiting = DigestSubscription(area_id=subscriber.area_id, email="waiting@example.org", confirm_key=new_key())
    db.session.add(waiting)
    db.session.flush()
    return {
        "own": link_token(OWN_LINK, subscriber.key),
        "gone": link_token(OWN_LINK, new_key()),
        "confirm": link_token(CONFIRM_LINK, waiting.confirm_key),
        "confirmed": link_token(CONFIRM_LINK, subscriber.confirm_key),
        "too_late": link_token(CONFIRM_LINK, new_key()),
        "week": db.session.scalar(sa.select(sa.func.max(DigestIssue.week))).isoformat(),
    }


def school_days() -> list[date]:
    """Return two days on which an event takes bookings and, for a day at least, free places go on by themselves."""
    coming = db.session.scalars(
        sa.select(Event).where(Event.takes_bookings, Event.day > today() + timedelta(days=3)).order_by(Event.day)
    )
    tomorrow = now() + timedelta(days=1)
    days = [event.day for event in coming if policy.promotes_until(event, *queries.school_days_round(event)) > tomorrow]
    return sorted(set(days))[:2]


def _full_event() -> Event:
    """Return the demonstration's full event, on a day so far off that whoever waits comes in without an organiser."""
    full = db.session.scalars(
        sa.select(Event).where(Event.taken == Event.capacity, Event.last_position > 0, Event.day >= today())
    ).one()
    full.day, full.closes_at = school_days()[0], None
    db.session.commit()
    return full


def _next(kind: Kind) -> Event:
    public = sa.select(Event).where(Event.kind == kind, Event.visibility == Visibility.PUBLIC)
    return db.session.scalars(public.order_by(Event.day < today(), Event.day)).first()


def _events() -> dict[str, Event]:
    training = make_category("Workshops and training").id
    venue = db.session.scalars(sa.select(Venue).where(Venue.name == "Oak Suite")).one()
    audiences = list(db.session.scalars(sa.select(Audience)))
    values = {"category_id": training, "venue": venue, "in_days": 45}
    return {
        "open": make_event(
            "Writing support plans that families can read",
            description="Bring **one plan** of yours:\n\n- what it says\n- what it means\n\nSee [the guide](https://example.org/).",
            cost="£20, free for maintained schools",
            joining_link="https://meet.example.org/a-rather-long-name-for-a-room-without-any-place-to-break",
            audiences=audiences,
            **values,
        ),
        "twilight": make_event("Twilight for new SENCos", **values),
        "course": make_event("Two days on autism", last_day=today() + timedelta(days=46), capacity=None, **values),
        "narrow": make_event("A talk in a small room", capacity=1, **values),
        "nobody": make_event("A talk that nobody has found yet", **values),
        "private": make_event("Support group for fathers", private=True, **values),
        "staff": make_event("Moderation for SENCos", visibility=Visibility.STAFF, **values),
        "team": make_event("Team away day", visibility=Visibility.TEAM, takes_bookings=False, **values),
        "soon": make_event("Emotional wellbeing, level 1", opens_at=now() + timedelta(days=9), per_school=2, **values),
        "asked": make_event(
            "Emotional wellbeing, level 2",
            who_may_book=WhoMayBook.AUDIENCE,
            audiences=audiences[:3],
            per_school=2,
            per_school_until=now() + timedelta(days=30),
            changes_until_hours=48,
            **values,
        ),
        "invited": make_event(
            "Emotional wellbeing, level 3",
            who_may_book=WhoMayBook.INVITED,
            invitation_key=new_key(),
            promotion=Promotion.OFFER,
            **{**values, "capacity": 90},
        ),
        "closed": make_event("Safeguarding update", closes_at=now() - timedelta(hours=1), **values),
        "past": make_event("Sensory circuits, level 1", **{**values, "in_days": -10}),
        "cancelled": make_event(
            "Sensory circuits, level 2",
            status=EventStatus.CANCELLED,
            cancelled_at=now(),
            cancel_note="The speaker is ill. A new date follows.",
            **values,
        ),
        "draft": make_event("Attachment in the classroom", status=EventStatus.DRAFT, **values),
        "stale": make_event("Handwriting without tears", status=EventStatus.DRAFT, **values),
    }


def _book(known: SimpleNamespace) -> None:
    """Book places of every status, for Priya Nair too."""
    priya = db.session.scalars(sa.select(Person).where(Person.email == SENCO)).one()
    by, daniel = Contact(priya.name, SENCO, priya.school_id), NewPlace("Daniel Achebe", "daniel.achebe@example.org")
    me = NewPlace(priya.name, SENCO)
    long = "maximiliana.featherstonehaugh-cholmondeley@st-bartholomews-church-of-england-primary.example.org"
    both = actions.book(known.open, by=by, places=[me, daniel], needs="Large print, and a seat near the door.")
    mixed = actions.book(known.narrow, by=by, places=[me, daniel], together=False)
    given_back = actions.book(known.open, by=Contact("Ada Obi", "ada@example.org"), places=[NewPlace("Ada Obi")])
    actions.cancel(given_back)
    guest = Contact("Maximiliana Featherstonehaugh-Cholmondeley", long)
    waiting = actions.book(known.narrow, by=guest, places=[NewPlace(guest.name, long), NewPlace("Anna-Sophie")])
    make_booking(known.past, priya.name, SENCO)
    called_off = make_booking(known.cancelled, priya.name, SENCO)
    held = _held(priya, known.course)
    changed = actions.book(known.course, by=Contact("Ravi Shah", "ravi@example.org"), places=[daniel, NewPlace("Uma")])
    changes.swap(changed.places[0], NewPlace("Anna-Sophie", long))
    made = {"both": both, "mixed": mixed, "waiting": waiting, "given_back": given_back, "called_off": called_off}
    made |= {"held": held, "changed": changed}
    known.bookings = {name: link_token(queries.BOOKING_LINK, one.key) for name, one in made.items()}
    known.places = {
        "confirmed": _link(both.places[1]),
        "waiting": _link(mixed.places[1]),
        "cancelled": _link(given_back.places[0]),
        "held": _link(held.places[0]),
        "handed_on": _link(changed.places[0]),
    }
    known.place_id, known.waiting_id = both.places[0].id, waiting.places[0].id
    series = Series(area_id=known.open.area_id, name="Writing and twilights")
    db.session.add(series)
    db.session.flush()
    known.open.series_id = known.twilight.series_id = series.id
    db.session.commit()


def _held(person: Person, event: Event) -> Booking:
    """Add a booking whose places are held until the day after tomorrow, whatever day it is."""
    booking = make_booking(event, person.name, person.email, status=PlaceStatus.WAITING)
    place, until = booking.places[0], now() + timedelta(days=2)
    place.status, place.offered_until, event.settle_at = PlaceStatus.OFFERED, until, until
    event.taken += 1
    db.session.commit()
    return booking


def _link(place: Place) -> str:
    return link_token(queries.PLACE_LINK, place.key)


class Mailbox:
    """The demonstration's mailbox, from now on: mails of before are left aside, and each is taken once."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seen = {address for address, _, _ in self._mails()}

    def take(self, to: str, subject: str, *, within: float = MAIL_ARRIVES_WITHIN) -> tuple[str, EmailMessage]:
        """Wait for a new mail with these words in its subject; return the address of its page, and the mail as sent."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            for address, its_subject, recipient in self._mails():
                if address not in self.seen and recipient == to and subject in its_subject:
                    self.seen.add(address)
                    raw = self.page.request.get(f"{address}.eml").body()
                    return address, message_from_bytes(raw, policy=default)
            self.page.wait_for_timeout(300)
        raise AssertionError(f"within {within} seconds no mail “{subject}” came to {to}")

    def _mails(self) -> list[tuple[str, str, str]]:
        """Return the address, subject and recipient of each mail; without drawing the page, which is long."""
        return [tuple(map(unescape, found)) for found in _MAIL.findall(self.page.request.get("/mailbox/").text())]
