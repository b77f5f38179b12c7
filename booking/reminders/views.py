"""What a reader does about reminders: choose of which kinds to be told, and stop it by the link in each mail."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar import queries as calendar_queries
from booking.calendar.readers import reader
from booking.core.db import has_expired
from booking.core.expired import csrf
from booking.core.tokens import key_of
from booking.core.web import row_number
from booking.directory.guards import area, by_link, signed_in, the_person
from booking.reminders import actions, mail, queries
from booking.reminders.models import To
from booking.reminders.planning import timing_of
from booking.reminders.wording import say_timing

bp = Blueprint("reminders", __name__)


@bp.route("/my/reminders", methods=["GET", "POST"])
@signed_in
def mine() -> ResponseReturnValue:
    """Choose of which kinds of dates to be told by e-mail; those that the address names are ticked already."""
    person = the_person()
    here = area()
    kinds = calendar_queries.categories_seen(here.id, reader())
    if request.method == "POST" and not has_expired():
        ticked = set(request.form.getlist("kind"))
        actions.subscribe(person, [kind for kind in kinds if str(kind.id) in ticked])
        flash("Saved of which dates we tell you.")
        flash("saved", "outcome")
        return redirect(url_for("bookings.my"))
    chosen = {one.category_id for one in queries.subscriptions_of(person.id)} if request.method == "GET" else set()
    when = _when_they_go(here.id)
    return render_template(
        "reminders/mine.html",
        kinds=sorted(kinds, key=lambda kind: not when.get(kind.id)),
        chosen=chosen | set(request.values.getlist("kind", type=row_number)),
        when=when,
        person=person,
        outcome="invalid" if has_expired() else "",
    ), 422 if has_expired() else 200


def _when_they_go(area_id: int) -> dict[int, str]:
    """Return for each kind when those who asked for it are written to, in words."""
    return {
        kind_id: ", ".join(say_timing(timing_of(rule)) for rule in rules if rule.to is To.SUBSCRIBERS)
        for kind_id, rules in queries.rules_of_area(area_id).items()
    }


@bp.route("/reminders/stop/<token>", methods=["GET", "POST"])
@csrf.exempt
@by_link
def stop(token: str) -> ResponseReturnValue:
    """Show a button, since mail scanners follow links; the press, or the mail client's own button, stops them.

    A mail client sends `List-Unsubscribe=One-Click` without a session or a page of ours before it (RFC 8058), so no
    form token can be asked for: the link is the right, and stopping harms nobody.
    """
    key = key_of(mail.SUBSCRIPTION_LINK, token) or abort(404)
    found = queries.find_subscription(key)
    kind = queries.kind_of(found) if found else None
    if request.method == "POST":
        actions.stop(key)
        return render_template("reminders/stopped.html", kind=kind, outcome="saved")
    return render_template("reminders/stop.html" if found else "reminders/stopped.html", kind=kind)
