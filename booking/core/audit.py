"""The audit log: what organisers do, and whose data they open."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from booking.core.clock import now
from booking.core.db import Base, atomic, db


class AuditEntry(Base):
    """One line of the log. It is only ever added to."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index("ix_audit_entries_area_id_at", "area_id", "at"),
        sa.Index("ix_audit_entries_of_subject", "subject", "subject_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("areas.id"))
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"), index=True)
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    action: Mapped[str] = mapped_column(sa.String(60))
    subject: Mapped[str] = mapped_column(sa.String(30))
    subject_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


def record(
    action: str,
    subject: str,
    subject_id: int | None,
    *,
    by: Any,
    area_id: int | None,
    **detail: Any,
) -> None:
    """Add a line to the log in the transaction under way. `by` is a Person, or None for the program itself."""
    db.session.add(
        AuditEntry(
            at=now(),
            area_id=area_id,
            actor_id=by.id if by else None,
            actor_name=by.name if by else "the program",
            action=action,
            subject=subject,
            subject_id=subject_id,
            detail=detail,
        )
    )


@atomic
def record_opened(action: str, subject: str, subject_id: int | None, *, by: Any, area_id: int, **detail: Any) -> None:
    """Add a line in a transaction of its own: somebody's data was opened, and nothing changed."""
    record(action, subject, subject_id, by=by, area_id=area_id, **detail)
