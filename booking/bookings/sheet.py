"""Who comes, as a spreadsheet. Cells that a spreadsheet would take for a formula stay text."""

import csv
import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from booking.bookings.models import Place
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
)
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def rows(places: Iterable[Place]) -> list[tuple[str, ...]]:
    """Return a line for each place, without a header."""
    return [
        (
            place.booking.reference,
            place.name,
            place.email or "",
            place.school.name if place.school else "",
            str(place.status),
            str(place.position) if place.status == "waiting" else "",
            place.booking.needs,
            place.booking.name,
            place.booking.email,
            f"{wall(place.created_at):%Y-%m-%d %H:%M}",
        )
        for place in places
    ]


def as_xlsx(lines: Sequence[Sequence[str]]) -> bytes:
    """Return a workbook of one sheet."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet("Places")
        bold = book.add_format({"bold": True})
        for column, name in enumerate(HEADER):
            sheet.write_string(0, column, name, bold)
        for number, line in enumerate(lines, start=1):
            for column, value in enumerate(line):
                sheet.write_string(number, column, value)
        sheet.freeze_panes(1, 0)
        sheet.autofit()
    return out.getvalue()


def as_csv(lines: Sequence[Sequence[str]]) -> bytes:
    """Return UTF-8 with a mark for Excel. What would be a formula there gets an apostrophe before it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows([_harmless(value) for value in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def _harmless(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
