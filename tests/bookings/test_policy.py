"""When an event can be booked and changed, by whom, and until when a free place goes on by itself: pure rules."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from booking.bookings import policy
from booking.bookings.policy import BookingCode
from booking.calendar.bank_holidays import bank_holidays
from booking.calendar.models import Audience, Event, EventStatus, Kind, Promotion, WhoMayBook
from booking.calendar.terms import is_school_day, synthesise
from booking.core.clock import on_the_wall, wall

DAY = date(2027, 3, 10)  # a Wednesday in term
STARTS = on_the_wall(DAY, time(13, 30))
TERMS = [*synthesise(2025), *synthesise(2026), *synthesise(2027)]
DAYS_OFF = bank_holidays(date(2025, 8, 1), date(2028, 8, 1))
HOUR = timedelta(hours=1)


def event(**values: Any) -> Event:
    """A published session on a Wednesday afternoon with a free place, as rows would give it."""
    given = {
        "status": EventStatus.PUBLISHED,
        "kind": Kind.SESSION,
        "takes_bookings": True,
        "day": DAY,
        "starts": time(13, 30),
        "capacity": 10,
        "taken": 9,
        "who_may_book": WhoMayBook.ANYONE,
        "promotion": Promotion.AUTOMATIC,
        "offer_hours": 48,
        "late_places_go_on": False,
        "changes_until_hours": 0,
    }
    return Event(**{**given, **values})


BEFORE = STARTS - timedelta(days=5)
STATES: list[tuple[dict[str, Any], datetime, BookingCode]] = [
    ({}, BEFORE, BookingCode.OPEN),
    ({"capacity": None}, BEFORE, BookingCode.OPEN),
    ({"taken": 10}, BEFORE, BookingCode.FULL),
    ({"status": EventStatus.CANCELLED}, BEFORE, BookingCode.CANCELLED),
    ({"status": EventStatus.DRAFT}, BEFORE, BookingCode.DRAFT),
    ({"takes_bookings": False}, BEFORE, BookingCode.NONE),
    ({"kind": Kind.DEADLINE}, BEFORE, BookingCode.NONE),
    ({}, STARTS - timedelta(seconds=1), BookingCode.OPEN),
    ({}, STARTS, BookingCode.PAST),
    ({"closes_at": BEFORE}, BEFORE - timedelta(seconds=1), BookingCode.OPEN),
    ({"closes_at": BEFORE}, BEFORE, BookingCode.CLOSED),
    ({"closes_at": STARTS + HOUR}, STARTS, BookingCode.PAST),
    ({"opens_at": BEFORE}, BEFORE - timedelta(seconds=1), BookingCode.SOON),
    ({"opens_at": BEFORE}, BEFORE, BookingCode.OPEN),
    ({"opens_at": BEFORE, "taken": 10}, BEFORE - HOUR, BookingCode.SOON),
    ({"who_may_book": WhoMayBook.INVITED}, BEFORE, BookingCode.INVITED),
    ({"who_may_book": WhoMayBook.INVITED, "taken": 10}, BEFORE, BookingCode.INVITED),
    ({"who_may_book": WhoMayBook.INVITED, "opens_at": BEFORE}, BEFORE - HOUR, BookingCode.INVITED),
    ({"who_may_book": WhoMayBook.SCHOOLS}, BEFORE, BookingCode.OPEN),
    ({"who_may_book": WhoMayBook.AUDIENCE}, BEFORE, BookingCode.OPEN),
]


@pytest.mark.parametrize(("values", "at", "code"), STATES)
def test_an_event_is_in_one_state_at_each_instant(values: dict[str, Any], at: datetime, code: BookingCode) -> None:
    state = policy.booking_state(event(**values), at=at)
    assert (state.code, state.can_book) == (code, code in {BookingCode.OPEN, BookingCode.FULL})
    assert state.sentence.endswith(".")


def test_whoever_has_the_invitation_meets_the_other_rules_all_the_same() -> None:
    by_invitation = event(who_may_book=WhoMayBook.INVITED, opens_at=BEFORE)
    found = [policy.booking_state(by_invitation, at=at, invited=True).code for at in (BEFORE - HOUR, BEFORE, STARTS)]
    assert found == [BookingCode.SOON, BookingCode.OPEN, BookingCode.PAST]


def why(rules: dict[str, Any], **who: Any) -> tuple[str, str] | None:
    return policy.why_not_for(event(**rules), **{"from_school": False, "audience_id": None, "at": BEFORE, **who})


def test_anyone_may_book_where_nothing_else_is_said() -> None:
    assert why({}) is None
    assert why({"who_may_book": WhoMayBook.INVITED}) is None


def test_our_schools_come_first_until_the_instant_that_was_set() -> None:
    first = {"who_may_book": WhoMayBook.SCHOOLS, "schools_first_until": BEFORE}
    sentence = "Booking is for our schools and settings until Friday 5 March, 1.30pm. Choose yours from the list."
    assert why(first, at=BEFORE - timedelta(seconds=1)) == ("school", sentence)
    assert why(first, at=BEFORE) is None
    assert why(first, at=BEFORE - HOUR, from_school=True) is None
    for_good = ("school", "Booking is for our schools and settings. Choose yours from the list.")
    assert why({"who_may_book": WhoMayBook.SCHOOLS}, at=STARTS) == for_good


def test_only_whom_it_is_for_may_book_where_that_is_the_rule() -> None:
    heads = [Audience(id=1, name="Headteachers"), Audience(id=2, name="SENCos")]
    only = {"who_may_book": WhoMayBook.AUDIENCE, "audiences": heads}
    refused = ("audience", "This is for Headteachers and SENCos. If that is you, choose it from the list.")
    assert [why(only, audience_id=number) for number in (None, 3, 1, 2)] == [refused, refused, None, None]
    assert why({**only, "audiences": []}) is None


def test_a_free_place_goes_on_until_noon_of_the_school_day_before_or_as_the_rule_says() -> None:
    noon = on_the_wall(date(2027, 3, 9), time(12, 0))
    assert policy.promotes_until(event(), TERMS, DAYS_OFF) == noon
    assert policy.promotes_until(event(late_places_go_on=True), TERMS, DAYS_OFF) == STARTS
    offers = {"promotion": Promotion.OFFER}
    assert policy.promotes_until(event(**offers), TERMS, DAYS_OFF) == noon - HOUR
    assert policy.promotes_until(event(**offers, late_places_go_on=True), TERMS, DAYS_OFF) == STARTS - 2 * HOUR
    early = event(**offers, late_places_go_on=True, starts=time(8, 30))
    assert policy.promotes_until(early, TERMS, DAYS_OFF) == noon - HOUR


def test_the_school_day_before_a_monday_is_the_friday_and_before_a_term_the_last_day_of_the_one_before() -> None:
    friday = on_the_wall(date(2027, 3, 5), time(12, 0))
    assert policy.promotes_until(event(day=date(2027, 3, 8)), TERMS, DAYS_OFF) == friday
    first = next(term.first_day for term in TERMS if (term.year, term.number) == (2026, 3))
    last = next(term.last_day for term in TERMS if (term.year, term.number) == (2026, 2))
    assert policy.promotes_until(event(day=first), TERMS, DAYS_OFF) == on_the_wall(last, time(12, 0))


@given(
    day=st.dates(date(2026, 9, 1), date(2027, 7, 20)),
    starts=st.times(),
    hours=st.integers(1, 336),
    goes_on=st.booleans(),
    before=st.timedeltas(timedelta(minutes=1), timedelta(days=200)),
)
@example(day=date(2027, 4, 15), starts=time(9, 0), hours=48, goes_on=False, before=timedelta(days=21))
def test_an_offer_ends_while_people_read_mail_and_in_time(
    day: date, starts: time, hours: int, goes_on: bool, before: timedelta
) -> None:
    offered = event(
        day=day,
        starts=starts.replace(second=0, microsecond=0),
        promotion=Promotion.OFFER,
        offer_hours=hours,
        late_places_go_on=goes_on,
    )
    assume(is_school_day(day, TERMS, DAYS_OFF))
    until, last = policy.promotes_until(offered, TERMS, DAYS_OFF), policy.last_call(offered, TERMS, DAYS_OFF)
    at = until - before
    ends = policy.offered_until(offered, TERMS, DAYS_OFF, at=at)
    there = wall(ends)
    assert at < ends <= last <= offered.starts_at
    assert is_school_day(there.date(), TERMS, DAYS_OFF)
    assert time(8, 0) <= there.time() <= time(18, 0)
    assert ends - at >= policy.SHORTEST_OFFER - timedelta(seconds=1)
    # Never longer than was set, but by what it takes to the next morning on which people read mail.
    asked = at + min(timedelta(hours=hours), max((last - at) / 2, policy.SHORTEST_OFFER))
    if ends > asked:
        assert there.time() == time(10, 0) or ends == last
        quiet = [asked + n * timedelta(minutes=30) for n in range(1, int((ends - asked) / timedelta(minutes=30)) + 1)]
        mail_is_read = [
            one
            for one in quiet
            if time(10, 0) < wall(one).time() <= time(18, 0) and is_school_day(wall(one).date(), TERMS, DAYS_OFF)
        ]
        assert mail_is_read == []


def test_an_offer_is_held_for_its_hours_and_shorter_near_the_day() -> None:
    offered = event(promotion=Promotion.OFFER, offer_hours=24)

    def held(at: datetime) -> datetime:
        return policy.offered_until(offered, TERMS, DAYS_OFF, at=at)

    tuesday, monday = datetime(2027, 3, 2, 10, 0, tzinfo=UTC), datetime(2027, 3, 8, 10, 0, tzinfo=UTC)
    assert held(tuesday) == tuesday + timedelta(hours=24)
    assert held(monday) == datetime(2027, 3, 9, 10, 0, tzinfo=UTC)  # half of 26 hours ends at night
    assert held(datetime(2027, 3, 9, 8, 0, tzinfo=UTC)) == datetime(2027, 3, 9, 10, 0, tzinfo=UTC)
    assert held(datetime(2027, 3, 9, 10, 59, tzinfo=UTC)) == datetime(2027, 3, 9, 11, 59, tzinfo=UTC)
    friday = datetime(2027, 3, 5, 9, 0, tzinfo=UTC)
    assert held(friday) == datetime(2027, 3, 8, 10, 0, tzinfo=UTC)  # a day later is a Saturday


@pytest.mark.parametrize("hours", [0, 1, 48, 720])
def test_bookers_change_and_cancel_until_the_hours_before_the_start(hours: int) -> None:
    limited = event(changes_until_hours=hours)
    until = STARTS - timedelta(hours=hours)
    assert policy.changes_until(limited) == until
    assert policy.can_cancel(limited, at=until - timedelta(seconds=1))
    assert policy.why_no_change(limited, at=until - timedelta(seconds=1)) == ""
    assert not policy.can_cancel(limited, at=until)
    sentence = policy.why_no_change(limited, at=until)
    assert sentence.startswith("Bookings could be changed until " if hours else "This event has started")
    assert not policy.can_cancel(event(status=EventStatus.CANCELLED), at=BEFORE)


def test_why_so_many_can_never_come_together() -> None:
    def never(number: int, *, from_school: bool = True, **values: Any) -> str:
        return policy.why_never(event(**values), from_school=from_school, number=number, at=BEFORE)

    assert never(11) == "There are 10 places in all, so 11 cannot come together as yet."
    assert never(10) == ""
    assert never(3, per_school=2) == "A school can have 2 places here, so 3 cannot come together."
    assert never(3, per_school=2, from_school=False) == ""
    assert never(3, per_school=2, per_school_until=STARTS) == ""
