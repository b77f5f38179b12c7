"""Acts of organisers on one place or booking: add, change, hand on, move, cancel, let in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.bookings import actions, changes, history, limits, promotions, queries
from booking.bookings.attendees import NewPlace, request_key
from booking.bookings.forms import TOGETHER
from booking.bookings.manage import back_to_the_list, bp, is_limited, the_event, the_place, write_down
from booking.bookings.manage_forms import AddForm, BeyondForm, BookerForm, MoveForm, PlaceForm, SeenForm, SwapForm
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.bookings.waiting import entries
from booking.calendar.models import Event
from booking.calendar.wording import say_count, say_date, say_day, say_times
from booking.core import audit
from booking.core.db import atomic, db, lock
from booking.core.errors import Refused, refuse_unless
from booking.core.forms import Form
from booking.core.text import and_list, email_key, name_key, one_line
from booking.core.web import row_number
from booking.directory import queries as directory_queries
from booking.directory.guards import area, organisers, the_organiser

STATUS = {"invalid": 422, "refused": 409}


def _page(template: str, event: Event, form: Form, outcome: str, **more: Any) -> ResponseReturnValue:
    return render_template(template, event=event, form=form, outcome=outcome, **more), STATUS.get(outcome, 200)


def _show_and_act(
    form: Form, act: Callable[[], ResponseReturnValue], show: Callable[[str], ResponseReturnValue], booking: Booking
) -> ResponseReturnValue:
    """Show a form, or do what was sent. Who saw an older state is told what changed, and may then go on."""
    if not form.is_submitted():
        return show("")
    if not form.validate():
        return show("invalid")
    try:
        return act()
    except Refused as refused:
        form.refuse(refused)
        if isinstance(form, SeenForm):
            form.seen.data = booking.revision
        return show("refused")


# Add


@bp.route("/add", methods=["GET", "POST"])
@organisers
def add(event_id: int) -> ResponseReturnValue:
    """Book for one or several people, also after booking has closed, and beyond the limit where it is said why."""
    event = the_event(event_id)
    form = AddForm(
        schools=directory_queries.schools_to_choose(area()),
        colleagues=event.places_per_booking - 1,
        limited=is_limited(event),
        private=event.private,
    )
    outcome = "invalid" if form.is_submitted() else ""
    if "add" in request.form:
        form.add_colleague()  # nothing typed is lost, nothing is checked yet
        outcome = ""
    elif form.validate_on_submit():
        try:
            booking = _book_for(event, form)
        except Refused as refused:
            form.refuse(refused)
            outcome = "refused"
        else:
            became = and_list(f"{place.name} is {place.status}" for place in booking.places)
            return back_to_the_list(event, f"{became}. They have an e-mail.")
    return _page("organiser/add_place.html", event, form, outcome)


@atomic
def _book_for(event: Event, form: AddForm) -> Booking:
    lock(event)
    contact, people, key = form.contact(), form.new_places(), form.form_key.data or ""
    made = queries.find_by_form(event, request_key(key, contact, people)) if key else None
    if made is not None:
        return made
    promotions.bring_up_to_date(event)
    before = _numbers(event)
    booking = actions.book(
        event,
        by=contact,
        places=people,
        together=form.fit.data == TOGETHER,
        form_key=key,
        needs=form.needs.data,
        as_organiser=True,
        unlisted=form.is_unlisted,
        beyond=form.is_beyond,
    )
    raised = {name: number - before.get(name, 0) for name, number in _numbers(event).items()}
    detail: dict[str, Any] = {name: number for name, number in raised.items() if number > 0}
    action = "booked a place at"
    if form.is_beyond:  # with or without something to raise: they may go before whoever waits
        action = "let in beyond the limit of" if detail else action
        detail = {"reason": form.reason.data, **({"raised": detail} if detail else {})}
    _audit(action, event, reference=booking.reference, **detail)
    return booking


def _numbers(event: Event) -> dict[str, int]:
    """Return what an organiser may have raised: all places, and what schools have beyond their limit."""
    extra = sum(count.extra for count in limits.schools_counted(event)) if event.per_school is not None else 0
    return {"places in all": event.capacity or 0, "places of the school": extra}


def _audit(action: str, event: Event, **detail: Any) -> None:
    audit.record(action, "event", event.id, by=the_organiser(), area_id=event.area_id, **detail)


# One place and its booking


@bp.get("/<int:place_id>/")
@organisers
def place(event_id: int, place_id: int) -> ResponseReturnValue:
    """Show one booking: who comes by it, what was done to it when and by whom, and what can be done."""
    event = the_event(event_id)
    shown = the_place(event, place_id)
    write_down("opened a booking of", event, reference=shown.booking.reference)
    shown = the_place(event, place_id)
    return render_template(
        "organiser/place.html",
        event=event,
        place=shown,
        booking=shown.booking,
        changes=history.changes_of([shown.booking_id]),
        why=_why_waiting(event, shown),
        has_dates=event.series_id is not None,
    )


def _why_waiting(event: Event, place: Place) -> promotions.WhyWaiting | None:
    if place.status is not PlaceStatus.WAITING or event.is_cancelled:
        return None
    return promotions.say_why_waiting(event, booking_ids=[place.booking_id]).get(place.id)


@bp.route("/<int:place_id>/edit", methods=["GET", "POST"])
@organisers
def edit(event_id: int, place_id: int) -> ResponseReturnValue:
    """Put an attendee's details right."""
    event = the_event(event_id)
    old = the_place(event, place_id)
    data = {"name": old.name, "email": old.email, "unlisted": old.unlisted, "seen": old.booking.revision}
    form = PlaceForm(data=data, private=event.private)

    def act() -> ResponseReturnValue:
        if _is_like(_by_now(old), form):
            return _saved(_by_now(old), "Saved.")
        new = changes.edit_place(
            old,
            name=form.name.data,
            email=form.email.data or "" if "email" in form else old.email or "",
            unlisted=form.unlisted.data if "unlisted" in form else None,
            by=the_organiser(),
            seen=form.seen.data,
        )
        return _saved(new, "Saved.")

    show = _shower("organiser/edit_place.html", event, form, old)
    return _show_and_act(form, act, show, old.booking)


