from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from booking.bookings import actions, promotions
from booking.bookings.actions import AlreadyBooked
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind
from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.notifications.models import Message
from tests.factories import make_booking, make_event, make_organiser, make_school

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day", "in_app")]

PRIYA = Contact("Priya Nair", "priya@school.example")


def book(event: Event, *names: str, by: Contact | None = None, **more):
    by = by or Contact(names[0], f"{names[0].split()[0].lower()}@school.example")
    places = [NewPlace(by.name, by.email), *(NewPlace(name) for name in names[1:])]
    return actions.book(event, by=by, places=places, **more)


def statuses(booking) -> list[str]:
    db.session.refresh(booking)
    return [str(place.status) for place in db.session.query(Place).filter_by(booking_id=booking.id).order_by(Place.id)]


def mails() -> list[tuple[str, str, str | None]]:
    return [(m.kind, m.to_email, m.calendar_method) for m in db.session.query(Message).order_by(Message.id)]


def test_who_books_in_time_is_confirmed_and_told() -> None:
    event = make_event(capacity=2)
    booking = book(event, "Priya Nair")
    assert statuses(booking) == ["confirmed"]
    assert db.session.get(Event, event.id).taken == 1
    assert mails() == [("confirmed", "priya@school.example", "REQUEST")]


def test_a_colleague_with_an_address_gets_their_own_mail_that_names_only_who_booked() -> None:
    event = make_event()
    places = [NewPlace("Priya Nair", PRIYA.email), NewPlace("Daniel Achebe", "d@school.example"), NewPlace("Ada Obi")]
    actions.book(event, by=PRIYA, places=places)
    assert mails() == [("confirmed", "priya@school.example", "REQUEST"), ("confirmed", "d@school.example", "REQUEST")]
    text = db.session.query(Message).filter_by(to_email="d@school.example").one().text
    assert "Daniel Achebe" in text
    assert "Priya Nair booked this for you" in text
    assert "Ada Obi" not in text
    assert "/places/" in text
    assert "/bookings/" not in text


def test_who_comes_too_late_waits_with_the_next_number() -> None:
    event = make_event(capacity=1)
    book(event, "Priya Nair")
    waits = [book(event, name) for name in ("Ada Obi", "Ravi Shah")]
    assert [statuses(one) for one in waits] == [["waiting"], ["waiting"]]
    assert [one.places[0].position for one in waits] == [1, 2]
    assert mails()[1:] == [("waiting", "ada@school.example", None), ("waiting", "ravi@school.example", None)]


def test_a_group_that_does_not_fit_waits_all_together() -> None:
    event = make_event(capacity=2)
    assert statuses(book(event, "Ada Obi", "Ravi Shah", "Uma Fenn")) == ["waiting"] * 3
    assert db.session.get(Event, event.id).taken == 0


def test_a_group_may_take_places_as_they_come() -> None:
    event = make_event(capacity=2)
    assert statuses(book(event, "Ada Obi", "Ravi Shah", "Uma Fenn", together=False)) == [
        "confirmed",
        "confirmed",
        "waiting",
    ]


def test_who_fits_is_not_held_up_by_a_group_that_does_not() -> None:
    event = make_event(capacity=2)
    book(event, "Ada Obi", "Ravi Shah", "Uma Fenn")
    assert statuses(book(event, "Priya Nair")) == ["confirmed"]


def test_cancelling_gives_the_place_to_the_first_who_waits() -> None:
    event = make_event(capacity=1)
    first, second, third = (book(event, name) for name in ("Priya Nair", "Ada Obi", "Ravi Shah"))
    assert [place.name for place in actions.cancel(first)] == ["Priya Nair"]
    assert [statuses(one) for one in (first, second, third)] == [["cancelled"], ["confirmed"], ["waiting"]]
    assert mails()[-2:] == [
        ("cancelled", "priya@school.example", "CANCEL"),
        ("promoted", "ada@school.example", "REQUEST"),
    ]
    assert audit() == []


def test_who_booked_for_others_is_told_by_name_who_came_up_from_the_waiting_list() -> None:
    event = make_event(capacity=1)
    first = book(event, "Priya Nair")
    places = [NewPlace("Sam Green", "sam@school.example"), NewPlace("Uma Fenn")]
    actions.book(event, by=PRIYA, places=places, together=False)
    book(event, "Ada Obi")
    actions.cancel(first)
    told = {m.to_email: m for m in db.session.query(Message).filter_by(kind="promoted")}
    headings = {to: message.text.split("\n", 1)[0] for to, message in told.items()}
    assert headings == {
        "priya@school.example": "The place for Sam Green is booked: one has come free",
        "sam@school.example": "A place has come free, and it is yours",
    }
    for to, heading in headings.items():
        assert f"{heading}</h1>" in told[to].html
    assert "Uma Fenn" not in told["priya@school.example"].text


