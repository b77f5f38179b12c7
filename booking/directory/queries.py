"""Reads of the directory."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.text import email_key
from booking.directory.models import Area, Person, School


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


def schools_to_choose(area: Area) -> Sequence[School]:
    """Return the open schools of an area by name."""
    return db.session.scalars(
        sa.select(School)
        .where(School.area_id == area.id, sa.or_(School.closed_on.is_(None), School.closed_on > today()))
        .order_by(School.name)
    ).all()


def find_person(email: str) -> Person | None:
    """Return the person with this e-mail address, with roles."""
    return db.session.scalar(
        sa.select(Person).where(Person.email == email_key(email)).options(selectinload(Person.roles))
    )


def person_by_id(person_id: int) -> Person | None:
    """Return the person with roles and school, in one statement."""
    return db.session.scalars(
        sa.select(Person).where(Person.id == person_id).options(joinedload(Person.roles), joinedload(Person.school))
    ).unique().one_or_none()
