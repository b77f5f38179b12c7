"""The forms of what an area sets once: kinds, audiences, venues, half terms."""

from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional, Regexp, ValidationError

from booking.calendar.catalogue import HALF_TERMS, KindValues, VenueValues
from booking.calendar.forms import VISIBILITIES, DayField, WholeField
from booking.calendar.models import Venue, Visibility
from booking.calendar.position import Position, read_position, say_position
from booking.calendar.terms import HalfTerm
from booking.core.errors import Refused
from booking.core.forms import Form as PageForm
from booking.core.forms import Required, cleaned
from booking.core.text import paragraphs

COLOURS = (
    "dark blue",
    "green",
    "yellow",
    "brown",
    "raspberry",
    "olive",
    "light blue",
    "light green",
    "dark red",
    "pink",
    "pale violet",
    "grey violet",
)


def _name_field(label: str) -> StringField:
    limit = Length(max=80, message="Use at most 80 letters")
    return StringField(label, [Required("Enter a name"), limit], [cleaned])


class KindForm(PageForm):
    """A kind of event: its name, its sign, and who sees its events."""

    name = _name_field("Name")
    letters = StringField(
        "Two letters for its sign",
        [Required("Enter two letters"), Regexp(r"^[A-Za-z]{2}$", message="Enter two letters from A to Z")],
        [cleaned],
    )
    colour = RadioField(
        "Colour of its sign",
        coerce=int,
        choices=[SelectChoice(number, name) for number, name in enumerate(COLOURS, start=1)],
    )
    visibility = SelectField("Who sees its new events", choices=VISIBILITIES)
    with_drafts = BooleanField(
        "Its drafts follow it",
        description="Not those that say themselves who sees them, and nothing that is published. "
        "Sessions that were for the team only then take bookings; set their number of places.",
    )

    def values(self) -> KindValues:
        """Return what was said."""
        return KindValues(
            name=self.name.data or "",
            letters=self.letters.data or "",
            colour=self.colour.data,
            visibility=Visibility(self.visibility.data),
            with_drafts=self.with_drafts.data,
        )


class AudienceForm(PageForm):
    """Whom events are for."""

    name = _name_field("Name")
    is_families = BooleanField("They are families: parents, carers, young people")


class VenueForm(PageForm):
    """Where events are held."""

    name = StringField(
        "Name", [Required("Enter a name"), Length(max=120, message="Use at most 120 letters")], [cleaned]
    )
    address = StringField("Address (optional)", [Length(max=250, message="Use at most 250 letters")], [cleaned])
    directions = TextAreaField(
        "Getting there (optional)",
        [Length(max=2000, message="Use at most 2,000 letters")],
        [lambda text: paragraphs(text or "")],
        description="Parking, steps, lift, hearing loop, quiet room: what somebody needs to know beforehand.",
    )
    capacity = WholeField(
        "How many people its room holds (optional)",
        [Optional(), NumberRange(1, 100_000, message="Enter a number from 1 to 100,000")],
        description="An event with more places is not refused: you are told.",
    )
    is_online = BooleanField("This is on line, not a place")
    position = StringField(
        "Where it is on a map (optional)",
        [Length(max=500, message="Use at most 500 letters")],
        [cleaned],
        description="As a map site gives it, like 51.7520, -0.3360, or the address of the place there. "
        "Calendars on phones then show the way.",
    )

    def validate_position(self, field: StringField) -> None:
        """Refuse what cannot be read as a position."""
        try:
            self._position()
        except Refused as refused:
            raise ValidationError(refused.sentence) from None

    def _position(self) -> Position | None:
        return read_position(self.position.data or "")

    def values(self) -> VenueValues:
        """Return what was said."""
        return VenueValues(
            self.name.data or "",
            self.address.data or "",
            self.directions.data or "",
            self.is_online.data,
            self.capacity.data,
            self._position(),
        )


def data_of_venue(venue: Venue) -> dict[str, Any]:
    """Return a venue as the form shows it."""
    names = ("name", "address", "directions", "capacity", "is_online")
    return {**{name: getattr(venue, name) for name in names}, "position": say_position(venue.position)}


class HalfTermsForm(PageForm):
    """The six half terms of a school year: `first_1`, `last_1`, … `last_6`."""

    def half_terms(self, year: int) -> list[HalfTerm]:
        """Return what was said."""
        numbers = range(1, HALF_TERMS + 1)
        return [HalfTerm(year, n, self[f"first_{n}"].data, self[f"last_{n}"].data) for n in numbers]


for _number in range(1, HALF_TERMS + 1):
    for _end in ("first", "last"):
        _needed = Required(f"Enter the {_end} school day of half term {_number}")
        setattr(HalfTermsForm, f"{_end}_{_number}", DayField(f"{_end.capitalize()} school day", [_needed]))


def data_of_half_terms(terms: Iterable[HalfTerm]) -> dict[str, Any]:
    """Return half terms as the form shows them."""
    data: dict[str, Any] = {}
    for term in terms:
        data[f"first_{term.number}"], data[f"last_{term.number}"] = term.first_day, term.last_day
    return data
