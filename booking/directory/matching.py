"""Which school somebody means, from a name as people type it. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from rapidfuzz.distance import OSA

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
# What a typing error is looked for in, besides the names themselves.
_SPELT = sorted(
    {kind for kind in _KINDS if len(kind) > 4}
    | {"infants", "juniors", "church", "england", "roman", "voluntary", "aided", "controlled"}
)
# So many slips of the finger may be in a name of so many letters, longest first: a slip is a letter too many or too
# few, another one, or two in the wrong order.
_SLIPS = ((12, 3), (8, 2), (4, 1))
CLOSE, HALF = 0.7, 0.5
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


@lru_cache(maxsize=4096)
def comparable(name: str) -> str:
    """Return a school's name with what people write in several ways made equal."""
    return _same(_plain(name))


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return name_key(re.sub(r"\([^)]*\)", " ", name)) or name_key(name)


def _same(key: str) -> str:
    for pattern, same in _SAME:
        key = re.sub(pattern, same, key)
    return " ".join(key.split())


def _spelt(text: str, known: Collection[str]) -> str:
    """Return what was typed with slips in the usual words mended; a word of one of the schools is right as it is."""
    return " ".join(word if word in known else _usual_word(word) for word in _plain(text).split())


@lru_cache(maxsize=4096)
def _usual_word(word: str) -> str:
    return next((usual for usual in _SPELT if OSA.distance(usual, word, score_cutoff=1) <= 1), word)


def _core(key: str) -> str:
    return " ".join(word for word in key.split() if word not in _KINDS) or key


def match_school(text: str, schools: Iterable[S]) -> Match[S]:
    """Return which of these schools is meant.

    A name that is one school's, or whose own part is, is sure; one with a slip or two is likely; where several are as
    near, or none is near enough, nobody is chosen and those it may be are named, the nearest first.
    """
    named = [(comparable(school.name), school) for school in schools]
    typed = _same(_spelt(text, {word for _, school in named for word in _plain(school.name).split()}))
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
    likely = [school for key, school in named if _is_likely(key, typed)]
    if len(likely) == 1:
        return Match(text, likely[0], (likely[0],))
    scored = sorted(((_likeness(key, typed), school) for key, school in named), key=lambda one: -one[0])
    near = [school for score, school in scored if score >= CLOSE]
    return Match(text, None, tuple([*likely, *(one for one in near if one not in likely)][:MOST_CANDIDATES]))


def _is_likely(key: str, typed: str) -> bool:
    """Tell whether a name is typed with no more slips than its length allows, or at least half of it and no further."""
    own, ours = _core(key), _core(typed)
    slips = next((slips for letters, slips in _SLIPS if len(ours) >= letters), 0)
    begins = len(ours) >= HALF * len(own) and f"{own} ".startswith(f"{ours} ")
    return _agree(key, typed) and (begins or OSA.distance(own, ours, score_cutoff=slips) <= slips)


def _likeness(key: str, typed: str) -> float:
    """Return how alike two names are, from 0 to 1: by what is their own, or as a whole; what begins alike is near."""
    own, ours = _core(key), _core(typed)
    begins = 0.9 if len(ours) >= 4 and f"{own} ".startswith(f"{ours} ") else 0.0
    alike = max(begins, OSA.normalized_similarity(own, ours), OSA.normalized_similarity(key, typed))
    return alike if _agree(key, typed) else alike - 0.15
