"""Addresses that calendars subscribe to, single events as files, and how to subscribe."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from booking.bookings.models import PlaceStatus
from booking.calendar import ical
from booking.calendar import queries as calendar_queries
from booking.calendar.entry import entry_of
from booking.calendar.filters import Filters, read_filters
from booking.calendar.ical import CalendarEntry
from booking.calendar.policy import ANYBODY
from booking.calendar.readers import reader
from booking.core.addresses import absolute, under_base
from booking.core.clock import now, today
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.guards import area, by_link, public
from booking.feeds import queries
from booking.feeds.cache import Feed, blocks, encoding_for, feeds

bp = Blueprint("feeds", __name__)

FOR_EVERYBODY = "public, max-age=300"
FOR_ONE = "private, max-age=300"
SECOND = timedelta(seconds=1)
FILTERS = {"category", "audience", "area", "q", "from", "to"}


@bp.get("/feeds/")
@public
def subscribe() -> ResponseReturnValue:
    """Show how to subscribe, with the address of every feed."""
    here = area()
    lines = [("calendar", "All dates", absolute("feeds.calendar"))]
    for category in queries.public_categories(here.id):
        lines.append((category.slug, category.name, absolute("feeds.category", slug=category.slug)))
    return render_template(
        "feeds/subscribe.html", lines=[(slug, name, address, _ways(address)) for slug, name, address in lines]
    )


def _ways(address: str) -> list[tuple[str, str]]:
    """Return the addresses that open a subscription in the usual calendars."""
    webcal = "webcal://" + address.split("://", 1)[1]
    return [
        ("Outlook", f"https://outlook.office.com/calendar/0/addfromweb?url={quote(address, safe='')}"),
        ("Google", f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}"),
        ("Apple, or another programme", webcal),
    ]


@bp.get("/feeds/calendar.ics")
@public
def calendar() -> ResponseReturnValue:
    """Give all public events; the filters of the list may stand in the query."""
    return _answer(_public_feed(area().name, request.args.to_dict(flat=False)), FOR_EVERYBODY)


@bp.get("/feeds/<slug>.ics")
@public
def category(slug: str) -> ResponseReturnValue:
    """Give the public events of one category."""
    here = area()
    found = queries.find_public_category(here.id, slug) or abort(404)
    return _answer(_public_feed(f"{found.name} – {here.short_name}", {"category": [slug]}), FOR_EVERYBODY)


def _public_feed(name: str, query: dict[str, list[str]]) -> Feed:
    """Return the feed of a query, finished before where nothing has changed since.

    Words of the query that mean nothing here make no copies.
    """
    here, filters = area(), Filters()
    chosen = {name: values for name, values in sorted(query.items()) if name in FILTERS}
    if chosen:
        filters = read_filters(
            chosen,
            categories={category.slug for category in calendar_queries.categories_seen(here.id, ANYBODY)},
            audiences={audience.slug for audience in calendar_queries.audiences(here.id)},
            areas={here.slug},
        )
    filters = queries.lasting(filters, today=today())
    address = under_base(request.path) + (f"?{urlencode(chosen, doseq=True)}" if chosen else "")

    def make() -> Feed:
        entries = [entry_of(event) for event in queries.public_events(here.id, filters, today=today())]
        return _feed(name, address, entries, changed_at=here.calendar_changed_at)

    # The engine tells apart databases of one process.
    return feeds.get((str(db.engine.url), here.id, here.calendar_version, name, address, filters), make)


@bp.errorhandler(Refused)
def _unreadable(refused: Refused) -> ResponseReturnValue:
    """Answer an unknown filter with a sentence, not with an empty feed that would empty a calendar."""
    return f"{refused.sentence}\n", 400, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@bp.get("/feeds/my/<token>.ics")
@by_link
def my(token: str) -> ResponseReturnValue:
    """Give somebody's own places (waiting ones as tentative), and the closing dates for their school."""
    person = queries.find_subscriber(token) or abort(404)
    entries, seen = [], set()
    for place in sorted(queries.places_of(person.email, today=today()), key=lambda one: one.status != "confirmed"):
        if place.event_id not in seen:
            seen.add(place.event_id)
            status = "CONFIRMED" if place.status is PlaceStatus.CONFIRMED else "TENTATIVE"
            entries.append(entry_of(place.event, own=True, status=status))
    if person.school_id:
        entries += [entry_of(event) for event in queries.closing_dates(area().id, today=today())]
    # Its address is a secret, so it does not stand in it.
    feed = _feed(f"My bookings – {area().short_name}", "", entries)
    return _answer(feed, FOR_ONE)


@bp.get("/events/<int:event_id>.ics")
@public
def event(event_id: int) -> ResponseReturnValue:
    """Give one event as a file to open, to whoever may see its page."""
    found = calendar_queries.find_event(event_id, area().id, reader()) or abort(404)
    answer = _answer(Feed(ical.single(entry_of(found)), area().calendar_changed_at), FOR_ONE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.slug}.ics"'
    return answer


def _feed(name: str, address: str, entries: Iterable[CalendarEntry], changed_at: datetime | None = None) -> Feed:
    finished = [blocks.get(entry, lambda entry=entry: ical.vevent(entry)) for entry in entries]  # type: ignore[misc]
    body = ical.feed(name, finished, source=address, description=f"Dates of {area().name}")
    return Feed(body, changed_at)


def _answer(feed: Feed, caching: str) -> Response:
    """Answer with the feed or 304. Already compressed here, so that the ETag stays what it is; no cookie."""
    encoding = encoding_for(request.headers.get("Accept-Encoding", ""))
    answer = make_response(feed.encoded(encoding))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Cache-Control"] = caching
    answer.headers["Vary"] = "Accept-Encoding"
    if encoding:
        answer.headers["Content-Encoding"] = encoding
    answer.set_etag(f"{feed.etag}-{encoding}" if encoding else feed.etag)
    answer.last_modified = feed.changed_at
    answer.make_conditional(request)
    # Dates count whole seconds: what is given out within the second of a change must not pass for what comes after it.
    if feed.changed_at and now() - feed.changed_at <= SECOND:
        answer.last_modified = feed.changed_at - SECOND
    return answer