def _is_like(place: Place, form: PlaceForm) -> bool:
    """Tell whether a form asks for what is so already: it was sent twice, or nothing was changed."""
    same = place.status is not PlaceStatus.CANCELLED and one_line(form.name.data) == place.name
    same = same and ("email" not in form or email_key(form.email.data or "") == (place.email or ""))
    return same and ("unlisted" not in form or bool(form.unlisted.data) == place.unlisted)


def _by_now(place: Place) -> Place:
    """Return the place that this one has become by another address or another person, at the same event."""
    while place.became_id is not None:
        successor = db.session.get(Place, place.became_id)
        if successor is None or successor.event_id != place.event_id:
            return place
        place = successor
    return place


@bp.route("/<int:place_id>/booking", methods=["GET", "POST"])
@organisers
def edit_booking(event_id: int, place_id: int) -> ResponseReturnValue:
    """Put right who booked, and what to prepare."""
    event = the_event(event_id)
    one = the_place(event, place_id)
    booking = one.booking
    form = BookerForm(
        data={"name": booking.name, "email": booking.email, "needs": booking.needs, "seen": booking.revision}
    )

    def act() -> ResponseReturnValue:
        typed = one_line(form.name.data), email_key(form.email.data), form.needs.data
        if typed != (booking.name, booking.email, booking.needs):
            changes.edit_booking(
                booking,
                name=form.name.data,
                email=form.email.data,
                needs=form.needs.data,
                by=the_organiser(),
                seen=form.seen.data,
            )
        return _saved(_by_now(one), "Saved.")

    return _show_and_act(form, act, _shower("organiser/edit_booking.html", event, form, one), booking)


