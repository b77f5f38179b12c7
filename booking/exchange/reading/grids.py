"""The year planner as a spreadsheet: half terms across, weeks down, several entries in a cell."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

from booking.exchange.reading.dates import FoundDate, find_dates, only_weekday
from booking.exchange.reading.entries import Context, Entry, Issue
from booking.exchange.reading.headers import Header
from booking.exchange.reading.lines import Place, read_line
from booking.exchange.reading.notes import is_footnote
from booking.exchange.reading.weeks import Weeks, is_name, is_number, names_half_term, split_head, week_alone, weeks_of
from booking.exchange.reading.workbook import Cell, Sheet

_SCHOOL_YEAR = re.compile(r"\b(?P<year>20\d{2})\s?[-/–]\s?(?:20)?\d{2}\b")
_HALF_TERM = re.compile(
    r"\W*(?:half[\s-]*term\s*\d?|(?:autumn|spring|summer)\s*(?:term\s*\d?|\d)|term\s*\d)"
    r"(?:\s+(?:holidays?|break|week))?(?:\W*20\d{2}(?:\s?[-/–]\s?\d{2,4})?)?\W*",
    re.IGNORECASE,
)
_SHORT_NUMBER = re.compile(r"\W*\d{1,2}\W*")
_NAMES_A_TITLE = re.compile(r"^(?:title|event|what|subject|topic|session|name|activity|description)$", re.IGNORECASE)
WEEK = timedelta(days=6)
LONGEST_QUOTE = 200
# To tell whether a text is a week at all, whichever year it means.
ANY_YEAR = date(2000, 1, 1)


@dataclass(slots=True)
class Grid:
    """What was read of a grid: its entries, and what had to be left out."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of a sheet before its cells are read."""

    near: date | None
    venues: tuple[str, ...]
    weeks: Weeks
    first_row: int
    weekdays: dict[int, int]
    numbers: frozenset[int]


def is_grid(sheet: Sheet, header: Header | None = None) -> bool:
    """Tell whether weeks stand in cells, beside them or over them; `header` is that of a table, where one was found.

    A table may have weeks for dates: then they all stand in its column of dates, or beside it.
    """
    heads = [cell for row in sheet.rows for cell in row if _has_head(cell)]
    half_terms = any(sum(names_half_term(cell.text) for cell in row) >= 2 for row in sheet.rows)
    has_heads = len(heads) >= 3 or (half_terms and bool(heads))
    is_planner = header is not None and _names_a_planner([column.name for column in header.columns.values()])
    if header and not is_planner and list(header.of("date", "due")):
        return has_heads and not _is_table(sheet, header, heads)
    if not header and any(_is_week_of_a_planner(cell) for cell in heads):
        return True
    near = _middle_of_the_year(sheet, Context())
    weeks = [cell for row in sheet.rows for cell in row if week_alone(cell, near)]
    if header:
        return bool(weeks) and (is_planner or not header.has_titles or len(list(header.of("week"))) > 1)
    return bool(weeks) and (half_terms or _has_column_of_weeks(sheet, weeks))


def _has_head(cell: Cell) -> bool:
    return any(split_head(line, None) and not is_name(line) for line in cell.text.split("\n"))


def _is_week_of_a_planner(cell: Cell) -> bool:
    heads = [head for line in cell.text.split("\n") if (head := split_head(line, ANY_YEAR))]
    return any(week for week, _ in heads)


def _is_table(sheet: Sheet, header: Header, heads: list[Cell]) -> bool:
    """Tell whether the weeks below a header all stand in one column, which is, or beside which is, one of dates."""
    columns = {cell.column for cell in heads}
    if len(columns) > 1 or any(cell.row <= header.row for cell in heads):
        return False
    dated = {number for number, column in header.columns.items() if column.role in {"date", "due"}}
    beside = [cell for row in sheet.rows for cell in row if cell.row > header.row and cell.column in dated - columns]
    return columns <= dated or (bool(beside) and all(week_alone(cell, ANY_YEAR) for cell in beside))


def _names_a_planner(names: Collection[str]) -> bool:
    """Tell whether columns are called by weekdays or half terms."""
    return sum(only_weekday(name) is not None for name in names) >= 3 or sum(map(names_half_term, names)) >= 2


