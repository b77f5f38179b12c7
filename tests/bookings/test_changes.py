"""Hand a place on, put details right, change to another date: on both databases. A refusal changes nothing."""

from datetime import timedelta

import pytest

from booking.bookings import actions, changes, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.history import Stale, changes_of
from booking.bookings.limits import schools_counted
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event, Promotion, Series, Visibility, WhoMayBook
from booking.calendar.wording import say_day
from booking.core.db import db
from booking.core.errors import Refused
from booking.notifications.models import Message
from tests.factories import make_area, make_booking, make_event, make_organiser, make_school, save, the_area

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("school_day", "in_app")]

PRIYA = Contact("Priya Nair", "priya@school.example")
DANIEL = NewPlace("Daniel Achebe", "daniel@school.example")
ADA = NewPlace("Ada Obi", "ada@school.example")
HERSELF = NewPlace(PRIYA.name, PRIYA.email)


def book(event: Event, *places: NewPlace, by: Contact = PRIYA, **more) -> Booking:
    return actions.book(event, by=by, places=places or [HERSELF], **more)


def make_series(number: int = 2, **values) -> list[Event]:
    """So many dates of one series, a week apart."""
    series = save(Series(area_id=the_area().id, name="Workshops"))
    return [make_event(f"Workshop {n}", in_days=20 + 7 * n, series_id=series.id, **values) for n in range(number)]


def rows(event: Event) -> list[tuple[str, str | None, str, int | None]]:
    """Who is at the event, and how."""
    db.session.expire_all()
    found = db.session.query(Place).filter_by(event_id=event.id).order_by(Place.id)
    return [(place.name, place.email, str(place.status), place.position) for place in found]


def everything() -> tuple:
    """All that a refused change may not have touched."""
    db.session.expire_all()
    return (
        [rows(event) for event in db.session.query(Event).order_by(Event.id)],
        [(e.taken, e.last_position) for e in db.session.query(Event).order_by(Event.id)],
        [(b.name, b.email, b.key, b.needs, b.revision) for b in db.session.query(Booking).order_by(Booking.id)],
        db.session.query(Message).count(),
        audit(),
    )


def refused(action, *args, **more) -> Refused:
    """Return how an action says no, having changed nothing."""
    before = everything()
    with pytest.raises(Refused) as found:
        action(*args, **more)
    assert everything() == before
    return found.value


def mails(after: int = 0) -> list[tuple[str, str, str | None]]:
    found = db.session.query(Message).order_by(Message.id).offset(after)
    return [(m.kind, m.to_email, m.calendar_method) for m in found]


def test_a_colleague_gets_the_place_as_it_is_and_all_three_are_told() -> None:
    event = make_event(capacity=2)
    booking = book(event, HERSELF, DANIEL)
    told = db.session.query(Message).count()
    ada = changes.swap(booking.places[1], ADA)
    assert rows(event) == [
        ("Priya Nair", "priya@school.example", "confirmed", None),
        ("Daniel Achebe", "daniel@school.example", "cancelled", None),
        ("Ada Obi", "ada@school.example", "confirmed", None),
    ]
    assert booking.places[1].became_id == ada.id
    assert mails(told) == [
        ("swapped", "priya@school.example", None),
        ("swapped", "ada@school.example", "REQUEST"),
        ("swapped_out", "daniel@school.example", "CANCEL"),
    ]
    assert [(change.sentence, change.who) for change in changes_of([booking.id])] == [
        ("Daniel Achebe’s place went to Ada Obi", "who booked")
    ]
    assert (db.session.get(Event, event.id).taken, audit()) == (2, [])


def test_a_place_that_waits_goes_on_with_its_number() -> None:
    event = make_event(capacity=0)
    first, second = book(event, DANIEL), book(event, by=Contact("Tom", "tom@school.example"))
    changes.swap(first.places[0], ADA)
    assert rows(event) == [
        ("Daniel Achebe", "daniel@school.example", "cancelled", None),
        ("Priya Nair", "priya@school.example", "waiting", 2),
        ("Ada Obi", "ada@school.example", "waiting", 1),
    ]
    assert second.places[0].position == 2
    assert audit() == []


def test_a_place_that_is_offered_goes_on_with_the_time_it_is_held() -> None:
    event = make_event(capacity=1, promotion=Promotion.OFFER)
    first = book(event)
    waits = book(event, DANIEL, by=Contact("Tom", "tom@school.example"))
    actions.cancel(first)
    until = waits.places[0].offered_until
    ada = changes.swap(waits.places[0], ADA)
    assert (ada.status, ada.offered_until, db.session.get(Event, event.id).settle_at) == ("offered", until, until)
    assert [place.name for place in promotions.accept(event, [ada])] == ["Ada Obi"]
    assert audit() == []


