"""The demonstration's mailbox: what would have been sent, exactly."""

import re

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from booking.directory.guards import demo_only
from booking.notifications import mime, queries
from booking.notifications.models import Message, MessageStatus
from booking.notifications.outbox import sender_address

bp = Blueprint("notifications", __name__)
SHOWN = 200
_ADDRESS = re.compile(r"https?://[^\s<>]+")


@bp.get("/mailbox/")
@demo_only
def mailbox() -> ResponseReturnValue:
    """List the mails, newest first."""
    return render_template("notifications/mailbox.html", messages=queries.newest(limit=SHOWN))


@bp.get("/mailbox/<int:message_id>")
@demo_only
def mail(message_id: int) -> ResponseReturnValue:
    """Show one mail: its text, with addresses as links, and what it carries for a calendar."""
    message = _message(message_id)
    return render_template("notifications/mail.html", message=message, text=with_links(message.text))


@bp.get("/mailbox/<int:message_id>.eml")
@demo_only
def mail_file(message_id: int) -> ResponseReturnValue:
    """Give one mail byte for byte as it is sent."""
    raw = mime.write(_message(message_id), sender=sender_address())
    return raw, {"Content-Type": "message/rfc822"}


def _message(message_id: int) -> Message:
    message = queries.find_message(message_id)
    return message if message and message.status is MessageStatus.SENT else abort(404)


def with_links(text: str) -> Markup:
    """Return a mail's text with its addresses as links."""
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])
