"""A year with what breaks calendar programs, and how each of them has to show it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

from booking.calendar.actions import cancel, edit_event, restore
from booking.calendar.models import Event, Kind, Visibility
from booking.core.db import db
from tests.factories import make_event, make_organiser, make_venue, values_of

EMOJI = "Emoji 🎉, Ünïcode; 李小龍 and a \\ backslash, " + "long " * 30
HARD = "Line one\nLine two, with; marks\\ and END:VEVENT\r\nBEGIN:VALARM"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as a program shows it: instants in UTC or days, the end exclusive. None: the program does not say."""

    title: str
    start: str
    end: str
    status: str | None = "CONFIRMED"
    uid: str | None = None


def fill() -> list[Shown]:
    """Put the year into the database; return what has to be seen of it."""
    given = [(make_event(title, **values), Shown(shown, start, end)) for title, shown, start, end, values in YEAR]
    given[0][0].venue_id = make_venue("Hall, north; upstairs").id
    tom = make_organiser()
    moved = make_event("Moved", day=date(2026, 11, 2), starts=time(10), ends=time(11))
    other = replace(values_of(moved), day=date(2027, 6, 21), starts=time(14), ends=time(15))
    edit_event(moved, other, by=tom, revision=moved.revision)
    off = make_event("Off", day=date(2027, 6, 2), starts=time(13, 30), ends=time(15, 30))
    cancel(off, by=tom, note="The hall is flooded")
    back = make_event("Off and on again", day=date(2027, 6, 3), starts=time(9), ends=time(10))
    cancel(back, by=tom)
    restore(back, by=tom)
    given += [
        (back, Shown("Off and on again", "2027-06-03T08:00:00Z", "2027-06-03T09:00:00Z")),
        (moved, Shown("Moved", "2027-06-21T13:00:00Z", "2027-06-21T14:00:00Z")),
        (off, Shown("CANCELLED: Off", "2027-06-02T12:30:00Z", "2027-06-02T14:30:00Z", "CANCELLED")),
    ]
    return [replace(shown, uid=event.uid) for event, shown in given]


def change(meant: Iterable[Shown]) -> list[Shown]:
    """Move one event, call one off, hide one and add one; return what has to be seen then."""
    seen = {shown.title: shown for shown in meant}
    moves, goes_off, hides = (_called(title) for title in ("In winter", "All day", "Three days"))
    edit_event(moves, replace(values_of(moves), day=date(2027, 4, 14)), by=None, revision=moves.revision)
    cancel(goes_off, by=None)
    edit_event(hides, replace(values_of(hides), visibility=Visibility.TEAM), by=None, revision=hides.revision)
    new = make_event("New", day=date(2027, 4, 15), starts=NINE, ends=TEN)
    seen["In winter"] = replace(seen["In winter"], start="2027-04-14T08:30:00Z", end="2027-04-14T09:30:00Z")
    seen["All day"] = replace(seen["All day"], title="CANCELLED: All day", status="CANCELLED")
    del seen["Three days"]
    return [*seen.values(), Shown("New", "2027-04-15T08:30:00Z", "2027-04-15T09:30:00Z", uid=new.uid)]


def _called(title: str) -> Event:
    return db.session.execute(db.select(Event).filter_by(title=title)).scalar_one()


def _session(title: str, day: date, starts: time, ends: time, start: str, end: str, **more: Any) -> tuple[Any, ...]:
    return title, title.strip(), start, end, {"day": day, "starts": starts, "ends": ends, **more}


def _days(title: str, first: date, last: date | None, start: str, end: str) -> tuple[Any, ...]:
    return title, title, start, end, {"day": first, "last_day": last, "starts": None, "ends": None}


NINE, TEN = time(9, 30), time(10, 30)
YEAR: list[tuple[Any, ...]] = [
    _session("In autumn, before", date(2026, 10, 23), NINE, TEN, "2026-10-23T08:30:00Z", "2026-10-23T09:30:00Z"),
    _session("In autumn, after", date(2026, 10, 26), NINE, TEN, "2026-10-26T09:30:00Z", "2026-10-26T10:30:00Z"),
    _session(
        "In winter", date(2027, 1, 14), NINE, TEN, "2027-01-14T09:30:00Z", "2027-01-14T10:30:00Z", description=HARD
    ),
    _session("In spring, before", date(2027, 3, 26), NINE, TEN, "2027-03-26T09:30:00Z", "2027-03-26T10:30:00Z"),
    _session(
        "Through the night of the change",
        *(date(2027, 3, 27), time(22), time(7), "2027-03-27T22:00:00Z", "2027-03-28T06:00:00Z"),
        last_day=date(2027, 3, 28),
    ),
    _session("In spring, after", date(2027, 3, 29), NINE, TEN, "2027-03-29T08:30:00Z", "2027-03-29T09:30:00Z"),
    _session(EMOJI, date(2027, 7, 1), time(13, 30), time(15, 30), "2027-07-01T12:30:00Z", "2027-07-01T14:30:00Z"),
    _session("BEGIN:VEVENT END:VEVENT", date(2027, 7, 2), NINE, TEN, "2027-07-02T08:30:00Z", "2027-07-02T09:30:00Z"),
    _days("All day", date(2027, 5, 4), None, "2027-05-04", "2027-05-05"),
    _days("Three days", date(2027, 5, 5), date(2027, 5, 7), "2027-05-05", "2027-05-08"),
    (
        *("Panel applications", "Closes: Panel applications", "2027-06-01T15:45:00Z", "2027-06-01T16:00:00Z"),
        {"kind": Kind.DEADLINE, "day": date(2027, 6, 1), "starts": time(17)},
    ),
]
