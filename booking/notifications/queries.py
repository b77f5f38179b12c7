"""Reads of the outbox."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from booking.core.db import db
from booking.notifications.models import Message, MessageStatus


def due(at: datetime) -> ColumnElement[bool]:
    """Return the condition for what a worker may take: queued and due, or left by a worker that died."""
    queued = sa.and_(Message.status == MessageStatus.QUEUED, Message.send_after <= at)
    left = sa.and_(Message.status == MessageStatus.CLAIMED, Message.claimed_until <= at)
    return sa.or_(queued, left)


def older_unsent() -> ColumnElement[bool]:
    """Return the condition for a message before which another about the same event waits for the same person.

    Mails about one event go in their order: a cancellation must not be overtaken by the invitation it calls back.
    """
    older = aliased(Message)
    return sa.exists().where(
        older.event_id == Message.event_id,
        older.to_email == Message.to_email,
        older.id < Message.id,
        older.status.in_([MessageStatus.QUEUED, MessageStatus.CLAIMED]),
    )


def has_had(kind: str, event_id: int, email: str, *, since: datetime) -> bool:
    """Tell whether an address has had such a mail about an event since an instant."""
    mine = (Message.to_email == email, Message.event_id == event_id, Message.kind == kind, Message.created_at > since)
    return bool(db.session.scalar(sa.select(sa.exists().where(*mine))))


def newest(*, limit: int) -> Sequence[Message]:
    """Return the newest messages that were sent: the demo's mailbox."""
    return db.session.scalars(
        sa.select(Message)
        .where(Message.status == MessageStatus.SENT)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(limit)
    ).all()


def find_message(message_id: int) -> Message | None:
    """Return one message."""
    return db.session.get(Message, message_id)


def counts(area_id: int) -> dict[MessageStatus, int]:
    """Return how many messages of an area stand where in their life."""
    rows = db.session.execute(
        sa.select(Message.status, sa.func.count()).where(Message.area_id == area_id).group_by(Message.status)
    )
    return {row[0]: row[1] for row in rows}


def list_messages(
    area_id: int, *, status: MessageStatus | None, words: str, limit: int, offset: int
) -> tuple[Sequence[Message], int]:
    """Return a page of an area's messages, newest first, and how many there are in all."""
    chosen = [Message.area_id == area_id]
    if status:
        chosen.append(Message.status == status)
    if words:
        to = Message.to_email.icontains(words, autoescape=True)
        # The subject of a sign-in mail is its code: whoever may search must not find it out digit by digit.
        about = sa.and_(Message.kind != "sign_in", Message.subject.icontains(words, autoescape=True))
        chosen.append(sa.or_(to, about))
    rows = db.session.scalars(
        sa.select(Message)
        .where(*chosen)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return rows, db.session.scalar(sa.select(sa.func.count()).select_from(Message).where(*chosen)) or 0
