"""The life of a message: claimed, then sent, dropped, failed, or queued again. Each step is one transaction."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from booking.core import audit
from booking.core.clock import now
from booking.core.db import Base, Run, atomic, db, take_turns
from booking.core.errors import refuse_unless
from booking.notifications.models import AddressPutAside, Message, MessageStatus
from booking.notifications.queries import COPY, is_aside, is_copied, next_in_turn, under_way

LEASE = timedelta(minutes=4)
# The first three together stay under eight minutes; later ones grow to an hour.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 10, 20, 40))
LONGEST_WAIT = timedelta(hours=1)
# Given up after three days, but not before it was tried for some hours: the scheduler may have been away itself.
GIVE_UP_AFTER = timedelta(days=3)
FEWEST_TRIES = 10
MINUTE = timedelta(minutes=1)
# For so long somebody may ask what a mail said; who got which mail when is kept.
KEEP_BODIES = timedelta(days=90)
FORGET_AT_ONCE = 1_000
NO_BODY: dict[str, Any] = {"text": "", "html": "", "calendar": None, "has_body": False}
COPIED: tuple[str, ...] = ("area_id", "event_id", "to_email", "to_name", "from_name", "reply_to", "subject")
COPIED += (
    "text",
    "html",
    "calendar",
    "calendar_method",
    "automatic",
    "unsubscribe",
    "list_id",
    "priority",
    "useless_after",
)
# How soon a message that is held is looked at again.
HELD_FOR = timedelta(minutes=5)
_MESSAGES = Base.metadata.tables[Message.__tablename__]
# The row if it is still ours. Built once: that takes longer than to carry it out, with what is to be set. A claim that
# is over has no end: asked for its status, PostgreSQL may go through all that were ever claimed.
_OURS = sa.update(_MESSAGES).where(
    _MESSAGES.c.id == sa.bindparam("message"),
    _MESSAGES.c.claimed_until.is_not(None),
    _MESSAGES.c.claimed_by == sa.bindparam("worker"),
)


@atomic
def claim(*, worker: str, limit: int, per_minute: int = 0) -> list[Message]:
    """Take what is due, so that nobody else does, for the length of a lease. What a dead worker had is due again.

    With `per_minute`, no more than what may still go within the minute, counted over all workers.
    """
    if per_minute:
        take_turns("mail of this minute")
        limit = min(limit, per_minute - under_way(since=now() - MINUTE, at=now()))
        if limit <= 0:
            return []
    taken = db.session.scalars(
        sa.update(Message)
        .where(Message.id.in_(next_in_turn(now(), limit=limit).scalar_subquery()))
        .values(status=MessageStatus.CLAIMED, claimed_by=worker, claimed_until=now() + LEASE)
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    for message in taken:  # what is read of it from now on costs no statement
        db.session.expunge(message)
    return sorted(taken, key=lambda message: (message.priority, message.send_after, message.id))


def confirm(message: Message, *, worker: str, run: Run) -> bool:
    """Prolong the lease of a message that is about to be sent. Returns whether it is still this worker's.

    Another may have taken it: by a clock that is ahead of ours, or after we were held up longer than a lease.
    """
    return run(_OURS, _change_to(message, worker, claimed_until=now() + LEASE)) == 1


def mark_sent(message: Message, *, worker: str, run: Run, forget: bool = False) -> bool:
    """Record that the server took it, in one statement by itself; `forget` keeps nothing of what it said."""
    sent = {"status": MessageStatus.SENT, "sent_at": now(), "tried_at": now(), "tries": message.tries + 1}
    said = {"subject": "Sign-in code", **NO_BODY} if forget else {}
    return run(_OURS, _change_to(message, worker, **sent, claimed_until=None, outcome=None, **said)) == 1


@atomic
def take_back(email: str) -> bool:
    """Use an address again that was put aside. Returns whether it was."""
    found = db.session.execute(sa.delete(AddressPutAside).where(AddressPutAside.email == email))
    return bool(found.rowcount)  # type: ignore[attr-defined]


@atomic
def drop(message: Message, *, worker: str, reason: str) -> bool:
    """Record why it does not go any more."""
    return _change(message, worker, status=MessageStatus.DROPPED, claimed_until=None, outcome=reason[:300])


@atomic
def hold(message: Message, *, worker: str, reason: str) -> bool:
    """Queue again what may not go yet: it counts for no try, and what was tried before begins anew afterwards."""
    return _change(
        message,
        worker,
        status=MessageStatus.QUEUED,
        claimed_until=None,
        send_after=now() + HELD_FOR,
        tries=0,
        outcome=reason[:300],
    )


@atomic
def fail(message: Message, *, worker: str, reason: str, put_aside: bool = False) -> bool:
    """Record that the server will never take it, in the server's words; `put_aside` where its address is at fault."""
    if put_aside:
        take_turns("addresses put aside")  # two workers may learn of it at once
    if put_aside and not is_aside(message.to_email):
        db.session.add(AddressPutAside(email=message.to_email, since=now(), reason=reason[:300]))
    return _change(
        message,
        worker,
        status=MessageStatus.FAILED,
        claimed_until=None,
        tried_at=now(),
        outcome=reason[:300],
        tries=message.tries + 1,
    )


