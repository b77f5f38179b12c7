"""Who comes, for organisers: the list, its waiting list, and files and lists to take along.

Modules beside this one add their pages to the same blueprint: acts on one place, messages.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.bookings import actions, limits, policy, promotions, queries, sheet
from booking.bookings.models import TAKES_A_PLACE, Place, PlaceStatus
from booking.calendar import queries as calendar_queries
from booking.calendar.models import Event
from booking.calendar.readers import reader
from booking.calendar.when import place_in_words
from booking.core import audit
from booking.core.clock import now, today
from booking.core.text import and_list, name_key
from booking.core.web import row_number
from booking.directory.guards import area, organisers, team, the_organiser, visitor

bp = Blueprint("bookings_manage", __name__, url_prefix="/manage/events/<int:event_id>/places")
IN_ORDER = {PlaceStatus.CONFIRMED: 0, PlaceStatus.OFFERED: 1, PlaceStatus.WAITING: 2, PlaceStatus.CANCELLED: 4}


@bp.get("/")
@organisers
def places(event_id: int) -> ResponseReturnValue:
    """Show who comes and who waits, in their order; that it was opened is written down."""
    event = the_event(event_id)
    write_down("opened the list of", event)  # first: a transaction that writes forgets what was read before it
    found = queries.places_at(event)
    chosen = _Chosen.of_the_address()
    shown = chosen.from_all(found)
    return render_template(
        "organiser/places.html",
        event=event,
        places=shown,
        unlisted=sum(place.unlisted for place in shown),
        all_of_them=len(found),
        chosen=chosen,
        schools=schools_among(found),
        can_add=can_add(event),
        why=promotions.say_why_waiting(event) if policy.is_to_come(event, at=now()) else {},
        going_on=_going_on(event),
        **_counts(event, found),
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Which places the address asks for."""

    words: str
    status: str
    school_id: int | None

    @classmethod
    def of_the_address(cls) -> "_Chosen":
        return cls(
            request.args.get("q", "")[:100],
            request.args.get("status", ""),
            request.args.get("school", None, type=row_number),
        )

    def __bool__(self) -> bool:
        return bool(self.words or self.status or self.school_id)

    def from_all(self, found: Sequence[Place]) -> list[Place]:
        """Return the places asked for: confirmed by school and name, who has an offer, who waits, who cancelled."""
        words = name_key(self.words).split() if self.words else []
        chosen = [place for place in found if not self.status or place.status == self.status]
        chosen = [place for place in chosen if not self.school_id or place.school_id == self.school_id]
        return sorted((place for place in chosen if all(word in _words(place) for word in words)), key=_order)


def _words(place: Place) -> str:
    school = place.school.name if place.school else ""
    return name_key(f"{place.name} {place.email or ''} {school} {place.booking.name} {place.booking.reference}")


def _order(place: Place) -> tuple[int, int, str, str]:
    number = place.position if place.status in {PlaceStatus.WAITING, PlaceStatus.OFFERED} else 0
    school = place.school.name if place.school else ""
    return IN_ORDER.get(place.status, 3), number or 0, school, name_key(place.name)


def schools_among(found: Sequence[Place]) -> list[tuple[int, str]]:
    """Return the schools that these places are of, by name."""
    return sorted({(p.school.id, p.school.name) for p in found if p.school}, key=lambda school: school[1])


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


def _counts(event: Event, found: Sequence[Place]) -> dict[str, Any]:
    active = [place for place in found if place.status is not PlaceStatus.CANCELLED]
    waiting = [place for place in active if place.status is PlaceStatus.WAITING]
    entries = Counter(place.booking_id for place in waiting)
    return {
        "confirmed": sum(place.status is PlaceStatus.CONFIRMED for place in active),
        "offered": sum(place.status is PlaceStatus.OFFERED for place in active),
        "waiting": len(waiting),
        "groups": {booking_id: count for booking_id, count in entries.items() if count > 1},
        "number_of_schools": len({place.school_id for place in active if place.school_id}),
        "needs": len({place.booking_id for place in active if place.booking.needs}),
        "per_school": _per_school(event, active),
    }


def _per_school(event: Event, active: Sequence[Place]) -> list[SchoolLine]:
    """Return what each school has of its places; nothing where these are not limited."""
    if not limits.limits_schools(event, at=now()):
        return []
    most: Mapping[int, int] = {row.school_id: row.most for row in limits.schools_counted(event)}
    taken = Counter(place.school_id for place in active if place.status in TAKES_A_PLACE)
    waiting = Counter(place.school_id for place in active if place.status is PlaceStatus.WAITING)
    return [
        SchoolLine(name, taken[school_id], most.get(school_id, event.per_school or 0), waiting[school_id])
        for school_id, name in schools_among(active)
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
    table = sheet.table(queries.places_at(event), like_eventbrite=request.args.get("columns") == "eventbrite")
    answer = Response(table.as_xlsx() if kind == "xlsx" else table.as_csv(), content_type=sheet.TYPES[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.day}-{event.slug}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/print")
@team
def printed(event_id: int) -> ResponseReturnValue:
    """Show a list to sign, without those who asked to be kept off. A facilitator sees it on the day itself alone."""
    event = _event_of_the_host(event_id)
    write_down("opened the list to sign of", event)
    coming = [place for place in queries.places_at(event) if place.status is PlaceStatus.CONFIRMED]
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
    if not visitor().organises(event.area_id) and not policy.is_on_that_day(event, today()):
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
