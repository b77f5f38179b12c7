"""Who comes, for organisers: the list, its waiting list, and files and lists to take along.

Modules beside this one add their pages to the same blueprint: acts on one place, messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from booking.bookings import actions, limits, lists, policy, promotions, queries, sheet
from booking.bookings.models import Place, PlaceStatus
from booking.calendar import queries as calendar_queries
from booking.calendar.models import Event
from booking.calendar.readers import reader
from booking.calendar.when import place_in_words
from booking.core import audit
from booking.core.clock import now, today
from booking.core.slices import Spot
from booking.core.text import and_list, email_key, name_key
from booking.core.web import row_number
from booking.directory.guards import area, organisers, team, the_organiser, visitor

bp = Blueprint("bookings_manage", __name__, url_prefix="/manage/events/<int:event_id>/places")


@bp.get("/")
@organisers
def places(event_id: int) -> ResponseReturnValue:
    """Show who comes and who waits, in their order; that it was opened is written down."""
    event = the_event(event_id)
    write_down("opened the list of", event)  # first: a transaction that writes forgets what was read before it
    chosen = _chosen()
    found = lists.page_of_places(event, chosen, at=Spot.of_the_address())
    waiting = {place.booking_id for place in found.rows if place.status is PlaceStatus.WAITING}
    is_to_come = policy.is_to_come(event, at=now())
    return render_template(
        "organiser/places.html",
        event=event,
        found=found,
        tally=lists.tally(event),
        unlisted=sum(place.unlisted for place in found.rows),
        chosen=chosen,
        schools=lists.schools_at(event),
        can_add=can_add(event),
        groups=lists.waiting_together(waiting) if waiting else {},
        why=promotions.say_why_waiting(event, booking_ids=waiting) if waiting and is_to_come else {},
        going_on=_going_on(event),
        per_school=_per_school(event),
    )


def _chosen() -> lists.Chosen:
    """Return which places the address asks for."""
    words, status = request.args.get("q", "")[:100], request.args.get("status", "")
    return lists.Chosen(words, status, request.args.get("school", None, type=row_number))


def can_add(event: Event) -> bool:
    """Tell whether an organiser may book for somebody."""
    return policy.booking_state(event, at=now()).code in {"open", "full", *actions.FOR_ORGANISERS}


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """How many places a school has, may have, and waits for."""

    name: str
    taken: int
    most: int
    waiting: int


def _per_school(event: Event) -> list[SchoolLine]:
    """Return what each school has of its places; nothing where these are not limited."""
    if not limits.limits_schools(event, at=now()):
        return []
    most: Mapping[int, int] = {row.school_id: row.most for row in limits.schools_counted(event)}
    return [
        SchoolLine(name, taken, most.get(school_id, event.per_school or 0), waiting)
        for school_id, name, taken, waiting in lists.taken_and_waiting(event)
    ]


def is_limited(event: Event) -> bool:
    """Tell whether anybody may have to wait here."""
    return event.capacity is not None or event.per_school is not None


def _going_on(event: Event) -> str:
    """Return how free places go on: `alone`, `paused`, or `by hand`; nothing where nobody has to wait."""
    if not is_limited(event) or not policy.is_to_come(event, at=now()):
        return ""
    if event.promotion_paused:
        return "paused"
    return "alone" if promotions.is_on(event) else "by hand"


@bp.post("/pause")
@organisers
def pause(event_id: int) -> ResponseReturnValue:
    """Stop free places from going on by themselves, or let them go on again."""
    event = the_event(event_id)
    paused = request.form.get("paused") == "y"
    given = promotions.pause(event, by=the_organiser(), paused=paused)
    if paused:
        sentence = "The waiting list is paused: you decide who is let in."
    elif given:
        sentence = f"The waiting list goes on. {and_list(place.name for place in given)} told by e-mail."
    else:
        sentence = "The waiting list goes on."
    return back_to_the_list(event, sentence)


@bp.get("/export.<any(xlsx, csv):kind>")
@organisers
def export(event_id: int, kind: str) -> ResponseReturnValue:
    """Give who comes as a file; that it was taken is written down. `?columns=eventbrite` names columns as there."""
    event = the_event(event_id)
    write_down(f"downloaded (.{kind}) the list of", event)
    table = sheet.table(lists.each_place(event), like_eventbrite=request.args.get("columns") == "eventbrite")
    content = table.as_xlsx() if kind == "xlsx" else stream_with_context(table.as_csv())
    answer = Response(content, content_type=sheet.TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.day}-{event.slug}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/print")
@team
def printed(event_id: int) -> ResponseReturnValue:
    """Show a list to sign, without those who asked to be kept off. Its hosts see it on the day itself alone."""
    event = _event_of_the_host(event_id)
    write_down("opened the list to sign of", event)
    coming = [place for place in lists.each_place(event) if place.status is PlaceStatus.CONFIRMED]
    return render_template(
        "organiser/print_places.html",
        event=event,
        place=place_in_words(event),
        places=sorted((place for place in coming if not place.unlisted), key=lambda place: name_key(place.name)),
        unlisted=sum(place.unlisted for place in coming),
        may_manage=visitor().organises(event.area_id),
    )


def _event_of_the_host(event_id: int) -> Event:
    event = the_event(event_id)
    who = visitor()
    if who.organises(event.area_id):
        return event
    is_host = who.person is not None and who.person.email in {email_key(host.email) for host in event.hosts}
    if not (is_host and policy.is_on_that_day(event, today())):
        abort(403)
    return event


def write_down(action: str, event: Event, **detail: Any) -> None:
    """Note in the log that the visitor opened or took data of an event's people."""
    audit.record_opened(action, "event", event.id, by=visitor().person, area_id=event.area_id, **detail)


def the_event(event_id: int) -> Event:
    """Return the event of the page under way, if it is of the visitor's area; 404 otherwise."""
    return calendar_queries.find_event(event_id, area().id, reader()) or abort(404)


def the_place(event: Event, place_id: int) -> Place:
    """Return a place of the event; 404 where it has none of this number."""
    return queries.place_at(event, place_id) or abort(404)


def back_to_the_list(event: Event, sentence: str, *, outcome: str = "saved") -> ResponseReturnValue:
    """Say what became of it on the list."""
    flash(sentence)
    flash(outcome, "outcome")
    return redirect(url_for("bookings_manage.places", event_id=event.id))
