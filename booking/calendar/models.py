"""Events and what they are made of."""

from datetime import date, datetime, time
from enum import StrEnum
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking.calendar.position import Position
from booking.core.clock import now, on_the_wall
from booking.core.db import Base, Lockable, choice
from booking.core.text import slug
from booking.directory.models import Area

MIDNIGHT = time(0, 0)
# Addresses of feeds that are no category's.
RESERVED_SLUGS = frozenset({"calendar", "my", "school"})


class Kind(StrEnum):
    """What an entry wants of its readers: that they come, that they send something, that they know."""

    SESSION = "session"
    DEADLINE = "deadline"
    MILESTONE = "milestone"


class Visibility(StrEnum):
    """Who sees an entry: everyone, who is signed in, the team."""

    PUBLIC = "public"
    STAFF = "staff"
    TEAM = "team"


class EventStatus(StrEnum):
    """Where an event is in its life. A cancelled one stays on the calendar as cancelled."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class WhoMayBook(StrEnum):
    """Who may book an event that they see."""

    ANYONE = "anyone"
    AUDIENCE = "audience"
    SCHOOLS = "schools"
    INVITED = "invited"


class Promotion(StrEnum):
    """How a free place goes to who waits: it is theirs at once, or it is held for them until they answer."""

    AUTOMATIC = "automatic"
    OFFER = "offer"


class Category(Base):
    """A kind of event: its sign (two letters, a colour of the palette) and its defaults."""

    __tablename__ = "categories"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "slug"),
        sa.CheckConstraint("colour BETWEEN 1 AND 12", name="colour"),
        sa.CheckConstraint("slug NOT IN ('calendar', 'my', 'school')", name="slug"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    slug: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(80))
    letters: Mapped[str] = mapped_column(sa.String(2))
    colour: Mapped[int] = mapped_column(sa.SmallInteger)
    visibility: Mapped[Visibility] = mapped_column(choice(Visibility))
    position: Mapped[int] = mapped_column(sa.SmallInteger, default=0)


class Audience(Base):
    """Whom events are for."""

    __tablename__ = "audiences"
    __table_args__ = (sa.UniqueConstraint("area_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    slug: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(80))
    is_families: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(sa.SmallInteger, default=0)


class Venue(Base):
    """A place where events are held, or "On line". `capacity` is how many people its room holds, where known."""

    __tablename__ = "venues"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "name"),
        sa.CheckConstraint("capacity > 0", name="capacity"),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL) AND (latitude IS NULL"
            " OR (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND NOT is_online))",
            name="position",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    address: Mapped[str] = mapped_column(sa.String(250), default="")
    directions: Mapped[str] = mapped_column(sa.Text, default="")
    is_online: Mapped[bool] = mapped_column(default=False)
    capacity: Mapped[int | None]
    # Where it stands on the map, in decimal degrees; both or neither.
    latitude: Mapped[float | None] = mapped_column(sa.Double)
    longitude: Mapped[float | None] = mapped_column(sa.Double)

    @property
    def position(self) -> Position | None:
        """Where it stands on the map, where that is known."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)


class Series(Base):
    """Events that belong together, each booked by itself: who booked one may change to another date of it."""

    __tablename__ = "series"
    __table_args__ = (sa.UniqueConstraint("area_id", "name"), sa.CheckConstraint("name <> ''", name="named"))

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    name: Mapped[str] = mapped_column(sa.String(120))


