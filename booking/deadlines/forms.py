"""What a school answers, and what an organiser asks."""

from collections.abc import Sequence
from typing import Any

from wtforms import RadioField, SelectField, StringField, TextAreaField, URLField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional, Regexp, ValidationError

from booking.calendar.forms import WholeField
from booking.core.forms import Form, Required, cleaned
from booking.core.text import paragraphs
from booking.deadlines.actions import MOST_FORMS, AskValues
from booking.deadlines.models import Answer, Ask, OwedBy
from booking.deadlines.policy import Said
from booking.directory.forms import SchoolsForm
from booking.directory.models import ContactRole, Phase
from booking.directory.wording import SAY_ROLE

SAY_SAID = {
    Said.SUBMITTED: "We have sent it",
    Said.NOTHING: "We have nothing to send this time",
    Said.NOT_THIS_YEAR: "Nothing this school year: do not ask us again before the next",
}
SAY_SAID_BY_US = {
    Said.SUBMITTED: "submitted",
    Said.NOTHING: "nothing to submit",
    Said.NOT_THIS_YEAR: "nothing this school year",
    Said.EXCUSED: "excused",
    Said.OUTSTANDING: "outstanding again",
}


class AnswerForm(Form):
    """What a school says of its return."""

    said = RadioField("Your answer", validate_choice=False)
    number = WholeField(
        "How many (optional)",
        [Optional(), NumberRange(1, MOST_FORMS, message=f"Enter a number from 1 to {MOST_FORMS}")],
        description="With “We have sent it”: applications or forms. Please name no child.",
    )
    name = StringField(
        "Your name", [Required("Enter your name"), Length(max=120, message="Use at most 120 letters")], [cleaned]
    )

    def __init__(self, *args: Any, allowed: Sequence[Said], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.said.choices = [SelectChoice(one.value, SAY_SAID[one]) for one in allowed]

    def validate_said(self, field: RadioField) -> None:
        """Ask for one of the answers."""
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError("Choose your answer")


class AskForm(SchoolsForm):
    """What a closing date asks of which schools."""

    answer = RadioField(
        "What schools owe",
        choices=[
            SelectChoice(Answer.REQUIRED.value, "each owes an answer: it is outstanding until it comes"),
            SelectChoice(Answer.OPTIONAL.value, "who has something sends it; nobody is outstanding"),
            SelectChoice(Answer.NONE.value, "nothing: it is only announced"),
        ],
        default=Answer.REQUIRED.value,
    )
    link = URLField(
        "Form or template to fill in (optional)",
        [
            Optional(),
            Length(max=500, message="Use at most 500 letters"),
            Regexp(r"^https?://[^\s<>\"']+$", message="Enter an address that begins with https://"),
        ],
        [cleaned],
        description="We never ask for children’s data here: the form is where it is safe.",
    )
    goes_to = StringField(
        "Where it goes (optional)",
        [Length(max=200, message="Use at most 200 letters")],
        [cleaned],
        description="An address or an office, such as returns@county.example.",
    )
    role = SelectField(
        "Who is written to at each school",
        choices=[SelectChoice(role.value, words) for role, words in SAY_ROLE.items()],
    )
    owed_by = RadioField(
        "Of which schools",
        choices=[
            SelectChoice(OwedBy.ALL.value, "all"),
            SelectChoice(OwedBy.PHASES.value, "those of the phases ticked below"),
            SelectChoice(OwedBy.GROUPS.value, "those of the groups ticked below"),
            SelectChoice(OwedBy.CHOSEN.value, "those ticked below"),
        ],
        default=OwedBy.ALL.value,
    )

    def values(self) -> AskValues:
        """Return what was said."""
        return AskValues(
            answer=Answer(self.answer.data),
            link=self.link.data or "",
            goes_to=self.goes_to.data or "",
            role=ContactRole(self.role.data),
            owed_by=OwedBy(self.owed_by.data),
            phases=tuple(Phase(one) for one in self.phases.data or ()),
            group_ids=tuple(self.groups.data or ()),
            school_ids=tuple(self.schools.data or ()),
        )


def data_of(ask: Ask | None, school_ids: Sequence[int]) -> dict[str, Any]:
    """Return what a closing date asks as the form shows it."""
    if ask is None:
        return {}
    return {
        "answer": ask.answer.value,
        "link": ask.link,
        "goes_to": ask.goes_to,
        "role": ask.role.value,
        "owed_by": ask.owed_by.value,
        "phases": [one.phase.value for one in ask.phases],
        "groups": [group.id for group in ask.groups],
        "schools": list(school_ids) if ask.owed_by is OwedBy.CHOSEN else [],
    }


class PasteForm(Form):
    """Names of schools, one on each line, and what they have said."""

    names = TextAreaField(
        "Names of schools, one on each line",
        [Required("Paste at least one name"), Length(max=20_000, message="Use at most 20,000 letters")],
        [lambda text: paragraphs(text or "")],
    )
    said = SelectField(
        "They are",
        choices=[SelectChoice(one.value, SAY_SAID_BY_US[one]) for one in (Said.SUBMITTED, Said.NOTHING, Said.EXCUSED)],
    )
