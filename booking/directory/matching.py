"""Which school somebody means, from a name as people type it. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any, Generic, Protocol, TypeVar

from booking.core.text import name_key

# How people write the same thing; on whole words of a comparable name.
_SAME = (
    (r"\b(c of e|cofe|ce|church of england)\b", "coe"),
    (r"\b(rc|roman catholic)\b", "catholic"),
    (r"\b(voluntary aided|voluntary controlled|va|vc|aided|controlled)\b", ""),
    (r"\b(saint|st)\b", "st"),
    (r"\b(infants|infant s)\b", "infant"),
    (r"\b(juniors)\b", "junior"),
    (r"\b(jmi|junior mixed infant|jm)\b", "primary"),
    (r"\b(nur|nurs)\b", "nursery"),
    (r"\b(pri|prim|ps)\b", "primary"),
    (r"\b(sec)\b", "secondary"),
    (r"\b(esc)\b", "education support centre"),
    (r"\b(mr|the|and|of|at|for)\b", ""),
)
# What says only what kind of school it is: left out of a comparison, unless it tells two schools apart.
_KINDS = frozenset({"school", "schools", "primary", "secondary", "nursery", "infant", "junior", "academy", "community"})
_KINDS |= {"high", "lower", "upper", "middle", "first", "grammar", "college", "pre", "preschool", "coe", "catholic"}
_KINDS_SPELT = sorted(kind for kind in _KINDS if len(kind) > 4)
LIKELY, MUCH_BETTER, CLOSE = 0.84, 0.06, 0.72
MOST_CANDIDATES = 4


class Named(Protocol):
    """Whatever has a name: a school."""

    name: Any


S = TypeVar("S", bound=Named)


@dataclass(frozen=True)
class Match(Generic[S]):
    """What was meant: a school, surely or likely; or none, with those it may be."""

    text: str
    school: S | None
    candidates: tuple[S, ...] = ()
    sure: bool = False


def comparable(name: str) -> str:
    """Return a school's name with what people write in several ways made equal."""
    key = name_key(re.sub(r"\([^)]*\)", " ", name)) or name_key(name)
    for pattern, same in _SAME:
        key = re.sub(pattern, same, key)
    return " ".join(key.split())


def _kind_meant(word: str) -> str:
    """Return the kind of school that a word with a typing error means, else the word itself."""
    return next(iter(get_close_matches(word, _KINDS_SPELT, n=1, cutoff=0.84)), word)


def _core(key: str) -> str:
    return " ".join(word for word in key.split() if word not in _KINDS) or key


def match_school(text: str, schools: Iterable[S]) -> Match[S]:
    """Return which of these schools is meant.

    A name that is one school's, or whose own part is, is sure; a near one is likely; where several are as near, or
    none is near enough, nobody is chosen and those it may be are named, the nearest first.
    """
    typed = " ".join(_kind_meant(word) for word in comparable(text).split())
    named = [(comparable(school.name), school) for school in schools]
    same = [school for key, school in named if key == typed]
    if len(same) == 1:
        return Match(text, same[0], sure=True)
    if not typed:
        return Match(text, None)
    own = [school for key, school in named if _core(key) == _core(typed) and _agree(key, typed)]
    if len(own) == 1:
        return Match(text, own[0], sure=True)
    if own:
        return Match(text, None, tuple(own[:MOST_CANDIDATES]))
    return _nearest(text, typed, named)


def _agree(key: str, typed: str) -> bool:
    """Tell whether what was typed says nothing else of the kind of school than its name does."""
    return set(typed.split()) & _KINDS <= set(key.split()) | {"school", "schools"}


def _nearest(text: str, typed: str, named: Sequence[tuple[str, S]]) -> Match[S]:
    scored = sorted(((_likeness(key, typed), school) for key, school in named), key=lambda one: -one[0])
    near = [(score, school) for score, school in scored if score >= CLOSE]
    if not near:
        return Match(text, None)
    best, school = near[0]
    second = near[1][0] if len(near) > 1 else 0.0
    if best >= LIKELY and best - second >= MUCH_BETTER:
        return Match(text, school, (school,))
    return Match(text, None, tuple(school for _, school in near[:MOST_CANDIDATES]))


def _likeness(key: str, typed: str) -> float:
    """Return how alike two names are, from 0 to 1: as a whole, and by what is their own; what begins alike counts."""
    whole = SequenceMatcher(None, key, typed, autojunk=False).ratio()
    own = SequenceMatcher(None, _core(key), _core(typed), autojunk=False).ratio()
    begins = 0.9 if len(_core(typed)) >= 4 and f"{_core(key)} ".startswith(f"{_core(typed)} ") else 0.0
    wrong_kind = 0.15 if not _agree(key, typed) else 0.0
    return max((whole + 2 * own) / 3, begins) - wrong_kind
