"""Every page has a guard, and the guard does what it says: one walk over the map of addresses."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from booking.bookings.messages import Text
from booking.bookings.models import Booking
from booking.bookings.queries import BOOKING_LINK, INVITATION_LINK, PLACE_LINK
from booking.calendar import queries as calendar_queries
from booking.calendar.models import Category, Event, Kind
from booking.calendar.policy import Reader
from booking.calendar.terms import monday_of, school_year_of, year_name
from booking.core.audit import AuditEntry
from booking.core.clock import now, today
from booking.core.db import db
from booking.core.tokens import link_token
from booking.deadlines.models import Return
from booking.deadlines.queries import RETURN_LINK
from booking.digests import actions as digests
from booking.digests.models import DigestSubscription
from booking.digests.queries import CONFIRM_LINK, OWN_LINK
from booking.directory import actions as directory
from booking.directory.guards import Visitor
from booking.directory.models import ContactRole, Person, RoleName, School
from booking.feeds.private import MINE, SCHOOL, STAFF, TEAM
from booking.invitations import actions as inviting
from booking.invitations.models import Invitation
from booking.invitations.queries import Chosen
from booking.notifications.models import Message, MessageStatus
from booking.organiser import queries as organiser_queries
from booking.reminders.actions import subscribe
from booking.reminders.mail import SUBSCRIPTION_LINK
from booking.reminders.models import Subscription
from tests.factories import (
    make_area,
    make_audience,
    make_booking,
    make_contact,
    make_event,
    make_group,
    make_organiser,
    make_person,
    make_school,
    make_venue,
    save,
    sign_in,
    the_area,
)

GUARDS = {"public", "by_link", "signed_in", "organisers", "team", "demo_only", "this_machine"}
VISITORS = ("anybody", "booker", "facilitator", "organiser", "administrator")
TO_SIGN_IN, FORBIDDEN, HIDDEN, OPEN = "asked to sign in", "forbidden", "hidden", "open"
# What each guard answers, in the order of VISITORS.
ANSWERS = {
    "public": (OPEN,) * 5,
    "by_link": (OPEN,) * 5,
    "signed_in": (TO_SIGN_IN, OPEN, OPEN, OPEN, OPEN),
    "organisers": (TO_SIGN_IN, FORBIDDEN, FORBIDDEN, OPEN, OPEN),
    "team": (TO_SIGN_IN, FORBIDDEN, OPEN, OPEN, OPEN),
    "demo_only": (HIDDEN,) * 5,
    "this_machine": (OPEN,) * 5,  # the tests ask from it
}
# Behind the organisers' guard, what only an administrator may do.
ADMINISTRATORS = {("POST", "organiser.people"), ("POST", "organiser.revoke")}
NO_TOKEN = {"csrf_token": ""}
# A mail client presses the button of a mail without a page of ours before it (RFC 8058); the link is the right.
WITHOUT_A_TOKEN = {"reminders.stop", "digests.stop"}
OF_A_CLOSING_DATE = {f"organiser.{page}" for page in ("ask", "returns", "chase", "hear_again", "paste_returns")}
# Only whom a school names: nobody of VISITORS.
OF_A_CONTACT = {f"deadlines.{page}" for page in ("school_contacts", "own_contact", "contact_has_left")}
# What a facilitator sees on the day of the event alone: the one of `fill` is later.
ON_THE_DAY = {("GET", "bookings_manage.printed")}
FEEDS = {"feeds.my": MINE, "feeds.staff": STAFF, "feeds.team": TEAM, "feeds.school": SCHOOL}
LINKS = {"bookings.booking": BOOKING_LINK, "bookings.cancel": BOOKING_LINK}
LINKS |= {f"bookings.{page}": BOOKING_LINK for page in ("accept", "swap", "edit_booking", "edit_attendee", "move")}
LINKS |= {"bookings.place": PLACE_LINK, "bookings.cancel_place": PLACE_LINK}
LINKS |= {f"bookings.{page}": PLACE_LINK for page in ("accept_place", "swap_place", "edit_place")}


def pages(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Give every method of every address of ours, but of static files."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
                yield method, rule


def guard_of(app: Flask, rule: Rule) -> str | None:
    return getattr(app.view_functions[rule.endpoint], "guard", None)


def fill(app: Flask) -> None:
    """One row of everything that an address may name: all have the number 1."""
    with app.app_context():
        make_area()
        make_school()
        make_audience()
        make_venue()
        make_organiser("boss@vale-marsh.example", RoleName.ADMINISTRATOR)
        make_organiser("second-boss@vale-marsh.example", RoleName.ADMINISTRATOR)
        make_organiser("tom@vale-marsh.example", RoleName.ORGANISER)
        make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR)
        make_person("priya@school.example")
        subscriber = make_person("subscriber@school.example")
        make_booking(make_event(), "Ada Obi", "ada@school.example")
        subscribe(subscriber, [db.session.get(Category, 1)])
        save(Return(event_id=make_event(kind=Kind.DEADLINE).id, school_id=1))
        digests.ask(the_area(), "priya@school.example", digests.Chosen())
        week, tom = monday_of(today()), db.session.get_one(Person, 3)
        digests.introduce(the_area(), week, "Good morning", by=tom)
        digests.send_now(the_area(), week, by=tom)
        make_contact(make_group(schools=[db.session.get_one(School, 1)]).schools[0])
        db.session.query(Message).delete()
        db.session.commit()
        directory.ask_to_sign_in("ada@school.example", origin="", next_page="", limit_origin=False)
        message = db.session.query(Message).one()
        message.status, message.sent_at = MessageStatus.SENT, now()
        db.session.commit()
        boss = db.session.get_one(Person, 1)
        inviting.invite(db.session.get_one(Event, 1), Chosen((ContactRole.SENCO,)), Text("Come", "Do"), by=boss)


def address(app: Flask, rule: Rule, *, token: str = "") -> str:
    """Return the address of a page, about the rows of `fill`."""
    with app.app_context():
        booking = db.session.get(Booking, 1)
        if rule.endpoint in FEEDS:
            token = token or link_token(FEEDS[rule.endpoint], owner_of_feed(rule.endpoint).feed_key)
        elif rule.endpoint in {"deadlines.answer", "deadlines.again"}:
            token = token or link_token(RETURN_LINK, db.session.query(Return).one().key)
        elif rule.endpoint == "invitations.answer":
            token = token or link_token(INVITATION_LINK, db.session.query(Invitation).one().key)
        elif rule.endpoint == "reminders.stop":
            token = token or link_token(SUBSCRIPTION_LINK, subscription_key())
        elif rule.endpoint in {"digests.change", "digests.stop"}:
            token = token or link_token(OWN_LINK, db.session.get(DigestSubscription, 1).key)
        elif rule.endpoint == "digests.confirm":
            token = token or link_token(CONFIRM_LINK, db.session.get(DigestSubscription, 1).confirm_key)
        elif rule.endpoint in LINKS:
            key = booking.key if LINKS[rule.endpoint] == BOOKING_LINK else booking.places[0].key
            token = token or link_token(LINKS[rule.endpoint], key)
        values = {
            "token": token or "unknown",
            "year": year_name(school_year_of(today())),
            "week": monday_of(today()).isoformat(),
            "month": f"{today():%Y-%m}",
            "slug": db.session.get(Category, 1).slug
            if rule.endpoint in {"feeds.category", "feeds.one_kind"}
            else "words",
            "kind": "csv",
            "event_id": 2 if rule.endpoint in OF_A_CLOSING_DATE else 1,
        }
        return app.url_map.bind("localhost").build(
            rule.endpoint, {name: values.get(name, 1) for name in rule.arguments}, append_unknown=False
        )


def owner_of_feed(endpoint: str) -> Person | School:
    """Whose feed of `fill` it is."""
    if endpoint == "feeds.school":
        return db.session.get_one(School, 1)
    name = "tom@vale-marsh" if endpoint == "feeds.team" else "subscriber@school"
    return db.session.query(Person).filter_by(email=f"{name}.example").one()


def subscription_key() -> str:
    """The key of the subscription of `fill`; one that nothing has any more where it was stopped."""
    found = db.session.query(Subscription).first()
    return found.key if found else "A" * 16


def browser(app: Flask, visitor: str) -> FlaskClient:
    """Return a browser of this visitor, fresh from signing in."""
    emails = {"booker": "priya@school.example", "facilitator": "amina@vale-marsh.example"}
    emails |= {"organiser": "tom@vale-marsh.example", "administrator": "second-boss@vale-marsh.example"}
    client = app.test_client()
    if visitor != "anybody":
        with app.app_context():
            sign_in(client, db.session.query(Person).filter_by(email=emails[visitor]).one())
    with client.session_transaction() as session:  # so that the page after a private booking is there
        session["answered"] = {"event": 1, "outcome": "confirmed"}
    return client


def answer(client: FlaskClient, method: str, path: str, **more) -> str:
    """Return what became of a request, in a word."""
    page = client.open(path, method=method, **more)
    if page.status_code == 302 and page.headers["Location"].startswith("/sign-in?next="):
        return TO_SIGN_IN
    if page.status_code < 400 or page.status_code in {409, 410, 422}:
        return OPEN
    return {403: FORBIDDEN, 404: HIDDEN}.get(page.status_code, f"{page.status_code}")


def test_every_page_has_a_guard(app: Flask) -> None:
    without = sorted({rule.endpoint for _, rule in pages(app) if guard_of(app, rule) not in GUARDS})
    assert without == []
    found = {guard_of(app, rule) for _, rule in pages(app)}
    assert found == GUARDS


def test_every_page_answers_every_visitor_as_its_guard_says(app: Flask) -> None:
    fill(app)
    expected, found = {}, {}
    for method, rule in pages(app):
        name = f"{method} {rule.rule}"
        wanted = ANSWERS[guard_of(app, rule)]
        if (method, rule.endpoint) in ADMINISTRATORS:
            wanted = (TO_SIGN_IN, FORBIDDEN, FORBIDDEN, FORBIDDEN, OPEN)
        if rule.endpoint in OF_A_CONTACT:
            wanted = (TO_SIGN_IN, HIDDEN, HIDDEN, HIDDEN, HIDDEN)
        if (method, rule.endpoint) in ON_THE_DAY:
            wanted = (TO_SIGN_IN, FORBIDDEN, FORBIDDEN, OPEN, OPEN)
        expected[name] = dict(zip(VISITORS, wanted, strict=True))
        found[name] = {visitor: answer(browser(app, visitor), method, address(app, rule)) for visitor in VISITORS}
    assert found == expected
    assert len(found) > 50


def test_a_page_behind_a_link_is_hidden_from_who_holds_another(app: Flask) -> None:
    fill(app)
    rules = [(method, rule) for method, rule in pages(app) if guard_of(app, rule) == "by_link"]
    found = {
        f"{method} {rule.rule}": answer(browser(app, "administrator"), method, address(app, rule, token="A" * 38))
        for method, rule in rules
    }
    assert found
    assert set(found.values()) == {HIDDEN}


def test_the_pages_of_the_demonstration_answer_this_machine_alone(demo_app: Flask) -> None:
    fill(demo_app)
    with demo_app.app_context():
        make_organiser("organiser@example.org")
    stranger = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
    found = {}
    for method, rule in pages(demo_app):
        if guard_of(demo_app, rule) == "demo_only":
            path = address(demo_app, rule)
            here, there = (answer(browser(demo_app, "administrator"), method, path, **how) for how in ({}, stranger))
            found[f"{method} {rule.rule}"] = (here, there)
    assert set(found.values()) == {(OPEN, HIDDEN)}


def test_no_form_is_taken_without_its_token(app: Flask) -> None:
    fill(app)
    with app.app_context():
        before = [db.session.query(table).count() for table in (AuditEntry, Booking, Event, Message, Person)]
    found = {
        rule.rule: browser(app, "administrator").open(address(app, rule), method=method, data=NO_TOKEN).status_code
        for method, rule in pages(app)
        if method != "GET" and rule.endpoint not in WITHOUT_A_TOKEN
    }
    assert len(found) > 20
    assert set(found.values()) == {400}
    with app.app_context():
        after = [db.session.query(table).count() for table in (AuditEntry, Booking, Event, Message, Person)]
    assert after == before


def test_a_form_is_taken_with_the_token_of_its_page_and_no_other(app: Flask) -> None:
    fill(app)
    mine, other = browser(app, "organiser"), browser(app, "administrator")

    def token(client: FlaskClient) -> str:
        page = client.get("/manage/events/1/cancel").text
        return page.split('name="csrf_token"')[-1].split('value="')[1].split('"')[0]

    stolen = mine.post("/manage/events/1/cancel", data={"csrf_token": token(other), "note": ""})
    assert (stolen.status_code, "open too long" in stolen.text) == (422, True)
    assert mine.post("/manage/events/1/cancel", data={"csrf_token": token(mine), "note": ""}).status_code == 302


@pytest.mark.parametrize("address", ["/manage/", "/manage/events/1/", "/manage/events/1/places/", "/events/1/", "/"])
def test_with_several_areas_no_page_shows_one_to_the_organisers_of_another(app: Flask, address: str) -> None:
    with app.app_context():
        here = make_area()
        event = make_event()
        there = make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
        stranger = directory.grant("eve@elsewhere.example", RoleName.ORGANISER, area=there, by=None)
        reader = Reader(staff=True, in_team=True, organiser=True)
        assert organiser_queries.find_event(event.id, here.id) == event
        assert organiser_queries.find_event(event.id, there.id) is None
        assert calendar_queries.find_event(event.id, there.id, reader) is None
        assert not Visitor(stranger).organises(here.id)
    client = app.test_client()
    sign_in(client, stranger)
    page = client.get(address)
    assert (page.status_code, "We are not ready" in page.text) == (503, True)


def test_numbers_that_no_row_can_have_are_just_not_found(app: Flask) -> None:
    fill(app)
    client = browser(app, "administrator")
    for path in (
        "/events/99999999999999999999/",
        "/events/99999999999999999999.ics",
        "/manage/events/2147483648/",
        "/manage/events/1/places/2147483647/cancel",
    ):
        page = client.get(path)
        assert (page.status_code, "Page not found" in page.text) == (404, True)
    assert client.post("/manage/outbox/99999999999999999999/resend").status_code == 404
    for path in ("/manage/events/?category=99999999999999999999", "/manage/log/?event=99999999999999999999&page=x"):
        assert client.get(path).status_code == 200


@pytest.mark.both_databases
def test_what_postgresql_cannot_hold_is_refused_before_it_is_asked(app: Flask) -> None:
    fill(app)
    client = browser(app, "administrator")
    for path in ("/feeds/%00.ics", "/events/1-%00/", "/sign-in/%00"):
        assert client.get(path).status_code == 404
    for path in ("/events/?q=%00", "/manage/events/?q=a%00b", "/manage/outbox/?q=%00", "/feeds/calendar.ics?q=%00"):
        page = client.get(path)
        assert (page.status_code, "We could not read that" in page.text) == (400, True)
    form = {"name": "Priya\0", "email": "p@school.example", "school": ""}
    assert client.post("/events/1/book", data=form).status_code == 400