def _has_column_of_weeks(sheet: Sheet, weeks: list[Cell]) -> bool:
    """Tell whether a column that is called `Week beginning`, or one beside weekdays, holds weeks."""
    for row in sheet.rows:
        names = {cell.column: cell.text.strip() for cell in row}
        if len(names) == 1 or any(_NAMES_A_TITLE.match(name) for name in names.values()):
            continue
        called = {column for column, name in names.items() if is_name(name)}
        below = {cell.column for cell in weeks if row and cell.row > row[0].row}
        if below & called or (below and _names_a_planner(names.values())):
            return True
    return False


def read_grid(sheet: Sheet, context: Context) -> Grid:
    """Return the entries of a grid, half term by half term and week by week."""
    cells = [cell for row in sheet.rows for cell in row]
    plan, grid = _plan_of(sheet, cells, context), Grid()
    for cell in sorted(cells, key=lambda one: (one.column, one.row)):
        if not _is_only_a_week(plan, cell):
            _CellReader(cell, plan, grid).read()
    return grid


def _plan_of(sheet: Sheet, cells: list[Cell], context: Context) -> _Plan:
    near = _middle_of_the_year(sheet, context)
    weeks = weeks_of(sheet, near)
    first_row = min((row for row, _ in weeks.all), default=1)
    above = [cell for cell in cells if cell.row < first_row]
    weekdays = {cell.column: day for cell in above if (day := only_weekday(cell.text)) is not None}
    numbers = frozenset(cell.column for cell in above if is_name(cell.text)) | {1}
    return _Plan(near, tuple(context.venues), weeks, first_row, weekdays, numbers)


def _middle_of_the_year(sheet: Sheet, context: Context) -> date | None:
    titles = [cell.text for row in sheet.rows[:3] for cell in row] + [sheet.name]
    match = next((found for text in titles if (found := _SCHOOL_YEAR.search(text))), None)
    year = int(match["year"]) if match else context.year
    return date(year + 1, 2, 1) if year else None


def _is_only_a_week(plan: _Plan, cell: Cell) -> bool:
    """Tell whether a cell is a week and nothing else; a date among the entries of a row is none."""
    if (cell.row, cell.column) not in plan.weeks.alone:
        return False
    if (cell.row, cell.column) in plan.weeks.headings:
        return True
    return _has_head(cell) or cell.column in plan.weeks.columns or plan.weeks.of(cell) is None


