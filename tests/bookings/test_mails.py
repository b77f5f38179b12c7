"""What the mails of a changed mind say, to whom, and what they do to calendars: text and HTML alike."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from booking.bookings import actions, changes, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Booking
from booking.calendar.models import Event, Promotion, Series
from booking.core.db import db
from booking.notifications.models import Message
from tests.factories import make_event, make_school, save, the_area

pytestmark = pytest.mark.usefixtures("school_day", "in_app")

PRIYA = Contact("Priya Nair", "priya@school.example")
HERSELF = NewPlace(PRIYA.name, PRIYA.email)
DANIEL = NewPlace("Daniel Achebe", "daniel@school.example")
ADA = NewPlace("Ada Obi", "ada@school.example")
UMA = NewPlace("Uma Fenn")
SOON = "Thursday 26 November, 10am"
LINK = "https://meet.example/room"


def book(event: Event, *places: NewPlace, by: Contact = PRIYA) -> Booking:
    return actions.book(event, by=by, places=places)


def forget() -> None:
    """Empty the outbox: what comes now is what the test is about."""
    db.session.query(Message).delete()
    db.session.commit()


def offer(*places: NewPlace, **values) -> tuple[Event, Booking]:
    """Places that are offered now."""
    event = make_event("Workshop", capacity=len(places), promotion=Promotion.OFFER, **values)
    first = book(event, *(NewPlace(f"X {n}") for n in range(len(places))), by=Contact("X", "x@x.example"))
    booking = book(event, *places)
    forget()
    actions.cancel(first)
    db.session.query(Message).filter_by(to_email="x@x.example").delete()
    db.session.commit()
    return event, booking


def letters() -> dict[str, Message]:
    """Every mail by its address; each address has one."""
    found = db.session.query(Message).order_by(Message.id).all()
    assert len({message.to_email for message in found}) == len(found)
    return {message.to_email.partition("@")[0]: message for message in found}


def said(message: Message) -> list[str]:
    """The paragraphs of a mail, without links, references and the foot. The HTML says the same."""
    text = re.sub(r"http://\S+", "…", message.text).split("\n--\n")[0]
    paragraphs = [one.strip() for one in text.split("\n\n") if one.strip()]
    plain = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", message.html)).split())
    lines = [line.removeprefix("- ") for one in paragraphs for line in one.splitlines() if "…" not in line]
    assert [line for line in lines if line not in plain] == []
    assert "\n\n\n" not in message.text
    assert "  " not in message.text
    return [one for one in paragraphs if "…" not in one]


def calendar(message: Message) -> tuple[str | None, str | None]:
    """What the mail does to a calendar, with its number."""
    number = re.search(r"SEQUENCE:(\d+)", message.calendar or "")
    return message.calendar_method, number and number[1]


CARD = "Workshop\nThursday 24 December 2026, 1.30pm to 3.30pm"


def test_an_offer_to_who_booked_for_themselves() -> None:
    offer(HERSELF)
    (mail,) = letters().values()
    assert mail.subject == f"Please answer by {SOON}: Workshop, Thursday 24 December 2026, 1.30pm to 3.30pm"
    assert said(mail)[:3] == [
        "A place has come free, and it is held for you",
        f"Please say by {SOON} whether you take it. After that it goes to whoever waits next.",
        CARD,
    ]
    assert (calendar(mail), "Accept or decline: http" in mail.text) == ((None, None), True)


def test_an_offer_to_a_group_and_to_each_of_it() -> None:
    offer(HERSELF, DANIEL, UMA)
    found = letters()
    assert [(who, said(mail)[0]) for who, mail in found.items()] == [
        ("priya", "Places have come free for Priya Nair, Daniel Achebe and Uma Fenn"),
        ("daniel", "A place has come free, and it is held for you"),
    ]
    assert said(found["priya"])[1] == (
        f"Please say by {SOON} whether you take them. After that they go to whoever waits next. "
        "Whoever has an e-mail address has been asked too; one answer is enough."
    )
    assert said(found["daniel"])[1].endswith("it goes to whoever waits next.")
    assert [name in found["daniel"].text for name in ("Uma Fenn", "/bookings/")] == [False, False]
    assert [calendar(mail) for mail in found.values()] == [(None, None)] * 2


def test_an_offer_for_one_colleague_without_an_address() -> None:
    offer(UMA)
    (mail,) = letters().values()
    assert said(mail)[:2] == [
        "A place has come free for Uma Fenn",
        f"Please say by {SOON} whether you take it. After that it goes to whoever waits next.",
    ]


def test_an_offer_that_ended() -> None:
    event, _ = offer(HERSELF, DANIEL)
    forget()
    with time_machine.travel(datetime(2026, 11, 26, 10, 5, tzinfo=UTC)):
        promotions.settle(event)
    found = letters()
    late = "We had no answer in time, so the {} to whoever waits next."
    again = "If you would still like to come, book again to join the waiting list."
    assert said(found["priya"])[:2] == [
        "The offer of places has ended",
        f"{late.format('places go')} {again} They were held for Priya Nair and Daniel Achebe.",
    ]
    assert said(found["daniel"])[:2] == ["The offer of a place has ended", f"{late.format('place goes')} {again}"]
    assert [calendar(mail) for mail in found.values()] == [(None, None)] * 2


def test_an_offer_that_is_accepted_comes_into_the_calendar() -> None:
    event, booking = offer(DANIEL)
    forget()
    promotions.accept(event, booking.places)
    found = letters()
    assert [(who, said(mail)[0], *calendar(mail)) for who, mail in found.items()] == [
        ("priya", "The place is booked", None, None),
        ("daniel", "The place is booked", "REQUEST", "0"),
    ]


def test_a_swap_is_told_to_all_three() -> None:
    event = make_event("Workshop", joining_link=LINK)
    booking = book(event, HERSELF, DANIEL, UMA)
    forget()
    changes.swap(booking.places[1], ADA)
    found = letters()
    assert [(who, mail.subject.partition(":")[0], *calendar(mail)) for who, mail in found.items()] == [
        ("priya", "Changed", None, None),
        ("ada", "You have a place", "REQUEST", "0"),
        ("daniel", "You are no longer booked", "CANCEL", "1"),
    ]
    assert said(found["priya"])[:2] == [
        "Ada Obi comes instead of Daniel Achebe",
        "Ada Obi has an e-mail about it, and is written to from now on.",
    ]
    assert said(found["ada"]) == [
        "You have a place",
        "Priya Nair gave this place to you.",
        CARD,
        f"Join on line: {LINK}",
        "- Ada Obi: confirmed",
    ]
    assert said(found["daniel"]) == [
        "You are no longer booked",
        "The place that was yours has gone to somebody else, as you or Priya Nair asked.",
        CARD,
        "The event leaves the calendar of this address. If this is a mistake, please tell us.",
    ]
    for who, names in (("ada", ("Daniel Achebe", "Uma Fenn")), ("daniel", ("Ada Obi", "Uma Fenn", LINK))):
        mail = found[who]
        assert [name in mail.text + mail.html + (mail.calendar or "") for name in names] == [False] * len(names)


def test_who_booked_and_hands_on_their_own_place_reads_it_in_one_mail() -> None:
    booking = book(make_event("Workshop"), HERSELF)
    forget()
    uma = changes.swap(booking.places[0], UMA)
    (mail,) = letters().values()
    assert (said(mail)[:2], calendar(mail)) == (
        ["Uma Fenn comes instead of Priya Nair", "What is to be known about it comes to you."],
        ("CANCEL", "1"),
    )
    forget()
    changes.swap(uma, HERSELF)
    (mail,) = letters().values()
    assert (said(mail)[:2], calendar(mail)) == (
        ["Priya Nair comes instead of Uma Fenn", "The place is yours now."],
        ("REQUEST", "2"),
    )


def test_a_swap_of_an_offered_place_asks_the_new_one() -> None:
    _, booking = offer(DANIEL)
    forget()
    changes.swap(booking.places[0], ADA)
    found = letters()
    assert [(who, mail.subject.partition(":")[0], *calendar(mail)) for who, mail in found.items()] == [
        ("priya", "Changed", None, None),
        ("ada", "A place is held for you", None, None),
        ("daniel", "You are no longer booked", None, None),
    ]
    ask = f"Please say by {SOON} whether the place is taken."
    assert said(found["ada"])[:2] == ["A place is held for you", f"Priya Nair gave this place to you. {ask}"]
    assert "Accept or decline: http" in found["ada"].text
    assert "leaves the calendar" not in found["daniel"].text


def test_a_swap_on_the_waiting_list_keeps_the_number() -> None:
    booking = book(make_event("Workshop", capacity=0), DANIEL)
    forget()
    changes.swap(booking.places[0], ADA)
    found = letters()
    assert said(found["ada"])[:2] == [
        "You are on the waiting list",
        "Priya Nair gave this place to you. The number on the waiting list is the one from before.",
    ]
    assert [calendar(mail)[0] for mail in found.values()] == [None] * 3


def test_a_swap_within_an_office_address_leaves_the_event_in_its_calendar() -> None:
    office = "office@school.example"
    booking = book(make_event("Workshop"), NewPlace("Ada Obi", office), HERSELF)
    forget()
    changes.swap(booking.places[0], NewPlace("Ben Fenn", office))
    found = db.session.query(Message).filter_by(to_email=office).order_by(Message.id)
    assert [(mail.kind, *calendar(mail)) for mail in found] == [
        ("swapped", "REQUEST", "1"),
        ("swapped_out", None, None),
    ]


def test_another_address_of_an_attendee() -> None:
    booking = book(make_event("Workshop"), HERSELF, DANIEL)
    forget()
    changes.edit_place(booking.places[1], name=DANIEL.name, email="dan@new.example")
    found = letters()
    assert [(who, said(mail)[0], *calendar(mail)) for who, mail in found.items()] == [
        ("dan", "Your place goes with this e-mail address now", "REQUEST", "0"),
        ("daniel", "Nothing more comes to this address", "CANCEL", "1"),
    ]
    assert "dan@new.example" not in found["daniel"].text
    assert "Your place goes with another e-mail address from now on." in found["daniel"].text


@pytest.mark.parametrize("comes", [True, False])
def test_another_address_of_who_booked(comes: bool) -> None:
    booking = book(make_event("Workshop"), *([HERSELF] if comes else []), DANIEL, UMA)
    forget()
    changes.edit_booking(booking, name=PRIYA.name, email="pn@new.example", needs="")
    found = letters()
    assert [(who, said(mail)[0], mail.calendar_method) for who, mail in found.items()] == [
        ("pn", "The booking goes with this e-mail address now", "REQUEST" if comes else None),
        ("priya", "Nothing more comes to this address", "CANCEL" if comes else None),
    ]
    assert "Daniel Achebe: confirmed" in found["pn"].text
    assert [word in found["priya"].text for word in ("Daniel", "pn@new.example", "/bookings/")] == [False] * 3


def test_another_date_comes_into_the_calendars_and_the_old_one_leaves() -> None:
    series = save(Series(area_id=the_area().id, name="Workshops"))
    event = make_event("Workshop", series_id=series.id)
    later = make_event("Workshop", series_id=series.id, day=event.day + timedelta(days=14))
    booking = book(event, HERSELF, DANIEL)
    forget()
    changes.move(booking, to=later)
    found = [
        (m.kind, m.to_email.partition("@")[0], m.calendar_method) for m in db.session.query(Message).order_by("id")
    ]
    assert found == [
        ("confirmed", "priya", "REQUEST"),
        ("confirmed", "daniel", "REQUEST"),
        ("left_date", "priya", "CANCEL"),
        ("left_date", "daniel", "CANCEL"),
    ]
    left = db.session.query(Message).filter_by(kind="left_date").order_by(Message.id).all()
    there = "Thursday 7 January 2027, 1.30pm to 3.30pm instead; there is another e-mail about that."
    assert [said(mail) for mail in left] == [
        [
            "The places have changed to another date",
            f"Priya Nair and Daniel Achebe come on {there} This date is no longer booked:",
            CARD,
            "It leaves your calendar.",
        ],
        [
            "The place has changed to another date",
            f"You come on {there} This date is no longer booked:",
            CARD,
            "It leaves your calendar.",
        ],
    ]
    uids = {mail.calendar_method: set() for mail in db.session.query(Message)}
    for mail in db.session.query(Message):
        uids[mail.calendar_method].add(re.search(r"UID:(\S+)", mail.calendar)[1])
    assert uids == {"REQUEST": {later.uid}, "CANCEL": {event.uid}}


@pytest.mark.parametrize(
    ("values", "in_invitation"),
    [({}, True), ({"link_in_invitation": False}, False), ({"private": True}, False)],
)
def test_the_joining_link_stands_in_the_invitation_unless_that_is_switched_off_or_private(
    values, in_invitation
) -> None:
    event = make_event("Workshop", joining_link=LINK, **values)
    booking = book(event, UMA)
    forget()
    changes.swap(booking.places[0], HERSELF)
    (mail,) = letters().values()
    assert (calendar(mail), LINK in mail.calendar, f"Join on line: {LINK}" in mail.text) == (
        ("REQUEST", "0"),
        in_invitation,
        True,
    )


AT_ONCE = "As soon as a place is free and it is your turn, it is yours and we write to you."
HELD = (
    "As soon as a place is free and it is your turn, we write to you and hold it for you, until you say whether you "
    "take it or its time is over."
)


@pytest.mark.parametrize(
    ("values", "places", "sentence"),
    [
        ({"capacity": 1}, [HERSELF], f"All places are taken for now. {AT_ONCE}"),
        ({"capacity": 1, "promotion": Promotion.OFFER}, [HERSELF], f"All places are taken for now. {HELD}"),
        ({"per_school": 1}, [HERSELF], f"Your school has all its places for now. {AT_ONCE}"),
        ({"capacity": 2}, [HERSELF, UMA], f"There is not room for all of you at once yet. {AT_ONCE}"),
    ],
)
def test_who_waits_reads_why_and_what_comes(values, places, sentence) -> None:
    event, school = make_event("Workshop", **values), make_school()
    book(event, ADA, by=Contact(ADA.name, ADA.email, school.id))
    forget()
    book(event, *places, by=Contact(PRIYA.name, PRIYA.email, school.id))
    assert said(letters()["priya"])[:2] == ["On the waiting list", sentence]
