"""The mail that invites a school: the organiser's words, a link to book, and one to say that nobody can come."""

from dataclasses import dataclass
from typing import Any

from booking.bookings.messages import WORDS, Text, filled
from booking.bookings.queries import INVITATION_LINK, load_surroundings
from booking.calendar.mail import event_card, sender_of
from booking.calendar.models import Event
from booking.core.addresses import absolute
from booking.core.tokens import link_token
from booking.directory.models import Person
from booking.invitations.models import Invitation
from booking.notifications import outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Priority, Words

INVITATION, TEST = "invitation", "test_of_an_invitation"
MERGE_WORDS = (*WORDS, "school")
NOBODYS_LINK = "their-own-link"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: to whom, of which school, with which links."""

    email: str
    name: str
    school: str
    book_link: str
    no_link: str


def letter_for(invitation: Invitation) -> Letter:
    """Return the mail of an invitation, with the links of its contact."""
    event, contact = invitation.invited.event, invitation.contact
    token = link_token(INVITATION_LINK, invitation.key)
    return Letter(contact.email, contact.name, invitation.invited.school.name, *_links(event, token))


def _links(event: Event, token: str) -> tuple[str, str]:
    book = absolute("bookings.book", event_id=event.id, invitation=token)
    return book, absolute("invitations.answer", token=token)


def post(event: Event, letter: Letter, words: Text) -> Message:
    """Queue an invitation."""
    return _post(INVITATION, event, letter, words)


def post_test(event: Event, words: Text, *, to: Person) -> Message:
    """Queue an invitation as it would be, to somebody of the team. Its links are nobody's."""
    return _post(TEST, event, sample(event, to.email, to.name or to.email, "Oakhurst Primary School"), words)


def _post(kind: str, event: Event, letter: Letter, words: Text) -> Message:
    message = outbox.post(
        "invitation",
        kind=kind,
        to=letter.email,
        event_id=event.id,
        priority=Priority.WHENEVER,
        test=kind == TEST,
        **_context(event, letter, words),
    )
    message.automatic = False  # somebody wrote it
    return message


def words_now(event: Event, letter: Letter, words: Text) -> Words:
    """Return what an invitation says as things are now."""
    return outbox.write("invitation", test=False, **_context(event, letter, words))


def sample(event: Event, email: str, name: str, school: str) -> Letter:
    """Return a letter to show: its links are nobody's."""
    return Letter(email, name, school, *_links(event, NOBODYS_LINK))


def _context(event: Event, letter: Letter, words: Text) -> dict[str, Any]:
    load_surroundings(event)
    card = event_card(event)
    return {
        **filled(words, card, name=letter.name, link=letter.book_link, school=letter.school),
        "to_name": letter.name,
        "sender": sender_of(event),
        "event": card,
        "school": letter.school,
        "book_link": letter.book_link,
        "no_link": letter.no_link,
    }
