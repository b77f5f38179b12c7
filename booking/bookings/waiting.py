"""The waiting list: who is next. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting place: its number, and whether its booking waits all together."""

    place_id: int
    booking_id: int
    position: int
    together: bool


def who_is_next(waiting: Iterable[Waiting], free: int | None) -> list[int]:
    """Return the ids of the places that free places go to, first come, first served.

    An entry is a group that waits together, or a single place. It stands where its first number
    stands. One that does not fit is passed over and keeps its number. `free` None is without limit.
    """
    chosen: list[int] = []
    for entry in _entries(waiting):
        if free is None or len(entry) <= free - len(chosen):
            chosen.extend(place.place_id for place in entry)
    return chosen


def _entries(waiting: Iterable[Waiting]) -> list[list[Waiting]]:
    """Return the entries in their order: groups that wait together, and single places."""
    in_order = sorted(waiting, key=lambda place: place.position)
    together = sorted((place for place in in_order if place.together), key=lambda place: place.booking_id)
    entries = [list(group) for _, group in groupby(together, key=lambda place: place.booking_id)]
    entries += [[place] for place in in_order if not place.together]
    return sorted(entries, key=lambda entry: entry[0].position)
