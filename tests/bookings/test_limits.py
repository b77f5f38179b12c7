"""Places per school: kept, counted, lifted, raised, lowered."""

from datetime import timedelta

import pytest
import time_machine

from booking.bookings import actions, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.limits import schools_counted
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import School
from tests.bookings.numbers import change
from tests.factories import make_event, make_organiser, make_school

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day", "in_app")]


def book(event: Event, school: School | None, *names: str, together: bool = True) -> Booking:
    people = [NewPlace(name, f"{name.lower()}@school.example") for name in names]
    by = Contact(people[0].name, people[0].email, school.id if school else None)
    return actions.book(event, by=by, places=people, together=together)


def statuses(*bookings: Booking) -> list[str]:
    db.session.expire_all()
    places = db.session.query(Place).order_by(Place.id)
    return [str(place.status) for one in bookings for place in places.filter_by(booking_id=one.id)]


def counts(event: Event) -> list[tuple[int, int]]:
    return [(count.taken, count.most) for count in schools_counted(event)]


def test_a_school_at_its_limit_waits_and_does_not_hold_up_the_next() -> None:
    event, oak, ash = make_event(capacity=5, per_school=2), make_school("Oak"), make_school("Ash")
    made = [book(event, oak, "Ada"), book(event, oak, "Ben"), book(event, oak, "Cem"), book(event, ash, "Dee")]
    assert statuses(*made) == ["confirmed", "confirmed", "waiting", "confirmed"]
    assert counts(event) == [(2, 2), (1, 2)]
    actions.cancel(made[0])
    assert statuses(*made) == ["cancelled", "confirmed", "confirmed", "confirmed"]
    assert audit() == []


def test_who_is_of_no_school_counts_against_all_places_only() -> None:
    event = make_event(capacity=3, per_school=1)
    made = book(event, None, "Ada", "Ben", "Cem")
    assert (statuses(made), counts(event)) == (["confirmed"] * 3, [])


def test_places_as_they_come_stop_at_the_limit_of_the_school() -> None:
    event, oak = make_event(capacity=9, per_school=2), make_school("Oak")
    assert statuses(book(event, oak, "Ada", "Ben", "Cem", together=False)) == ["confirmed", "confirmed", "waiting"]


def test_when_the_limit_is_lifted_those_waiting_move_up_and_before_who_comes_after() -> None:
    event = make_event(capacity=3, per_school=1, per_school_until=now() + timedelta(days=2))
    oak = make_school("Oak")
    first, second, third = (book(event, oak, name) for name in ("Ada", "Ben", "Cem"))
    assert statuses(first, second, third) == ["confirmed", "waiting", "waiting"]
    promotions.settle(event)
    assert db.session.get(Event, event.id).settle_at == event.per_school_until
    with time_machine.travel(now() + timedelta(days=2, minutes=1)):
        late = book(event, oak, "Dee")
        assert statuses(first, second, third, late) == ["confirmed", "confirmed", "confirmed", "waiting"]
        assert counts(event) == []
        assert audit() == []


def test_the_scheduler_lets_in_who_waits_when_a_limit_is_lifted() -> None:
    event = make_event(capacity=9)
    oak = make_school("Oak")
    change(event, per_school=1, per_school_until=now() + timedelta(days=2))
    made = [book(event, oak, name) for name in ("Ada", "Ben")]
    assert (promotions.settle_due(), statuses(*made)) == (0, ["confirmed", "waiting"])
    with time_machine.travel(now() + timedelta(days=2, minutes=1)):
        assert (promotions.settle_due(), statuses(*made)) == (1, ["confirmed", "confirmed"])
        assert promotions.settle_due() == 0


def test_a_limit_cannot_go_below_what_a_school_has() -> None:
    event, oak = make_event(), make_school("Oak School")
    book(event, oak, "Ada", "Ben", "Cem")
    with pytest.raises(Refused, match="Oak School has 3 places already") as refused:
        change(event, per_school=2)
    assert refused.value.field == "per_school"
    db.session.expire_all()
    assert db.session.get(Event, event.id).per_school is None
    change(event, per_school=3)
    assert counts(event) == [(3, 3)]