class _CellReader:
    """Reads a cell line by line. `week` is the week that its lines belong to, `day` the one suggested for them."""

    def __init__(self, cell: Cell, plan: _Plan, grid: Grid) -> None:
        self.cell, self.plan, self.grid = cell, plan, grid
        self.week = plan.weeks.of(cell)
        self.has_begun = False
        self.day: date | None = None
        self.heading = ""

    def read(self) -> None:
        """Read all lines: heads, titles of half terms and footnotes are no entries, what belongs nowhere a problem."""
        for line in (line.strip() for line in self.cell.text.split("\n")):
            if line:
                self._read(line)
        self._tell_unused_heading()

    def _read(self, line: str) -> None:
        head = split_head(line, self.plan.near)
        if head and (not head[1] or not (head[0] or self.has_begun)):
            self._begin_week(line, head[0])
        elif head:
            self._read_week(line, head[0], head[1])
        elif not self._says_nothing(line) and not self._is_title(line) and not self._is_heading(line):
            self._read_entries(line)

    def _begin_week(self, line: str, week: date | None) -> None:
        self._tell_unused_heading()
        self.day = None
        if week:
            self.week = week
        elif not is_name(line):
            message = "names no week that can be read. Write it like W/B 07.09.26."
            self._tell("week-unreadable", line, message)

    def _read_week(self, line: str, week: date | None, words: str) -> None:
        """Read `w/c 2 December Census`: an entry of that week, and at the top of a cell its head too."""
        has_day = _begins_with_a_date(words, week)
        if week and (has_day or (not self.has_begun and self.week is None)):
            self.week = week
        if has_day:
            self._read_entries(line, as_if=words)
            return
        is_plain = any(found.is_week for found in find_dates(line, near=self.week or self.plan.near))
        self._read_entries(line, as_if=line if is_plain or not week else f"w/c {week:%d.%m.%Y} {words}")

    def _dates(self, line: str) -> list[FoundDate]:
        return find_dates(line, near=self.week or self.plan.near, week=self.week)

    def _says_nothing(self, line: str) -> bool:
        if line.startswith("*"):
            dates = self._dates(line.lstrip("* ")) if self.week else []
            return not (dates and dates[0].start == 0)
        if _SHORT_NUMBER.fullmatch(line):
            return self.cell.column in self.plan.numbers
        if self.week and is_footnote(line):
            return not self._dates(line)
        return is_number(line) or bool(_HALF_TERM.fullmatch(line))

    def _is_title(self, line: str) -> bool:
        """Tell whether a line that stands in no week is there to say what is under or beside it."""
        if self.week:
            return False
        if self.cell.row < self.plan.first_row:
            return self.cell.row == 1 or not find_dates(line, near=self.plan.near)
        return self.cell.column == 1 and bool(self.plan.weeks.over)

    def _is_heading(self, line: str) -> bool:
        """Take a day on a line of its own as the one suggested for the lines under it."""
        weekday = only_weekday(line)
        day = self.week + timedelta(days=weekday) if self.week and weekday is not None else self._day_alone(line)
        if day is None:
            return False
        self._tell_unused_heading()
        self.day, self.heading = day, line
        return True

    def _day_alone(self, line: str) -> date | None:
        dates = self._dates(line)
        if len(dates) != 1 or re.search(r"\w", line[: dates[0].start] + line[dates[0].end :]):
            return None
        return dates[0].day

    def _read_entries(self, line: str, *, as_if: str = "") -> None:
        near = self.week or self.day or self.plan.near
        dates = find_dates(as_if or line, near=near, week=self.week)
        begins_with_one = bool(dates) and not re.search(r"\w", (as_if or line)[: dates[0].start])
        if not (self.week or begins_with_one or (dates and self.cell.column > 1) or (self.day and not dates)):
            self._tell("line-left-out", line, "stands in no week and does not begin with a date, so it was left out.")
            return
        if dates:
            self._tell_unused_heading()
            self.day = None
        entries = read_line(as_if or line, Place(self.cell.where, self.week, near, self._suggested()), self.plan.venues)
        if not entries:
            self._tell("line-left-out", line, "has no words that could be a title, so it was left out.")
            return
        self.has_begun = True
        self.heading = ""
        for entry in entries:
            entry.text = line
            _tell_if_outside(entry, self.week)
        self.grid.entries += entries

    def _suggested(self) -> date | None:
        weekday = self.plan.weekdays.get(self.cell.column)
        return self.week + timedelta(days=weekday) if self.day is None and self.week and weekday else self.day

    def _tell_unused_heading(self) -> None:
        if self.heading:
            self._tell("line-left-out", self.heading, "has no words that could be a title, so it was left out.")
        self.heading = ""

    def _tell(self, code: str, line: str, what: str) -> None:
        quoted = line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"
        where = self.cell.where.rpartition("!")[2]
        self.grid.problems.append(Issue(code, f"“{quoted}” in {where} {what}"))


def _begins_with_a_date(words: str, near: date | None) -> bool:
    """Tell whether words begin with a date, and have more to say."""
    dates = find_dates(words, near=near)
    return bool(dates) and dates[0].start == 0 and bool(re.search(r"\w", words[dates[0].end :]))


def _tell_if_outside(entry: Entry, week: date | None) -> None:
    """Tell where a date is not in the week it stands in; suggest the day of the same number within that week."""
    if week is None or entry.date is None or week <= entry.date <= week + WEEK:
        return
    days = [week + timedelta(days=number) for number in range(7)]
    meant = next((day for day in days if day.day == entry.date.day), None)
    message = f"{entry.date:%d.%m.%Y} is not in the week of {week:%d.%m.%Y} in which it stands."
    entry.issues.append(Issue("date-outside-week", message, meant.isoformat() if meant else None))
