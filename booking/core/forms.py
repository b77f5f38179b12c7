"""What all forms share: addresses that can be, plain-words messages, and errors as the summary wants them."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import email_validator
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import EmailField, Field, FieldList, FormField, StringField
from wtforms.validators import Length, StopValidation, ValidationError

from booking.core.db import has_expired
from booking.core.errors import Refused
from booking.core.text import one_line

# Documentation and tests use these; a real mail server simply refuses them.
email_validator.SPECIAL_USE_DOMAIN_NAMES = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in {"test", "example"}
]
LONGEST_EMAIL = 254
_WEB_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)


class Form(FlaskForm):
    """A form whose errors can be shown in the summary, each leading to its field."""

    def validate(self, extra_validators: Any = None) -> bool:
        """Check what was typed; a form that has expired is shown again as it is, and nothing follows from it."""
        return not has_expired() and super().validate(extra_validators)

    def refuse(self, refused: Refused) -> None:
        """Show a refusal at its field; one about the whole form at the first, where who reads begins to mend."""
        shown = [field for field in self if field.type not in {"CSRFTokenField", "HiddenField"}]
        field = self._fields.get(refused.field or "") or next(iter(shown))
        field.errors = [refused.sentence, *field.errors]

    def error_list(self) -> list[dict[str, str]]:
        """Return each error with the address of its field, in the order of the page."""
        return [{"text": str(text), "href": f"#{field.id}"} for field, text in _errors(self)]


def _errors(fields: Any) -> Iterator[tuple[Field, str]]:
    for field in fields:
        if isinstance(field, FieldList):
            yield from _errors(field)
        elif isinstance(field, FormField):
            yield from _errors(field.form)
        else:
            yield from ((field, text) for text in field.errors[:1])


class NumberedList(FieldList):
    """Blocks of the form by number; what is no number of ours is no block (WTForms fails on some of them)."""

    digits = 3
    left_out = 0  # blocks with something typed, beyond the most that a form reads

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Read the blocks, and count those that were filled in but are too many to be read."""
        super().process(formdata, *args, **kwargs)
        if formdata:
            filled_in = [name for name in formdata if any(str(value).strip() for value in formdata.getlist(name))]
            unread = list(self._extract_indices(self.name, formdata))[self.max_entries :]
            self.left_out = len(set(unread) & set(self._extract_indices(self.name, filled_in)))

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Refuse more than a form reads: what somebody asked is taken as a whole, or not at all."""
        if super().validate(form, extra_validators) and self.left_out:
            self.errors = [f"This is too many at once: at most {self.max_entries}. Take some out"]
        return not self.errors

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        pattern = re.compile(rf"{re.escape(prefix)}-([0-9]{{1,{self.digits}}})-")
        return iter(sorted({int(found[1]) for name in formdata if (found := pattern.match(name))}))


class Required:
    """Refuse an empty answer with a sentence that says what to enter."""

    field_flags: ClassVar[dict[str, Any]] = {}

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: Any, field: Field) -> None:
        """Raise where nothing but spaces was typed."""
        if not (field.data.strip() if isinstance(field.data, str) else field.data):
            field.errors = [error for error in field.errors if not isinstance(error, Markup)]
            raise StopValidation(self.sentence)


def cleaned(text: str | None) -> str:
    """Take control characters and line breaks out of a line of text."""
    return one_line(text or "")


def address_that_can_be(address: str) -> str | None:
    """Return an e-mail address in the form that is mailed to (ASCII domain), or None for what cannot be one."""
    if len(address) > LONGEST_EMAIL:
        return None
    try:
        found = email_validator.validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError:
        return None
    return found.ascii_email or found.normalized


def email_that_can_be(_form: Any, field: Field) -> None:
    """Refuse what cannot be an e-mail address; keep the form that is mailed to."""
    if not field.data:
        return
    if len(field.data) > LONGEST_EMAIL:
        raise ValidationError(f"An e-mail address has at most {LONGEST_EMAIL} letters")
    found = address_that_can_be(field.data)
    if found is None:
        raise ValidationError("Enter an e-mail address like name@school.example")
    field.data = found


def person_named(name: str) -> bool:
    """Tell whether this can be a name: with a letter, and without somebody else's address for our mails to carry."""
    return any(letter.isalpha() for letter in name) and not _WEB_ADDRESS.search(name)


def name_that_can_be(_form: Any, field: Field) -> None:
    """Refuse a name without a letter, and one that would carry somebody else's address into our mails."""
    if not any(letter.isalpha() for letter in field.data):
        raise ValidationError("Enter a name with letters")
    if _WEB_ADDRESS.search(field.data):
        raise ValidationError("Enter a name, not the address of a web page")


def name_field(label: str, sentence: str, **more: Any) -> StringField:
    """Return a field for a person's name, in any script."""
    limit = Length(max=120, message="Use at most 120 letters")
    return StringField(label, [Required(sentence), limit, name_that_can_be], [cleaned], **more)


def email_field(label: str, sentence: str = "", **more: Any) -> EmailField:
    """Return a field for an e-mail address; optional without a sentence."""
    needed = [Required(sentence)] if sentence else []
    return EmailField(label, [*needed, email_that_can_be], [cleaned], **more)
