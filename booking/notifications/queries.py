"""Reads of the outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement

from booking.core.db import db
from booking.core.slices import Slice, Spot, count_some, cut
from booking.notifications.models import AddressPutAside, Message, MessageStatus

# What an organiser has sent once more.
COPY = "copy"
# What is found by the beginning of an address; and among how many messages any part of one, or of a subject, is.
ADDRESSES_SHOWN, OF_EACH, LOOKED_THROUGH = 20, 100, 5_000


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


def put_aside_in_area(area_id: int, *, limit: int) -> Sequence[AddressPutAside]:
    """Return the addresses put aside to which an area has written, the newest first."""
    written = sa.exists().where(Message.to_email == AddressPutAside.email, Message.area_id == area_id)
    return db.session.scalars(
        sa.select(AddressPutAside)
        .where(written)
        .order_by(AddressPutAside.since.desc(), AddressPutAside.email)
        .limit(limit)
    ).all()


def has_written_to(area_id: int, email: str) -> bool:
    """Tell whether an area has ever written to an address."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Message.area_id == area_id, Message.to_email == email))))


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


def count_failed(area_id: int) -> int:
    """Return how many messages of an area failed; as far as `count_some` counts."""
    return count_some(Message.area_id == area_id, _stands(MessageStatus.FAILED))


def counts(area_id: int) -> dict[MessageStatus, int]:
    """Return how many messages of an area wait, are going, or failed; as far as `count_some` counts.

    The many that went are not counted, whatever it would take.
    """
    live = (MessageStatus.QUEUED, MessageStatus.CLAIMED)
    going = {one: count_some(Message.area_id == area_id, _lives(), Message.status == one) for one in live}
    return {**going, MessageStatus.FAILED: count_failed(area_id)}


def _stands(status: MessageStatus) -> ColumnElement[bool]:
    """Return the condition for a status, as the index of such messages has it: as text of the statement."""
    return Message.status == sa.literal_column(f"'{status.value}'")


def _lives() -> ColumnElement[bool]:
    return Message.status.in_([sa.literal_column("'queued'"), sa.literal_column("'claimed'")])


def list_messages(area_id: int, *, status: MessageStatus | None, at: Spot) -> Slice[Message]:
    """Return a page of an area's messages, newest first."""
    return _newest_first(sa.select(Message).where(*_chosen(area_id, status)), at)


def messages_to(area_id: int, email: str, *, status: MessageStatus | None, at: Spot) -> Slice[Message]:
    """Return a page of what an area wrote to an address, newest first."""
    return _newest_first(sa.select(Message).where(*_chosen(area_id, status), Message.to_email == email), at)


def find_messages(
    area_id: int, words: str, addresses: Sequence[str], *, status: MessageStatus | None, at: Spot
) -> Slice[Message]:
    """Return a page of what words find, newest first.

    That is: the last mails to these addresses, the mail with this Message-ID, and those of the newest messages that
    have the words in their address or subject.
    """
    mine, order = _chosen(area_id, status), _NEWEST
    last = [
        sa.select(Message.id).where(*mine, Message.to_email == email).order_by(*order).limit(OF_EACH).subquery()
        for email in addresses
    ]
    newest = (
        sa.select(Message.id, Message.kind, Message.status, Message.to_email, Message.subject)
        .where(Message.area_id == area_id)
        .order_by(*order)
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    # The subject of a sign-in mail is its code: whoever may search must not find it out digit by digit.
    about = sa.and_(newest.c.kind != "sign_in", newest.c.subject.icontains(words, autoescape=True))
    has_them = sa.or_(newest.c.to_email.contains(words.lower(), autoescape=True), about)
    found = sa.union(
        *(sa.select(one.c.id) for one in last),
        sa.select(newest.c.id).where(has_them),
        sa.select(Message.id).where(Message.message_id.in_([words, f"<{words}>"])),
    ).subquery()
    # Found by their numbers: the area as it is would lead SQLite through all that it has.
    of_area = sa.func.coalesce(Message.area_id, 0) == area_id
    return _newest_first(sa.select(Message).where(of_area, *mine[1:], Message.id.in_(sa.select(found.c.id))), at)


def _chosen(area_id: int, status: MessageStatus | None) -> list[ColumnElement[bool]]:
    chosen = [Message.area_id == area_id]
    if status in {MessageStatus.QUEUED, MessageStatus.CLAIMED}:
        chosen.append(_lives())
    return [*chosen, _stands(status)] if status else chosen


_NEWEST = (Message.created_at.desc(), Message.id.desc())


def _newest_first(chosen: sa.Select[Message], at: Spot) -> Slice[Message]:
    return cut(chosen, Message.created_at, Message.id, at=at, downwards=True)


def addresses_that_begin(area_id: int, words: str) -> list[str]:
    """Return the first addresses by name that begin so and to which an area has written; one more than are shown.

    Each is found by the one before it, so that what they had is not read.
    """
    compared = _BY_BYTES[db.engine.dialect.name]
    first = words.lower()
    asked = {"area": area_id, "first": first, "last": first + "\U0010ffff", "most": ADDRESSES_SHOWN + 1}
    return [row[0] for row in db.session.execute(sa.text(_ADDRESSES.format(**compared)), asked)]


_BY_BYTES = {
    "sqlite": {"above": ">", "not_below": ">=", "below": "<", "up": ""},
    "postgresql": {"above": "~>~", "not_below": "~>=~", "below": "~<~", "up": "USING ~<~"},
}
_ADDRESSES = """
    WITH RECURSIVE found (email, number) AS (
        SELECT (
            SELECT to_email FROM messages
            WHERE area_id = :area AND to_email {not_below} :first AND to_email {below} :last
            ORDER BY to_email {up} LIMIT 1
        ), 1
        UNION ALL
        SELECT (
            SELECT to_email FROM messages
            WHERE area_id = :area AND to_email {above} found.email AND to_email {below} :last
            ORDER BY to_email {up} LIMIT 1
        ), number + 1
        FROM found WHERE found.email IS NOT NULL AND number < :most
    )
    SELECT email FROM found WHERE email IS NOT NULL
"""
