"""Who wants the digest, of what, and when it goes."""

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, SelectField, SelectMultipleField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from booking.calendar.forms import ClockField
from booking.calendar.models import Audience, Category
from booking.calendar.wording import say_count
from booking.core.forms import Form, Required, email_field
from booking.core.text import paragraphs
from booking.digests.actions import Chosen, PlanValues
from booking.digests.models import MOST_WEEKS, DigestSubscription
from booking.digests.wording import DAYS

NOTHING_TICKED = "Nothing ticked means all."


def _only_what_is_there(_form: Any, field: SelectMultipleField) -> None:
    """Refuse what is not on the list, in plain words."""
    if not set(field.data or ()) <= {choice.value for choice in field.choices}:
        raise ValidationError("Choose from the list: something on it has changed meanwhile")


def _several(label: str) -> SelectMultipleField:
    return SelectMultipleField(label, [_only_what_is_there], description=NOTHING_TICKED, validate_choice=False)


class ChoiceForm(Form):
    """What somebody wants to hear of."""

    categories = _several("Kinds of dates (optional)")
    audiences = _several("For whom (optional)")

    def __init__(
        self, *args: Any, all_categories: Sequence[Category], all_audiences: Sequence[Audience], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._categories, self._audiences = all_categories, all_audiences
        self.categories.choices = [SelectChoice(one.slug, one.name) for one in all_categories]
        self.audiences.choices = [SelectChoice(one.slug, one.name) for one in all_audiences]

    def chosen(self) -> Chosen:
        """Return what was ticked."""
        return Chosen(
            [one for one in self._categories if one.slug in (self.categories.data or ())],
            [one for one in self._audiences if one.slug in (self.audiences.data or ())],
        )


class SubscribeForm(ChoiceForm):
    """An address, and what its owner wants to hear of."""

    email = email_field("Your e-mail address", "Enter your e-mail address")


def data_of(subscription: DigestSubscription) -> dict[str, Any]:
    """Return what the form of a subscription shows."""
    return {
        "categories": [one.slug for one in subscription.categories],
        "audiences": [one.slug for one in subscription.audiences],
    }


class PlanForm(Form):
    """When the digest goes."""

    active = BooleanField("The weekly e-mail goes by itself")
    weekday = SelectField("On", choices=[SelectChoice(str(number), f"{day}s") for number, day in enumerate(DAYS)])
    at = ClockField("At", [Required("Enter a time, such as 07:30")])
    weeks = SelectField(
        "It looks at",
        choices=[SelectChoice(str(number), say_count(number, "week")) for number in range(1, MOST_WEEKS + 1)],
    )

    def values(self) -> PlanValues:
        """Return what was said."""
        assert self.at.data is not None
        return PlanValues(self.active.data, int(self.weekday.data), self.at.data, int(self.weeks.data))


class IntroductionForm(Form):
    """What the organiser says before the dates."""

    introduction = TextAreaField(
        "Introduction (optional)",
        filters=[lambda text: paragraphs(text or "")],
        description="It stands on the public page too: no names of children. A line that begins with - is a point of "
        "a list; **two stars** make words bold; [words](https://…) are a link.",
    )
