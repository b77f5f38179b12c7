"""A line with several dates: which words and which time belong to which of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from booking.exchange.reading.dates import FoundDate, take_weekday
from booking.exchange.reading.times import FoundTime, find_time
from booking.exchange.reading.titles import tidy

_AND = re.compile(r"(?:^|\s+|(?<=[.)]))(?:and|then|also|plus)\s*$|[&,;+/|]\s*$", re.IGNORECASE)
_AND_FIRST = re.compile(r"^\s*(?:(?:and|then|also|plus)\b|[&,;+/|–—-])\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\s+(?:and|then|also|plus)\s+|\s*[&,;+|]\s*", re.IGNORECASE)
_BEFORE_A_DATE = re.compile(r"\b(?:on|(?P<due>by|(?:no|not)\s+later\s+than))\s+(?:the\s+)?$", re.IGNORECASE)
_FIRST_OF_ALL = re.compile(r"^\s*(?:from|starting)\s+(?:the\s+)?$", re.IGNORECASE)
_BY_A_TIME = re.compile(
    r"\bby\s+(?:noon|midday|\d{1,2}(?:[.:]\d{2})?\s*(?:[ap]\.?m\b|noon|midday)|\d{1,2}[.:]\d{2}|"
    r"\d{1,2}\s*(?:$|[,;)]))",
    re.IGNORECASE,
)
# After these a date is part of the words: `papers for 30.09.26 board`.
_GOES_ON = re.compile(r"\b(?:for|from|of|since|until|till|to|before|after|the|between)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Dates with what is said of them: words without dates, weekday and time; the rest is what they say."""

    words: str
    at: FoundTime | None
    dates: tuple[FoundDate, ...]
    is_due: bool
    weekday: int | None = None


def pieces_of(text: str, dates: Sequence[FoundDate]) -> list[Piece]:
    """Return a piece for each date with words of its own; dates that share their words are one piece."""
    groups = _side_by_side(text, dates)
    if not groups:
        return [_piece(text, ())]
    edges = [0, *(edge for group in groups for edge in (group[0].start, group[-1].end)), len(text)]
    gaps = [text[first:last] for first, last in zip(edges[::2], edges[1::2], strict=True)]
    cut = [_without_lead(gap) for gap in gaps[:-1]]
    due = [is_due for _, is_due in cut]
    before, after = cut[0][0], [*(words for words, _ in cut[1:]), gaps[-1]]
    if len(groups) > 1 and not any(_goes_on(gap) for gap in gaps[:-1]):
        if all(_has_words(words) for words in after):
            own = [f"{before} {_without_and(words)}" for words in after]
            return [_piece(*one) for one in zip(own, groups, due, strict=True)]
        if own := _words_before(before, after):
            return [_piece(*one) for one in zip(own, groups, due, strict=True)]
    return _sharing_words(before, after, groups, is_due=any(due))


def _piece(words: str, dates: tuple[FoundDate, ...], is_due: bool = False) -> Piece:
    words, weekday = take_weekday(words)
    at = find_time(words)
    return Piece(at.rest if at else words, at, dates, is_due or is_due_by_a_time(words), weekday)


def is_due_by_a_time(words: str) -> bool:
    """Tell whether words say `by noon`, `by 3` or the like."""
    return bool(_BY_A_TIME.search(words))


def _side_by_side(text: str, dates: Sequence[FoundDate]) -> list[tuple[FoundDate, ...]]:
    """Return dates in groups between which there are words."""
    if not dates:
        return []
    groups: list[list[FoundDate]] = [[dates[0]]]
    for one, following in pairwise(dates):
        if text[one.end : following.start].strip():
            groups.append([following])
        else:
            groups[-1].append(following)
    return [tuple(group) for group in groups]


def _without_lead(words: str) -> tuple[str, bool]:
    """Return words without `on`, `by` or `from` before a date, and whether something is due by it."""
    lead = _BEFORE_A_DATE.search(words)
    if lead:
        return words[: lead.start()], lead["due"] is not None
    return ("" if _FIRST_OF_ALL.match(words) else words), False


def _without_and(words: str) -> str:
    return _AND.sub("", words.rstrip())


def _title_of(words: str) -> str:
    words = _AND_FIRST.sub("", _without_and(words))
    at = find_time(words)
    return tidy(_AND_FIRST.sub("", _without_and(at.rest if at else words)))


def _has_words(words: str) -> bool:
    return bool(re.search(r"\w", _title_of(words)))


def _goes_on(words: str) -> bool:
    """Tell whether a date that follows is part of the same words, or stands in brackets with them."""
    return bool(_GOES_ON.search(words)) or words.count("(") > words.count(")")


def _words_before(before: str, after: list[str]) -> list[str]:
    """Return each date's words where they stand before it: `Closing date 29.09.26 noon and panel 14.10.26`."""
    if not _has_words(before) or _has_words(after[-1]):
        return []
    own = [before]
    for words in after[:-1]:
        at_once, *rest = _BETWEEN.split(words, maxsplit=1)
        if _has_words(at_once):
            at_once, rest = "", [words]
        if not rest or not _has_words(rest[0]) or (not at_once and find_time(words)):
            return []
        own[-1] += f" {at_once}"
        own.append(_without_and(rest[0]))
    own[-1] += f" {after[-1]}"
    return own


def _sharing_words(before: str, after: list[str], groups: list[tuple[FoundDate, ...]], *, is_due: bool) -> list[Piece]:
    times = [find_time(words) for words in after]
    if len(groups) > 1 and all(times):
        rests = [_without_and(at.rest) for at in times if at]
        words, weekday = take_weekday(" ".join((before, *rests)))
        return [Piece(words, at, group, is_due, weekday) for at, group in zip(times, groups, strict=True)]
    dates = tuple(date for group in groups for date in group)
    words = " ".join((before, *after))
    return [_piece(_AND_FIRST.sub("", words) if len(dates) > 1 else words, dates, is_due)]
