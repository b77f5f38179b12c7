"""A list of schools' contacts: from cells to rows. Pure."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from booking.exchange.reading.dates import find_dates
from booking.exchange.reading.workbook import Cell, Sheet, Unreadable, read_workbook

COLUMNS = ("School", "URN", "Name", "Role", "E-mail", "From", "To")
MOST_ROWS = 1_000
_NAMES = {
    "school": r"school|setting|establishment|school name|name of school|school or setting",
    "urn": r"urn|school urn|school number",
    "name": r"name|contact|contact name|full name|name of contact|person",
    "role": r"role|job|job title|position|post",
    "email": r"e ?mail|email address|e mail address|mail",
    "from": r"from|start|starts|start date|since|from date",
    "to": r"to|until|end|ends|end date|left|left on|leaving date|to date",
}
_NEEDED = ("name", "role", "email")
_ROLES = {
    "senco": r"(deputy |assistant )?(senco|sendco|send?co|inclusion( lead| manager| leader)?)|sen coordinator"
    r"|send coordinator|special educational needs coordinator",
    "headteacher": r"head ?teacher|head|principal|executive head ?teacher|head of school|executive head|manager",
    "mental health": r"(senior )?mental health( lead| leader)?|smhl|dmhl|mhl",
    "attendance": r"attendance( lead| officer| leader| manager)?",
    "office": r"(school )?office( manager)?|admin|administrator|bursar|business manager|secretary",
}
_LEFT = re.compile(r"has left|left|gone|yes|moved on", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """What one row says; `wrong` says what it cannot mean, and how to mend it."""

    number: int
    school: str
    urn: str
    name: str
    role: str | None
    email: str
    starts_on: date | None
    ends_on: date | None
    has_left: bool
    texts: tuple[str, ...]
    wrong: tuple[str, ...]


def read_contacts(name: str, data: bytes) -> list[ContactRow]:
    """Return the rows of a list of contacts (.xlsx, .csv). Raises Unreadable with a sentence that says what to do."""
    for sheet in read_workbook(name, data).sheets:
        for index, cells in enumerate(sheet.rows):
            columns = _columns(cells)
            if set(_NEEDED) <= set(columns.values()) and {"school", "urn"} & set(columns.values()):
                return _rows(sheet, index + 1, columns)
    raise Unreadable(
        f"There is no row with the names of the columns. They are {', '.join(COLUMNS)}; URN may be missing."
    )


def _columns(cells: Iterable[Cell]) -> dict[int, str]:
    found: dict[int, str] = {}
    for cell in cells:
        words = _plain(cell.text)
        role = next((role for role, pattern in _NAMES.items() if re.fullmatch(pattern, words)), None)
        if role is not None and role not in found.values():
            found[cell.column] = role
    return found


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def _rows(sheet: Sheet, first: int, columns: dict[int, str]) -> list[ContactRow]:
    rows = []
    for cells in sheet.rows[first:]:
        said = {columns[cell.column]: cell for cell in cells if cell.column in columns}
        if said:
            rows.append(_row(cells[0].row, said))
    if not rows:
        raise Unreadable("There is no contact in this file.")
    if len(rows) > MOST_ROWS:
        raise Unreadable(f"There are more than {MOST_ROWS:,} rows. Is this the right file? Else divide it.")
    return rows


def _row(number: int, said: dict[str, Cell]) -> ContactRow:
    text = {column: " ".join(said[column].text.split()) if column in said else "" for column in _NAMES}
    wrong: list[str] = []
    urn = text["urn"] or (text["school"] if re.fullmatch(r"\d{5,7}", text["school"]) else "")
    if not (text["school"] or urn):
        wrong.append("there is no school. Write its name or its URN")
    if not text["name"]:
        wrong.append("there is no name. Fill it in")
    role = _role(text["role"])
    if role is None:
        what = f"“{text['role'][:40]}” is no role we know" if text["role"] else "there is no role"
        wrong.append(f"{what}. Write SENCo, Headteacher, Mental health lead, Attendance lead or Office")
    has_left = bool(_LEFT.fullmatch(text["to"]))
    starts_on = _day(said.get("from"), "From", wrong)
    ends_on = None if has_left else _day(said.get("to"), "To", wrong)
    if starts_on and ends_on and ends_on < starts_on:
        wrong.append("the last day is before the first. Change one of them")
    texts = tuple(text[column] for column in _NAMES)
    return ContactRow(
        number,
        text["school"],
        urn,
        text["name"],
        role,
        text["email"],
        starts_on,
        ends_on,
        has_left,
        texts,
        tuple(wrong),
    )


def _role(text: str) -> str | None:
    words = _plain(text)
    return next((role for role, pattern in _ROLES.items() if re.fullmatch(pattern, words)), None)


def _day(cell: Cell | None, column: str, wrong: list[str]) -> date | None:
    if cell is None:
        return None
    if isinstance(cell.value, date):
        return cell.value
    found = find_dates(cell.text, has_figures=True)
    if len(found) == 1 and found[0].day is not None:
        return found[0].day
    wrong.append(f"“{cell.text[:40]}” under {column} is not a day. Write it like 31/08/2026")
    return None


def as_csv(rows: Iterable[ContactRow]) -> str:
    """Return the rows as a file that reads the same; empty lines keep their numbers."""
    to = io.StringIO()
    writer = csv.writer(to)
    writer.writerow(("School", "URN", "Name", "Role", "E-mail", "From", "To"))
    at = 1
    for row in rows:
        for _ in range(row.number - at - 1):
            writer.writerow([])
        writer.writerow(row.texts)
        at = row.number
    return to.getvalue()
