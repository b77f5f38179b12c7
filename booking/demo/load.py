"""Fill an empty database with the demonstration."""

import random
from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from booking.bookings import actions as bookings
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.messages import Text
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.closing import put_with_meetings
from booking.calendar.models import (
    Audience,
    Category,
    Event,
    EventStatus,
    Host,
    Kind,
    Promotion,
    Series,
    Term,
    Venue,
    Visibility,
    WhoMayBook,
)
from booking.core.clock import now, on_the_wall, today
from booking.core.db import atomic, db
from booking.core.errors import Refused
from booking.core.text import name_key, slug
from booking.core.tokens import new_key
from booking.deadlines.actions import AskValues, set_ask
from booking.deadlines.models import Answer, ReturnStatus
from booking.deadlines.queries import returns_of
from booking.demo import people
from booking.demo.digests import add_digests
from booking.demo.plan import BY_INVITATION, DemoEvent, plan, terms_of, years_of
from booking.directory.models import (
    Area,
    ContactRole,
    Person,
    Phase,
    Role,
    RoleName,
    School,
    SchoolContact,
    SchoolGroup,
)
from booking.directory.queries import find_area, find_person
from booking.invitations.actions import invite
from booking.invitations.policy import Standing, why_nobody_is_invited
from booking.invitations.queries import Chosen, board
from booking.notifications.models import Message, MessageStatus
from booking.reminders.actions import DEADLINE_RULES, DEFAULT_RULES, NewRule, set_category_rules, subscribe
from booking.reminders.models import To, Unit
from booking.reminders.policy import Timing

KEPT_MESSAGES = 12
EVENING = time(18, 0)
FULL_TITLE = "Solution Circle"
PRIVATE_TITLE = "Parents’ evening workshop: planning the summer"
# What shows the rules: two places for each school, places offered, dates that one may change between.
_OF_A_CLOSING_DATE = (
    NewRule(Timing(14), To.SUBSCRIBERS),
    *DEADLINE_RULES,
    NewRule(Timing(1, Unit.SCHOOL_DAYS, time(16, 0)), To.HEADTEACHERS),
)
# Which kinds of closing dates ask what of schools; one school has no SENCo just now, one has three.
ASKS = {"High needs funding (LHNF)": Answer.OPTIONAL, "Returns and data": Answer.REQUIRED}
WITHOUT_SENCO, WITH_THREE, ANSWERED = "Wharfside Primary School", "Fenwick Academy", 17
SAID_NO = 3
RULES_OF = {
    "Conference": (
        *DEFAULT_RULES,
        NewRule(Timing(2, Unit.WEEKS), To.WAITING),
        NewRule(Timing(1, Unit.DAYS, time(9, 0), after=True)),
    ),
    "Solution Circle": (*DEFAULT_RULES, NewRule(Timing(1, Unit.SCHOOL_DAYS, time(12, 0)), To.HOSTS)),
    "Briefings and drop-ins": (NewRule(Timing(1)), NewRule(Timing(30, Unit.MINUTES, None))),
    "High needs funding (LHNF)": _OF_A_CLOSING_DATE,
    "Returns and data": _OF_A_CLOSING_DATE,
}
LED_BY = {"Solution Circle": [("therapist@example.org", "Amina Yusuf")]}
FEW_FOR_EACH_SCHOOL, OFFERED, IN_A_SERIES = "Conference", ("Workshop ", "Oak Suite"), "SENCo forum"
ROOM_OF_OAK_SUITE = 40


def is_empty() -> bool:
    """Tell whether nobody has used this database yet."""
    return all(db.session.scalar(sa.select(table.id).limit(1)) is None for table in (Person, School, Category, Event))


@atomic
def load() -> int:
    """Load the demonstration as of today. Returns how many events. Raises Refused where anything is there already."""
    if not is_empty():
        raise Refused("This database is not empty. The demonstration only goes into an empty one.")
    chance = random.Random(today().toordinal())  # noqa: S311  invented people, no secrets
    area = find_area() or Area()
    area.slug, area.name, area.short_name = "vale-marsh", "Vale & Marsh SEND Partnership", "Vale & Marsh"
    area.email, area.phone = "team@example.org", "01632 960123"
    db.session.add(area)
    db.session.flush()
    planned = plan(today())
    events = _Calendar(area, planned).make()
    schools = _schools(area)
    _people(area, schools)
    db.session.flush()
    _subscribe()
    _contacts(schools)
    _ask_schools(events)
    _invite(events)
    _book(events, schools, chance)
    _spread_over_the_last_weeks(chance)
    _tidy_the_outbox()
    add_digests(area)
    return len(events)


