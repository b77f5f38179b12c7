"""Feeds behind a token: each shows its owner what they may see, costs little, and can be stopped."""

import sqlite3
from datetime import UTC, datetime, time, timedelta

import icalendar
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as listener

from booking.bookings.models import PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.core.clock import now, today
from booking.core.db import db
from booking.core.tokens import link_token, new_key
from booking.deadlines.actions import AskValues, set_ask
from booking.deadlines.models import Answer, Ask, OwedBy, Return, ReturnStatus
from booking.directory.actions import renew_feed_of, renew_feeds
from booking.directory.contacts import ContactValues, end_contact, save_contact
from booking.directory.models import ContactRole, Person, RoleName, School, SchoolContact
from booking.feeds.cache import feeds
from booking.feeds.private import MINE, SCHOOL, STAFF, TEAM
from tests.databases import close, make_app
from tests.factories import (
    make_booking,
    make_contact,
    make_event,
    make_organiser,
    make_person,
    make_school,
    save,
    sign_in,
)
from tests.statements import statements

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def path(kind: str, purpose: str, owner: Person | School) -> str:
    return f"/feeds/{kind}/{link_token(purpose, owner.feed_key)}.ics"


def path_of_contact(school: School, person: Person) -> str:
    """The address of a school's feed that one of its contacts is shown."""
    return f"/feeds/school/{link_token(SCHOOL, school.feed_key + person.feed_key)}.ics"


def rings(client: FlaskClient, address: str) -> dict[str, bool]:
    """Which closing dates of a feed ring a day before, by their titles."""
    found = seen(client, f"{address}?alarm=day")
    return {title.removeprefix("Closes: "): bool(one.walk("VALARM")) for title, one in found.items()}


def make_return(event: Event, school: School, status: ReturnStatus = ReturnStatus.OUTSTANDING) -> Return:
    """What a school owes, or has answered just now."""
    answered_at = None if status is ReturnStatus.OUTSTANDING else now()
    return save(Return(event_id=event.id, school_id=school.id, status=status, answered_at=answered_at))


def submit(app: Flask) -> None:
    """Let every school answer all that it owes."""
    with app.app_context():
        for row in db.session.query(Return):
            row.status, row.answered_at = ReturnStatus.SUBMITTED, now()
        db.session.commit()


def seen(client: FlaskClient, address: str) -> dict[str, icalendar.Event]:
    """The events of a feed by their titles."""
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, max-age=300")
    # Whoever is shown the calendar must not find its address in it.
    assert "SOURCE" not in answer.text
    assert address not in answer.text.replace("\r\n ", "")
    return {str(one["SUMMARY"]): one for one in icalendar.Calendar.from_ical(answer.data).walk("VEVENT")}


@pytest.mark.both_databases
def test_who_reads_decides_what_stands_in_a_feed(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Public")
        make_event("Staff", visibility=Visibility.STAFF)
        make_event("Team", visibility=Visibility.TEAM)
        make_event("Draft", status=EventStatus.DRAFT, joining_link="https://meet.example.org/secret")
        booker, organiser = make_person(), make_organiser()
        facilitator = make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR)
        make_contact(make_school(), "senco@school.example")  # of the same domain as the booker
        staff = path("staff", STAFF, booker)
        team, helper, stranger = (path("team", TEAM, one) for one in (organiser, facilitator, booker))
    assert set(seen(client, staff)) == {"Public", "Staff"}
    assert set(seen(client, team)) == {"Public", "Staff", "Team", "DRAFT: Draft"}
    assert str(seen(client, team)["DRAFT: Draft"]["STATUS"]) == "TENTATIVE"
    assert set(seen(client, helper)) == {"Public", "Staff", "Team"}
    assert client.get(stranger).status_code == 410
    assert "secret" not in client.get(team).text


