"""Write to the people of an event: each recipient once, with their own link, and nobody else named (rule 7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from booking.bookings import queries
from booking.bookings.mail import Letter, letters_of
from booking.bookings.models import Place, PlaceStatus
from booking.calendar.mail import EventCard, event_card, sender_of
from booking.calendar.models import Event
from booking.core import audit
from booking.core.addresses import absolute
from booking.core.audit import AuditEntry
from booking.core.db import atomic, db, lock
from booking.core.errors import refuse_unless
from booking.core.text import name_key
from booking.directory.models import Person
from booking.notifications import outbox
from booking.notifications.merging import fill
from booking.notifications.outbox import Priority, Words

WORDS = ("name", "event", "when", "where", "link")
WROTE = "wrote to the people of"


class Group(StrEnum):
    """Whom a message goes to, by what became of their places."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Text:
    """What an organiser typed: a subject of one line, and paragraphs, both with merge words."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody at an address, with what was booked: mostly one letter, more for who is in several bookings."""

    email: str
    name: str
    letters: tuple[tuple[str, Letter], ...]

    @property
    def links(self) -> list[str]:
        """Their own links."""
        return [letter.link for _, letter in self.letters]


def _in_paragraphs(text: str) -> list[list[str]]:
    """Return the lines of each paragraph: an empty line begins one."""
    return [part.strip("\n").split("\n") for part in re.split(r"\n[ \t]*\n", text) if part.strip()]


def recipients(event: Event, group: Group, *, school_id: int | None = None) -> list[Recipient]:
    """Return who would get a message: whoever booked, and each attendee with another address."""
    found: dict[tuple[str, str], list[tuple[str, Letter]]] = {}
    for booking in queries.active_bookings(event):
        places = [place for place in booking.places if _is_meant(place, group, school_id)]
        for letter in letters_of(booking, places) if places else []:
            found.setdefault((letter.email, name_key(letter.name)), []).append((booking.name, letter))
    return [Recipient(email, letters[0][1].name, tuple(letters)) for (email, _), letters in found.items()]


def _is_meant(place: Place, group: Group, school_id: int | None) -> bool:
    if school_id is not None and place.school_id != school_id:
        return False
    return place.status is not PlaceStatus.CANCELLED if group is Group.ALL else place.status == group.value


def preview(event: Event, recipient: Recipient, message: Text) -> Words:
    """Return the mail as this recipient gets it, but for their link: that is a right, and theirs alone."""
    masked = tuple(
        (name, replace(letter, link=absolute("bookings.booking", token="their-own-link")))  # noqa: S106  no password
        for name, letter in recipient.letters
    )
    queries.load_surroundings(event)
    shown = replace(recipient, letters=masked)
    return outbox.write("message", to_name=shown.name, sender=sender_of(event), **_context(event, shown, message))


@atomic
def send(
    event: Event, message: Text, *, by: Person, group: Group, school_id: int | None = None, form_key: str = ""
) -> int:
    """Write to everybody of this group (of one school). Returns how many mails; Raises Refused where there is nobody.

    The same form with the same words is sent once: again, it returns how many there were.
    """
    lock(event)
    request = sha256(repr((form_key, message, str(group), school_id)).encode()).hexdigest()[:16]
    sent = _sent_before(event, request) if form_key else None
    if sent is not None:
        return sent
    told = recipients(event, group, school_id=school_id)
    refuse_unless(told, "There is nobody to write to. Choose somebody else.", field="to")
    queries.load_surroundings(event)
    sender = sender_of(event)
    for one in told:
        row = outbox.post(
            "message",
            to=one.email,
            to_name=one.name,
            sender=sender,
            event_id=event.id,
            priority=Priority.WHENEVER,
            **_context(event, one, message),
        )
        row.automatic = False  # somebody wrote it
    audit.record(
        WROTE,
        "event",
        event.id,
        by=by,
        area_id=event.area_id,
        message=message.subject,
        to=str(group),
        told=len(told),
        form=request,
    )
    return len(told)


def _sent_before(event: Event, request: str) -> int | None:
    """Return how many had this very message before; None where nobody had."""
    details: Sequence[dict[str, Any]] = db.session.scalars(
        sa.select(AuditEntry.detail).where(
            AuditEntry.subject == "event", AuditEntry.subject_id == event.id, AuditEntry.action == WROTE
        )
    ).all()
    return next((int(detail["told"]) for detail in details if detail.get("form") == request), None)


def _context(event: Event, to: Recipient, message: Text) -> dict[str, Any]:
    card = event_card(event)
    said = filled(message, card, name=to.name, link=" ".join(to.links))
    return {**said, "event": card, "letters": to.letters}


def filled(words: Text, card: EventCard, *, name: str, link: str, **more: str) -> dict[str, Any]:
    """Return what an organiser typed as one reader gets it: subject, text, and its paragraphs.

    `more` are merge words besides those of every message.
    """
    where = card.where or "a place to be announced"
    values = {"name": name, "event": card.title, "when": card.when, "where": where, "link": link, **more}
    text = fill(words.text, values)
    return {"subject": fill(words.subject, values), "text": text, "paragraphs": _in_paragraphs(text)}
