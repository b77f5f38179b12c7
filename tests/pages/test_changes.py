"""Changing one's mind by posting real forms: who booked for all their places, an attendee for their own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings import actions, changes
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Booking, Place
from booking.bookings.queries import BOOKING_LINK, PLACE_LINK
from booking.calendar.models import Promotion, Series
from booking.core.db import db
from booking.core.tokens import link_token
from booking.notifications.models import Message
from tests.databases import close, make_app
from tests.factories import make_event, make_organiser, make_person, save, sign_in, the_area
from tests.statements import statements

pytestmark = pytest.mark.usefixtures("school_day")

PRIYA = Contact("Priya Nair", "priya@school.example")
PEOPLE = (
    NewPlace(PRIYA.name, PRIYA.email),
    NewPlace("Daniel Achebe", "daniel@school.example"),
    NewPlace("Uma Fenn"),
)


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of a booking: who booked, and each attendee's own; and the ids of the places."""

    booking: str
    own: list[str]
    ids: list[int]


def links_of(booking: Booking) -> Links:
    return Links(
        f"/bookings/{link_token(BOOKING_LINK, booking.key)}/",
        [f"/places/{link_token(PLACE_LINK, place.key)}/" for place in booking.places],
        [place.id for place in booking.places],
    )


def booked(app: Flask, *people: NewPlace, by: Contact = PRIYA, **values) -> Links:
    """A booking of Priya, Daniel and Uma at an event of these values."""
    with app.app_context():
        event = make_event(**values)
        return links_of(actions.book(event, by=by, places=people or PEOPLE))


def offered(app: Flask, *people: NewPlace) -> Links:
    """A booking whose places are offered: whoever had them gave them back."""
    with app.app_context():
        people = people or PEOPLE[:1]
        event = make_event(capacity=len(people), promotion=Promotion.OFFER)
        first = actions.book(
            event, by=Contact("X", "x@x.example"), places=[NewPlace(f"X {n}") for n in range(len(people))]
        )
        booking = actions.book(event, by=PRIYA, places=people)
        actions.cancel(first)
        return links_of(booking)


def outcome(page) -> tuple[int, str]:
    found = re.search(r'<main[^>]*data-outcome="(\w+)"', page.text)
    return page.status_code, found[1] if found else ""


def statuses(page) -> list[str]:
    return re.findall(r'data-status="(\w+)"', page.text)


def heading(page) -> str:
    return re.search(r"<h1>(.*?)</h1>", page.text)[1]


def errors(page) -> list[tuple[str, str]]:
    """What the summary says, and where it leads."""
    summary = page.text.split("govuk-error-summary__list")[1].split("</ul>")[0]
    return [(href, text.strip()) for href, text in re.findall(r'<li>\s*(?:<a href="([^"]*)">)?([^<]+)', summary)]


def seen(page) -> str:
    return re.search(r'name="seen"[^>]*value="(\d*)"', page.text)[1]


def send(client: FlaskClient, path: str, **form: str):
    """Fill in the form of a page as it is now, and send it."""
    return client.post(path, data={"seen": seen(client.get(path)), **form}, follow_redirects=True)


def rows(app: Flask) -> list[tuple]:
    """All places of the installation, and what is wrong with them."""
    with app.app_context():
        found = db.session.query(Place).order_by(Place.id)
        return [*((place.name, place.email, str(place.status)) for place in found), *audit()]


def organiser_swaps(app: Flask, place_id: int, name: str) -> None:
    with app.app_context():
        changes.swap(db.session.get(Place, place_id), NewPlace(name), by=make_organiser())


