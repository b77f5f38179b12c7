"""Who reads the page under way, as far as seeing the calendar goes."""

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar import queries
from booking.calendar.models import Visibility
from booking.calendar.policy import Reader
from booking.directory.guards import area, visitor


def reader() -> Reader:
    """Return what the visitor is to the area of the page."""
    who, area_id = visitor(), area().id
    return Reader(staff=who.is_staff(area_id), in_team=who.is_in_team(area_id), organiser=who.organises(area_id))


def unseen(event_id: int) -> ResponseReturnValue:
    """Answer for an event that the visitor does not see: whoever may see it once signed in is asked to; else 404."""
    if not visitor().is_signed_in and queries.has_visibility(event_id, area().id, Visibility.STAFF):
        wanted = request.full_path if request.query_string else request.path  # an invitation stands in the query
        return redirect(url_for("directory.sign_in", next=wanted))
    return abort(404)
