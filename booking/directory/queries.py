"""Reads of the directory."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.sql.elements import ColumnElement

from booking.core.clock import now, today
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.slices import BEGINNING, Slice, Spot, cut
from booking.core.text import email_key, name_key
from booking.directory.mail_domains import is_shared
from booking.directory.models import (
    Area,
    ContactRole,
    Person,
    Role,
    RoleName,
    School,
    SchoolContact,
    SchoolGroup,
    SignIn,
)

SCHOOLS_PER_PAGE = 100


def find_area(slug: str | None = None) -> Area | None:
    """Return the area with this slug; without one, the only area there is (None where there is none, or several)."""
    if slug:
        return db.session.scalar(sa.select(Area).where(Area.slug == slug))
    areas = db.session.scalars(sa.select(Area).limit(2)).all()
    return areas[0] if len(areas) == 1 else None


def get_area(slug: str | None = None) -> Area:
    """Return the area. Raises Refused with a sentence where that is not clear."""
    area = find_area(slug)
    if area is None:
        raise Refused(f"There is no area called {slug}." if slug else "Say which area: there is none yet, or several.")
    return area


class SchoolName(NamedTuple):
    """A school as a form lists it."""

    id: int
    name: str


def schools_to_choose(area: Area) -> list[SchoolName]:
    """Return the open schools of an area by name."""
    rows = db.session.execute(
        sa.select(School.id, School.name).where(School.area_id == area.id, is_open()).order_by(School.name)
    )
    return [SchoolName(*row) for row in rows]


def find_person(email: str) -> Person | None:
    """Return the person with this e-mail address, with roles."""
    return db.session.scalar(
        sa.select(Person).where(Person.email == email_key(email)).options(selectinload(Person.roles))
    )


def person_by_id(person_id: int) -> Person | None:
    """Return the person with roles and school, in one statement."""
    return (
        db.session.scalars(
            sa.select(Person).where(Person.id == person_id).options(joinedload(Person.roles), joinedload(Person.school))
        )
        .unique()
        .one_or_none()
    )


def sign_ins_since(condition: ColumnElement[bool], since: datetime) -> int:
    """Return how many requests to sign in fit the condition since an instant."""
    statement = sa.select(sa.func.count()).select_from(SignIn).where(condition, SignIn.created_at > since)
    return db.session.scalar(statement) or 0


def wrong_codes(email: str, since: datetime) -> int:
    """Return how many wrong codes were typed for an address; a code that has just been counted is one of them."""
    statement = sa.select(sa.func.coalesce(sa.func.sum(SignIn.tries), 0))
    return int(db.session.scalar(statement.where(SignIn.email == email, SignIn.created_at > since)) or 0)


def find_sign_in(token_hash: str) -> SignIn | None:
    """Return the request to sign in that this link belongs to, while it is good."""
    good = sa.and_(SignIn.used_at.is_(None), SignIn.expires_at > now())
    return db.session.scalar(sa.select(SignIn).where(SignIn.link_hash == token_hash, good))


def all_schools(area: Area) -> Sequence[School]:
    """Return every school of an area, closed ones too."""
    return db.session.scalars(sa.select(School).where(School.area_id == area.id).order_by(School.name)).all()


def count_administrators() -> int:
    """Return how many administrators there are."""
    return db.session.scalar(sa.select(sa.func.count()).where(Role.role == RoleName.ADMINISTRATOR)) or 0


def roles_of(area: Area, *, at: Spot = BEGINNING) -> Slice[Role]:
    """Return a page of who has a role in an area or in the installation, by name."""
    chosen = sa.or_(Role.area_id == area.id, Role.area_id.is_(None))
    by_name = (Person.name, Person.email, Role.role, Role.id)
    statement = sa.select(Role).join(Role.person).where(chosen)
    return cut(statement, *by_name, at=at, options=[contains_eager(Role.person)])


def in_office(on: date) -> ColumnElement[bool]:
    """Return the condition for a contact who holds their role on a day; of one row `holds_on` tells it."""
    return sa.and_(SchoolContact.starts_on <= on, sa.or_(SchoolContact.ends_on.is_(None), SchoolContact.ends_on >= on))


def contacts_of(school_ids: Collection[int], role: ContactRole, on: date) -> dict[int, list[SchoolContact]]:
    """Return who holds a role at each of these schools on a day, by the school's id; those longest in office first."""
    return contacts_in_roles(school_ids, [role], on)


