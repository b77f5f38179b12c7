"""The calendar's version: raised in the transaction of every change that a calendar or a feed shows.

It is what feeds and the year line are cached by, so no action has to remember it.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from booking.calendar.models import Audience, Category, Event, Term, Venue
from booking.directory.models import Area

SHOWN = (Event, Category, Audience, Venue, Term)
# What a booking writes to its event: no calendar shows it.
NOT_SHOWN = {"taken", "last_position", "lock_count", "revision"}


def watch(session: Any) -> None:
    """Raise the version of an area with every flush of something its calendar shows."""
    event.listen(session, "before_flush", _raise_versions)


def _raise_versions(session: Session, _context: object, _instances: object) -> None:
    areas = {row.area_id for row in (*session.new, *session.dirty, *session.deleted) if _is_shown(session, row)}
    for area_id in sorted(area_id for area_id in areas if area_id is not None):
        raise_version = sa.update(Area).where(Area.id == area_id).values(calendar_version=Area.calendar_version + 1)
        session.connection().execute(raise_version)


def _is_shown(session: Session, row: object) -> bool:
    if not isinstance(row, SHOWN):
        return False
    if row in session.new or row in session.deleted:
        return True
    state: Any = sa.inspect(row)
    return any(attribute.history.has_changes() for attribute in state.attrs if attribute.key not in NOT_SHOWN)
