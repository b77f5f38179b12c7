"""Who sees what is on the calendar: the whole table."""

from itertools import product

import pytest

from booking.calendar.models import Event, EventStatus, Visibility
from booking.calendar.policy import ANYBODY, Reader, may_see, statuses, visibilities

SEEN = {"published", "cancelled"}
ALL = {"draft", "published", "cancelled"}

TABLE = [
    (ANYBODY, {"public"}, SEEN),
    (Reader(staff=True), {"public", "staff"}, SEEN),
    (Reader(staff=True, in_team=True), {"public", "staff", "team"}, SEEN),
    (Reader(staff=True, in_team=True, organiser=True), {"public", "staff", "team"}, ALL),
    (Reader(staff=True, organiser=True), {"public", "staff", "team"}, ALL),
]


@pytest.mark.parametrize(("reader", "seen", "at"), TABLE)
def test_who_sees_what(reader: Reader, seen: set[str], at: set[str]) -> None:
    assert (visibilities(reader), statuses(reader)) == (seen, at)
    found = {
        (str(visibility), str(status))
        for visibility, status in product(Visibility, EventStatus)
        if may_see(Event(visibility=visibility, status=status), reader)
    }
    assert found == set(product(seen, at))


def test_nobody_sees_less_for_being_more() -> None:
    for less, more in product((entry[0] for entry in TABLE), repeat=2):
        flags = [(one.staff, one.in_team, one.organiser) for one in (less, more)]
        if all(a <= b for a, b in zip(*flags, strict=True)):
            assert visibilities(less) <= visibilities(more)
            assert statuses(less) <= statuses(more)
