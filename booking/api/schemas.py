"""What the JSON looks like: the models that answers are written by, and that its description is made of."""

from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from booking.bookings.policy import BookingCode, BookingState, closes_at
from booking.calendar import models
from booking.calendar.models import EventStatus, Kind
from booking.calendar.policy import ANYBODY, what_it_is_for
from booking.core.addresses import absolute, under_base
from booking.core.clock import wall

PER_PAGE, MOST_PER_PAGE, LAST_PAGE = 50, 200, 10_000
# An instant, written with the difference from UTC that Britain has at that time of the year.
Instant = Annotated[datetime, PlainSerializer(lambda at: wall(at).isoformat(), when_used="json-unless-none")]
# A time on the wall in Britain.
WallTime = Annotated[
    time,
    PlainSerializer(lambda at: at.strftime("%H:%M"), when_used="json-unless-none"),
    Field(json_schema_extra={"format": "", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "examples": ["09:30"]}),
]


class Schema(BaseModel):
    """A part of an answer; no more stands in it than is said here."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, frozen=True)


class Named(Schema):
    """A kind of event or an audience: `slug` is what filters take."""

    slug: str
    name: str


class Venue(Schema):
    """Where it is. The link of an on-line session is only for those with a place."""

    name: str
    address: str
    is_online: bool
    latitude: float | None = Field(description="decimal degrees; null where it is not known")
    longitude: float | None


class Booking(Schema):
    """Whether it can be booked. Of private events no numbers are given."""

    state: BookingCode
    sentence: str = Field(description="the state in words")
    url: str = Field(description="the booking form")
    opens_at: Instant | None
    closes_at: Instant
    capacity: int | None = Field(description="places in all; null where there is no limit")
    places_left: int | None

    @classmethod
    def of(cls, event: models.Event, state: BookingState) -> "Booking":
        """Return what is public of the bookings of an event."""
        return cls(
            state=state.code,
            sentence=state.sentence,
            url=absolute("bookings.book", event_id=event.id),
            opens_at=event.opens_at,
            closes_at=closes_at(event),
            capacity=None if event.private else event.capacity,
            places_left=None if event.private else event.places_left,
        )


class Related(Schema):
    """Another event that it has to do with."""

    id: int
    uid: str
    title: str
    url: str

    @classmethod
    def of(cls, event: models.Event) -> "Related":
        """Return what leads to an event."""
        return cls(id=event.id, uid=event.uid, title=event.title, url=under_base(event.path))


class Event(Schema):
    """One dated entry. Days and times are those on the wall in Britain; a deadline's `starts` is its closing time."""

    id: int
    uid: str = Field(description="the same as in the calendar feeds, for life")
    title: str
    kind: Kind
    status: Literal[EventStatus.PUBLISHED, EventStatus.CANCELLED]
    cancel_note: str
    category: Named
    audiences: list[Named] = Field(description="whom it is for; empty: anyone")
    day: date
    last_day: date | None = Field(description="where it takes several days")
    starts: WallTime | None
    ends: WallTime | None
    starts_at: Instant | None = Field(description="the instant; null where it has no time")
    venue: Venue | None
    closes_for: Related | None = Field(description="of a closing date: what it is for, where that is public too")
    description: str = Field(description="Markdown")
    cost: str
    url: str = Field(description="its page")
    ics_url: str = Field(description="its calendar file")
    changed_at: Instant
    booking: Booking | None = Field(description="null where nobody needs to book")

    @classmethod
    def of(cls, event: models.Event, state: BookingState) -> "Event":
        """Return what everybody may know of an event."""
        parent = what_it_is_for(event, ANYBODY)
        return cls(
            **{name: getattr(event, name) for name in _AS_THEY_ARE},
            venue=Venue.model_validate(event.venue) if event.venue else None,
            category=Named.model_validate(event.category),
            audiences=[Named.model_validate(audience) for audience in event.audiences],
            closes_for=Related.of(parent) if parent else None,
            starts_at=event.starts_at if event.starts else None,
            url=under_base(event.path),
            ics_url=absolute("feeds.event", event_id=event.id),
            booking=Booking.of(event, state) if event.takes_bookings else None,
        )


_AS_THEY_ARE = (
    *("id", "uid", "title", "kind", "status", "cancel_note"),
    *("day", "last_day", "starts", "ends", "description", "cost", "changed_at"),
)


class Page(Schema):
    """A page of the list."""

    events: list[Event]
    total: int = Field(description="how many events there are on all pages")
    page: int
    pages: int
    next: str | None = Field(description="the address of the next page")
    previous: str | None


class Start(Schema):
    """Where to go from here."""

    events: str
    openapi: str
    area: Named


class Problem(Schema):
    """Why there is no answer."""

    error: str = Field(description="a sentence")
    field: str | None = Field(None, description="the name in the query that it is about")


class Query(BaseModel):
    """What may stand in the query of the list: the filters of the page /events/, and the page."""

    category: list[str] = Field([], description="slugs of kinds of events: any of these")
    audience: list[str] = Field([], description="slugs of audiences: what is for any of these, or for anyone")
    area: str = Field("", description="slug of the partnership")
    q: str = Field("", description="words of the title: all of these")
    first: date | None = Field(None, alias="from", description="the first day; today, unless it or `to` is given")
    to: date | None = Field(None, description="the last day")
    when: Literal["", "coming", "past"] = Field("", description="past: what is over, the newest first")
    free: str = Field("", description="anything: only what can be booked and has places left")
    page: int = Field(1, ge=1, le=LAST_PAGE)
    per_page: int = Field(PER_PAGE, ge=1, le=MOST_PER_PAGE)