class _Calendar:
    """The tables an event stands on, and the events."""

    def __init__(self, area: Area, planned: list[DemoEvent]) -> None:
        self.area, self.planned = area, planned
        self.categories = {row[0]: self._category(*row, position) for position, row in enumerate(people.CATEGORIES)}
        self.audiences = {
            name: Audience(area_id=area.id, slug=slug(name), name=name, is_families=families, position=position)
            for position, (name, families) in enumerate(people.AUDIENCES)
        }
        self.venues = {
            name: Venue(area_id=area.id, name=name, address=address, directions=how)
            for name, (address, how) in people.VENUES.items()
        }
        self.venues["On line"].is_online = True
        self.venues["Oak Suite"].capacity = ROOM_OF_OAK_SUITE
        for name, position in people.POSITIONS.items():
            self.venues[name].latitude, self.venues[name].longitude = position
        self.series = Series(area_id=area.id, name=f"{IN_A_SERIES}s")
        db.session.add_all([*self.categories.values(), *self.audiences.values(), *self.venues.values(), self.series])
        db.session.flush()

    def _category(self, name: str, letters: str, colour: int, visibility: str, position: int) -> Category:
        return Category(
            area_id=self.area.id,
            slug=slug(name),
            name=name,
            letters=letters,
            colour=colour,
            visibility=Visibility(visibility),
            position=position,
        )

    def make(self) -> list[Event]:
        """Add terms, reminder rules and events."""
        for year in {*years_of(self.planned), *(year - 1 for year in years_of(self.planned))}:
            for term in terms_of(year):
                db.session.add(
                    Term(
                        area_id=self.area.id,
                        year=year,
                        number=term.number,
                        first_day=term.first_day,
                        last_day=term.last_day,
                    )
                )
        for name, category in self.categories.items():
            set_category_rules(category, RULES_OF.get(name, DEFAULT_RULES), by=None)
        events = [self._event(one) for one in self.planned]
        db.session.add_all(events)
        db.session.flush()
        put_with_meetings([one for one in events if one.kind is Kind.DEADLINE])
        return events

    def _event(self, planned: DemoEvent) -> Event:
        takes_bookings = planned.kind == "session" and planned.visibility != "team"
        is_online = planned.venue == "On line"
        written = now() - timedelta(days=60)
        return Event(
            area_id=self.area.id,
            category=self.categories[planned.category],
            venue=self._venue(planned.venue),
            audiences=[self.audiences[name] for name in planned.audience],
            hosts=[Host(email=email, name=name, since=written) for email, name in LED_BY.get(planned.category, [])],
            kind=Kind(planned.kind),
            visibility=Visibility(planned.visibility),
            status=EventStatus.PUBLISHED,
            private=planned.title.startswith(PRIVATE_TITLE),
            title=planned.title,
            description=people.TEXTS[planned.category],
            cost="Free, with lunch" if planned.category == "Conference" else "",
            day=planned.day,
            starts=planned.starts,
            ends=planned.ends,
            joining_link=f"https://meet.example.org/{slug(planned.title)}" if is_online and takes_bookings else "",
            takes_bookings=takes_bookings,
            capacity=planned.places if takes_bookings else None,
            taken=0,
            last_position=0,
            closes_at=_closing(planned) if takes_bookings else None,
            created_at=written,
            changed_at=written,
            published_at=written,
            **(self._rules(planned) if takes_bookings else {}),
        )

    def _rules(self, planned: DemoEvent) -> dict[str, Any]:
        """Return what differs from the usual rules for booking."""
        rules: dict[str, Any] = {}
        if planned.category == FEW_FOR_EACH_SCHOOL and planned.day >= today():
            rules["per_school"] = 2
        if planned.title.startswith(OFFERED[0]) and planned.venue == OFFERED[1]:
            rules["promotion"] = Promotion.OFFER
        if planned.category == BY_INVITATION:
            rules |= {"who_may_book": WhoMayBook.INVITED, "invitation_key": new_key()}
        if planned.category == IN_A_SERIES:
            rules["series"] = self.series
        return rules

    def _venue(self, name: str) -> Venue | None:
        if name and name not in self.venues:
            self.venues[name] = Venue(
                area_id=self.area.id, name=name, address="Marsham", directions="Please sign in at the school’s office."
            )
            db.session.add(self.venues[name])
        return self.venues.get(name)


