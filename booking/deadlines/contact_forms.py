"""What a school says of its own contacts."""

from wtforms import SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from booking.calendar.forms import DayField
from booking.core.clock import today
from booking.core.forms import Form, email_field, name_field
from booking.directory.contacts import ContactValues
from booking.directory.models import ContactRole
from booking.directory.wording import SAY_ROLE


class NameContactForm(Form):
    """Somebody else whom the school names."""

    role = SelectField("Role", choices=[SelectChoice(role.value, words) for role, words in SAY_ROLE.items()])
    name = name_field("Name", "Enter their name")
    email = email_field("E-mail address", "Enter their e-mail address")

    def values(self) -> ContactValues:
        """Return what was said: they begin today."""
        return ContactValues(ContactRole(self.role.data), self.name.data or "", self.email.data or "", today())


class OwnContactForm(Form):
    """One's own name, and the last day in the role."""

    name = name_field("Your name", "Enter your name")
    ends_on = DayField(
        "Your last day in the role (optional)", [Optional()], description="After it you get nothing more."
    )
