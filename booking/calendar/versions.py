"""The calendar's version: raised in the transaction of every change that a calendar or a feed shows.

It is what feeds and the year line are cached by, so no action has to remember it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from booking.calendar.models import Audience, Category, Event, Term, Venue
from booking.core.clock import now
from booking.directory.models import Area

SHOWN = (Area, Event, Category, Audience, Venue, Term)
# What a booking writes to its event, and the version itself: no calendar shows it.
NOT_SHOWN = {
    "taken",
    "last_position",
    "lock_count",
    "revision",
    "settle_at",
    "promotion_paused",
    "calendar_version",
    "calendar_changed_at",
}


def watch(session: Any) -> None:
    """Raise the version of an area with every flush of something its calendar shows; once for each session."""
    if not event.contains(session, "before_flush", _raise_versions):
        event.listen(session, "before_flush", _raise_versions)


def _raise_versions(session: Session, _context: object, _instances: object) -> None:
    areas = {_area_of(row) for row in (*session.new, *session.dirty, *session.deleted) if _is_shown(session, row)}
    for area_id in sorted(area_id for area_id in areas if area_id is not None):
        values = {"calendar_version": Area.calendar_version + 1, "calendar_changed_at": now()}
        session.connection().execute(sa.update(Area).where(Area.id == area_id).values(values))


def _area_of(row: Any) -> int | None:
    found: int | None = row.id if isinstance(row, Area) else row.area_id
    return found


def _is_shown(session: Session, row: object) -> bool:
    if not isinstance(row, SHOWN):
        return False
    if row in session.new or row in session.deleted:
        return True
    state: Any = sa.inspect(row)
    return any(attribute.history.has_changes() for attribute in state.attrs if attribute.key not in NOT_SHOWN)
