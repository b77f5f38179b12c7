"""A whole file: which layout it has, its entries, and what is odd about them."""

from pathlib import PurePath

from booking.exchange.reading.checks import CHECKS
from booking.exchange.reading.entries import Context, Entry, Issue, Reading
from booking.exchange.reading.grids import is_grid, read_grid
from booking.exchange.reading.headers import find_header
from booking.exchange.reading.tables import read_table
from booking.exchange.reading.workbook import Unreadable, Workbook, read_workbook

NOTHING_KNOWN = Context()


def read_file(name: str, data: bytes, context: Context = NOTHING_KNOWN) -> Reading:
    """Read a file of dates. Raises Unreadable with a sentence, and the row where there is one."""
    return read_calendar(read_workbook(PurePath(name).name, data), context)


def read_calendar(workbook: Workbook, context: Context = NOTHING_KNOWN) -> Reading:
    """Read the sheets that look like a calendar; the others are named among the problems."""
    layouts: list[str] = []
    entries: list[Entry] = []
    problems: list[Issue] = []
    for sheet in workbook.sheets:
        header = find_header(sheet)
        if is_grid(sheet, header):
            layouts.append("grid")
            grid = read_grid(sheet, context)
            entries += grid.entries
            problems += grid.problems
        elif header:
            layouts.append("native" if header.is_native else "table")
            table = read_table(sheet, header, context, workbook)
            entries += table.entries
            problems += table.problems
        elif any(sheet.rows):
            problems.append(
                Issue("sheet-left-out", f"The sheet “{sheet.name}” does not look like a calendar and was left out.")
            )
    shown = "Show it in your spreadsheet program to read it."
    for name in workbook.hidden:
        problems.append(Issue("sheet-left-out", f"The sheet “{name}” is hidden and was left out. {shown}"))
    if not layouts:
        raise Unreadable("There is no calendar in this file: no column of dates, and no weeks that begin with W/B.")
    for entry in entries:
        for check in CHECKS:
            check(entry, context)
    return Reading(workbook.file, layouts[0], entries, problems)
