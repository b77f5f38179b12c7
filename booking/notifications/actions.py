"""The life of a message: claimed, then sent, dropped, failed, or queued again. Each step is one transaction."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic, db
from booking.core.errors import refuse_unless
from booking.notifications.models import Message, MessageStatus
from booking.notifications.queries import due, older_unsent

LEASE = timedelta(minutes=4)
# The first three together stay under eight minutes; later ones grow to an hour.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 10, 20, 40))
LONGEST_WAIT = timedelta(hours=1)
# Given up after three days, but not before it was tried for some hours: the scheduler may have been away itself.
GIVE_UP_AFTER = timedelta(days=3)
FEWEST_TRIES = 10
# How soon a message that is held is looked at again.
HELD_FOR = timedelta(minutes=5)
IN_TURN = (Message.priority, Message.send_after, Message.id)


@atomic
def claim(*, worker: str, limit: int) -> list[Message]:
    """Take what is due, so that nobody else does, for the length of a lease. What a dead worker had is due again."""
    chosen = sa.select(Message.id).where(due(now()), ~older_unsent()).order_by(*IN_TURN)
    taken = db.session.scalars(
        sa.update(Message)
        .where(Message.id.in_(chosen.limit(limit).with_for_update(skip_locked=True).scalar_subquery()))
        .values(status=MessageStatus.CLAIMED, claimed_by=worker, claimed_until=now() + LEASE)
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    return sorted(taken, key=lambda message: (message.priority, message.send_after, message.id))


@atomic
def renew_claim(message: Message, *, worker: str) -> bool:
    """Lengthen the lease right before the work. Returns False where the message is not ours any more."""
    return _change(message, worker, claimed_until=now() + LEASE)


@atomic
def mark_sent(message: Message, *, worker: str, forget: bool = False) -> bool:
    """Record that the server took it; `forget` keeps nothing of what it said."""
    said = {"subject": "Sign-in code", "text": "", "html": ""} if forget else {}
    return _change(
        message,
        worker,
        **said,
        status=MessageStatus.SENT,
        sent_at=now(),
        claimed_until=None,
        outcome=None,
        tries=Message.tries + 1,
    )


@atomic
def drop(message: Message, *, worker: str, reason: str) -> bool:
    """Record why it does not go any more."""
    return _change(message, worker, status=MessageStatus.DROPPED, claimed_until=None, outcome=reason[:300])


@atomic
def hold(message: Message, *, worker: str, reason: str) -> bool:
    """Queue again what may not go yet: it counts for no try."""
    until = now() + HELD_FOR
    return _change(
        message, worker, status=MessageStatus.QUEUED, claimed_until=None, send_after=until, outcome=reason[:300]
    )


@atomic
def fail(message: Message, *, worker: str, reason: str) -> bool:
    """Record that the server will never take it, in the server's words."""
    return _change(
        message, worker, status=MessageStatus.FAILED, claimed_until=None, outcome=reason[:300], tries=Message.tries + 1
    )


@atomic
def postpone(message: Message, *, worker: str, reason: str) -> bool:
    """Queue it again after a growing wait; give up after three days."""
    if message.tries >= FEWEST_TRIES and now() - message.created_at > GIVE_UP_AFTER:
        return _change(message, worker, status=MessageStatus.FAILED, claimed_until=None, outcome=reason[:300])
    return _change(
        message,
        worker,
        status=MessageStatus.QUEUED,
        claimed_until=None,
        send_after=now() + wait_after(message.tries),
        tries=Message.tries + 1,
        outcome=reason[:300],
    )


@atomic
def give_back(message: Message, *, worker: str, wait: timedelta) -> bool:
    """Queue again what has not been tried: it counts for nothing."""
    return _change(message, worker, status=MessageStatus.QUEUED, claimed_until=None, send_after=now() + wait)


def wait_after(tries: int) -> timedelta:
    """Return how long to wait after this many tries before."""
    return WAITS[tries] if tries < len(WAITS) else LONGEST_WAIT


@atomic
def resend(message: Message, *, by: Any) -> None:
    """Queue a failed message again. Raises Refused for any other."""
    refuse_unless(message.status is MessageStatus.FAILED, "Only a message that failed can be sent again.")
    message.status, message.send_after, message.tries, message.created_at = MessageStatus.QUEUED, now(), 0, now()
    audit.record("sent a message again", "message", message.id, by=by, area_id=message.area_id)


def _change(message: Message, worker: str, **values: Any) -> bool:
    """Change the row if it is still ours: an UPDATE that must change exactly one row."""
    mine = sa.and_(Message.id == message.id, Message.status == MessageStatus.CLAIMED, Message.claimed_by == worker)
    result = db.session.execute(
        sa.update(Message).where(mine).values(**values).execution_options(synchronize_session=False)
    )
    return bool(result.rowcount == 1)  # type: ignore[attr-defined]
