"""Change one's mind: answer an offer, hand a place on, put details right, change to another date, give back.

Who booked does it for every place of the booking; an attendee by their own link, for their own place alone. Looking
at a page changes nothing: scanners of mail follow links.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from booking.bookings import actions, changes, limits, policy, promotions, queries
from booking.bookings.change_forms import AnswerForm, AttendeeForm, BookerForm, ChangeForm, MoveForm, SwapForm
from booking.bookings.history import Stale
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.bookings.views import booking_behind, bp, place_behind
from booking.calendar.models import Event
from booking.calendar.when import place_in_words
from booking.calendar.wording import say_count, say_date, say_times
from booking.core.clock import now
from booking.core.errors import Refused
from booking.core.tokens import link_token
from booking.core.web import limiter
from booking.directory.guards import by_link

ACCEPT, DECLINE = "accept", "decline"
NO_OFFER = "There is nothing to answer: the offer has ended, or was answered before."
OFTEN = "120 per minute"


@dataclass(frozen=True, slots=True)
class Change:
    """A page that asks for a change of some places of a booking, and acts when it is sent."""

    template: str
    booking: Booking
    places: Sequence[Place]
    form: ChangeForm
    # The page to go back to: that of the booking, or of the attendee's own place.
    back: str
    own: bool
    more: dict[str, Any] = field(default_factory=dict)

    def act(self, action: Callable[[], object]) -> bool:
        """Do it, and tell whether it was done; a refusal stands on the form, and on a stale one how things are now."""
        try:
            action()
        except Stale as stale:
            self.form.refuse(stale)
            self.form.look_again(self.booking)
            return False
        except Refused as refused:
            self.form.refuse(refused)
            return False
        return True

    def show(self, *, refused: bool = False, why_not: str = "") -> ResponseReturnValue:
        """Return the page: to be filled in, to be mended, refused, or the sentence why there is nothing to do."""
        outcome = "refused" if refused or why_not else "invalid" if self.form.is_submitted() else ""
        template = "bookings/no_change.html" if why_not else self.template
        page = render_template(
            template,
            booking=self.booking,
            event=self.booking.event,
            places=self.places,
            form=self.form,
            back=self.back,
            own=self.own,
            outcome=outcome,
            sentence=self.form.sentence or why_not,
            **self.more,
        )
        return page, {"": 200, "invalid": 422, "refused": 409}[outcome]


def _why_not(event: Event, places: Sequence[Place]) -> str:
    """Return why these places cannot be changed, in a sentence; nothing where they can."""
    if not any(place.status is not PlaceStatus.CANCELLED for place in places):
        return changes.CANCELLED_BEFORE
    return policy.why_no_change(event, at=now())


def _of_booker(token: str, place_id: int | None) -> tuple[Booking, list[Place], str]:
    """Return a booking behind its link, one of its places or all, and the address of its page."""
    booking = booking_behind(token)
    places = [place for place in booking.places if place_id in (None, place.id)]
    if not places:
        abort(404)
    return booking, places, url_for("bookings.booking", token=token)


def _of_attendee(token: str) -> tuple[Booking, list[Place], str]:
    """Return an attendee's own place behind its link, its booking, and the address of its page."""
    place = place_behind(token)
    return place.booking, [place], url_for("bookings.place", token=token)