@atomic
def leave_aside(message: Message, *, worker: str, aside: AddressPutAside) -> bool:
    """Record that it was not even tried: its address has been put aside."""
    reason = f"Not tried, as the address was put aside on {aside.since:%d %B %Y}: {aside.reason}"
    return _change(message, worker, status=MessageStatus.FAILED, claimed_until=None, outcome=reason[:300])


@atomic
def postpone(message: Message, *, worker: str, reason: str) -> bool:
    """Queue it again after a growing wait; give up after three days."""
    if message.tries >= FEWEST_TRIES and now() - message.created_at > GIVE_UP_AFTER:
        return _change(
            message, worker, status=MessageStatus.FAILED, claimed_until=None, tried_at=now(), outcome=reason[:300]
        )
    return _change(
        message,
        worker,
        status=MessageStatus.QUEUED,
        claimed_until=None,
        tried_at=now(),
        send_after=now() + wait_after(message.tries),
        tries=message.tries + 1,
        outcome=reason[:300],
    )


@atomic
def give_back(messages: Collection[Message], *, worker: str, wait: timedelta) -> int:
    """Queue again what has not been tried, after a wait: it counts for nothing. Returns how many were still ours."""
    if not messages:
        return 0
    ids = [message.id for message in messages]
    mine = (Message.id.in_(ids), Message.status == MessageStatus.CLAIMED, Message.claimed_by == worker)
    back: dict[str, Any] = {"status": MessageStatus.QUEUED, "claimed_until": None}
    if wait:  # else it keeps its turn, and is as late as it is
        back["send_after"] = now() + wait
    found = db.session.execute(
        sa.update(Message).where(*mine).values(**back).execution_options(synchronize_session=False)
    )
    return int(found.rowcount)  # type: ignore[attr-defined]


def wait_after(tries: int) -> timedelta:
    """Return how long to wait after this many tries before."""
    return WAITS[tries] if tries < len(WAITS) else LONGEST_WAIT


@atomic
def resend(message: Message, *, by: Any) -> None:
    """Queue a failed message again, or a copy of one that was sent. Raises Refused for any other.

    A copy has a Message-ID of its own: mail servers throw away what they have had. Whether a copy is still wanted,
    whoever sends it has judged. Its address is used again.
    """
    take_turns("sending again")  # pressed twice, it goes once
    db.session.refresh(message)
    reason = why_it_cannot_go_again(message)
    refuse_unless(reason is None, reason or "")
    take_back(message.to_email)
    if message.status is MessageStatus.FAILED:
        message.status, message.send_after, message.tries, message.created_at = MessageStatus.QUEUED, now(), 0, now()
        message.outcome = None
    else:
        copied = {name: getattr(message, name) for name in COPIED}
        domain = message.message_id.rpartition("@")[2].rstrip(">")
        again = Message(**copied, kind=COPY, message_id=f"<{uuid4()}@{domain}>", created_at=now(), send_after=now())
        db.session.add(again)
    audit.record("sent a message again", "message", message.id, by=by, area_id=message.area_id)


def why_it_cannot_go_again(message: Message) -> str | None:
    """Return why a message cannot be sent again, in a sentence, or None where it can."""
    if message.status not in {MessageStatus.FAILED, MessageStatus.SENT}:
        return "Only a message that failed or was sent can be sent again."
    if message.kind == "sign_in" and message.status is MessageStatus.SENT:
        return "A sign-in code is good once. They ask for a new one."
    if not message.has_body:
        return "It is too old: what it said is not kept. Write to them yourself."
    if message.useless_after is not None and message.useless_after <= now():
        return "It would come too late."
    if message.status is MessageStatus.SENT and is_copied(message):
        return "A copy of it is on its way already."
    return None


@atomic
def use_again(email: str, *, by: Any, area_id: int) -> None:
    """Let mail go to an address that was put aside."""
    if take_back(email):
        audit.record("used again an address that was put aside", "address", None, by=by, area_id=area_id, email=email)


@atomic
def forget_bodies() -> int:
    """Empty what messages said that ended long ago; what became of them is kept. Returns how many."""
    old = sa.select(Message.id).where(
        Message.has_body,
        Message.created_at < now() - KEEP_BODIES,
        Message.status.not_in([MessageStatus.QUEUED, MessageStatus.CLAIMED]),
    )
    result = db.session.execute(
        sa.update(Message)
        .where(Message.id.in_(old.order_by(Message.created_at).limit(FORGET_AT_ONCE).scalar_subquery()))
        .values(**NO_BODY)
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def _change(message: Message, worker: str, **values: Any) -> bool:
    """Change the row if it is still ours: an UPDATE that must change exactly one row."""
    return db.session.connection().execute(_OURS, _change_to(message, worker, **values)).rowcount == 1


def _change_to(message: Message, worker: str, **values: Any) -> dict[str, Any]:
    """Return what `_OURS` is carried out with. While it is ours, its tries are those it was claimed with."""
    return {"message": message.id, "worker": worker, **values}
