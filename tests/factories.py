"""Rows for tests: valid, plain, committed. What a test is about, it says itself."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, TypeVar

from flask.testing import FlaskClient

from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar.actions import EventValues
from booking.calendar.models import Audience, Category, Event, EventStatus, Kind, Term, Venue, Visibility
from booking.calendar.rules import rules_of
from booking.core.clock import now, today
from booking.core.db import Base, db
from booking.core.text import email_key, name_key, slug
from booking.core.tokens import new_key
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

_number = count(1)
Row = TypeVar("Row", bound=Base)


def save(row: Row) -> Row:
    """Add the row and commit."""
    db.session.add(row)
    db.session.commit()
    return row


def make_area(**values: Any) -> Area:
    """Vale & Marsh, unless said otherwise."""
    given = {"slug": "vale-marsh", "name": "Vale & Marsh SEND Partnership", "short_name": "Vale & Marsh"}
    return save(Area(**{**given, "email": "team@vale-marsh.example", **values}))


def the_area() -> Area:
    """The area of the test; made where there is none yet."""
    return db.session.query(Area).first() or make_area()


def make_school(name: str = "", **values: Any) -> School:
    """A primary school of the area."""
    name = name or f"School {next(_number)}"
    given = {"area_id": the_area().id, "name": name, "name_key": name_key(name), "phase": Phase.PRIMARY}
    return save(School(**{**given, **values}))


def make_contact(
    school: School, email: str = "", role: ContactRole = ContactRole.SENCO, **values: Any
) -> SchoolContact:
    """Somebody whom a school names for a role, from a month ago on."""
    given = {"name": "Priya Nair", "starts_on": today() - timedelta(days=30), "created_at": now() - timedelta(days=30)}
    email = email_key(email or f"contact{next(_number)}@school.example")
    return save(SchoolContact(school_id=school.id, role=role, email=email, **{**given, **values}))


def make_group(name: str = "Cluster one", schools: Sequence[School] = ()) -> SchoolGroup:
    """A named set of schools."""
    return save(SchoolGroup(area_id=the_area().id, name=name, schools=list(schools)))


def make_person(email: str = "", name: str = "Priya Nair", **values: Any) -> Person:
    """Somebody with an address."""
    email = email_key(email or f"person{next(_number)}@school.example")
    return save(Person(email=email, name=name, session_key=new_key(), feed_key=new_key(), **values))


def make_organiser(email: str = "tom@vale-marsh.example", role: RoleName = RoleName.ORGANISER) -> Person:
    """Somebody of the team."""
    person = make_person(email, "Tom Okafor")
    area_id = None if role is RoleName.ADMINISTRATOR else the_area().id
    save(Role(person_id=person.id, area_id=area_id, role=role))
    return person


def make_category(name: str = "SENCo forum", **values: Any) -> Category:
    """The category of this name; made where there is none yet."""
    area = the_area()
    found = db.session.query(Category).filter_by(area_id=area.id, slug=slug(name)).first()
    given = {"area_id": area.id, "slug": slug(name), "name": name, "letters": name[:2].upper(), "colour": 1}
    return found or save(Category(**{**given, "visibility": Visibility.PUBLIC, **values}))


def make_audience(name: str = "SENCos", **values: Any) -> Audience:
    """An audience of the area."""
    return save(Audience(area_id=the_area().id, slug=slug(name), name=name, **values))


def make_venue(name: str = "Oak Suite", **values: Any) -> Venue:
    """A venue of the area."""
    return save(Venue(area_id=the_area().id, name=name, **values))


def make_term(year: int, number: int, first_day: date, last_day: date) -> Term:
    """A half term."""
    return save(Term(area_id=the_area().id, year=year, number=number, first_day=first_day, last_day=last_day))


def make_event(title: str = "SENCo forum (1)", *, in_days: int = 30, **values: Any) -> Event:
    """A published public session in thirty days from 1.30pm to 3.30pm that takes bookings, with thirty places."""
    values.setdefault("category_id", make_category().id)
    kind = values.setdefault("kind", Kind.SESSION)
    bookable = {"takes_bookings": True, "capacity": 30} if kind is Kind.SESSION else {}
    given = {
        "area_id": the_area().id,
        "visibility": Visibility.PUBLIC,
        "status": EventStatus.PUBLISHED,
        "title": title,
        "day": today() + timedelta(days=in_days),
        "starts": time(13, 30),
        "ends": time(15, 30) if kind is Kind.SESSION else None,
    }
    return save(Event(**{**given, **bookable, **values}))


def values_of(event: Event) -> EventValues:
    """What the form of this event says while nobody has changed anything."""
    names = ("title", "category_id", "kind", "visibility", "private", "day", "last_day", "starts", "ends")
    more = ("description", "cost", "joining_link", "takes_bookings", "capacity", "places_per_booking", "closes_at")
    return EventValues(
        **{name: getattr(event, name) for name in (*names, *more)},
        audience_ids=tuple(audience.id for audience in event.audiences),
        venue=event.venue.name if event.venue else "",
        rules=rules_of(event),
        hosts=tuple((host.name, host.email) for host in event.hosts),
        closes_for_id=event.closes_for_id,
    )


def make_booking(
    event: Event,
    name: str = "Priya Nair",
    email: str = "",
    *,
    status: PlaceStatus = PlaceStatus.CONFIRMED,
    confirmed_at: datetime | None = None,
    school: School | None = None,
) -> Booking:
    """A booking of one place, as rows only: no mail, no rules. Keeps the event's counts right."""
    email = email_key(email or f"booker{next(_number)}@school.example")
    booking = Booking(event_id=event.id, form_key=new_key(), name=name, email=email, school_id=school and school.id)
    place = Place(event_id=event.id, name=name, email=email, school_id=school and school.id, status=status)
    place.attendee_key = f"{email}|{name_key(name)}"
    if status is PlaceStatus.WAITING:
        event.last_position += 1
        place.position = event.last_position
    elif status is PlaceStatus.CONFIRMED:
        event.taken += 1
        place.confirmed_at = confirmed_at or now()
    booking.places.append(place)
    db.session.merge(event)
    return save(booking)


def sign_in(client: FlaskClient, person: Person) -> None:
    """Give the browser this person's session, without the mail."""
    with client.session_transaction() as session:
        session["_user_id"] = f"{person.id}:{person.session_key}"
        session["_fresh"] = True
