"""The outbox: what was sent, what waits, what the other side refused; and one message's life."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.core import audit
from booking.core.errors import refuse_unless
from booking.core.slices import Slice, Spot
from booking.core.text import email_key, one_line
from booking.core.tokens import OWN_PAGES
from booking.directory.guards import area, organisers, the_organiser
from booking.notifications import actions
from booking.notifications import queries as message_queries
from booking.notifications.models import AddressPutAside, Message, MessageStatus
from booking.notifications.wording import SAY_STATUS, say_life
from booking.organiser.views import bp

# What leads to somebody's own page is a right by itself: whoever reads over a shoulder must not have it.
_OWN_LINK = re.compile(rf"\S*{OWN_PAGES}\S+|\S+[?&]invitation=\S+")
ASIDE_SHOWN = 20
THEIR_OWN = "(their own link)"


@bp.get("/outbox/")
@organisers
def outbox() -> ResponseReturnValue:
    """Show the area's messages, newest first; that it was opened is written down."""
    audit.record_opened("opened the outbox", "outbox", None, by=the_organiser(), area_id=area().id)
    wanted, words = request.args.get("status", ""), one_line(request.args.get("q", ""))[:100]
    found = _Found.of(words, MessageStatus(wanted) if wanted in set(MessageStatus) else None)
    return render_template(
        "organiser/outbox.html",
        found=found.messages,
        words=words,
        addresses=found.addresses,
        most_addresses=message_queries.ADDRESSES_SHOWN,
        looked_through=message_queries.LOOKED_THROUGH,
        counts=message_queries.counts(area().id),
        aside=_put_aside(found.addresses),
        aside_shown=ASIDE_SHOWN,
        per_minute=current_app.extensions["settings"].mail_per_minute,
        days_kept=actions.KEEP_BODIES.days,
        status=wanted,
        say_status=SAY_STATUS,
        say_life=say_life,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A page of messages, and the addresses that were found by what was typed."""

    messages: Slice[Message]
    addresses: list[str]

    @classmethod
    def of(cls, words: str, status: MessageStatus | None) -> "_Found":
        """Return all messages; those to an address that was typed whole; or what words find."""
        here, at = area().id, Spot.of_the_address()
        if not words:
            return cls(message_queries.list_messages(here, status=status, at=at), [])
        email = email_key(words)
        if message_queries.has_written_to(here, email):
            return cls(message_queries.messages_to(here, email, status=status, at=at), [email])
        addresses = message_queries.addresses_that_begin(here, email)
        return cls(message_queries.find_messages(here, words, addresses, status=status, at=at), addresses)


def _put_aside(found: Collection[str]) -> Sequence[AddressPutAside]:
    """Return the addresses put aside among those that were looked for, else the newest; one more than are shown."""
    if request.args.get("q"):
        return list(message_queries.put_aside(found).values())
    return message_queries.put_aside_in_area(area().id, limit=ASIDE_SHOWN + 1)


@bp.get("/outbox/<int:message_id>")
@organisers
def message(message_id: int) -> ResponseReturnValue:
    """Show one message: its life, and what it says without anybody's own links; that it was opened is written down."""
    found = _the_message(message_id)
    audit.record_opened("opened a message of", "message", found.id, by=the_organiser(), area_id=area().id)
    is_code = found.kind == "sign_in"
    return render_template(
        "organiser/outbox_message.html",
        message=found,
        subject="Sign-in code" if is_code else found.subject,
        text="" if is_code else _OWN_LINK.sub(THEIR_OWN, found.text),
        is_code=is_code,
        life=say_life(found),
        reason_not=actions.why_it_cannot_go_again(found),
        days_kept=actions.KEEP_BODIES.days,
    )


@bp.post("/outbox/<int:message_id>/resend")
@organisers
def resend(message_id: int) -> ResponseReturnValue:
    """Send a message again: one that failed, or a copy of one that was sent."""
    actions.resend(_the_message(message_id), by=the_organiser())
    flash("It is queued again.")
    flash("saved", "outcome")
    return redirect(url_for(".outbox"))


@bp.post("/outbox/use-again")
@organisers
def use_address_again() -> ResponseReturnValue:
    """Let mail go again to an address that was put aside."""
    email = request.form.get("email", "")
    is_known = message_queries.is_aside(email) and message_queries.has_written_to(area().id, email)
    refuse_unless(is_known, "This address is not put aside any more.")
    actions.use_again(email, by=the_organiser(), area_id=area().id)
    flash(f"Mail goes to {email} again. What failed in the meantime can be sent again below.")
    flash("saved", "outcome")
    return redirect(url_for(".outbox"))


def _the_message(message_id: int) -> Message:
    """Return a message of the area; 404 for any other."""
    found = message_queries.find_message(message_id)
    return found if found is not None and found.area_id == area().id else abort(404)
