"""Book, see what became of it, give a place back: for everyone, with or without an account."""

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    get_flashed_messages,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from booking.bookings import actions, policy, queries
from booking.bookings.forms import TOGETHER, BookingForm
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar import queries as calendar_queries
from booking.calendar.models import Event
from booking.calendar.readers import reader, unseen
from booking.calendar.when import place_in_words
from booking.core.addresses import absolute
from booking.core.clock import now, today
from booking.core.errors import Refused
from booking.core.tokens import link_token
from booking.core.web import limiter
from booking.directory import queries as directory_queries
from booking.directory.guards import area, by_link, public, signed_in, visitor
from booking.reminders import queries as reminder_queries

bp = Blueprint("bookings", __name__)


@bp.route("/events/<int:event_id>/book", methods=["GET", "POST"])
@limiter.limit("120 per minute", methods=["POST"])
@public
def book(event_id: int) -> ResponseReturnValue:
    """Show the booking form, and book."""
    event = calendar_queries.find_event(event_id, area().id, reader())
    if event is None:
        return unseen(event_id)
    form = _form(event)
    if "add" in request.form:
        form.add_colleague()  # nothing typed is lost, nothing is checked yet
        return _page(event, form)
    if form.validate_on_submit():
        return _book(event, form)
    state = _state(event)
    if request.method == "GET" and not state.can_book:
        return _page(event, form, outcome="refused", sentence=state.sentence), 409
    return _page(event, form, outcome="invalid" if form.is_submitted() else ""), 422 if form.is_submitted() else 200


def _form(event: Event) -> BookingForm:
    who = visitor().person
    known = {"name": who.name, "email": who.email, "school": str(who.school_id or "")} if who else {}
    schools = directory_queries.schools_to_choose(area())
    return BookingForm(data=known, schools=schools, colleagues=event.places_per_booking - 1, names_only=event.private)


def _book(event: Event, form: BookingForm) -> ResponseReturnValue:
    try:
        booking = actions.book(
            event,
            by=form.contact(),
            places=form.new_places(),
            together=form.fit.data == TOGETHER,
            form_key=form.form_key.data or "",
            needs=form.needs.data,
            limited=bool(current_app.config["RATELIMIT_ENABLED"]),
        )
    except actions.AlreadyBooked as refused:
        if event.private:
            actions.answer_already_booked(event, by=form.contact(), refusal=refused)
            return _answer_by_mail(event, refused.otherwise)
        return _refused(event, form, refused)
    except Refused as refused:
        return _refused(event, form, refused)
    first = policy.first_outcome(booking.places)
    if event.private:
        return _answer_by_mail(event, first)
    if first is not _outcome(booking):
        # A form that was sent before is answered as it was then; the page says what is so by now.
        flash(first, "outcome")
        flash("You have sent this form before. This is how it stands now.")
    return redirect(url_for(".booking", token=link_token(queries.BOOKING_LINK, booking.key)))


def _answer_by_mail(event: Event, outcome: PlaceStatus) -> ResponseReturnValue:
    """Answer alike whether or not somebody was booked before: the truth goes by mail (rule 7)."""
    session["answered"] = {"event": event.id, "outcome": str(outcome)}
    return redirect(url_for(".by_mail", event_id=event.id))


@bp.get("/events/<int:event_id>/booked")
@public
def by_mail(event_id: int) -> ResponseReturnValue:
    """Say that the answer to a booking at a private event goes by mail."""
    event = calendar_queries.find_event(event_id, area().id, reader())
    answered = session.get("answered", {})
    if event is None or answered.get("event") != event_id:
        abort(404)
    return render_template(
        "bookings/by_mail.html", event=event, place=place_in_words(event), outcome=answered["outcome"]
    )


def _refused(event: Event, form: BookingForm, refused: Refused) -> ResponseReturnValue:
    form.refuse(refused)
    return _page(event, form, outcome="refused"), 409


