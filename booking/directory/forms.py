"""The forms of signing in, one's own details, and roles."""

from collections.abc import Sequence
from typing import Any

from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Regexp

from booking.core.forms import Form, Required, cleaned, email_field, name_field
from booking.directory.models import RoleName, School, SchoolGroup
from booking.directory.queries import SchoolName
from booking.directory.wording import SAY_PHASE


class SignInForm(Form):
    """Asks for an e-mail address."""

    email = email_field("Your e-mail address", "Enter your e-mail address")


class CodeForm(Form):
    """Asks for the six digits of the mail."""

    code = StringField(
        "The six digits in the e-mail",
        [
            Required("Enter the six digits of the e-mail"),
            Regexp(r"^[\d\s-]{6,12}$", message="Enter six digits, like 123456"),
        ],
        [cleaned],
    )


class DetailsForm(Form):
    """Asks for a name and a school."""

    name = name_field("Your name", "Enter your name")
    school = SelectField("Your school or setting", validate_choice=True)

    def __init__(self, *args: Any, schools: Sequence[SchoolName], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        none = SelectChoice("", "I am not from a school")
        self.school.choices = [none, *(SelectChoice(str(school.id), school.name) for school in schools)]


class AreaForm(Form):
    """What the partnership is called, and how it is reached."""

    name = StringField(
        "Name of the partnership",
        [Required("Enter the name"), Length(max=120, message="Use at most 120 letters")],
        [cleaned],
        description="As it stands at the top of every page, and as the sender of e-mail.",
    )
    short_name = StringField(
        "Short name",
        [Required("Enter a short name"), Length(max=60, message="Use at most 60 letters")],
        [cleaned],
        description="The place, as in “What is on for SEND in …”.",
    )
    email = email_field("E-mail address for questions (optional)")
    phone = StringField("Telephone (optional)", [Length(max=40, message="Use at most 40 letters")], [cleaned])


class GrantForm(Form):
    """Asks whom to give which role."""

    email = email_field("E-mail address", "Enter the e-mail address of the person")
    role = SelectField(
        "Role",
        choices=[
            SelectChoice(RoleName.ORGANISER.value, "Organiser: runs the calendar and the bookings"),
            SelectChoice(RoleName.FACILITATOR.value, "Facilitator: sees the team’s calendar"),
            SelectChoice(RoleName.ADMINISTRATOR.value, "Administrator: gives roles"),
        ],
    )


class SchoolsForm(Form):
    """A form that chooses schools, by phase, by group or by name."""

    phases = SelectMultipleField(
        "Phases", choices=[SelectChoice(phase.value, words) for phase, words in SAY_PHASE.items()]
    )
    groups = SelectMultipleField("Groups", coerce=int)
    schools = SelectMultipleField("Schools", coerce=int)

    def __init__(
        self, *args: Any, all_groups: Sequence[SchoolGroup], all_schools: Sequence[School], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.groups.choices = [SelectChoice(one.id, one.name) for one in all_groups]
        self.schools.choices = [SelectChoice(one.id, one.name) for one in all_schools]
