"""The mails of the digest: an issue, and what confirms a subscription."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from booking.bookings import queries as bookings_queries
from booking.bookings.models import Place, PlaceStatus
from booking.bookings.standing import current
from booking.calendar.markup import as_html, as_text
from booking.calendar.models import Event
from booking.calendar.wording import say_day_short, say_time
from booking.core.addresses import absolute
from booking.core.clock import now
from booking.core.text import one_line
from booking.core.tokens import link_token
from booking.deadlines import queries as deadlines_queries
from booking.deadlines.models import Answer
from booking.digests import queries
from booking.digests.models import DigestIssue, DigestSubscription
from booking.digests.policy import Edition, Entry, Told
from booking.digests.wording import SAY_CHANGE, SAY_STATUS, say_news, say_when
from booking.directory.models import Area, Person
from booking.directory.queries import find_person
from booking.notifications import outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Priority, Sender, Words

KIND, TEST, CONFIRM, KNOWN = "digest", "test_of_a_digest", "digest_confirm", "digest_known"


@dataclass(frozen=True, slots=True)
class Line:
    """A booking or a return of the reader, in words."""

    title: str
    when: str
    standing: str


@dataclass(frozen=True, slots=True)
class Own:
    """What an issue says to one reader alone. Of what is private only a number: mails are passed on (rule 7)."""

    bookings: tuple[Line, ...] = ()
    unnamed: int = 0
    owed: tuple[Line, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing."""
        return not (self.bookings or self.unnamed or self.owed)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom an issue goes to; without a link of their own (a test) they cannot stop it."""

    email: str
    name: str = ""
    link: str = ""


NOBODYS = Own()


def sender_of(area: Area) -> Sender:
    """Return in whose name an area's digest goes."""
    return Sender(area.name, area.email or None, area.id)


def own_of(area: Area, email: str, *, until: date) -> Own:
    """Return the bookings to come of an address, and what the schools that name it as a contact owe until a day."""
    found = [(one.event, current(one.places)) for one in bookings_queries.bookings_of(email)]
    found += [(one.event, current([one])) for one in bookings_queries.places_booked_for(email)]
    coming = [(event, _active(places)) for event, places in found if _is_coming(event, area)]
    held = sorted(((event, those) for event, those in coming if those), key=lambda one: one[0].starts_at)
    return Own(
        bookings=tuple(Line(one.title, _when(one), _standing(those)) for one, those in held if not one.private),
        unnamed=sum(event.private for event, _ in held),
        owed=tuple(
            Line(one.event.title, _closes(one.event), one.school.name)
            for one in deadlines_queries.owed_by_schools_of(email)
            if one.event.area_id == area.id and one.event.day <= until and _must_answer(one.event)
        ),
    )


def _is_coming(event: Event, area: Area) -> bool:
    return event.area_id == area.id and not event.is_cancelled and event.ends_at > now()


def _must_answer(event: Event) -> bool:
    """Tell whether each school owes an answer: of what is optional nobody is outstanding."""
    asked = deadlines_queries.find_ask(event.id)
    return asked is not None and asked.answer is Answer.REQUIRED


def _active(places: Iterable[Place]) -> list[Place]:
    return [place for place in places if place.status is not PlaceStatus.CANCELLED]


def _when(event: Event) -> str:
    return f"{say_day_short(event.day)}, {say_time(event.starts)}" if event.starts else say_day_short(event.day)


def _closes(event: Event) -> str:
    closed = deadlines_queries.closes_at(event) <= now()
    by = f", {say_time(event.starts)}" if event.starts else ""
    return f"{'closed on' if closed else 'closes on'} {say_day_short(event.day)}{by}"


def _standing(places: list[Place]) -> str:
    """Return `booked`, or for several places `2 booked, 1 on the waiting list`."""
    if len(places) == 1:
        return SAY_STATUS[places[0].status]
    counts = Counter(place.status for place in places)
    return ", ".join(f"{counts[status]} {words}" for status, words in SAY_STATUS.items() if counts[status])


def reader_of(subscription: DigestSubscription) -> Reader:
    """Return a subscriber as a mail addresses them."""
    person = find_person(subscription.email)
    token = link_token(queries.OWN_LINK, subscription.key)
    return Reader(subscription.email, person.name if person else "", token)


def told_to(edition: Edition, subscription: DigestSubscription) -> Told:
    """Return what an edition says to a subscriber."""
    return edition.read_by(
        queries.visibilities_for(subscription.area_id, subscription.email), queries.choice_of(subscription)
    )