@bp.route("/<int:place_id>/swap", methods=["GET", "POST"])
@organisers
def swap(event_id: int, place_id: int) -> ResponseReturnValue:
    """Hand a place to somebody else, as it is."""
    event = the_event(event_id)
    old = the_place(event, place_id)
    form = SwapForm(data={"seen": old.booking.revision}, private=event.private)

    def act() -> ResponseReturnValue:
        now_there = _by_now(old)
        asked = name_key(form.name.data), email_key(form.address)
        if now_there is old or (name_key(now_there.name), now_there.email or "") != asked:
            now_there = changes.swap(
                old, NewPlace(form.name.data, form.address), by=the_organiser(), seen=form.seen.data
            )
        return _saved(now_there, f"{now_there.name} comes instead of {old.name}. They have an e-mail.")

    return _show_and_act(form, act, _shower("organiser/swap_place.html", event, form, old), old.booking)


@bp.route("/<int:place_id>/move", methods=["GET", "POST"])
@organisers
def move(event_id: int, place_id: int) -> ResponseReturnValue:
    """Change one place, or all of the booking, to another date of the series."""
    event = the_event(event_id)
    one = the_place(event, place_id)
    booking = one.booking
    active = [place for place in booking.places if place.status is not PlaceStatus.CANCELLED]
    dates = changes.dates_to_move_to(booking, as_organiser=True)
    form = MoveForm(
        data={"seen": booking.revision},
        dates=[(date.id, _date_in_words(date)) for date in dates],
        name=one.name,
        several=len(active) if one in active else 0,
    )

    def act() -> ResponseReturnValue:
        to = _date_chosen(form, event)
        successor = db.session.get(Place, one.became_id) if one.became_id else None
        if successor is None or successor.event_id != to.id:  # else it was sent twice
            changes.move(
                booking, to=to, places=None if form.all_of_them else [one], by=the_organiser(), seen=form.seen.data
            )
        return back_to_the_list(event, f"Changed to {say_day(to.day)}. They have an e-mail.")

    show = _shower("organiser/move_place.html", event, form, one, dates=dates)
    return _show_and_act(form, act, show, booking)


def _date_in_words(event: Event) -> str:
    times = say_times(event.starts, event.ends)
    left = "no limit" if event.places_left is None else f"{say_count(event.places_left, 'place')} left"
    return ", ".join(part for part in (say_date(event.day, event.last_day), times, left) if part)


def _date_chosen(form: MoveForm, event: Event) -> Event:
    try:
        chosen = db.session.get(Event, row_number(form.to.data))
    except ValueError:
        chosen = None
    if chosen is None or chosen.area_id != event.area_id:
        raise Refused("Choose another date of the same series.", field="to")
    return chosen


@bp.route("/<int:place_id>/cancel", methods=["GET", "POST"])
@organisers
def cancel(event_id: int, place_id: int) -> ResponseReturnValue:
    """Ask, then give back somebody's place; they hear of it."""
    event = the_event(event_id)
    going = the_place(event, place_id)
    form = SeenForm(data={"seen": going.booking.revision})
    problem = ""
    if request.method == "POST":
        try:
            _cancel_for(event, going, seen=form.seen.data)
        except Refused as refused:
            problem, form.seen.data = refused.sentence, going.booking.revision
        else:
            sentence = f"{going.name}’s place is cancelled. They have an e-mail."
            return back_to_the_list(event, sentence, outcome="cancelled")
    outcome = "refused" if problem else ""
    return _page("organiser/cancel_place.html", event, form, outcome, place=going, problem=problem)


@atomic
def _cancel_for(event: Event, place: Place, *, seen: int | None) -> None:
    lock(event)
    if place.status is PlaceStatus.CANCELLED and place.became_id is None:
        return  # it was sent twice
    if actions.cancel(place.booking, places=[place], as_organiser=True, seen=seen):
        _audit("cancelled a place at", event, reference=place.booking.reference)


