"""What a reading is made of."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from booking.calendar.terms import HalfTerm

# Remarks tell something and are no alarm.
REMARKS = frozenset({"time-missing", "unknown-category"})


@dataclass(frozen=True, slots=True)
class Issue:
    """Something odd about an entry; `suggestion` is the value that would resolve it."""

    code: str
    message: str
    suggestion: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the contract writes it."""
        return {"code": self.code, "message": self.message, "suggestion": self.suggestion}


@dataclass(slots=True)
class Entry:
    """One dated thing, as read: the source's own words, and what they were taken to mean. Nothing is corrected."""

    text: str
    where: str
    title: str
    date: dt.date | None = None
    start: dt.time | None = None
    end: dt.time | None = None
    kind: str = "session"
    category: str | None = None
    venue: str | None = None
    audience: list[str] = field(default_factory=list)
    capacity: int | None = None
    visibility: str | None = None
    issues: list[Issue] = field(default_factory=list)
    # What only our own table has; not in the JSON.
    per_school: int | None = None
    closes: dt.datetime | None = None
    closes_has_time: bool = False

    @property
    def raises_alarm(self) -> bool:
        """Tell whether somebody should look at it before it is published."""
        return any(issue.code not in REMARKS for issue in self.issues)

    @property
    def suggested_date(self) -> dt.date | None:
        """The date that an issue suggests, where one does."""
        for issue in self.issues:
            if issue.code.startswith("date-") and issue.suggestion:
                return dt.date.fromisoformat(issue.suggestion)
        return None

    def to_json(self) -> dict[str, Any]:
        """Return it as the contract writes it."""
        return {
            "text": self.text,
            "where": self.where,
            "title": self.title,
            "date": self.date.isoformat() if self.date else None,
            "start": f"{self.start:%H:%M}" if self.start else None,
            "end": f"{self.end:%H:%M}" if self.end else None,
            "kind": self.kind,
            "category": self.category,
            "venue": self.venue,
            "audience": self.audience,
            "capacity": self.capacity,
            "visibility": self.visibility,
            "issues": [issue.to_json() for issue in self.issues],
        }


@dataclass(slots=True)
class Reading:
    """A whole file as read."""

    file: str
    layout: str
    entries: list[Entry]
    problems: list[Issue] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as the contract writes it."""
        return {
            "file": self.file,
            "layout": self.layout,
            "entries": [entry.to_json() for entry in self.entries],
            "problems": [problem.to_json() for problem in self.problems],
        }


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the file; all of it may be missing."""

    categories: Collection[str] | None = None
    venues: Collection[str] = ()
    terms: Collection[HalfTerm] = ()
    year: int | None = None
