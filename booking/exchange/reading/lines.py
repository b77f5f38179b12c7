"""One typed line, such as `20.09.23: P/S Senco forum (1) 9.30am`, to entries."""

from dataclasses import dataclass
from datetime import date, timedelta

from booking.exchange.reading.dates import FoundDate, find_dates, take_weekday
from booking.exchange.reading.entries import Entry, Issue
from booking.exchange.reading.times import FoundTime, find_time
from booking.exchange.reading.titles import TEAM_ONLY, audience_of, category_of, kind_of, take_venue, tidy


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands: its cell, and the week of the grid where there is one."""

    where: str
    week: date | None = None
    near: date | None = None


def read_line(text: str, place: Place, venues: tuple[str, ...] = ()) -> list[Entry]:
    """Return the entries of a line: one for each date in it; one without a date where there is none."""
    dates = find_dates(text, near=place.near or place.week)
    rest = _without_dates(text, dates)
    rest, weekday = take_weekday(rest)
    found = find_time(rest)
    rest, venue = take_venue(found.rest if found else rest, venues)
    title = tidy(rest)
    if not title:
        return []
    days: list[FoundDate | None] = [*dates] or [None]
    return [_entry(text, title, place, day, weekday, found, venue) for day in days]


def _without_dates(text: str, dates: list[FoundDate]) -> str:
    for found in reversed(dates):
        text = text[: found.start] + " " + text[found.end :]
    if len(dates) > 1:
        text = text.replace(" & ", " ", 1) if text.lstrip().startswith("&") else text
        words = text.split()
        while words and words[0].strip(",;").lower() in {"and", "&", "-", ""}:
            words = words[1:]
        text = " ".join(words)
    return text


def _entry(
    text: str,
    title: str,
    place: Place,
    found: FoundDate | None,
    weekday: int | None,
    at: FoundTime | None,
    venue: str | None,
) -> Entry:
    category = category_of(title)
    entry = Entry(
        text=text,
        where=place.where,
        title=title,
        date=found.day if found else None,
        start=at.start if at else None,
        end=at.end if at else None,
        kind=kind_of(title, has_time=at is not None),
        category=category,
        venue=venue,
        audience=audience_of(title),
        visibility="team" if category in TEAM_ONLY else None,
    )
    _about_the_date(entry, found, place.week)
    said = found.weekday if found and found.weekday is not None else weekday
    if entry.date and said is not None and not (found and found.is_week):
        weekday_issue(entry, said)
    if at and at.ambiguous:
        suggestion = f"{at.likely:%H:%M}" if at.likely else None
        entry.issues.append(
            Issue("time-ambiguous", "This time can be read in two ways. Which one is meant?", suggestion)
        )
    return entry


def _about_the_date(entry: Entry, found: FoundDate | None, week: date | None) -> None:
    if found is None:
        suggestion = week.isoformat() if week else None
        entry.issues.append(Issue("date-missing", "There is no date. Which day is meant?", suggestion))
    elif found.day is None:
        entry.issues.append(Issue("date-impossible", "There is no such day in the calendar.", None))
    elif found.is_week:
        entry.issues.append(Issue("date-approximate", "Only the week is given; its Monday was taken.", None))


def weekday_issue(entry: Entry, said: int) -> None:
    """Tell where a weekday does not belong to the date; suggest that weekday of the same week."""
    assert entry.date is not None
    if entry.date.weekday() == said:
        return
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    meant = entry.date + timedelta(days=said - entry.date.weekday())
    message = f"{entry.date:%d.%m.%Y} is a {names[entry.date.weekday()]}, and {names[said]} is written."
    entry.issues.append(Issue("weekday-mismatch", message, meant.isoformat()))
