"""Times as people type them: `9.30-10.30`, `130-3pm`, `1pm- 2pm`, `by noon`, `Workshop 4.3.30pm`."""

import re
from dataclasses import dataclass
from datetime import time

_ONE = r"(?P<h{n}>\d{{1,2}})(?:[.:](?P<m{n}>\d{{2}}))?\s*(?P<half{n}>[ap]\.?m\.?\b)?"
_COMPACT = r"(?P<c>\d{3,4})"
_TO = r"\s*(?:-|–|—|to|until|['’]?till?)\s*"
_RANGE = re.compile(rf"(?<![\d.:/]){_ONE.format(n=1)}{_TO}{_ONE.format(n=2)}(?![\d/])", re.IGNORECASE)
_COMPACT_RANGE = re.compile(rf"(?<![\d.:/]){_COMPACT}{_TO}{_ONE.format(n=2)}(?![\d/])", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?<![\d.:/])(?P<n>\d{1,2})\.(?P<h>\d{1,2})[.:](?P<m>\d{2})\s*(?P<half>[ap]\.?m\.?\b)", re.IGNORECASE
)
_SINGLE = re.compile(r"(?<![\d.:/])(?P<h>\d{1,2})(?:[.:](?P<m>\d{2}))?\s*(?P<half>[ap]\.?m\.?\b)", re.IGNORECASE)
_BARE = re.compile(r"(?<![\d.:/])(?P<h>\d{1,2})[.:](?P<m>\d{2})(?![\d.:/])")
# Hours without am or pm: `10-11.30`, `9-11`, `1000-1130`, `at 2`. What stands before them may be what they number.
_HOURS_APART = re.compile(
    rf"(?<![\w.:/£–—-])(?P<h1>\d{{1,2}})(?P<to>{_TO})(?P<h2>\d{{1,2}})(?:[.:](?P<m2>\d{{2}}))?"
    r"(?![\w/]|[.:–—-]\s?\d|\s*%)(?!\s*-?\s*(?:year|yr)s?\b(?!\s+\d)|\s+(?:months|weeks|days|hours|hrs|min(?:ute)?s|places|"
    r"people|pupils|children|schools|settings|delegates|sessions|seats|spaces|tickets|tables)\b)",
    re.IGNORECASE,
)
_FOUR_FIGURES = re.compile(rf"(?<![\w.:/£])(?P<c1>\d{{3,4}}){_TO}(?P<c2>\d{{4}})(?!\w|[./:-]\d)", re.IGNORECASE)
_AT_AN_HOUR = re.compile(
    r"(?:\b(?:at|from|by)\s+|@\s*)(?P<h>\d{1,2})(?:\s*o['’]?clock)?(?=\s*(?:$|(?:in|on|with|via)\b|[,;)(]|[–—-]\s|\.(?!\d)))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:years?|yrs?|ages?|aged|key\s+stages?|ks|levels?|parts?|modules?|units?|phases?|stages?|steps?|terms?|weeks?|"
    r"class(?:es)?|cohorts?|tiers?|bands?|rooms?|numbers?|nos?\.?|under|pages?|places)\s*$",
    re.IGNORECASE,
)
_NUMBERED_MEETING = re.compile(r"\b(?:panel|workshop|circle|group|session)\s*$", re.IGNORECASE)
_MANY = re.compile(
    r"\b(?:panel|workshop|circle|group|session|forum|meeting|training|course|briefing|network|programme|webinar|event|"
    r"visit|review|conference|day)s\s*$",
    re.IGNORECASE,
)
HIGHEST_NUMBER = 6  # `Workshop 6-7.30` may be the sixth, `Workshop 9-11.30` is no ninth
_NOON = re.compile(r"\b(?:12\s*)?(?:noon|midday)\b", re.IGNORECASE)
_LEAD = re.compile(r"(?:\b(?:by|at|from|before)\s+|@\s*)$", re.IGNORECASE)
_NOON_OF_A_RANGE = re.compile(
    rf"(?P<before>\d{_TO}|\d\s*[ap]\.?m\.?{_TO})(?:12\s*)?(?:noon|midday)\b|\b(?:12\s*)?(?:noon|midday)(?={_TO}\d)",
    re.IGNORECASE,
)
# What fills a cell under Start needs no marks to be a time: `9`, `0930`, `9-11`; `9.3` is 9.30 stored as a number.
_WHOLE_ONE = r"(?P<h{n}>\d{{1,2}})(?:[.:h]?(?P<m{n}>[0-5]\d)|\.(?P<tens{n}>[1-5]))?\s*(?P<half{n}>[ap]\.?m\.?)?"
_WHOLE = re.compile(
    rf"(?:(?:from|at|by)\s+|(?P<between>between\s+)|@\s*)?{_WHOLE_ONE.format(n=1)}"
    rf"(?:(?:{_TO}|\s+till?\s+|(?(between)\s+and\s+|(?!))){_WHOLE_ONE.format(n=2)})?",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s{3,}")  # a run of thousands would be gone through once for each
_SECONDS = re.compile(r"(?<=\d:\d{2}):\d{2}(?:\.\d+)?Z?\b")
_HOURS = re.compile(r"(?<=\d)\s*(?:hrs?|hours|h|o['’]?clock)\b", re.IGNORECASE)


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
    text = _SPACES.sub(" ", text)
    for reader in _READERS:
        found = reader(text)
        if found:
            return found
    return None


def read_time(text: str) -> FoundTime | None:
    """Return the time that a whole cell says, or the one among its words; two times that are no range are ambiguous."""
    text = _HOURS.sub("", _SECONDS.sub("", _noon_as_number(_SPACES.sub(" ", text.strip()))))
    match = _WHOLE.fullmatch(text.rstrip("."))
    found = (match and _whole(match)) or find_time(text)
    if found and not found.ambiguous and find_time(found.rest):
        return FoundTime(found.rest, None, ambiguous=True, likely=found.start)
    return found


def _whole(match: re.Match[str]) -> FoundTime | None:
    first, last = _minutes(match, 1), _minutes(match, 2)
    if match["h2"]:
        return _between(match, first, last, "")
    at = _clock(match["h1"], first, match["half1"])
    return FoundTime("", at) if at else None


def _minutes(match: re.Match[str], number: int) -> str | None:
    tens = match[f"tens{number}"]
    return f"{tens}0" if tens else match[f"m{number}"]


def join_times(first: str, last: str) -> FoundTime | None:
    """Return what the cells under Start and End say together; ambiguous where they contradict each other.

    An end alone is ambiguous too, and has its end.
    """
    together = read_time(f"{first} - {last}") if _WHOLE.fullmatch(f"{first.strip()}-{last.strip()}") else None
    if together and together.end:
        return together
    begins, ends = read_time(first) if first else None, read_time(last) if last else None
    if ends is None:
        return begins
    if begins is None:
        return FoundTime("", None, ends.start, ambiguous=True)
    if begins.ambiguous or ends.ambiguous or begins.start is None or ends.start is None:
        return FoundTime("", None, ambiguous=True, likely=begins.likely or begins.start)
    if ends.start <= begins.start or (begins.end and begins.end != ends.start):
        return FoundTime("", None, ambiguous=True, likely=begins.start)
    return FoundTime("", begins.start, ends.start)


def _numbered(text: str) -> FoundTime | None:
    """Read `Workshop 4.3.30pm`: number 4, at 3.30 pm."""
    match = _NUMBERED.search(text)
    at = match and _clock(match["h"], match["m"], match["half"])
    if not match or at is None:
        return None
    return FoundTime(text[: match.start()] + match["n"] + " " + text[match.end() :], at)


def _noon_as_number(text: str) -> str:
    """Write the noon of a range as a number: `10am - noon` is 10am - 12pm."""
    return _NOON_OF_A_RANGE.sub(lambda match: (match["before"] or "") + "12pm", text)


def _range(text: str) -> FoundTime | None:
    text = _noon_as_number(text)
    for match in _RANGE.finditer(text):
        if not (match["m1"] or match["half1"] or match["m2"] or match["half2"]):
            continue  # `Years 5-6` are no hours
        if not match["half1"] and not match["m1"] and not match["half2"]:
            continue
        if found := _between(match, match["m1"], match["m2"], _without(text, match)):
            return found
    return None


def _between(match: re.Match[str], first: str | None, last: str | None, rest: str) -> FoundTime | None:
    """Return a range by its hours and these minutes, or None. `13.30-15.00pm` has a pm too many."""
    half = match["half2"] if int(match["h2"]) <= 12 else None
    half_before = match["half1"] if int(match["h1"]) <= 12 else None
    end = _clock(match["h2"], last, half)
    start = _clock(match["h1"], first, half_before or _same_half(match["h1"], match["h2"], half))
    return FoundTime(rest, start, end) if start and end and start < end else None


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


def _four_figures(text: str) -> FoundTime | None:
    """Read `1000-1130`; `2023-2024` are years."""
    for match in _FOUR_FIGURES.finditer(text):
        first, last = match["c1"], match["c2"]
        if first.startswith("20") or int(first) % 5 or int(last) % 5:
            continue
        start, end = _clock(first[:-2], first[-2:], None), _clock(last[:-2], last[-2:], None)
        if start and end and start < end:
            return FoundTime(_without(text, match), start, end)
    return None


def _hours_and_minutes(text: str) -> FoundTime | None:
    """Read `10-11.30`; ambiguous where the first number may be that of the title, as in `Panel 1-2.30`."""
    text = _noon_as_number(text)
    for match in _HOURS_APART.finditer(text):
        start, end = _clock(match["h1"], None, None), _clock(match["h2"], match["m2"], None)
        if not match["m2"] or not start or not end or start >= end:
            continue
        before = text[: match.start()]
        is_label = bool(_LABEL.search(before[-40:]))
        if not is_label and not (int(match["h1"]) <= HIGHEST_NUMBER and _NUMBERED_MEETING.search(before[-40:])):
            return FoundTime(_without(text, match), start, end)
        if is_label or match["to"] != match["to"].strip():
            rest = f"{before}{match['h1']} {text[match.end() :]}"
            return FoundTime(rest, None, ambiguous=True, likely=end)
        return FoundTime(_without(text, match), None, ambiguous=True, likely=start)
    return None


def _whole_hours(text: str) -> FoundTime | None:
    """Read `9-11`; not what numbers years, levels or several meetings, such as `Panels 1-3`."""
    for match in _HOURS_APART.finditer(text):
        first, last = int(match["h1"]), int(match["h2"])
        start, end = _clock(match["h1"], None, None), _clock(match["h2"], None, None)
        if match["m2"] or not first or not last or max(first, last) > 12 or not start or not end or start >= end:
            continue
        if not _are_numbers(text[: match.start()], first, last):
            return FoundTime(_without(text, match), start, end)
    return None


def _are_numbers(before: str, first: int, last: int) -> bool:
    if _LABEL.search(before[-40:]):
        return True
    if first > last:
        return False
    return bool(_MANY.search(before[-40:]) or (first <= HIGHEST_NUMBER and _NUMBERED_MEETING.search(before[-40:])))


def _at_an_hour(text: str) -> FoundTime | None:
    """Read `at 2`, where nothing follows that it could be the number of."""
    match = _AT_AN_HOUR.search(text)
    at = match and 1 <= int(match["h"]) <= 23 and _clock(match["h"], None, None)
    return FoundTime(f"{text[: match.start()]} {text[match.end() :]}", at) if match and at else None


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


_READERS = (
    _numbered,
    _range,
    _compact_range,
    _four_figures,
    _hours_and_minutes,
    _noon,
    _single,
    _bare,
    _whole_hours,
    _at_an_hour,
)