class Term(Base):
    """A half term: `year` is the one in which its school year begins (2026 for 2026-27), `number` 1 to 6."""

    __tablename__ = "terms"
    __table_args__ = (
        sa.UniqueConstraint("area_id", "year", "number"),
        sa.CheckConstraint("number BETWEEN 1 AND 6", name="number"),
        sa.CheckConstraint("first_day <= last_day", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    year: Mapped[int] = mapped_column(sa.SmallInteger)
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    first_day: Mapped[date]
    last_day: Mapped[date]


event_audiences = sa.Table(
    "event_audiences",
    Base.metadata,
    sa.Column("event_id", sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("audience_id", sa.ForeignKey("audiences.id"), primary_key=True, index=True),
)


class Host(Base):
    """Who lends the hall or leads an event: is written to about it, and need not have an account."""

    __tablename__ = "event_hosts"
    __table_args__ = (sa.CheckConstraint("email <> ''", name="has_an_address"),)

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120), default="")
    position: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    since: Mapped[datetime] = mapped_column(default=now)


def _new_uid() -> str:
    return str(uuid4())


class Event(Lockable, Base):
    """One dated entry. Days and times are those on the wall in Britain; a deadline's `starts` is its closing time."""

    __tablename__ = "events"
    __table_args__ = (
        sa.CheckConstraint("title <> ''", name="titled"),
        sa.CheckConstraint("ends IS NULL OR starts IS NOT NULL", name="ends_after_a_start"),
        sa.CheckConstraint("last_day IS NULL OR last_day > day", name="days_in_order"),
        sa.CheckConstraint("last_day IS NOT NULL OR ends IS NULL OR ends > starts", name="times_in_order"),
        sa.CheckConstraint("kind = 'session' OR NOT takes_bookings", name="only_sessions_are_booked"),
        sa.CheckConstraint(
            "closes_for_id IS NULL OR (kind = 'deadline' AND closes_for_id <> id)", name="only_deadlines_close"
        ),
        sa.CheckConstraint("capacity >= 0", name="capacity"),
        # Rule 1: `taken` counts confirmed and offered places, and is written with them under the event's lock.
        sa.CheckConstraint("taken >= 0 AND (capacity IS NULL OR taken <= capacity)", name="never_oversold"),
        sa.CheckConstraint("last_position >= 0", name="last_position"),
        sa.CheckConstraint("places_per_booking BETWEEN 1 AND 50", name="places_per_booking"),
        sa.CheckConstraint("per_school > 0", name="per_school"),
        sa.CheckConstraint("offer_hours BETWEEN 1 AND 336", name="offer_hours"),
        sa.CheckConstraint("changes_until_hours BETWEEN 0 AND 720", name="changes_until_hours"),
        sa.CheckConstraint("who_may_book <> 'invited' OR invitation_key IS NOT NULL", name="invites_by_a_link"),
        sa.UniqueConstraint("area_id", "import_key"),
        sa.Index("ix_events_settle_at", "settle_at"),
        sa.Index("ix_events_area_id_day", "area_id", "day"),
        sa.Index("ix_events_category_id_day", "category_id", "day"),
        sa.Index("ix_events_status_day", "status", "day"),
    )

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("areas.id"))
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("categories.id"))
    venue_id: Mapped[int | None] = mapped_column(sa.ForeignKey("venues.id"), index=True)
    series_id: Mapped[int | None] = mapped_column(sa.ForeignKey("series.id"), index=True)
    # What a closing date is for: the panel that looks at what was sent by then.
    closes_for_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id"), index=True)
    kind: Mapped[Kind] = mapped_column(choice(Kind))
    visibility: Mapped[Visibility] = mapped_column(choice(Visibility))
    # Who sees it was said of this event itself: it does not follow its category.
    own_visibility: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    status: Mapped[EventStatus] = mapped_column(choice(EventStatus), default=EventStatus.DRAFT)
    # That somebody comes may tell something about their child (rule 7).
    private: Mapped[bool] = mapped_column(default=False)

    title: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str] = mapped_column(sa.Text, default="")
    cost: Mapped[str] = mapped_column(sa.String(120), default="")
    day: Mapped[date]
    starts: Mapped[time | None]
    ends: Mapped[time | None]
    last_day: Mapped[date | None]
    joining_link: Mapped[str] = mapped_column(sa.String(500), default="")

    takes_bookings: Mapped[bool] = mapped_column(default=False)
    capacity: Mapped[int | None]
    places_per_booking: Mapped[int] = mapped_column(sa.SmallInteger, default=10)
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    who_may_book: Mapped[WhoMayBook] = mapped_column(
        choice(WhoMayBook), default=WhoMayBook.ANYONE, server_default=WhoMayBook.ANYONE.value
    )
    # With WhoMayBook.SCHOOLS: until then only schools of the area; for good where it is empty.
    schools_first_until: Mapped[datetime | None]
    # With WhoMayBook.INVITED: what the link of the invitation carries.
    invitation_key: Mapped[str | None] = mapped_column(sa.String(24))
    # The places one school may hold, until that is lifted.
    per_school: Mapped[int | None]
    per_school_until: Mapped[datetime | None]
    promotion: Mapped[Promotion] = mapped_column(
        choice(Promotion), default=Promotion.AUTOMATIC, server_default=Promotion.AUTOMATIC.value
    )
    offer_hours: Mapped[int] = mapped_column(sa.SmallInteger, default=48, server_default="48")
    promotion_paused: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # A place that comes free near the day: to the next who waits until it starts, or as the organiser decides.
    late_places_go_on: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # Bookers change and cancel until so many hours before it starts; later they have to ask.
    changes_until_hours: Mapped[int] = mapped_column(sa.SmallInteger, default=0, server_default="0")
    link_in_invitation: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    # When its places have to be looked at next by themselves: an offer ends, a limit is lifted.
    settle_at: Mapped[datetime | None]
    taken: Mapped[int] = mapped_column(default=0)
    last_position: Mapped[int] = mapped_column(default=0)
    own_reminders: Mapped[bool] = mapped_column(default=False)

    uid: Mapped[str] = mapped_column(sa.String(80), unique=True, default=_new_uid)
    sequence: Mapped[int] = mapped_column(default=0)
    # When what people see of it last changed: DTSTAMP and LAST-MODIFIED in feeds.
    changed_at: Mapped[datetime] = mapped_column(default=now)
    # Raised by every edit, also of what nobody sees: an edit of an older revision is told so.
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_note: Mapped[str] = mapped_column(sa.String(300), default="")
    # Where an imported entry came from, so that a second import finds it.
    import_key: Mapped[str | None] = mapped_column(sa.String(64))

    area: Mapped[Area] = relationship()
    category: Mapped[Category] = relationship()
    venue: Mapped[Venue | None] = relationship()
    series: Mapped[Series | None] = relationship()
    closes_for: Mapped["Event | None"] = relationship(remote_side="Event.id")
    audiences: Mapped[list[Audience]] = relationship(secondary=event_audiences, order_by=Audience.position)
    hosts: Mapped[list[Host]] = relationship(order_by=Host.position, cascade="all, delete-orphan", passive_deletes=True)

    @property
    def slug(self) -> str:
        """The words of its address."""
        return slug(self.title)

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/events/{self.id}-{self.slug}/"

    @property
    def starts_at(self) -> datetime:
        """The instant it starts; midnight where it has no time."""
        return on_the_wall(self.day, self.starts or MIDNIGHT)

    @property
    def ends_at(self) -> datetime:
        """The instant it is over: its end, else its start, else the end of its (last) day."""
        last = self.last_day or self.day
        if self.ends or (self.starts and not self.last_day):
            return on_the_wall(last, self.ends or self.starts or MIDNIGHT)
        return on_the_wall(date.fromordinal(last.toordinal() + 1), MIDNIGHT)

    @property
    def places_left(self) -> int | None:
        """How many places are free; None where there is no limit."""
        return None if self.capacity is None else self.capacity - self.taken

    @property
    def is_cancelled(self) -> bool:
        """Tell whether it has been called off."""
        return self.status is EventStatus.CANCELLED
