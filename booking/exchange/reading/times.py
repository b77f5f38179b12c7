"""Times as people type them: `9.30-10.30`, `130-3pm`, `1pm- 2pm`, `by noon`, `Workshop 4.3.30pm`."""

import re
from dataclasses import dataclass
from datetime import time

_ONE = r"(?P<h{n}>\d{{1,2}})(?:[.:](?P<m{n}>\d{{2}}))?\s*(?P<half{n}>[ap]\.?m\.?\b)?"
_COMPACT = r"(?P<c>\d{3,4})"
_TO = r"\s*(?:-|–|—|to|until)\s*"
_RANGE = re.compile(rf"(?<![\d.:/]){_ONE.format(n=1)}{_TO}{_ONE.format(n=2)}(?![\d/])", re.IGNORECASE)
_COMPACT_RANGE = re.compile(rf"(?<![\d.:/]){_COMPACT}{_TO}{_ONE.format(n=2)}(?![\d/])", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?<![\d.:/])(?P<n>\d{1,2})\.(?P<h>\d{1,2})[.:](?P<m>\d{2})\s*(?P<half>[ap]\.?m\.?\b)", re.IGNORECASE
)
_SINGLE = re.compile(r"(?<![\d.:/])(?P<h>\d{1,2})(?:[.:](?P<m>\d{2}))?\s*(?P<half>[ap]\.?m\.?\b)", re.IGNORECASE)
_BARE = re.compile(r"(?<![\d.:/])(?P<h>\d{1,2})[.:](?P<m>\d{2})(?![\d.:/])")
_NOON = re.compile(r"\b(?:12\s*)?(?:noon|midday)\b", re.IGNORECASE)
_LEAD = re.compile(r"(?:\b(?:by|at|from|before)\s+|@\s*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundTime:
    """A time in a text: the text without it, start and end, or that it can be read in two ways."""

    rest: str
    start: time | None
    end: time | None = None
    ambiguous: bool = False
    likely: time | None = None


def find_time(text: str) -> FoundTime | None:
    """Return the first time in a text, or None. Hours 1 to 6 without am or pm are afternoon."""
    for reader in (_numbered, _range, _compact_range, _noon, _single, _bare):
        found = reader(text)
        if found:
            return found
    return None


def _numbered(text: str) -> FoundTime | None:
    """Read `Workshop 4.3.30pm`: number 4, at 3.30 pm."""
    match = _NUMBERED.search(text)
    at = match and _clock(match["h"], match["m"], match["half"])
    if not match or at is None:
        return None
    return FoundTime(text[: match.start()] + match["n"] + " " + text[match.end() :], at)


def _range(text: str) -> FoundTime | None:
    for match in _RANGE.finditer(text):
        if not (match["m1"] or match["half1"] or match["m2"] or match["half2"]):
            continue  # `Years 5-6` are no hours
        if not match["half1"] and not match["m1"] and not match["half2"]:
            continue
        half1, half2 = match["half1"], match["half2"]
        end = _clock(match["h2"], match["m2"], half2)
        start = _clock(match["h1"], match["m1"], half1 or _same_half(match["h1"], match["h2"], half2))
        if start and end and start < end:
            return FoundTime(_without(text, match), start, end)
    return None


def _same_half(first: str, second: str, half: str | None) -> str | None:
    """Return the half of the day of the first hour: that of the second, unless it is the later number."""
    if half and half[0].lower() == "p" and int(first) % 12 > int(second) % 12:
        return "am"
    return half


def _compact_range(text: str) -> FoundTime | None:
    """Read `130-3pm`."""
    match = _COMPACT_RANGE.search(text)
    if not match or not (match["half2"] or match["m2"]):
        return None
    hour, minute = match["c"][:-2], match["c"][-2:]
    start = _clock(hour, minute, _same_half(hour, match["h2"], match["half2"]))
    end = _clock(match["h2"], match["m2"], match["half2"])
    return FoundTime(_without(text, match), start, end) if start and end and start < end else None


def _noon(text: str) -> FoundTime | None:
    match = _NOON.search(text)
    return FoundTime(_without(text, match), time(12, 0)) if match else None


def _single(text: str) -> FoundTime | None:
    for match in _SINGLE.finditer(text):
        at = _clock(match["h"], match["m"], match["half"])
        if at:
            return FoundTime(_without(text, match), at)
        if match["m"] and 13 <= int(match["h"]) <= 23 and int(match["m"]) < 60:
            # `Workshop 13.30pm`: Workshop 1 at 3.30 pm, or 13.30.
            likely = _clock(match["h"][1:], match["m"], match["half"])
            return FoundTime(_without(text, match), None, ambiguous=True, likely=likely)
    return None


def _bare(text: str) -> FoundTime | None:
    for match in _BARE.finditer(text):
        at = _clock(match["h"], match["m"], None)
        if at:
            return FoundTime(_without(text, match), at)
    return None


def _without(text: str, match: re.Match[str]) -> str:
    before = text[: match.start()]
    lead = _LEAD.search(before)
    return (before[: lead.start()] if lead else before) + " " + text[match.end() :]


def _clock(hour: str, minute: str | None, half: str | None) -> time | None:
    """Return the time; None for what is none, such as 13.30 pm."""
    number, minutes = int(hour), int(minute or 0)
    if half:
        if not 1 <= number <= 12:
            return None
        number = number % 12 + (12 if half[0].lower() == "p" else 0)
    elif 1 <= number <= 6:
        number += 12
    return time(number, minutes) if number < 24 and minutes < 60 else None
