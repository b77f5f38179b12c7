"""Reads of the outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from booking.core.db import db
from booking.notifications.models import AddressPutAside, Message, MessageStatus

# What an organiser has sent once more.
COPY = "copy"


def due(at: datetime) -> ColumnElement[bool]:
    """Return the condition for what a worker may take: queued and due, or left by a worker that died."""
    queued = sa.and_(Message.status == MessageStatus.QUEUED, Message.send_after <= at)
    left = sa.and_(Message.status == MessageStatus.CLAIMED, Message.claimed_until <= at)
    return sa.or_(queued, left)


def older_unsent() -> ColumnElement[bool]:
    """Return the condition for a message before which another about the same event waits for the same person.

    Mails about one event go in their order: a cancellation must not be overtaken by the invitation it calls back.
    What is held (looked at, and not tried since) holds up nothing: reminders may be paused for weeks.
    """
    older = aliased(Message)
    is_held = sa.and_(older.tries == 0, older.outcome.is_not(None))
    return sa.exists().where(
        older.event_id == Message.event_id,
        older.to_email == Message.to_email,
        older.id < Message.id,
        sa.or_(older.status == MessageStatus.CLAIMED, sa.and_(older.status == MessageStatus.QUEUED, ~is_held)),
    )


def under_way(*, since: datetime, at: datetime) -> int:
    """Return how many messages were tried since an instant, or are in the hands of a worker that lives."""
    tried = sa.select(sa.func.count()).where(Message.tried_at > since, Message.status != MessageStatus.CLAIMED)
    claimed = sa.select(sa.func.count()).where(Message.status == MessageStatus.CLAIMED, Message.claimed_until > at)
    return (db.session.scalar(tried) or 0) + (db.session.scalar(claimed) or 0)


def is_aside(email: str) -> bool:
    """Tell whether an address has been put aside."""
    return db.session.get(AddressPutAside, email) is not None


def put_aside(emails: Collection[str]) -> dict[str, AddressPutAside]:
    """Return which of these addresses have been put aside."""
    rows = db.session.scalars(sa.select(AddressPutAside).where(AddressPutAside.email.in_(set(emails))))
    return {row.email: row for row in rows}


def put_aside_in_area(area_id: int) -> Sequence[AddressPutAside]:
    """Return the addresses put aside to which an area has written, the newest first."""
    written = sa.exists().where(Message.to_email == AddressPutAside.email, Message.area_id == area_id)
    return db.session.scalars(
        sa.select(AddressPutAside).where(written).order_by(AddressPutAside.since.desc(), AddressPutAside.email)
    ).all()


def oldest_due(at: datetime) -> datetime | None:
    """Return since when the oldest message waits that could have gone by an instant, or None where none does."""
    return db.session.scalar(sa.select(sa.func.min(Message.send_after)).where(due(at), ~older_unsent()))


def is_copied(message: Message) -> bool:
    """Tell whether a copy of a message waits to go, or goes just now."""
    same = [getattr(Message, name) == getattr(message, name) for name in ("area_id", "event_id", "subject")]
    going = Message.status.in_([MessageStatus.QUEUED, MessageStatus.CLAIMED])
    copies = sa.exists().where(Message.to_email == message.to_email, Message.kind == COPY, going, *same)
    return bool(db.session.scalar(sa.select(copies)))


def live_counts() -> dict[MessageStatus, int]:
    """Return how many messages wait, are going, or failed: never of the many that were sent."""
    live = [MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.FAILED]
    rows = db.session.execute(
        sa.select(Message.status, sa.func.count()).where(Message.status.in_(live)).group_by(Message.status)
    )
    found = {row[0]: row[1] for row in rows}
    return {status: found.get(status, 0) for status in live}


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