def _closing(planned: DemoEvent) -> datetime | None:
    """Return when booking closes: with the start for what is on line, else in the evening before."""
    if planned.venue == "On line" or planned.starts is None:
        return None
    return on_the_wall(planned.day - timedelta(days=1), EVENING)


def _schools(area: Area) -> list[School]:
    rows = [line.split("|") for line in people.SCHOOLS.strip().split("\n")]
    schools = [School(area_id=area.id, name=name, name_key=name_key(name), phase=Phase(phase)) for name, phase in rows]
    db.session.add_all(schools)
    db.session.flush()
    return schools


def _people(area: Area, schools: list[School]) -> None:
    for email, name, roles in people.TEAM:
        person = Person(email=email, name=name, session_key=new_key(), feed_key=new_key())
        for role in roles:
            area_id = None if role == "administrator" else area.id
            person.roles.append(Role(role=RoleName(role), area_id=area_id))
        db.session.add(person)
    email, name, school_name = people.SENCO
    school = next(school for school in schools if school.name == school_name)
    db.session.add(Person(email=email, name=name, school_id=school.id, session_key=new_key(), feed_key=new_key()))


def _contacts(schools: list[School]) -> None:
    """Name a SENCo and a headteacher at almost every school."""
    chosen = random.Random(1)  # noqa: S311  invented people, no secrets
    since = {"starts_on": today() - timedelta(days=400), "created_at": now() - timedelta(days=400)}
    for school in schools:
        host = f"{slug(school.name)}.example.org"
        sencos = {WITHOUT_SENCO: 0, WITH_THREE: 3}.get(school.name, 1)
        for number, role in enumerate([ContactRole.SENCO] * sencos + [ContactRole.HEADTEACHER]):
            name = f"{chosen.choice(people.FIRST)} {chosen.choice(people.LAST)}"
            email = f"{'head' if role is ContactRole.HEADTEACHER else f'senco{number or str()}'}@{host}"
            if role is ContactRole.SENCO and school.name == people.SENCO[2]:
                email, name = people.SENCO[:2]
            db.session.add(SchoolContact(school_id=school.id, role=role, name=name, email=email, **since))
    primary = [school for school in schools if school.phase is Phase.PRIMARY]
    db.session.add(SchoolGroup(area_id=schools[0].area_id, name="Wave 1", schools=primary[:9]))
    db.session.flush()


def _ask_schools(events: list[Event]) -> None:
    """Let closing dates ask schools; of the next that each has to answer some have answered."""
    team = find_person(people.TEAM[0][0])
    assert team is not None
    coming = sorted((one for one in events if one.kind is Kind.DEADLINE), key=lambda one: one.day)
    for event in (one for one in coming if one.category.name in ASKS and one.day >= today()):
        set_ask(
            event, AskValues(ASKS[event.category.name], goes_to="send-returns@county.example.org"), by=team, groups=()
        )
    required = [one for one in coming if ASKS.get(one.category.name) is Answer.REQUIRED and one.day >= today()]
    for row in returns_of(required[0].id)[:ANSWERED] if required else ():
        row.status, row.number, row.answered_by = ReturnStatus.SUBMITTED, 1, "the school’s office"
        row.answered_at = now() - timedelta(days=1)


def _invite(events: list[Event]) -> None:
    """Invite SENCos to what is booked by invitation next; some have said no, some have booked."""
    team = find_person(people.TEAM[0][0])
    assert team is not None
    by_invitation = [one for one in events if one.who_may_book is WhoMayBook.INVITED]
    coming = sorted((one for one in by_invitation if not why_nobody_is_invited(one, at=now())), key=lambda one: one.day)
    if coming:
        words = Text("You are invited: [event]", "Dear [name],\n\nyou are invited to [event], on [when].")
        invite(coming[0], Chosen((ContactRole.SENCO,)), words, by=team)
        open_ones = [line.row for line in board(coming[0]) if line.standing is Standing.OPEN and line.contacts]
        for row in open_ones[:SAID_NO]:
            row.said_no_at, row.said_no_by, row.reason = now(), row.invitations[0].contact.name, "Exams that week"
        for row in open_ones[SAID_NO : 2 * SAID_NO]:
            contact = row.invitations[0].contact
            _book_one(coming[0], contact.name, contact.email, row.school)


def _subscribe() -> None:
    """Let Priya Nair be told of closing dates."""
    senco = find_person(people.SENCO[0])
    assert senco is not None
    subscribe(senco, [one for one in db.session.query(Category) if RULES_OF.get(one.name) is _OF_A_CLOSING_DATE])


