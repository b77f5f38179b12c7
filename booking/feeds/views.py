"""Addresses that calendars subscribe to, single events as files, and how to subscribe."""

from urllib.parse import quote, urlencode

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from booking.calendar import ical
from booking.calendar import queries as calendar_queries
from booking.calendar.entry import entry_of
from booking.calendar.filters import Filters
from booking.calendar.palette import PALETTE, Colour
from booking.calendar.policy import ANYBODY
from booking.calendar.readers import reader
from booking.core.addresses import absolute, under_base
from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.guards import area, public
from booking.feeds import queries
from booking.feeds.cache import Feed, feeds
from booking.feeds.files import ASKED_AGAIN, FOR_EVERYBODY, answer_with, written

bp = Blueprint("feeds", __name__)

FILTERS = {"category", "audience", "area", "q", "from", "to"}


@bp.app_template_global()
def calendar_ways(address: str) -> list[tuple[str, str]]:
    """Return the addresses that open a subscription in the usual calendars."""
    webcal = "webcal://" + address.split("://", 1)[1]
    return [
        ("Outlook", f"https://outlook.office.com/calendar/0/addfromweb?url={quote(address, safe='')}"),
        ("Google", f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}"),
        ("Apple, or another programme", webcal),
    ]


@bp.app_template_global()
def feed_address(slug: str) -> str:
    """Return the whole address of the feed of a kind."""
    return absolute("feeds.category", slug=slug)


@bp.get("/feeds/calendar.ics")
@public
def calendar() -> ResponseReturnValue:
    """Give all public events; the filters of the list may stand in the query."""
    return answer_with(_public_feed(area().name, request.args.to_dict(flat=False)), FOR_EVERYBODY)


@bp.get("/feeds/<slug>.ics")
@public
def category(slug: str) -> ResponseReturnValue:
    """Give the public events of one category."""
    here = area()
    found = queries.find_public_category(here.id, slug) or abort(404)
    name, colour = f"{found.name} – {here.short_name}", PALETTE[found.colour]
    return answer_with(_public_feed(name, {"category": [slug]}, colour), FOR_EVERYBODY)


def chosen_of(query: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return what of a query chooses events of a feed: words that mean nothing here make no copies."""
    said = {name: [value for value in values if value.strip()] for name, values in sorted(query.items())}
    return {name: values for name, values in said.items() if name in FILTERS and values}


def read_chosen(chosen: dict[str, list[str]]) -> Filters:
    """Return the filters of a feed. Raises Refused with a sentence that names what it cannot read."""
    here, filters = area(), Filters()
    if chosen:
        filters = calendar_queries.filters_of(chosen, here, ANYBODY)
    return queries.lasting(filters, today=today())


def _public_feed(name: str, query: dict[str, list[str]], colour: Colour | None = None) -> Feed:
    """Return the feed of a query, finished before where nothing has changed since."""
    here, chosen = area(), chosen_of(query)
    filters = read_chosen(chosen)
    address = under_base(request.path) + (f"?{urlencode(chosen, doseq=True)}" if chosen else "")

    def make() -> Feed:
        entries = [entry_of(event) for event in queries.public_events(here.id, filters, today=today())]
        body = written(
            name,
            entries,
            source=address,
            page=absolute("calendar.events", **chosen),
            description=f"Dates of {here.name}",
            colour=colour,
        )
        return Feed(body, here.calendar_changed_at)

    # The engine tells apart databases of one process.
    return feeds.get((str(db.engine.url), here.id, here.calendar_version, name, address, filters), make)


@bp.errorhandler(Refused)
def _unreadable(refused: Refused) -> ResponseReturnValue:
    """Answer an unknown filter with a sentence, not with an empty feed that would empty a calendar."""
    return f"{refused.sentence}\n", 400, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@bp.get("/events/<int:event_id>.ics")
@public
def event(event_id: int) -> ResponseReturnValue:
    """Give one event as a file to open, to whoever may see its page."""
    found = calendar_queries.find_event(event_id, area().id, reader()) or abort(404)
    # Asked about each time: who has signed in or out since may see more or less of it.
    answer = answer_with(Feed(ical.single(entry_of(found, reader=reader())), area().calendar_changed_at), ASKED_AGAIN)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.slug}.ics"'
    return answer
