"""Feeds behind a token: one person's own, for staff, for the team, of a school.

Each token is the owner's random key, signed for one kind of feed: the owner can be shown it again, a row alone gives
nobody an address, and a new key stops the old ones. That of a contact for the feed of their school holds both keys, and
ends with their time. What is signed by us but belongs to nobody has been stopped: 410.
A file does not say its own address, as files of a calendar are passed on.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Protocol

from flask import abort, current_app, request
from flask.typing import ResponseReturnValue

from booking.bookings.models import PlaceStatus
from booking.calendar.entry import entry_of
from booking.calendar.ical import CalendarEntry
from booking.calendar.policy import Reader
from booking.calendar.terms import calendars_begin
from booking.core.addresses import absolute
from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.tokens import key_of, link_token
from booking.deadlines.models import ReturnStatus
from booking.directory.guards import Visitor, area, by_link
from booking.directory.models import Person, School
from booking.feeds import queries
from booking.feeds.age import WRITTEN_BY, last_changed
from booking.feeds.cache import Feed, feeds
from booking.feeds.files import FOR_ONE, answer_with, is_known, written
from booking.feeds.queries import State
from booking.feeds.views import bp

MINE, STAFF, TEAM, SCHOOL = "feed", "feed for staff", "feed for the team", "feed of a school"
ALARMS = {"day": timedelta(days=1), "week": timedelta(weeks=1)}


def addresses_of(person: Person) -> dict[str, str]:
    """Return the addresses of a person's own feeds by kind: `my`, and `staff` and `team` where they belong to it."""
    who, area_id = Visitor(person), area().id
    kinds = {"my": MINE}
    if who.is_staff(area_id):
        kinds["staff"] = STAFF
    if who.is_in_team(area_id):
        kinds["team"] = TEAM
    return {
        kind: absolute(f"feeds.{kind}", token=link_token(purpose, person.feed_key)) for kind, purpose in kinds.items()
    }


@bp.app_template_global("feed_of_school")
def address_of_school(school: School) -> str:
    """Return the address of a school's feed: for the school itself, whoever is its contact."""
    return absolute("feeds.school", token=link_token(SCHOOL, school.feed_key))


def address_of_contact(school: School, person: Person) -> str:
    """Return the address of a school's feed for one of its contacts: it stops when they leave."""
    return absolute("feeds.school", token=link_token(SCHOOL, queries.key_of_contact(school, person)))


@bp.get("/feeds/my/<token>.ics")
@by_link
def my(token: str) -> ResponseReturnValue:
    """Give somebody's own places (held and waiting ones as tentative), and closing dates.

    They are those of the schools that name them. For whoever says only that they are from a school, they are those
    that concern all schools, and ring whatever it has answered.
    """
    key, state = _owner(MINE, token, queries.state_of_person)
    alarms = _alarms()

    def make() -> bytes:
        person, here = queries.person_with(key), area()
        named_by = queries.schools_that_name(person.email)
        if named_by:
            due = _closing_dates(here.id, named_by, alarms)
        elif person.school:
            due = _closing_dates_for_all(here.id, alarms)
        else:
            due = []
        return written(f"My bookings – {here.short_name}", [*_places(person), *due], page=absolute("bookings.my"))

    return _answer((MINE, alarms, state), make)


@bp.get("/feeds/school/<token>.ics")
@by_link
def school(token: str) -> ResponseReturnValue:
    """Give the closing dates of a school, and the events at which somebody of it has a place; nobody's name."""
    key, state = _owner(SCHOOL, token, queries.state_of_school)
    alarms = _alarms()

    def make() -> bytes:
        found = queries.school_with(key)
        entries = [entry_of(event) for event in queries.events_of_school(found, today=today())]
        name = f"{found.name} – {area().short_name}"
        due = _closing_dates(found.area_id, [found], alarms)
        return written(name, [*entries, *due], page=absolute("calendar.events"))

    return _answer((SCHOOL, alarms, state), make)


