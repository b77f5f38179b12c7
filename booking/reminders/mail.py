"""The mails of reminders: one template for each kind of reader, or the organiser's own words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from booking.bookings import queries as bookings_queries
from booking.calendar.mail import EventCard, event_card, sender_of
from booking.calendar.models import Event, Kind
from booking.calendar.wording import say_count, say_date, say_left, say_times
from booking.core.addresses import absolute
from booking.core.clock import now, today, wall
from booking.core.text import and_list, one_line
from booking.core.tokens import link_token
from booking.deadlines import mail as deadlines
from booking.deadlines import queries as deadlines_queries
from booking.deadlines.models import Answer, ReturnStatus
from booking.deadlines.policy import progress
from booking.directory.models import Person
from booking.notifications import outbox
from booking.notifications.merging import fill
from booking.notifications.models import Message
from booking.notifications.outbox import Words
from booking.reminders import planning, policy
from booking.reminders.models import ReminderRule, To
from booking.reminders.recipients import OF_SCHOOLS, Reader, address_of, has_own_letter

# All kinds of reminders begin so; a test to oneself is none.
KIND = "reminder"
TEST = "test_of_a_reminder"
SUBSCRIPTION_LINK = "subscription"
_TEMPLATES = {
    To.PLACES: "reminder",
    To.WAITING: "reminder_waiting",
    To.SUBSCRIBERS: "reminder_subscribed",
    To.HOSTS: "reminder_team",
    To.ORGANISERS: "reminder_team",
    To.SCHOOLS: "reminder_school",
    To.HEADTEACHERS: "reminder_school",
}
_WHY = {
    To.PLACES: "You get this because this address has a place at the event.",
    To.WAITING: "You get this because this address is on the waiting list of the event.",
    To.SUBSCRIBERS: "You get this because you asked to be told of these dates.",
    To.HOSTS: "You get this because the partnership has you down as host or facilitator.",
    To.ORGANISERS: "You get this because you belong to the partnership’s team.",
    To.SCHOOLS: "You get this as a contact of your school.",
    To.HEADTEACHERS: "You get this as headteacher, because your school has not answered yet.",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: to whom, about which readers (colleagues without an address share that of who booked)."""

    email: str
    name: str
    names: tuple[str, ...]
    link: str
    link_label: str
    unsubscribe: str = ""
    school: str = ""


def is_reminder(message: Message) -> bool:
    """Tell whether a message reminds of something."""
    return message.kind.startswith(KIND)


def post(event: Event, rule: ReminderRule, readers: Sequence[Reader]) -> list[tuple[Message, Sequence[Reader]]]:
    """Queue what a rule says to these readers. Returns each message with whom it is for.

    An attendee with an address gets their own, which names nobody else, also where several share the address.
    Who has none, or the booker's, is named to the booker.
    """
    if not readers:
        return []
    bookings_queries.load_surroundings(event)
    same = draft(event, rule)
    return [(_post(same, event, rule, letter_to(event, rule.to, mine)), mine) for mine in _shared(readers)]


def _shared(readers: Sequence[Reader]) -> list[list[Reader]]:
    """Put together who is written to in one mail."""
    letters: dict[object, list[Reader]] = {}
    for reader in readers:
        place = reader.place
        key = reader.key if place is None or has_own_letter(place) else (place.booking_id,)
        letters.setdefault(key, []).append(reader)
    return list(letters.values())


def letter_to(event: Event, to: To, readers: Sequence[Reader]) -> Letter:
    """Return to whom a mail about these readers goes, and which page of theirs it leads to."""
    first = readers[0]
    if first.place is not None:
        return _letter_of_places(readers)
    if first.owed is not None:
        link = deadlines.link_of(first.owed)
        return Letter(first.email, first.name, (), link, "Answer", school=first.owed.school.name)
    if to is To.SUBSCRIBERS:
        stop = absolute("reminders.stop", token=link_token(SUBSCRIPTION_LINK, first.subscription_key))
        return Letter(first.email, first.name, (), _page_of(event), "About the event", stop)
    if to is To.ORGANISERS:
        page = absolute("organiser.event", event_id=event.id)
        return Letter(first.email, first.name, (), page, "Open the event")
    return Letter(first.email, first.name, (), _page_of(event), "About the event")


def _page_of(event: Event) -> str:
    return absolute("calendar.event", event_id=event.id, slug=event.slug)


def _letter_of_places(readers: Sequence[Reader]) -> Letter:
    places = [reader.place for reader in readers if reader.place is not None]
    first = places[0]
    if has_own_letter(first):
        name, link = first.name, absolute("bookings.place", token=link_token(bookings_queries.PLACE_LINK, first.key))
    else:
        token = link_token(bookings_queries.BOOKING_LINK, first.booking.key)
        name, link = first.booking.name, absolute("bookings.booking", token=token)
    return Letter(address_of(first), name, tuple(place.name for place in places), link, "See or cancel")


def _post(same: dict[str, Any], event: Event, rule: ReminderRule, letter: Letter) -> Message:
    template, context = addressed(same, event, rule, letter)
    return outbox.post(template, to=letter.email, event_id=event.id, unsubscribe=letter.unsubscribe or None, **context)


def words_now(event: Event, rule: ReminderRule, letter: Letter) -> Words:
    """Return what a reminder says as things are now: it may have waited since it was queued."""
    bookings_queries.load_surroundings(event)
    template, context = composed(event, rule, letter)
    return outbox.write(template, **context)