def contacts_in_roles(
    school_ids: Collection[int], roles: Collection[ContactRole], on: date
) -> dict[int, list[SchoolContact]]:
    """Return who holds one of these roles at each of these schools on a day, by the school's id."""
    rows = db.session.scalars(
        sa.select(SchoolContact)
        .where(SchoolContact.school_id.in_(school_ids), SchoolContact.role.in_(roles), in_office(on))
        .order_by(SchoolContact.starts_on, SchoolContact.id)
    )
    found: dict[int, list[SchoolContact]] = defaultdict(list)
    for contact in rows:
        found[contact.school_id].append(contact)
    return found


def open_schools(area_id: int, *more: ColumnElement[bool]) -> Sequence[School]:
    """Return the open schools of an area by name, all of them or those of whom more is true."""
    return db.session.scalars(
        sa.select(School).where(School.area_id == area_id, is_open(), *more).order_by(School.name)
    ).all()


def page_of_open_schools(area_id: int, words: str, *, at: Spot) -> Slice[School]:
    """Return a page of the open schools of an area by name, all or those whose names have these words."""
    named = [School.name_key.contains(word, autoescape=True) for word in name_key(words).split()] if words else []
    statement = sa.select(School).where(School.area_id == area_id, is_open(), *named)
    return cut(statement, School.name, School.id, at=at, limit=SCHOOLS_PER_PAGE)


def in_office_at(school_ids: Collection[int], on: date) -> dict[int, list[SchoolContact]]:
    """Return the contacts of these schools who hold their role on a day, by the school's id, by role."""
    rows = db.session.scalars(
        sa.select(SchoolContact)
        .where(SchoolContact.school_id.in_(school_ids), in_office(on))
        .order_by(SchoolContact.role, SchoolContact.starts_on, SchoolContact.id)
    )
    found: dict[int, list[SchoolContact]] = defaultdict(list)
    for contact in rows:
        found[contact.school_id].append(contact)
    return found


def is_open() -> ColumnElement[bool]:
    """Return the condition for a school that has not closed by today."""
    return sa.or_(School.closed_on.is_(None), School.closed_on > today())


def groups_of(area_id: int) -> Sequence[SchoolGroup]:
    """Return the groups of an area by name, with their schools."""
    return db.session.scalars(
        sa.select(SchoolGroup)
        .where(SchoolGroup.area_id == area_id)
        .options(selectinload(SchoolGroup.schools))
        .order_by(SchoolGroup.name)
    ).all()


def contacts_of_area(area_id: int) -> dict[int, list[SchoolContact]]:
    """Return every contact of an area's schools, by the school's id, those of today and others, by role."""
    rows = db.session.scalars(
        sa.select(SchoolContact)
        .join(SchoolContact.school)
        .where(School.area_id == area_id)
        .order_by(SchoolContact.role, SchoolContact.starts_on, SchoolContact.id)
    )
    found: dict[int, list[SchoolContact]] = defaultdict(list)
    for contact in rows:
        found[contact.school_id].append(contact)
    return found


def find_school(school_id: int, area_id: int) -> School | None:
    """Return a school of an area."""
    return db.session.scalar(sa.select(School).where(School.id == school_id, School.area_id == area_id))


def all_contacts_of(school_id: int) -> Sequence[SchoolContact]:
    """Return every contact of a school, the newest first of each role."""
    return db.session.scalars(
        sa.select(SchoolContact)
        .where(SchoolContact.school_id == school_id)
        .options(joinedload(SchoolContact.school))
        .order_by(SchoolContact.role, SchoolContact.starts_on.desc(), SchoolContact.id.desc())
    ).all()


def schools_naming(email: str, area_id: int) -> Sequence[School]:
    """Return the schools of an area that name this address as a contact today, by name.

    Which school somebody says they are from is no right: this is.
    """
    return open_schools(area_id, School.id.in_(naming(email)))


def is_staff(person: Person, area_id: int) -> bool:
    """Tell whether somebody belongs to the staff of an area.

    They have a role there, are a contact today, or write from the domain of one, where the public has no addresses.
    Which school somebody says they are from is no right.
    """
    if any(role.area_id in {area_id, None} for role in person.roles):
        return True
    domain = person.email.rpartition("@")[2]
    is_one = SchoolContact.email == person.email
    if not is_shared(domain):
        is_one = sa.or_(is_one, SchoolContact.email.endswith(f"@{domain}", autoescape=True))
    of_area = sa.select(SchoolContact.id).join(SchoolContact.school).where(School.area_id == area_id, is_open())
    return db.session.scalar(of_area.where(in_office(today()), is_one).limit(1)) is not None


def naming(email: str) -> sa.Select[int]:
    """Return the statement for the ids of the schools that name this address as a contact today."""
    return sa.select(SchoolContact.school_id).where(SchoolContact.email == email, in_office(today()))