def test_a_group_that_came_up_together_is_named_to_who_booked() -> None:
    event = make_event(capacity=3)
    first = book(event, "Priya Nair", "A", "B")
    book(event, "Ravi Shah", "Sam Green", "Uma Fenn")
    actions.cancel(first)
    (message,) = db.session.query(Message).filter_by(kind="promoted")
    assert message.text.startswith("The places for Ravi Shah, Sam Green and Uma Fenn are booked: they have come free\n")


def test_one_place_of_several_can_be_cancelled() -> None:
    event = make_event(capacity=5)
    booking = book(event, "Priya Nair", "Ada Obi")
    actions.cancel(booking, places=[booking.places[1]])
    assert statuses(booking) == ["confirmed", "cancelled"]
    assert db.session.get(Event, event.id).taken == 1


def test_cancelling_twice_changes_nothing_the_second_time() -> None:
    event = make_event()
    booking = book(event, "Priya Nair")
    actions.cancel(booking)
    sent = len(mails())
    assert actions.cancel(booking) == []
    assert len(mails()) == sent
    assert db.session.get(Event, event.id).taken == 0


def test_who_cancelled_may_book_again_and_the_invitation_counts_on() -> None:
    event = make_event()
    actions.cancel(book(event, "Priya Nair"))
    book(event, "Priya Nair")
    parts = [message.calendar for message in db.session.query(Message).order_by(Message.id)]
    assert [line for part in parts for line in part.splitlines() if line.startswith("SEQUENCE")] == [
        "SEQUENCE:0",
        "SEQUENCE:1",
        "SEQUENCE:2",
    ]
    assert db.session.get(Event, event.id).sequence == 0


def test_the_same_form_sent_twice_books_once() -> None:
    event = make_event()
    first = book(event, "Priya Nair", form_key="form-1")
    assert book(event, "Priya Nair", form_key="form-1").id == first.id
    assert db.session.get(Event, event.id).taken == 1
    assert len(mails()) == 1


def test_who_has_a_place_is_refused_another_and_nothing_changes() -> None:
    event = make_event()
    book(event, "Priya Nair")
    again = Contact("PRIYA  nair", "Priya@School.example ")
    with pytest.raises(AlreadyBooked, match="already has a place"):
        actions.book(event, by=again, places=[NewPlace("Ada Obi"), NewPlace(again.name, again.email)])
    assert db.session.get(Event, event.id).taken == 1
    assert len(mails()) == 1


@pytest.mark.parametrize(
    ("capacity", "waits", "otherwise"), [(9, 0, "confirmed"), (2, 0, "waiting"), (1, 1, "waiting")]
)
def test_a_refusal_knows_what_the_request_would_have_come_to(capacity, waits, otherwise) -> None:
    event = make_event(capacity=capacity)
    book(event, "Priya Nair")
    for _ in range(waits):
        book(event, "Ravi Shah")
    with pytest.raises(AlreadyBooked) as refused:
        book(event, "Priya Nair", "Ada Obi")
    assert str(refused.value.otherwise) == otherwise
    assert statuses(book(event, "Nia Brady", "Ada Obi")) == [otherwise] * 2


def test_a_private_event_takes_no_addresses_of_companions() -> None:
    event = make_event(private=True)
    victim = NewPlace("Ada Obi", "ada@school.example")
    with pytest.raises(Refused, match="no e-mail address but that of whoever books"):
        actions.book(event, by=PRIYA, places=[NewPlace(PRIYA.name, PRIYA.email), victim])
    assert mails() == []


def test_two_people_of_one_office_address_are_two_attendees() -> None:
    event = make_event()
    office = "office@school.example"
    places = [NewPlace("Ada Obi", office), NewPlace("Ravi Shah", office)]
    booking = actions.book(event, by=Contact("Ada Obi", office), places=places)
    assert statuses(booking) == ["confirmed", "confirmed"]
    assert mails() == [("confirmed", office, "REQUEST")]


