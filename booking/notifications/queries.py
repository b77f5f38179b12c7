"""Reads of the outbox."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from booking.core.db import db
from booking.core.slices import Slice, Spot, count_some, cut
from booking.notifications.models import AddressPutAside, Message, MessageStatus

# What an organiser has sent once more.
COPY = "copy"
# How many times as many messages are looked at as a worker takes: as many workers find mail at the same moment.
LOOKED_AT = 4
# What is found by the beginning of an address; and among how many messages any part of one, or of a subject, is.
ADDRESSES_SHOWN, OF_EACH, LOOKED_THROUGH = 20, 100, 5_000


def _due(at: datetime, row: Any = Message) -> ColumnElement[bool]:
    """Return the condition for what a worker may take: queued and due, or left by a worker that died."""
    queued = sa.and_(row.status == MessageStatus.QUEUED, row.send_after <= at)
    left = sa.and_(row.status == MessageStatus.CLAIMED, row.claimed_until <= at)
    return sa.or_(queued, left)


def _free_to_go(at: datetime) -> sa.Select[tuple[int, int, datetime]]:
    """Return what is due, but for messages before which another about the same event waits for the same person.

    Mails about one event go in their order: a cancellation must not be overtaken by the invitation it calls back.
    What is held (looked at, and not tried since) holds up nothing: reminders may be paused for weeks.

    All that waits is read once, by the index of such rows, and put in order once. To ask for each message whether an
    older one waits took PostgreSQL the square of the queue: after a long history it expects one such row at most.
    """
    is_held = sa.and_(Message.status == MessageStatus.QUEUED, Message.tries == 0, Message.outcome.is_not(None))
    names: tuple[str, ...] = ("id", "event_id", "to_email", "priority", "send_after", "status", "claimed_until")
    columns = [getattr(Message, name) for name in names]
    holds_up = sa.case((is_held, 0), else_=1).label("holds_up")
    live = sa.select(*columns, holds_up).where(_lives()).cte("live").prefix_with("MATERIALIZED").c
    of_person = [live.event_id, live.to_email]
    older = sa.func.sum(live.holds_up).over(partition_by=of_person, order_by=live.id, rows=(None, -1))
    row = sa.select(*live.values(), older.label("older")).cte("in_order").prefix_with("MATERIALIZED").c
    is_next = sa.or_(row.event_id.is_(None), sa.func.coalesce(row.older, 0) == 0)
    return sa.select(row.id, row.priority, row.send_after).where(_due(at, row), is_next)


def next_in_turn(at: datetime, *, limit: int) -> sa.Select[Any]:
    """Return the statement for the messages that a worker may take next, the most urgent first; each is locked.

    A few times as many are looked at: others may be taking the first of them at this moment.
    """
    free = _free_to_go(at)
    first = free.order_by(*free.selected_columns[1:], free.selected_columns[0]).limit(limit * LOOKED_AT).subquery()
    return (
        sa.select(Message.id)
        .join(first, first.c.id == Message.id)
        .where(_due(at))  # asked again of the row itself: another worker may have taken it while we waited for it
        .order_by(first.c.priority, first.c.send_after, first.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Message)
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
    free = _free_to_go(at).subquery()
    return db.session.scalar(sa.select(sa.func.min(free.c.send_after)))


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
