"""Read a spreadsheet of dates as people really type them. Pure: bytes in, a reading out."""

from booking.exchange.reading.calendar import read_calendar, read_file
from booking.exchange.reading.entries import Context, Entry, Issue, Reading
from booking.exchange.reading.workbook import Unreadable

__all__ = ["Context", "Entry", "Issue", "Reading", "Unreadable", "read_calendar", "read_file"]
