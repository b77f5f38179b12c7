"""Which schools are invited to an event, who of them has a link, and what was mailed when."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.calendar.models import Event
from booking.core.clock import now
from booking.core.db import Base, choice
from booking.core.tokens import new_key
from booking.directory.models import ContactRole, School, SchoolContact


class InvitedSchool(Base):
    """That a school is invited to an event, and what it said. That it has booked is known from its places."""

    __tablename__ = "invited_schools"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "school_id"),
        sa.CheckConstraint("said_no_at IS NOT NULL OR reason = ''", name="reason_of_a_no"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    said_no_at: Mapped[datetime | None]
    said_no_by: Mapped[str] = mapped_column(sa.String(200), default="")
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    # From then on its links lead nowhere, until it is invited again.
    withdrawn_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    event: Mapped[Event] = relationship()
    school: Mapped[School] = relationship()
    roles: Mapped[list["InvitedRole"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)
    invitations: Mapped[list["Invitation"]] = relationship(
        back_populates="invited", cascade="all, delete-orphan", passive_deletes=True
    )


class InvitedRole(Base):
    """A role whose contact is invited at a school, whether or not there is one."""

    __tablename__ = "invited_roles"

    invited_id: Mapped[int] = mapped_column(sa.ForeignKey("invited_schools.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[ContactRole] = mapped_column(choice(ContactRole), primary_key=True)


class Invitation(Base):
    """The link of one contact of an invited school: with it they book, or say that the school cannot come."""

    __tablename__ = "invitations"
    __table_args__ = (sa.UniqueConstraint("invited_id", "contact_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    invited_id: Mapped[int] = mapped_column(sa.ForeignKey("invited_schools.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("school_contacts.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)

    invited: Mapped[InvitedSchool] = relationship(back_populates="invitations")
    contact: Mapped[SchoolContact] = relationship()


class InvitationRound(Base):
    """One act of an organiser: these words, to these contacts. A form that is sent twice is one act."""

    __tablename__ = "invitation_rounds"
    __table_args__ = (sa.UniqueConstraint("event_id", "form_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    form_key: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(150))
    text: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(default=now)


class InvitationLetter(Base):
    """That somebody was written to in a round: once, whatever happens at once."""

    __tablename__ = "invitation_letters"

    round_id: Mapped[int] = mapped_column(sa.ForeignKey("invitation_rounds.id", ondelete="CASCADE"), primary_key=True)
    invitation_id: Mapped[int] = mapped_column(
        sa.ForeignKey("invitations.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id", ondelete="SET NULL"), unique=True)

    round: Mapped[InvitationRound] = relationship()
    invitation: Mapped[Invitation] = relationship()
