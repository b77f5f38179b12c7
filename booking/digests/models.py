"""When the weekly mail goes, who asked for it, each week's issue, and who has had it."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.calendar.models import Audience, Category
from booking.core.clock import now
from booking.core.db import Base, choice
from booking.core.tokens import new_key
from booking.directory.models import Area

MONDAY, HALF_PAST_SEVEN, FOUR_WEEKS = 0, time(7, 30), 4
MOST_WEEKS = 8


class DigestPlan(Base):
    """When an area's digest goes, and how far it looks; an area without one has the usual plan."""

    __tablename__ = "digest_plans"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 4", name="weekday"),
        sa.CheckConstraint(f"weeks BETWEEN 1 AND {MOST_WEEKS}", name="weeks"),
    )

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"), primary_key=True)
    active: Mapped[bool] = mapped_column(default=True)
    # Monday is 0.
    weekday: Mapped[int] = mapped_column(sa.SmallInteger, default=MONDAY)
    at: Mapped[time] = mapped_column(default=HALF_PAST_SEVEN)
    weeks: Mapped[int] = mapped_column(sa.SmallInteger, default=FOUR_WEEKS)
    # No issue goes for a time before the plan was made.
    since: Mapped[datetime | None]


subscription_audiences = sa.Table(
    "digest_audiences",
    Base.metadata,
    sa.Column("subscription_id", sa.ForeignKey("digest_subscriptions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("audience_id", sa.ForeignKey("audiences.id"), primary_key=True, index=True),
)
subscription_categories = sa.Table(
    "digest_categories",
    Base.metadata,
    sa.Column("subscription_id", sa.ForeignKey("digest_subscriptions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("category_id", sa.ForeignKey("categories.id"), primary_key=True, index=True),
)


class DigestSubscription(Base):
    """That an address gets the digest: asked for, then confirmed from its mailbox, until it is stopped.

    Its row and its key stay when it is stopped and asked for again: the button of an old mail has to work.
    Without audiences or categories everything is wanted.
    """

    __tablename__ = "digest_subscriptions"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "email"),
        sa.CheckConstraint("email <> ''", name="has_an_address"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    email: Mapped[str] = mapped_column(sa.String(254))
    # What the links to change and to stop it carry; the one that confirms has a new key for each request.
    key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)
    confirm_key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)
    asked_at: Mapped[datetime] = mapped_column(default=now)
    # When we last wrote to the address about its subscription: strangers must not fill a mailbox.
    mailed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    area: Mapped[Area] = relationship()
    audiences: Mapped[list[Audience]] = relationship(secondary=subscription_audiences, order_by=Audience.position)
    categories: Mapped[list[Category]] = relationship(secondary=subscription_categories, order_by=Category.position)

    @property
    def is_active(self) -> bool:
        """Tell whether the address gets the digest."""
        return self.confirmed_at is not None and self.ended_at is None


class IssueState(StrEnum):
    """Where an issue is in its life. One that was dropped has the reason why."""

    PLANNED = "planned"
    HELD = "held"
    SENT = "sent"
    DROPPED = "dropped"


class DigestIssue(Base):
    """The digest of one week. What it told is kept: the next one says what is new since, and its page lasts."""

    __tablename__ = "digest_issues"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "week"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        sa.CheckConstraint("(state = 'sent') = (told_on IS NOT NULL)", name="told"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    # The Monday of its week.
    week: Mapped[date]
    state: Mapped[IssueState] = mapped_column(choice(IssueState), default=IssueState.PLANNED)
    introduction: Mapped[str] = mapped_column(sa.Text, default="")
    sent_at: Mapped[datetime | None]
    # The last day that it looks at, the day it was made, and all of the calendar from that day on.
    told_on: Mapped[date | None]
    told_until: Mapped[date | None]
    told: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list, deferred=True)
    # How its weeks are called, by their Mondays.
    headings: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    # The issue before it that was sent: what is new, is new since.
    since_id: Mapped[int | None] = mapped_column(sa.ForeignKey("digest_issues.id"), index=True)
    # That everybody who gets it has been seen to.
    all_posted: Mapped[bool] = mapped_column(default=False)
    # How many mails were made of it: they are not counted again each time somebody looks.
    mails: Mapped[int] = mapped_column(default=0, server_default="0")
    why_not: Mapped[str] = mapped_column(sa.String(200), default="")

    area: Mapped[Area] = relationship()


class DigestCopy(Base):
    """That an address has been seen to for an issue, once; without a message it said nothing to them."""

    __tablename__ = "digest_copies"
    __table_args__ = (sa.UniqueConstraint("issue_id", "email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(sa.ForeignKey("digest_issues.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(sa.String(254))
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
