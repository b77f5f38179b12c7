"""Take a list of contacts into the directory: what would change, and then the change, as one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from booking.calendar.wording import say_date
from booking.core.clock import today
from booking.core.db import atomic, take_turns
from booking.core.errors import Refused, refuse_unless
from booking.core.forms import address_that_can_be, person_named
from booking.core.text import email_key, one_line
from booking.directory import contacts, queries
from booking.directory.contacts import ContactValues
from booking.directory.matching import Match, match_school
from booking.directory.models import Area, ContactRole, Person, School, SchoolContact
from booking.exchange.reading.contacts import ContactRow

LONGEST_NAME = 120
IN_DOUBT = "it is not clear which school is meant. Write its whole name or its URN"


class Change(StrEnum):
    """What a row comes to."""

    ADD = "add"
    CHANGE = "change"
    END = "end"
    SAME = "same"
    OUT = "out"
    DOUBT = "doubt"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Line:
    """A row, the school that is meant, what it comes to, and what is to be said of it."""

    row: ContactRow
    match: Match[School]
    school: School | None
    change: Change
    says: str = ""
    contact: SchoolContact | None = None
    values: ContactValues | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody said of a row in doubt: this school, or that the row is left out."""

    school_id: int | None = None
    left_out: bool = False


NO_CHOICE = Choice()


def plan(area: Area, rows: Sequence[ContactRow], choices: Mapping[int, Choice] | None = None) -> list[Line]:
    """Return what each row comes to; `choices` by the number of the row."""
    schools = queries.open_schools(area.id)
    known, seen, lines = queries.contacts_of_area(area.id), dict[tuple[int, str | None, str], int](), list[Line]()
    for row in rows:
        choice = (choices or {}).get(row.number, NO_CHOICE)
        match = _match(row, schools)
        school = next((one for one in schools if one.id == choice.school_id), None) or match.school
        line = _line(row, match, school, known.get(school.id, ()) if school else (), choice)
        if line.values and school:
            first = seen.setdefault((school.id, row.role, line.values.email), row.number)
            if first != row.number:
                line = Line(row, match, school, Change.WRONG, f"row {first} says so already. Take one of them out")
        lines.append(line)
    return lines


def _match(row: ContactRow, schools: Sequence[School]) -> Match[School]:
    if row.urn:
        found = next((school for school in schools if school.urn == row.urn), None)
        if found or not row.school or row.school == row.urn:
            return Match(row.urn, found, sure=found is not None)
    return match_school(row.school, schools)


def _line(
    row: ContactRow,
    match: Match[School],
    school: School | None,
    known: Sequence[SchoolContact],
    choice: Choice,
) -> Line:
    if choice.left_out:
        return Line(row, match, school, Change.OUT, "left out")
    wrong = [*row.wrong, *_wrong_person(row)]
    if wrong:
        return Line(row, match, school, Change.WRONG, "; ".join(wrong))
    if school is None or (not match.sure and choice.school_id is None):
        return Line(row, match, school, Change.DOUBT, IN_DOUBT)
    email, role = email_key(address_that_can_be(row.email) or ""), ContactRole(row.role or "")
    mine = [one for one in known if one.role is role and one.email == email]
    now_or_later = [one for one in mine if one.ends_on is None or one.ends_on >= today()]
    if now_or_later:
        return _changed(row, match, school, now_or_later[0])
    return _new(row, match, school, mine, email)


def _wrong_person(row: ContactRow) -> list[str]:
    wrong = []
    if row.name and not (person_named(row.name) and len(row.name) <= LONGEST_NAME):
        wrong.append(f"“{row.name[:40]}” is no name. Write the name of one person")
    if address_that_can_be(row.email) is None:
        what = f"“{row.email[:60]}” cannot be an e-mail address" if row.email else "there is no e-mail address"
        wrong.append(f"{what}. Write one like name@school.example")
    return wrong


