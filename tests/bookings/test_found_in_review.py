"""What a reviewer with fresh eyes found, and reproduced by a script before it was mended."""

from datetime import timedelta

import pytest

from booking.bookings import actions, changes, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.limits import schools_counted
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event, Promotion, Series
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.notifications.models import Message
from booking.organiser import actions as organiser
from tests.bookings.numbers import change
from tests.factories import make_event, make_organiser, make_school, save, the_area, values_of

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day", "in_app")]


def book(event: Event, *names: str, **more: object) -> Booking:
    people = [NewPlace(name, f"{name.lower()}@school.example") for name in names]
    by = Contact(people[0].name, people[0].email, more.pop("school_id", None))
    return actions.book(event, by=by, places=people, **more)


def two_dates(**there: object) -> tuple[Event, Event]:
    series = save(Series(area_id=the_area().id, name="Coffee mornings")).id
    return make_event(series_id=series), make_event(series_id=series, in_days=40, **there)


def status(booking: Booking) -> str:
    db.session.expire_all()
    return str(booking.places[0].status)


def test_nobody_learns_by_a_change_of_date_who_is_booked_at_a_private_event() -> None:
    event, private = two_dates(private=True)
    actions.book(private, by=Contact("Jane", "jane@home.example"), places=[NewPlace("Jane", "jane@home.example")])
    booking = book(event, "Mal")
    for name in ("Jane", "Kim"):
        place = changes.edit_place(booking.places[-1], name=name, email=f"{name.lower()}@home.example")
        with pytest.raises(Refused, match="Choose another date of the same series"):
            changes.move(booking, to=private, places=[place])


def test_addresses_of_others_do_not_come_to_a_private_event_by_a_change_of_date() -> None:
    event, private = two_dates(private=True)
    booking = book(event, "Mal", "Kim")
    with pytest.raises(Refused, match="no e-mail address but that of whoever books"):
        changes.move(booking, to=private, by=make_organiser())


def test_the_old_attendee_is_not_told_who_came_instead() -> None:
    booking = book(make_event(), "Ann", "Bob")
    bob = booking.places[1]
    changes.swap(bob, NewPlace("Secret Sue", "sue@school.example"))
    with pytest.raises(Refused) as refused:
        actions.cancel(booking, places=[bob], seen=0, own=bob)
    assert refused.value.sentence == ("This place has gone to somebody else, or to another date. Nothing was done now.")


def test_what_leaves_the_bookers_calendar_is_cancelled_there_when_their_place_gets_another_address() -> None:
    booking = book(make_event(), "Ann")
    changes.edit_place(booking.places[0], name="Ann", email="ann.other@school.example")
    sent = [(m.kind, m.to_email, m.calendar_method) for m in db.session.query(Message).order_by(Message.id)]
    assert sent[1:] == [
        ("readdressed", "ann.other@school.example", "REQUEST"),
        ("swapped_out", "ann@school.example", "CANCEL"),
    ]


def test_colleagues_who_share_the_offices_address_keep_it_when_the_booker_gets_another() -> None:
    office = "office@school.example"
    people = [NewPlace("Ann", office), NewPlace("Bob", office)]
    booking = actions.book(make_event(), by=Contact("Ann", office), places=people)
    changes.edit_booking(booking, name="Ann", email="ann7@school.example", needs="")
    db.session.expire_all()
    active = db.session.query(Place).filter(Place.became_id.is_(None)).order_by(Place.name)
    assert [(place.name, place.email) for place in active] == [("Ann", "ann7@school.example"), ("Bob", office)]


def test_no_offer_outlives_an_event_that_has_moved_nearer() -> None:
    event = make_event(capacity=1, promotion=Promotion.OFFER, offer_hours=300)
    came, waits = book(event, "Ann"), book(event, "Bob")
    actions.cancel(came)
    before = db.session.get(Place, waits.places[0].id).offered_until
    event = db.session.get(Event, event.id)
    values = {**{f: getattr(values_of(event), f) for f in values_of(event).__dataclass_fields__}}
    values["day"] = (now() + timedelta(days=3)).date()
    organiser.edit_event(event, type(values_of(event))(**values), by=make_organiser(), revision=event.revision)
    db.session.expire_all()
    until = db.session.get(Place, waits.places[0].id).offered_until
    event = db.session.get(Event, event.id)
    assert until < event.starts_at < before
    assert event.settle_at == until
    assert db.session.query(Message).filter_by(kind="offered").count() == 2


def test_who_waits_comes_first_also_before_the_scheduler_has_let_them_in() -> None:
    event, tom = make_event(capacity=1), make_organiser()
    came, waits = book(event, "Ann"), book(event, "Bob")
    promotions.pause(event, by=tom, paused=True)
    actions.cancel(came)
    # As when half terms are corrected: places go on again, and nobody has looked yet.
    db.session.execute(db.text("UPDATE events SET promotion_paused = false"))
    db.session.commit()
    assert [status(book(event, "Cem")), status(waits)] == ["waiting", "waiting"]


def test_bookings_cannot_be_switched_off_while_somebody_waits() -> None:
    event = make_event(capacity=0)
    book(event, "Ann")
    event = db.session.get(Event, event.id)
    fields = {f: getattr(values_of(event), f) for f in values_of(event).__dataclass_fields__}
    values = type(values_of(event))(**{**fields, "takes_bookings": False})
    with pytest.raises(Refused, match="People have booked this, or wait"):
        organiser.edit_event(event, values, by=make_organiser(), revision=event.revision)


def test_a_higher_limit_takes_up_what_was_let_in_beyond_the_lower_one() -> None:
    event, oak = make_event(per_school=1), make_school("Oak").id
    book(event, "Ann", school_id=oak)
    waits = book(event, "Bob", school_id=oak)
    promotions.let_in_beyond(event, waits.places[0], by=make_organiser(), reason="A new SENCo")
    change(event, per_school=2)
    assert [(count.taken, count.most) for count in schools_counted(event)] == [(2, 2)]
    assert (status(book(event, "Cem", school_id=oak)), audit()) == ("waiting", [])


def test_a_form_from_before_somebody_was_let_in_beyond_the_limit_is_stale() -> None:
    event = make_event(capacity=1)
    book(event, "Ann")
    waits = book(event, "Bob")
    revision = db.session.get(Event, event.id).revision
    promotions.let_in_beyond(event, waits.places[0], by=make_organiser(), reason="A new SENCo")
    db.session.expire_all()
    assert (event.capacity, event.revision) == (2, revision + 1)


def test_two_names_of_one_office_that_differ_in_a_vowel_sign_are_two_attendees() -> None:
    office = "office@school.example"
    people = [NewPlace("मीना", office), NewPlace("मोना", office)]
    booking = actions.book(make_event(), by=Contact("मीना", office), places=people)
    assert [status(booking), len(booking.places)] == ["confirmed", 2]
