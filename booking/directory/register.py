"""The national register of schools as a CSV file: from bytes to rows. Pure."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime

from booking.core.errors import Refused
from booking.core.text import name_key, one_line
from booking.directory.models import Phase

NAME, PHASE, URN, CLOSED, POSTCODE, KIND = (
    "EstablishmentName",
    "PhaseOfEducation (name)",
    "URN",
    "CloseDate",
    "Postcode",
    "TypeOfEstablishment (name)",
)
NO_CSV = "This is not a CSV file. Save the list of schools as CSV and try again."
PHASES = {
    "nursery": Phase.NURSERY,
    "primary": Phase.PRIMARY,
    "middle deemed primary": Phase.PRIMARY,
    "secondary": Phase.SECONDARY,
    "middle deemed secondary": Phase.SECONDARY,
    "all-through": Phase.ALL_THROUGH,
    "all through": Phase.ALL_THROUGH,
    "16 plus": Phase.SIXTEEN_PLUS,
    "special": Phase.SPECIAL,
    "pru": Phase.ALTERNATIVE,
    "alternative provision": Phase.ALTERNATIVE,
}


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One school of the register."""

    name: str
    phase: Phase
    urn: str | None
    postcode: str
    closed_on: date | None


def read_register(data: bytes) -> list[RegisterRow]:
    """Return the schools of a CSV file in UTF-8 or Windows-1252. Raises Refused with the row and the reason."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise Refused(NO_CSV)
    try:
        rows = _rows(csv.DictReader(io.StringIO(text, newline=None)))
    except csv.Error:
        raise Refused(NO_CSV) from None
    if not rows:
        raise Refused("There is no school in this file.")
    return rows


def _rows(reader: "csv.DictReader[str]") -> list[RegisterRow]:
    if NAME not in (reader.fieldnames or []):
        raise Refused(f"Row 1: there is no column “{NAME}”. Keep the national register’s column names.")
    rows: list[RegisterRow] = []
    seen: dict[str, int] = {}
    for number, record in enumerate(reader, start=2):
        row = _row(record, number)
        if row is None:
            continue
        for key, what in ((name_key(row.name), row.name), (row.urn, f"the URN {row.urn}")):
            if key in seen:
                raise Refused(f"Row {number}: {what} stands in row {seen[key]} already. Take one of them out.")
            if key:
                seen[key] = number
        rows.append(row)
    return rows


def _row(record: dict[str, str | None], number: int) -> RegisterRow | None:
    values = {key: one_line(value or "") for key, value in record.items() if isinstance(value, str | None) and key}
    if not any(values.values()):
        return None
    name, urn = values.get(NAME, ""), values.get(URN, "")
    if not name:
        raise Refused(f"Row {number}: the school has no name. Fill in “{NAME}”.")
    if len(name) > 200:
        raise Refused(f"Row {number}: the name has more than 200 letters.")
    if urn and not re.fullmatch(r"\d{5,7}", urn):
        raise Refused(f"Row {number}: “{urn}” is not a URN. It is a number of six digits.")
    return RegisterRow(name, _phase(values), urn or None, values.get(POSTCODE, "")[:10], _closed(values, number))


def _phase(values: dict[str, str]) -> Phase:
    kind = values.get(KIND, "").lower()
    if "special" in kind:
        return Phase.SPECIAL
    if "pupil referral" in kind or "alternative provision" in kind:
        return Phase.ALTERNATIVE
    return PHASES.get(values.get(PHASE, "").lower(), Phase.OTHER)


def _closed(values: dict[str, str], number: int) -> date | None:
    text = values.get(CLOSED, "")
    if not text:
        return None
    for form in ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise Refused(f"Row {number}: “{text}” is not a date. Write it like 31-08-2024.")
