"""Signs of life of processes that nobody looks at."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from booking.core.clock import now
from booking.core.db import Base, atomic, db, take_turns

# Under which name the scheduler writes down that it runs, and how far behind it may be.
HEARTBEAT = "scheduler"
MOST_BEHIND = timedelta(minutes=10)


class Heartbeat(Base):
    """When a job last ran to its end, in any process."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    at: Mapped[datetime]


@atomic
def beat(name: str) -> None:
    """Write down that this job has just run to its end."""
    take_turns(f"heartbeat {name}")  # schedulers that start at once would all add the first one
    known = db.session.get(Heartbeat, name)
    if known is None:
        db.session.add(Heartbeat(name=name, at=now()))
    else:
        known.at = now()


def last_beat(name: str) -> datetime | None:
    """Return when this job last ran to its end, or None if it never did."""
    return db.session.scalar(sa.select(Heartbeat.at).where(Heartbeat.name == name))