# The waiting list


@bp.post("/<int:place_id>/let-in")
@organisers
def let_in(event_id: int, place_id: int) -> ResponseReturnValue:
    """Let somebody in from the waiting list, out of turn: they fit."""
    event = the_event(event_id)
    waiting = the_place(event, place_id)
    given = promotions.let_in(event, waiting, by=the_organiser())
    return back_to_the_list(event, _let_in(given) if given else _is_in(waiting))


def _let_in(given: Sequence[Place]) -> str:
    return f"{and_list(one.name for one in given)} let in, and told by e-mail."


def _is_in(place: Place) -> str:
    return f"{place.name} has a place by now."


@dataclass(frozen=True, slots=True)
class Raise:
    """What has to be raised for somebody who waits: places in all, places of their school; and who comes in."""

    names: tuple[str, ...]
    in_all: int
    of_school: int

    def __str__(self) -> str:
        """Return what a page keeps of it, to see later whether it is still so."""
        return f"{len(self.names)}-{self.in_all}-{self.of_school}"


@bp.route("/<int:place_id>/beyond", methods=["GET", "POST"])
@organisers
def beyond(event_id: int, place_id: int) -> ResponseReturnValue:
    """Let somebody in who does not fit: what is raised is said before, and why is written down."""
    event = the_event(event_id)
    waiting = the_place(event, place_id)
    form = BeyondForm(data={"raises": str(_what_to_raise(event, waiting))})

    def act() -> ResponseReturnValue:
        if waiting.status is PlaceStatus.CONFIRMED:
            return back_to_the_list(event, _is_in(waiting))
        return back_to_the_list(event, _let_in(_let_in_beyond(event, waiting, form)))

    def show(outcome: str) -> ResponseReturnValue:
        raises = _what_to_raise(event, waiting)
        form.raises.data = str(raises)
        school = _count_of_school(event, waiting)
        return _page(
            "organiser/beyond_limit.html", event, form, outcome, place=waiting, raises=raises, school_has=school
        )

    return _show_and_act(form, act, show, waiting.booking)


@atomic
def _let_in_beyond(event: Event, place: Place, form: BeyondForm) -> list[Place]:
    lock(event)
    promotions.bring_up_to_date(event)
    if place.status is PlaceStatus.WAITING:
        as_shown = not form.raises.data or form.raises.data == str(_what_to_raise(event, place))
        refuse_unless(as_shown, "What has to be raised has changed since you opened the page. Look, and try again.")
    return promotions.let_in_beyond(event, place, by=the_organiser(), reason=form.reason.data)


def _what_to_raise(event: Event, place: Place) -> Raise:
    waiting = entries(queries.waiting_places(event))
    entry = next((found for found in waiting if place.id in {one.place_id for one in found}), ())
    short = promotions.missing(event, [one.limits for one in entry])
    in_all = short.get(limits.ALL_PLACES, 0)
    ids = {one.place_id for one in entry}
    names = tuple(one.name for one in place.booking.places if one.id in ids)
    return Raise(names, in_all, sum(short.values()) - in_all)


def _count_of_school(event: Event, place: Place) -> int:
    """Return how many places the school of a place may have now."""
    counts = {count.school_id: count.most for count in limits.schools_counted(event)}
    return counts.get(place.school_id or 0, event.per_school or 0)


# What they share


def _shower(template: str, event: Event, form: Form, place: Place, **more: Any) -> Callable[[str], ResponseReturnValue]:
    """Return how a page about a place is shown; that it was opened is written down."""
    if not form.is_submitted():
        write_down("opened a booking of", event, reference=place.booking.reference)

    def show(outcome: str) -> ResponseReturnValue:
        return _page(template, event, form, outcome, place=place, **more)

    return show


def _saved(place: Place, sentence: str) -> ResponseReturnValue:
    flash(sentence)
    flash("saved", "outcome")
    return redirect(url_for("bookings_manage.place", event_id=place.event_id, place_id=place.id))
