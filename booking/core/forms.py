"""What all forms share: addresses that can be, plain-words messages, and errors as the summary wants them."""

from collections.abc import Iterator
from typing import Any, ClassVar

import email_validator
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import EmailField, Field, FieldList, FormField, StringField
from wtforms.validators import Length, StopValidation, ValidationError

from booking.core.errors import Refused
from booking.core.text import one_line

# Documentation and tests use these; a real mail server simply refuses them.
email_validator.SPECIAL_USE_DOMAIN_NAMES = [
    name for name in email_validator.SPECIAL_USE_DOMAIN_NAMES if name not in {"test", "example"}
]
LONGEST_EMAIL = 254


class Form(FlaskForm):
    """A form whose errors can be shown in the summary, each leading to its field."""

    def refuse(self, refused: Refused) -> None:
        """Show a refusal: at its field where it names one of ours, else at the top."""
        field = self._fields.get(refused.field or "")
        if field is None:
            self.form_errors.append(refused.sentence)
        else:
            field.errors = [*field.errors, refused.sentence]

    def error_list(self) -> list[dict[str, str]]:
        """Return each error with the address of its field, in the order of the page."""
        first = next((field.id for field in self if field.type not in {"CSRFTokenField", "HiddenField"}), "main")
        whole = [{"text": str(error), "href": f"#{first}"} for error in self.form_errors]
        return whole + [{"text": str(text), "href": f"#{field.id}"} for field, text in _errors(self)]


def _errors(fields: Any) -> Iterator[tuple[Field, str]]:
    for field in fields:
        if isinstance(field, FieldList):
            yield from _errors(field)
        elif isinstance(field, FormField):
            yield from _errors(field.form)
        else:
            yield from ((field, text) for text in field.errors[:1])


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


def email_that_can_be(_form: Any, field: Field) -> None:
    """Refuse what cannot be an e-mail address; keep the form that is mailed to (ASCII domain)."""
    if not field.data:
        return
    try:
        found = email_validator.validate_email(field.data, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError:
        raise ValidationError("Enter an e-mail address like name@school.example") from None
    field.data = found.ascii_email or found.normalized


def name_field(label: str, sentence: str, **more: Any) -> StringField:
    """Return a field for a person's name, in any script."""
    return StringField(
        label, [Required(sentence), Length(max=120, message="Use at most 120 letters")], [cleaned], **more
    )


def email_field(label: str, sentence: str = "", **more: Any) -> EmailField:
    """Return a field for an e-mail address; optional without a sentence."""
    needed = [Required(sentence)] if sentence else []
    limit = Length(max=LONGEST_EMAIL, message="An e-mail address has at most 254 letters")
    return EmailField(label, [*needed, limit, email_that_can_be], [cleaned], **more)
