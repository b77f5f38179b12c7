"""Create, edit, publish, move and cancel events."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import Length

from booking.bookings import lists, rules_in_words
from booking.bookings import queries as bookings_queries
from booking.calendar import actions as calendar_actions
from booking.calendar import queries as calendar_queries
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.forms import data_of
from booking.calendar.models import Event, Kind, Visibility, WhoMayBook
from booking.calendar.readers import reader
from booking.calendar.rules_form import EventWithRulesForm, rules_data_of
from booking.calendar.terms import is_school_day
from booking.calendar.when import place_in_words
from booking.calendar.wording import say_count, say_day
from booking.core.addresses import absolute
from booking.core.clock import now, today
from booking.core.errors import Refused
from booking.core.forms import Form, cleaned
from booking.core.slices import Spot
from booking.core.tokens import link_token
from booking.core.web import row_number
from booking.directory.guards import area, organisers, the_organiser
from booking.organiser import actions, queries
from booking.organiser.reminders import rules_that_count, say
from booking.organiser.views import bp, the_event
from booking.reminders import forecast
from booking.reminders import queries as reminder_queries

A_YEAR = timedelta(days=366)


class CancelForm(Form):
    """Asks what to tell those who booked."""

    note = StringField("What to tell them (optional)", [Length(max=300, message="Use at most 300 letters")], [cleaned])


@bp.get("/events/")
@organisers
def events() -> ResponseReturnValue:
    """List the events: to come, drafts, past, cancelled."""
    here = area()
    show = request.args.get("show", "coming")
    found = queries.list_events(
        here.id,
        today=today(),
        show=show,
        words=request.args.get("q", "")[:100],
        category_id=request.args.get("category", type=row_number),
        at=Spot.of_the_address(),
    )
    return render_template(
        "organiser/events.html",
        found=found,
        show=show,
        categories=calendar_queries.categories(here.id),
        waiting=bookings_queries.waiting_counts([event.id for event in found.rows]),
        drafts=queries.drafts_by_year(here.id) if show == "coming" else {},
    )


@bp.post("/events/publish")
@organisers
def publish_several() -> ResponseReturnValue:
    """Publish the drafts that were ticked."""
    ticked = [the_event(event_id) for event_id in sorted(set(request.form.getlist("event", type=row_number)))]
    published = actions.publish_drafts(ticked, by=the_organiser())
    flash(f"{say_count(published, 'draft')} published." if ticked else "Tick the drafts to publish first.")
    if published:
        flash("saved", "outcome")
    return redirect(url_for(".events", show="drafts"))


@bp.route("/events/new", methods=["GET", "POST"])
@organisers
def new_event() -> ResponseReturnValue:
    """Make a draft."""
    if not calendar_queries.categories(area().id):
        flash("Each event is of a kind. Make the first one, then the event.")
        return redirect(url_for(".kind"))
    form = _form(
        {
            "kind": Kind.SESSION.value,
            "visibility": Visibility.PUBLIC.value,
            "takes_bookings": True,
            "places_per_booking": 10,
        }
    )
    if form.validate_on_submit():
        try:
            event = calendar_actions.create_event(area(), form.values(), by=the_organiser())
        except Refused as refused:
            return _refused(form, refused)
        return _saved(event, "Saved as a draft. Nobody else sees it until you publish it.")
    return _show(form)


@bp.get("/events/<int:event_id>/")
@organisers
def event(event_id: int) -> ResponseReturnValue:
    """Show one event to its organisers: what it says, who comes, what may be done."""
    found = the_event(event_id)
    return render_template(
        "organiser/event.html",
        event=found,
        place=place_in_words(found),
        waiting=bookings_queries.waiting_counts([found.id]).get(found.id, 0),
        reminders=[say(rule) for rule in rules_that_count(found)],
        held=reminder_queries.is_held(found, reminder_queries.pauses()),
        booking_rules=rules_in_words.for_organisers(found),
        invitation=_invitation(found),
        closing_dates=calendar_queries.closing_dates_for(found, reader()),
        remarks=remarks(found),
    )


def _invitation(event: Event) -> str:
    """Return the whole address by which an event is booked by invitation; nothing where it is not."""
    if event.who_may_book is not WhoMayBook.INVITED or event.invitation_key is None:
        return ""
    token = link_token(bookings_queries.INVITATION_LINK, event.invitation_key)
    return absolute("bookings.book", event_id=event.id, invitation=token)


@bp.post("/events/<int:event_id>/invitation")
@organisers
def new_invitation(event_id: int) -> ResponseReturnValue:
    """Make a new link of the invitation: the old one stops."""
    found = the_event(event_id)
    calendar_actions.new_invitation(found, by=the_organiser())
    flash("There is a new link. The old one has stopped: send the new one to whoever should book.")
    flash("saved", "outcome")
    return redirect(url_for(".event", event_id=event_id))


@bp.route("/events/<int:event_id>/edit", methods=["GET", "POST"])
@organisers
def edit_event(event_id: int) -> ResponseReturnValue:
    """Change an event; who booked hears of a move."""
    found = the_event(event_id)
    form, day = _form({**data_of(found), **rules_data_of(found)}, found), found.day
    if form.validate_on_submit():
        revision = request.form.get("revision", 0, type=row_number)
        try:
            told = actions.edit_event(found, form.values(), by=the_organiser(), revision=revision)
        except Refused as refused:
            return _refused(form, refused, the_event(event_id))
        if found.day != day:
            for one in calendar_queries.closing_dates_for(found, reader()):
                flash(f"{one.title} closes on {say_day(one.day)}. Look whether that is right still.", "warning")
        return _saved(found, f"Saved. {say_count(told, 'person', 'people')} told of the move." if told else "Saved.")
    return _show(form, found)


@bp.post("/events/<int:event_id>/publish")
@organisers
def publish(event_id: int) -> ResponseReturnValue:
    """Put a draft on the calendar."""
    found = the_event(event_id)
    actions.publish_drafts([found], by=the_organiser())
    return _saved(found, "Published: it is on the calendar now.")


@bp.route("/events/<int:event_id>/cancel", methods=["GET", "POST"])
@organisers
def cancel_event(event_id: int) -> ResponseReturnValue:
    """Ask what to tell those who booked, then call the event off."""
    found, form = the_event(event_id), CancelForm()
    if form.validate_on_submit():
        told = actions.cancel_event(found, by=the_organiser(), note=form.note.data or "")
        return _saved(found, f"Cancelled. {say_count(told, 'e-mail').capitalize()} on the way.", outcome="cancelled")
    outcome = "invalid" if form.is_submitted() else ""
    bookings = lists.count_active_bookings(found)
    page = render_template(
        "organiser/cancel.html",
        event=found,
        form=form,
        bookings=bookings,
        closing_dates=calendar_queries.closing_dates_for(found, reader()),
        outcome=outcome,
    )
    return page, 422 if outcome else 200


@bp.route("/events/<int:event_id>/restore", methods=["GET", "POST"])
@organisers
def restore_event(event_id: int) -> ResponseReturnValue:
    """Say who will hear of it, then put an event back on that was called off."""
    found = the_event(event_id)
    if request.method == "POST":
        told = actions.restore_event(found, by=the_organiser())
        return _saved(found, f"It is back on. {say_count(told, 'e-mail').capitalize()} on the way.")
    if not found.is_cancelled:
        return redirect(url_for(".event", event_id=event_id))
    bookings = lists.count_active_bookings(found)
    return render_template("organiser/restore.html", event=found, bookings=bookings, is_over=found.ends_at <= now())


@bp.post("/events/<int:event_id>/delete")
@organisers
def delete_draft(event_id: int) -> ResponseReturnValue:
    """Delete a draft."""
    calendar_actions.delete_draft(the_event(event_id), by=the_organiser())
    flash("The draft is deleted.")
    flash("saved", "outcome")
    return redirect(url_for(".events", show="drafts"))


def remarks(event: Event) -> list[str]:
    """Return what is odd about an event: it may be meant, so it is said and not refused."""
    crowded = rules_in_words.say_crowded(event)
    return [
        *_remarks_on_the_day(event.area_id, event.day),
        *([crowded] if crowded else []),
        *_remarks_on_closing(event),
        *forecast.warnings(event),
    ]


def _remarks_on_closing(event: Event) -> list[str]:
    """Return what does not fit between a closing date and what it is for."""
    if event.closes_for is None:
        closing_dates, over = calendar_queries.closing_dates_for(event, reader()), event.last_day or event.day
        return [f"{one.title} closes after it, on {say_day(one.day)}." for one in closing_dates if one.day > over]
    if event.closes_for.is_cancelled and not event.is_cancelled:
        return [f"What it is for has been cancelled: {event.closes_for.title}, {say_day(event.closes_for.day)}."]
    last = event.closes_for.last_day or event.closes_for.day
    return [f"{event.closes_for.title} is before it, on {say_day(event.closes_for.day)}."] if last < event.day else []


def _remarks_on_the_day(area_id: int, day: date) -> list[str]:
    found = []
    if day < today():
        found.append(f"{say_day(day)} has passed.")
    terms = calendar_queries.terms_around(area_id, day)
    holidays = bank_holidays(day, day)
    if day in holidays:
        found.append(f"{say_day(day)} is a bank holiday: {holidays[day]}.")
    elif day.weekday() >= 5:
        found.append(f"{say_day(day)} is at a weekend.")
    elif not is_school_day(day, terms, holidays):
        found.append(f"{say_day(day)} is in the school holidays.")
    return found


def _form(data: dict[str, Any], found: Event | None = None) -> EventWithRulesForm:
    here = area()
    return EventWithRulesForm(
        data=data,
        categories=calendar_queries.categories(here.id),
        all_audiences=calendar_queries.audiences(here.id),
        sessions=_to_close_for(found),
    )


def _to_close_for(event: Event | None) -> Sequence[Event]:
    """Return what a closing date may be for: what comes within a year of it, and what was chosen before."""
    first, last = (min(event.day, today()), max(event.day, today())) if event else (today(), today() + A_YEAR)
    found = [one for one in calendar_queries.sessions_between(area().id, first, last + A_YEAR) if one is not event]
    chosen = event.closes_for if event else None
    return found if chosen is None or chosen in found else [chosen, *found]


def _show(form: EventWithRulesForm, event: Event | None = None, *, outcome: str = "") -> ResponseReturnValue:
    outcome = outcome or ("invalid" if form.is_submitted() else "")
    here = area()
    page = render_template(
        "organiser/edit.html",
        form=form,
        event=event,
        venues=calendar_queries.venues(here.id),
        all_series=calendar_queries.series(here.id),
        outcome=outcome,
    )
    return page, {"invalid": 422, "refused": 409}.get(outcome, 200)


def _refused(form: EventWithRulesForm, refused: Refused, event: Event | None = None) -> ResponseReturnValue:
    form.refuse(refused)
    return _show(form, event, outcome="refused")


def _saved(event: Event, sentence: str, *, outcome: str = "saved") -> ResponseReturnValue:
    flash(sentence)
    for remark in remarks(event):
        flash(remark, "warning")
    flash(outcome, "outcome")
    return redirect(url_for(".event", event_id=event.id))