@pytest.mark.both_databases
def test_what_a_closing_date_is_for_is_told_to_who_sees_that_too(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        panel = make_event("Panel", visibility=Visibility.TEAM)
        make_event("Closes", kind=Kind.DEADLINE, closes_for_id=panel.id, in_days=20)
        forum = make_event("Forum", visibility=Visibility.STAFF)
        make_event("Papers", kind=Kind.DEADLINE, closes_for_id=forum.id, in_days=20)
        booker = make_person(school_id=make_school().id)
        make_contact(booker.school, booker.email)
        addresses = {
            "/feeds/calendar.ics": {},
            path("staff", STAFF, booker): {"Papers": forum.uid},
            path("my", MINE, booker): {"Papers": forum.uid},
            path("team", TEAM, make_organiser()): {"Closes": panel.uid, "Papers": forum.uid},
        }
    for address, expected in addresses.items():
        events = icalendar.Calendar.from_ical(client.get(address).data).walk("VEVENT")
        told = {str(one["SUMMARY"]): str(one["RELATED-TO"]) for one in events if "RELATED-TO" in one}
        assert told == {title.replace("Papers", "Closes: Papers"): uid for title, uid in expected.items()}


def test_who_leaves_the_team_loses_its_feed_at_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Team", visibility=Visibility.TEAM)
        address = path("team", TEAM, make_organiser())
        assert set(seen(client, address)) == {"Team"}
        for role in db.session.query(Person).one().roles:
            db.session.delete(role)
        db.session.commit()
    assert client.get(address).status_code == 410


def test_an_address_is_good_for_its_own_feed_until_it_is_replaced(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        person, school, boss = make_person(), make_school(), make_organiser()
        make_contact(school, person.email)
        old = path("my", MINE, person), path("staff", STAFF, person), path("school", SCHOOL, school)
        wrong = path("staff", MINE, person), path("team", STAFF, boss), path("my", SCHOOL, school)
    assert [client.get(one).status_code for one in old] == [200, 200, 200]
    assert [client.get(one).status_code for one in wrong] == [404, 404, 404]
    with app.app_context():
        renew_feeds(db.session.get_one(Person, person.id))
        renew_feed_of(db.session.get_one(School, school.id), by=db.session.get_one(Person, boss.id))
        new = path("my", MINE, db.session.get_one(Person, person.id))
    stopped = client.get(old[0])
    assert (stopped.status_code, "This address has been stopped" in stopped.text) == (410, True)
    assert [client.get(one).status_code for one in (*old, new)] == [410, 410, 410, 200]


def test_my_feed_has_what_is_held_for_me_and_says_what_was_cancelled(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        me = make_person("priya@school.example")
        for title, values in (("On", {}), ("Off", {"status": EventStatus.CANCELLED})):
            make_booking(make_event(title, **values), email=me.email)
        make_booking(make_event("Given back"), email=me.email, status=PlaceStatus.CANCELLED)
        offer = make_booking(make_event("Offered", capacity=1), email=me.email)
        offer.places[0].status, offer.places[0].offered_until = PlaceStatus.OFFERED, now() + timedelta(hours=3)
        db.session.commit()
        address = path("my", MINE, me)
    found = {title: str(one["STATUS"]) for title, one in seen(client, address).items()}
    assert found == {"On": "CONFIRMED", "Offered": "TENTATIVE", "CANCELLED: Off": "CANCELLED"}


@pytest.mark.both_databases
def test_closing_dates_are_those_of_the_school_and_ring_while_nobody_has_answered(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        school, other = make_school(), make_school()
        me = make_person("priya@school.example")
        make_contact(school, me.email)
        titles = ("For all", "Answered", "Others alone", "Asks nothing")
        events = {title: make_event(title, kind=Kind.DEADLINE, starts=time(17, 0)) for title in titles}
        for title, owed_by, whose, status in (
            ("For all", OwedBy.ALL, school, ReturnStatus.OUTSTANDING),
            ("Answered", OwedBy.CHOSEN, school, ReturnStatus.SUBMITTED),
            ("Others alone", OwedBy.CHOSEN, other, ReturnStatus.OUTSTANDING),
        ):
            save(Ask(event_id=events[title].id, answer=Answer.REQUIRED, owed_by=owed_by))
            answered = {"answered_at": now()} if status is ReturnStatus.SUBMITTED else {}
            save(Return(event_id=events[title].id, school_id=whose.id, status=status, **answered))
        addresses = path("my", MINE, me), path("school", SCHOOL, school), path_of_contact(school, me)
    for address in addresses:
        assert not any(one.walk("VALARM") for one in seen(client, address).values())
        rung = seen(client, f"{address}?alarm=day&alarm=week")
        assert {title: [alarm["TRIGGER"].dt for alarm in one.walk("VALARM")] for title, one in rung.items()} == {
            "Closes: For all": [-timedelta(days=1), -timedelta(days=7)],
            "Closes: Answered": [],
            "Closes: Asks nothing": [-timedelta(days=1), -timedelta(days=7)],
        }
        wrong = client.get(f"{address}?alarm=never")
        assert (wrong.status_code, wrong.text) == (
            400,
            "There is no alarm called “never”. Choose day, week or both.\n",
        )


@pytest.mark.both_databases
def test_who_only_says_to_be_of_a_school_reads_neither_its_answers_nor_what_it_alone_is_asked(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        school = make_school()
        stranger, former = make_person(school_id=school.id), make_person("left@school.example", school_id=school.id)
        make_contact(school, former.email, ends_on=today() - timedelta(days=1))
        for title, owed_by in (("For all", OwedBy.ALL), ("Chosen", OwedBy.CHOSEN), ("Cluster", OwedBy.GROUPS)):
            event = make_event(title, kind=Kind.DEADLINE)
            save(Ask(event_id=event.id, answer=Answer.REQUIRED, owed_by=owed_by))
            make_return(event, school)
        make_event("Asks nothing", kind=Kind.DEADLINE)
        addresses = path("my", MINE, stranger), path("my", MINE, former)
    before = [client.get(one).headers["ETag"] for one in addresses]
    assert [rings(client, one) for one in addresses] == [{"For all": True, "Asks nothing": True}] * 2
    submit(app)
    assert [rings(client, one) for one in addresses] == [{"For all": True, "Asks nothing": True}] * 2
    assert [client.get(one).headers["ETag"] for one in addresses] == before


@pytest.mark.both_databases
def test_a_contact_of_several_schools_sees_each_closing_date_once_and_hears_it_until_all_have_answered(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        one, two, said = make_school(), make_school(), make_school()
        me = make_person("priya@school.example", school_id=said.id)
        make_contact(one, me.email)
        make_contact(two, me.email)
        make_contact(two, me.email, ContactRole.HEADTEACHER)
        for title, owed_by, rows in (
            (
                "For all",
                OwedBy.ALL,
                {one: ReturnStatus.SUBMITTED, two: ReturnStatus.OUTSTANDING, said: ReturnStatus.OUTSTANDING},
            ),
            ("Of one", OwedBy.CHOSEN, {one: ReturnStatus.SUBMITTED}),
            ("Of two", OwedBy.CHOSEN, {two: ReturnStatus.OUTSTANDING}),
            ("Of the school they said", OwedBy.CHOSEN, {said: ReturnStatus.OUTSTANDING}),
        ):
            event = make_event(title, kind=Kind.DEADLINE)
            save(Ask(event_id=event.id, answer=Answer.REQUIRED, owed_by=owed_by))
            for school, status in rows.items():
                make_return(event, school, status)
        address = path("my", MINE, me)
    assert rings(client, address) == {"For all": True, "Of one": False, "Of two": True}
    assert client.get(address).text.count("BEGIN:VEVENT") == 3
    etag = client.get(address).headers["ETag"]
    submit(app)
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 200
    assert rings(client, address) == {"For all": False, "Of one": False, "Of two": False}


@pytest.mark.both_databases
def test_the_first_and_the_last_day_of_a_contact_change_their_feed_though_nothing_is_written(
    app: Flask, client: FlaskClient
) -> None:
    with time_machine.travel(TUESDAY, tick=False) as clock:
        with app.app_context():
            school = make_school()
            me = make_person("priya@school.example")
            make_contact(school, me.email, starts_on=today() + timedelta(days=1), ends_on=today() + timedelta(days=2))
            make_return(make_event("Census", kind=Kind.DEADLINE), school)
            address, schools = path("my", MINE, me), path_of_contact(school, me)
        found, etag = [], ""
        for _ in range(5):
            answer = client.get(address, headers={"If-None-Match": etag})
            etag = answer.headers["ETag"]
            found.append((answer.status_code, answer.text.count("BEGIN:VEVENT"), client.get(schools).status_code))
            clock.shift(timedelta(days=1))
    assert found == [(200, 0, 410), (200, 1, 200), (304, 0, 200), (200, 0, 410), (304, 0, 410)]


@pytest.mark.both_databases
def test_the_address_of_a_contact_stops_when_they_leave_and_that_of_the_school_does_not(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        school, boss = make_school(), make_organiser()
        people = [make_person(f"{name}@school.example") for name in ("ada", "priya", "ravi")]
        of_ada, of_priya, of_ravi = (make_contact(school, one.email) for one in people)
        make_contact(school, "priya@school.example", ContactRole.HEADTEACHER)
        make_event("Census", kind=Kind.DEADLINE)
        shared = path("school", SCHOOL, school)
        addresses = [shared, *(path_of_contact(school, one) for one in people)]
        of_another_school = path_of_contact(make_school(), people[1])
    assert {client.get(one).data for one in addresses} == {client.get(shared).data}
    assert client.get(of_another_school).status_code == 410
    with app.app_context():
        for contact in (of_ada, of_priya):  # Priya has another role still
            end_contact(contact, by=boss)
        # The row of Ravi is put right: from now on it says who came after him.
        successor = ContactValues(of_ravi.role, "Amina Yusuf", "amina@school.example", of_ravi.starts_on)
        save_contact(school, db.session.get_one(SchoolContact, of_ravi.id), successor, by=boss)
    assert [client.get(one).status_code for one in addresses] == [200, 410, 200, 410]
    with app.app_context():
        renew_feed_of(db.session.get_one(School, school.id), by=db.session.get_one(Person, boss.id))
    assert [client.get(one).status_code for one in addresses] == [410, 410, 410, 410]


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", ["my", "school"])
def test_whom_a_closing_date_asks_decides_the_etag(app: Flask, client: FlaskClient, kind: str) -> None:
    with app.app_context():
        make_organiser()
        school = make_school("Here")
        make_school("There")
        me = make_person(school_id=school.id)
        make_event("Census", kind=Kind.DEADLINE)
        address = path("my", MINE, me) if kind == "my" else path("school", SCHOOL, school)
    first = client.get(address)
    assert "Census" in first.text
    with app.app_context():
        there = db.session.query(School).filter_by(name="There").one()
        values = AskValues(Answer.REQUIRED, owed_by=OwedBy.CHOSEN, school_ids=(there.id,))
        set_ask(db.session.query(Event).one(), values, by=db.session.query(Person).first(), groups=[])
    after = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (after.status_code, "Census" in after.text) == (200, False)


def test_a_feed_that_no_moment_changed_names_none(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        school = make_school()
        me = make_person("priya@school.example")
        make_contact(school, me.email)
        addresses = path("my", MINE, me), path("school", SCHOOL, school), path_of_contact(school, me)
    for address in addresses:
        assert "Last-Modified" not in client.get(address).headers
        dated = {"If-Modified-Since": "Sat, 28 Nov 2037 06:00:00 GMT"}
        assert client.get(address, headers=dated).status_code == 200


def test_no_calendar_carries_the_cookie_of_who_is_signed_in(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event, boss, school = make_event(), make_organiser(), make_school()
        addresses = [path(kind, purpose, boss) for kind, purpose in (("my", MINE), ("staff", STAFF), ("team", TEAM))]
        addresses += [path("school", SCHOOL, school), f"/events/{event.id}.ics", "/feeds/calendar.ics"]
        make_contact(school, boss.email)
        addresses.append(path_of_contact(school, boss))
    sign_in(client, boss)
    with client.session_transaction() as session:
        session.permanent = True
    assert "Set-Cookie" in client.get("/my/").headers
    for address in addresses:
        etag = client.get(address).headers["ETag"]
        for more in ({}, {"If-None-Match": etag}):
            answer = client.get(address, headers=more)
            assert ("Set-Cookie" in answer.headers, answer.headers["Vary"]) == (False, "Accept-Encoding")


def test_head_is_get_without_a_body_and_each_encoding_has_its_etag(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        boss = make_organiser()
        addresses = [path(kind, purpose, boss) for kind, purpose in (("my", MINE), ("staff", STAFF), ("team", TEAM))]
    for address in addresses:
        get, head = client.get(address), client.head(address)
        etag = get.headers["ETag"]
        assert (head.headers["ETag"], head.headers["Content-Length"]) == (etag, get.headers["Content-Length"])
        assert head.data == b""
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            again = client.get(address, headers={"If-None-Match": known})
            assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", etag)
        for encoding in ("gzip", "br"):
            encoded = client.get(address, headers={"Accept-Encoding": encoding})
            assert encoded.headers["Content-Encoding"] == encoding
            known = {"If-None-Match": encoded.headers["ETag"]}
            assert client.get(address, headers={**known, "Accept-Encoding": encoding}).status_code == 304
            assert client.get(address, headers=known).status_code == 200


def test_the_address_of_somebody_who_is_gone_has_been_stopped_and_what_we_never_gave_is_not_found(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        make_event()
        person = make_person()
        address = path("my", MINE, person)
        db.session.delete(person)
        db.session.commit()
    wrong = f"{address[:-5]}x.ics", "/feeds/my/%C3%A9.ics", "/feeds/my/.ics"
    assert [client.get(one).status_code for one in (address, *wrong)] == [410, 404, 404, 404]


def test_a_schools_feed_says_where_its_people_go_and_not_who_nor_to_what_is_private(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        school = make_school()
        make_booking(make_event("Forum"), "Priya Nair", "priya@school.example", school=school)
        make_booking(make_event("Coffee", private=True), "Priya Nair", "priya@school.example", school=school)
        make_booking(make_event("Waits", capacity=0), school=school, status=PlaceStatus.WAITING)
        make_event("Elsewhere")
        address = path("school", SCHOOL, school)
    assert set(seen(client, address)) == {"Forum"}
    assert "priya" not in client.get(address).text.lower()


@pytest.mark.both_databases
def test_on_either_database_one_statement_tells_that_nothing_changed_or_that_an_address_was_stopped(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        school = make_school()
        me, gone = make_person("priya@school.example"), make_person("left@school.example")
        make_contact(school, me.email)
        make_contact(school, gone.email, ends_on=today() - timedelta(days=1))
        event = make_event("Census", kind=Kind.DEADLINE)
        save(Ask(event_id=event.id, answer=Answer.REQUIRED, owed_by=OwedBy.CHOSEN))
        make_return(event, school)
        addresses = path("my", MINE, me), path("school", SCHOOL, school), path_of_contact(school, me)
        stopped = path_of_contact(school, gone)
    for address in addresses:
        etag = client.get(address).headers["ETag"]
        with statements(app) as sent:
            assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
        assert len([one for one in sent if one != "BEGIN"]) == 1
    with statements(app) as sent:
        assert client.head(stopped).status_code == 410
    assert len([one for one in sent if "feed_key" in one]) == 1


def test_asking_again_for_ones_own_feed_costs_one_query(database_url: str) -> None:
    asked: list[str] = []

    def trace(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(asked.append)

    listener.listen(sa.Engine, "connect", trace)
    try:
        app = make_app(database_url)
        with app.app_context():
            school = make_school()
            me = make_person("priya@school.example", school_id=school.id)
            event = make_event()
            booking = make_booking(event, email=me.email)
            addresses = path("my", MINE, me), path("school", SCHOOL, school)
        client = app.test_client()
        for address in addresses:
            etag = client.get(address).headers["ETag"]
            asked.clear()
            assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
            assert len([one for one in asked if "SELECT" in one]) == 1
            zipped = client.get(address, headers={"If-None-Match": etag, "Accept-Encoding": "gzip"})
            assert (zipped.status_code, len(zipped.data) > 100) == (200, True)
        etag = client.get(addresses[0]).headers["ETag"]
        with app.app_context():
            place = db.session.merge(booking).places[0]
            place.status = PlaceStatus.CANCELLED
            db.session.commit()
        after = client.get(addresses[0], headers={"If-None-Match": etag})
        assert (after.status_code, "VEVENT" in after.text) == (200, False)
        with app.app_context():
            db.session.get_one(Event, event.id).title = "Another"
            db.session.commit()
        changed = client.get(addresses[0], headers={"If-None-Match": after.headers["ETag"]})
        assert changed.status_code == 200
        close(app)
    finally:
        listener.remove(sa.Engine, "connect", trace)


def test_many_tokens_share_one_copy(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("For staff", visibility=Visibility.STAFF)
        people = [Person(email=f"p{n}@s.example", session_key=new_key(), feed_key=new_key()) for n in range(60)]
        db.session.add_all(people)
        db.session.commit()
        addresses = [(path("staff", STAFF, one), path("my", MINE, one)) for one in people]
    client.get(addresses[0][0])
    before = len(feeds)
    bodies = {client.get(staff).data for staff, _ in addresses}
    for _, mine in addresses:
        assert client.get(mine).status_code == 200
    assert (len(bodies), len(feeds)) == (1, before)