def test_who_booked_swaps_in_a_colleague(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    path = f"{links.booking}swap/{links.ids[1]}"
    assert f'href="{path}"' in client.get(links.booking).text
    assert heading(client.get(path)) == "Who comes instead of Daniel Achebe?"
    page = send(client, path, name="Ada Obi", email="Ada@school.example")
    assert (outcome(page), page.request.path) == ((200, "saved"), links.booking)
    assert "Ada Obi comes instead. There is an e-mail for them about it." in page.text
    assert statuses(page) == ["confirmed"] * 3
    assert "<li>Daniel Achebe’s place went to Ada Obi</li>" in page.text
    assert "Daniel Achebe’s place went to Ada Obi. <span" in page.text  # what has changed, and by whom
    assert outcome(client.get(links.booking)) == (200, "confirmed")
    old = client.get(links.own[1])
    assert (heading(old), outcome(old), "Ada" in old.text) == (
        "Your place has gone to somebody else",
        (200, "cancelled"),
        False,
    )
    assert rows(app) == [
        ("Priya Nair", "priya@school.example", "confirmed"),
        ("Daniel Achebe", "daniel@school.example", "cancelled"),
        ("Uma Fenn", None, "confirmed"),
        ("Ada Obi", "ada@school.example", "confirmed"),
    ]


def test_an_attendee_hands_on_their_place_and_is_shown_nothing_of_the_other(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    page = send(client, f"{links.own[1]}swap", name="Ada Obi", email="ada@school.example")
    assert (outcome(page), page.request.path) == ((200, "saved"), links.own[1])
    assert heading(page) == "Your place has gone to somebody else"
    with app.app_context():
        key = db.session.query(Place).filter_by(name="Ada Obi").one().key
    assert [word in page.text for word in (key, "Uma", "ada@", "/bookings/")] == [False] * 4
    for more in ("swap", "edit", "cancel", "accept"):
        again = client.get(f"{links.own[1]}{more}")
        assert ("Ada" in again.text, again.status_code in {200, 409}) == (False, True)
    assert outcome(client.post(f"{links.own[1]}cancel", data={"seen": "1"})) == (409, "refused")
    assert rows(app)[-1] == ("Ada Obi", "ada@school.example", "confirmed")


def test_a_swap_sent_twice_shows_the_same_page_again(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    path = f"{links.booking}swap/{links.ids[1]}"
    form = {"seen": seen(client.get(path)), "name": "Ada Obi", "email": "ada@school.example"}
    pages = [client.post(path, data=form, follow_redirects=True) for _ in range(2)]
    assert [outcome(page) for page in pages] == [(200, "saved")] * 2
    assert [row[0] for row in rows(app)].count("Ada Obi") == 1


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"name": "", "email": "ada@school.example"}, [("#name", "Enter the name of who comes instead")]),
        ({"name": "Ada", "email": "ada@oak"}, [("#email", "Enter an e-mail address like name@school.example")]),
        ({"name": "see www.evil.example", "email": ""}, [("#name", "Enter a name, not the address of a web page")]),
        ({"name": "x" * 121, "email": ""}, [("#name", "Use at most 120 letters")]),
    ],
)
def test_wrong_input_keeps_what_was_typed(app: Flask, client: FlaskClient, typed, expected) -> None:
    links = booked(app)
    before = rows(app)
    for path in (f"{links.booking}swap/{links.ids[1]}", f"{links.own[1]}swap"):
        page = send(client, path, **typed)
        assert (outcome(page), errors(page)) == ((422, "invalid"), expected)
        assert all(f'value="{text}"' in page.text for text in typed.values() if text)
        assert seen(page) == "1"
    assert rows(app) == before


