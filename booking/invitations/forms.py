"""Whom an organiser invites with which words, and what a school says that cannot come."""

from typing import Any

from wtforms import HiddenField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, ValidationError

from booking.bookings.forms import LONGEST_FORM_KEY
from booking.bookings.manage_forms import refuse_unknown_words, subject_field, text_field
from booking.bookings.messages import Text
from booking.core.forms import Form, cleaned
from booking.core.tokens import new_key
from booking.directory.forms import SchoolsForm
from booking.directory.models import ContactRole, Phase
from booking.directory.wording import SAY_ROLE
from booking.invitations.mail import MERGE_WORDS
from booking.invitations.queries import Chosen

SUBJECT = "You are invited: [event]"
TEXT = """Dear [name],

you are invited to [event], on [when]. We would be glad to see somebody from [school].

Please book with the link below, or tell us that you cannot come: then we do not ask again."""
SUBJECT_AGAIN = "Can you come? [event]"
TEXT_AGAIN = """Dear [name],

we have not heard from [school] yet about [event], on [when].

Please book with the link below, or tell us that you cannot come: then we do not ask again."""


class NoForm(Form):
    """Why a school cannot come, if somebody wants to say so."""

    reason = StringField(
        "Why, in one line (optional)",
        [Length(max=200, message="Use at most 200 letters")],
        [cleaned],
        description="It helps us to plan. Please name no child here.",
    )


class WordsForm(Form):
    """What an invitation says, beside what, when, where and the links."""

    form_key = HiddenField(filters=[lambda text: (text or "")[:LONGEST_FORM_KEY]])
    subject = subject_field()
    text = text_field(
        "An empty line begins a paragraph. For each person, [name] becomes their name and [school] their school; "
        "[event], [when] and [where] say what it is about. The links to book and to say no stand below your words."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.form_key.data:
            self.form_key.data = new_key()

    def validate_subject(self, field: StringField) -> None:
        """Refuse merge words that are none."""
        refuse_unknown_words(field.data, MERGE_WORDS)

    def validate_text(self, field: TextAreaField) -> None:
        """Refuse merge words that are none."""
        refuse_unknown_words(field.data, MERGE_WORDS)

    def words(self) -> Text:
        """Return what to say."""
        return Text(self.subject.data, self.text.data)


class InviteForm(SchoolsForm, WordsForm):
    """Whom to invite. Each of phases, groups and schools narrows; nothing ticked means all of them."""

    roles = SelectMultipleField(
        "For which roles",
        choices=[SelectChoice(role.value, words) for role, words in SAY_ROLE.items()],
        default=[ContactRole.SENCO.value],
    )

    def validate_roles(self, field: SelectMultipleField) -> None:
        """Ask for a role."""
        if not field.data:
            raise ValidationError("Tick at least one role")

    def chosen(self) -> Chosen:
        """Return whom to invite."""
        return Chosen(
            roles=tuple(ContactRole(one) for one in self.roles.data or ()),
            phases=tuple(Phase(one) for one in self.phases.data or ()),
            group_ids=tuple(self.groups.data or ()),
            school_ids=tuple(self.schools.data or ()),
        )
