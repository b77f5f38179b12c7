"""What a closing date asks of schools, and what each of them owes."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.calendar.models import Event
from booking.core.clock import now
from booking.core.db import Base, choice
from booking.core.tokens import new_key
from booking.directory.models import ContactRole, Phase, School, SchoolGroup
from booking.notifications.models import Message


class Answer(StrEnum):
    """What a closing date wants of a school: an answer of each, one of those who have something, or nothing."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class OwedBy(StrEnum):
    """Which schools owe a return."""

    ALL = "all"
    PHASES = "phases"
    GROUPS = "groups"
    CHOSEN = "chosen"


class ReturnStatus(StrEnum):
    """Where one school's return stands."""

    OUTSTANDING = "outstanding"
    SUBMITTED = "submitted"
    NOTHING = "nothing"
    EXCUSED = "excused"


class Ask(Base):
    """What a closing date asks: of which schools, through whom, where it goes. We never ask for children's data."""

    __tablename__ = "asks"

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    answer: Mapped[Answer] = mapped_column(choice(Answer))
    # The form or the template to fill in, and where it goes when it is not a form: an address or words.
    link: Mapped[str] = mapped_column(sa.String(500), default="")
    goes_to: Mapped[str] = mapped_column(sa.String(200), default="")
    role: Mapped[ContactRole] = mapped_column(choice(ContactRole), default=ContactRole.SENCO)
    owed_by: Mapped[OwedBy] = mapped_column(choice(OwedBy), default=OwedBy.ALL)

    event: Mapped[Event] = relationship()
    phases: Mapped[list["AskPhase"]] = relationship(cascade="all, delete-orphan", passive_deletes=True)
    groups: Mapped[list[SchoolGroup]] = relationship(secondary="ask_groups", order_by=SchoolGroup.name)


class AskPhase(Base):
    """A phase whose schools owe a return."""

    __tablename__ = "ask_phases"

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("asks.event_id", ondelete="CASCADE"), primary_key=True)
    phase: Mapped[Phase] = mapped_column(choice(Phase), primary_key=True)


ask_groups = sa.Table(
    "ask_groups",
    Base.metadata,
    sa.Column("event_id", sa.ForeignKey("asks.event_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("group_id", sa.ForeignKey("school_groups.id"), primary_key=True, index=True),
)


class Return(Base):
    """What one school owes for one closing date."""

    __tablename__ = "returns"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "school_id"),
        sa.CheckConstraint("number > 0", name="number"),
        sa.CheckConstraint("(status = 'outstanding') = (answered_at IS NULL)", name="answered"),
        sa.CheckConstraint("number IS NULL OR status = 'submitted'", name="number_of_what_was_submitted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)
    status: Mapped[ReturnStatus] = mapped_column(choice(ReturnStatus), default=ReturnStatus.OUTSTANDING)
    # How many applications or forms, where they say so.
    number: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str] = mapped_column(sa.String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)

    school: Mapped[School] = relationship()
    event: Mapped[Event] = relationship()


class Chase(Base):
    """Which return a mail chases: a contact of two schools gets two, and each may be answered while they wait."""

    __tablename__ = "chases"

    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id"), primary_key=True)
    return_id: Mapped[int] = mapped_column(sa.ForeignKey("returns.id", ondelete="CASCADE"), index=True)

    message: Mapped[Message] = relationship()


class Silence(Base):
    """That a school wants to hear no more this school year of closing dates of a category that need no answer."""

    __tablename__ = "silences"

    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), primary_key=True)
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("categories.id"), primary_key=True, index=True)
    # The one in which the school year begins.
    year: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[str] = mapped_column(sa.String(200), default="")

    school: Mapped[School] = relationship()
