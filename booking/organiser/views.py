"""The organisers' pages. The desk is here; modules beside this one add theirs to the same blueprint."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from booking.bookings.queries import waiting_counts
from booking.calendar.models import Event
from booking.core.clock import today
from booking.directory.guards import area, organisers
from booking.notifications.queries import count_failed
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
        failed=count_failed(here.id),
        newest=queries.newest_bookings(here.id),
    )


def the_event(event_id: int) -> Event:
    """Return the event of the page under way, if it belongs to the visitor's area; 404 otherwise."""
    return queries.find_event(event_id, area().id) or abort(404)
