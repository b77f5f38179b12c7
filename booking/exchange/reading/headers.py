"""The row of column names, and what each column is for, whatever it is called."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from booking.exchange.reading.dates import find_dates
from booking.exchange.reading.workbook import Cell, Sheet

NATIVE = (
    "date",
    "start",
    "end",
    "title",
    "category",
    "venue",
    "audience",
    "places",
    "per school",
    "closes",
    "kind",
    "visibility",
)
# What is longer is no name of a column: patterns read it again from each of its letters.
LONGEST_NAME = 200
DATED = ("date", "week", "due")
# The first that fits a name says what its column is for; what none fits is part of the row's words only.
_ROLES: tuple[tuple[str, str], ...] = (
    (
        r"\b(?:added|updated|created|modified|issued|entered|received|paid|booked|birth)\b|\btime ?(?:stamp|zone)\b",
        "about",
    ),
    (r"weekday|^day of", "weekday"),
    (r"^w\s?/?\s?[bc]\b|^week (?:commencing|beginning|of)\b", "week"),
    (r"^day$", "day"),
    (r"^closes$|^book(?:ings?)? (?:by|closes?|deadline|closing)|^closing date for booking|^last booking", "closes"),
    (r"^(?:end|finish|last|to|until)(?:ing)? date$|^date (?:to|until|ends)$", "last date"),
    (r"(?=.*\bdate\b).*\b(?:closing|return|submission)\b|\bdeadline\b|\bdue\b|^(?:return|submit) by$", "due"),
    (r"\bdate\b|^\D*\bdates?(?:\(s\))?\b\D*$|^when\b", "date"),
    (r"^(?:from|starts?|begins?)(?: at)?$|^(?:start|starting|begin)s?(?:ing)? time$|^time (?:from|starts?)$", "start"),
    (r"^(?:to|until|till|ends?|finish(?:es)?)(?: at)?$|^(?:end|finish)(?:ing)? time$|^time (?:to|until|ends?)$", "end"),
    (r"\btimes?\b|^hours$", "time"),
    (r"^(?:per school|places per school|max(?:imum)? per school|limit per school)$", "per school"),
    (r"^(?:max(?:imum)?\.?|(?:number|no\.?) of|total)?\s*(?:places|spaces|seats|capacity)$", "places"),
    (r"^max(?:imum)?\.?(?: (?:number|numbers|attendees|delegates|people))?$", "places"),
    (r"^kind$", "kind"),
    (
        r"^(?:category|type|kind of event|(?:event|session) (?:type|kind|category)|type of (?:event|session))$",
        "category",
    ),
    (r"^visibility$", "visibility"),
    (r"\baudience\b|^(?:for|invited|who (?:for|is it for|is this for|should attend)|for whom)\??$", "audience"),
    (r"^(?:event |course |session )?host(?: school| venue)?$|^hosted (?:by|at)$", "host"),
    (r"\bvenue\b|\blocation\b|\broom\b|^where(?: is it)?\??$|^place$|^address$", "venue"),
    (r"^(?:title|event|subject|event (?:title|name)|name of event|what|what['’]?s on)$", "title"),
    (r"^(?:(?:session|course|meeting|training|workshop) (?:title|name)|course|meeting|training|workshop)$", "title"),
    (r"^(?:name|session|topic|theme|activity|description|details?|programme)$", "words"),
    (
        r"^(?:notes?|comments?|costs?|prices?|fees?|refs?\.?|reference|id|no\.?|number|#|week|term|half term|links?)$",
        "about",
    ),
    (
        r"\b(?:contact|e-?mail|phone|presenter|facilitator|trainer|speaker|lead|organiser|owner|status|duration|length)\b",
        "about",
    ),
)
_UNKNOWN = "unknown"
_SAYS_NOTHING = re.compile(
    r"(?:event|events|first|session|meeting|course|training|key|week|range|deadline|due|by|return|\s)*"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what it is for, and of two dates the one it belongs to: `closing` of `closing time`."""

    name: str
    role: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """The row of column names, and each column by its number."""

    row: int
    columns: dict[int, Column]

    @property
    def is_native(self) -> bool:
        """Tell whether this is our own table."""
        names = [column.name for column in self.columns.values()]
        return {"date", "title"} <= set(names) <= set(NATIVE) and len(set(names)) == len(names)

    @property
    def has_titles(self) -> bool:
        """Tell whether a column is there for what a row is called."""
        return any(column.role in {"title", "words"} for column in self.columns.values())

    @property
    def dates_tell(self) -> bool:
        """Tell whether a column of dates says by its name what they are of: `Panel date`."""
        return any(column.about for column in self.of("date"))

    def of(self, *roles: str) -> Iterator[Column]:
        """Give the columns with these roles, left to right."""
        return (column for column in self.columns.values() if column.role in roles)

    def stands_again(self, row: list[Cell]) -> bool:
        """Tell whether a row is this one once more, as at the top of a printed page."""
        return {cell.column: _name(cell) for cell in row} == {
            number: column.name for number, column in self.columns.items()
        }


def find_header(sheet: Sheet) -> Header | None:
    """Return the row, among the first ones, that names a column of dates and the most others that are known."""
    found = [header for row in sheet.rows[:20] if (header := _header_of(row))]
    return max(found, key=lambda header: len(_known(header.columns.values())), default=None)


def _header_of(row: list[Cell]) -> Header | None:
    names = {cell.column: _name(cell) for cell in row}
    if len(names) < 2 or any(find_dates(name) for name in names.values()):
        return None
    roles = {number: _role(name) for number, name in names.items()}
    if {"date", "due"} & set(roles.values()):  # the days of which other columns tell only the weekday or the week
        roles = {number: {"day": "weekday", "week": "about"}.get(role, role) for number, role in roles.items()}
    roles = {number: "date" if role == "day" else role for number, role in roles.items()}
    columns = {number: Column(name, roles[number], _about(name, roles[number])) for number, name in names.items()}
    is_dated = any(column.role in DATED and len(column.name) < 40 for column in columns.values())
    return Header(row[0].row, columns) if is_dated else None


def _name(cell: Cell) -> str:
    return " ".join(cell.text.replace("_", " ").casefold().split())


def _known(columns: Iterable[Column]) -> set[str]:
    return {column.role for column in columns} - {_UNKNOWN}


def _role(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return _UNKNOWN
    return next((role for pattern, role in _ROLES if re.search(pattern, name)), _UNKNOWN)


def _about(name: str, role: str) -> str:
    """Return what the date of a column is of: `closing` of `closing date`; empty where the name says no more."""
    if role not in {*DATED, "last date", "time", "start", "end", "weekday"}:
        return ""
    words = re.sub(r"\b(?:dates?|times?|when|day|weekday|and|of|for|the|start|end|finish)\b|\(s\)|[&/:]", " ", name)
    words = " ".join(words.split())
    return "" if _SAYS_NOTHING.fullmatch(words) else words
