"""Whom schools name for which role, and groups of schools, by real forms."""

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.calendar.models import Event, Kind
from booking.core.audit import AuditEntry
from booking.core.clock import now, today
from booking.core.db import db
from booking.deadlines.actions import AskValues
from booking.deadlines.models import Answer, OwedBy, Return
from booking.directory import queries
from booking.directory.models import ContactRole, School, SchoolContact, SchoolGroup
from booking.notifications.models import AddressPutAside
from booking.organiser import actions as organiser
from tests.factories import (
    make_area,
    make_contact,
    make_event,
    make_group,
    make_organiser,
    make_person,
    make_school,
    the_area,
)
from tests.forms import Forms, errors, outcome, send, told


@pytest.fixture
def school(app: Flask) -> School:
    with app.app_context():
        return make_school("Oakhurst Primary School")


def in_office(app: Flask, school: School, on: date | None = None) -> list[str]:
    with app.app_context():
        return [one.email for one in queries.contacts_of([school.id], ContactRole.SENCO, on or today())[school.id]]


def test_a_contact_is_added_put_right_and_leaves(app: Flask, tom: FlaskClient, school: School) -> None:
    path = f"/manage/schools/{school.id}"
    assert "No SENCo named" in tom.get("/manage/schools/").text
    page = send(tom, path, name="Priya Nair", email="Priya@School.example", starts_on=f"{today() - timedelta(days=9)}")
    assert (outcome(page), told(page)) == ("saved", ["The contact is added."])
    assert in_office(app, school) == ["priya@school.example"]
    assert "No SENCo named" not in tom.get("/manage/schools/").text
    with app.app_context():
        number = db.session.query(SchoolContact).one().id
    page = send(tom, f"{path}/contacts/{number}", email="pn@school.example")
    assert (outcome(page), in_office(app, school)) == ("saved", ["pn@school.example"])
    page = tom.post(f"{path}/contacts/{number}/end", follow_redirects=True)
    assert (outcome(page), in_office(app, school)) == ("saved", [])
    assert in_office(app, school, today() - timedelta(days=1)) == ["pn@school.example"]
    assert "Before, and to come" in page.text
    with app.app_context():
        assert [entry.action for entry in db.session.query(AuditEntry).order_by(AuditEntry.id)] == [
            "added a contact of",
            "put right a contact of",
            "ended a contact of",
        ]


def test_who_has_not_begun_is_taken_out(app: Flask, tom: FlaskClient, school: School) -> None:
    with app.app_context():
        contact = make_contact(school, starts_on=today() + timedelta(days=30))
    page = tom.get(f"/manage/schools/{school.id}").text
    assert "Nobody: this school is not written to." in page
    tom.post(f"/manage/schools/{school.id}/contacts/{contact.id}/end")
    with app.app_context():
        assert db.session.query(SchoolContact).count() == 0


@pytest.mark.parametrize(
    ("typed", "status", "found"),
    [
        ({"name": ""}, 422, [("name", "Enter their name")]),
        ({"email": "priya at school"}, 422, [("email", "Enter an e-mail address like name@school.example")]),
        ({"email": ""}, 422, [("email", "Enter their e-mail address")]),
        ({"starts_on": "soon"}, 422, [("starts_on", "This is not a date. Write it like 2026-11-23")]),
        ({"ends_on": "2020-01-01"}, 409, [("ends_on", "The last day is before the first.")]),
        ({"email": "there@school.example"}, 409, [("email", "This address is a contact for this role already.")]),
    ],
)
def test_a_contact_that_cannot_be_is_told_and_what_was_typed_is_kept(
    app: Flask, tom: FlaskClient, school: School, typed: dict[str, str], status: int, found
) -> None:
    with app.app_context():
        make_contact(school, "there@school.example")
    path = f"/manage/schools/{school.id}"
    form = {"role": "senco", "name": "Priya", "email": "p@school.example", "starts_on": f"{today()}", "ends_on": ""}
    page = tom.post(path, data={**form, **typed})
    assert (page.status_code, errors(page)) == (status, found)
    assert Forms(page).forms[path]["name"] == [{**form, **typed}["name"]]
    with app.app_context():
        assert db.session.query(SchoolContact).count() == 1


def test_the_same_person_may_hold_two_roles_and_come_back(app: Flask, tom: FlaskClient, school: School) -> None:
    with app.app_context():
        make_contact(
            school, "p@school.example", starts_on=today() - timedelta(days=90), ends_on=today() - timedelta(days=9)
        )
    path = f"/manage/schools/{school.id}"
    for role in ("senco", "office"):
        assert outcome(send(tom, path, role=role, name="Priya Nair", email="p@school.example")) == "saved"
    assert in_office(app, school) == ["p@school.example"]


def test_an_address_that_refuses_mail_is_marked(app: Flask, tom: FlaskClient, school: School) -> None:
    with app.app_context():
        make_contact(school, "gone@school.example")
        db.session.add(AddressPutAside(email="gone@school.example", since=now(), reason="550 5.1.1 No such user"))
        db.session.commit()
    assert "mail is refused" in tom.get("/manage/schools/").text
    assert "550 5.1.1 No such user" in tom.get(f"/manage/schools/{school.id}").text


def test_schools_and_groups_of_another_area_are_not_found(app: Flask, tom: FlaskClient, school: School) -> None:
    with app.app_context():
        mine = make_contact(school)
        other = make_school("Another Primary School")
        elsewhere = make_contact(other)
    assert tom.get(f"/manage/schools/{school.id}/contacts/{elsewhere.id}").status_code == 404
    assert tom.post(f"/manage/schools/{other.id}/contacts/{mine.id}/end").status_code == 404
    assert [tom.get(f"/manage/schools/{path}").status_code for path in ("999", "groups/999")] == [404, 404]
    with app.app_context():
        there = make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
        here = the_area()
        assert queries.find_school(school.id, there.id) is None
        assert queries.find_school(school.id, here.id) is not None


