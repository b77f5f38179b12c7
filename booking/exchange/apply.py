"""Put a reading onto the calendar: one transaction, and nothing the second time."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import sqlalchemy as sa

from booking.calendar import closing, queries
from booking.calendar.actions import find_or_create_venue, venues_of
from booking.calendar.catalogue import audiences_of, free_slug, kinds_of
from booking.calendar.models import RESERVED_SLUGS, Audience, Category, Event, EventStatus, Kind, Visibility
from booking.calendar.terms import school_year_of
from booking.core import audit
from booking.core.clock import now, on_the_wall
from booking.core.db import atomic, db, take_turns
from booking.core.text import name_key, slug
from booking.directory.models import Area
from booking.exchange.reading import Context, Entry, Reading
from booking.reminders.actions import DEFAULT_RULES, set_category_rules

COLOURS = 12


@dataclass(slots=True)
class Applied:
    """What an import did."""

    added: int = 0
    published: int = 0
    unchanged: int = 0
    left_out: list[Entry] = field(default_factory=list)
    # Closing dates for which the file has what they are for.
    closing_dates: list[Event] = field(default_factory=list)
    new_categories: list[str] = field(default_factory=list)


def context_of(area: Area) -> Context:
    """Return what an area's calendar knows already: categories, venues, and the terms that were set."""
    year = school_year_of(now().date())
    known = queries.known_half_terms(area.id, *range(year - 5, year + 5))
    return Context(
        categories=[category.name for category in queries.categories(area.id)],
        venues=[venue.name for venue in queries.venues(area.id)],
        terms=known,
        year=year,
    )


@atomic
def apply(area: Area, reading: Reading, *, publish: bool) -> Applied:
    """Add what is not there yet, as drafts; with `publish`, publish what raised no alarm and is meant for others."""
    take_turns(f"import into area {area.id}")
    for what in (venues_of, kinds_of, audiences_of):  # before the area's version, as every change of an event
        take_turns(what(area.id))
    done, tables, closing_dates = Applied(), _Tables(area), []
    known = set(
        db.session.scalars(sa.select(Event.import_key).where(Event.area_id == area.id, Event.import_key.is_not(None)))
    )
    seen: Counter[str] = Counter()
    for entry in reading.entries:
        day = entry.date or entry.suggested_date
        if day is None:
            done.left_out.append(entry)
            continue
        identity = _identity(entry)
        seen[identity] += 1
        key = hashlib.sha256(f"{identity}|{seen[identity]}".encode()).hexdigest()
        if key in known:
            done.unchanged += 1
            continue
        event = tables.event(entry, key)
        event.day = day
        _set_closing(event, entry)
        if publish and not entry.raises_alarm and event.visibility is not Visibility.TEAM:
            event.status, event.published_at = EventStatus.PUBLISHED, now()
            done.published += 1
        db.session.add(event)
        done.added += 1
        if event.kind is Kind.DEADLINE:
            closing_dates.append(event)
    done.new_categories = tables.new_categories
    db.session.flush()
    done.closing_dates = closing.put_with_meetings(closing_dates)
    if done.added:
        audit.record(
            "imported",
            "file",
            None,
            by=None,
            area_id=area.id,
            file=reading.file,
            added=done.added,
            published=done.published,
        )
    return done


def _identity(entry: Entry) -> str:
    """Return what makes an entry the same one in the next import, wherever it stands then.

    Two alike on one day are told apart by their order.
    """
    day = entry.date.isoformat() if entry.date else entry.text
    start = f"{entry.start:%H:%M}" if entry.start else ""
    return "|".join((day, start, name_key(entry.title), name_key(entry.venue or ""), entry.kind))


def _set_closing(event: Event, entry: Entry) -> None:
    if entry.closes and event.kind is Kind.SESSION:  # kept for the team too: a draft may be opened to others
        event.closes_at = on_the_wall(entry.closes.date(), entry.closes.time())


class _Tables:
    """An area's categories, audiences and venues while a file is put in."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self.categories = {name_key(one.name): one for one in queries.categories(area.id)}
        self.audiences = {name_key(one.name): one for one in queries.audiences(area.id)}
        self.new_categories: list[str] = []

    def event(self, entry: Entry, key: str) -> Event:
        """Return a new draft for an entry."""
        category = self._category(entry.category or "Other")
        kind = Kind(entry.kind)
        visibility = self._visibility(entry, category)
        takes_bookings = kind is Kind.SESSION and visibility is not Visibility.TEAM
        return Event(
            area_id=self.area.id,
            category=category,
            venue=find_or_create_venue(self.area.id, entry.venue or ""),
            audiences=[self._audience(name) for name in dict.fromkeys(entry.audience)],
            kind=kind,
            visibility=visibility,
            own_visibility=entry.visibility is not None,
            status=EventStatus.DRAFT,
            title=entry.title[:200],
            starts=entry.start,
            ends=entry.end if kind is Kind.SESSION else None,
            takes_bookings=takes_bookings,
            capacity=entry.capacity if kind is Kind.SESSION else None,
            per_school=entry.per_school if kind is Kind.SESSION else None,
            taken=0,
            last_position=0,
            sequence=0,
            revision=1,
            created_at=now(),
            changed_at=now(),
            import_key=key,
        )

    def _visibility(self, entry: Entry, category: Category) -> Visibility:
        """Return who sees it: a row's own word wins over its category's."""
        return Visibility(entry.visibility) if entry.visibility else category.visibility

    def _category(self, name: str) -> Category:
        found = self.categories.get(name_key(name))
        if found is not None:
            return found
        address = free_slug(name, RESERVED_SLUGS | {category.slug for category in self.categories.values()})
        position = len(self.categories)
        category = Category(
            area_id=self.area.id,
            slug=address,
            name=name[:80],
            letters=letters_for(name),
            colour=position % COLOURS + 1,
            visibility=Visibility.TEAM,
            position=position,
        )
        db.session.add(category)
        db.session.flush()
        set_category_rules(category, DEFAULT_RULES, by=None)
        self.categories[name_key(name)] = category
        self.new_categories.append(category.name)
        return category

    def _audience(self, name: str) -> Audience:
        key = name_key(name)
        if key not in self.audiences:
            is_families = any(word in key for word in ("parent", "carer", "famil"))
            position = len(self.audiences)
            address = free_slug(name, {one.slug for one in self.audiences.values()})
            audience = Audience(
                area_id=self.area.id, slug=address, name=name[:80], is_families=is_families, position=position
            )
            db.session.add(audience)
            self.audiences[key] = audience
        return self.audiences[key]


def letters_for(name: str) -> str:
    """Return the two letters of a category's sign: the first of its first two words."""
    words = slug(name, otherwise="other").split("-")
    return (words[0][0] + (words[1][0] if len(words) > 1 else words[0][1:2] or "X")).upper()
