"""A school keeps its own contacts, by real forms: whom it names may, nobody else."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.core.audit import AuditEntry
from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory import contacts
from booking.directory.contacts import ContactValues
from booking.directory.models import ContactRole, School, SchoolContact
from booking.notifications.models import Message
from tests.factories import make_contact, make_person, make_school, sign_in
from tests.forms import Forms, errors, outcome, send, told

PRIYA = "priya@oak.example"


@pytest.fixture
def school(app: Flask) -> School:
    """A school with a SENCo, who can sign in, and a headteacher; and another school."""
    with app.app_context():
        found = make_school("Oakhurst Primary School")
        make_contact(found, PRIYA, name="Priya Nair")
        make_contact(found, "head@oak.example", ContactRole.HEADTEACHER, name="Ada Obi")
        make_contact(make_school("Millbrook High School"), "ravi@mill.example", name="Ravi Shah")
        make_person(PRIYA, "Priya Nair")
        return found


@pytest.fixture
def priya(app: Flask, school: School) -> FlaskClient:
    client = app.test_client()
    with app.app_context():
        sign_in(client, db.session.query(contacts.Person).filter_by(email=PRIYA).one())
    return client


def number_of(app: Flask, email: str) -> int:
    with app.app_context():
        return db.session.query(SchoolContact).filter_by(email=email).one().id


def last_days(app: Flask) -> dict[str, date | None]:
    with app.app_context():
        return {one.email: one.ends_on for one in db.session.query(SchoolContact)}


def test_a_contact_names_another_who_is_mailed_and_shown_to_the_organiser(
    app: Flask, priya: FlaskClient, tom: FlaskClient, school: School
) -> None:
    path = f"/my/school/{school.id}"
    assert f'href="{path}"' in priya.get("/my/").text
    page = send(priya, path, role="office", name="Daniel Achebe", email="Office@oak.example")
    assert (outcome(page), told(page)) == ("saved", ["Daniel Achebe is named, and hears of it by e-mail."])
    with app.app_context():
        (mail,) = db.session.query(Message)
        assert (mail.to_email, mail.subject) == ("office@oak.example", "Oakhurst Primary School has named you: Office")
        assert "Priya Nair has named you as Office of Oakhurst Primary School." in mail.text
        assert f"{path}\n" in mail.text
        line = db.session.query(AuditEntry).one()
        assert (line.actor_name, line.action, line.detail) == (
            "Priya Nair",
            "added a contact of",
            {"role": "office", "email": "office@oak.example"},
        )
    assert "named by the school: Priya Nair" in tom.get(f"/manage/schools/{school.id}").text


def test_a_contact_says_who_has_left_and_that_they_leave_themselves(
    app: Flask, priya: FlaskClient, school: School
) -> None:
    path = f"/my/school/{school.id}"
    head, own = number_of(app, "head@oak.example"), number_of(app, PRIYA)
    page = priya.post(f"{path}/contacts/{head}/end", follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["Ada Obi gets nothing more for Oakhurst Primary School."])
    assert last_days(app)["head@oak.example"] == today() - timedelta(days=1)
    assert priya.post(f"{path}/contacts/{head}/end").status_code == 404
    page = priya.post(f"{path}/contacts/{own}/end", follow_redirects=True)
    assert (page.request.path, outcome(page)) == ("/my/", "saved")
    assert priya.get(path).status_code == 404
    assert f'href="{path}"' not in priya.get("/my/").text


def test_a_contact_puts_right_their_own_name_and_last_day_and_nobody_elses(
    app: Flask, priya: FlaskClient, school: School
) -> None:
    path = f"/my/school/{school.id}/contacts"
    own, head = number_of(app, PRIYA), number_of(app, "head@oak.example")
    last = today() + timedelta(days=9)
    page = send(priya, f"{path}/{own}", name="Priya Nair-Smith", ends_on=f"{last}")
    assert (outcome(page), "Priya Nair-Smith (you)" in page.text) == ("saved", True)
    assert last_days(app)[PRIYA] == last
    page = priya.post(f"{path}/{own}", data={"name": "", "ends_on": "soon"})
    assert (page.status_code, [field for field, _ in errors(page)]) == (422, ["name", "ends_on"])
    page = priya.post(f"{path}/{own}", data={"name": "Priya", "ends_on": "2020-01-01"})
    assert (page.status_code, errors(page)) == (409, [("ends_on", "The last day is before the first.")])
    assert [priya.get(f"{path}/{head}").status_code, priya.post(f"{path}/{head}", data={}).status_code] == [404, 404]


def test_which_school_somebody_says_they_are_from_is_no_right(app: Flask, school: School) -> None:
    strangers = []
    with app.app_context():
        head = db.session.query(SchoolContact).filter_by(email="head@oak.example").one().id
        left = make_contact(school, "old@oak.example", ends_on=today() - timedelta(days=1)).email
        for email in ("claims@elsewhere.example", "ravi@mill.example", left):
            client = app.test_client()
            sign_in(client, make_person(email, school_id=school.id))
            strangers.append(client)
    form = {"role": "senco", "name": "Eve", "email": "eve@elsewhere.example"}
    for client in strangers:
        assert client.get(f"/my/school/{school.id}").status_code == 404
        assert client.post(f"/my/school/{school.id}", data=form).status_code == 404
        assert client.post(f"/my/school/{school.id}/contacts/{head}/end").status_code == 404
    assert "eve@elsewhere.example" not in last_days(app)
    assert last_days(app)["head@oak.example"] is None


def test_a_contact_of_another_school_is_not_reached_through_ones_own(
    app: Flask, priya: FlaskClient, school: School
) -> None:
    ravi = number_of(app, "ravi@mill.example")
    assert priya.post(f"/my/school/{school.id}/contacts/{ravi}/end").status_code == 404
    assert last_days(app)["ravi@mill.example"] is None


def test_what_cannot_be_is_told_and_what_was_typed_is_kept(app: Flask, priya: FlaskClient, school: School) -> None:
    path = f"/my/school/{school.id}"
    page = priya.post(path, data={"role": "senco", "name": "Priya", "email": "nonsense"})
    assert (page.status_code, errors(page)) == (422, [("email", "Enter an e-mail address like name@school.example")])
    assert Forms(page).forms[path]["email"] == ["nonsense"]
    page = priya.post(path, data={"role": "senco", "name": "Priya", "email": PRIYA})
    assert (page.status_code, errors(page)) == (409, [("email", "This address is a contact for this role already.")])
    for number in range(10):
        priya.post(path, data={"role": "office", "name": "Somebody", "email": f"s{number}@oak.example"})
    page = priya.post(path, data={"role": "office", "name": "One more", "email": "more@oak.example"})
    assert (page.status_code, "That is a lot of people for one day" in page.text) == (409, True)
    with app.app_context():
        assert db.session.query(Message).count() == 10


@pytest.mark.both_databases
def test_who_was_ended_meanwhile_may_do_nothing_any_more(in_app: Flask) -> None:
    school = make_school()
    mine, other = make_contact(school, PRIYA), make_contact(school, "head@oak.example", ContactRole.HEADTEACHER)
    priya = make_person(PRIYA)
    contacts.end_contact(mine, by=None)
    with pytest.raises(Refused, match="not a contact of this school any more"):
        contacts.let_go(school, other, by=priya)
    values = ContactValues(ContactRole.OFFICE, "Eve", "eve@x.example", today())
    with pytest.raises(Refused, match="not a contact of this school any more"):
        contacts.name_contact(school, values, by=priya)
    assert db.session.query(SchoolContact).count() == 2
