"""The digest for organisers: the next issue, when it goes, what has gone, and copies for other mailers."""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.core.db import has_expired
from booking.core.errors import Refused
from booking.core.slices import Spot
from booking.digests import actions, mail, queries
from booking.digests.forms import IntroductionForm, PlanForm
from booking.digests.models import IssueState
from booking.digests.views import find_sent
from booking.digests.wording import say_plan
from booking.directory.guards import area, organisers, the_organiser

bp = Blueprint("digests_manage", __name__, url_prefix="/manage/digest")
SAY_STATE = {
    IssueState.PLANNED: "planned",
    IssueState.HELD: "held, and never went",
    IssueState.SENT: "sent",
    IssueState.DROPPED: "left out",
}


@bp.route("/", methods=["GET", "POST"])
@organisers
def digest() -> ResponseReturnValue:
    """Show the next issue as it would be: write its introduction, try it, hold it, let it go or send it now."""
    following = actions.next_week(area())
    if following is None:
        if request.method == "POST":
            raise Refused("There is no week with school in sight, so no issue is being prepared.")
        return render_template("digests/manage.html", **_past(), week=None)
    week, due = following
    issue = queries.find_issue(area().id, week)
    form = IntroductionForm(data={"introduction": issue.introduction if issue else ""})
    if not form.is_submitted():
        return _show(form, week, due)
    if request.form.get("week") != week.isoformat():
        form.refuse(Refused("The issue that this page was about has gone meanwhile. This is the next one."))
        return _show(form, week, due, outcome="refused"), 409
    if has_expired():
        return _show(form, week, due, outcome="invalid"), 422
    try:
        return _do(form, week, due)
    except Refused as refused:
        form.refuse(refused)
        return _show(form, week, due, outcome="refused"), 409


def _do(form: IntroductionForm, week: date, due: datetime) -> ResponseReturnValue:
    """Do what was pressed, with the introduction as it was typed."""
    here, by, typed = area(), the_organiser(), form.introduction.data or ""
    pressed = request.form.get("do", "save")
    if pressed == "preview":
        return _show(form, week, due)
    actions.introduce(here, week, typed, by=by)
    if pressed == "test":
        actions.send_test(here, week, typed, to=by)
        said = f"Saved. A test is on the way to {by.email}."
    elif pressed == "hold":
        actions.hold(here, week, by=by)
        said = "Saved and held: it does not go before you let it go."
    elif pressed == "let-go":
        went = actions.let_go(here, week, by=by)
        said = "It goes now: its time had passed." if went else "It goes at its time again."
    elif pressed == "send":
        actions.send_now(here, week, by=by)
        said = "It is on its way."
    else:
        said = "Saved the introduction."
    flash(said)
    flash("saved", "outcome")
    return redirect(url_for(".digest"))


def _show(form: IntroductionForm, week: date, due: datetime, *, outcome: str = "") -> str:
    here = area()
    edition = actions.preview(here, week)
    as_staff = request.args.get("as") == "staff"
    told = edition.read_by(queries.STAFF if as_staff else queries.GUESTS)
    issue = queries.find_issue(here.id, week)
    return render_template(
        "digests/manage.html",
        form=form,
        week=week,
        due=due,
        held=issue is not None and issue.state is IssueState.HELD,
        as_staff=as_staff,
        **_past(),
        **mail.said(edition, form.introduction.data or "", told),
        **({"outcome": outcome} if outcome else {}),
    )


def _past() -> dict[str, Any]:
    """Return the plan, how many get it, and the issues before with what became of their mails."""
    here = area()
    before = queries.issues_of(here.id, at=Spot.of_the_address())
    plan = queries.plan_of(here.id)
    return {
        "plan": plan,
        "goes": say_plan(plan),
        "subscribers": queries.count_subscribers(here.id),
        "most_subscribers": queries.MOST_SUBSCRIBERS,
        "before": before,
        "numbers": queries.numbers_of(before.rows),
        "say_state": SAY_STATE,
    }


@bp.route("/when", methods=["GET", "POST"])
@organisers
def plan() -> ResponseReturnValue:
    """Set whether the digest goes, on which day, at what time, and how far it looks."""
    here = area()
    found = queries.plan_of(here.id)
    shown = {"active": found.active, "weekday": str(found.weekday), "at": found.at, "weeks": str(found.weeks)}
    form = PlanForm(data=shown)
    if not form.is_submitted():
        return render_template("digests/plan.html", form=form)
    if not form.validate():
        return render_template("digests/plan.html", form=form, outcome="invalid"), 422
    try:
        actions.set_plan(here, form.values(), by=the_organiser())
    except Refused as refused:
        form.refuse(refused)
        return render_template("digests/plan.html", form=form, outcome="refused"), 409
    flash("Saved when the weekly e-mail goes.")
    flash("saved", "outcome")
    return redirect(url_for(".digest"))


@bp.get("/<week>/copy")
@organisers
def copy(week: str) -> ResponseReturnValue:
    """Show an issue to paste into another mailer: to copy from the page, as HTML, and as text."""
    issue = find_sent(week)
    edition = queries.edition_of(issue)
    said = mail.said(edition, issue.introduction, edition.read_by(queries.GUESTS))
    html = render_template("digests/_plain.html", area=area(), **said)
    text = render_template("digests/plain.txt", area=area(), **said)
    return render_template("digests/copy.html", issue=issue, html=html.strip(), text=text.strip(), **said)
