"""A school answers: by the link in the mail, or from its own page."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from booking.calendar.models import EventStatus
from booking.calendar.when import place_in_words
from booking.core.clock import now
from booking.core.errors import Refused
from booking.core.tokens import key_of, link_token
from booking.core.web import limiter
from booking.deadlines import actions, queries
from booking.deadlines.forms import SAY_SAID, AnswerForm
from booking.deadlines.models import Answer, Return, ReturnStatus
from booking.deadlines.policy import OF_A_SCHOOL, Said, is_late
from booking.directory.guards import by_link, visitor

bp = Blueprint("deadlines", __name__)


@bp.route("/returns/<token>", methods=["GET", "POST"])
@limiter.limit("60 per minute", methods=["POST"])
@by_link
def answer(token: str) -> ResponseReturnValue:
    """Show what a school owes; only a press records the answer, since mail scanners follow links."""
    row = queries.return_by_key(key_of(queries.RETURN_LINK, token) or "") or abort(404)
    ask = queries.find_ask(row.event_id)
    allowed = OF_A_SCHOOL[ask.answer if ask else Answer.NONE]
    form = AnswerForm(data={"name": visitor().name, "said": allowed[0].value if allowed else ""}, allowed=allowed)
    if not form.is_submitted() or not allowed or row.event.status is not EventStatus.PUBLISHED:
        return _page(row, form)
    if not form.validate():
        return _page(row, form, "invalid"), 422
    try:
        actions.answer(row, Said(form.said.data), who=form.name.data or "", number=form.number.data)
    except Refused as refused:
        form.refuse(refused)
        return _page(row, form, "refused"), 409
    flash("Thank you. Your school hears no more of this.")
    flash("saved", "outcome")
    return redirect(url_for(".answer", token=link_token(queries.RETURN_LINK, row.key)))


@bp.post("/returns/<token>/again")
@limiter.limit("60 per minute")
@by_link
def again(token: str) -> ResponseReturnValue:
    """Take back "not this year"."""
    row = queries.return_by_key(key_of(queries.RETURN_LINK, token) or "") or abort(404)
    actions.hear_again(row)
    flash("Your school is told of these dates again.")
    flash("saved", "outcome")
    return redirect(url_for(".answer", token=link_token(queries.RETURN_LINK, row.key)))


def _page(row: Return, form: AnswerForm, outcome: str = "") -> str:
    closes_at = queries.closes_at(row.event)
    return render_template(
        "deadlines/answer.html",
        row=row,
        event=row.event,
        place=place_in_words(row.event),
        ask=queries.find_ask(row.event_id),
        form=form,
        silence=queries.find_silence(row),
        again=url_for(".again", token=link_token(queries.RETURN_LINK, row.key)),
        is_late=row.status is ReturnStatus.SUBMITTED and is_late(row.answered_at, closes_at),
        is_over=closes_at <= now(),
        say_said=SAY_SAID,
        **({"outcome": outcome} if outcome else {}),
    )