def test_a_group_of_schools_is_made_and_changed(app: Flask, tom: FlaskClient, school: School) -> None:
    with app.app_context():
        other = make_school("Vale End Primary School")
    page = tom.post(
        "/manage/schools/groups/new", data={"name": "Pilot", "schools": [school.id, other.id]}, follow_redirects=True
    )
    assert (outcome(page), "Pilot</a> (2)" in page.text) == ("saved", True)
    with app.app_context():
        group = db.session.query(SchoolGroup).one()
    path = f"/manage/schools/groups/{group.id}"
    page = tom.post(path, data={"name": "Pilot schools", "schools": [other.id]}, follow_redirects=True)
    assert "Pilot schools</a> (1)" in page.text
    page = tom.post(path, data={"name": "", "schools": []})
    assert errors(page) == [("name", "Enter a name"), ("schools", "Tick at least one school")]
    with app.app_context():
        make_group("Cluster", [school])
    page = tom.post(path, data={"name": "cluster", "schools": [other.id]})
    assert (page.status_code, errors(page)) == (409, [("name", "There is a group called cluster already.")])


def test_who_left_before_stays_as_they_were_when_an_old_page_says_so_again(
    app: Flask, tom: FlaskClient, school: School
) -> None:
    left = today() - timedelta(days=60)
    with app.app_context():
        contact = make_contact(school, starts_on=today() - timedelta(days=90), ends_on=left)
    tom.post(f"/manage/schools/{school.id}/contacts/{contact.id}/end")
    with app.app_context():
        assert db.session.query(SchoolContact).one().ends_on == left
        assert db.session.query(AuditEntry).count() == 0


def test_a_time_before_another_of_the_same_person_can_be_written_down(
    app: Flask, tom: FlaskClient, school: School
) -> None:
    with app.app_context():
        make_contact(school, "p@school.example", starts_on=today() - timedelta(days=30))
    first, last = today() - timedelta(days=300), today() - timedelta(days=200)
    path = f"/manage/schools/{school.id}"
    page = send(tom, path, name="Priya", email="p@school.example", starts_on=f"{first}", ends_on=f"{last}")
    assert outcome(page) == "saved"


def test_a_group_is_renamed_and_deleted_unless_a_closing_date_to_come_asks_it(
    app: Flask, tom: FlaskClient, school: School
) -> None:
    with app.app_context():
        group = make_group("Pilot", [school])
        event = make_event("Data return", kind=Kind.DEADLINE, in_days=9)
        values = AskValues(Answer.REQUIRED, owed_by=OwedBy.GROUPS, group_ids=(group.id,))
        organiser.set_ask(event, values, by=make_person(name="Boss"))
    path = f"/manage/schools/groups/{group.id}"
    assert "Pilots</a> (1)" in send(tom, path, path, name="Pilots", schools=[f"{school.id}"]).text
    page = tom.post(f"{path}/delete")
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert "By this group schools are asked for Data return (" in page.text
    with app.app_context():
        db.session.get(Event, event.id).day = today() - timedelta(days=1)
        db.session.commit()
    page = tom.post(f"{path}/delete", follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["The group Pilots is deleted. Its schools stay."])
    assert told(tom.post(f"{path}/delete", follow_redirects=True)) == ["There is no such group any more."]
    with app.app_context():
        assert (db.session.query(SchoolGroup).count(), db.session.query(School).count()) == (0, 1)
        assert db.session.query(Return).one().school_id == school.id
        assert db.session.query(AuditEntry).order_by(AuditEntry.id.desc()).first().detail == {"name": "Pilots"}


@pytest.mark.both_databases
def test_many_schools_have_pages_with_their_contacts_of_today_and_are_found_by_name(
    app: Flask, tom: FlaskClient
) -> None:
    with app.app_context():
        schools = [make_school(f"School no {number:03}") for number in range(120)]
        make_contact(schools[110], "now@school.example", name="Priya Now")
        make_contact(schools[110], "old@school.example", name="Olga Old", ends_on=today() - timedelta(days=1))

    def shown(page) -> list[str]:
        return re.findall(r">School no (\d{3})</a>", page.text)

    first = tom.get("/manage/schools/")
    (on,) = re.findall(r'<a href="([^"]+)" rel="next">', first.text)
    second = tom.get(on)
    assert [*shown(first), *shown(second)] == [f"{number:03}" for number in range(120)]
    assert ("Priya Now" in second.text, "Olga Old" in second.text) == (True, False)
    assert shown(tom.get("/manage/schools/?q=NO+11")) == ["011", *(str(number) for number in range(110, 120))]
    assert "No school has this in its name." in tom.get("/manage/schools/?q=nowhere").text


def test_many_people_with_a_role_have_pages(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        for number in range(60):
            make_organiser(f"colleague{number:02}@vale-marsh.example").name = f"Person {number:02}"
        db.session.commit()
    first = tom.get("/manage/people/")
    (on,) = re.findall(r'<a href="([^"]+)" rel="next">', first.text)
    names = [re.findall(r'<th scope="row">(\w+ \w+)</th>', page.text) for page in (first, tom.get(on))]
    assert [len(those) for those in names] == [50, 11]
    assert [*names[0], *names[1]] == [*(f"Person {number:02}" for number in range(60)), "Tom Okafor"]
