"""The outbox."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from booking.core.db import Base, choice


class MessageStatus(StrEnum):
    """The life of a message."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


def _newest_of(name: str, condition: str) -> sa.Index:
    """Return the index of an area's messages of a kind to which few of all belong."""
    these, columns = sa.text(condition), ("area_id", "created_at", "id")
    return sa.Index(f"ix_messages_newest_{name}", *columns, sqlite_where=these, postgresql_where=these)


class Message(Base):
    """One e-mail to one recipient."""

    __tablename__ = "messages"
    __table_args__ = (
        sa.CheckConstraint("tries >= 0", name="tries"),
        sa.Index("ix_messages_due", "status", "send_after"),
        # The outbox of an area, the newest first: all of it, what one address had, and what there is little of.
        sa.Index("ix_messages_newest", "area_id", "created_at", "id"),
        # PostgreSQL compares by bytes here: only then does the beginning of an address lead to those that have it.
        sa.Index(
            "ix_messages_newest_to",
            "area_id",
            "to_email",
            "created_at",
            "id",
            postgresql_ops={"to_email": "varchar_pattern_ops"},
        ),
        _newest_of("failed", "status = 'failed'"),
        _newest_of("dropped", "status = 'dropped'"),
        _newest_of("live", "status IN ('queued', 'claimed')"),
        # How many went within the last minute; what is old enough to lose its body.
        sa.Index("ix_messages_tried_at", "tried_at"),
        sa.Index(
            "ix_messages_with_body",
            "created_at",
            sqlite_where=sa.text("has_body = 1"),  # as SQLite is asked: it takes no index for less than that
            postgresql_where=sa.text("has_body"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("areas.id"))
    kind: Mapped[str] = mapped_column(sa.String(40))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id"), index=True)
    to_email: Mapped[str] = mapped_column(sa.String(254), index=True)
    to_name: Mapped[str] = mapped_column(sa.String(200))
    from_name: Mapped[str] = mapped_column(sa.String(200))
    reply_to: Mapped[str | None] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(300))
    text: Mapped[str] = mapped_column(sa.Text)
    html: Mapped[str] = mapped_column(sa.Text)
    calendar: Mapped[str | None] = mapped_column(sa.Text)
    calendar_method: Mapped[str | None] = mapped_column(sa.String(10))
    message_id: Mapped[str] = mapped_column(sa.String(200), unique=True)
    automatic: Mapped[bool] = mapped_column(default=True)
    # Where a mail client's own button unsubscribes (RFC 8058).
    unsubscribe: Mapped[str | None] = mapped_column(sa.String(300))
    # Which list it belongs to, where it is one of many alike (RFC 2919): readers sort their mail by it.
    list_id: Mapped[str | None] = mapped_column(sa.String(200))
    priority: Mapped[int] = mapped_column(sa.SmallInteger)
    status: Mapped[MessageStatus] = mapped_column(choice(MessageStatus), default=MessageStatus.QUEUED)
    created_at: Mapped[datetime]
    send_after: Mapped[datetime]
    # Such as a sign-in code that has run out: it is dropped rather than sent too late.
    useless_after: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(sa.String(40))
    claimed_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(sa.String(300))
    # What it said is not kept for ever: text, HTML and calendar part are emptied.
    has_body: Mapped[bool] = mapped_column(default=True, server_default=sa.true())


class AddressPutAside(Base):
    """An address that the mail server does not know: nothing goes there until somebody says so, or it answers."""

    __tablename__ = "addresses_put_aside"
    __table_args__ = (sa.Index("ix_addresses_put_aside_since", "since"),)

    email: Mapped[str] = mapped_column(sa.String(254), primary_key=True)
    since: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(300))


class MailScope(StrEnum):
    """What is counted apart: a limit of private mail tells nobody, and no other mail keeps anybody from signing in."""

    PUBLIC = "public"
    PRIVATE = "private"
    SIGN_IN = "sign-in"


class AskedMail(Base):
    """One mail that a public act asked for: to whom and from where, as keyed hashes. Kept for a day."""

    __tablename__ = "asked_mails"
    __table_args__ = (
        sa.Index("ix_asked_mails_recipient", "recipient", "asked_at"),
        sa.Index("ix_asked_mails_origin", "origin", "asked_at"),
        sa.Index("ix_asked_mails_asked_at", "asked_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(sa.String(64))
    # None where a session had proved its address.
    origin: Mapped[str | None] = mapped_column(sa.String(64))
    scope: Mapped[MailScope] = mapped_column(choice(MailScope))
    asked_at: Mapped[datetime]
