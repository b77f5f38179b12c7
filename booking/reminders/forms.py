"""The forms of reminders: the rules of a kind or an event, and the kind hours of an area."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from wtforms import FieldList, Form, FormField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from booking.calendar.forms import ClockField
from booking.core.errors import Refused
from booking.core.forms import Form as PageForm
from booking.core.forms import NumberedList, Required, cleaned
from booking.core.text import paragraphs
from booking.reminders import actions
from booking.reminders.actions import NewRule
from booking.reminders.models import ReminderRule, To, Unit
from booking.reminders.policy import EIGHT, Timing
from booking.reminders.wording import SAY_TO
from booking.reminders.words import MERGE_WORDS

_BEFORE, _AFTER = "before", "after"
WHEN = [
    SelectChoice(f"{unit} {side}", f"{unit} {words}")
    for side in (_BEFORE, _AFTER)
    for unit, words in (
        (Unit.MINUTES, "before it starts" if side == _BEFORE else "after it ends"),
        (Unit.HOURS, "before it starts" if side == _BEFORE else "after it ends"),
        (Unit.DAYS, side),
        (Unit.SCHOOL_DAYS, side),
        (Unit.WEEKS, side),
    )
]


def on_the_list(_form: Any, field: SelectField) -> None:
    """Refuse what is not on a list, in plain words."""
    if field.data not in {choice.value for choice in field.choices}:
        raise ValidationError("Choose from the list")


def _list_field(label: str, choices: list[SelectChoice], **more: Any) -> SelectField:
    return SelectField(label, [on_the_list], choices=choices, validate_choice=False, **more)


class RuleForm(Form):
    """One reminder: how long before or after, at what time, to whom, in which words. Without a number it is none."""

    number = StringField("How many", filters=[cleaned])
    when = _list_field("Of what", WHEN, default=f"{Unit.DAYS} {_BEFORE}")
    at = ClockField("At", default=EIGHT)
    to = _list_field("To", [SelectChoice(to.value, words) for to, words in SAY_TO.items()])
    subject = StringField("Subject", filters=[cleaned])
    text = TextAreaField(
        "Text",
        filters=[lambda text: paragraphs(text or "")],
        description=f"Merge words: {' '.join(f'[{word}]' for word in MERGE_WORDS)}",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Tell at its field what cannot be, in the words of the rules themselves."""
        if self.is_empty:
            return True
        if _is_to_the_minute(self.when.data):
            self.at.process_errors = []  # it does not count
        if not super().validate(extra_validators):
            return False
        try:
            self.rule()
        except Refused as refused:
            field = self._fields[refused.field or "number"]
            field.errors = [*field.errors, refused.sentence]
            return False
        return True

    def validate_number(self, field: StringField) -> None:
        """Refuse what is no number."""
        if not field.data:
            raise ValidationError("Enter a number, such as 7, or empty the subject and the text too")
        if not re.fullmatch(r"[0-9]{1,3}", field.data):
            raise ValidationError("Enter a number, such as 7")

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was typed."""
        return not (self.number.data or self.subject.data or self.text.data)

    @property
    def has_own_words(self) -> bool:
        """Tell whether the own words have to be seen."""
        return bool(self.subject.data or self.text.data or self.subject.errors or self.text.errors)

    def rule(self) -> NewRule:
        """Return what was said. Raises Refused for what cannot be."""
        unit, _, side = self.when.data.rpartition(" ")
        at = None if _is_to_the_minute(self.when.data) else self.at.data or EIGHT
        timing = Timing(int(self.number.data), Unit(unit), at, side == _AFTER)
        return actions.checked(NewRule(timing, To(self.to.data), self.subject.data or "", self.text.data or ""))


def _is_to_the_minute(when: str) -> bool:
    return when.partition(" ")[0] in {Unit.MINUTES, Unit.HOURS}


class RulesForm(PageForm):
    """All reminders of a kind or of an event."""

    rules = NumberedList(FormField(RuleForm), max_entries=99)

    def __init__(self, *args: Any, to: Collection[To] = tuple(To), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.to = to
        if not self.is_submitted():
            self.add_rule()
        self._offer()

    def _offer(self) -> None:
        """Offer each row only those whom such an event has to do with."""
        for entry in self.rules.entries:
            entry.form.to.choices = [SelectChoice(one.value, words) for one, words in SAY_TO.items() if one in self.to]

    def add_rule(self) -> None:
        """Show one more row, as long as there may be one."""
        if len(self.rules.entries) < actions.MOST_RULES:
            self.rules.append_entry()
            self._offer()

    @property
    def may_grow(self) -> bool:
        """Tell whether one more row is possible."""
        return len(self.rules.entries) < actions.MOST_RULES

    def refuse(self, refused: Refused) -> None:
        """Show a refusal of the rules as a whole at the last of them."""
        number = self.rules.entries[-1].form.number
        number.errors = [refused.sentence, *number.errors]

    def validate_rules(self, field: FieldList) -> None:
        """Refuse the same reminder twice, at the second of them; and more than there may be, at the last."""
        if getattr(field, "left_out", 0):
            self.refuse(Refused(actions.TOO_MANY))
            raise ValidationError(actions.TOO_MANY)
        seen: set[tuple[To, Timing]] = set()
        for entry in field.entries:
            if entry.form.is_empty or entry.form.errors:
                continue
            rule = entry.form.rule()
            if (rule.to, rule.timing) in seen:
                entry.form.number.errors = [*entry.form.number.errors, actions.THE_SAME]
                raise ValidationError(actions.THE_SAME)
            seen.add((rule.to, rule.timing))

    def new_rules(self) -> list[NewRule]:
        """Return what was said, without the empty rows."""
        return [entry.form.rule() for entry in self.rules.entries if not entry.form.is_empty]


def data_of(rules: Sequence[ReminderRule]) -> dict[str, Any]:
    """Return rules as the form shows them."""
    return {
        "rules": [
            {
                "number": str(rule.number),
                "when": f"{rule.unit} {_AFTER if rule.after else _BEFORE}",
                "at": rule.at or EIGHT,
                "to": rule.to.value,
                "subject": rule.subject,
                "text": rule.text,
            }
            for rule in rules
        ]
    }


class KindHoursForm(PageForm):
    """Between which times reminders may reach people."""

    first = ClockField("From", [Required("Enter a time, such as 07:00")])
    last = ClockField("Until", [Required("Enter a time, such as 18:30")])
