"""When reminders go, and which have gone."""

from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from booking.core.clock import now
from booking.core.db import Base


class ReminderRule(Base):
    """So many days before, at this time on the wall: for all events of a category, or for one event instead."""

    __tablename__ = "reminder_rules"
    __table_args__ = (
        sa.CheckConstraint("(category_id IS NULL) <> (event_id IS NULL)", name="one_owner"),
        sa.CheckConstraint("days_before BETWEEN 0 AND 60", name="days_before"),
        sa.UniqueConstraint("category_id", "days_before", "at"),
        sa.UniqueConstraint("event_id", "days_before", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("categories.id"))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    days_before: Mapped[int] = mapped_column(sa.SmallInteger)
    at: Mapped[time]
    active: Mapped[bool] = mapped_column(default=True)
    # A rule never mails for a time before it was switched on.
    active_since: Mapped[datetime] = mapped_column(default=now)


class Reminder(Base):
    """That a rule has been carried out for one recipient and one date of an event (rule 5)."""

    __tablename__ = "reminders"
    __table_args__ = (sa.UniqueConstraint("rule_id", "event_id", "day", "recipient"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("reminder_rules.id"))
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), index=True)
    day: Mapped[date]
    recipient: Mapped[str] = mapped_column(sa.String(400))
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
