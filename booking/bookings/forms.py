"""The booking form."""

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, FieldList, Form, FormField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, ValidationError

from booking.bookings.attendees import Contact, NewPlace
from booking.calendar.models import Audience
from booking.calendar.wording import say_count
from booking.core.forms import Form as PageForm
from booking.core.forms import NumberedList, email_field, name_field
from booking.core.text import paragraphs
from booking.core.tokens import new_key
from booking.directory.queries import SchoolName

TOGETHER, AS_THEY_COME = "together", "as-they-come"
LONGEST_FORM_KEY = 64
NO_SCHOOL = "I am not from a school"
NONE_OF_THESE = "none"


class ColleagueForm(Form):
    """One further attendee: a name, and an e-mail address where they have one."""

    name = name_field("Name", "Enter your colleague’s name, or empty the e-mail address too")
    email = email_field("E-mail address (optional)")

    def validate(self, extra_validators: Any = None) -> bool:
        """Accept an empty block; ask for the name where only an address was given."""
        return self.is_empty or super().validate(extra_validators)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was typed."""
        return not (self.name.data or self.email.data)


def needs_field(label: str) -> TextAreaField:
    """Return a field for what to prepare on the day."""
    return TextAreaField(
        label,
        [Length(max=500, message="Use at most 500 letters")],
        [lambda text: paragraphs(text or "")],
        description="Access, food, large print. Please name no child here.",
    )


class BookingForm(PageForm):
    """Who books, for whom, and what happens if not all fit."""

    form_key = HiddenField(filters=[lambda text: (text or "")[:LONGEST_FORM_KEY]])
    name = name_field("Your name", "Enter your name")
    email = email_field("Your e-mail address", "Enter your e-mail address")
    school = SelectField("Your school or setting", validate_choice=False)
    audience = SelectField("Which of these are you?", validate_choice=False)
    not_attending = BooleanField("I book for others and am not coming myself")
    places = NumberedList(FormField(ColleagueForm), max_entries=49)
    fit = RadioField(
        "If there is not room for all of you",
        choices=[
            SelectChoice(TOGETHER, "wait until all of you can come"),
            SelectChoice(AS_THEY_COME, "take places as they come"),
        ],
        default=TOGETHER,
    )
    needs = needs_field("Anything we should prepare? (optional)")

    unlisted = BooleanField(
        "Keep my name off printed lists",
        description="You still have your place. For those who come with you too.",
    )

    def __init__(
        self,
        *args: Any,
        schools: Sequence[SchoolName],
        colleagues: int,
        names_only: bool = False,
        audiences: Sequence[Audience] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.most_colleagues = colleagues
        self.names_only = names_only
        self.school.choices = [SelectChoice("", NO_SCHOOL), *(SelectChoice(str(s.id), s.name) for s in schools)]
        self.schools = {str(school.id) for school in schools}
        self.ask_what_they_are(audiences)
        if not self.form_key.data:
            self.form_key.data = new_key()
        if not self.is_submitted() and not self.places.entries and colleagues:
            self.places.append_entry()

    def ask_what_they_are(self, audiences: Sequence[Audience]) -> None:
        """Ask whoever books which of these they are: the event is for nobody else. None: do not ask."""
        self.asks_audience = bool(audiences)
        named = [SelectChoice(str(audience.id), audience.name) for audience in audiences]
        self.audience.choices = [SelectChoice("", "Choose"), *named, SelectChoice(NONE_OF_THESE, "None of these")]

    def validate_audience(self, field: SelectField) -> None:
        """Ask again where nothing was chosen; who is none of them hears why from the event."""
        if self.asks_audience and field.raw_data == [""]:
            raise ValidationError("Choose which of these you are")

    def speak_of_somebody_else(self) -> None:
        """Ask an organiser for the details of whoever comes."""
        self.name.label.text, self.email.label.text = "Their name", "Their e-mail address"
        self.school.label.text = "Their school or setting"
        self.school.choices[0].label = "not from a school"

    def validate_school(self, field: SelectField) -> None:
        """Refuse a school that is not on the list (any more)."""
        if field.data and field.data not in self.schools:
            raise ValidationError("Choose your school from the list")

    def validate_places(self, field: FieldList) -> None:
        """Ask for somebody who comes, and for no more than one booking may hold."""
        named = [entry for entry in field.entries if not entry.form.is_empty]
        if len(named) + getattr(field, "left_out", 0) > self.most_colleagues:
            most = say_count(self.most_colleagues + 1, "place")
            raise ValidationError(f"One booking can hold {most} here. Take somebody out")
        if not named and self.not_attending.data:
            raise ValidationError("Name at least one person who comes")

    def error_list(self) -> list[dict[str, str]]:
        """Return each error with the address of its field; what is about all colleagues leads to the first."""
        errors = super().error_list()
        whole = [error for error in self.places.errors if isinstance(error, str)]
        shown = self.places.entries and self.most_colleagues
        return errors + [{"text": text, "href": "#places-0-name" if shown else "#name"} for text in whole]

    def validate(self, extra_validators: Any = None) -> bool:
        """Leave out the addresses of others where only names are asked for."""
        if self.names_only:
            for entry in self.places.entries:
                entry.form.email.data = ""
        return super().validate(extra_validators)

    def add_colleague(self) -> None:
        """Show one more empty block, as far as the event allows."""
        if len(self.places) < self.most_colleagues:
            self.places.append_entry()

    def contact(self) -> Contact:
        """Return who books."""
        school_id = int(self.school.data) if self.school.data else None
        chosen = self.audience.data or ""
        known = {choice.value for choice in self.audience.choices or ()} - {"", NONE_OF_THESE}
        return Contact(self.name.data, self.email.data, school_id, int(chosen) if chosen in known else None)

    def new_places(self) -> list[NewPlace]:
        """Return who comes: the booker first, unless they are not coming."""
        own = [] if self.not_attending.data else [NewPlace(self.name.data, self.email.data)]
        forms = [entry.form for entry in self.places.entries if not entry.form.is_empty]
        return own + [NewPlace(form.name.data, form.email.data or "") for form in forms]
