"""When reminders go: for each kind of event, and for one event instead."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar import queries as calendar_queries
from booking.calendar.models import Kind
from booking.core.clock import now
from booking.core.errors import Refused
from booking.directory.guards import area, organisers, the_organiser
from booking.organiser import queries
from booking.organiser.views import bp, the_event
from booking.reminders import actions, policy
from booking.reminders import queries as reminder_queries
from booking.reminders.models import ReminderRule

ROWS = 3
LONGEST = 60  # days before


@bp.get("/reminders/")
@organisers
def reminders() -> ResponseReturnValue:
    """Show when each kind of event is reminded of."""
    categories = calendar_queries.categories(area().id)
    rules = queries.rules_by_category(area().id)
    return render_template("organiser/reminders.html", categories=categories, rules=rules)


@bp.route("/reminders/<int:category_id>", methods=["GET", "POST"])
@organisers
def category_reminders(category_id: int) -> ResponseReturnValue:
    """Set when one kind of event is reminded of."""
    category = next((one for one in calendar_queries.categories(area().id) if one.id == category_id), None)
    if category is None:
        abort(404)
    if request.method == "POST":
        try:
            actions.set_category_rules(category, _times_typed(), by=the_organiser())
        except Refused as refused:
            return _show(f"Reminders: {category.name}", url_for(".reminders"), _typed(), refused)
        flash(f"Saved when to remind of {category.name}.")
        flash("saved", "outcome")
        return redirect(url_for(".reminders"))
    return _show(
        f"Reminders: {category.name}", url_for(".reminders"), _of(reminder_queries.rules_of_category(category.id))
    )


@bp.route("/events/<int:event_id>/reminders/", methods=["GET", "POST"])
@organisers
def event_reminders(event_id: int) -> ResponseReturnValue:
    """Give one event reminders of its own, or those of its kind again; show what will go when, to how many."""
    event = the_event(event_id)
    if event.kind is not Kind.SESSION:
        abort(404)
    back = url_for(".event", event_id=event.id)
    if request.method == "POST":
        try:
            own = request.form.get("whose") == "own"
            actions.set_event_rules(event, _times_typed() if own else None, by=the_organiser())
        except Refused as refused:
            return _show(f"Reminders: {event.title}", back, _typed(), refused, event=event)
        flash("Saved when to remind of this event.")
        flash("saved", "outcome")
        return redirect(back)
    rules = reminder_queries.rules_for(event)
    places = reminder_queries.confirmed_places(event)
    plan = [(_due_at(rule, event.day), len(places)) for rule in rules]
    return _show(
        f"Reminders: {event.title}", back, _of(rules), event=event, plan=[one for one in plan if one[0] > now()]
    )


def _due_at(rule: ReminderRule, day: date) -> datetime:
    return policy.due_at(policy.Rule(rule.id, rule.days_before, rule.at, rule.active_since), day)


def _of(rules: Sequence[ReminderRule]) -> list[tuple[str, str]]:
    return [(str(rule.days_before), f"{rule.at:%H:%M}") for rule in rules]


def _typed() -> list[tuple[str, str]]:
    return list(zip(request.form.getlist("days"), request.form.getlist("at"), strict=False))


def _times_typed() -> list[tuple[int, time]]:
    """Return what was typed; a row without days is none. Raises Refused with a sentence that says how to mend it."""
    times = []
    for number, (days, at) in enumerate(_typed()):
        if not days.strip():
            continue
        if not re.fullmatch(r"\s*[0-9]{1,2}\s*", days) or int(days) > LONGEST:
            raise Refused(f"“{days[:20]}” is not a number of days from 0 to {LONGEST}.", field=f"days-{number}")
        try:
            clock = time.fromisoformat(at.strip() or "08:00")
        except ValueError:
            raise Refused(f"“{at[:20]}” is not a time. Write it like 08:00.", field=f"at-{number}") from None
        times.append((int(days), clock.replace(second=0, microsecond=0, tzinfo=None)))
    return times


def _show(
    title: str, back: str, rows: list[tuple[str, str]], refused: Refused | None = None, **context: Any
) -> ResponseReturnValue:
    rows = [*rows, *[("", "")] * max(ROWS - len(rows), 1)][: actions.MOST_RULES + 1]
    outcome = "invalid" if refused else ""
    page = render_template(
        "organiser/reminder_form.html", title=title, back=back, rows=rows, refused=refused, outcome=outcome, **context
    )
    return page, 422 if refused else 200
