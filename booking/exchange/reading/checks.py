"""What is odd about entries once they are read: each check is a function of one entry; CHECKS lists them."""

from collections.abc import Callable
from datetime import timedelta

from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.terms import school_year_of
from booking.calendar.wording import say_day
from booking.exchange.reading.entries import Context, Entry, Issue
from booking.exchange.reading.titles import CATEGORIES

SATURDAY = 5
Check = Callable[[Entry, Context], None]


def weekend(entry: Entry, _context: Context) -> None:
    """Tell what is on a Saturday or Sunday; suggest the Friday before."""
    if entry.date and entry.date.weekday() >= SATURDAY:
        friday = entry.date - timedelta(days=entry.date.weekday() - 4)
        entry.issues.append(Issue("weekend", f"{say_day(entry.date)} is at a weekend.", friday.isoformat()))


def holiday(entry: Entry, context: Context) -> None:
    """Tell what is on a bank holiday, or in the school holidays where terms are known."""
    if entry.date is None:
        return
    name = bank_holidays(entry.date, entry.date).get(entry.date)
    if name:
        entry.issues.append(Issue("holiday", f"{say_day(entry.date)} is a bank holiday: {name}."))
        return
    of_that_year = [term for term in context.terms if term.year == school_year_of(entry.date)]
    in_term = any(term.first_day <= entry.date <= term.last_day for term in of_that_year)
    if of_that_year and not in_term and entry.date.weekday() < SATURDAY:
        entry.issues.append(Issue("holiday", f"{say_day(entry.date)} is in the school holidays."))


def time_missing(entry: Entry, _context: Context) -> None:
    """Remark that a session has no time."""
    ambiguous = any(issue.code == "time-ambiguous" for issue in entry.issues)
    if entry.kind == "session" and entry.start is None and not ambiguous:
        entry.issues.append(Issue("time-missing", "There is no time."))


def unknown_category(entry: Entry, context: Context) -> None:
    """Remark that the kind of event is not known."""
    known = {name for _, name in CATEGORIES} if context.categories is None else set(context.categories)
    if entry.category is None:
        entry.issues.append(Issue("unknown-category", "The kind of event is not clear from the title."))
    elif entry.category.casefold() not in {name.casefold() for name in known}:
        entry.issues.append(Issue("unknown-category", f"There is no kind of event called “{entry.category}” yet."))


CHECKS: tuple[Check, ...] = (weekend, holiday, time_missing, unknown_category)
