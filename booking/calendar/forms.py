"""The form of an event."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    URLField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional, Regexp, ValidationError

from booking.calendar.actions import EventValues
from booking.calendar.hosts_form import read_hosts, say_hosts
from booking.calendar.models import Audience, Category, Event, Kind, Visibility
from booking.calendar.terms import FIRST_YEAR, LAST_YEAR
from booking.calendar.wording import say_day
from booking.core.clock import on_the_wall, today, wall
from booking.core.errors import Refused
from booking.core.forms import Form, Required, cleaned
from booking.core.text import paragraphs

VISIBILITIES = [
    SelectChoice(Visibility.PUBLIC.value, "Everyone"),
    SelectChoice(Visibility.STAFF.value, "Signed-in staff"),
    SelectChoice(Visibility.TEAM.value, "The team only"),
]
NOT_IN_THE_LIST = "Choose an event from the list"


class DayField(DateField):
    """A day; what cannot be one is told in plain words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day."""
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("This is not a date. Write it like 2026-11-23") from None
        if self.data and not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            raise ValueError("Check the year of this date")


class ClockField(TimeField):
    """A time on the wall; what cannot be one is told in plain words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the time."""
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata([valuelist[0].strip()[:5]])
        except ValueError:
            raise ValueError("This is not a time. Write it like 13:30") from None


class WholeField(IntegerField):
    """A whole number, or nothing."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number."""
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Enter a whole number, like 30") from None


def refuse_a_time_alone(field: ClockField, day: DayField) -> None:
    """Raise where a time was typed without its day."""
    if field.data and not day.data:
        raise ValidationError("Enter the day too, or leave the time empty")


def instant_of(day: DayField, at: ClockField, *, otherwise: time) -> datetime | None:
    """Return the instant of a day and a time (`otherwise` where none was typed); None without a day."""
    return on_the_wall(day.data, at.data or otherwise) if day.data else None


