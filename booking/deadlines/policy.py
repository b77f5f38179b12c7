"""What counts as late, and what an answer makes of a return. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from booking.deadlines.models import Answer, ReturnStatus

MINUTE = timedelta(minutes=1)
# What closes later than this is not on anybody's mind yet.
SOON = timedelta(weeks=4)


class Said(StrEnum):
    """What a school says, or an organiser for it."""

    SUBMITTED = "submitted"
    NOTHING = "nothing"
    NOT_THIS_YEAR = "not-this-year"
    EXCUSED = "excused"
    OUTSTANDING = "outstanding"


STATUS_OF = {
    Said.SUBMITTED: ReturnStatus.SUBMITTED,
    Said.NOTHING: ReturnStatus.NOTHING,
    Said.NOT_THIS_YEAR: ReturnStatus.NOTHING,
    Said.EXCUSED: ReturnStatus.EXCUSED,
    Said.OUTSTANDING: ReturnStatus.OUTSTANDING,
}
# What a school itself may say: an excuse is given, and an answer is not taken back.
OF_A_SCHOOL = {
    Answer.REQUIRED: (Said.SUBMITTED, Said.NOTHING),
    Answer.OPTIONAL: (Said.SUBMITTED, Said.NOTHING, Said.NOT_THIS_YEAR),
    Answer.NONE: (),
}
OF_AN_ORGANISER = {
    Answer.REQUIRED: (Said.SUBMITTED, Said.NOTHING, Said.EXCUSED, Said.OUTSTANDING),
    Answer.OPTIONAL: (Said.SUBMITTED, Said.NOTHING, Said.NOT_THIS_YEAR, Said.EXCUSED, Said.OUTSTANDING),
    Answer.NONE: (),
}


def is_late(answered_at: datetime | None, closes_at: datetime) -> bool:
    """Tell whether an answer came after the closing minute: 5pm is still in time, a minute past is not."""
    return answered_at is not None and answered_at >= closes_at + MINUTE


def is_soon(day: date, today: date) -> bool:
    """Tell whether a closing date is near enough, or over, to stand before all others."""
    return day - today <= SOON


class HasStatus(Protocol):
    """Whatever has the status of a return, and when it was answered."""

    status: ReturnStatus
    answered_at: datetime | None
    number: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many schools stand where. `answered` are those of whom nothing is awaited any more."""

    owed: int = 0
    submitted: int = 0
    nothing: int = 0
    excused: int = 0
    outstanding: int = 0
    late: int = 0
    # How many applications or forms in all.
    number: int = 0

    @property
    def answered(self) -> int:
        """How many have submitted or said that there is nothing."""
        return self.submitted + self.nothing


def progress(returns: Iterable[HasStatus], *, closes_at: datetime) -> Progress:
    """Count how many stand where."""
    found = list(returns)
    count = {status: sum(one.status is status for one in found) for status in ReturnStatus}
    submitted = [one for one in found if one.status is ReturnStatus.SUBMITTED]
    return Progress(
        owed=len(found) - count[ReturnStatus.EXCUSED],
        submitted=count[ReturnStatus.SUBMITTED],
        nothing=count[ReturnStatus.NOTHING],
        excused=count[ReturnStatus.EXCUSED],
        outstanding=count[ReturnStatus.OUTSTANDING],
        late=sum(is_late(one.answered_at, closes_at) for one in submitted),
        number=sum(one.number or 0 for one in submitted),
    )
