"""Offers: held for a time, taken, declined, ended; and when free places go on."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from booking.bookings import actions, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event, EventStatus, Promotion
from booking.core.db import db
from booking.core.errors import Refused
from booking.notifications.models import Message
from tests.factories import make_event, make_organiser

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day", "in_app")]
# The clock of `school_day` is Tuesday 24 November 2026 at ten.
IN_TWO_DAYS = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def book(event: Event, *names: str, together: bool = True) -> Booking:
    people = [NewPlace(name, f"{name.lower()}@school.example") for name in names]
    by = Contact(people[0].name, people[0].email)
    return actions.book(event, by=by, places=people, together=together)


def statuses(*bookings: Booking) -> list[str]:
    db.session.expire_all()
    places = db.session.query(Place).order_by(Place.id)
    return [str(place.status) for one in bookings for place in places.filter_by(booking_id=one.id)]


def mails() -> list[tuple[str, str, str | None]]:
    return [(m.kind, m.to_email, m.calendar_method) for m in db.session.query(Message).order_by(Message.id)]


def an_event_with_offers(**values: object) -> Event:
    return make_event(**{"capacity": 1, "promotion": Promotion.OFFER, "offer_hours": 48, **values})


def test_a_free_place_is_offered_to_the_first_who_waits_and_held() -> None:
    event = an_event_with_offers()
    came, waits, next_one = (book(event, name) for name in ("Ada", "Ben", "Cem"))
    actions.cancel(came)
    assert statuses(came, waits, next_one) == ["cancelled", "offered", "waiting"]
    assert mails()[-1] == ("offered", "ben@school.example", None)
    assert abs(waits.places[0].offered_until - IN_TWO_DAYS) < timedelta(minutes=5)
    event = db.session.get(Event, event.id)
    assert (event.taken, event.settle_at) == (1, waits.places[0].offered_until)
    assert statuses(book(event, "Dee")) == ["waiting"]
    assert audit() == []


def test_who_accepts_is_confirmed_and_invited_once() -> None:
    event = an_event_with_offers()
    came, waits = book(event, "Ada"), book(event, "Ben")
    actions.cancel(came)
    assert [place.name for place in promotions.accept(event, waits.places)] == ["Ben"]
    assert promotions.accept(event, waits.places) == []
    assert statuses(waits) == ["confirmed"]
    assert mails()[-2:] == [("offered", "ben@school.example", None), ("confirmed", "ben@school.example", "REQUEST")]
    assert (db.session.get(Event, event.id).settle_at, audit()) == (None, [])


def test_who_declines_lets_the_next_have_it_at_once() -> None:
    event = an_event_with_offers()
    came, waits, next_one = (book(event, name) for name in ("Ada", "Ben", "Cem"))
    actions.cancel(came)
    actions.cancel(waits)
    assert statuses(waits, next_one) == ["cancelled", "offered"]
    assert audit() == []


def test_an_offer_that_is_not_answered_goes_to_the_next_and_does_not_block_the_place() -> None:
    event = an_event_with_offers()
    came, waits, next_one = (book(event, name) for name in ("Ada", "Ben", "Cem"))
    actions.cancel(came)
    with time_machine.travel(IN_TWO_DAYS + timedelta(minutes=5)):
        assert (promotions.settle_due(), promotions.settle_due()) == (1, 0)
        assert statuses(waits, next_one) == ["cancelled", "offered"]
        assert mails()[-2:] == [
            ("offer_ended", "ben@school.example", None),
            ("offered", "cem@school.example", None),
        ]
        with pytest.raises(Refused, match="This offer has ended"):
            promotions.accept(event, waits.places)
        assert statuses(book(event, "Ben")) == ["waiting"]
        assert audit() == []


def test_an_answer_that_comes_too_late_is_refused_also_before_the_scheduler_has_been_there() -> None:
    event = an_event_with_offers()
    came, waits = book(event, "Ada"), book(event, "Ben")
    actions.cancel(came)
    with time_machine.travel(IN_TWO_DAYS + timedelta(minutes=5)), pytest.raises(Refused, match="has ended"):
        promotions.accept(event, waits.places)
    assert statuses(waits) == ["offered"]


def test_whose_offer_ended_may_book_again_also_before_the_scheduler_has_been_there() -> None:
    event = an_event_with_offers()
    came, waits = book(event, "Ada"), book(event, "Ben")
    actions.cancel(came)
    with time_machine.travel(IN_TWO_DAYS + timedelta(minutes=5)):
        assert statuses(waits, book(event, "Ben")) == ["cancelled", "confirmed"]
        assert audit() == []


def test_a_group_is_offered_together_and_may_take_fewer() -> None:
    event = an_event_with_offers(capacity=2)
    came, group = book(event, "Ada", "Ben"), book(event, "Cem", "Dee")
    waits = book(event, "Eve")
    actions.cancel(came)
    assert statuses(group, waits) == ["offered", "offered", "waiting"]
    promotions.accept(event, [group.places[0]])
    actions.cancel(group, places=[group.places[1]])
    assert statuses(group, waits) == ["confirmed", "cancelled", "offered"]
    assert (db.session.get(Event, event.id).taken, audit()) == (2, [])


def test_no_offer_is_made_for_the_weekend_or_the_night() -> None:
    event = an_event_with_offers(offer_hours=24)
    with time_machine.travel(datetime(2026, 11, 27, 16, 0, tzinfo=UTC)):  # a Friday afternoon
        came, waits = book(event, "Ada"), book(event, "Ben")
        actions.cancel(came)
        db.session.refresh(waits.places[0])
        assert waits.places[0].offered_until == datetime(2026, 11, 30, 10, 0, tzinfo=UTC)  # Monday at ten


def test_while_it_is_paused_nothing_goes_on_and_afterwards_all_does() -> None:
    event, tom = make_event(capacity=1), make_organiser()
    came, waits = book(event, "Ada"), book(event, "Ben")
    promotions.pause(event, by=tom, paused=True)
    actions.cancel(came)
    assert statuses(waits, book(event, "Cem")) == ["waiting", "waiting"]
    assert [place.name for place in promotions.pause(event, by=tom, paused=False)] == ["Ben"]
    assert (statuses(waits), audit()) == (["confirmed"], [])


def test_an_event_may_let_late_places_go_on_until_it_starts() -> None:
    event = make_event(capacity=1, day=date(2027, 3, 8), late_places_go_on=True)
    came, waits = book(event, "Ada"), book(event, "Ben")
    with time_machine.travel(datetime(2027, 3, 8, 12, 0, tzinfo=UTC)):  # an hour and a half before
        actions.cancel(came)
        assert (statuses(waits), audit()) == (["confirmed"], [])


def test_an_organiser_lets_in_out_of_turn_what_fits_and_no_more() -> None:
    event, tom = an_event_with_offers(capacity=2), make_organiser()
    came = book(event, "Ada", "Ben")
    first, group = book(event, "Cem"), book(event, "Dee", "Eve")
    promotions.pause(event, by=tom, paused=True)
    actions.cancel(came, places=[came.places[0]])
    with pytest.raises(Refused, match="2 wait together and 1 place is free"):
        promotions.let_in(event, group.places[0], by=tom)
    assert [place.name for place in promotions.let_in(event, first.places[0], by=tom)] == ["Cem"]
    assert statuses(first) == ["confirmed"]
    assert promotions.let_in(event, first.places[0], by=tom) == []
    actions.cancel(first)
    with pytest.raises(Refused, match="Cem is not waiting any more"):
        promotions.let_in(event, first.places[0], by=tom)


def test_what_is_wrong_with_one_event_does_not_hold_up_the_next(caplog: pytest.LogCaptureFixture) -> None:
    broken, other = an_event_with_offers(), an_event_with_offers()
    for event in (broken, other):
        came, _ = book(event, f"Ada{event.id}"), book(event, f"Ben{event.id}")
        actions.cancel(came)
    db.session.execute(db.text("UPDATE events SET taken = 0 WHERE id = :id"), {"id": broken.id})
    db.session.commit()
    with time_machine.travel(IN_TWO_DAYS + timedelta(hours=1)):
        with pytest.raises(Exception, match="never_oversold"):
            promotions.settle_due()
        assert [str(p.status) for p in db.session.query(Place).filter_by(event_id=other.id).order_by(Place.id)] == [
            "cancelled",
            "cancelled",
        ]


def test_nothing_is_offered_at_an_event_that_was_called_off() -> None:
    event = an_event_with_offers()
    came, waits = book(event, "Ada"), book(event, "Ben")
    actions.cancel(came)
    event = db.session.get(Event, event.id)
    event.status = EventStatus.CANCELLED
    db.session.commit()
    with pytest.raises(Refused, match="was cancelled"):
        promotions.accept(event, waits.places)
    with time_machine.travel(IN_TWO_DAYS + timedelta(hours=1)):
        assert (promotions.settle_due(), promotions.settle_due(), statuses(waits)) == (1, 0, ["offered"])