def composed(event: Event, rule: ReminderRule, letter: Letter, *, on: date | None = None) -> tuple[str, dict[str, Any]]:
    """Return the template of a reminder and what it is filled with, as it reads on a day: today, unless said."""
    return addressed(draft(event, rule, on=on), event, rule, letter)


def draft(event: Event, rule: ReminderRule, *, on: date | None = None) -> dict[str, Any]:
    """Return what is the same in all mails of a rule: thousands may go at once."""
    card = event_card(event)
    if rule.to not in {To.PLACES, To.ORGANISERS, To.HOSTS}:
        card = replace(card, joining_link="")  # for those with a place, and those who hold the session
    context = {
        "sender": sender_of(event),
        "event": card,
        "left": say_left(on or today(), event.day),
        "is_deadline": event.kind is Kind.DEADLINE,
        "why": _WHY[rule.to],
    }
    if rule.to in OF_SCHOOLS:
        ask = deadlines_queries.find_ask(event.id)
        context |= deadlines.what_is_asked(event, ask) if ask else {}
    if rule.to in {To.HOSTS, To.ORGANISERS} and not rule.text:
        context |= {"numbers": _numbers(event), "after": rule.after}
    return context


def addressed(draft: dict[str, Any], event: Event, rule: ReminderRule, letter: Letter) -> tuple[str, dict[str, Any]]:
    """Return the template of a reminder and what it is filled with for one letter."""
    context = {
        **draft,
        "to_name": letter.name,
        "names": letter.names,
        "link": letter.link,
        "link_label": letter.link_label,
        "unsubscribe_link": letter.unsubscribe,
        "school": letter.school,
    }
    if rule.text:
        values = merge_values(event, letter, draft["event"], draft["left"])
        own = {"own_subject": fill(rule.subject, values), "own_text": fill(rule.text, values)}
        return "reminder_own", context | own
    if rule.to is To.PLACES and rule.after:
        return "reminder_after", context
    return _TEMPLATES[rule.to], context


def merge_values(event: Event, letter: Letter, card: EventCard, left: str) -> dict[str, str]:
    """Return what each merge word stands for. A name with a line break in it cannot change the shape of the mail."""
    return {
        "name": one_line(letter.name),
        "event": one_line(event.title),
        "when": card.when,
        "date": say_date(event.day, event.last_day),
        "time": say_times(event.starts, event.ends),
        "left": left,
        "where": card.where,
        "names": and_list(one_line(name) for name in letter.names),
        "link": letter.link,
        "partnership": event.area.name,
        "school": letter.school,
    }


def _numbers(event: Event) -> str:
    """Return how many come, in a sentence, or who has answered; nothing where nobody is asked."""
    if event.kind is Kind.DEADLINE:
        return _who_has_answered(event)
    if not event.takes_bookings:
        return ""
    waiting = bookings_queries.waiting_counts([event.id]).get(event.id, 0)
    of = f" of {event.capacity}" if event.capacity is not None else ""
    return f"{event.taken}{of} places are taken" + (
        f", {say_count(waiting, 'person waits', 'people wait')}." if waiting else "."
    )


def _who_has_answered(event: Event) -> str:
    """Return how many schools have answered a closing date, and the names of those that have not."""
    ask = deadlines_queries.find_ask(event.id)
    if ask is None or ask.answer is Answer.NONE:
        return ""
    lines = deadlines_queries.board(event, ask)
    found = progress([line.row for line in lines], closes_at=deadlines_queries.closes_at(event))
    said = f"{found.answered} of {found.owed} schools have answered."
    waiting = [line for line in lines if line.row.status is ReturnStatus.OUTSTANDING]
    if ask.answer is Answer.OPTIONAL or not waiting:
        return said
    names = [line.row.school.name + ("" if line.contacts else " (no contact)") for line in waiting]
    return f"{said} Outstanding: {'; '.join(names)}."


def test_to(event: Event, rule: ReminderRule, *, to: Person) -> Message:
    """Queue a reminder as it would be, to somebody of the team. It names an invented attendee, and opens no booking."""
    template, context = sample(event, rule, to)
    return outbox.post(template, kind=TEST, to=to.email, event_id=event.id, test=True, **context)


def sample(event: Event, rule: ReminderRule, person: Person) -> tuple[str, dict[str, Any]]:
    """Return what a rule would say on the day it goes, about somebody invented: its template and the values."""
    bookings_queries.load_surroundings(event)
    wanted = policy.Rule(0, planning.timing_of(rule), now(), rule.to)
    at = policy.due_at(wanted, planning.times_of(event), planning.kind_hours(event.area, event.day))
    return composed(event, rule, sample_letter(event, rule.to, person), on=wall(at).date())


def sample_letter(event: Event, to: To, person: Person) -> Letter:
    """Return a letter to show or to try: about somebody invented."""
    label = {To.PLACES: "See or cancel", To.ORGANISERS: "Open the event"}.get(to, "About the event")
    names = ("Priya Nair",) if to in {To.PLACES, To.WAITING} else ()
    page = _page_of(event)
    stop = page if to is To.SUBSCRIBERS else ""
    if to in OF_SCHOOLS:
        return Letter(person.email, person.name or person.email, (), page, "Answer", school="Oakhurst Primary School")
    return Letter(person.email, person.name or person.email, names, page, label, stop)