def _book(events: list[Event], schools: list[School], chance: random.Random) -> None:
    """Book places at most sessions, fill one with people waiting, and give Priya Nair two."""
    sessions = [event for event in events if event.takes_bookings]
    coming = [
        event
        for event in sessions
        if event.starts_at > now() + timedelta(hours=1) and (event.closes_at is None or event.closes_at > now())
    ]
    full = next((event for event in coming if event.title.startswith(FULL_TITLE)), None)
    for event in sessions:
        room = event.capacity or 40
        wanted = room + 4 if event is full else int(room * chance.uniform(0.1, 0.75))
        guests = _guests(event, schools, chance, min(wanted, room + 4 if event is full else 30))
        if event.day < today():
            _booked_in_the_past(event, guests)
        elif event in coming and (event is full or (event.day - today()).days < 75):
            for name, email, school in _within_the_limit(event, guests):
                _book_one(event, name, email, school)
    email, name, school_name = people.SENCO
    school = next(school for school in schools if school.name == school_name)
    for event in [event for event in coming if event is not full and "SENCo" in event.title][:2]:
        _book_one(event, name, email, school, colleague="Daniel Achebe")


def _spread_over_the_last_weeks(chance: random.Random) -> None:
    """Date the bookings of coming events in their order, as if they had come in one by one."""
    made = db.session.scalars(
        sa.select(Booking).join(Booking.event).where(Event.day >= today()).order_by(Booking.id)
    ).all()
    minutes = sorted((chance.randint(10, 60 * 24 * 20) for _ in made), reverse=True)
    for booking, ago in zip(made, minutes, strict=True):
        booking.created_at = now() - timedelta(minutes=ago)
        for place in booking.places:
            place.created_at = booking.created_at
            place.confirmed_at = booking.created_at if place.status is PlaceStatus.CONFIRMED else None


def _guests(
    event: Event, schools: list[School], chance: random.Random, number: int
) -> list[tuple[str, str, School | None]]:
    families = any(audience.is_families for audience in event.audiences)
    names = [f"{first} {last}" for first in people.FIRST for last in people.LAST]
    guests: list[tuple[str, str, School | None]] = []
    for name in chance.sample(names, number):
        school = None if families else chance.choice(schools)
        host = "home.example.org" if school is None else f"{slug(school.name)}.example.org"
        guests.append((name, f"{slug(name).replace('-', '.')}@{host}", school))
    return guests


def _within_the_limit(
    event: Event, guests: list[tuple[str, str, School | None]]
) -> list[tuple[str, str, School | None]]:
    """Leave out whoever would have to wait because their school has all its places."""
    kept, of_school = [], Counter[int]()
    for guest in guests:
        school = guest[2]
        if school is not None:
            of_school[school.id] += 1
            if event.per_school is not None and of_school[school.id] > event.per_school:
                continue
        kept.append(guest)
    return kept


def _book_one(event: Event, name: str, email: str, school: School | None, *, colleague: str = "") -> None:
    places = [NewPlace(name, email)] + ([NewPlace(colleague, "daniel.achebe@example.org")] if colleague else [])
    bookings.book(event, by=Contact(name, email, school.id if school else None), places=places, invited=True)


def _booked_in_the_past(event: Event, guests: list[tuple[str, str, School | None]]) -> None:
    """Add who came to what is over, as rows: it cannot be booked any more."""
    room = event.capacity if event.capacity is not None else len(guests)
    for name, email, school in guests[:room]:
        at = on_the_wall(event.day, event.starts or EVENING) - timedelta(days=9)
        booking = Booking(event=event, form_key=new_key(), name=name, email=email, school=school, created_at=at)
        place = Place(event=event, name=name, email=email, school=school, status=PlaceStatus.CONFIRMED)
        place.created_at = place.confirmed_at = at
        place.attendee_key = f"{email}|{name_key(name)}"
        booking.places.append(place)
        db.session.add(booking)
        event.taken += 1


def _tidy_the_outbox() -> None:
    """Mark the newest mails as sent, and take the others out: nobody waits for mail about an invented past."""
    db.session.flush()
    newest = db.session.scalars(sa.select(Message.id).order_by(Message.id.desc()).limit(KEPT_MESSAGES)).all()
    db.session.execute(sa.delete(Message).where(Message.id.not_in(newest)))
    db.session.execute(sa.update(Message).values(status=MessageStatus.SENT, sent_at=now(), tries=1))
