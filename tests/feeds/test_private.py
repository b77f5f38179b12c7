"""Feeds behind a token: each shows its owner what they may see, costs little, and can be stopped."""

import sqlite3
from datetime import time, timedelta

import icalendar
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as listener

from booking.bookings.models import PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.core.clock import now
from booking.core.db import db
from booking.core.tokens import link_token, new_key
from booking.deadlines.models import Answer, Ask, OwedBy, Return, ReturnStatus
from booking.directory.actions import renew_feed_of, renew_feeds
from booking.directory.models import Person, RoleName, School
from booking.feeds.cache import feeds
from booking.feeds.private import MINE, SCHOOL, STAFF, TEAM
from tests.databases import close, make_app
from tests.factories import make_booking, make_event, make_organiser, make_person, make_school, save


def path(kind: str, purpose: str, owner: Person | School) -> str:
    return f"/feeds/{kind}/{link_token(purpose, owner.feed_key)}.ics"


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
        me = make_person("priya@school.example", school_id=school.id)
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
        addresses = path("my", MINE, me), path("school", SCHOOL, school)
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