def _page(event: Event, form: BookingForm, *, outcome: str = "", sentence: str = "") -> str:
    return render_template(
        "bookings/book.html",
        event=event,
        place=place_in_words(event),
        form=form,
        state=_state(event),
        closes_at=policy.closes_at(event),
        outcome=outcome,
        sentence=sentence,
    )


def _state(event: Event) -> policy.BookingState:
    return policy.booking_state(event, at=now())


@bp.get("/bookings/<token>/")
@by_link
def booking(token: str) -> ResponseReturnValue:
    """Show a booking to who made it: all its places, and what may be done with them."""
    found = _booking(token)
    just_now = get_flashed_messages(category_filter=["outcome"])
    return render_template(
        "bookings/booking.html",
        booking=found,
        event=found.event,
        place=place_in_words(found.event),
        token=token,
        outcome=just_now[-1] if just_now else _outcome(found),
        can_cancel=policy.can_cancel(found.event, at=now()),
        as_it_stands=policy.as_it_stands,
        ahead={} if found.event.is_cancelled else queries.places_in_queue(found.places),
        reminded_on=reminder_queries.days_to_come(found.event, at=now()),
    )


def _outcome(booking: Booking) -> PlaceStatus:
    return policy.least_good([policy.as_it_stands(booking.event, place) for place in booking.places])


@bp.route("/bookings/<token>/cancel", methods=["GET", "POST"])
@bp.route("/bookings/<token>/cancel/<int:place_id>", methods=["GET", "POST"])
@by_link
def cancel(token: str, place_id: int | None = None) -> ResponseReturnValue:
    """Ask whether to give back one place of a booking, or all; the press gives them back."""
    found = _booking(token)
    places = [place for place in found.places if place_id in (None, place.id)]
    if not places:
        abort(404)
    back = url_for(".booking", token=token)
    if request.method == "GET":
        return _ask_to_cancel(found.event, places, back)
    actions.cancel(found, places=places)
    flash("cancelled", "outcome")
    return redirect(back)


@bp.get("/places/<token>/")
@by_link
def place(token: str) -> ResponseReturnValue:
    """Show one attendee their own place, and nobody else's."""
    found = _place(token)
    return render_template(
        "bookings/place.html",
        place=found,
        event=found.event,
        where=place_in_words(found.event),
        token=token,
        outcome=policy.as_it_stands(found.event, found),
        can_cancel=policy.can_cancel(found.event, at=now()),
        ahead={} if found.event.is_cancelled else queries.places_in_queue([found]),
        reminded_on=reminder_queries.days_to_come(found.event, at=now()),
    )


@bp.route("/places/<token>/cancel", methods=["GET", "POST"])
@by_link
def cancel_place(token: str) -> ResponseReturnValue:
    """Ask an attendee whether to give back their place; the press gives it back."""
    found = _place(token)
    back = url_for(".place", token=token)
    if request.method == "GET":
        return _ask_to_cancel(found.event, [found], back)
    actions.cancel(found.booking, places=[found])
    return redirect(back)


def _ask_to_cancel(event: Event, places: list[Place], back: str) -> ResponseReturnValue:
    return render_template("bookings/cancel.html", event=event, places=places, back=back)


@bp.get("/my/")
@signed_in
def my() -> ResponseReturnValue:
    """Show a signed-in person what they booked, what others booked for them, and their own feed."""
    person = visitor().person
    assert person is not None
    made, given = queries.bookings_of(person.email), queries.places_booked_for(person.email)
    return render_template(
        "bookings/my.html",
        person=person,
        coming=[one for one in made if one.event.ends_at > now()],
        past=[one for one in made if one.event.ends_at <= now()],
        given=[one for one in given if one.event.day >= today()],
        as_it_stands=policy.as_it_stands,
        booking_token=lambda one: link_token(queries.BOOKING_LINK, one.key),
        place_token=lambda one: link_token(queries.PLACE_LINK, one.key),
        feed_address=absolute("feeds.my", token=link_token("feed", person.feed_key)),
    )


def _booking(token: str) -> Booking:
    return queries.find_booking(token) or abort(404)


def _place(token: str) -> Place:
    return queries.find_place(token) or abort(404)
