"""The organisers' pages. The desk is here; modules beside this one add theirs to the same blueprint."""

from math import ceil
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from booking.bookings.queries import waiting_counts
from booking.calendar.models import Event
from booking.core.clock import today
from booking.directory.guards import area, organisers
from booking.notifications.models import MessageStatus
from booking.notifications.queries import counts
from booking.organiser import queries

bp = Blueprint("organiser", __name__, url_prefix="/manage")


@bp.get("/")
@organisers
def desk() -> ResponseReturnValue:
    """Show what waits for the team: this week, what fills, what failed, what is new."""
    here = area()
    filling = queries.filling(here.id, today())
    return render_template(
        "organiser/desk.html",
        week=queries.week(here.id, today()),
        filling=filling,
        waiting=waiting_counts([event.id for event in filling]),
        drafts=queries.count_drafts(here.id),
        failed=counts(here.id).get(MessageStatus.FAILED, 0),
        newest=queries.newest_bookings(here.id),
    )


def the_event(event_id: int) -> Event:
    """Return the event of the page under way, if it belongs to the visitor's area; 404 otherwise."""
    return queries.find_event(event_id, area().id) or abort(404)


def paging(total: int) -> dict[str, Any]:
    """Return what a page of a list shows: its number, how many there are, and the address of another."""
    pages = max(1, ceil(total / queries.PER_PAGE))
    page = min(page_asked(), pages)

    def address(number: int) -> str:
        return f"{request.path}?{urlencode({**request.args.to_dict(), 'page': number})}"

    return {"page": page, "pages": pages, "page_address": address, "total": total}


def page_asked() -> int:
    """Return the number of the page that the address asks for."""
    return min(max(request.args.get("page", 1, type=int), 1), 10_000)


def offset() -> int:
    """Return how many rows come before the page asked for."""
    return (page_asked() - 1) * queries.PER_PAGE
