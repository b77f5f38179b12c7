"""How much mail public acts may cause: by recipient and by origin, counted where it is posted, whatever its kind."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app, g

from booking.core import origin as origins
from booking.core.clock import now
from booking.core.db import at_the_end, atomic, db, take_turns
from booking.core.errors import Refused
from booking.core.origin import Origin
from booking.core.text import email_key
from booking.core.tokens import secret_hash
from booking.notifications.models import AskedMail, MailScope, Message

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_IN_AN_HOUR, MOST_IN_A_DAY = 12, 40
MOST_FROM_ORIGIN = 200  # an hour, without a proved session
TOO_MANY_AT_ONCE = (
    f"That would send more than {MOST_IN_AN_HOUR} emails to one address. Sign in with that address first, or leave "
    "other people’s email addresses blank. Nothing was changed."
)
TOO_MANY_IN_AN_HOUR = (
    "We have sent a lot of email to that address in the last hour. Nothing was changed. "
    "Try again in an hour, or sign in with that address first."
)
TOO_MANY_IN_A_DAY = (
    "We have sent a lot of email to that address in the last 24 hours. Nothing was changed. "
    "Try again tomorrow, or sign in with that address first."
)
TOO_MANY_FROM_HERE = (
    "Your network has asked us for a lot of email in the last hour. Nothing was changed. "
    "Try again in an hour, or sign in first."
)


@dataclass(frozen=True, slots=True)
class _Asked:
    message: Message
    recipient: str
    scope: MailScope
    may_be_left_out: bool


@dataclass(slots=True)
class _Tally:
    """The mails that the transaction under way asks for."""

    origin: Origin
    asked: list[_Asked] = field(default_factory=list)

    def __call__(self) -> None:
        """Write these mails down, or raise Refused; leave out those that an act goes on without."""
        had = _Counts(self.origin, self.asked)
        for one in self.asked:
            why_not = had.why_not(one)
            if not why_not:
                had.add(one)
            elif one.may_be_left_out:
                _leave_out(one.message)
            else:
                raise Refused(why_not)
        had.keep()


def recipient_key(email: str) -> str:
    """Return under what a recipient is counted: `+tags` lead to one mailbox. A keyed hash."""
    local, at, domain = email_key(email).rpartition("@")
    return secret_hash("asked mail to", local.partition("+")[0].lower() + at + domain)


def count(message: Message, *, scope: MailScope) -> None:
    """Count a mail for the public act under way, when its transaction ends; without one, for nobody."""
    origin = origins.current()
    if origin is None or not current_app.config["RATELIMIT_ENABLED"]:
        return
    tally = at_the_end("asked mails", lambda: _Tally(origin))
    assert isinstance(tally, _Tally)
    # A visible limit would tell what a private event, or who signs in, has sent to somebody.
    silent = scope is MailScope.PRIVATE or bool(g.get("mail_may_be_left_out"))
    tally.asked.append(_Asked(message, recipient_key(message.to_email), scope, silent))


@contextmanager
def left_out_if_too_many() -> Iterator[None]:
    """Let acts in here go on without their mail where that is too much: nobody is kept from giving a place back."""
    was, g.mail_may_be_left_out = g.get("mail_may_be_left_out", False), True
    try:
        yield
    finally:
        g.mail_may_be_left_out = was


@atomic
def clear_old() -> int:
    """Remove what counts for nothing any more. Returns how many."""
    result = db.session.execute(sa.delete(AskedMail).where(AskedMail.asked_at < now() - DAY))
    return int(result.rowcount)  # type: ignore[attr-defined]


class _Counts:
    """What recipients and an origin have had, and what is added; others who count the same wait meanwhile."""

    def __init__(self, origin: Origin, asked: list[_Asked]) -> None:
        self._network = secret_hash("asked mail from", origin.network) if origin.network and not origin.proved else ""
        self._proved = recipient_key(origin.proved) if origin.proved else ""
        self._new: list[_Asked] = []
        recipients = {one.recipient for one in asked} - {self._proved}
        for key in sorted(recipients | ({self._network} - {""})):
            take_turns(f"asked mail {key}")
        self._wanted = Counter((one.recipient, one.scope) for one in asked)
        self._in_hour = _had(AskedMail.recipient, recipients, now() - HOUR)
        self._in_day = _had(AskedMail.recipient, recipients, now() - DAY)
        self._from_here = _had(AskedMail.origin, {self._network} - {""}, now() - HOUR)

    def why_not(self, one: _Asked) -> str:
        """Return why this is one mail too many; nothing for that it may go."""
        key = (one.recipient, one.scope)
        if self._network and self._from_here[self._network, one.scope] >= MOST_FROM_ORIGIN:
            return TOO_MANY_FROM_HERE
        if one.recipient == self._proved:
            return ""
        if self._wanted[key] > MOST_IN_AN_HOUR:
            return TOO_MANY_AT_ONCE
        if self._in_hour[key] >= MOST_IN_AN_HOUR:
            return TOO_MANY_IN_AN_HOUR
        return TOO_MANY_IN_A_DAY if self._in_day[key] >= MOST_IN_A_DAY else ""

    def add(self, one: _Asked) -> None:
        """Count one that goes."""
        for counts in (self._in_hour, self._in_day):
            counts[one.recipient, one.scope] += 1
        self._from_here[self._network, one.scope] += 1
        self._new.append(one)

    def keep(self) -> None:
        """Write down what goes. Nobody is counted by what they asked for themselves, signed in."""
        counted = [one for one in self._new if one.recipient != self._proved]
        db.session.add_all(
            AskedMail(recipient=one.recipient, origin=self._network or None, scope=one.scope, asked_at=now())
            for one in counted
        )


def _had(column: sa.orm.InstrumentedAttribute[Any], keys: set[str], since: datetime) -> Counter[tuple[str, MailScope]]:
    if not keys:
        return Counter()
    rows = db.session.execute(
        sa.select(column, AskedMail.scope, sa.func.count())
        .where(column.in_(keys), AskedMail.asked_at > since)
        .group_by(column, AskedMail.scope)
    )
    return Counter({(key, scope): number for key, scope, number in rows})


def _leave_out(message: Message) -> None:
    if sa.inspect(message).pending:
        db.session.expunge(message)
    else:
        db.session.delete(message)
