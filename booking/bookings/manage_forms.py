"""The forms of organisers: somebody added, a place changed, people written to."""

import re
from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, ValidationError

from booking.bookings.forms import AS_THEY_COME, LONGEST_FORM_KEY, TOGETHER, BookingForm, needs_field
from booking.bookings.messages import WORDS, Group, Text
from booking.core.forms import Form, Required, cleaned, email_field, name_field
from booking.core.text import paragraphs
from booking.core.tokens import new_key
from booking.directory.queries import SchoolName
from booking.notifications import merging

WAIT, BEYOND = "wait", "beyond"
THIS_PLACE, ALL_PLACES = "this", "all"
LONGEST_REASON, LONGEST_SUBJECT, LONGEST_MESSAGE = 300, 150, 5000
OFF_THE_LISTS = "Keep them off printed lists. They count all the same"
_NUMBER = re.compile(r"[0-9]{1,9}")


def _revision(typed: Any) -> int | None:
    """Return the number of a revision, or None for what is none."""
    return int(typed) if _NUMBER.fullmatch(str(typed or "")) else None


def _reason(*checks: Any) -> StringField:
    limit = Length(max=LONGEST_REASON, message=f"Use at most {LONGEST_REASON} letters")
    return StringField("Why beyond the limit?", [*checks, limit], [cleaned], description="It goes into the log.")


class AddForm(BookingForm):
    """Somebody an organiser books for, and what happens where they do not fit."""

    how = RadioField(
        "If they do not fit",
        choices=[
            SelectChoice(WAIT, "they join the waiting list"),
            SelectChoice(BEYOND, "let them in beyond the limit: the number of places is raised"),
        ],
        default=WAIT,
    )
    reason = _reason()

    def __init__(self, *args: Any, schools: Sequence[SchoolName], limited: bool, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, schools=schools, names_only=private, **kwargs)
        self.speak_of_somebody_else()
        self.not_attending.label.text = "They book for others and do not come themselves"
        self.needs.label.text = "Anything to prepare? (optional)"
        self.fit.label.text = "If there is not room for all of them"
        self.fit.choices = [
            SelectChoice(TOGETHER, "they wait until all can come"),
            SelectChoice(AS_THEY_COME, "they take places as they come"),
        ]
        if not limited:
            del self.how, self.reason
        self.unlisted.label.text, self.unlisted.description = OFF_THE_LISTS, ""
        if not private:
            del self.unlisted

    @property
    def is_beyond(self) -> bool:
        """Tell whether they are let in although they do not fit."""
        return "how" in self and self.how.data == BEYOND

    @property
    def is_unlisted(self) -> bool:
        """Tell whether they are kept off printed lists."""
        return "unlisted" in self and bool(self.unlisted.data)

    def validate_reason(self, field: StringField) -> None:
        """Ask why, where a limit is to be raised."""
        if self.is_beyond and not field.data:
            raise ValidationError("Say why, in a few words: it goes into the log")


class SeenForm(Form):
    """A form that knows which revision of the booking its page showed."""

    seen = HiddenField(filters=[_revision])


