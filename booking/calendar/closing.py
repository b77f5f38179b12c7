"""What a closing date is for: the panel, or another meeting, that looks at what was sent by then."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from booking.calendar import queries
from booking.calendar.models import Event
from booking.core.text import name_key

# Panels meet about two weeks after their closing date; over Christmas it is longer.
LATEST = timedelta(days=42)
_SAYS_ONLY_WHAT_IT_IS = frozenset({"closing", "date", "dates", "deadline", "final", "submission", "meeting", "from"})


def meeting_for(closing_date: Event, sessions: Iterable[Event], closing_dates: Sequence[Event]) -> Event | None:
    """Return which of the sessions a closing date is most likely for, or None where that would be a guess.

    The next one whose title the closing date names; else, as numbers in titles are often wrong, the next of its own
    kind of event if they share a word, unless another of the `closing_dates` of that kind stands nearer to it.
    """
    until = closing_date.day + LATEST
    later = sorted((one for one in sessions if closing_date.day <= one.day <= until), key=lambda one: one.day)
    title = f" {name_key(closing_date.title)} "
    named = next((one for one in later if f" {name_key(one.title)} " in title), None)
    if named is not None:
        return named
    words = _words(closing_date.title)
    for one in (session for session in later if session.category_id == closing_date.category_id):
        if words & _words(one.title):
            return None if _stands_between(closing_date, one, closing_dates) else one
    return None


def put_with_meetings(closing_dates: Sequence[Event]) -> list[Event]:
    """Set what new closing dates of one area are most likely for. Returns those that got one. Inside an action."""
    if not closing_dates:
        return []
    days, area_id = [one.day for one in closing_dates], closing_dates[0].area_id
    first, last = min(days), max(days) + LATEST
    sessions = queries.sessions_between(area_id, first, last)
    others = queries.closing_dates_between(area_id, first, last)
    for one in closing_dates:
        one.closes_for = meeting_for(one, sessions, others)
    return [one for one in closing_dates if one.closes_for]


def _words(title: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]{4,}", name_key(title)) if word not in _SAYS_ONLY_WHAT_IT_IS}


def _stands_between(closing_date: Event, session: Event, closing_dates: Sequence[Event]) -> bool:
    return any(
        one.category_id == closing_date.category_id and closing_date.day < one.day <= session.day
        for one in closing_dates
    )
