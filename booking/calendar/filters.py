"""What somebody chose to see of the list: from the address to values. Pure but for the names that are known."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from booking.calendar.terms import year_days
from booking.core.errors import Refused
from booking.core.text import one_line

LONGEST_WORDS = 100
Query = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Filters:
    """Slugs of categories and audiences, words of the title, days from and to, only what has places left."""

    categories: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    past: bool = False
    only_free: bool = field(default=False)

    @property
    def is_set(self) -> bool:
        """Tell whether anything is left out because of them."""
        return self != Filters()

    @property
    def query(self) -> dict[str, list[str]]:
        """What chooses events, as it stands in an address; not what the list alone leaves out (past, full)."""
        days = {"from": self.first, "to": self.last}
        said = {
            "audience": list(self.audiences),
            "category": list(self.categories),
            "q": [" ".join(self.words)],
            **{name: [day.isoformat()] if day else [] for name, day in days.items()},
        }
        return {name: values for name, values in sorted(said.items()) if any(values)}


def read_filters(
    query: Query, *, categories: Collection[str], audiences: Collection[str], areas: Collection[str]
) -> Filters:
    """Return the filters of an address. Raises Refused with a sentence that names what it cannot read."""
    for slug in _values(query, "area"):
        if slug not in areas:
            raise Refused(f"There is no area called “{slug[:60]}”.", field="area")
    first, last = _day(query, "from"), _day(query, "to")
    if first and last and first > last:
        raise Refused("The first day is after the last. Swap them.", field="from")
    return Filters(
        categories=_known(query, "category", categories, "kind of event"),
        audiences=_known(query, "audience", audiences, "audience"),
        words=tuple(one_line(" ".join(_values(query, "q")))[:LONGEST_WORDS].split()),
        first=first,
        last=last,
        past=_choice(query, "when", {"", "coming", "past"}) == "past",
        only_free=bool(_values(query, "free")),
    )


def _values(query: Query, name: str) -> list[str]:
    return [value.strip() for value in query.get(name, []) if value.strip()]


def _known(query: Query, name: str, known: Collection[str], what: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(_values(query, name)))
    for slug in chosen:
        if slug not in known:
            raise Refused(f"There is no {what} called “{slug[:60]}”. Choose from the list.", field=name)
    return chosen


def _choice(query: Query, name: str, known: Collection[str]) -> str:
    chosen = (_values(query, name) or [""])[-1]
    if chosen not in known:
        raise Refused(f"“{chosen[:60]}” is not something to choose. Choose from the list.", field=name)
    return chosen


def _day(query: Query, name: str) -> date | None:
    text = (_values(query, name) or [""])[-1]
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        year_days(day.year)
    except ValueError:
        raise Refused(f"“{text[:30]}” is not a date. Write it like 2026-11-23.", field=name) from None
    return day