def test_there_and_back_again_ends_right_in_every_calendar() -> None:
    event = make_event()
    booking = book(event, HERSELF, DANIEL)
    back = changes.swap(changes.swap(booking.places[1], ADA), DANIEL)
    found = db.session.query(Message).filter_by(to_email=DANIEL.email).order_by(Message.id)
    parts = [(m.calendar_method, [one for one in m.calendar.splitlines() if one.startswith("SEQ")]) for m in found]
    assert parts == [("REQUEST", ["SEQUENCE:0"]), ("CANCEL", ["SEQUENCE:1"]), ("REQUEST", ["SEQUENCE:2"])]
    assert (back.status, rows(event)[-1], audit()) == ("confirmed", (*rows(event)[1][:2], "confirmed", None), [])


def test_a_swap_sent_twice_happens_once() -> None:
    event = make_event()
    booking = book(event, HERSELF, DANIEL)
    daniel, seen = booking.places[1], booking.revision
    ada = changes.swap(daniel, ADA, seen=seen)
    before = everything()
    assert changes.swap(daniel, ADA, seen=seen).id == ada.id
    assert everything() == before


def test_who_is_booked_already_cannot_be_swapped_in() -> None:
    event = make_event()
    booking = book(event, HERSELF, DANIEL)
    book(event, ADA, by=Contact("Tom", "tom@school.example"))
    for to in (ADA, NewPlace("ÁDA OBI", "ADA@school.example"), HERSELF):
        no = refused(changes.swap, booking.places[1], to)
        assert (no.field, "already has a place at this event" in no.sentence) == ("name", True)
    no = refused(changes.swap, booking.places[1], DANIEL)
    assert no.sentence == "Daniel Achebe has this place already. Enter who comes instead."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"in_days": -1}, "This event has started, is over or was cancelled"),
        ({"in_days": 1, "changes_until_hours": 48}, "Bookings could be changed until Monday 23 November, 1.30pm."),
    ],
)
def test_after_its_time_only_an_organiser_changes_anything(values, sentence) -> None:
    event = make_event(**values)
    booking = make_booking(event)
    place = booking.places[0]
    calls = [
        (changes.swap, place, {"to": ADA}),
        (changes.edit_place, place, {"name": "Ada", "email": ADA.email}),
        (changes.edit_booking, booking, {"name": "Ada", "email": ADA.email, "needs": ""}),
        (changes.move, booking, {"to": make_event()}),
        (actions.cancel, booking, {}),
    ]
    for action, row, more in calls:
        assert sentence in refused(action, row, **more).sentence
    if event.starts_at > booking.created_at:
        assert changes.swap(place, ADA, by=make_organiser()).name == "Ada Obi"
        assert audit() == []


def test_what_was_cancelled_is_not_changed() -> None:
    event, other = make_series()
    booking = book(event)
    actions.cancel(booking)
    place = booking.places[0]
    assert refused(changes.swap, place, ADA).sentence == changes.CANCELLED_BEFORE
    assert refused(changes.edit_place, place, name="Ada", email="").sentence == changes.CANCELLED_BEFORE
    assert refused(changes.move, booking, to=other).sentence == changes.CANCELLED_BEFORE
    more = {"name": "Ada", "email": PRIYA.email, "needs": ""}
    assert refused(changes.edit_booking, booking, **more).sentence == changes.BOOKING_CANCELLED


def test_who_saw_the_booking_before_an_organiser_changed_it_is_told_so() -> None:
    event, other = make_series()
    booking = book(event, HERSELF, DANIEL)
    daniel, seen = booking.places[1], booking.revision
    ada = changes.swap(daniel, ADA, by=make_organiser())
    calls = [
        (actions.cancel, booking, {}),
        (actions.cancel, booking, {"places": [daniel]}),
        (changes.swap, booking.places[0], {"to": NewPlace("Uma Fenn")}),
        (changes.edit_place, ada, {"name": "Ada B", "email": ADA.email}),
        (changes.edit_booking, booking, {"name": "Priya N", "email": PRIYA.email, "needs": ""}),
        (changes.move, booking, {"to": other}),
    ]
    for action, row, more in calls:
        no = refused(action, row, seen=seen, **more)
        assert isinstance(no, Stale)
        assert "This has changed since you opened the page: Daniel Achebe’s place went to Ada Obi." in no.sentence


