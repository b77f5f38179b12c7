"""From bytes to cells: .xlsx and .csv."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

LARGEST = 10 * 1024 * 1024
LARGEST_UNPACKED = 20 * 1024 * 1024
MOST_CELLS = 500_000
_CELL_ADDRESS = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
Value = str | date | time | None
_SAVE_AS = "Open it in your spreadsheet program and save it as .xlsx or .csv."


class Unreadable(Exception):
    """A file that is refused whole, with the reason in a sentence and the row where there is one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: where it is, what it shows, and the day or time it holds where it is typed so."""

    row: int
    column: int
    where: str
    text: str
    value: Value = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its rows of cells, left to right; empty cells are left out.

    `merged` holds what merged cells say for a further row, where that row has cells of its own.
    """

    name: str
    rows: list[list[Cell]]
    merged: dict[int, list[Cell]] = field(default_factory=dict)

    def with_merged(self, cells: list[Cell]) -> list[Cell]:
        """Return the cells of a row with those that merged cells above say for it too."""
        more = self.merged.get(cells[0].row) if cells else None
        return sorted([*cells, *more], key=lambda cell: cell.column) if more else cells


@dataclass(frozen=True, slots=True)
class Workbook:
    """A file with its sheets, and the names of those that are hidden and were not read."""

    file: str
    sheets: list[Sheet]
    hidden: tuple[str, ...] = ()


def read_workbook(name: str, data: bytes) -> Workbook:
    """Return the cells of a file. Raises Unreadable with a sentence that says what to do."""
    ending = name.rpartition(".")[2].lower()
    if not data.strip():
        raise Unreadable("The file is empty.")
    if len(data) > LARGEST:
        raise Unreadable("The file is larger than 10 MB. A calendar is much smaller: is this the right file?")
    if ending == "xlsx":
        return _read_xlsx(name, data)
    if ending == "csv":
        return Workbook(name, [_read_csv(data)])
    what = f"A .{ending} file" if ending and ending != name.lower() else "This file"
    raise Unreadable(f"{what} cannot be read. {_SAVE_AS}")


def address(row: int, column: int) -> str:
    """Return `D7` for row 7 and column 4."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def _read_xlsx(file: str, data: bytes) -> Workbook:
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Unreadable(f"The file is protected by a password, or is an old .xls. {_SAVE_AS}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(part.file_size for part in packed.infolist()) > LARGEST_UNPACKED:
                raise Unreadable("The file unpacks to more than 20 MB. Is this the right file?")
            for part in packed.infolist():
                _refuse_far_cells(packed, part)
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        hidden = tuple(one.name for one in book.sheets_metadata if one.visible != SheetVisibleEnum.Visible)
        shown = [book.get_sheet_by_name(name) for name in book.sheet_names if name not in hidden]
        return Workbook(file, [_merged_sheet(sheet) for sheet in shown], hidden)
    except (zipfile.BadZipFile, CalamineError, ValueError, OSError, NotImplementedError):
        raise Unreadable(f"This is not a spreadsheet, or it is damaged. {_SAVE_AS}") from None


def _refuse_far_cells(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse a sheet with a cell so far out that all the empty ones before it would take the memory."""
    if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", part.filename):
        return
    rows = columns = 0
    with packed.open(part) as unpacked:
        rest = b""
        while chunk := unpacked.read(1 << 20):
            rest += chunk
            for found in _CELL_ADDRESS.finditer(rest):
                columns, rows = max(columns, _column_number(found[1])), max(rows, int(found[2]))
            rest = rest[-100:]
    if rows * columns > MOST_CELLS:
        raise Unreadable(
            f"A sheet reaches to row {rows} and column {columns}. A calendar is much smaller: "
            "take out what stands far below or to the right, and try again."
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _merged_sheet(source: CalamineSheet) -> Sheet:
    sheet = _sheet(source.name, source.to_python(skip_empty_area=False))
    filled = 0
    for (first, column), (last, _) in source.merged_cell_ranges or ():
        cells = sheet.rows[first] if first < len(sheet.rows) else []
        top = next((cell for cell in cells if cell.column == column + 1), None)
        for row in range(first + 2, min(last + 1, len(sheet.rows)) + 1) if top else ():
            filled += 1
            if filled > MOST_CELLS:
                raise Unreadable(f"The sheet {sheet.name} has too many merged cells. Is this the right file?")
            if top and sheet.rows[row - 1]:
                again = replace(top, row=row, where=f"{source.name}!{address(row, top.column)}")
                sheet.merged.setdefault(row, []).append(again)
    return sheet


def _sheet(name: str, values: Sequence[Sequence[object]]) -> Sheet:
    if sum(len(row) for row in values) > MOST_CELLS:
        raise Unreadable(f"The sheet {name} has more than {MOST_CELLS:,} cells. Is this the right file?")
    rows = []
    for number, row in enumerate(values, start=1):
        cells = [_cell(f"{name}!", number, column, value) for column, value in enumerate(row, start=1)]
        rows.append([cell for cell in cells if cell.text])
    return Sheet(name, rows)


def _cell(prefix: str, row: int, column: int, value: object) -> Cell:
    where = f"{prefix}{address(row, column)}"
    if isinstance(value, datetime):
        if value.time() == time(0, 0):
            return Cell(row, column, where, value.date().isoformat(), value.date())
        return Cell(row, column, where, f"{value:%Y-%m-%d %H:%M}", value.date())
    if isinstance(value, date):
        return Cell(row, column, where, value.isoformat(), value)
    if isinstance(value, timedelta):
        value = (datetime(2000, 1, 1) + value).time() if timedelta(0) <= value < timedelta(days=1) else str(value)
    if isinstance(value, time):
        return Cell(row, column, where, f"{value:%H:%M}", value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = _CONTROL.sub("", str(value).replace("\r\n", "\n").replace("\r", "\n")).strip()
    return Cell(row, column, where, text)


def _read_csv(data: bytes) -> Sheet:
    try:
        is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16", errors="replace") if is_wide else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise Unreadable(f"This is not a CSV file. {_SAVE_AS}")
    first_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count) if any(mark in text for mark in ",;\t") else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Unreadable(f"This is not a CSV file: {error}. {_SAVE_AS}") from None
    if sum(len(line) for line in lines) > MOST_CELLS:
        raise Unreadable(f"The file has more than {MOST_CELLS:,} cells. Is this the right file?")
    rows = []
    for number, line in enumerate(lines, start=1):
        cells = [_cell("", number, column, value) for column, value in enumerate(line, start=1)]
        rows.append([cell for cell in cells if cell.text])
    return Sheet("", rows)
