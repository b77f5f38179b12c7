"""Who comes, for organisers: the list, adding, cancelling, letting in, and files to take along."""

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.bookings import actions, policy, queries, sheet
from booking.bookings.forms import BookingForm
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar import queries as calendar_queries
from booking.calendar.models import Event
from booking.calendar.readers import reader
from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic
from booking.core.errors import Refused
from booking.core.text import name_key
from booking.directory import queries as directory_queries
from booking.directory.guards import area, organisers, visitor

bp = Blueprint("bookings_manage", __name__, url_prefix="/manage/events/<int:event_id>/places")


@bp.get("/")
@organisers
def places(event_id: int) -> ResponseReturnValue:
    """Show who comes and who waits, in their order; that it was opened is written down."""
    event = _event(event_id)
    _write_down("opened the list of", event)  # first: a transaction that writes forgets what was read before it
    found = queries.places_at(event)
    waiting = [place for place in found if place.status is PlaceStatus.WAITING]
    active = [place for place in found if place.status is not PlaceStatus.CANCELLED]
    return render_template(
        "organiser/places.html",
        event=event,
        places=_chosen(found),
        words=request.args.get("q", ""),
        status=request.args.get("status", ""),
        waiting=len(waiting),
        groups={booking_id: count for booking_id, count in Counter(p.booking_id for p in waiting).items() if count > 1},
        schools=len({place.school_id for place in active if place.school_id}),
        needs=len({place.booking_id for place in active if place.booking.needs}),
        by_hand=bool(waiting) and not actions.promotion_is_on(event),
        can_add=policy.booking_state(event, at=now()).code in {"open", "full", "closed"},
    )


def _chosen(found: Sequence[Place]) -> list[Place]:
    """Return the places that were asked for: confirmed by school and name, then who waits, then who cancelled."""
    words, status = name_key(request.args.get("q", "")[:100]), request.args.get("status", "")
    order = {PlaceStatus.CONFIRMED: 0, PlaceStatus.WAITING: 1, PlaceStatus.CANCELLED: 3}
    chosen = [place for place in found if not status or place.status == status]
    chosen = [place for place in chosen if all(word in _words(place) for word in words.split())]
    return sorted(
        chosen,
        key=lambda place: (
            order.get(place.status, 2),
            place.position if place.status is PlaceStatus.WAITING and place.position else 0,
            place.school.name if place.school else "",
            name_key(place.name),
        ),
    )


def _words(place: Place) -> str:
    school = place.school.name if place.school else ""
    return name_key(f"{place.name} {place.email or ''} {school} {place.booking.name} {place.booking.reference}")


@bp.route("/add", methods=["GET", "POST"])
@organisers
def add(event_id: int) -> ResponseReturnValue:
    """Book for somebody, also after booking has closed."""
    event = _event(event_id)
    form = BookingForm(schools=directory_queries.schools_to_choose(area()), colleagues=0)
    form.speak_of_somebody_else()
    outcome = "invalid" if form.is_submitted() else ""
    if form.validate_on_submit():
        try:
            booking = _book_for(event, form)
        except Refused as refused:
            form.refuse(refused)
            outcome = "refused"
        else:
            flash(f"{form.name.data} is {booking.places[0].status}. They have an e-mail.")
            flash("saved", "outcome")
            return redirect(url_for(".places", event_id=event.id))
    page = render_template("organiser/add_place.html", event=event, form=form, outcome=outcome)
    return page, {"invalid": 422, "refused": 409}.get(outcome, 200)


@atomic
def _book_for(event: Event, form: BookingForm) -> Booking:
    booking = actions.book(
        event,
        by=form.contact(),
        places=form.new_places(),
        form_key=form.form_key.data or "",
        needs=form.needs.data,
        as_organiser=True,
    )
    audit.record(
        "booked a place at", "event", event.id, by=visitor().person, area_id=event.area_id, reference=booking.reference
    )
    return booking


@bp.route("/<int:place_id>/cancel", methods=["GET", "POST"])
@organisers
def cancel(event_id: int, place_id: int) -> ResponseReturnValue:
    """Ask, then give back somebody's place; they hear of it."""
    event = _event(event_id)
    place = _place(event, place_id)
    if request.method == "GET":
        return render_template("organiser/cancel_place.html", event=event, place=place)
    _cancel_for(event, place)
    flash(f"{place.name}’s place is cancelled. They have an e-mail.")
    flash("cancelled", "outcome")
    return redirect(url_for(".places", event_id=event.id))


@atomic
def _cancel_for(event: Event, place: Place) -> None:
    if actions.cancel(place.booking, places=[place], as_organiser=True):
        reference = place.booking.reference
        audit.record(
            "cancelled a place at", "event", event.id, by=visitor().person, area_id=event.area_id, reference=reference
        )


@bp.post("/<int:place_id>/let-in")
@organisers
def let_in(event_id: int, place_id: int) -> ResponseReturnValue:
    """Let somebody in from the waiting list: near the day the organiser decides."""
    event = _event(event_id)
    place = _place(event, place_id)
    given = _let_in(event, place)
    flash(f"{' and '.join(one.name for one in given)} let in, and told by e-mail.")
    flash("saved", "outcome")
    return redirect(url_for(".places", event_id=event.id))


@atomic
def _let_in(event: Event, place: Place) -> list[Place]:
    given = actions.let_in(event, place)
    audit.record(
        "let in from the waiting list of",
        "event",
        event.id,
        by=visitor().person,
        area_id=event.area_id,
        places=[p.id for p in given],
    )
    return given


@bp.get("/export.<any(xlsx, csv):kind>")
@organisers
def export(event_id: int, kind: str) -> ResponseReturnValue:
    """Give who comes as a file; that it was taken is written down."""
    event = _event(event_id)
    _write_down(f"downloaded (.{kind}) the list of", event)
    rows = sheet.rows(queries.places_at(event))
    body = sheet.as_xlsx(rows) if kind == "xlsx" else sheet.as_csv(rows)
    answer = Response(body, content_type=sheet.TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.day}-{event.slug}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _write_down(action: str, event: Event) -> None:
    audit.record_opened(action, "event", event.id, by=visitor().person, area_id=event.area_id)


def _event(event_id: int) -> Event:
    return calendar_queries.find_event(event_id, area().id, reader()) or abort(404)


def _place(event: Event, place_id: int) -> Place:
    return next((place for place in queries.places_at(event) if place.id == place_id), None) or abort(404)