def test_an_attendee_is_told_only_of_what_concerns_them() -> None:
    booking = book(make_event(), HERSELF, DANIEL, ADA)
    daniel, seen = booking.places[1], booking.revision
    changes.swap(booking.places[2], NewPlace("Uma Fenn"))
    assert changes.edit_place(daniel, name="Dan Achebe", email=DANIEL.email, seen=seen, own=True).name == "Dan Achebe"
    no = refused(changes.swap, daniel, NewPlace("Ravi Shah"), seen=seen, own=True)
    assert ("Dan Achebe" in no.sentence, "Uma" in no.sentence) == (True, False)


def test_a_name_put_right_keeps_the_place_its_link_and_its_mail() -> None:
    booking = book(make_event(), HERSELF, DANIEL)
    daniel, told = booking.places[1], db.session.query(Message).count()
    key = daniel.key
    same = changes.edit_place(daniel, name="Daniel Achebe-Jones", email=DANIEL.email)
    assert (same.id, same.key, same.attendee_key) == (daniel.id, key, "daniel@school.example|daniel achebe jones")
    assert mails(told) == []
    assert refused(changes.edit_place, daniel, name="Priya Nair", email=PRIYA.email).field == "name"
    assert audit() == []


def test_another_address_gets_the_mail_and_a_link_of_its_own_and_the_old_one_hears_that_no_more_comes() -> None:
    event = make_event(capacity=2)
    booking = book(event, HERSELF, DANIEL)
    daniel, told = booking.places[1], db.session.query(Message).count()
    moved = changes.edit_place(daniel, name=DANIEL.name, email="d@new.example")
    assert (moved.key != daniel.key, moved.status, daniel.status, daniel.became_id) == (
        True,
        "confirmed",
        "cancelled",
        moved.id,
    )
    assert mails(told) == [
        ("readdressed", "d@new.example", "REQUEST"),
        ("swapped_out", "daniel@school.example", "CANCEL"),
    ]
    before = everything()
    assert changes.edit_place(daniel, name=DANIEL.name, email="d@new.example").id == moved.id  # pressed twice
    assert everything() == before
    assert (db.session.get(Event, event.id).taken, audit()) == (2, [])


def test_details_that_stay_the_same_are_no_change() -> None:
    booking = book(make_event(), HERSELF, DANIEL)
    before = everything()
    changes.edit_place(booking.places[1], name=" Daniel  Achebe ", email="DANIEL@school.example", seen=0)
    changes.edit_booking(booking, name=PRIYA.name, email=PRIYA.email, needs="", seen=0)
    assert everything() == before


def test_another_address_of_who_booked_stops_the_old_link_and_takes_their_own_place_along() -> None:
    event = make_event(capacity=3)
    booking = book(event, HERSELF, NewPlace("Uma Fenn"), DANIEL)
    key, told = booking.key, db.session.query(Message).count()
    changes.edit_booking(booking, name="Priya Nair-Shah", email="pn@new.example", needs="Large print")
    assert (booking.key != key, booking.email, booking.needs) == (True, "pn@new.example", "Large print")
    assert rows(event) == [
        ("Priya Nair", "priya@school.example", "cancelled", None),
        ("Uma Fenn", None, "confirmed", None),
        ("Daniel Achebe", "daniel@school.example", "confirmed", None),
        ("Priya Nair-Shah", "pn@new.example", "confirmed", None),
    ]
    assert mails(told) == [
        ("readdressed", "pn@new.example", "REQUEST"),
        ("swapped_out", "priya@school.example", "CANCEL"),
    ]
    goodbye = db.session.query(Message).filter_by(kind="swapped_out").one()
    assert ("/bookings/" in goodbye.text, "/places/" in goodbye.text, "pn@new" in goodbye.text) == (False,) * 3
    assert audit() == []
    # Who is known by name within the booking still is: a second Uma of hers is the same Uma.
    uma = next(place for place in booking.places if place.name == "Uma Fenn")
    assert refused(changes.swap, booking.places[2], NewPlace("Uma Fenn")).field == "name"
    assert uma.attendee_key == f"{booking.key}|uma fenn"


def test_who_booked_cannot_take_the_address_of_somebody_who_has_a_place() -> None:
    event = make_event()
    booking = book(event)
    book(event, NewPlace("Priya Nair", "pn@new.example"), by=Contact("Priya Nair", "pn@new.example"))
    no = refused(changes.edit_booking, booking, name=PRIYA.name, email="pn@new.example", needs="")
    assert "already has a place at this event" in no.sentence