def composed(
    area: Area, edition: Edition, introduction: str, reader: Reader, *, told: Told, own: Own, page: str
) -> dict[str, Any]:
    """Return what the templates of an issue are filled with. None of its links opens a booking: mails are passed on."""
    links = {name: absolute(f"digests.{name}", token=reader.link) if reader.link else "" for name in ("change", "stop")}
    return {
        "to_name": one_line(reader.name),
        "sender": sender_of(area),
        "area": area,
        "own": own,
        "page": page,
        "my_page": absolute("bookings.my"),
        "change_link": links["change"],
        "stop_link": links["stop"],
        **said(edition, introduction, told),
    }


def said(edition: Edition, introduction: str, told: Told) -> dict[str, Any]:
    """Return what pages and mails alike say of an issue to a reader."""
    return {
        "on": edition.on,
        "told": told,
        "introduction": as_html(introduction),
        "introduction_text": as_text(introduction),
        "link_of": link_of,
        "say_when": say_when,
        "say_news": say_news,
        "say_change": SAY_CHANGE,
    }


def link_of(entry: Entry) -> str:
    """Return the whole address of an event's page."""
    return absolute("calendar.event", event_id=entry.id, slug=entry.slug)


def _page_of(issue: DigestIssue) -> str:
    return absolute("digests.issue", week=issue.week.isoformat())


def issue_for(issue: DigestIssue, edition: Edition, subscription: DigestSubscription) -> dict[str, Any] | None:
    """Return what the templates of an issue are filled with for a subscriber, as it is now; None where it is empty."""
    told, own = told_to(edition, subscription), own_of(issue.area, subscription.email, until=edition.until)
    if told.is_empty and own.is_empty and not issue.introduction:
        return None
    reader = reader_of(subscription)
    return composed(issue.area, edition, issue.introduction, reader, told=told, own=own, page=_page_of(issue))


def post_issue(
    issue: DigestIssue, edition: Edition, subscription: DigestSubscription, *, useless_after: datetime
) -> Message | None:
    """Queue an issue for a subscriber, behind all other mail; nothing where it says nothing to them."""
    context = issue_for(issue, edition, subscription)
    if context is None:
        return None
    return outbox.post(
        KIND,
        to=subscription.email,
        priority=Priority.WHENEVER,
        useless_after=useless_after,
        unsubscribe=context["stop_link"],
        list_name=f"digest.{issue.area.slug}",
        **context,
    )


def words_now(issue: DigestIssue, edition: Edition, subscription: DigestSubscription) -> Words | None:
    """Return what an issue says to a subscriber as things are now; None where it says nothing any more."""
    context = issue_for(issue, edition, subscription)
    return outbox.write(KIND, **context) if context else None


def test_to(area: Area, edition: Edition, introduction: str, person: Person) -> None:
    """Queue an issue as it would be now, to somebody of the team, with their own bookings on top."""
    told = edition.read_by(queries.STAFF)
    context = composed(
        area,
        edition,
        introduction,
        Reader(person.email, person.name),
        told=told,
        own=own_of(area, person.email, until=edition.until),
        page=absolute("digests.latest"),
    )
    outbox.post(KIND, kind=TEST, to=person.email, test=True, **context)


def confirm(subscription: DigestSubscription, *, good_until: datetime) -> None:
    """Queue the mail whose link confirms a subscription."""
    outbox.post(
        CONFIRM,
        to=subscription.email,
        to_name="",
        sender=sender_of(subscription.area),
        priority=Priority.NOW,
        useless_after=good_until,
        area=subscription.area,
        chosen=say_choice(subscription),
        link=absolute("digests.confirm", token=link_token(queries.CONFIRM_LINK, subscription.confirm_key)),
        until=good_until,
    )


def known(subscription: DigestSubscription) -> None:
    """Queue the mail that says that an address gets the digest already, with the link to change it."""
    outbox.post(
        KNOWN,
        to=subscription.email,
        to_name="",
        sender=sender_of(subscription.area),
        priority=Priority.NOW,
        area=subscription.area,
        chosen=say_choice(subscription),
        link=absolute("digests.change", token=link_token(queries.OWN_LINK, subscription.key)),
    )


def say_choice(subscription: DigestSubscription) -> str:
    """Return what a subscriber hears of, in words."""
    names = [one.name for one in subscription.categories] + [one.name for one in subscription.audiences]
    return "; ".join(names) or "all dates"
