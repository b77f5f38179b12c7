"""Who comes, as a spreadsheet. Cells that a spreadsheet would take for a formula stay text."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

import xlsxwriter

from booking.bookings.models import Place, PlaceStatus
from booking.core.clock import wall

HEADER = (
    "Reference",
    "Name",
    "E-mail",
    "School",
    "Status",
    "Waiting number",
    "Prepare",
    "Booked by",
    "Booker’s e-mail",
    "Booked at",
    "Audience",
    "Offered until",
    "Unlisted",
)
# As on the commercial ticket site that partnerships come from, so that their own sheets and merges go on working.
LIKE_EVENTBRITE = (
    "Order no.",
    "Order Date",
    "First Name",
    "Surname",
    "Email",
    "Quantity",
    "Ticket Type",
    "Attendee no.",
    "Attendee Status",
    "Buyer First Name",
    "Buyer Surname",
    "Buyer Email",
    "School",
    "Prepare",
    "Unlisted",
)
THERE = {
    PlaceStatus.CONFIRMED: "Attending",
    PlaceStatus.WAITING: "Waiting list",
    PlaceStatus.OFFERED: "Offered",
    PlaceStatus.PENDING: "Pending",
    PlaceStatus.CANCELLED: "Not Attending",
}
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
LINES_AT_ONCE = 500
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Table:
    """A header, and a line of text for each place, made as it is written."""

    header: tuple[str, ...]
    places: Iterable[Place]
    line_of: Callable[[Place], tuple[str, ...]]

    @property
    def lines(self) -> Iterator[tuple[str, ...]]:
        """The lines under the header."""
        return map(self.line_of, self.places)

    def as_xlsx(self) -> bytes:
        """Return a workbook of one sheet."""
        out = io.BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(out, options) as book:
            sheet = book.add_worksheet("Places")
            bold = book.add_format({"bold": True})
            for column, name in enumerate(self.header):
                sheet.write_string(0, column, name, bold)
            for number, line in enumerate(self.lines, start=1):
                for column, value in enumerate(line):
                    sheet.write_string(number, column, value)
            sheet.freeze_panes(1, 0)
            sheet.autofit()
        return out.getvalue()

    def as_csv(self) -> Iterator[bytes]:
        """Give UTF-8 with a mark for Excel, in parts. What would be a formula there gets an apostrophe before it."""
        encoding, lines = "utf-8-sig", chain([self.header], self.lines)
        while some := list(islice(lines, LINES_AT_ONCE)):
            out = io.StringIO(newline="")
            csv.writer(out).writerows([_harmless(value) for value in line] for line in some)
            yield out.getvalue().encode(encoding)
            encoding = "utf-8"


def table(places: Iterable[Place], *, like_eventbrite: bool = False) -> Table:
    """Return a line for each place, with our columns or with those of Eventbrite."""
    if like_eventbrite:
        return Table(LIKE_EVENTBRITE, places, _like_eventbrite)
    return Table(HEADER, places, _line)


def _line(place: Place) -> tuple[str, ...]:
    booking = place.booking
    return (
        booking.reference,
        place.name,
        place.email or "",
        place.school.name if place.school else "",
        str(place.status),
        str(place.position) if place.status == "waiting" else "",
        booking.needs,
        booking.name,
        booking.email,
        f"{wall(place.created_at):%Y-%m-%d %H:%M}",
        booking.audience.name if booking.audience else "",
        f"{wall(place.offered_until):%Y-%m-%d %H:%M}" if place.status == "offered" and place.offered_until else "",
        _unlisted(place),
    )


def _like_eventbrite(place: Place) -> tuple[str, ...]:
    booking = place.booking
    return (
        booking.reference,
        f"{wall(place.created_at):%Y-%m-%d %H:%M}",
        *first_and_last(place.name),
        place.email or "",
        "1",
        "Place",
        str(place.id),
        THERE[place.status],
        *first_and_last(booking.name),
        booking.email,
        place.school.name if place.school else "",
        booking.needs,
        _unlisted(place),
    )


def _unlisted(place: Place) -> str:
    """Return the mark of who is kept off printed lists: whoever prints the sheet has to know (rule 7)."""
    return "yes" if place.unlisted else ""


def first_and_last(name: str) -> tuple[str, str]:
    """Return a name as a table with two columns has it: the last word is the surname; one word is a first name."""
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


def _harmless(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