def test_cancelling_one_of_two_at_an_address_leaves_the_event_in_its_calendar() -> None:
    event = make_event()
    office = "office@school.example"
    places = [NewPlace("Ada Obi", office), NewPlace("Ravi Shah", office)]
    booking = actions.book(event, by=Contact("Ada Obi", office), places=places)
    actions.cancel(booking, places=[booking.places[0]])
    assert mails()[-1] == ("cancelled", office, None)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": EventStatus.CANCELLED}, "has been cancelled"),
        ({"status": EventStatus.DRAFT}, "not been published"),
        ({"in_days": -3}, "is over"),
        ({"closes_at": datetime(2026, 11, 24, 9, 0, tzinfo=UTC)}, "Booking has closed"),
        ({"kind": Kind.DEADLINE, "takes_bookings": False}, "Nobody needs to book"),
        ({"places_per_booking": 1}, "at most 1 places"),
    ],
)
def test_what_cannot_be_booked_is_refused_in_a_sentence(values, sentence) -> None:
    event = make_event(**values)
    with pytest.raises(Refused, match=sentence):
        book(event, "Priya Nair", "Ada Obi")
    assert (db.session.query(Place).count(), mails()) == (0, [])


def test_a_school_that_closed_is_refused() -> None:
    school = make_school("Old School", closed_on=today() - timedelta(days=1))
    with pytest.raises(Refused, match="That school has closed"):
        book(make_event(), "Priya Nair", by=Contact("Priya Nair", "p@school.example", school.id))


def test_after_noon_of_the_school_day_before_a_free_place_waits_for_the_organiser() -> None:
    event = make_event(day=date(2027, 3, 8), capacity=1)  # a Monday in term
    came = make_booking(event, "Priya Nair")
    waits = make_booking(event, "Ada Obi", status=PlaceStatus.WAITING)
    with time_machine.travel(datetime(2027, 3, 5, 12, 1, tzinfo=UTC)):  # the Friday before, just after noon
        actions.cancel(came)
        assert statuses(waits) == ["waiting"]
        assert statuses(book(event, "Ravi Shah")) == ["waiting"]  # nobody overtakes who waits
        assert [place.name for place in promotions.let_in(event, waits.places[0], by=make_organiser())] == ["Ada Obi"]
    assert statuses(waits) == ["confirmed"]


def test_until_noon_of_the_school_day_before_a_free_place_goes_on_by_itself() -> None:
    event = make_event(day=date(2027, 3, 8), capacity=1)
    came = make_booking(event, "Priya Nair")
    waits = make_booking(event, "Ada Obi", status=PlaceStatus.WAITING)
    with time_machine.travel(datetime(2027, 3, 5, 11, 59, tzinfo=UTC)):
        actions.cancel(came)
    assert statuses(waits) == ["confirmed"]


def test_more_places_let_in_who_waits() -> None:
    event = make_event(capacity=1)
    book(event, "Priya Nair")
    waits = [book(event, name) for name in ("Ada Obi", "Ravi Shah", "Uma Fenn")]
    event.capacity = 3
    db.session.commit()
    actions.limits_changed(event)
    assert [statuses(one) for one in waits] == [["confirmed"], ["confirmed"], ["waiting"]]
    assert audit() == []


def test_the_audit_finds_what_breaks_the_rules() -> None:
    event = make_event(capacity=3)
    make_booking(event, "Priya Nair", "p@school.example")
    event.taken = 2
    make_booking(event, "Ada Obi", status=PlaceStatus.WAITING)
    db.session.commit()
    assert audit() == [
        f"event {event.id}: says 2 places are taken, 1 are",
        f"event {event.id}: there is room, and place 2 waits (rule 3)",
    ]


def test_nobody_new_overtakes_who_waits_when_the_limit_is_taken_away_after_noon() -> None:
    event = make_event(capacity=1, in_days=1)
    book(event, "Priya Nair")
    waits = book(event, "Ada Obi")
    with time_machine.travel(datetime(2026, 11, 24, 12, 1, tzinfo=UTC)):
        event.capacity = None
        db.session.commit()
        assert statuses(book(event, "Ravi Shah")) == ["waiting"]
        assert statuses(waits) == ["waiting"]


def test_places_of_a_cancelled_event_are_not_given_back_again() -> None:
    event = make_event(status=EventStatus.CANCELLED)
    booking = make_booking(event)
    with pytest.raises(Refused, match="was cancelled"):
        actions.cancel(booking, as_organiser=True)
    assert mails() == []
