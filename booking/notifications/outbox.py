"""Put an e-mail into the outbox, in the transaction that is the reason for it."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from enum import IntEnum
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm.attributes import set_committed_value

from booking.core.clock import now
from booking.core.db import atomic, db
from booking.core.text import one_line, paragraphs
from booking.notifications import allowance
from booking.notifications.models import MailScope, Message


class Priority(IntEnum):
    """Which message goes first: somebody waits for a sign-in code, nobody for a digest."""

    NOW = 0
    SOON = 1
    WHENEVER = 2


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name mail goes: shown as the sender; answers reach `reply_to`."""

    name: str
    reply_to: str | None
    area_id: int | None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar part (RFC 6047): an iCalendar object and its METHOD, REQUEST or CANCEL."""

    body: str
    method: str


@dataclass(frozen=True, slots=True)
class Words:
    """What an e-mail says."""

    subject: str
    text: str
    html: str


def post(
    template: str,
    *,
    to: str,
    to_name: str,
    sender: Sender,
    kind: str = "",
    event_id: int | None = None,
    invitation: Invitation | None = None,
    priority: Priority = Priority.SOON,
    send_after: datetime | None = None,
    useless_after: datetime | None = None,
    unsubscribe: str | None = None,
    list_name: str | None = None,
    scope: MailScope = MailScope.PUBLIC,
    **context: Any,
) -> Message:
    """Write the e-mail of templates `emails/<template>.{subject.txt,txt,html}` and queue it.

    It is rendered now, so that it says what was true in this transaction. Its kind is the template's name, unless
    said otherwise. What a public act causes is counted, and may refuse the act when its transaction ends; `scope` is
    what it is counted with.
    """
    words = write(template, to_name=to_name, sender=sender, **context)
    message = Message(
        area_id=sender.area_id,
        kind=kind or template,
        event_id=event_id,
        to_email=to,
        to_name=one_line(to_name)[:200],
        from_name=one_line(sender.name)[:200],
        reply_to=sender.reply_to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        calendar=invitation.body if invitation else None,
        calendar_method=invitation.method if invitation else None,
        message_id=f"<{uuid4()}@{_message_domain()}>",
        priority=priority,
        created_at=now(),
        send_after=send_after or now(),
        useless_after=useless_after,
        unsubscribe=unsubscribe,
        list_id=f"{list_name}.{_message_domain()}" if list_name else None,
    )
    db.session.add(message)
    allowance.count(message, scope=scope)
    return message


def write(template: str, *, to_name: str, sender: Sender, **context: Any) -> Words:
    """Return what the e-mail of these templates says."""
    context = {"to_name": to_name, "sender": sender, **context}
    return Words(
        subject=one_line(_render(f"emails/{template}.subject.txt", **context))[:300],
        text=paragraphs(_render(f"emails/{template}.txt", **context)) + "\n",
        html=_render(f"emails/{template}.html", **context),
    )


@atomic
def rewrite(message: Message, words: Words) -> None:
    """Let a message that has not gone say something else."""
    said = {"subject": words.subject, "text": words.text, "html": words.html}
    db.session.execute(
        sa.update(Message).where(Message.id == message.id).values(**said).execution_options(synchronize_session=False)
    )
    for name, text in said.items():
        set_committed_value(message, name, text)


def _render(template: str, **context: Any) -> str:
    """Fill a template without what pages have round them: a mail has no visitor and no request."""
    return current_app.jinja_env.get_template(template).render(**context)


def sender_address() -> str:
    """Return the bare address that mail comes from: the ORGANIZER of an invitation equals it (RFC 6047)."""
    return parseaddr(str(current_app.config["MAIL_DEFAULT_SENDER"]))[1]


def _message_domain() -> str:
    return sender_address().rpartition("@")[2] or "localhost"