def test_a_private_event_tells_nobody_whether_an_address_is_booked() -> None:
    event = make_event(private=True)
    booking = book(event, HERSELF, NewPlace("Uma Fenn"))
    book(event, NewPlace("Sam Lee", "sam@home.example"), by=Contact("Sam Lee", "sam@home.example"))
    uma = booking.places[1]
    answers = set()
    for email in ("sam@home.example", "nobody@home.example"):
        answers.add(refused(changes.swap, uma, NewPlace("Sam Lee", email)).sentence)
        answers.add(refused(changes.edit_place, uma, name="Sam Lee", email=email).sentence)
        answers.add(refused(changes.edit_booking, booking, name="Sam Lee", email=email, needs="").sentence)
    assert len(answers) == 2  # one about companions, one about who booked, whoever is asked for
    assert changes.swap(uma, NewPlace("Sam Lee")).email is None
    assert audit() == []


def test_an_attendee_of_a_private_event_is_kept_off_printed_lists_and_still_counts() -> None:
    event = make_event(private=True, capacity=1)
    place = book(event).places[0]
    changes.edit_place(place, name=PRIYA.name, email=PRIYA.email, unlisted=True)
    assert (place.unlisted, db.session.get(Event, event.id).taken) == (True, 1)
    assert [change.sentence for change in changes_of([place.booking_id])] == ["Priya Nair is kept off the printed list"]


def test_a_booking_changes_to_another_date_in_one_step() -> None:
    event, other = make_series(capacity=2)
    booking = book(event, HERSELF, DANIEL)
    ada = actions.book(event, by=Contact("Ada Obi", ADA.email), places=[ADA])
    told = db.session.query(Message).count()
    moved = changes.move(booking, to=other)
    assert [(place.name, str(place.status)) for place in moved.places] == [
        ("Priya Nair", "confirmed"),
        ("Daniel Achebe", "confirmed"),
    ]
    assert [str(place.status) for place in booking.places] == ["cancelled"] * 2
    assert [place.became_id for place in booking.places] == [place.id for place in moved.places]
    db.session.refresh(ada)
    assert str(ada.places[0].status) == "confirmed"  # what comes free goes on at once
    assert sorted(mails(told)) == [
        ("confirmed", "daniel@school.example", "REQUEST"),
        ("confirmed", "priya@school.example", "REQUEST"),
        ("left_date", "daniel@school.example", "CANCEL"),
        ("left_date", "priya@school.example", "CANCEL"),
        ("promoted", "ada@school.example", "REQUEST"),
    ]
    assert [db.session.get(Event, one.id).taken for one in (event, other)] == [1, 2]
    assert audit() == []


def test_a_change_of_date_sent_twice_happens_once() -> None:
    event, other = make_series()
    booking = book(event)
    moved = changes.move(booking, to=other, seen=1)
    before = everything()
    assert changes.move(booking, to=other, seen=1).id == moved.id
    assert everything() == before


def test_who_waits_may_change_to_a_date_with_room() -> None:
    event, other = make_series(capacity=1)
    book(event, ADA, by=Contact("Tom", "tom@school.example"))
    booking = book(event)
    assert [str(place.status) for place in booking.places] == ["waiting"]
    moved = changes.move(booking, to=other)
    assert [str(place.status) for place in moved.places] == ["confirmed"]
    assert [str(place.status) for place in booking.places] == ["cancelled"]
    assert [db.session.get(Event, one.id).taken for one in (event, other)] == [1, 1]
    assert audit() == []


def test_one_place_of_several_changes_and_the_others_stay() -> None:
    event, other = make_series()
    booking = book(event, HERSELF, DANIEL)
    moved = changes.move(booking, to=other, places=[booking.places[1]])
    assert [(place.name, str(place.status)) for place in booking.places] == [
        ("Priya Nair", "confirmed"),
        ("Daniel Achebe", "cancelled"),
    ]
    assert [place.name for place in moved.places] == ["Daniel Achebe"]
    assert audit() == []


def test_a_full_date_takes_nobody_and_nothing_is_lost() -> None:
    event, other = make_series(capacity=2)
    book(other, ADA)
    booking = book(event, HERSELF, DANIEL)
    no = refused(changes.move, booking, to=other)
    assert no.field == "to"
    assert no.sentence == (
        f"There is no room for 2 people on {say_day(other.day)} any more. "
        "Your places here are as they were. Choose another date."
    )
    assert [one.id for one in changes.dates_to_move_to(booking)] == [other.id]
    assert changes.dates_to_move_to(booking, number=2) == []


