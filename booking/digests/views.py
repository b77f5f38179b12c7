"""The digest as a page, and signing up for it, changing and stopping it."""

from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar import queries as calendar_queries
from booking.calendar.policy import Reader
from booking.core.errors import Refused
from booking.core.expired import csrf
from booking.core.tokens import link_token
from booking.core.web import limiter
from booking.digests import actions, mail, queries
from booking.digests.forms import ChoiceForm, SubscribeForm, data_of
from booking.digests.models import DigestIssue, DigestSubscription, IssueState
from booking.digests.wording import say_plan
from booking.directory.guards import area, by_link, public, signed_in, the_person, visitor

bp = Blueprint("digests", __name__)


@bp.get("/digest/")
@public
def latest() -> ResponseReturnValue:
    """Show the newest issue; where there is none yet, say when the first one goes."""
    here = area()
    found = queries.last_sent(here.id)
    if found is None:
        return render_template("digests/none.html", **_frame())
    return _page(found)


@bp.get("/digest/<week>/")
@public
def issue(week: str) -> ResponseReturnValue:
    """Show the issue of a week, for as long as it is kept: what everybody may see of it."""
    return _page(find_sent(week))


def find_sent(week: str) -> DigestIssue:
    """Return the issue of the week of an address, if it was sent; 404 otherwise."""
    try:
        found = queries.find_issue(area().id, date.fromisoformat(week))
    except ValueError:
        found = None
    return found if found and found.state is IssueState.SENT else abort(404)


def _page(found: DigestIssue) -> str:
    edition = queries.edition_of(found)
    said = mail.said(edition, found.introduction, edition.read_by(queries.GUESTS))
    return render_template("digests/issue.html", issue=found, **_frame(), **said)


def _frame() -> dict[str, Any]:
    plan = queries.plan_of(area().id)
    return {"area": area(), "plan": plan, "goes": say_plan(plan)}


@bp.route("/digest/subscribe", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
@public
def subscribe() -> ResponseReturnValue:
    """Take an address; the answer is the same whether or not it is known, and the mail says the rest."""
    person = visitor().person
    data = {"email": person.email if person else "", "categories": request.args.getlist("category")}
    form = SubscribeForm(data={**data, "audiences": request.args.getlist("audience")}, **_offered(Reader()))
    if not form.is_submitted():
        return render_template("digests/subscribe.html", form=form, **_frame())
    if not form.validate():
        return render_template("digests/subscribe.html", form=form, outcome="invalid", **_frame()), 422
    actions.ask(area(), form.email.data, form.chosen())
    return render_template("digests/asked.html", email=form.email.data, outcome="saved", **_frame())


def _offered(reader: Reader) -> dict[str, Any]:
    """Return what a form of choices offers."""
    return {
        "all_categories": calendar_queries.categories_seen(area().id, reader),
        "all_audiences": calendar_queries.audiences(area().id),
    }


@bp.route("/digest/confirm/<token>", methods=["GET", "POST"])
@limiter.limit("60 per minute", methods=["POST"])
@by_link
def confirm(token: str) -> ResponseReturnValue:
    """Show a button: mail scanners follow links, so only a press begins to send. A second press is answered kindly."""
    is_ours, found = queries.subscription_to_confirm(token)
    if not is_ours:
        abort(404)
    if found is None or not (found.is_active or actions.may_confirm(found)):
        return render_template("digests/too_late.html", **_frame()), 410
    if request.method == "GET" and not found.is_active:
        return render_template("digests/confirm.html", chosen=mail.say_choice(found), **_frame())
    if request.method == "POST":
        actions.confirm(found)
    own = link_token(queries.OWN_LINK, found.key)
    said = {"outcome": "saved"} if request.method == "POST" else {}
    return render_template("digests/confirmed.html", token=own, chosen=mail.say_choice(found), **_frame(), **said)


@bp.route("/digest/change/<token>", methods=["GET", "POST"])
@limiter.limit("60 per minute", methods=["POST"])
@by_link
def change(token: str) -> ResponseReturnValue:
    """Change of what a subscriber hears, by the link in each mail; the page does not say whose it is."""
    is_ours, found = queries.subscription_by_link(token)
    if not is_ours:
        abort(404)
    if found is None or not found.is_active:
        return render_template("digests/stopped.html", already=True, **_frame())
    form = ChoiceForm(data=data_of(found), **_offered(_reader_of(found)))
    if not form.is_submitted():
        return render_template("digests/change.html", form=form, token=token, **_frame())
    if not form.validate():
        return render_template("digests/change.html", form=form, token=token, outcome="invalid", **_frame()), 422
    try:
        actions.change(found, form.chosen())
    except Refused as refused:
        form.refuse(refused)
        return render_template("digests/change.html", form=form, token=token, outcome="refused", **_frame()), 409
    flash("Saved. The next weekly e-mail keeps to it.")
    flash("saved", "outcome")
    return redirect(url_for(".change", token=token))


def _reader_of(subscription: DigestSubscription) -> Reader:
    return Reader(staff=queries.visibilities_for(subscription.area_id, subscription.email) == queries.STAFF)


@bp.route("/digest/stop/<token>", methods=["GET", "POST"])
@csrf.exempt
@by_link
def stop(token: str) -> ResponseReturnValue:
    """Show a button; the press, or the mail client's own button, stops the weekly mail.

    A mail client sends `List-Unsubscribe=One-Click` without a session or a page of ours before it (RFC 8058), so no
    form token can be asked for: the link is the right, and stopping harms nobody.
    """
    is_ours, found = queries.subscription_by_link(token)
    if not is_ours:
        abort(404)
    is_active = found is not None and found.is_active
    if request.method == "GET" and is_active:
        return render_template("digests/stop.html", token=token, **_frame())
    said = {}
    if request.method == "POST":
        said = {"outcome": "saved"}
        if found is not None and found.ended_at is None:
            actions.stop(found)
    return render_template("digests/stopped.html", already=not is_active, **_frame(), **said)


@bp.route("/my/digest", methods=["GET", "POST"])
@signed_in
def mine() -> ResponseReturnValue:
    """Get the digest, change or stop it, without a mail: whoever is signed in has proved their address."""
    person, here = the_person(), area()
    found = queries.find_subscription(here.id, person.email)
    active = found is not None and found.is_active
    form = ChoiceForm(
        data=data_of(found) if found and active else {}, **_offered(Reader(staff=visitor().is_staff(here.id)))
    )
    context = {"form": form, "person": person, "active": active, **_frame()}
    if not form.is_submitted():
        return render_template("digests/mine.html", **context)
    stops = "stop" in request.form
    if not stops and not form.validate():
        return render_template("digests/mine.html", outcome="invalid", **context), 422
    actions.set_own(here, person, None if stops else form.chosen())
    flash("You do not get the weekly e-mail any more." if stops else "Saved. The weekly e-mail comes to you.")
    flash("saved", "outcome")
    return redirect(url_for("bookings.my"))
