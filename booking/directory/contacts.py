"""Whom schools name for which role, and named sets of schools: actions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from booking.core import audit
from booking.core.clock import now, today
from booking.core.db import atomic, db, take_turns
from booking.core.errors import refuse_unless
from booking.core.text import email_key, one_line
from booking.directory import mail
from booking.directory.models import Area, ContactRole, Person, School, SchoolContact, SchoolGroup
from booking.directory.queries import in_office

# Each is mailed: nobody should be able to let us write to many strangers.
A_DAY, MOST_NAMED_A_DAY = timedelta(days=1), 10


@dataclass(frozen=True, slots=True)
class ContactValues:
    """Whom a school names: from a day, and to a day where one is known."""

    role: ContactRole
    name: str
    email: str
    starts_on: date
    ends_on: date | None = None


@atomic
def save_contact(
    school: School, contact: SchoolContact | None, values: ContactValues, *, by: Person | None
) -> SchoolContact:
    """Add a contact of a school, or put one right. Raises Refused."""
    take_turns(f"contacts of school {school.id}")
    refuse_unless(
        values.ends_on is None or values.ends_on >= values.starts_on,
        "The last day is before the first.",
        field="ends_on",
    )
    email = email_key(values.email)
    same = sa.select(SchoolContact).where(
        SchoolContact.school_id == school.id,
        SchoolContact.role == values.role,
        SchoolContact.email == email,
        sa.or_(SchoolContact.ends_on.is_(None), SchoolContact.ends_on >= values.starts_on),
        SchoolContact.starts_on <= (values.ends_on or date.max),
    )
    twice = [one for one in db.session.scalars(same) if contact is None or one.id != contact.id]
    refuse_unless(not twice, "This address is a contact for this role already.", field="email")
    found = contact or SchoolContact(school_id=school.id, created_at=now())
    found.role, found.name, found.email = values.role, one_line(values.name), email
    found.starts_on, found.ends_on = values.starts_on, values.ends_on
    db.session.add(found)
    db.session.flush()
    what = "put right a contact of" if contact else "added a contact of"
    audit.record(what, "school", school.id, by=by, area_id=school.area_id, role=values.role, email=email)
    return found


@atomic
def end_contact(contact: SchoolContact, *, by: Person | None) -> None:
    """Let somebody be a contact no more: from now on nothing goes to them."""
    row = db.session.merge(contact)
    if row.ends_on is not None and row.ends_on < today():
        return  # they have left already: an old page says so again
    if row.starts_on >= today():
        db.session.delete(row)  # they have not begun
    else:
        row.ends_on = date.fromordinal(today().toordinal() - 1)
    audit.record(
        "ended a contact of", "school", row.school_id, by=by, area_id=row.school.area_id, email=row.email, role=row.role
    )


@atomic
def name_contact(school: School, values: ContactValues, *, by: Person) -> SchoolContact:
    """Let a contact of a school name another one, who is told so by mail. Raises Refused."""
    own = _own_contact(school, by)
    lately = sa.select(sa.func.count()).where(
        SchoolContact.school_id == school.id, SchoolContact.named_by != "", SchoolContact.created_at > now() - A_DAY
    )
    refuse_unless(
        (db.session.scalar(lately) or 0) < MOST_NAMED_A_DAY,
        "That is a lot of people for one day. Ask the partnership to name more.",
    )
    found = save_contact(school, None, values, by=by)
    found.named_by = own.name
    mail.named(found)
    return found


@atomic
def change_own(school: School, contact: SchoolContact, *, name: str, ends_on: date | None, by: Person) -> None:
    """Let a contact put right their own name, and say which day is their last. Raises Refused."""
    _own_contact(school, by)
    refuse_unless(contact.email == by.email, "Only they themselves, or the partnership, can change this.")
    values = ContactValues(contact.role, name, contact.email, contact.starts_on, ends_on)
    save_contact(school, contact, values, by=by)


@atomic
def let_go(school: School, contact: SchoolContact, *, by: Person) -> None:
    """Let a contact of a school say that somebody of it has left, or they themselves. Raises Refused."""
    _own_contact(school, by)
    refuse_unless(contact.school_id == school.id, "They are not a contact of this school.")
    end_contact(contact, by=by)


def _own_contact(school: School, by: Person) -> SchoolContact:
    """Return as whom somebody speaks for a school, asked again where it counts: they may just have been ended."""
    take_turns(f"contacts of school {school.id}")
    mine = sa.select(SchoolContact).where(
        SchoolContact.school_id == school.id, SchoolContact.email == by.email, in_office(today())
    )
    found = db.session.scalars(mine.order_by(SchoolContact.id).limit(1)).first()
    refuse_unless(found, "You are not a contact of this school any more. Ask the school or the partnership.")
    assert found is not None
    return found


@atomic
def save_group(area: Area, group: SchoolGroup | None, *, name: str, schools: Collection[School], by: Person) -> None:
    """Add a named set of schools, or change one. Raises Refused."""
    take_turns(f"groups of area {area.id}")
    name = one_line(name)
    refuse_unless(name, "Enter a name.", field="name")
    others = db.session.scalars(sa.select(SchoolGroup).where(SchoolGroup.area_id == area.id)).all()
    same = any(one.name.casefold() == name.casefold() and one is not group for one in others)
    refuse_unless(not same, f"There is a group called {name} already.", field="name")
    refuse_unless(schools, "Tick at least one school.", field="schools")
    found = group or SchoolGroup(area_id=area.id)
    found.name, found.schools = name, sorted(schools, key=lambda school: school.name)
    db.session.add(found)
    db.session.flush()
    audit.record(
        "set a group of schools", "area", area.id, by=by, area_id=area.id, name=name, schools=len(found.schools)
    )


@atomic
def delete_group(group: SchoolGroup, *, by: Person) -> None:
    """Take a named set of schools away; the schools stay. What uses the group, the caller has asked. Raises Refused."""
    take_turns(f"groups of area {group.area_id}")
    (group_id,) = sa.inspect(group).identity or (None,)  # the row itself may be gone
    row = db.session.get(SchoolGroup, group_id)
    refuse_unless(row, "This group has been deleted already.")
    assert row is not None
    audit.record("deleted a group of schools", "area", row.area_id, by=by, area_id=row.area_id, name=row.name)
    db.session.delete(row)