def test_only_another_date_of_the_same_series_can_be_changed_to() -> None:
    event, other = make_series()
    elsewhere = make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
    foreign = save(Series(area_id=elsewhere.id, name="Workshops"))
    booking = book(event)
    for to in (make_event("Alone"), make_event("Of another series", series_id=foreign.id), event):
        assert refused(changes.move, booking, to=to).sentence == "Choose another date of the same series."
    assert [one.id for one in changes.dates_to_move_to(booking)] == [other.id]
    assert changes.dates_to_move_to(book(make_event("Alone too"))) == []


@pytest.mark.parametrize(
    "values",
    [
        {"visibility": Visibility.TEAM},
        {"visibility": Visibility.STAFF},
        {"who_may_book": WhoMayBook.INVITED, "invitation_key": "k" * 16},
    ],
)
def test_a_date_that_is_for_fewer_people_is_not_shown_and_not_changed_to(values) -> None:
    event, other = make_series()
    for name, value in values.items():
        setattr(other, name, value)
    db.session.commit()
    booking = book(event)
    assert changes.dates_to_move_to(booking) == []
    assert refused(changes.move, booking, to=other).sentence == "Choose another date of the same series."


def test_a_date_for_schools_is_not_shown_to_who_is_from_none() -> None:
    event, other = make_series()
    other.who_may_book = WhoMayBook.SCHOOLS
    db.session.commit()
    booking = book(event)
    assert changes.dates_to_move_to(booking) == []
    assert "Booking is for our schools" in refused(changes.move, booking, to=other).sentence


def test_who_has_a_place_on_the_other_date_does_not_get_a_second() -> None:
    event, other = make_series()
    booking = book(event, HERSELF, DANIEL)
    book(other, DANIEL, by=Contact("Tom", "tom@school.example"))
    no = refused(changes.move, booking, to=other)
    assert (no.field, "Daniel Achebe already has a place on" in no.sentence) == ("to", True)


def test_the_limit_of_a_school_holds_on_both_dates() -> None:
    event, other = make_series(per_school=2)
    school = make_school()
    by = Contact(PRIYA.name, PRIYA.email, school.id)
    booking = book(event, HERSELF, DANIEL, by=by)
    book(other, ADA, by=by)
    assert [(one.taken, one.most) for one in schools_counted(event)] == [(2, 2)]
    assert "There is no room for 2 people" in refused(changes.move, booking, to=other).sentence
    changes.move(booking, to=other, places=[booking.places[1]])
    assert [[(one.taken, one.most) for one in schools_counted(date)] for date in (event, other)] == [[(1, 2)], [(2, 2)]]
    assert audit() == []


def test_a_swap_keeps_the_count_of_the_school() -> None:
    event, school = make_event(per_school=1), make_school()
    booking = book(event, by=Contact(PRIYA.name, PRIYA.email, school.id))
    ada = changes.swap(booking.places[0], ADA)
    assert ada.school_id == school.id
    assert [(one.taken, one.most) for one in schools_counted(event)] == [(1, 1)]
    assert audit() == []


def test_an_offer_is_accepted_once_and_not_after_its_time() -> None:
    event = make_event(capacity=1, promotion=Promotion.OFFER)
    first = book(event)
    waits = book(event, DANIEL, by=Contact("Tom", "tom@school.example"))
    actions.cancel(first)
    assert [place.name for place in promotions.accept(event, waits.places)] == ["Daniel Achebe"]
    before = everything()
    assert promotions.accept(event, waits.places) == []
    assert everything() == before
    actions.cancel(waits)
    assert "has ended" in refused(promotions.accept, event, waits.places).sentence


def test_a_declined_offer_goes_to_whoever_waits_next() -> None:
    event = make_event(capacity=1, promotion=Promotion.OFFER, changes_until_hours=720, in_days=20)
    first = make_booking(event)
    waits = book(event, DANIEL, by=Contact("Tom", "tom@school.example"))
    after = book(event, ADA, by=Contact("Uma", "uma@school.example"))
    actions.cancel(first, as_organiser=True)
    assert [place.name for place in actions.cancel(waits)] == ["Daniel Achebe"]  # also after the event's rule
    db.session.refresh(after)
    assert str(after.places[0].status) == "offered"
    assert after.places[0].offered_until - waits.places[0].cancelled_at <= timedelta(hours=48)
    assert audit() == []