def test_a_colleague_who_is_booked_already_is_refused_at_the_field(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    page = send(client, f"{links.booking}swap/{links.ids[1]}", name="Priya Nair", email="priya@school.example")
    assert outcome(page) == (409, "refused")
    assert errors(page) == [("#name", "Priya Nair already has a place at this event, or waits for one.")]
    assert 'value="priya@school.example"' in page.text


FORMS = {
    "swap/{}": {"name": "Ravi Shah"},
    "edit/{}": {"name": "Dan Achebe", "email": "daniel@school.example"},
    "edit": {"name": "Priya N", "email": "priya@school.example"},
    "cancel": {},
    "cancel/{}": {},
}


@pytest.mark.parametrize("what", FORMS)
def test_a_form_from_before_somebody_changed_the_booking_is_told_what_and_shown_afresh(
    app: Flask, client: FlaskClient, what: str
) -> None:
    links = booked(app)
    path = links.booking + what.format(links.ids[1])
    stale = seen(client.get(path))
    organiser_swaps(app, links.ids[2], "Ada Obi")
    before = rows(app)
    page = client.post(path, data={"seen": stale, **FORMS[what]})
    assert outcome(page) == (409, "refused")
    sentence = "This has changed since you opened the page: Uma Fenn’s place went to Ada Obi. "
    assert errors(page) == [("", f"{sentence}Nothing was done now. Look, and try again.")]
    assert all(f'value="{text}"' in page.text for text in FORMS[what].values())
    assert rows(app) == before
    again = client.post(path, data={"seen": seen(page), **FORMS[what]}, follow_redirects=True)
    assert outcome(again)[0] == 200
    with app.app_context():
        assert db.session.query(Booking).one().revision == 3


def test_what_no_page_of_ours_says_was_seen_is_told_everything(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    organiser_swaps(app, links.ids[2], "Ada Obi")
    for wrong in ("x", "-1", "9" * 30, ""):
        page = client.post(f"{links.booking}edit", data={"seen": wrong, **FORMS["edit"]})
        assert outcome(page) == (409, "refused")
        assert "went to Ada Obi" in page.text


def test_an_attendee_does_not_hear_what_was_changed_of_others(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    stale = seen(client.get(f"{links.own[1]}edit"))
    organiser_swaps(app, links.ids[2], "Ada Obi")
    form = {"seen": stale, "name": "Dan Achebe", "email": "daniel@school.example"}
    page = client.post(f"{links.own[1]}edit", data=form, follow_redirects=True)
    assert (outcome(page), "Ada" in page.text, "Dan Achebe" in page.text) == ((200, "saved"), False, True)


def test_who_booked_puts_an_attendee_right_and_another_address_gets_a_new_link(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    path = f"{links.booking}edit/{links.ids[1]}"
    assert 'value="daniel@school.example"' in client.get(path).text
    page = send(client, path, name="Daniel Achebe", email="d@new.example")
    assert (outcome(page), "d@new.example" in page.text) == ((200, "saved"), True)
    assert heading(client.get(links.own[1])) == "This place goes with another e-mail address now"
    with app.app_context():
        mail = db.session.query(Message).filter_by(to_email="d@new.example").one().text
    own = re.search(r"http://calendar.example.org(/places/\S+)", mail)[1]
    assert heading(client.get(own)) == "You have a place"


def test_an_attendee_puts_themselves_right(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    path = f"{links.own[1]}edit"
    assert errors(send(client, path, name="Daniel", email="")) == [("#email", "Enter your e-mail address")]
    page = send(client, path, name="Dan Achebe", email="daniel@school.example")
    assert (outcome(page), heading(page), "Dan Achebe" in page.text) == ((200, "saved"), "You have a place", True)
    page = send(client, path, name="Dan Achebe", email="d@new.example")
    assert heading(page) == "This place goes with another e-mail address now"
    assert "d@new.example" not in page.text
    with app.app_context():
        key = db.session.query(Place).filter_by(email="d@new.example").one().key
    assert key not in page.text


def test_who_booked_gets_a_new_link_with_another_address_and_the_old_one_stops(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    form = {"name": "Priya Nair", "email": "pn@new.example", "needs": "Large print"}
    page = send(client, f"{links.booking}edit", **form)
    assert outcome(page) == (200, "saved")
    assert page.request.path.startswith("/bookings/")
    assert page.request.path != links.booking
    assert client.get(links.booking).status_code == 404
    assert [client.get(f"{links.booking}{more}").status_code for more in ("edit", "cancel", "move")] == [404] * 3
    assert statuses(page) == ["confirmed"] * 3
    assert ">Large print</textarea>" in client.get(f"{page.request.path}edit").text


def test_a_private_event_asks_for_no_addresses_and_offers_to_keep_off_lists(app: Flask, client: FlaskClient) -> None:
    links = booked(app, PEOPLE[0], PEOPLE[2], private=True)
    asked = {
        more: re.findall(r'<(?:input|textarea)[^>]* id="(\w+)"', client.get(f"{links.booking}{more}").text)
        for more in (f"swap/{links.ids[1]}", f"edit/{links.ids[1]}", "edit")
    }
    assert [[one for one in names if one != "seen"] for names in asked.values()] == [
        ["name"],
        ["name", "unlisted"],
        ["name", "needs"],
    ]
    page = send(client, f"{links.booking}edit/{links.ids[1]}", name="Uma Fenn", email="sam@x.example", unlisted="y")
    assert (outcome(page), "kept off printed lists" in page.text) == ((200, "saved"), True)
    send(client, f"{links.booking}swap/{links.ids[0]}", name="Sam Lee", email="sam@x.example")
    send(client, f"{links.booking}edit", name="Priya N", email="sam@x.example", needs="")
    assert [row[:2] for row in rows(app)] == [
        ("Priya Nair", "priya@school.example"),
        ("Uma Fenn", None),
        ("Sam Lee", None),
    ]


def test_a_held_place_is_accepted_by_who_booked(app: Flask, client: FlaskClient) -> None:
    links = offered(app)
    page = client.get(links.booking)
    assert (outcome(page), statuses(page)) == ((200, "offered"), ["offered"])
    assert heading(page) == "A place is held for you until Thursday 26 November, 10am"
    assert re.findall(r'name="answer" value="(\w+)">([^<]+)<', page.text) == [
        ("accept", "Accept"),
        ("decline", "Decline"),
    ]
    ask = client.get(f"{links.booking}accept")
    assert (heading(ask), rows(app)[-1][2]) == ("Do you take this place?", "offered")  # looking changes nothing
    form = {"seen": seen(page), "answer": "accept"}
    answers = [client.post(f"{links.booking}accept", data=form, follow_redirects=True) for _ in range(2)]
    assert [(outcome(one), heading(one)) for one in answers] == [((200, "confirmed"), "You are booked")] * 2
    assert rows(app)[1:] == [("Priya Nair", "priya@school.example", "confirmed")]
    assert heading(client.get(f"{links.booking}accept")) == "This cannot be changed"


def test_a_held_place_is_declined_by_its_attendee(app: Flask, client: FlaskClient) -> None:
    links = offered(app, PEOPLE[0], PEOPLE[1])
    page = client.get(links.own[1])
    assert (outcome(page), statuses(page)) == ((200, "offered"), ["offered"])
    assert heading(page) == "A place is held for you until Thursday 26 November, 10am"
    gone = send(client, f"{links.own[1]}accept", answer="decline")
    assert (outcome(gone), heading(gone)) == ((200, "cancelled"), "Your place is cancelled")
    booking = client.get(links.booking)
    assert (statuses(booking), outcome(booking)) == (["offered", "cancelled"], (200, "cancelled"))
    assert rows(app)[2:] == [
        ("Priya Nair", "priya@school.example", "offered"),
        ("Daniel Achebe", "daniel@school.example", "cancelled"),
    ]


def test_a_held_place_that_is_declined_twice_is_given_back_once(app: Flask, client: FlaskClient) -> None:
    links = offered(app, PEOPLE[0])
    form = {"seen": seen(client.get(f"{links.own[0]}accept")), "answer": "decline"}
    pages = [client.post(f"{links.own[0]}accept", data=form, follow_redirects=True) for _ in range(2)]
    assert [(outcome(page), heading(page)) for page in pages] == [((200, "cancelled"), "Your place is cancelled")] * 2
    with app.app_context():
        assert db.session.query(Message).filter_by(kind="cancelled", to_email=PRIYA.email).count() == 1


def test_each_of_several_held_places_can_be_answered_alone(app: Flask, client: FlaskClient) -> None:
    links = offered(app, *PEOPLE)
    page = client.get(links.booking)
    assert heading(page) == "Three places are held for you until Thursday 26 November, 10am"
    assert ("Accept all 3" in page.text, "Decline all 3" in page.text) == (True, True)
    path = f"{links.booking}accept/{links.ids[2]}"
    assert f'href="{path}"' in page.text
    assert statuses(send(client, path, answer="accept")) == ["offered", "offered", "confirmed"]
    rest = send(client, f"{links.booking}accept", answer="decline")
    assert statuses(rest) == ["cancelled", "cancelled", "confirmed"]


def test_an_answer_that_is_none_is_asked_again(app: Flask, client: FlaskClient) -> None:
    links = offered(app)
    for answer in ("", "perhaps"):
        page = send(client, f"{links.booking}accept", answer=answer)
        assert (outcome(page), errors(page)) == ((422, "invalid"), [("", "Say whether you take it")])
    assert rows(app)[-1][2] == "offered"


def test_what_is_not_offered_cannot_be_answered(app: Flask, client: FlaskClient) -> None:
    links = booked(app, PEOPLE[0], capacity=0)
    page = client.get(f"{links.booking}accept")
    assert (outcome(page), "There is nothing to answer" in page.text) == ((409, "refused"), True)
    sent = client.post(f"{links.booking}accept", data={"answer": "accept"})
    assert (outcome(sent), "This offer has ended" in sent.text) == ((409, "refused"), True)
    declined = client.post(f"{links.own[0]}accept", data={"answer": "decline"})
    assert (outcome(declined), rows(app)[0][2]) == ((409, "refused"), "waiting")


@pytest.fixture
def series(app: Flask) -> Iterator[tuple[Links, list[int]]]:
    """A booking of two at the first of three dates; the second has room for one, the third for all."""
    with app.app_context():
        made = save(Series(area_id=the_area().id, name="Workshops")).id
        events = [
            make_event(f"Workshop {n}", in_days=14 + 7 * n, series_id=made, capacity=c)
            for n, c in ((0, 9), (1, 1), (2, 9))
        ]
        booking = actions.book(events[0], by=PRIYA, places=PEOPLE[:2])
        yield links_of(booking), [event.id for event in events]


def choices(page) -> dict[str, str]:
    return dict(re.findall(r'name="to" value="(\d+)"[^>]*> <span>([^<]+)<', page.text))


def test_a_booking_changes_to_another_date(app: Flask, client: FlaskClient, series) -> None:
    links, (_, second, third) = series
    page = client.get(f"{links.booking}move")
    assert list(choices(page)) == [str(third)]
    assert choices(page)[str(third)].endswith(", 1.30pm to 3.30pm: 9 places left")
    assert list(choices(client.get(f"{links.booking}move/{links.ids[1]}"))) == [str(second), str(third)]
    there = send(client, f"{links.booking}move", to=str(third))
    assert (outcome(there), heading(there)) == ((200, "confirmed"), "Both places are booked")
    assert there.request.path != links.booking
    old = client.get(links.booking)
    assert (heading(old), outcome(old), statuses(old)) == (
        "Your booking has changed to another date",
        (200, "cancelled"),
        [],
    )
    assert old.text.count(f'<a href="{there.request.path}">') == 2
    own = client.get(links.own[1])
    assert (heading(own), there.request.path in own.text) == ("Your place has changed to another date", False)
    assert [row[2] for row in rows(app)] == ["cancelled", "cancelled", "confirmed", "confirmed"]


def test_one_of_a_booking_changes_and_the_page_shows_who_stays(app: Flask, client: FlaskClient, series) -> None:
    links, (_, second, _) = series
    there = send(client, f"{links.booking}move/{links.ids[1]}", to=str(second))
    assert heading(there) == "Daniel Achebe is booked"
    old = client.get(links.booking)
    assert (outcome(old), statuses(old), heading(old)) == ((200, "confirmed"), ["confirmed"], "You are booked")
    assert f'Daniel Achebe changed to <a href="{there.request.path}">' in old.text


def test_a_date_that_is_none_or_has_filled_up_changes_nothing(app: Flask, client: FlaskClient, series) -> None:
    links, (first, second, third) = series
    before = rows(app)
    with app.app_context():
        other = make_event().id
    for wrong in ("", "x", str(first), str(other), "9" * 20):
        page = send(client, f"{links.booking}move", to=wrong)
        assert (outcome(page), errors(page)) == ((422, "invalid"), [("#to", "Choose one of the dates")])
    page = send(client, f"{links.booking}move", to=str(second))
    assert outcome(page) == (409, "refused")
    assert "There is no room for 2 people on" in errors(page)[0][1]
    assert list(choices(page)) == [str(third)]
    assert rows(app) == before


def test_where_there_is_no_other_date_the_page_says_so(app: Flask, client: FlaskClient) -> None:
    links = booked(app)
    page = client.get(f"{links.booking}move")
    assert (page.status_code, "This event has no other dates." in page.text, choices(page)) == (200, True, {})
    assert "/move" not in client.get(links.booking).text
    with app.app_context():
        made = save(Series(area_id=the_area().id, name="Workshops")).id
        event = make_event(series_id=made)
        links = links_of(actions.book(event, by=PRIYA, places=PEOPLE))
        make_event(series_id=made, capacity=2)
    assert "There is no other date with 3 places free for you now." in client.get(f"{links.booking}move").text


def test_a_private_date_is_offered_without_numbers(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        made = save(Series(area_id=the_area().id, name="Support group")).id
        event, other = (make_event(series_id=made, private=True, in_days=days) for days in (20, 27))
        links, other_id = links_of(actions.book(event, by=PRIYA, places=PEOPLE[:1])), other.id
    assert choices(client.get(f"{links.booking}move"))[str(other_id)].endswith(": there are places")


def test_nobody_reaches_a_place_that_is_not_theirs(app: Flask, client: FlaskClient) -> None:
    mine, other = booked(app), booked(app, NewPlace("Sam Lee", "sam@x.example"), by=Contact("Sam Lee", "sam@x.example"))
    before = rows(app)
    token = mine.own[1].split("/")[2]
    paths = [f"{mine.booking}{what}/{other.ids[0]}" for what in ("swap", "edit", "move", "cancel", "accept")]
    paths += [f"{mine.own[1]}{what}/{mine.ids[0]}" for what in ("swap", "edit", "cancel", "accept")]
    paths += [f"/bookings/{token}/{what}" for what in ("edit", "move", "cancel", "accept")]
    paths += [f"/places/{mine.booking.split('/')[2]}/{what}" for what in ("swap", "edit", "cancel", "accept")]
    paths += [f"{mine.booking[:-2]}A/{what}" for what in ("edit", "move", "cancel") if mine.booking[-2] != "A"]
    paths += [f"{mine.booking}swap/2147483647", f"{mine.booking}swap/99999999999999"]
    form = {"name": "Eve", "email": "eve@x.example", "answer": "decline", "to": "1"}
    found = {path: (client.get(path).status_code, client.post(path, data=form).status_code) for path in paths}
    assert set(found.values()) == {(404, 404)}
    assert rows(app) == before


def test_a_link_that_is_followed_changes_nothing(app: Flask, client: FlaskClient) -> None:
    links = offered(app, *PEOPLE)
    before = rows(app)
    for root, places in ((links.booking, links.ids), *((own, []) for own in links.own)):
        for what in ("", "accept", "swap", "edit", "move", "cancel"):
            client.get(f"{root}{what}?answer=accept")
            for place_id in places:
                client.get(f"{root}{what}/{place_id}?answer=decline")
    assert rows(app) == before


def test_after_its_time_the_pages_say_so_and_change_nothing(app: Flask, client: FlaskClient) -> None:
    links = booked(app, in_days=2, changes_until_hours=72)
    before = rows(app)
    sentence = "Bookings could be changed until Monday 23 November, 1.30pm. Ask the partnership now."
    for page in (client.get(links.booking), client.get(links.own[1])):
        assert (sentence in page.text, "/swap" in page.text, "/cancel" in page.text) == (True, False, False)
    form = {"name": "Ada Obi", "email": "ada@x.example", "to": "1"}
    paths = [
        f"{links.booking}{what}" for what in ("edit", "cancel", "move", f"swap/{links.ids[0]}", f"edit/{links.ids[0]}")
    ]
    for path in [*paths, *(f"{links.own[1]}{what}" for what in ("swap", "edit", "cancel"))]:
        asked = client.get(path)
        assert (outcome(asked), sentence in asked.text) == ((409, "refused"), True)
        assert outcome(client.post(path, data=form)) == (409, "refused")
    assert rows(app) == before


def test_until_its_time_the_page_says_until_when(app: Flask, client: FlaskClient) -> None:
    links = booked(app, in_days=9, changes_until_hours=72)
    for path in (links.booking, links.own[1]):
        assert "You can change or cancel here until Monday 30 November, 1.30pm." in client.get(path).text


def test_a_group_that_can_never_come_together_is_told_why(app: Flask, client: FlaskClient) -> None:
    links = booked(app, capacity=2)
    page = client.get(links.booking)
    assert statuses(page) == ["waiting"] * 3
    assert "There are 2 places in all, so 3 cannot come together as yet." in page.text
    assert "number 2 in the queue" in page.text
    other = booked(app, PEOPLE[0], PEOPLE[2], capacity=2, promotion=Promotion.OFFER)
    assert "cannot come together" not in client.get(other.booking).text


def test_my_bookings_shows_first_what_is_to_be_answered(app: Flask, client: FlaskClient) -> None:
    links = offered(app, PEOPLE[0], PEOPLE[1])
    with app.app_context():
        people = [make_person(PRIYA.email), make_person("daniel@school.example")]
    said = []
    for person in people:
        sign_in(client, person)
        page = client.get("/my/")
        said.append(
            re.search(
                r'id="offered">Please answer.*?<li><a href="([^"]+)">[^<]+</a>: ([^<]+)</li>', page.text, re.DOTALL
            ).groups()
        )
        assert page.text.index("Please answer") < page.text.index("Still to come")
    assert said == [
        (links.booking, "2 places are held for you until Thursday 26 November, 10am"),
        (links.own[1], "a place is held for you until Thursday 26 November, 10am"),
    ]
    with app.app_context():
        booking = db.session.query(Booking).filter_by(email=PRIYA.email).one()
        changes.swap(booking.places[1], NewPlace("Ada Obi"))
    sign_in(client, people[1])
    assert "You have nothing booked." in client.get("/my/").text


def test_an_attendees_swaps_cannot_flood_an_address(database_url: str) -> None:
    limited = make_app(database_url, RATE_LIMITS="on")
    client, answers = limited.test_client(), []
    for _ in range(13):
        with limited.app_context():
            event = make_event(capacity=None)
            own = links_of(actions.book(event, by=PRIYA, places=PEOPLE)).own[1]
        answers.append(outcome(send(client, f"{own}swap", name="Vic", email="victim@x.example"))[0])
    assert answers == [200] * 12 + [409]
    close(limited)


def test_the_page_of_a_changed_booking_costs_the_same_however_often_it_was_changed(
    app: Flask, client: FlaskClient
) -> None:
    links = booked(app)
    counted = []
    for names in (("Ada",), ("Ben", "Cleo", "Dora")):
        for name in names:
            with app.app_context():
                place = db.session.query(Place).filter_by(booking_id=1).order_by(Place.id.desc()).first()
                changes.swap(place, NewPlace(name))
        client.get(links.booking)
        with statements(app) as found:
            assert client.get(links.booking).status_code == 200
        counted.append(len(found))
    assert counted[0] == counted[1]
