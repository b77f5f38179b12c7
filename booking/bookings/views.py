"""Book, and see what became of it: for everyone, with or without an account."""

from collections.abc import Sequence

from flask import (
    Blueprint,
    abort,
    flash,
    g,
    get_flashed_messages,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from booking.bookings import actions, history, policy, queries, rules_in_words, standing
from booking.bookings.forms import TOGETHER, BookingForm
from booking.bookings.models import Booking, Place, PlaceStatus
from booking.calendar import queries as calendar_queries
from booking.calendar.models import Audience, Event, Promotion, WhoMayBook
from booking.calendar.readers import reader, unseen
from booking.calendar.when import place_in_words
from booking.core.addresses import absolute
from booking.core.clock import now, today
from booking.core.errors import Refused
from booking.core.tokens import link_token
from booking.core.web import limiter
from booking.deadlines import queries as deadlines_queries
from booking.deadlines.policy import is_soon
from booking.directory import queries as directory_queries
from booking.directory.guards import area, by_link, public, signed_in, the_person, visitor
from booking.directory.models import SchoolContact
from booking.invitations import queries as invitations_queries
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
    known = _known(event)
    schools = directory_queries.schools_to_choose(area())
    return BookingForm(
        data=known,
        schools=schools,
        colleagues=event.places_per_booking - 1,
        names_only=event.private,
        audiences=_audiences_to_ask(event),
    )


def _known(event: Event) -> dict[str, str]:
    """Return what the form need not ask: of whom the invitation is for, else of who is signed in."""
    contact, who = _invited_contact(event), visitor().person
    if contact is not None:
        return {"name": contact.name, "email": contact.email, "school": str(contact.school_id)}
    return {"name": who.name, "email": who.email, "school": str(who.school_id or "")} if who else {}


def _audiences_to_ask(event: Event) -> Sequence[Audience]:
    return event.audiences if event.who_may_book is WhoMayBook.AUDIENCE else ()


def _is_invited(event: Event) -> bool:
    """Tell whether the address carries the event's own link, or that of somebody invited."""
    return queries.is_invited(event, request.args.get("invitation", "")) or _invited_contact(event) is not None


def _invited_contact(event: Event) -> SchoolContact | None:
    """Return whose invitation the address of the page under way carries; read once for each page."""
    if "invited_contact" not in g:
        g.invited_contact = invitations_queries.contact_invited(event, request.args.get("invitation", ""))
    found: SchoolContact | None = g.invited_contact
    return found


def _book(event: Event, form: BookingForm) -> ResponseReturnValue:
    try:
        booking = actions.book(
            event,
            by=form.contact(),
            places=form.new_places(),
            together=form.fit.data == TOGETHER,
            form_key=form.form_key.data or "",
            needs=form.needs.data,
            invited=_is_invited(event),
            unlisted=form.unlisted.data,
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
    form.ask_what_they_are(_audiences_to_ask(event))  # the rule may have come after the form was read
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
        rules=rules_in_words.for_bookers(event, at=now(), invited=_is_invited(event)),
        invitation={"invitation": request.args["invitation"]} if _is_invited(event) else {},
        outcome=outcome,
        sentence=sentence,
    )


def _state(event: Event) -> policy.BookingState:
    return policy.booking_state(event, at=now(), invited=_is_invited(event))


@bp.get("/bookings/<token>/")
@by_link
def booking(token: str) -> ResponseReturnValue:
    """Show a booking to who made it: all its places, and what may be done with them."""
    found, at = booking_behind(token), now()
    event = found.event
    just_now = get_flashed_messages(category_filter=["outcome"])
    return render_template(
        "bookings/booking.html",
        booking=found,
        event=event,
        headline=standing.of_booking(found),
        places=standing.current(found.places),
        passed_on=standing.passed_on(found.places, history.successors_of(found.places)),
        booking_token=lambda one: link_token(queries.BOOKING_LINK, one.key),
        place=place_in_words(event),
        token=token,
        outcome=just_now[-1] if just_now else _outcome(found),
        can_cancel=policy.can_cancel(event, at=at),
        changes_until=policy.changes_until(event),
        why_no_change=policy.why_no_change(event, at=at),
        why_never=_why_never(found),
        offers=event.promotion is Promotion.OFFER,
        as_it_stands=policy.as_it_stands,
        ahead={} if event.is_cancelled else queries.places_in_queue(found.places),
        reminded_on=reminder_queries.days_to_come(event, at=at),
        changes=history.changes_of([found.id]),
    )


def _outcome(booking: Booking) -> PlaceStatus:
    """Return what has become of a booking: of its places, without those that went to somebody else or elsewhere."""
    places = standing.current(booking.places) or booking.places
    return policy.least_good([policy.as_it_stands(booking.event, place) for place in places])


def _why_never(booking: Booking) -> str:
    """Return why a group that waits together can never come as things are, in a sentence; nothing where it can."""
    waiting = [place for place in booking.places if place.status is PlaceStatus.WAITING]
    if not booking.together or not waiting or booking.event.is_cancelled:
        return ""
    from_school = waiting[0].school_id is not None
    return policy.why_never(booking.event, from_school=from_school, number=len(waiting), at=now())


@bp.get("/places/<token>/")
@by_link
def place(token: str) -> ResponseReturnValue:
    """Show one attendee their own place, and nobody else's."""
    found, at = place_behind(token), now()
    event = found.event
    just_now = get_flashed_messages(category_filter=["outcome"])
    status, successor = policy.as_it_stands(event, found), history.successors_of([found]).get(found.id)
    return render_template(
        "bookings/place.html",
        place=found,
        event=event,
        headline=standing.of_place(found, successor),
        after=standing.after_place(found, successor),
        where=place_in_words(event),
        token=token,
        outcome=just_now[-1] if just_now else status,
        status=status,
        can_cancel=policy.can_cancel(event, at=at),
        changes_until=policy.changes_until(event),
        why_no_change=policy.why_no_change(event, at=at),
        ahead={} if event.is_cancelled else queries.places_in_queue([found]),
        reminded_on=reminder_queries.days_to_come(event, at=at),
    )


@bp.get("/my/")
@signed_in
def my() -> ResponseReturnValue:
    """Show a signed-in person what they booked, what others booked for them, and their own feed."""
    person = the_person()
    made = [one for one in queries.bookings_of(person.email) if standing.current(one.places)]
    given = [one for one in queries.places_booked_for(person.email) if one.became_id is None]
    coming = [one for one in made if one.event.ends_at > now()]
    to_come = [one for one in given if one.event.day >= today()]
    owed = deadlines_queries.owed_by_schools_of(person.email)
    return render_template(
        "bookings/my.html",
        person=person,
        named_by=directory_queries.schools_naming(person.email, area().id),
        owed=owed,
        owed_soon=[one for one in owed if is_soon(one.event.day, today())],
        name_schools=len({one.school_id for one in owed}) > 1,
        return_token=lambda one: link_token(deadlines_queries.RETURN_LINK, one.key),
        coming=coming,
        past=[one for one in made if one.event.ends_at <= now()],
        given=to_come,
        offered=_offers(coming),
        offered_to_me=[one for one in to_come if _is_offered(one) and not one.event.is_cancelled],
        current=standing.current,
        as_it_stands=policy.as_it_stands,
        booking_token=lambda one: link_token(queries.BOOKING_LINK, one.key),
        place_token=lambda one: link_token(queries.PLACE_LINK, one.key),
        feed_url=absolute("feeds.my", token=link_token("feed", person.feed_key)),
    )


def _offers(bookings: list[Booking]) -> list[tuple[Booking, list[Place]]]:
    """Return the bookings with places that are offered, and these places."""
    offers = [(one, [place for place in one.places if _is_offered(place)]) for one in bookings]
    return [(one, places) for one, places in offers if places and not one.event.is_cancelled]


def _is_offered(place: Place) -> bool:
    return place.status is PlaceStatus.OFFERED


def booking_behind(token: str) -> Booking:
    """Return the booking whose link this is; 404 where there is none."""
    return queries.find_booking(token) or abort(404)


def place_behind(token: str) -> Place:
    """Return the place whose link this is; 404 where there is none."""
    return queries.find_place(token) or abort(404)
