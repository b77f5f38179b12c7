"""Addresses that calendars subscribe to, single events as files, and how to subscribe."""

from urllib.parse import quote

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from booking.calendar import ical
from booking.calendar import queries as calendar_queries
from booking.calendar.entry import entry_of
from booking.calendar.models import Category
from booking.calendar.palette import PALETTE
from booking.calendar.readers import reader
from booking.calendar.terms import calendars_begin
from booking.core.addresses import absolute
from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.guards import area, public
from booking.feeds import queries
from booking.feeds.age import last_changed
from booking.feeds.cache import Feed, feeds
from booking.feeds.chosen import read_choice
from booking.feeds.files import ASKED_AGAIN, FOR_EVERYBODY, answer_with, written

bp = Blueprint("feeds", __name__)


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
    return answer_with(_public_feed(), FOR_EVERYBODY)


@bp.get("/feeds/<slug>.ics")
@public
def category(slug: str) -> ResponseReturnValue:
    """Give the public events of one category; the other filters of the list may stand in the query."""
    kind = queries.find_public_category(area().id, slug) or abort(404)
    return answer_with(_public_feed(kind), FOR_EVERYBODY)


def _public_feed(kind: Category | None = None) -> Feed:
    """Return the feed that the address asks for, finished before where nothing has changed since."""
    here, day = area(), today()
    choice = read_choice(here, request.args.to_dict(flat=False), kind=kind)
    filters = queries.lasting(choice.filters, today=day)

    def make() -> Feed:
        entries = [entry_of(event) for event in queries.public_events(here.id, filters, today=day)]
        body = written(
            choice.name_in(here),
            entries,
            source=choice.address,
            page=absolute("calendar.events", **choice.filters.query),
            description=f"Dates of {here.name}",
            colour=PALETTE[kind.colour] if kind else None,
        )
        return Feed(body, last_changed(here.calendar_changed_at, day=day))

    # The engine tells apart databases of one process.
    key = (str(db.engine.url), here.id, here.calendar_version, choice.address, filters, calendars_begin(day))
    return feeds.get(key, make)


@bp.errorhandler(Refused)
def _unreadable(refused: Refused) -> ResponseReturnValue:
    """Answer an unknown filter with a sentence, not with an empty feed that would empty a calendar."""
    return f"{refused.sentence}\n", 400, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@bp.get("/events/<int:event_id>.ics")
@public
def event(event_id: int) -> ResponseReturnValue:
    """Give one event as a file to open, to whoever may see its page."""
    found = calendar_queries.find_event(event_id, area().id, reader()) or abort(404)
    changed_at = last_changed(area().calendar_changed_at, day=today())
    # Asked about each time: who has signed in or out since may see more or less of it.
    answer = answer_with(Feed(ical.single(entry_of(found, reader=reader())), changed_at), ASKED_AGAIN)
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.slug}.ics"'
    return answer