class EventForm(Form):
    """What an organiser says of an event."""

    revision = HiddenField()
    title = StringField(
        "Title", [Required("Enter a title"), Length(max=200, message="Use at most 200 letters")], [cleaned]
    )
    category = SelectField("Kind of event", coerce=int)
    kind = SelectField(
        "What it wants of people",
        choices=[
            SelectChoice(Kind.SESSION.value, "They come (a session)"),
            SelectChoice(Kind.DEADLINE.value, "They send something by then (a closing date)"),
            SelectChoice(Kind.MILESTONE.value, "They know of it (for information)"),
        ],
    )
    closes_for = SelectField(
        "If this is a closing date: what it is for",
        coerce=lambda value: int(value) if value else None,
        invalid_value_message=NOT_IN_THE_LIST,
        invalid_choice_message=NOT_IN_THE_LIST,
        description="The panel or meeting that looks at what is sent by then.",
    )
    visibility = SelectField(
        "Who sees it",
        choices=VISIBILITIES,
    )
    private = BooleanField("Private: that somebody comes may tell something about their child")
    audiences = SelectMultipleField("Who it is for", coerce=int)
    day = DayField("Day", [Required("Enter the day")])
    last_day = DayField("Last day, if it takes several", [Optional()])
    starts = ClockField("Start, or closing time", [Optional()])
    ends = ClockField("End", [Optional()])
    venue = StringField("Where", [Length(max=120, message="Use at most 120 letters")], [cleaned])
    hosts = TextAreaField(
        "Hosts and facilitators",
        [Length(max=10_000, message="Use at most 10,000 letters")],
        filters=[lambda text: paragraphs(text or "")],
        description="One in each line, like Amina Yusuf <amina@school.example>. "
        "They get the reminders meant for them. No public page names them.",
    )
    description = TextAreaField(
        "Description",
        [Length(max=20_000, message="Use at most 20,000 letters")],
        [lambda text: paragraphs(text or "")],
        description="Paragraphs, lists and links as in Markdown. Please name no child.",
    )
    cost = StringField(
        "Cost", [Length(max=120, message="Use at most 120 letters")], [cleaned], description="Empty means free."
    )
    joining_link = URLField(
        "Joining link",
        [
            Optional(),
            Length(max=500, message="Use at most 500 letters"),
            Regexp(r"^https?://[^\s<>\"']+$", message="Enter an address that begins with https://"),
        ],
        [cleaned],
        description="Only those with a place see it.",
    )
    takes_bookings = BooleanField("People book places")
    capacity = WholeField(
        "Places in all",
        [Optional(), NumberRange(0, 100_000, message="Enter a number from 0 to 100,000")],
        description="Empty means no limit.",
    )
    places_per_booking = WholeField(
        "Places in one booking, at most",
        [
            Required("Enter how many places one booking may hold"),
            NumberRange(1, 50, message="Enter a number from 1 to 50"),
        ],
    )
    closes_day = DayField("Booking closes on", [Optional()], description="Empty: when it starts.")
    closes_time = ClockField("at", [Optional()])

    def __init__(
        self,
        *args: Any,
        categories: Sequence[Category],
        all_audiences: Sequence[Audience],
        sessions: Sequence[Event],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.category.choices = [SelectChoice(one.id, one.name) for one in categories]
        self.audiences.choices = [SelectChoice(one.id, one.name) for one in all_audiences]
        by_kind = sorted(sessions, key=lambda one: one.category.position)  # those of a kind stay in order of their days
        self.closes_for.choices = [
            SelectChoice("", "Nothing on the calendar"),
            *(SelectChoice(one.id, _said(one), optgroup=one.category.name) for one in by_kind),
        ]

    def validate_last_day(self, field: DayField) -> None:
        """Refuse a last day that is not after the first."""
        if field.data and self.day.data and field.data <= self.day.data:
            raise ValidationError("The last day has to be after the first, or empty")

    def validate_ends(self, field: ClockField) -> None:
        """Refuse an end without a start, or before it."""
        if field.data and not self.starts.data:
            raise ValidationError("Enter the start too, or leave the end empty")
        if field.data and self.starts.data and not self.last_day.data and field.data <= self.starts.data:
            raise ValidationError("The end has to be after the start")

    def validate_hosts(self, field: TextAreaField) -> None:
        """Refuse a line that names nobody who can be written to."""
        try:
            read_hosts(field.data)
        except Refused as refused:
            raise ValidationError(refused.sentence) from None

    def validate_closes_day(self, field: DayField) -> None:
        """Refuse a closing of bookings after the start; of what lies in the past that is not what is wrong."""
        closes, day = self._closes_at(), self.day.data
        if closes and day and day >= today() and closes > on_the_wall(day, self.starts.data or time(23, 59)):
            raise ValidationError("Booking has to close before the event starts")

    def validate_closes_time(self, field: ClockField) -> None:
        """Refuse a time of closing without its day."""
        refuse_a_time_alone(field, self.closes_day)

    def values(self) -> EventValues:
        """Return what was said."""
        assert self.day.data is not None
        assert self.places_per_booking.data is not None
        return EventValues(
            title=self.title.data or "",
            category_id=self.category.data,
            kind=Kind(self.kind.data),
            visibility=Visibility(self.visibility.data),
            private=self.private.data,
            audience_ids=tuple(self.audiences.data or ()),
            day=self.day.data,
            last_day=self.last_day.data,
            starts=self.starts.data,
            ends=self.ends.data,
            venue=self.venue.data or "",
            description=self.description.data or "",
            cost=self.cost.data or "",
            joining_link=self.joining_link.data or "",
            takes_bookings=self.takes_bookings.data,
            capacity=self.capacity.data,
            places_per_booking=self.places_per_booking.data,
            closes_at=self._closes_at(),
            hosts=read_hosts(self.hosts.data or ""),
            closes_for_id=self.closes_for.data,
        )

    def _closes_at(self) -> datetime | None:
        return instant_of(self.closes_day, self.closes_time, otherwise=time(12, 0))


def _said(event: Event) -> str:
    return f"{say_day(event.day)}: {event.title}"


def data_of(event: Event) -> dict[str, Any]:
    """Return an event as the form shows it."""
    closes = wall(event.closes_at) if event.closes_at else None
    return {
        **{
            name: getattr(event, name) for name in ("revision", "title", "private", "day", "last_day", "starts", "ends")
        },
        **{
            name: getattr(event, name) for name in ("description", "cost", "joining_link", "takes_bookings", "capacity")
        },
        "category": event.category_id,
        "closes_for": event.closes_for_id,
        "kind": event.kind.value,
        "visibility": event.visibility.value,
        "audiences": [audience.id for audience in event.audiences],
        "venue": event.venue.name if event.venue else "",
        "hosts": say_hosts(event.hosts),
        "places_per_booking": event.places_per_booking,
        "closes_day": closes.date() if closes else None,
        "closes_time": closes.time() if closes else None,
    }
