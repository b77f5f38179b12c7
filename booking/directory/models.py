"""Areas, schools, people, their roles, and the secrets they sign in with."""

from datetime import date, datetime, time
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.core.clock import now
from booking.core.db import Base, choice
from booking.core.tokens import new_key


class Phase(StrEnum):
    """What a school or setting is."""

    NURSERY = "nursery"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    ALL_THROUGH = "all-through"
    SPECIAL = "special"
    ALTERNATIVE = "alternative"
    SIXTEEN_PLUS = "16 plus"
    OTHER = "other"


class RoleName(StrEnum):
    """What somebody may do: administrators in the installation, the others in an area."""

    ADMINISTRATOR = "administrator"
    ORGANISER = "organiser"
    FACILITATOR = "facilitator"


class ContactRole(StrEnum):
    """What a school names somebody for."""

    SENCO = "senco"
    HEADTEACHER = "headteacher"
    MENTAL_HEALTH = "mental health"
    ATTENDANCE = "attendance"
    OFFICE = "office"


class Area(Base):
    """A partnership: owns events, has organisers, serves schools."""

    __tablename__ = "areas"
    __table_args__ = (sa.CheckConstraint("kind_from < kind_until", name="kind_hours"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    short_name: Mapped[str] = mapped_column(sa.String(60))
    email: Mapped[str] = mapped_column(sa.String(254), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    # Kind hours: no reminder reaches anybody before or after them, nor on days without school.
    kind_from: Mapped[time] = mapped_column(default=time(7, 0), server_default="07:00:00.000000")
    kind_until: Mapped[time] = mapped_column(default=time(18, 30), server_default="18:30:00.000000")
    # Raised in the transaction of every change that a calendar shows: what feeds are cached by.
    calendar_version: Mapped[int] = mapped_column(default=1)
    calendar_changed_at: Mapped[datetime] = mapped_column(default=now)


class School(Base):
    """A school or setting that an area serves."""

    __tablename__ = "schools"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "name_key"),
        sa.CheckConstraint("name <> ''", name="named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(sa.String(200))
    urn: Mapped[str | None] = mapped_column(sa.String(10), unique=True)
    phase: Mapped[Phase] = mapped_column(choice(Phase))
    postcode: Mapped[str] = mapped_column(sa.String(10), default="")
    closed_on: Mapped[date | None]
    feed_key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)


group_schools = sa.Table(
    "school_group_members",
    Base.metadata,
    sa.Column("group_id", sa.ForeignKey("school_groups.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("school_id", sa.ForeignKey("schools.id"), primary_key=True, index=True),
)


class SchoolGroup(Base):
    """A named set of schools: a cluster, those in a pilot."""

    __tablename__ = "school_groups"
    __table_args__ = (sa.UniqueConstraint("area_id", "name"), sa.CheckConstraint("name <> ''", name="named"))

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    name: Mapped[str] = mapped_column(sa.String(80))

    schools: Mapped[list[School]] = relationship(secondary=group_schools, order_by=School.name)


class SchoolContact(Base):
    """Somebody a school names for a role, from a day to a day. Who has left gets nothing."""

    __tablename__ = "school_contacts"
    __table_args__ = (
        sa.CheckConstraint("email <> ''", name="has_an_address"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="days_in_order"),
        sa.UniqueConstraint("school_id", "role", "email", "starts_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"))
    role: Mapped[ContactRole] = mapped_column(choice(ContactRole))
    name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str] = mapped_column(sa.String(254), index=True)
    starts_on: Mapped[date]
    # The last day on which they are it; empty while nobody knows of an end.
    ends_on: Mapped[date | None]
    # Which contact of the school named them; empty where an organiser or an import did.
    named_by: Mapped[str] = mapped_column(sa.String(120), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=now)

    school: Mapped[School] = relationship()

    def holds_on(self, day: date) -> bool:
        """Tell whether they hold their role on a day."""
        return self.starts_on <= day and (self.ends_on is None or self.ends_on >= day)


class Person(Base):
    """Somebody with an e-mail address. `email` is as `core.text.email_key` makes it."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    # Who is signed in carries this key; a new one signs them out everywhere.
    session_key: Mapped[str] = mapped_column(sa.String(24))
    feed_key: Mapped[str] = mapped_column(sa.String(24), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    # What Flask-Login asks of whoever is signed in.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    school: Mapped[School | None] = relationship()
    roles: Mapped[list["Role"]] = relationship(back_populates="person")

    def get_id(self) -> str:
        """Return what the session keeps: a new session key makes all earlier sessions worthless."""
        return f"{self.id}:{self.session_key}"


class Role(Base):
    """What a person may do in an area; an administrator's has no area."""

    __tablename__ = "roles"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "role", "area_id"),
        sa.Index(
            "uq_roles_administrator",
            "person_id",
            unique=True,
            sqlite_where=sa.text("area_id IS NULL"),
            postgresql_where=sa.text("area_id IS NULL"),
        ),
        sa.CheckConstraint("(role = 'administrator') = (area_id IS NULL)", name="scope"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("areas.id"), index=True)
    role: Mapped[RoleName] = mapped_column(choice(RoleName))

    person: Mapped[Person] = relationship(back_populates="roles")


class SignIn(Base):
    """One request to sign in: the link and the code that were mailed, as keyed hashes, good once and soon over."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        sa.Index("ix_sign_ins_email_created_at", "email", "created_at"),
        sa.Index("ix_sign_ins_origin_created_at", "origin", "created_at"),
        sa.CheckConstraint("tries >= 0", name="tries"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254))
    # The keyed hash of the address that asked, to limit how often it may.
    origin: Mapped[str] = mapped_column(sa.String(64))
    # The keyed hash of a browser that signed in before with this address: it has an allowance of its own.
    known_browser: Mapped[str | None] = mapped_column(sa.String(64))
    # What the browser that asked holds, so that a code is only good there.
    browser_hash: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    link_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    code_hash: Mapped[str | None] = mapped_column(sa.String(64))
    tries: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    next_page: Mapped[str] = mapped_column(sa.String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
