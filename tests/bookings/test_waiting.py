from hypothesis import given
from hypothesis import strategies as st

from booking.bookings.waiting import Waiting, short_of, who_is_next

ALL = "all"


def waiting(*rows: tuple[int, int, bool]) -> list[Waiting]:
    """Rows of (place id, booking id, together), numbered in their order."""
    return [
        Waiting(place, booking, number, together, (ALL,)) for number, (place, booking, together) in enumerate(rows, 1)
    ]


def test_a_free_place_goes_to_the_first_who_waits() -> None:
    assert who_is_next(waiting((11, 1, True), (12, 2, True)), {ALL: 1}) == [11]


def test_nothing_is_given_where_nothing_is_free() -> None:
    assert who_is_next(waiting((11, 1, True)), {ALL: 0}) == []


def test_a_group_that_does_not_fit_is_passed_over_and_the_next_gets_the_place() -> None:
    group = ((11, 1, True), (12, 1, True), (13, 1, True))
    assert who_is_next(waiting(*group, (14, 2, True)), {ALL: 2}) == [14]


def test_a_group_that_fits_comes_in_whole() -> None:
    assert who_is_next(waiting((11, 1, True), (12, 1, True), (13, 2, True)), {ALL: 2}) == [11, 12]


def test_who_takes_places_as_they_come_gets_one_at_a_time() -> None:
    assert who_is_next(waiting((11, 1, False), (12, 1, False)), {ALL: 1}) == [11]


def test_without_a_limit_everybody_comes_in() -> None:
    assert who_is_next(waiting((11, 1, True), (12, 2, False)), {}) == [11, 12]


def of_schools(*rows: tuple[int, int, bool, str]) -> list[Waiting]:
    return [
        Waiting(place, group, n, together, (ALL, school)) for n, (place, group, together, school) in enumerate(rows)
    ]


def test_a_school_at_its_limit_does_not_hold_up_the_next_school() -> None:
    places = of_schools((11, 1, True, "Oak"), (12, 2, True, "Ash"))
    assert who_is_next(places, {ALL: 1, "Oak": 0, "Ash": 2}) == [12]


def test_what_the_first_of_a_school_takes_is_not_left_for_the_second() -> None:
    places = of_schools((11, 1, True, "Oak"), (12, 2, True, "Oak"), (13, 3, True, "Ash"))
    assert who_is_next(places, {ALL: 5, "Oak": 1}) == [11, 13]


def test_a_group_needs_room_under_every_limit() -> None:
    group = ((11, 1, True, "Oak"), (12, 1, True, "Oak"))
    assert who_is_next(of_schools(*group), {ALL: 5, "Oak": 1}) == []
    assert short_of([(ALL, "Oak"), (ALL, "Oak")], {ALL: 1, "Oak": 1}) == [ALL, "Oak"]
    assert short_of([(ALL, "Oak"), (ALL, "Oak")], {ALL: 2}) == []


rows = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=12)


@given(rows, st.integers(0, 12))
def test_nobody_who_fits_is_left_and_nobody_is_let_in_beyond_what_is_free(rows, free) -> None:
    choice = dict(rows)
    places = waiting(*((100 + n, booking, choice[booking]) for n, (booking, _) in enumerate(rows)))
    chosen = who_is_next(places, {ALL: free})
    assert len(chosen) <= free
    assert len(chosen) == len(set(chosen))
    left = free - len(chosen)
    for booking, together in choice.items():
        waits = [place for place in places if place.booking_id == booking and place.place_id not in chosen]
        if waits:
            assert (len(waits) if together else 1) > left
        if together:
            assert len(waits) in {0, sum(place.booking_id == booking for place in places)}


shared = st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.sampled_from(["Oak", "Ash", "Elm"])), max_size=10)
numbers = st.fixed_dictionaries({ALL: st.integers(0, 8)}, optional={name: st.integers(0, 3) for name in ("Oak", "Ash")})


@given(shared, numbers)
def test_under_several_limits_nobody_who_fits_is_left_and_none_is_broken(rows, free) -> None:
    choice = {booking: (together, school) for booking, together, school in rows}
    places = of_schools(*((100 + n, booking, *choice[booking]) for n, (booking, *_) in enumerate(rows)))
    chosen = set(who_is_next(places, free))
    left = dict(free)
    for place in places:
        for limit in place.limits:
            if place.place_id in chosen and limit in left:
                left[limit] -= 1
    assert min(left.values()) >= 0
    for booking, (together, _) in choice.items():
        waits = [place.limits for place in places if place.booking_id == booking and place.place_id not in chosen]
        if waits:
            assert short_of(waits if together else waits[:1], left)
