"""When reminders go: for each kind of event, for one event instead, and what goes in the coming fortnight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar import queries as calendar_queries
from booking.calendar.models import Event
from booking.core.clock import today, wall
from booking.core.errors import Refused
from booking.core.slices import MOST_COUNTED
from booking.directory.guards import area, organisers, the_organiser, visitor
from booking.notifications import outbox
from booking.notifications.outbox import Words
from booking.organiser import queries
from booking.organiser.views import bp, the_event
from booking.reminders import actions, forecast, mail
from booking.reminders import queries as reminder_queries
from booking.reminders.actions import NewRule
from booking.reminders.forms import KindHoursForm, RulesForm, data_of
from booking.reminders.models import ReminderRule, To
from booking.reminders.planning import timing_of
from booking.reminders.recipients import may_have
from booking.reminders.wording import SAY_TO, say_rule
from booking.reminders.words import MERGE_WORDS


@dataclass(frozen=True, slots=True)
class Page:
    """A page with a form of rules: how they are saved, what it goes back to, and an event to show their mails with."""

    title: str
    back: str
    example: Event | None
    save: Callable[[Sequence[NewRule]], None]
    saved: str
    # What the rows say does not count: the event follows its kind.
    follows: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def show(self, form: RulesForm, *, outcome: str = "", **more: Any) -> str:
        """Return the page with what was typed."""
        shown = {"title": self.title, "back": self.back, "example": self.example, **self.more, **more}
        return render_template(
            "organiser/reminder_form.html",
            form=form,
            merge_words=MERGE_WORDS,
            say_to=SAY_TO,
            **_said(outcome),
            **shown,
        )


def say(rule: ReminderRule) -> str:
    """Return a rule in words."""
    return say_rule(timing_of(rule), rule.to) + (", in your own words" if rule.text else "")


def rules_that_count(event: Event) -> list[ReminderRule]:
    """Return the rules of an event, without those for readers whom it cannot have."""
    return [rule for rule in reminder_queries.rules_for(event) if may_have(event, rule.to)]


@bp.route("/reminders/", methods=["GET", "POST"])
@organisers
def reminders() -> ResponseReturnValue:
    """Show when each kind of event is reminded of, and set the kind hours."""
    here = area()
    form = KindHoursForm(data={"first": here.kind_from, "last": here.kind_until})
    if form.validate_on_submit():
        assert form.first.data is not None
        assert form.last.data is not None
        try:
            actions.set_kind_hours(here, form.first.data, form.last.data, by=the_organiser())
        except Refused as refused:
            form.refuse(refused)
            return _list(form, "refused"), 409
        return _saved("Saved when reminders may go.", url_for(".reminders"))
    return (_list(form, "invalid"), 422) if form.is_submitted() else _list(form)


def _list(form: KindHoursForm, outcome: str = "") -> str:
    here = area()
    return render_template(
        "organiser/reminders.html",
        form=form,
        **_said(outcome),
        categories=calendar_queries.categories(here.id),
        rules=reminder_queries.rules_of_area(here.id),
        say=say,
        area_held=reminder_queries.find_pause(here.id, None),
        all_held=reminder_queries.find_pause(None, None),
        may_hold_all=visitor().is_administrator,
    )


@bp.post("/reminders/pause")
@organisers
def pause_reminders() -> ResponseReturnValue:
    """Hold the reminders of the area, or (administrators) of the whole installation; or let them go on."""
    everything = request.form.get("scope") == "all"
    if everything and not visitor().is_administrator:
        abort(403)
    _pause_or_go_on(area=None if everything else area())
    return redirect(url_for(".reminders"))


@bp.post("/events/<int:event_id>/reminders/pause")
@organisers
def pause_event_reminders(event_id: int) -> ResponseReturnValue:
    """Hold the reminders of one event, or let them go on."""
    _pause_or_go_on(area=None, event=the_event(event_id))
    return redirect(url_for(".event_reminders", event_id=event_id))


def _pause_or_go_on(**what: Any) -> None:
    if request.form.get("do") == "go-on":
        actions.go_on(**what, by=the_organiser())
        flash("Reminders go again. What fell due meanwhile and is still of use goes once, within minutes.")
    else:
        actions.pause(**what, by=the_organiser())
        flash("Reminders are on hold. Nothing goes until you let them go on.")
    flash("saved", "outcome")


@bp.get("/reminders/coming")
@organisers
def coming_reminders() -> ResponseReturnValue:
    """Show what will go in the coming fortnight, day by day; what is overdue stands under today."""
    found = forecast.of_area(area().id)
    days = [(day, list(those)) for day, those in groupby(found, key=lambda one: max(wall(one.at).date(), today()))]
    return render_template("organiser/reminders_coming.html", days=days, say_to=SAY_TO, wall=wall)


@bp.route("/reminders/<int:category_id>", methods=["GET", "POST"])
@organisers
def category_reminders(category_id: int) -> ResponseReturnValue:
    """Set when one kind of event is reminded of."""
    category = next((one for one in calendar_queries.categories(area().id) if one.id == category_id), None)
    if category is None:
        abort(404)
    form = RulesForm(data=data_of(reminder_queries.rules_of_category(category.id)))
    return _answer(
        form,
        Page(
            title=f"Reminders: {category.name}",
            back=url_for(".reminders"),
            example=queries.an_event_of(category, today()),
            save=lambda rules: actions.set_category_rules(category, rules, by=the_organiser()),
            saved=f"Saved when to remind of {category.name}.",
        ),
    )


@bp.route("/events/<int:event_id>/reminders/", methods=["GET", "POST"])
@organisers
def event_reminders(event_id: int) -> ResponseReturnValue:
    """Give one event reminders of its own, or those of its kind again; show what will go and what has gone."""
    event = the_event(event_id)
    form = RulesForm(data=data_of(rules_that_count(event)), to=[to for to in To if may_have(event, to)])
    own = request.form.get("whose") == "own" if form.is_submitted() else event.own_reminders
    return _answer(
        form,
        Page(
            title=f"Reminders: {event.title}",
            back=url_for(".event", event_id=event.id),
            example=event,
            save=lambda rules: actions.set_event_rules(event, rules if own else None, by=the_organiser()),
            saved="Saved when to remind of this event.",
            follows=not own,
            more={"event": event, "own": own, **_seen_before_sending(event)},
        ),
    )


def _seen_before_sending(event: Event) -> dict[str, Any]:
    """Return what will go for an event, what has gone, and what holds it."""
    coming, gone = forecast.of_event(event)
    everything, here = reminder_queries.find_pause(None, None), reminder_queries.find_pause(event.area_id, None)
    return {
        "coming": coming,
        "most_named": MOST_COUNTED if forecast.has_a_crowd(event) else 0,
        "gone": gone,
        "warnings": forecast.warnings(event),
        "held": reminder_queries.find_pause(None, event.id),
        "held_above": everything or here,
    }


def _answer(form: RulesForm, page: Page) -> ResponseReturnValue:
    """Show the form, one more row, a preview or a test of what was typed; or save it and go back."""
    if not form.is_submitted():
        return page.show(form)
    if "add" in request.form:
        form.add_rule()  # nothing typed is lost, nothing is checked yet
        return page.show(form)
    tries = bool({"preview", "test"} & request.form.keys())
    counts = tries or not page.follows
    if counts and not form.validate():
        return page.show(form, outcome="invalid"), 422
    try:
        if tries:
            return _try(form, page)
        page.save(form.new_rules() if counts else [])
    except Refused as refused:
        form.refuse(refused)
        return page.show(form, outcome="refused"), 409
    return _saved(page.saved, page.back)


def _try(form: RulesForm, page: Page) -> ResponseReturnValue:
    """Show what each reminder would say, or mail it to who asks. Nothing is saved."""
    rules, example, shown = form.new_rules(), page.example, list[tuple[str, Words]]()
    if example is None:
        flash("There is no event of this kind yet to show it with. Nothing is saved.", "warning")
    elif not rules:
        flash("There is no reminder to show: say first how long before or after. Nothing is saved.", "warning")
    elif "test" in request.form:
        for rule in rules:
            actions.send_test(example, rule, to=the_organiser())
        flash(f"On the way to {the_organiser().email}. Nothing is saved yet.")
    else:
        shown = [_preview(example, rule) for rule in rules]
    return page.show(form, shown=shown)


def _preview(event: Event, new: NewRule) -> tuple[str, Words]:
    """Return a rule in words, and what its mail would say to somebody invented."""
    template, filled = mail.sample(event, actions.unsaved(new), the_organiser())
    return say_rule(new.timing, new.to), outbox.write(template, **filled)


def _said(outcome: str) -> dict[str, str]:
    """Return the outcome for the page; where there is none, the frame knows what led to it."""
    return {"outcome": outcome} if outcome else {}


def _saved(sentence: str, to: str) -> ResponseReturnValue:
    flash(sentence)
    flash("saved", "outcome")
    return redirect(to)