def test_a_higher_limit_lets_in_who_waits() -> None:
    event, oak = make_event(per_school=1), make_school("Oak")
    made = [book(event, oak, name) for name in ("Ada", "Ben", "Cem")]
    change(event, per_school=2)
    assert statuses(*made) == ["confirmed", "confirmed", "waiting"]
    change(event, per_school=None)
    assert (statuses(*made), counts(event), audit()) == (["confirmed"] * 3, [], [])


def test_who_is_let_in_beyond_the_limit_raises_what_is_short_and_nothing_else() -> None:
    event, oak, ash = make_event(capacity=4, per_school=1), make_school("Oak"), make_school("Ash")
    book(event, oak, "Ada")
    group = book(event, oak, "Ben", "Cem")
    other = book(event, ash, "Dee")
    given = promotions.let_in_beyond(event, group.places[0], by=make_organiser(), reason="Two new SENCos")
    assert [place.name for place in given] == ["Ben", "Cem"]
    assert statuses(group, other) == ["confirmed", "confirmed", "confirmed"]
    assert (db.session.get(Event, event.id).capacity, counts(event)) == (4, [(3, 3), (1, 1)])
    entry = db.session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert (entry.detail["reason"], entry.detail["raised"]) == ("Two new SENCos", {"places of the school": 2})
    assert statuses(book(event, ash, "Eve")) == ["waiting"]
    assert audit() == []


def test_places_given_back_by_a_school_with_more_than_its_limit_can_be_taken_again_by_it() -> None:
    event, oak = make_event(capacity=9, per_school=1), make_school("Oak")
    book(event, oak, "Ada")
    group = book(event, oak, "Ben", "Cem")
    promotions.let_in_beyond(event, group.places[0], by=make_organiser(), reason="Two new SENCos")
    actions.cancel(group)
    assert statuses(book(event, oak, "Dee", "Eve")) == ["confirmed", "confirmed"]
    assert (counts(event), audit()) == ([(3, 3)], [])


def test_letting_in_beyond_needs_a_reason_and_changes_nothing_without() -> None:
    event = make_event(capacity=1)
    book(event, None, "Ada")
    waits = book(event, None, "Ben")
    with pytest.raises(Refused, match="Say why"):
        promotions.let_in_beyond(event, waits.places[0], by=make_organiser(), reason=" ")
    assert (statuses(waits), db.session.get(Event, event.id).capacity) == (["waiting"], 1)


def test_the_organiser_sees_why_each_of_them_waits() -> None:
    event, oak = make_event(capacity=3, per_school=2), make_school("Oak")
    tom = make_organiser()
    book(event, oak, "Ada", "Ben")
    gus = book(event, None, "Gus")
    of_school, group, last = book(event, oak, "Cem"), book(event, None, "Dee", "Eve"), book(event, None, "Fay")

    def said() -> list[str]:
        why = promotions.say_why_waiting(event)
        return [why[place.id].sentence for one in (of_school, group, last) for place in one.places]

    assert said() == ["All places are taken."] * 4
    promotions.pause(event, by=tom, paused=True)
    actions.cancel(gus)
    two_wait = "2 wait together and 1 place is free."
    assert said() == [
        "Their school has all its places.",
        two_wait,
        two_wait,
        "There is room; the waiting list is paused.",
    ]
    promotions.pause(event, by=tom, paused=False)
    assert statuses(of_school, group, last) == ["waiting", "waiting", "waiting", "confirmed"]


def test_the_audit_finds_a_school_with_too_many_places_and_a_wrong_count() -> None:
    event, oak = make_event(per_school=2), make_school("Oak")
    book(event, oak, "Ada", "Ben")
    db.session.execute(db.text("UPDATE school_counts SET taken = 1"))
    db.session.execute(db.text("UPDATE events SET per_school = 1"))
    db.session.commit()
    assert audit() == [
        f"event {event.id}: the count of school {oak.id} is wrong, it has 2 places",
        f"event {event.id}: school {oak.id} has 2 places of 1 (rule 1)",
    ]
