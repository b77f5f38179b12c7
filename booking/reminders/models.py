"""When reminders go and to whom, which have gone, what holds them, and who asked for those of a category."""

from datetime import date, datetime, time
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from booking.core.clock import now
from booking.core.db import Base, choice


class To(StrEnum):
    """Whom a rule writes to."""

    PLACES = "places"
    WAITING = "waiting"
    SUBSCRIBERS = "subscribers"
    HOSTS = "hosts"
    ORGANISERS = "organisers"
    SCHOOLS = "schools"
    HEADTEACHERS = "headteachers"


class Unit(StrEnum):
    """What a rule counts in. Days, school days and weeks go at a time on the wall; minutes and hours to the minute."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    SCHOOL_DAYS = "school days"
    WEEKS = "weeks"


class ReminderRule(Base):
    """So long before it starts or after it ends: for all events of a category, or for one event instead.

    `subject` and `text` are the organiser's own words, with merge words; empty for the usual ones.
    """

    __tablename__ = "reminder_rules"
    __table_args__ = (
        sa.CheckConstraint("(category_id IS NULL) <> (event_id IS NULL)", name="one_owner"),
        sa.CheckConstraint("number BETWEEN 0 AND 999", name="number"),
        sa.CheckConstraint("(unit IN ('minutes', 'hours')) = (at IS NULL)", name="to_the_minute_or_at_a_time"),
        sa.CheckConstraint("(subject = '') = (text = '')", name="own_words"),
        sa.Index("ix_reminder_rules_category_id", "category_id"),
        sa.Index("ix_reminder_rules_event_id", "event_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("categories.id"))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"))
    to: Mapped[To] = mapped_column(choice(To), default=To.PLACES)
    after: Mapped[bool] = mapped_column(default=False)
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    unit: Mapped[Unit] = mapped_column(choice(Unit), default=Unit.DAYS)
    at: Mapped[time | None]
    subject: Mapped[str] = mapped_column(sa.String(200), default="")
    text: Mapped[str] = mapped_column(sa.Text, default="")
    active: Mapped[bool] = mapped_column(default=True)
    # A rule never mails for a time before it was switched on.
    active_since: Mapped[datetime] = mapped_column(default=now)


class ReminderRun(Base):
    """That a rule has been carried out for one date of an event: nobody is added to it later (rule 5)."""

    __tablename__ = "reminder_runs"

    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("reminder_rules.id", ondelete="CASCADE"), primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True, index=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    # The one more that goes on the first morning after a holiday.
    extra: Mapped[bool] = mapped_column(primary_key=True)
    fell_due: Mapped[datetime]
    at: Mapped[datetime] = mapped_column(default=now)
    # Why it did not go: too late, or before the rule held. Empty where it went.
    why_not: Mapped[str] = mapped_column(sa.String(100), default="")


class Reminder(Base):
    """One rule, event date and recipient, unique (rule 5), with the mail that carries it; without one, passed over."""

    __tablename__ = "reminders"
    __table_args__ = (sa.UniqueConstraint("rule_id", "event_id", "day", "extra", "recipient"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("reminder_rules.id", ondelete="CASCADE"))
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"), index=True)
    day: Mapped[date]
    extra: Mapped[bool] = mapped_column(default=False)
    recipient: Mapped[str] = mapped_column(sa.String(400))
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class ReminderPause(Base):
    """That reminders are held: of one event, of an area, or (with neither) of the whole installation."""

    __tablename__ = "reminder_pauses"
    __table_args__ = (sa.CheckConstraint("area_id IS NULL OR event_id IS NULL", name="one_scope"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("areas.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"), index=True)
    since: Mapped[datetime] = mapped_column(default=now)


class Subscription(Base):
    """That somebody asked to be told of the dates of a category."""

    __tablename__ = "category_subscriptions"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("categories.id"), primary_key=True, index=True)
    # What the link to stop it carries.
    key: Mapped[str] = mapped_column(sa.String(24), unique=True)
    since: Mapped[datetime] = mapped_column(default=now)
