"""The forms by which bookers and attendees change their mind."""

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from booking.bookings.attendees import NewPlace
from booking.bookings.forms import needs_field
from booking.bookings.models import Booking
from booking.core.errors import Refused
from booking.core.forms import Form, email_field, name_field
from booking.core.web import row_number


def seen(text: str | None) -> int | None:
    """Return the booking's revision that somebody saw; None where a form sends none.

    What no page of ours wrote is older than every change, so that whoever sends it is told all.
    """
    if text is None:
        return None
    try:
        return row_number(text)
    except ValueError:
        return 0


class ChangeForm(Form):
    """A change of a booking, made by somebody who saw it as it was at a revision."""

    seen = HiddenField()

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sentence = ""
        if not self.is_submitted():
            self.look_again(booking)

    def look_again(self, booking: Booking) -> None:
        """Take the booking as it is now as what is on the page."""
        self.seen.data = str(booking.revision)

    @property
    def revision(self) -> int | None:
        """The revision that was seen."""
        return seen(self.seen.data)

    def refuse(self, refused: Refused) -> None:
        """Show a refusal at its field, or over the form where it is about no field."""
        if refused.field in self._fields:
            super().refuse(refused)
        else:
            self.sentence = refused.sentence

    def error_list(self) -> list[dict[str, str]]:
        """Return what is about the whole form first, then each error with the address of its field."""
        return ([{"text": self.sentence}] if self.sentence else []) + super().error_list()


class AnswerForm(ChangeForm):
    """A yes or no, without a field."""


class SwapForm(ChangeForm):
    """Who comes instead. Where only names are asked for, what was sent as an address is left out."""

    name = name_field("Name of who comes instead", "Enter the name of who comes instead")
    email = email_field("Their e-mail address (optional)", description="Joining details and reminders go there.")

    def __init__(self, *args: Any, names_only: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if names_only:
            del self.email

    def new_place(self) -> NewPlace:
        """Return who comes instead."""
        return NewPlace(self.name.data, (self.email.data or "") if "email" in self else "")


class AttendeeForm(ChangeForm):
    """An attendee's details. At private events: no address of others, but whether they stand on printed lists."""

    name = name_field("Name", "Enter a name")
    email = email_field("E-mail address (optional)", description="Joining details and reminders go there.")
    unlisted = BooleanField("Keep off printed lists. The place counts all the same")

    def __init__(self, *args: Any, private: bool, own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = own
        if own:
            self.name.label.text, self.email.label.text = "Your name", "Your e-mail address"
        if private:
            del self.email
        else:
            del self.unlisted

    def validate_email(self, field: Any) -> None:
        """Ask an attendee for an address of their own: their link goes there."""
        if self.own and not field.data:
            raise ValidationError("Enter your e-mail address")


class BookerForm(ChangeForm):
    """Who booked, and what to prepare."""

    name = name_field("Your name", "Enter your name")
    email = email_field("Your e-mail address", "Enter your e-mail address")
    needs = needs_field("Anything we should prepare? (optional)")

    def __init__(self, *args: Any, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if private:
            del self.email  # there a booking stays with its address


class MoveForm(ChangeForm):
    """Another date of the series, of those with a place free. One that filled up meanwhile is for the action to say."""

    to = RadioField("Another date", validate_choice=False)

    def __init__(self, *args: Any, dates: Sequence[SelectChoice], known: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.to.choices = list(dates)
        self.known = {str(event_id) for event_id in known}

    def validate_to(self, field: RadioField) -> None:
        """Ask for one of the dates."""
        if field.data not in self.known:
            raise ValidationError("Choose one of the dates")
