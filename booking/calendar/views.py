"""What is on: the home page, the year planner, the list, an event."""

from collections.abc import Sequence
from itertools import groupby
from math import ceil
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.bookings import policy as bookings_policy
from booking.bookings import queries as bookings_queries
from booking.bookings import rules_in_words
from booking.bookings.side import side, sides
from booking.calendar import queries
from booking.calendar.filters import Filters, read_filters
from booking.calendar.markup import as_html
from booking.calendar.models import Audience, Category, Event, Kind
from booking.calendar.policy import ANYBODY, Reader, what_it_is_for
from booking.calendar.readers import reader, unseen
from booking.calendar.terms import parse_year, school_year_of, year_name
from booking.calendar.when import place_in_words
from booking.core.addresses import absolute
from booking.core.clock import now, today
from booking.core.errors import Refused
from booking.deadlines import queries as deadlines_queries
from booking.directory.guards import area, public

bp = Blueprint("calendar", __name__)

ON_HOME = 6
PER_PAGE = 50
YEARS_BACK, YEARS_AHEAD = 30, 3
Names = dict[str, str]  # by slug


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """Show what is on next, closing dates, and how to subscribe."""
    who, here, day = reader(), area(), today()
    sessions = queries.next_events(here.id, who, Kind.SESSION, today=day, limit=ON_HOME)
    return render_template(
        "calendar/home.html",
        area=here,
        sessions=sessions,
        sides=sides(sessions, at=now(), waiting=_waiting(sessions)),
        closing_dates=queries.next_events(here.id, who, Kind.DEADLINE, today=day, limit=5),
        doors=_doors(),
        by_category=queries.coming_by_category(here.id, who, today=day),
        feed_url=absolute("feeds.calendar"),
    )


def _doors() -> list[tuple[str, tuple[str, ...], int]]:
    """Return the two ways into the list: in words, the audiences it is filtered by, how many dates it shows."""
    audiences = queries.audiences(area().id)
    families = tuple(audience.slug for audience in audiences if audience.is_families)
    schools = tuple(audience.slug for audience in audiences if not audience.is_families)
    doors = [("For schools", schools), *([("For parents and carers", families)] if families else [])]
    return [
        (words, slugs, queries.count_events(area().id, reader(), Filters(audiences=slugs), today=today()))
        for words, slugs in doors
    ]


@bp.get("/calendar/")
@bp.get("/calendar/<year>/")
@public
def planner(year: str | None = None) -> ResponseReturnValue:
    """Show a school year: half terms across, weeks down."""
    here, who, current = area(), reader(), school_year_of(today())
    number = parse_year(year) if year else current
    if number is None or not current - YEARS_BACK <= number <= current + YEARS_AHEAD:
        abort(404)
    filters, problem, _ = _filters()
    team = who.in_team and request.args.get("team", "y" if not request.args else "") == "y"
    seen_as = who if team else Reader(staff=who.staff)
    return render_template(
        "calendar/planner.html",
        year=number,
        years=_years(queries.years_with_events(here.id, who), number, current),
        plan=queries.plan_of_year(here.id, number, seen_as, today=today(), filters=filters),
        categories=queries.categories_seen(here.id, who),
        audiences=queries.audiences(here.id),
        filters=filters,
        team=team,
        may_see_team=who.in_team,
        problem=problem,
        paper="a4" if request.args.get("paper") == "a4" else "a3",
        address=absolute("calendar.planner", year=year_name(number)),
    ), 400 if problem else 200


def _years(known: list[int], shown: int, current: int) -> list[int]:
    return sorted({*known, shown, current, current + 1} & set(range(shown - 1, shown + 2)))


