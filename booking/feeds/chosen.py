"""What an address chooses of the public calendar: read, written the shortest way, and in words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from urllib.parse import urlencode

from booking.calendar import queries as calendar_queries
from booking.calendar.filters import Filters, Query, read_filters
from booking.calendar.models import Category
from booking.calendar.policy import ANYBODY
from booking.calendar.wording import say_day_month
from booking.core.addresses import absolute
from booking.core.errors import Refused, refuse_unless
from booking.directory.models import Area

KIND = "category"
FILTERS = (KIND, "audience", "area", "q", "from", "to")
# What else the list is asked for: a feed keeps what is over and what is full, so they choose nothing here.
OF_THE_LIST_ALONE = {"when", "free", "page"}
# Names shorter than this are like too many others.
LIKENED = [name for name in FILTERS if len(name) >= 5]
ALIKE, LONGER = 0.75, 2
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Choice:
    """The filters as the address says them, and in words; without words where they leave nothing out."""

    filters: Filters
    words: str = ""
    kind: Category | None = None

    @property
    def is_narrow(self) -> bool:
        """Tell whether it leaves out anything of the whole calendar, or of the kind's."""
        return self.filters != whole(self.kind).filters

    @property
    def address(self) -> str:
        """The whole address of its feed: the same for whatever chooses the same."""
        base = absolute("feeds.category", slug=self.kind.slug) if self.kind else absolute("feeds.calendar")
        query = {name: values for name, values in self.filters.query.items() if not (self.kind and name == KIND)}
        return base + (f"?{urlencode(query, doseq=True)}" if query else "")

    def name_in(self, area: Area) -> str:
        """Return what calendars call its feed: what is chosen first, as they show the beginning of it."""
        if not self.words:
            return area.name
        whose = f" – {area.short_name}"
        room = LONGEST_NAME - len(whose)
        words = self.words if len(self.words) <= room else f"{self.words[: room - 1].rstrip()}…"
        return f"{words}{whose}"


def whole(kind: Category | None = None) -> Choice:
    """Return the choice of all dates, or of all of a kind."""
    return Choice(Filters(categories=(kind.slug,)), kind.name, kind) if kind else Choice(Filters())


def read_choice(area: Area, asked: Query, *, kind: Category | None = None) -> Choice:
    """Return what an address chooses, of one kind alone where it is the kind's own.

    Raises Refused with a sentence that names what it cannot read.
    """
    refuse_misspelt(asked)
    said = {name: asked[name] for name in FILTERS if _values(asked, name)}
    if kind:
        is_other = set(_values(said, KIND)) - {kind.slug}
        refuse_unless(not is_other, f"This is the calendar of one kind, {kind.name}: it has no other.", field=KIND)
        said.pop(KIND, None)
    if not said:
        return whole(kind)
    if kind:
        said[KIND] = [kind.slug]
    kinds = {one.slug: one.name for one in calendar_queries.categories_seen(area.id, ANYBODY)}
    audiences = {one.slug: one.name for one in calendar_queries.audiences(area.id)}
    read = read_filters(said, categories=kinds, audiences=audiences, areas={area.slug})
    filters = replace(read, categories=tuple(sorted(read.categories)), audiences=tuple(sorted(read.audiences)))
    return Choice(filters, _in_words(filters, kinds, audiences), kind)


def _values(query: Query, name: str) -> list[str]:
    return [value.strip() for value in query.get(name, []) if value.strip()]


def refuse_misspelt(asked: Query) -> None:
    """Refuse a name that must be a filter's, mistyped: its calendar would have all dates.

    Others are left alone: calendars and proxies add words of their own to an address.
    """
    for name in asked:
        known = name in FILTERS or name in OF_THE_LIST_ALONE
        if not known and _values(asked, name) and (meant := _meant(name)):
            raise Refused(f"There is no filter called “{name[:60]}”: it should be “{meant}”.", field=name[:60])


def _meant(name: str) -> str:
    """Return the filter that somebody must have meant by this name; nothing where it is like none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain in FILTERS:
        return plain
    plain = plain.strip("0123456789")[:LONGEST_NAME]
    nearly = [one for one in FILTERS if len(one) > 2 and (sorted(plain) == sorted(one) or plain == f"{one}s")]
    likely = [one for one in LIKENED if abs(len(plain) - len(one)) <= LONGER]
    return next(iter(nearly or get_close_matches(plain, likely, 1, ALIKE)), "")


def _in_words(filters: Filters, kinds: Mapping[str, str], audiences: Mapping[str, str]) -> str:
    """Return `SENCo forum + ELSA for SENCos “autism” from 1 September 2026`.

    Without commas of ours: they are escaped, and not every calendar takes that back in a name.
    """
    parts = [" + ".join(_named(filters.categories, kinds))]
    if filters.audiences:
        parts.append(f"for {' + '.join(_named(filters.audiences, audiences))}")
    if filters.words:
        parts.append(f"“{' '.join(filters.words)}”")
    days = (("from", filters.first), ("until", filters.last))
    parts += [f"{word} {_say(day)}" for word, day in days if day]
    return " ".join(part for part in parts if part)


def _named(slugs: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Return the names of what is chosen, in the order of the area."""
    return [name for slug, name in names.items() if slug in set(slugs)]


def _say(day: date) -> str:
    return f"{say_day_month(day)} {day.year}"
