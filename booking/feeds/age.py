"""When a feed last became another, for clients that know it by a date alone, and what program wrote it."""

import hashlib
from datetime import UTC, date, datetime, time
from pathlib import Path

from booking.calendar import ical
from booking.calendar.terms import school_year_of, year_days
from booking.core.clock import now, on_the_wall

# What reads and writes feeds decides their bytes too: after an update nobody is told that nothing changed.
_SOURCES = sorted(source for module in (ical.__file__, __file__) for source in Path(module).parent.glob("*.py"))
WRITTEN_BY = hashlib.sha256(b"".join(source.read_bytes() for source in _SOURCES)).hexdigest()
WRITTEN_AT = datetime.fromtimestamp(max(source.stat().st_mtime for source in _SOURCES), UTC)


def last_changed(calendar_changed_at: datetime, *, day: date) -> datetime:
    """Return the last of three: the calendar changed, its first day moved on, the program did.

    Feeds go back to the beginning of the school year before, so on its first day each year drops one. A file of the
    program that is younger than now was made by a clock that was wrong, and does not count.
    """
    moved_on = on_the_wall(year_days(school_year_of(day))[0], time.min)
    written_at = WRITTEN_AT if now() >= WRITTEN_AT else moved_on
    return max(calendar_changed_at, moved_on, written_at)
