"""Bookings and their places."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.calendar.models import Audience, Event
from booking.core.clock import now
from booking.core.db import Base, choice
from booking.core.text import reference
from booking.core.tokens import new_key
from booking.directory.models import School


class PlaceStatus(StrEnum):
    """What became of a place."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    PENDING = "pending"
    CANCELLED = "cancelled"


TAKES_A_PLACE = frozenset({PlaceStatus.CONFIRMED, PlaceStatus.OFFERED})


class Booking(Base):
    """One request by one person for one or more places at an event."""

    __tablename__ = "bookings"
    __table_args__ = (
        # A form that is sent twice books once.
        sa.UniqueConstraint("event_id", "form_key"),
        sa.Index("ix_bookings_event_id_created_at", "event_id", "created_at"),
        sa.Index(
            "ix_bookings_with_needs",
            "event_id",
            sqlite_where=sa.text("needs <> ''"),
            postgresql_where=sa.text("needs <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"))
    reference: Mapped[str] = mapped_column(sa.String(12), unique=True, default=reference)
    key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)
    form_key: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str] = mapped_column(sa.String(254), index=True)
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    # A group waits all together, unless it chose to take places as they come.
    together: Mapped[bool] = mapped_column(default=True)
    needs: Mapped[str] = mapped_column(sa.String(500), default="")
    # What the booker said they are, where an event is only for its audiences.
    audience_id: Mapped[int | None] = mapped_column(sa.ForeignKey("audiences.id"), index=True)
    # Raised by every change of the booking or its places: who changes what they saw before it is told so.
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=now)

    event: Mapped[Event] = relationship()
    school: Mapped[School | None] = relationship()
    audience: Mapped[Audience | None] = relationship()
    places: Mapped[list["Place"]] = relationship(back_populates="booking", order_by="Place.id")


class Place(Base):
    """One attendee of a booking. `email` is empty for a colleague who has none."""

    __tablename__ = "places"
    __table_args__ = (
        # Rule 2: one attendee holds at most one active place at an event.
        sa.Index(
            "uq_places_active_attendee",
            "event_id",
            "attendee_key",
            unique=True,
            sqlite_where=sa.text("status <> 'cancelled'"),
            postgresql_where=sa.text("status <> 'cancelled'"),
        ),
        # Rule 3: the waiting list has one order.
        sa.UniqueConstraint("event_id", "position"),
        sa.CheckConstraint("status <> 'waiting' OR position IS NOT NULL", name="waits_with_a_number"),
        sa.CheckConstraint("status <> 'offered' OR offered_until IS NOT NULL", name="is_offered_for_a_time"),
        sa.Index("ix_places_event_id_status_position", "event_id", "status", "position"),
        # Which schools come to an event, without its rows.
        sa.Index("ix_places_event_id_school_id_status", "event_id", "school_id", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(sa.ForeignKey("bookings.id"), index=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"))
    key: Mapped[str] = mapped_column(sa.String(24), unique=True, default=new_key)
    name: Mapped[str] = mapped_column(sa.String(120))
    email: Mapped[str | None] = mapped_column(sa.String(254), index=True)
    attendee_key: Mapped[str] = mapped_column(sa.String(400))
    school_id: Mapped[int | None] = mapped_column(sa.ForeignKey("schools.id"), index=True)
    status: Mapped[PlaceStatus] = mapped_column(choice(PlaceStatus))
    # Its number on the waiting list, given under the event's lock and kept for good.
    position: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    # Until when an offered place is held.
    offered_until: Mapped[datetime | None]
    # Kept off every printed list (rule 7); it counts all the same.
    unlisted: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # The place that took its place: of a colleague, or on another date.
    became_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"), index=True)

    booking: Mapped[Booking] = relationship(back_populates="places")
    event: Mapped[Event] = relationship()
    school: Mapped[School | None] = relationship()


class SchoolCount(Base):
    """How many places one school holds at an event that limits them, written under the event's lock.

    There are rows only while the limit is in force. `extra` is what an organiser let the school have beyond it.
    """

    __tablename__ = "school_counts"
    # Rule 1, as far as schools go.
    __table_args__ = (sa.CheckConstraint("taken >= 0 AND taken <= most", name="within_the_limit"),)

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), primary_key=True)
    school_id: Mapped[int] = mapped_column(sa.ForeignKey("schools.id"), primary_key=True, index=True)
    taken: Mapped[int]
    extra: Mapped[int] = mapped_column(default=0)
    most: Mapped[int]


class BookingChange(Base):
    """What somebody did to a booking after it was made: its history, and what a stale form is told."""

    __tablename__ = "booking_changes"
    __table_args__ = (sa.Index("ix_booking_changes_booking_id_revision", "booking_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    booking_id: Mapped[int] = mapped_column(sa.ForeignKey("bookings.id"))
    # The place it is about; empty where it is about the booking as a whole.
    place_id: Mapped[int | None] = mapped_column(sa.ForeignKey("places.id"), index=True)
    revision: Mapped[int]
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(sa.String(200))
    sentence: Mapped[str] = mapped_column(sa.String(500))


class InvitationCount(Base):
    """How many calendar messages one recipient had about one event: SEQUENCE in mail (RFC 5546, 2.1.4).

    Somebody may cancel and book again while the event itself does not change, so the event's own
    number would not do: a client drops what is not newer.
    """

    __tablename__ = "invitation_counts"

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), primary_key=True)
    sequence: Mapped[int]