class SwapForm(SeenForm):
    """Who comes instead."""

    name = name_field("Who comes instead", "Enter the name of who comes instead")
    email = email_field("Their e-mail address (optional)")

    def __init__(self, *args: Any, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if private:
            del self.email  # at a private event only who booked has an address

    @property
    def address(self) -> str:
        """The address typed; nothing where none is asked for."""
        return (self.email.data or "") if "email" in self else ""


class PlaceForm(SeenForm):
    """An attendee's details."""

    name = name_field("Name", "Enter a name")
    email = email_field("E-mail address (optional)")
    unlisted = BooleanField(OFF_THE_LISTS)

    def __init__(self, *args: Any, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if private:
            del self.email
        else:
            del self.unlisted


class BookerForm(SeenForm):
    """Who booked, and what to prepare."""

    name = name_field("Name of who booked", "Enter a name")
    email = email_field("Their e-mail address", "Enter an e-mail address")
    needs = needs_field("Anything to prepare? (optional)")


class MoveForm(SeenForm):
    """Another date of the series, for one place or for all of the booking."""

    to = RadioField("To which date?", choices=[], validate_choice=False)
    whose = RadioField("Who changes?", choices=[], default=THIS_PLACE)

    def __init__(self, *args: Any, dates: Sequence[tuple[int, str]], name: str, several: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.to.choices = [SelectChoice(str(event_id), words) for event_id, words in dates]
        self.whose.choices = [
            SelectChoice(THIS_PLACE, f"{name} alone"),
            SelectChoice(ALL_PLACES, f"all {several} places of the booking"),
        ]
        if several < 2:
            del self.whose

    def validate_to(self, field: RadioField) -> None:
        """Ask for a date."""
        if not field.data:
            raise ValidationError("Choose a date")

    @property
    def all_of_them(self) -> bool:
        """Tell whether the whole booking changes."""
        return "whose" in self and self.whose.data == ALL_PLACES


class BeyondForm(Form):
    """Why somebody is let in beyond the limit, and what the page said would be raised."""

    raises = HiddenField(filters=[lambda text: (text or "")[:60]])
    reason = _reason(Required("Say why, in a few words: it goes into the log"))


def subject_field() -> StringField:
    """Return a field for the subject of a mail that an organiser writes."""
    limit = Length(max=LONGEST_SUBJECT, message=f"Use at most {LONGEST_SUBJECT} letters")
    return StringField("Subject", [Required("Enter a subject"), limit], [cleaned])


def text_field(description: str) -> TextAreaField:
    """Return a field for what the mail of an organiser says."""
    limit = Length(max=LONGEST_MESSAGE, message=f"Use at most {LONGEST_MESSAGE:,} letters")
    return TextAreaField(
        "What to say",
        [Required("Enter what to say"), limit],
        [lambda text: paragraphs(text or "")],
        description=description,
    )


class MessageForm(Form):
    """Whom to write to, and what."""

    form_key = HiddenField(filters=[lambda text: (text or "")[:LONGEST_FORM_KEY]])
    to = RadioField(
        "To whom?",
        choices=[
            SelectChoice(Group.CONFIRMED, "those with a place"),
            SelectChoice(Group.WAITING, "those on the waiting list"),
            SelectChoice(Group.OFFERED, "those who have not answered an offer yet"),
            SelectChoice(Group.ALL, "all of them"),
        ],
        default=Group.CONFIRMED,
    )
    school = SelectField("Of which school?", validate_choice=False)
    subject = subject_field()
    text = text_field(
        "An empty line begins a paragraph. For each person, [name] becomes their name and [link] their own link; "
        "[event], [when] and [where] say what it is about."
    )

    def __init__(self, *args: Any, schools: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.school.choices = [SelectChoice("", "any"), *(SelectChoice(str(row[0]), row[1]) for row in schools)]
        if not self.form_key.data:
            self.form_key.data = new_key()

    def validate_school(self, field: SelectField) -> None:
        """Refuse a school that nobody comes from."""
        if field.data and field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("Choose a school from the list")

    def validate_subject(self, field: StringField) -> None:
        """Refuse merge words that are none."""
        refuse_unknown_words(field.data)

    def validate_text(self, field: TextAreaField) -> None:
        """Refuse merge words that are none."""
        refuse_unknown_words(field.data)

    @property
    def group(self) -> Group:
        """Whom it goes to."""
        return Group(self.to.data)

    @property
    def school_id(self) -> int | None:
        """The one school whose people it goes to."""
        return int(self.school.data) if self.school.data else None

    def message(self) -> Text:
        """Return what to say."""
        return Text(self.subject.data, self.text.data)


def refuse_unknown_words(text: str | None, words: Sequence[str] = WORDS) -> None:
    """Raise where a word in square brackets is no merge word."""
    why_not = merging.why_not(text or "", words)
    if why_not:
        raise ValidationError(why_not)
