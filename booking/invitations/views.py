"""A school says that it cannot come, by the link of its invitation."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from booking.bookings import policy
from booking.bookings.queries import INVITATION_LINK
from booking.calendar.when import place_in_words
from booking.core.clock import now
from booking.core.errors import Refused
from booking.core.tokens import link_token
from booking.core.web import limiter
from booking.directory.guards import by_link
from booking.invitations import actions, queries
from booking.invitations.forms import NoForm
from booking.invitations.models import Invitation

bp = Blueprint("invitations", __name__)


@bp.route("/invitations/<token>", methods=["GET", "POST"])
@limiter.limit("60 per minute", methods=["POST"])
@by_link
def answer(token: str) -> ResponseReturnValue:
    """Ask whether nobody of a school can come; only a press records it, since mail scanners follow links."""
    invitation = queries.find_invitation(token) or abort(404)
    if not queries.is_good(invitation):
        abort(410)
    form = NoForm(data={"reason": invitation.invited.reason})
    if not form.is_submitted():
        return _page(invitation, form)
    if not form.validate():
        return _page(invitation, form, "invalid"), 422
    try:
        actions.say_no(invitation, form.reason.data or "")
    except Refused as refused:
        form.refuse(refused)
        return _page(invitation, form, "refused"), 409
    flash("Thank you. We do not ask again.")
    flash("saved", "outcome")
    return redirect(url_for(".answer", token=link_token(INVITATION_LINK, invitation.key)))


def _page(invitation: Invitation, form: NoForm, outcome: str = "") -> str:
    """Show what this contact's school has said. Who has booked is nobody's business here (rule 7)."""
    row = invitation.invited
    state = policy.booking_state(row.event, at=now(), invited=True)
    return render_template(
        "invitations/answer.html",
        event=row.event,
        school=row.school,
        has_said_no=row.said_no_at is not None,
        place=place_in_words(row.event),
        can_book=state.can_book,
        is_over=now() >= row.event.starts_at,
        token=link_token(INVITATION_LINK, invitation.key),
        form=form,
        **({"outcome": outcome} if outcome else {}),
    )