@bp.get("/feeds/staff/<token>.ics")
@by_link
def staff(token: str) -> ResponseReturnValue:
    """Give what staff see, for as long as they are staff."""
    key, _ = _owner(STAFF, token, queries.state_of_person)
    if not Visitor(queries.person_with(key)).is_staff(area().id):
        abort(410)
    return _shared(f"For staff – {area().short_name}", queries.STAFF)


@bp.get("/feeds/team/<token>.ics")
@by_link
def team(token: str) -> ResponseReturnValue:
    """Give everything on the calendar to who is in the team; drafts, marked so, to organisers alone."""
    key, _ = _owner(TEAM, token, queries.state_of_person)
    who = Visitor(queries.person_with(key))
    if not who.is_in_team(area().id):
        abort(410)
    reader = Reader(staff=True, in_team=True, organiser=who.organises(area().id))
    return _shared(f"Everything – {area().short_name}", reader)


class _StateOf(Protocol):
    def __call__(self, key: str, *, today: date) -> State | None: ...


def _owner(purpose: str, token: str, state_of: _StateOf) -> tuple[str, State]:
    """Return the owner's key, and what decides their feed: 404 for what we never gave out, 410 for what was stopped."""
    key = key_of(purpose, token) or abort(404)
    return key, state_of(key, today=today()) or abort(410)


def _alarms() -> tuple[timedelta, ...]:
    """Return how long before a closing date the calendar should ring, as the address says."""
    asked = [name for name in request.args.getlist("alarm") if name]
    for name in asked:
        if name not in ALARMS:
            raise Refused(f"There is no alarm called “{name[:60]}”. Choose day, week or both.", field="alarm")
    return tuple(length for name, length in ALARMS.items() if name in asked)


def _places(person: Person) -> Iterable[CalendarEntry]:
    """Give the entries of somebody's places, one for each event: a confirmed place counts before one that waits."""
    places = queries.places_of(person.email, today=today())
    seen: set[int] = set()
    for place in sorted(places, key=lambda one: one.status is not PlaceStatus.CONFIRMED):
        if place.event_id not in seen:
            seen.add(place.event_id)
            status = "CONFIRMED" if place.status is PlaceStatus.CONFIRMED else "TENTATIVE"
            yield entry_of(place.event, own=True, status=status)


def _closing_dates(area_id: int, schools: Sequence[School], alarms: tuple[timedelta, ...]) -> list[CalendarEntry]:
    """Return the entries of the closing dates of schools; nothing rings for what all of them have answered."""
    found = queries.closing_dates(area_id, schools, today=today())
    return [
        entry_of(event, alarms=alarms if answers & {None, ReturnStatus.OUTSTANDING} else (), reader=queries.STAFF)
        for event, answers in found
    ]


def _closing_dates_for_all(area_id: int, alarms: tuple[timedelta, ...]) -> list[CalendarEntry]:
    """Return the entries of the closing dates that concern all schools, whatever any of them has answered."""
    found = queries.closing_dates_for_all(area_id, today=today())
    return [entry_of(event, alarms=alarms, reader=queries.STAFF) for event in found]


def _shared(name: str, reader: Reader) -> ResponseReturnValue:
    """Answer with one feed for all tokens of its kind, kept by the calendar's version."""
    here = area()

    def make() -> Feed:
        entries = [entry_of(event, reader=reader) for event in queries.all_events(here.id, reader, today=today())]
        changed_at = last_changed(here.calendar_changed_at, day=today())
        return Feed(written(name, entries, page=absolute("calendar.events")), changed_at)

    return answer_with(
        feeds.get((str(db.engine.url), here.id, here.calendar_version, name, reader, calendars_begin(today())), make),
        FOR_ONE,
    )


def _answer(what: tuple[object, ...], make: Callable[[], bytes]) -> ResponseReturnValue:
    """Answer with a feed of one owner; made only where the client does not have it already."""
    decides = (what, calendars_begin(today()), current_app.config["BASE_URL"], WRITTEN_BY)
    etag = hashlib.sha256(repr(decides).encode()).hexdigest()[:32]
    return answer_with(Feed(b"" if is_known(etag) else make(), None, etag), FOR_ONE)