def _changed(row: ContactRow, match: Match[School], school: School, old: SchoolContact) -> Line:
    """Return what a row makes of somebody who is a contact, or will be: an empty From or To changes nothing."""
    starts_on = row.starts_on or old.starts_on
    ends_on = _yesterday() if row.has_left else row.ends_on or old.ends_on
    values = ContactValues(old.role, one_line(row.name), old.email, starts_on, ends_on)
    if row.has_left and starts_on > _yesterday():
        return Line(row, match, school, Change.END, "has left before beginning", old, values)
    if ends_on is not None and ends_on < starts_on:
        return Line(
            row, match, school, Change.WRONG, f"they began on {say_date(starts_on)}. Write a later day under To"
        )
    was = ContactValues(old.role, old.name, old.email, old.starts_on, old.ends_on)
    if values == was:
        return Line(row, match, school, Change.SAME, "as it is", old, values)
    if ends_on is not None and ends_on < today():
        return Line(row, match, school, Change.END, f"ends on {say_date(ends_on)}", old, values)
    return Line(row, match, school, Change.CHANGE, _what_changes(was, values), old, values)


def _what_changes(was: ContactValues, values: ContactValues) -> str:
    said = [f"is called {values.name}"] if values.name != was.name else []
    if values.starts_on != was.starts_on:
        said.append(f"from {say_date(values.starts_on)}")
    if values.ends_on != was.ends_on and values.ends_on:
        said.append(f"until {say_date(values.ends_on)}")
    return ", ".join(said)


def _new(row: ContactRow, match: Match[School], school: School, before: Sequence[SchoolContact], email: str) -> Line:
    """Return what a row makes of somebody who is no contact now: an old list brings nobody back who has left."""
    starts_on = row.starts_on or today()
    values = ContactValues(ContactRole(row.role or ""), one_line(row.name), email, starts_on, row.ends_on)
    if row.has_left or (row.ends_on is not None and row.ends_on < today()):
        return Line(row, match, school, Change.SAME, "has left, and is no contact here", values=values)
    last = max((one.ends_on for one in before if one.ends_on), default=None)
    if last is not None and (row.starts_on is None or row.starts_on <= last):
        says = f"left on {say_date(last)}: to begin again, write a later day under From"
        return Line(row, match, school, Change.SAME, says, values=values)
    return Line(row, match, school, Change.ADD, f"from {say_date(starts_on)}", values=values)


def _yesterday() -> date:
    return today() - timedelta(days=1)


def unready(lines: Sequence[Line]) -> list[Line]:
    """Return the rows that keep a list from being taken in."""
    return [line for line in lines if line.change in {Change.WRONG, Change.DOUBT}]


@atomic
def apply(
    area: Area, rows: Sequence[ContactRow], choices: Mapping[int, Choice] | None = None, *, by: Person | None
) -> Counter[Change]:
    """Change the directory as the rows say, all of it or nothing. Run twice, it changes nothing the second time.

    Who is not in the list stays as they are. Returns how many rows came to what. Raises Refused with the row.
    """
    # Each school's contacts take turns too: two lists in different orders would wait for each other.
    take_turns(f"import of contacts into area {area.id}")
    lines = plan(area, rows, choices)
    for line in unready(lines):
        raise Refused(f"Row {line.row.number}: {line.says}.")
    for line in lines:
        if line.change in {Change.ADD, Change.CHANGE, Change.END}:
            _apply(line, by)
    return Counter(line.change for line in lines)


def _apply(line: Line, by: Person | None) -> None:
    school, values = line.school, line.values
    assert school is not None
    assert values is not None
    try:
        if line.change is Change.END and line.row.has_left:
            refuse_unless(line.contact, "They are no contact any more.")
            assert line.contact is not None
            contacts.end_contact(line.contact, by=by)
        else:
            contacts.save_contact(school, line.contact, values, by=by)
    except Refused as refused:
        raise Refused(f"Row {line.row.number}: {refused.sentence}") from None
