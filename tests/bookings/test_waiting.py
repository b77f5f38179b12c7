from hypothesis import given
from hypothesis import strategies as st

from booking.bookings.waiting import Waiting, who_is_next


def waiting(*rows: tuple[int, int, bool]) -> list[Waiting]:
    """Rows of (place id, booking id, together), numbered in their order."""
    return [Waiting(place, booking, number, together) for number, (place, booking, together) in enumerate(rows, 1)]


def test_a_free_place_goes_to_the_first_who_waits() -> None:
    assert who_is_next(waiting((11, 1, True), (12, 2, True)), 1) == [11]


def test_nothing_is_given_where_nothing_is_free() -> None:
    assert who_is_next(waiting((11, 1, True)), 0) == []


def test_a_group_that_does_not_fit_is_passed_over_and_the_next_gets_the_place() -> None:
    group = ((11, 1, True), (12, 1, True), (13, 1, True))
    assert who_is_next(waiting(*group, (14, 2, True)), 2) == [14]


def test_a_group_that_fits_comes_in_whole() -> None:
    assert who_is_next(waiting((11, 1, True), (12, 1, True), (13, 2, True)), 2) == [11, 12]


def test_who_takes_places_as_they_come_gets_one_at_a_time() -> None:
    assert who_is_next(waiting((11, 1, False), (12, 1, False)), 1) == [11]


def test_without_a_limit_everybody_comes_in() -> None:
    assert who_is_next(waiting((11, 1, True), (12, 2, False)), None) == [11, 12]


rows = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=12)


@given(rows, st.integers(0, 12))
def test_nobody_who_fits_is_left_and_nobody_is_let_in_beyond_what_is_free(rows, free) -> None:
    choice = dict(rows)
    places = waiting(*((100 + n, booking, choice[booking]) for n, (booking, _) in enumerate(rows)))
    chosen = who_is_next(places, free)
    assert len(chosen) <= free
    assert len(chosen) == len(set(chosen))
    left = free - len(chosen)
    for booking, together in choice.items():
        waits = [place for place in places if place.booking_id == booking and place.place_id not in chosen]
        if waits:
            assert (len(waits) if together else 1) > left
        if together:
            assert len(waits) in {0, sum(place.booking_id == booking for place in places)}