@bp.route("/bookings/<token>/accept", methods=["GET", "POST"])
@bp.route("/bookings/<token>/accept/<int:place_id>", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def accept(token: str, place_id: int | None = None) -> ResponseReturnValue:
    """Ask who booked whether they take what is offered; the press of a button accepts or declines it."""
    return _answer(*_of_booker(token, place_id), own=False)


@bp.route("/places/<token>/accept", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def accept_place(token: str) -> ResponseReturnValue:
    """Ask an attendee whether they take what is offered; the press of a button accepts or declines it."""
    return _answer(*_of_attendee(token), own=True)


def _answer(booking: Booking, places: list[Place], back: str, *, own: bool) -> ResponseReturnValue:
    form = AnswerForm(booking=booking)
    change = Change("bookings/answer.html", booking, places, form, back, own)
    mine = places[0] if own else None
    answer = request.form.get("answer", "")
    offered = [place for place in places if place.status is PlaceStatus.OFFERED]
    refused = False
    if form.validate_on_submit() and answer == ACCEPT:
        if change.act(lambda: promotions.accept(booking.event, places, seen=form.revision, own=mine)):
            flash("confirmed", "outcome")
            return redirect(back)
        refused = True
    elif form.validate_on_submit() and answer == DECLINE and offered:
        if change.act(lambda: actions.cancel(booking, places=offered, seen=form.revision, own=mine)):
            flash("cancelled", "outcome")
            return redirect(back)
        refused = True
    elif form.validate_on_submit() and answer == DECLINE and all(_is_given_back(place) for place in places):
        return redirect(back)  # pressed twice: the page says how it stands
    elif form.is_submitted() and offered:
        form.sentence = "Say whether you take it"
    still_offered = any(place.status is PlaceStatus.OFFERED for place in places)
    return change.show(refused=refused, why_not="" if still_offered else NO_OFFER)


def _is_given_back(place: Place) -> bool:
    return place.status is PlaceStatus.CANCELLED and place.became_id is None


@bp.route("/bookings/<token>/swap/<int:place_id>", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def swap(token: str, place_id: int) -> ResponseReturnValue:
    """Ask who booked for the name of a colleague who comes instead, and hand the place on."""
    return _swap(*_of_booker(token, place_id), own=False)


@bp.route("/places/<token>/swap", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def swap_place(token: str) -> ResponseReturnValue:
    """Ask an attendee for the name of a colleague who comes instead, and hand their place on."""
    return _swap(*_of_attendee(token), own=True)


def _swap(booking: Booking, places: list[Place], back: str, *, own: bool) -> ResponseReturnValue:
    place, form = places[0], SwapForm(booking=booking, names_only=booking.event.private)
    change = Change("bookings/swap.html", booking, places, form, back, own, {"place": place})
    refused = False
    if form.validate_on_submit():
        to = form.new_place()
        if change.act(lambda: changes.swap(place, to, seen=form.revision, own=own)):
            flash("saved", "outcome")
            flash(f"{to.name} comes instead." + (" There is an e-mail for them about it." if to.email else ""))
            return redirect(back)
        refused = True
    return change.show(refused=refused, why_not=_why_not(booking.event, places))


@bp.route("/bookings/<token>/edit/<int:place_id>", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def edit_attendee(token: str, place_id: int) -> ResponseReturnValue:
    """Ask who booked for the right details of an attendee, and keep them."""
    return _edit_place(*_of_booker(token, place_id), own=False)


@bp.route("/places/<token>/edit", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def edit_place(token: str) -> ResponseReturnValue:
    """Ask an attendee for their right details, and keep them."""
    return _edit_place(*_of_attendee(token), own=True)


def _edit_place(booking: Booking, places: list[Place], back: str, *, own: bool) -> ResponseReturnValue:
    place, private = places[0], booking.event.private
    known = {"name": place.name, "email": place.email or "", "unlisted": place.unlisted}
    form = AttendeeForm(data=known, booking=booking, private=private, own=own)
    change = Change("bookings/edit_place.html", booking, places, form, back, own, {"place": place})
    refused, old_email = False, place.email or ""
    if form.validate_on_submit():
        values: dict[str, Any] = {"name": form.name.data, "email": old_email if private else form.email.data or ""}
        values |= {"unlisted": form.unlisted.data} if private else {}
        if change.act(lambda: changes.edit_place(place, **values, seen=form.revision, own=own)):
            flash("saved", "outcome")
            flash("Saved.")
            return redirect(back)
        refused = True
    return change.show(refused=refused, why_not=_why_not(booking.event, places))


@bp.route("/bookings/<token>/edit", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def edit_booking(token: str) -> ResponseReturnValue:
    """Ask who booked for their right details, and keep them; another address gets another link."""
    booking, places, back = _of_booker(token, None)
    private, email = booking.event.private, booking.email
    known = {"name": booking.name, "email": email, "needs": booking.needs}
    form = BookerForm(data=known, booking=booking, private=private)
    change = Change("bookings/edit_booking.html", booking, places, form, back, own=False)
    refused = False
    if form.validate_on_submit():
        details = {"name": form.name.data, "email": email if private else form.email.data, "needs": form.needs.data}
        if change.act(lambda: changes.edit_booking(booking, **details, seen=form.revision)):
            flash("saved", "outcome")
            flash("Saved." if booking.email == email else "Saved. This page has a new address, which we mailed to you.")
            return redirect(_page_of(booking))
        refused = True
    return change.show(refused=refused, why_not=_why_not(booking.event, places))


def _page_of(booking: Booking) -> str:
    return url_for("bookings.booking", token=link_token(queries.BOOKING_LINK, booking.key))


@bp.route("/bookings/<token>/move", methods=["GET", "POST"])
@bp.route("/bookings/<token>/move/<int:place_id>", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def move(token: str, place_id: int | None = None) -> ResponseReturnValue:
    """Ask who booked for another date of the series, and change to it."""
    booking, places, back = _of_booker(token, place_id)
    known = {one.id: one for one in changes.dates_of_series(booking)}
    form = MoveForm(booking=booking, dates=_dates(booking, places), known=list(known))
    change = Change("bookings/move.html", booking, places, form, back, own=False)
    refused = False
    if form.validate_on_submit():
        to = known[int(form.to.data)]
        moved: list[Booking] = []
        if change.act(lambda: moved.append(changes.move(booking, to=to, places=places, seen=form.revision))):
            flash("Changed to this date. The calendars of all who come follow.")
            return redirect(_page_of(moved[0]))
        form.to.choices = _dates(booking, places)
        refused = True
    return change.show(refused=refused, why_not=_why_not(booking.event, places))


def _dates(booking: Booking, places: Sequence[Place]) -> list[SelectChoice]:
    number = sum(place.status is not PlaceStatus.CANCELLED for place in places)
    dates = changes.dates_to_move_to(booking, number=max(number, 1))
    return [SelectChoice(str(one.id), _date_in_words(one, booking.school_id)) for one in dates]


def _date_in_words(event: Event, school_id: int | None) -> str:
    """Return a date with how much is left; a private event shows no numbers (rule 7)."""
    left = min(limits.free(event, [school_id]).values(), default=None)
    room = "there are places" if left is None or event.private else f"{say_count(left, 'place')} left"
    when = [say_date(event.day, event.last_day), say_times(event.starts, event.ends), place_in_words(event)]
    return f"{', '.join(part for part in when if part)}: {room}"


@bp.route("/bookings/<token>/cancel", methods=["GET", "POST"])
@bp.route("/bookings/<token>/cancel/<int:place_id>", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def cancel(token: str, place_id: int | None = None) -> ResponseReturnValue:
    """Ask whether to give back one place of a booking, or all; the press gives them back."""
    return _cancel(*_of_booker(token, place_id), own=False)


@bp.route("/places/<token>/cancel", methods=["GET", "POST"])
@limiter.limit(OFTEN, methods=["POST"])
@by_link
def cancel_place(token: str) -> ResponseReturnValue:
    """Ask an attendee whether to give back their place; the press gives it back."""
    return _cancel(*_of_attendee(token), own=True)


def _cancel(booking: Booking, places: list[Place], back: str, *, own: bool) -> ResponseReturnValue:
    form = AnswerForm(booking=booking)
    change = Change("bookings/cancel.html", booking, places, form, back, own)
    mine, refused = places[0] if own else None, False
    if form.validate_on_submit():
        if change.act(lambda: actions.cancel(booking, places=places, seen=form.revision, own=mine)):
            flash("cancelled", "outcome")
            return redirect(back)
        refused = True
    active = [place for place in places if place.status is not PlaceStatus.CANCELLED]
    is_over = not active and not booking.event.is_cancelled  # the page says that there is nothing to cancel
    why_not = "" if is_over else policy.why_no_cancel(booking.event, active, at=now())
    return change.show(refused=refused, why_not=why_not)
