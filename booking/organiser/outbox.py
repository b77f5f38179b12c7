"""The outbox: what was sent, what waits, what the other side refused."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.core import audit
from booking.directory.guards import area, organisers, the_organiser
from booking.notifications import actions
from booking.notifications import queries as message_queries
from booking.notifications.models import MessageStatus
from booking.organiser import queries
from booking.organiser.views import bp, offset, paging


@bp.get("/outbox/")
@organisers
def outbox() -> ResponseReturnValue:
    """Show the area's messages, newest first; that it was opened is written down."""
    audit.record_opened("opened the outbox", "outbox", None, by=the_organiser(), area_id=area().id)
    wanted = request.args.get("status", "")
    status = MessageStatus(wanted) if wanted in set(MessageStatus) else None
    rows, total = message_queries.list_messages(
        area().id, status=status, words=request.args.get("q", "")[:100], limit=queries.PER_PAGE, offset=offset()
    )
    return render_template(
        "organiser/outbox.html",
        messages=rows,
        counts=message_queries.counts(area().id),
        status=wanted,
        statuses=list(MessageStatus),
        **paging(total),
    )


@bp.post("/outbox/<int:message_id>/resend")
@organisers
def resend(message_id: int) -> ResponseReturnValue:
    """Send a failed message again."""
    message = message_queries.find_message(message_id)
    if message is None or message.area_id != area().id:
        abort(404)
    actions.resend(message, by=the_organiser())
    flash("It is queued again.")
    flash("saved", "outcome")
    return redirect(url_for(".outbox"))
