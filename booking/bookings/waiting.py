"""Who fits, and who is next: the one core of everything that has a limit. Pure.

A place counts against limits: all places of an event, the places of one school, and whatever else an event shares
out in numbers. A limit is any hashable value; `free` says how many of each are left. One that is not named there
has no end.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

Limit = Hashable
Free = Mapping[Limit, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting place: its number, whether its booking waits all together, and what it counts against."""

    place_id: int
    booking_id: int
    position: int
    together: bool
    limits: tuple[Limit, ...] = ()


def short_of(asked: Iterable[Collection[Limit]], free: Free) -> list[Limit]:
    """Return the limits that have no room for all of these places at once; none where they fit."""
    wanted = Counter(limit for limits in asked for limit in limits)
    return [limit for limit, number in wanted.items() if limit in free and number > free[limit]]


def who_is_next(waiting: Iterable[Waiting], free: Free) -> list[int]:
    """Return the ids of the places that free places go to, first come, first served.

    An entry is a group that waits together, or a single place. It stands where its first number stands. One that
    does not fit is passed over and keeps its number, so a school at its limit does not hold up the next school.
    """
    left = dict(free)
    chosen: list[int] = []
    for entry in entries(waiting):
        if not short_of([place.limits for place in entry], left):
            take(left, [place.limits for place in entry])
            chosen.extend(place.place_id for place in entry)
    return chosen


def take(free: dict[Limit, int], asked: Iterable[Collection[Limit]]) -> None:
    """Take the room of these places off what is free."""
    for limits in asked:
        for limit in limits:
            if limit in free:
                free[limit] -= 1


def entries(waiting: Iterable[Waiting]) -> list[Sequence[Waiting]]:
    """Return the entries in their order: groups that wait together, and single places."""
    in_order = sorted(waiting, key=lambda place: place.position)
    together = sorted((place for place in in_order if place.together), key=lambda place: place.booking_id)
    found: list[Sequence[Waiting]] = [list(group) for _, group in groupby(together, key=lambda place: place.booking_id)]
    found += [[place] for place in in_order if not place.together]
    return sorted(found, key=lambda entry: entry[0].position)