@bp.get("/events/")
@public
def events() -> ResponseReturnValue:
    """Show the list, with filters and search."""
    here, who, day = area(), reader(), today()
    filters, problem, readable = _filters()
    total = 0 if problem else queries.count_events(here.id, who, filters, today=day)
    pages = max(1, ceil(total / PER_PAGE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    found = (
        []
        if problem
        else queries.list_events(here.id, who, filters, today=day, limit=PER_PAGE, offset=PER_PAGE * (page - 1))
    )
    categories, audiences = queries.categories_seen(here.id, who), queries.audiences(here.id)
    return render_template(
        "calendar/events.html",
        months=[(month, list(rows)) for month, rows in groupby(found, key=lambda event: event.day.replace(day=1))],
        sides=sides(found, at=now(), waiting=_waiting(found)),
        total=total,
        page=page,
        pages=pages,
        page_address=_page_address,
        filters=filters,
        applied=_applied(filters, _names(categories), _names(audiences)),
        feed_page=_feed_page(filters),
        categories=categories,
        audiences=audiences,
        problem=problem,
        others_address=_list_address(readable) if filters.is_set else "",
    ), 400 if problem else 200


def _filters() -> tuple[Filters, Refused | None, dict[str, list[str]]]:
    """Return the filters of the address that can be read, the first sentence about one that cannot, and what is left.

    What cannot be read leaves the others as they were set.
    """
    here = area()
    categories = {category.slug for category in queries.categories_seen(here.id, reader())}
    audiences = {audience.slug for audience in queries.audiences(here.id)}
    query, problem = request.args.to_dict(flat=False), None
    while True:
        try:
            filters = read_filters(query, categories=categories, audiences=audiences, areas={here.slug})
        except Refused as refused:
            problem, name = problem or refused, refused.field or ""
            known = {"category": categories, "audience": audiences}.get(name, set())
            query = {**query, name: [value for value in query[name] if value.strip() in known]}
        else:
            return filters, problem, {key: values for key, values in query.items() if values and key != "page"}


def _page_address(page: int) -> str:
    return _list_address({**request.args.to_dict(flat=False), "page": [str(page)]})


def _list_address(values: dict[str, list[str]]) -> str:
    query = urlencode(values, doseq=True)
    return url_for("calendar.events") + (f"?{query}" if query else "")


def _names(chosen_from: Sequence[Category | Audience]) -> Names:
    return {one.slug: one.name for one in chosen_from}


def _applied(filters: Filters, kinds: Names, audiences: Names) -> list[tuple[str, str]]:
    """Return the filters that are set, each in words with the address without it."""
    applied = [(kinds[slug], _without("category", slug)) for slug in filters.categories]
    applied += [(audiences[slug], _without("audience", slug)) for slug in filters.audiences]
    if filters.words:
        applied.append((f"“{' '.join(filters.words)}”", _without("q")))
    if filters.first:
        applied.append((f"from {filters.first:%-d.%-m.%Y}", _without("from")))
    if filters.last:
        applied.append((f"to {filters.last:%-d.%-m.%Y}", _without("to")))
    if filters.past:
        applied.append(("Past events", _without("when")))
    if filters.only_free:
        applied.append(("With places left", _without("free")))
    return applied


def _feed_page(filters: Filters) -> str:
    """Return the page of the feed with the same filters; nothing where none of them chooses what everybody sees."""
    chosen: dict[str, Any] = filters.query
    known = {category.slug for category in queries.categories_seen(area().id, ANYBODY)} if filters.categories else ()
    return url_for("feeds.chosen", **chosen) if chosen and set(filters.categories) <= set(known) else ""


def _without(name: str, value: str | None = None) -> str:
    left = {
        key: [one for one in values if key != name or (value is not None and one != value)]
        for key, values in request.args.lists()
    }
    return _list_address({key: values for key, values in left.items() if values and key != "page"})


@bp.get("/events/<int:event_id>/")
@bp.get("/events/<int:event_id>-<slug>/")
@public
def event(event_id: int, slug: str | None = None) -> ResponseReturnValue:
    """Show an event; the address without its words, or with old ones, leads to the right one."""
    here, who = area(), reader()
    found = queries.find_event(event_id, here.id, who)
    if found is None:
        return unseen(event_id)
    if slug != found.slug:
        return redirect(found.path, 301)
    waiting = _waiting([found]).get(found.id, 0)
    others = queries.other_dates(found, who)
    return render_template(
        "calendar/event.html",
        event=found,
        description=as_html(found.description),
        place=place_in_words(found),
        state=bookings_policy.booking_state(found, at=now(), waiting=waiting),
        closes_at=bookings_policy.closes_at(found),
        rules=rules_in_words.for_bookers(found, at=now()),
        is_over=found.ends_at <= now(),
        ask=deadlines_queries.find_ask(found.id) if found.kind is Kind.DEADLINE else None,
        waiting=waiting,
        answer=side(found, at=now()),
        others=others if len(others) > 1 else [],
        closes_for=what_it_is_for(found, who),
        closing_dates=queries.closing_dates_for(found, who) if found.kind is Kind.SESSION else (),
        sides={other.id: side(other, at=now()) for other in others},
        may_manage=who.organiser,
    )


def _waiting(events: Sequence[Event]) -> dict[int, int]:
    full = [event.id for event in events if event.takes_bookings]
    return bookings_queries.waiting_counts(full) if full else {}
