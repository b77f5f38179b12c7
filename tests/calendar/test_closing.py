"""What a closing date is for: guessed once, when dates are taken in, and set by organisers."""

from datetime import date, timedelta

import pytest

from booking.calendar.closing import meeting_for
from booking.calendar.models import Event, Kind

DAY = date(2026, 11, 9)
LHNF, OTHER = 1, 2


def dated(title: str, in_days: int, category_id: int = LHNF, kind: Kind = Kind.SESSION) -> Event:
    return Event(title=title, day=DAY + timedelta(days=in_days), category_id=category_id, kind=kind)


CLOSING = dated("Closing date for LHNF Panel 3", 0, kind=Kind.DEADLINE)
NEXT_CLOSING = dated("Closing date for LHNF Panel 4", 20, kind=Kind.DEADLINE)


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        ([("LHNF Panel 2", 3), ("LHNF panel 3", 14), ("LHNF Panel 3", 30)], "LHNF panel 3"),
        ([("LHNF Panel 2", 14)], "LHNF Panel 2"),  # a number is often wrong
        ([("LHNF Panel 3", -1), ("LHNF Panel 4", 25)], None),  # nearer to another closing date
        ([("LHNF Panel 3", 43)], None),
        ([("LHNF Panel 3", 0)], "LHNF Panel 3"),
        ([("Team meeting", 7)], None),  # nothing in common but the kind
        ([("LHNF Panel 3", 14, OTHER)], "LHNF Panel 3"),  # named
        ([("Panel 31", 14, OTHER), ("NF Panel 3", 14, OTHER)], None),  # only whole words name it
        ([], None),
    ],
)
def test_it_is_for_what_it_names_or_for_the_next_of_its_kind(sessions: list, expected: str | None) -> None:
    found = meeting_for(CLOSING, [dated(*one) for one in sessions], [CLOSING, NEXT_CLOSING])
    assert (found and found.title) == expected


def test_of_two_closing_dates_for_one_meeting_both_that_name_it_are_for_it() -> None:
    panel = dated("LHNF Panel 3", 14)
    papers = dated("Papers for LHNF Panel 3", 7, kind=Kind.DEADLINE)
    assert [meeting_for(one, [panel], [CLOSING, papers]) for one in (CLOSING, papers)] == [panel, panel]
